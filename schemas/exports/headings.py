"""Finds the heading row of an export and what each of its columns is.

Enters: rows of cells as text, and the feed. Leaves: a `Layout` (our column name -> position), or the words that say what is missing.
The differences between departments' headings are data: headings.yaml.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from schemas.exports.contract import Feed
from schemas.exports.faults import UnreadableFileError

ALIASES = Path(__file__).with_name("headings.yaml")
SEARCHED_ROWS = 30
# fewer headings than this in every row: the row may hold personal values, so a message must not quote it
_QUOTABLE = 2

_BLANKS = re.compile(r"[\s\u200b\u200c\u200d\u2060\ufeff]+")
_BRACKETED = re.compile(r"[(\[【〔《「][^()\[\]【】〔〕《》「」]*[)\]】〕》」]$")
_WHOLLY_BRACKETED = re.compile(r"^[(\[【〔《「](.*)[)\]】〕》」]$")
_CLOSING = tuple(")]】〕》」")
_MARKS = "*★☆※#:,;.、'\"“”"


def fold(heading: str) -> str:
    """A heading for comparing: half-width, without blanks, line breaks or marks around it."""
    return _BLANKS.sub("", unicodedata.normalize("NFKC", heading)).strip(_MARKS)


def bare(heading: str) -> str:
    """A folded heading without the brackets around it or the remark in brackets behind it (`姓名(必填)`)."""
    return _bare(fold(heading))


def _bare(text: str) -> str:
    before = ""
    while text != before and text.endswith(_CLOSING):
        before = text
        text = (_BRACKETED.sub("", text) or _WHOLLY_BRACKETED.sub(r"\1", text)).strip(_MARKS)
    return text


@cache
def _spellings(feed: Feed) -> dict[str, tuple[str, ...]]:
    """Column name -> folded headings that mean it, the contract's own first."""
    tables = yaml.safe_load(ALIASES.read_text(encoding="utf-8"))
    own = {fold(c.heading) for c in feed.columns}
    spellings: dict[str, tuple[str, ...]] = {}
    for c in feed.columns:
        aliases = [*tables.get(feed.name, {}).get(c.heading, ()), *tables["every"].get(c.heading, ())]
        spellings[c.name] = (fold(c.heading), *(a for a in map(fold, aliases) if a not in own))
    return spellings


@cache
def _every_spelling(feed: Feed) -> frozenset[str]:
    return frozenset(text for spellings in _spellings(feed).values() for text in spellings)


@dataclass(frozen=True)
class Layout:
    """What the columns of one file are.

    Attributes:
        headings: the headings as they came, one per column (blank where the file had none).
        positions: our column name -> column number from 0.
        needed: headings of the key and need columns; `missing`: those the file lacks.
        repeated: headings that came more than once and mean one of our columns.
    """

    headings: tuple[str, ...]
    positions: dict[str, int]
    needed: tuple[str, ...]
    missing: tuple[str, ...]
    repeated: tuple[str, ...]

    @property
    def unknown(self) -> list[str]:
        """The headings that the contract does not know, in the order of the file."""
        known = set(self.positions.values())
        return [h for i, h in enumerate(self.headings) if i not in known and h]

    @property
    def least_width(self) -> int:
        """The number of columns up to the last one that has a heading."""
        return max((i + 1 for i, h in enumerate(self.headings) if h), default=0)

    def require(self) -> Layout:
        """This layout, when rows can be read with it.

        Raises:
            UnreadableFileError: a key or need column is missing, or one of our columns came twice.
        """
        if len(self.positions) < _QUOTABLE and self.missing:
            raise UnreadableFileError(f"前{SEARCHED_ROWS}行中找不到表头；必须有的列：{'、'.join(self.needed)}。请保留原系统导出的表头行")
        had = "、".join(h for h in self.headings if h)
        if self.missing:
            raise UnreadableFileError(f"缺少必需的列：{'、'.join(self.missing)}；文件中的表头为：{had}。请补上后重新报送")
        if self.repeated:
            raise UnreadableFileError(f"表头重复：{'、'.join(self.repeated)}；文件中的表头为：{had}。请只保留一列后重新报送")
        return self


def read_headings(feed: Feed, cells: Sequence[str]) -> Layout:
    """What the cells of one row mean, taken as headings."""
    exact = [fold(c) for c in cells]
    loose = [_bare(text) for text in exact]
    positions: dict[str, int] = {}
    repeated: list[str] = []
    for column in feed.columns:
        for spelling in _spellings(feed)[column.name]:
            found = [i for i, text in enumerate(exact) if text == spelling] or [i for i, text in enumerate(loose) if text == spelling]
            if found:
                positions[column.name] = found[0]
                if len(found) > 1:
                    repeated.append(column.heading)
                break
    needed = tuple(c.heading for c in feed.columns if c.need)
    missing = tuple(c.heading for c in feed.columns if c.need and c.name not in positions)
    return Layout(tuple(_BLANKS.sub("", c) for c in cells), positions, needed, missing, tuple(repeated))


def find_headings(feed: Feed, rows: Sequence[Sequence[str]]) -> tuple[int, Layout]:
    """The heading row among the first rows of a file: its place from 0, and its layout.

    The first row that has every key and need column; where there is none, the row with the most known headings (for the message).
    """
    best, layout = 0, read_headings(feed, ())
    for i, cells in enumerate(rows[:SEARCHED_ROWS]):
        if _every_spelling(feed).isdisjoint({form for folded in map(fold, filter(None, cells)) for form in (folded, _bare(folded))}):
            continue
        candidate = read_headings(feed, cells)
        if not candidate.missing:
            return i, candidate
        if len(candidate.positions) > len(layout.positions):
            best, layout = i, candidate
    return best, layout
