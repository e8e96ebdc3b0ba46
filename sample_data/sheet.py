"""A feed's rows on their way out. Enters: children with a plan, and what a feed writes about them. Leaves: `Sheet`s, typed first, text in the end.

In a typed sheet dates are dates, divisions are indexes of `places`, sexes and flags are booleans, all else is text, under our names. Beside them:
`_child` (row of the child in its block), `_part` (what stands behind the date in the file's name), `_month` (the enrolment is known by its month only).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from sample_data.numbers import padded
from sample_data.places import Ints, Places
from sample_data.rates import Rates
from schemas.exports.feeds import FEEDS

_ROADS = ("人民路", "建设路", "解放路", "新华路", "和平路", "龙湖路", "滨江路", "学府大道", "工业园路", "金山路", "桂花街", "石桥路", "双凤路", "文化街", "东风路", "白云路")
_ESTATES = ("", "", "阳光花园", "金色家园", "龙城国际", "安置房", "滨江苑", "和顺家园")


@dataclass
class Block:
    """What the feeds' writers share: the children of one block, and where, when and how."""

    rng: np.random.Generator
    kids: pl.DataFrame
    where: Places
    as_of: date
    rates: Rates


@dataclass
class Sheet:
    """One feed's rows of one block, and the faults put into them: (rows, fault code)."""

    feed: str
    frame: pl.DataFrame
    marks: list[tuple[Ints, str]] = field(default_factory=list)

    @property
    def height(self) -> int:
        """Number of rows."""
        return self.frame.height

    def put(self, column: str, rows: Ints, values: pl.Series, fault: str | None) -> None:
        """Write the values into the rows of a column; with a fault's code where it is one."""
        if not len(rows):
            return
        self.frame = self.frame.with_columns(self.frame[column].scatter(pl.Series(rows), values))
        if fault:
            self.marks.append((rows, fault))

    def damage(self) -> pl.Series:
        """The fault codes of each row, sorted, each once."""
        if not self.marks:
            return pl.Series("damage", [[]] * self.height, dtype=pl.List(pl.String))
        marks = pl.DataFrame({"row": np.concatenate([rows for rows, _ in self.marks]), "fault": np.repeat([f for _, f in self.marks], [len(r) for r, _ in self.marks])})
        found = marks.unique().sort("row", "fault").group_by("row", maintain_order=True).agg("fault")
        rows = pl.DataFrame({"row": np.arange(self.height)}).join(found, on="row", how="left", maintain_order="left")
        return rows.select(pl.col("fault").fill_null(pl.lit([], pl.List(pl.String))).alias("damage"))["damage"]


def sheet(feed: str, rows: pl.DataFrame) -> Sheet:
    """A sheet of the feed from a frame that holds some of its columns; the others are empty."""
    columns = [c.name for c in FEEDS[feed].columns]
    extra = {"_month": pl.lit(False), "_part": pl.lit("")}
    given = rows.with_columns(**{name: value for name, value in extra.items() if name not in rows.columns})
    missing = [pl.lit(None, pl.String).alias(c) for c in columns if c not in given.columns]
    return Sheet(feed, given.with_columns(*missing).select("_child", "_part", "_month", *columns))


def address(at: str, where: Places, kids: pl.DataFrame) -> pl.Series:
    """Where a family lives in the place of that column: the same for brothers and sisters."""
    places = where.table[kids[at].fill_null(0)]
    family = kids["family"].to_numpy()
    road = pl.Series(np.array(_ROADS)[family * 7 % len(_ROADS)])
    estate = pl.Series(np.array(_ESTATES)[family * 5 % len(_ESTATES)])
    number = pl.Series(family * 37 % 290 + 1).cast(pl.String)
    flat = pl.Series(family * 11 % 30 + 1).cast(pl.String) + "-" + pl.Series(family * 3 % 8 + 1).cast(pl.String)
    township = places["township"].fill_null("")
    return places["full"] + township + road + number + "号" + estate + flat


def district(at: str, where: Places, kids: pl.DataFrame) -> pl.Series:
    """The six-digit code of the place of that column."""
    return where.texts["six"][kids[at].fill_null(0)]


def nth(kids: pl.DataFrame, width: int) -> pl.Series:
    """The child's running number as text."""
    return padded(kids["child"], width)


def drawn(rng: np.random.Generator, words: tuple[str | None, ...], shares: tuple[float, ...], size: int) -> pl.Series:
    """Words drawn by share; None is an empty cell."""
    return pl.Series(list(words), dtype=pl.String)[rng.choice(len(words), p=shares, size=size)]


def spread(rng: np.random.Generator, low: int, high: int, size: int) -> pl.Expr:
    """Spans of low to high-1 days, one for each row of the frame they are added in."""
    return pl.duration(days=pl.lit(pl.Series(rng.integers(low, high, size=size))))
