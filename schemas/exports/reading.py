"""What every reader of a file leaves: the layout of its columns, and its rows as batches of text.

A batch has the columns of `rows_schema(width)`: `source_row` (1 = first row under the headings; blank and total rows count, so that a clerk
finds the row), `fault` (a reason code, or null), `beyond` (cells behind the last column, or the whole line where it could not be parted),
`rounded` (numbers of the key and id columns whose cell was a number that lost digits) and one text column per column of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import polars as pl

from schemas.exports.headings import Layout

# a double holds fifteen digits exactly, and Excel keeps no more
EXACT_DIGITS = 10**15


@dataclass
class Reading:
    """One opened file.

    Attributes:
        format: csv, csv.gz, xlsx or parquet.
        batches: the rows, in order; a reader may raise UnreadableFileError half way.
        encoding: of a text file; `separator`: comma or tab.
        warnings: what the department should know, in Chinese.
    """

    layout: Layout
    format: str
    batches: Iterator[pl.DataFrame]
    encoding: str | None = None
    separator: str | None = None
    warnings: list[str] = field(default_factory=list)


def cell(position: int) -> str:
    """The name of the text column at that position of the file."""
    return f"c{position}"


def rows_schema(width: int) -> dict[str, pl.DataType | type[pl.DataType]]:
    """The columns of a batch of a file with so many columns."""
    return {
        "source_row": pl.UInt32,
        "fault": pl.String,
        "beyond": pl.List(pl.String),
        "rounded": pl.List(pl.UInt16),
        **{cell(i): pl.String for i in range(width)},
    }


def as_text(value: object) -> str | None:
    """A typed cell as the text a person would have typed: no `.0`, no exponent, ISO dates, 是/否.

    Excel's day zero comes as a time of day; it means that there is no date.
    """
    match value:
        case None | "":
            return None
        case str():
            return value
        case bool():
            return "是" if value else "否"
        case int():
            return str(value)
        case float():
            return None if value != value else format(Decimal(repr(value)).normalize(), "f")
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
        case date():
            return value.isoformat()
        case time():
            return "1899-12-30" if value == time() else value.isoformat("seconds")
        case timedelta():
            return str(value)
        case _:
            return str(value)


def lost_digits(value: object) -> bool:
    """Whether a typed cell is a number too long for its digits to be trusted."""
    return isinstance(value, float) and not abs(value) < EXACT_DIGITS
