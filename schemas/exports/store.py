"""The intake store: what was read from each file, kept so that an unchanged file is not parsed again and a feed that stays away goes on.

Enters: arrivals. Leaves: `Entry` (accepted rows, quarantined rows, figures), by content. A folder per feed holds three files per export, all under
`<sha256 of the bytes>-<of the name>`: two Parquet files and a JSON receipt, which is written last and so says that the others are whole.
A damaged entry counts as none.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from schemas.exports.contract import Feed
from schemas.exports.faults import UnreadableFileError
from schemas.exports.inbox import Arrival
from schemas.exports.inbox import sha256 as digest_of
from schemas.exports.parse import Figures, parse

# of the entries' layout: raised when old entries can no longer be used as they are
LAYOUT = 1
_SCHEMAS = Path(__file__).parent.parent
_TEMPORARY = ".tmp"


@dataclass(frozen=True)
class Entry:
    """One export as read."""

    arrival: Arrival
    accepted: Path
    quarantined: Path
    figures: Figures


@cache
def reader_version() -> str:
    """A fingerprint of all that decides how a file is read: code, headings, code sets, divisions. Another one, and inbox files are read anew."""
    parts = sorted(p for p in _SCHEMAS.rglob("*") if p.suffix in {".py", ".yaml", ".csv"})
    digest = sha256()
    for part in parts:
        digest.update(part.relative_to(_SCHEMAS).as_posix().encode() + b"\0" + part.read_bytes())
    return digest.hexdigest()[:16]


class Store:
    """The entries of one feed."""

    def __init__(self, folder: Path, feed: Feed) -> None:
        self._feed = feed
        self._folder = folder / feed.name
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def entries(self) -> list[Entry]:
        """All whole entries, in the order of their files' names and bytes."""
        found = (self._load(p) for p in sorted(self._folder.glob("*.json")))
        return sorted((e for e, _ in filter(None, found)), key=lambda e: (e.arrival.name, e.arrival.sha256))

    def arrivals(self) -> list[Arrival]:
        """What exports there are by their JSON receipts, in the order of the receipts' names: those of damaged entries too, which would be missed by nobody."""
        return [known[0] for known in map(self._said, sorted(self._folder.glob("*.json"))) if known]

    def obtain(self, arrival: Arrival) -> Entry:
        """The entry of an export: from the store, else read from the inbox and stored.

        Raises:
            UnreadableFileError: the file can't be taken in.
        """
        stem = self._folder / _stem(arrival)
        known = self._load(stem.with_suffix(".json"))
        if known is not None and (arrival.path is None or known[1] == reader_version()):
            return Entry(arrival, known[0].accepted, known[0].quarantined, known[0].figures)
        accepted, quarantined = (stem.with_suffix(f".{kind}.parquet") for kind in ("accepted", "quarantine"))
        with _replacing(accepted) as a, _replacing(quarantined) as q:
            figures = parse(arrival, self._feed, a.path, q.path)
            _require_same(arrival)
            a.commit()
            q.commit()
        self._write(stem.with_suffix(".json"), arrival, figures, accepted, quarantined)
        return Entry(arrival, accepted, quarantined, figures)

    def prune(self, keep: Iterable[Arrival]) -> None:
        """Forgets every entry but those of these exports, and what an interrupted run left behind."""
        stems = {_stem(arrival) for arrival in keep}
        for path in self._folder.iterdir():
            if path.name.endswith(_TEMPORARY) or path.name.partition(".")[0] not in stems:
                path.unlink(missing_ok=True)

    def forget(self, exports: Iterable[Arrival]) -> None:
        """Forgets the entries of these exports."""
        for arrival in exports:
            for path in self._folder.glob(f"{_stem(arrival)}.*"):
                path.unlink(missing_ok=True)

    def _write(self, path: Path, arrival: Arrival, figures: Figures, accepted: Path, quarantined: Path) -> None:
        said = {
            "layout": LAYOUT,
            "reader": reader_version(),
            "name": arrival.name,
            "part": arrival.part,
            "export_date": arrival.export_date.isoformat(),
            "is_delta": arrival.is_delta,
            "format": arrival.format,
            "sha256": arrival.sha256,
            "accepted_sha256": digest_of(accepted),
            "quarantined_sha256": digest_of(quarantined),
            "figures": figures.as_dict(),
        }
        with _replacing(path) as new:
            new.path.write_text(json.dumps(said, ensure_ascii=False, indent=1, sort_keys=True), encoding="utf-8")
            new.commit()

    def _load(self, path: Path) -> tuple[Entry, str] | None:
        """The entry whose receipt lies there and the reader that made it; None where it is damaged or of another layout."""
        accepted, quarantined = (path.with_suffix(f".{kind}.parquet") for kind in ("accepted", "quarantine"))
        known = self._said(path)
        if known is None:
            return None
        arrival, said = known
        try:
            if said["layout"] != LAYOUT:
                return None
            if digest_of(accepted) != said["accepted_sha256"] or digest_of(quarantined) != said["quarantined_sha256"]:
                return None
            return Entry(arrival, accepted, quarantined, Figures.from_dict(said["figures"])), said["reader"]
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _said(self, path: Path) -> tuple[Arrival, dict[str, Any]] | None:
        """The export that a receipt is of, and all it says; None where it cannot be read."""
        try:
            said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            day = date.fromisoformat(said["export_date"])
            return Arrival(self._feed.name, said["name"], said["part"], day, said["is_delta"], said["format"], said["sha256"]), said
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _require_same(arrival: Arrival) -> None:
    """What was read must be what it is stored as."""
    try:
        is_same = arrival.path is None or digest_of(arrival.path) == arrival.sha256
    except OSError:
        is_same = False
    if not is_same:
        raise UnreadableFileError("读取期间文件发生变化，可能还在上传，本次未采用；上传完成后下次运行将重新读取")


def _stem(arrival: Arrival) -> str:
    return f"{arrival.sha256}-{sha256(arrival.name.encode()).hexdigest()[:8]}"


class _replacing:  # noqa: N801 - reads as a verb where it is used
    """A file written aside and put in its place whole, or not at all."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self.path = target.with_name(f"{target.name}.{os.getpid()}{_TEMPORARY}")

    def __enter__(self) -> _replacing:
        return self

    def __exit__(self, *_: object) -> None:
        self.path.unlink(missing_ok=True)

    def commit(self) -> None:
        """Puts the file in its place."""
        self.path.replace(self._target)


