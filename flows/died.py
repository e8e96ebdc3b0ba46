"""Runs that died without a word: killed, out of memory, the machine switched off. Enters: the folder beside a register. Leaves: which, and at which station."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_AT = ".at"


def mark_station(work: Path, station: str) -> None:
    """Leave word in a run's folder of the station it is at; where the disk has no room for that, the station will say so."""
    with suppress(OSError):
        (work / _AT).write_text(station, "ascii")


def mark_ended(work: Path) -> None:
    """The run of this folder has come to an end, good or bad, and said so."""
    (work / _AT).unlink(missing_ok=True)


def died(state: Path) -> list[str]:
    """What to say of the runs that left word of a station and none of an end, while no run is at work."""
    return [
        f"run {mark.parent.name} never came to an end: it died at {mark.read_text('ascii', 'replace')} (killed, out of memory, or the machine went down)"
        for mark in sorted(state.glob(f"work/*/{_AT}"))
    ]
