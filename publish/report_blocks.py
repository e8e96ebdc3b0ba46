"""What a report page is made of, whether printed as HTML or as PDF. Enters: texts, shares and SVG. Leaves: blocks that both templates lay out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from publish.suppression import Shown

NUMBER, TEXT, BAR = "number", "text", "bar"
KINDS = ("main", "late", "vague")  # solid, striped, pale


@dataclass(frozen=True)
class Part:
    """A part of a bar: how it is filled, where it starts and how long it is, in per cent."""

    kind: str
    start: float
    percent: float


@dataclass(frozen=True)
class Row:
    """Cells in the order of the columns: texts, or the parts of a bar. `warned`: columns whose text is a warning; `level`: 1 for a line under another."""

    cells: Sequence[str | Sequence[Part]]
    warned: Sequence[int] = ()
    level: int = 0


@dataclass(frozen=True)
class Table:
    """Columns as (heading, kind); without rows `empty` is printed; `legend`: kinds of bar and what they mean."""

    columns: Sequence[tuple[str, str]]
    rows: Sequence[Row]
    title: str = ""
    empty: str = ""
    note: str = ""
    legend: Sequence[tuple[str, str]] = ()
    block: str = "table"


@dataclass(frozen=True)
class Chart:
    """A picture with what it shows in words, and a note under it. `is_wide`: it is scrolled on a narrow screen rather than shrunk."""

    svg: str
    words: str
    title: str = ""
    note: str = ""
    is_wide: bool = False
    block: str = "chart"


@dataclass(frozen=True)
class Note:
    """A paragraph."""

    text: str
    block: str = "note"


@dataclass(frozen=True)
class Columns:
    """Blocks side by side where there is room."""

    blocks: Sequence[Sequence[Any]]
    block: str = "columns"


@dataclass(frozen=True)
class Section:
    """A part of the report under its heading."""

    title: str
    lead: str
    blocks: Sequence[Any] = field(default_factory=tuple)


def bars(title: str, heading: str, rows: Sequence[tuple[str, str, int | None]], *, counted: str = "人数", empty: str = "没有。") -> Table:
    """Rows of label, text and count as a table with a bar each; no bar where the count is hidden, for a bar can be measured."""
    most = max((count for _, _, count in rows if count), default=0)
    lines = [Row((label, text, () if not count else (Part("main", 0, 100 * count / most),))) for label, text, count in rows]
    return Table(((heading, TEXT), (counted, NUMBER), ("", BAR)), lines, title, empty)


def stack(shown: Shown, keys: Mapping[str, tuple[str, ...]]) -> tuple[Part, ...]:
    """The parts of a bar by kind; none at all where one of them is hidden."""
    counts = {kind: shown.value(*key) for kind, key in keys.items()}
    total = sum(n or 0 for n in counts.values())
    if not total or None in counts.values():
        return ()
    parts, start = [], 0.0
    for kind, count in counts.items():
        share = 100 * (count or 0) / total
        parts.append(Part(kind, round(start, 3), round(share, 3)))
        start += share
    return tuple(parts)


def change(now: int | None, before: int | None) -> str:
    """A net change in words: hidden where one of the two counts is, and where it is smaller than five."""
    if now is None or before is None:
        return "—"
    if now == before:
        return "0"
    return f"{now - before:+,}" if abs(now - before) >= 5 else "±<5"
