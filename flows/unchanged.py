"""The night in which nothing changed. Enters: the settings of a run. Leaves: a fingerprint of all that the night rests on, and whether the last run had the same.

The same files, day, decisions, program and rules on top of the register they led to give the same tables again (contracts/register.md, 2), so such a night
needs no stations. What is compared is content, never a date of a file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from flows.settings import Night
from publish.register import connect
from rules.law import Law

_ROOMS = ("flows", "schemas", "matching", "rules", "publish")
_DECIDES = {".py", ".sql", ".yaml", ".csv", ".j2", ".geojson"}


@dataclass(frozen=True)
class Seen:
    """What a night found before it began: a hash of the files in the inbox, the decisions, the program, its rules and settings."""

    digest: str

    def with_store(self, store: Path) -> str:
        """The fingerprint of the night with what the intake store holds: at the start of a night, what the last one left there."""
        names = (f"{p.parent.name}/{p.name}" for p in store.glob("*/*.json"))
        return _digest([self.digest, *sorted(names)])


@dataclass(frozen=True)
class LastRun:
    """The run that the register stands on."""

    run_id: str
    counts: dict[str, int]


def look(tonight: Night) -> Seen:
    """Reads the inbox once; nothing is parsed."""
    program = Path(__file__).resolve().parent.parent
    parts = [tonight.as_of.isoformat(), tonight.config_hash(), Law.load().version]
    parts += _contents(program, (f for room in _ROOMS for f in (program / room).rglob("*") if f.suffix in _DECIDES))
    parts += _contents(tonight.inbox, tonight.inbox.rglob("*"))
    parts += _contents(tonight.state, (tonight.state / "decisions").glob("*"))
    return Seen(_digest(parts))


def same_as_last(tonight: Night, seen: Seen) -> LastRun | None:
    """The last run, where the register stands on a night with this fingerprint and all of it was handed out."""
    if not tonight.register.exists() or not (tonight.state / "out" / "report.html").exists():
        return None
    with connect(tonight.register) as con:
        known = con.execute("SELECT count(*) FROM duckdb_columns() WHERE table_name = 'run' AND column_name = 'inputs_hash'").fetchall()[0][0]
        if not known:
            return None
        last = con.execute("SELECT run_id, counts, inputs_hash FROM run ORDER BY started_at DESC, run_id DESC LIMIT 1").fetchall()
    if not last or last[0][2] != seen.with_store(tonight.store):
        return None
    return LastRun(last[0][0], json.loads(last[0][1]))


def _contents(base: Path, files: Iterable[Path]) -> list[str]:
    """Each file's place below the base, and its bytes' hash."""
    found = []
    for file in sorted(f for f in files if f.is_file()):
        with file.open("rb") as stream:
            found.append(f"{file.relative_to(base).as_posix()}={hashlib.file_digest(stream, 'sha256').hexdigest()}")
    return found


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
