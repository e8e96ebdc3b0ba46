"""What did not change since the last run. Enters: the settings of a run. Leaves: fingerprints of what a night and its stations rest on, and the last run's.

The same files, day, decisions, program and rules on top of the register they led to give the same tables again (contracts/register.md, 2), so such a night
needs no stations; where only the day or other feeds moved on, a feed's standardised rows and the linkage may still stand (reuse.py). What is compared is content,
never a date of a file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from flows.settings import Night, password
from publish.register import connect
from rules.law import Law
from schemas.exports.inbox import files_below, sha256

# names the run whose hand-outs lie in the folder, and is written last
HANDED_OUT = ".run"
_ROOMS = ("flows", "schemas", "matching", "rules", "publish")
_COMPUTES = ("polars", "duckdb", "pyarrow", "numpy", "scipy", "pandera", "rapidfuzz", "jellyfish", "pypinyin", "opencc")
_DECIDES = {".py", ".sql", ".yaml", ".csv", ".j2", ".geojson"}


@dataclass(frozen=True)
class Seen:
    """What a night found before it began.

    Attributes:
        digest: of the files in the inbox, the decisions, what the national system was sent, the program, its rules and settings, the password of what is handed out, and the day.
        program: of the program and the libraries it computes with. decisions: of the clerks' decisions.
    """

    digest: str
    program: str
    decisions: str

    def with_store(self, store: Path) -> str:
        """The fingerprint of the night with what the intake store holds: at the start of a night, what the last one left there."""
        names = (f"{p.parent.name}/{p.name}" for p in store.glob("*/*.json"))
        return _digest([self.digest, *sorted(names)])


@dataclass(frozen=True)
class LastRun:
    """The run that the register stands on; the hashes are None where it was made by a program that did not know them."""

    run_id: str
    as_of: date
    counts: dict[str, int]
    inputs_hash: str | None
    linkage_hash: str | None


def look(tonight: Night) -> Seen:
    """Reads the inbox once; nothing is parsed."""
    program = program_hash()
    decisions = _digest(_contents(tonight.state, (tonight.state / "decisions").glob("*")))
    sent = _digest(_contents(tonight.state, (tonight.state / "national_sent").glob("*")))
    parts = [tonight.as_of.isoformat(), tonight.config_hash(), Law.load().version, program, decisions, sent, _lock()]
    files, closed = files_below(tonight.inbox)
    return Seen(_digest([*parts, *_contents(tonight.inbox, files), *map(str, closed)]), program, decisions)


def program_hash() -> str:
    """A fingerprint of the program and of the libraries it computes with, as they are on this machine."""
    home = Path(__file__).resolve().parent.parent
    files = (f for room in _ROOMS for f in (home / room).rglob("*") if f.suffix in _DECIDES)
    return _digest([*(f"{name} {version(name)}" for name in _COMPUTES), *_contents(home, files)])


def last_run(register: Path) -> LastRun | None:
    """The run that the register stands on; None where there is no register."""
    if not register.exists():
        return None
    with connect(register) as con:
        there = {n for (n,) in con.execute("SELECT column_name FROM duckdb_columns() WHERE table_name = 'run'").fetchall()}
        hashes = ", ".join(name if name in there else f"NULL AS {name}" for name in ("inputs_hash", "linkage_hash"))
        found = con.execute(f"SELECT run_id, as_of, counts, {hashes} FROM run ORDER BY started_at DESC, run_id DESC LIMIT 1").fetchall()
    return LastRun(found[0][0], found[0][1], json.loads(found[0][2]), *found[0][3:]) if found else None


def is_same_night(tonight: Night, seen: Seen, last: LastRun | None) -> bool:
    """Whether the last run was a night with this fingerprint, and all of it was handed out."""
    mark = tonight.state / "out" / HANDED_OUT
    return last is not None and mark.exists() and mark.read_text("ascii", "replace") == last.run_id and last.inputs_hash == seen.with_store(tonight.store)


def _lock() -> str:
    """What stands for the password of what is handed out; as slow to guess at as a password should be, for it lies in the register's fingerprint."""
    locked = password()
    return "" if locked is None else hashlib.scrypt(locked.encode(), salt=b"childflow", n=2**14, r=8, p=1).hex()


def _contents(base: Path, files: Iterable[Path]) -> list[str]:
    """Each file's place below the base, and its bytes' hash."""
    return [f"{file.relative_to(base).as_posix()}={_content(file)}" for file in sorted(files)]


def _content(file: Path) -> str:
    """The hash of a file's bytes; the fault of one that cannot be opened, which intake turns away."""
    try:
        return sha256(file)
    except OSError as error:
        return type(error).__name__


def _digest(parts: Iterable[str]) -> str:
    # a file's name need not be text
    return hashlib.sha256("\n".join(parts).encode(errors="surrogateescape")).hexdigest()
