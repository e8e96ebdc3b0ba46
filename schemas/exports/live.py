"""Which files are in use: per part the newest snapshot that can be read, and the deltas after it.

Enters: what arrived, what is stored, and how to read one. Leaves: `Selection`. Nothing here depends on the order in which files are found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date

from schemas.exports.faults import UnreadableFileError
from schemas.exports.inbox import Arrival
from schemas.exports.store import Entry

Obtain = Callable[[Arrival], Entry]
# how it is said that of two exports of one part and day one was not used
SAME_DAY = "同一日期、同一分片另有文件"


@dataclass
class Selection:
    """What became of each file.

    Attributes:
        live: the entries whose rows are in use; bases and deltas in the order of (date, part, name).
        rejected: with the words that say why; `superseded`: with what the department should know.
        warnings: of live entries, by file name.
    """

    live: list[Entry] = field(default_factory=list)
    rejected: list[tuple[Arrival, str]] = field(default_factory=list)
    superseded: list[tuple[Arrival, str]] = field(default_factory=list)
    warnings: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def bases(self) -> dict[str, Entry]:
        """The snapshot in use of each part."""
        return {e.arrival.part: e for e in self.live if not e.arrival.is_delta}

    def replaced_by(self, entry: Entry) -> list[Entry]:
        """The later deltas that replace rows of an entry: those of its part, and those whose part has no snapshot of its own."""
        bases, own = self.bases(), entry.arrival
        is_loose = own.is_delta and own.part not in bases
        return [
            d
            for d in self.live
            if d.arrival.is_delta
            and d.arrival.export_date > own.export_date
            and (is_loose or d.arrival.part == own.part or d.arrival.part not in bases)
        ]


def select(arrived: Iterable[Arrival], stored: Iterable[Arrival], obtain: Obtain) -> Selection:
    """Chooses the files in use.

    Args:
        obtain: reads a file or finds it in the store; raises UnreadableFileError where it can't, and the next newest is tried.
    """
    known = {(a.name, a.sha256): a for a in stored} | {(a.name, a.sha256): a for a in arrived}
    by_part: dict[tuple[bool, str], list[Arrival]] = defaultdict(list)
    for arrival in known.values():
        by_part[arrival.is_delta, arrival.part].append(arrival)
    chosen = Selection()
    for (is_delta, _), candidates in sorted(by_part.items()):
        if not is_delta:
            _first_readable(sorted(candidates, key=_newest_first), obtain, chosen)
    starts = {part: e.arrival.export_date for part, e in chosen.bases().items()}
    for (is_delta, part), candidates in sorted(by_part.items()):
        if is_delta:
            _deltas(candidates, _floor(part, starts), obtain, chosen)
    chosen.live.sort(key=lambda e: (e.arrival.export_date, e.arrival.part, e.arrival.name))
    return chosen


def renamed(stored: Iterable[Entry], arrived: Iterable[Arrival]) -> list[Entry]:
    """The stored exports whose rows lie in the inbox under another name: a date, part or `_delta` that was put right must not stand beside what it was."""
    arrived = list(arrived)
    here, names = {a.sha256 for a in arrived}, {a.name for a in arrived}
    return [e for e in stored if e.figures.rows_in and e.arrival.name not in names and e.arrival.sha256 in here]


def needed(entries: Iterable[Entry], live: Iterable[Entry]) -> list[Entry]:
    """The stored entries worth keeping: those in use, and what the two newest snapshots of each part need; not another export of the part and day of one in use, which took its place."""
    entries, live = list(entries), list(live)
    dates: dict[str, set[date]] = defaultdict(set)
    for e in entries:
        if not e.arrival.is_delta:
            dates[e.arrival.part].add(e.arrival.export_date)
    floors = {part: sorted(days)[-2:][0] for part, days in dates.items()}
    lowest = min(floors.values(), default=date.min)
    in_use = {_place(e.arrival): _bytes(e.arrival) for e in live}
    return [
        e
        for e in entries
        if in_use.get(_place(e.arrival), _bytes(e.arrival)) == _bytes(e.arrival)
        and (_place(e.arrival) in in_use or e.arrival.export_date >= floors.get(e.arrival.part, lowest))
    ]


def _place(arrival: Arrival) -> tuple[bool, str, date]:
    """What one export alone can be: the snapshot or delta of a part and day, whatever its format."""
    return arrival.is_delta, arrival.part, arrival.export_date


def _bytes(arrival: Arrival) -> tuple[str, str]:
    return arrival.name, arrival.sha256


def _newest_first(arrival: Arrival) -> tuple[int, bool, str, str]:
    return -arrival.export_date.toordinal(), arrival.path is None, arrival.name, arrival.sha256


def _floor(part: str, starts: dict[str, date]) -> date:
    """The day after which a delta of a part adds something: its snapshot's, else the oldest snapshot's of the feed."""
    return starts.get(part) or min(starts.values(), default=date.min)


def _first_readable(candidates: list[Arrival], obtain: Obtain, chosen: Selection) -> None:
    """Takes the first candidate that can be read; those before it are rejected, the arrived ones behind it superseded."""
    taken: Arrival | None = None
    refused: list[Arrival] = []
    for arrival in candidates:
        if taken is None:
            try:
                chosen.live.append(obtain(arrival))
                taken = arrival
            except UnreadableFileError as e:
                refused.append(arrival)
                chosen.rejected.append((arrival, str(e)))
        elif arrival.path is not None:
            same_day = arrival.export_date == taken.export_date
            said = f"{SAME_DAY}“{taken.name}”，已采用后者" if same_day else f"已有更新的导出“{taken.name}”"
            chosen.superseded.append((arrival, said))
            if same_day:
                chosen.warnings[taken.name].append(f"{SAME_DAY}“{arrival.name}”，未采用；请勿重复报送")
    if taken is not None:
        chosen.warnings[taken.name] += [f"较新的文件“{r.name}”无法读取，沿用本文件" for r in refused if r.name != taken.name or r.path is not None]


def _deltas(candidates: list[Arrival], floor: date, obtain: Obtain, chosen: Selection) -> None:
    """Takes each day's delta that is later than the snapshot it adds to."""
    by_day: dict[date, list[Arrival]] = defaultdict(list)
    for arrival in sorted(candidates, key=_newest_first):
        if arrival.export_date > floor:
            by_day[arrival.export_date].append(arrival)
        elif arrival.path is not None:
            chosen.superseded.append((arrival, "增量不晚于所补充的整表，已包含在整表中"))
    for day in sorted(by_day):
        _first_readable(by_day[day], obtain, chosen)
