"""The files of the inbox. Enters: text frames, feed by feed and part by part. Leaves: files in the formats departments send, and where each row went.

Files are opened once and appended to, so that a city is never held in memory; a workbook is kept until it is closed, and no feed of millions of rows is
sent as one. Equal rows give equal bytes: no clock time is written anywhere.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import IO, Any, Protocol

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from sample_data.sightings import EXPORTED
from schemas.exports.feeds import FEEDS

_WORKBOOK_FEEDS = ("disability", "assistance", "verification", "resource")
# what the districts' offices use, in turn
_SCHOOL_STYLES = ("gb18030", "utf-8-sig", "gzip", "parquet", "utf-16")
_SURVEY_STYLES = ("workbook", "utf-8-sig", "gb18030")
_STYLES = {
    ("household", ""): "gb18030", ("residence", ""): "utf-8-sig", ("health", ""): "parquet", ("medical_insurance", ""): "gzip",
    ("disease_control", "urban"): "utf-16", ("disease_control", "county"): "utf-8", ("education", "500106"): "gb18030",
}  # fmt: skip
_ENDINGS = {"workbook": "xlsx", "gzip": "csv.gz", "parquet": "parquet"}
_LARGE = 300_000  # children above which nobody can send a survey or the relief rolls as one workbook
_GZIP_LEVEL = 1  # the default takes four times as long for a file a quarter smaller
_SMALL = 2_000  # children below which the other districts send one file together
_OWN_FILE = ("500106", "500107", "500108", "500109", "500116", "500157")


@dataclass(frozen=True)
class Plan:
    """Which file a part of a feed goes into, and in which form (utf-8, utf-8-sig, gb18030, utf-16, gzip, parquet, workbook)."""

    feed: str
    name: str
    style: str


def plan(feed: str, part: str, as_of: date, children: int, exported: date | None = None) -> Plan:
    """The file of a part of a feed; `exported` where it is not the feed's usual day."""
    day = exported or as_of - timedelta(days=EXPORTED[feed])
    turn = int(part[-3:]) if part.isdigit() else 0
    if feed in _WORKBOOK_FEEDS:
        style = "gb18030" if feed == "assistance" and children > _LARGE else "workbook"
    elif feed == "survey":
        style = _SURVEY_STYLES[turn % 3]
        style = "utf-8" if style == "workbook" and children > _LARGE else style
    else:
        style = _STYLES.get((feed, part), _SCHOOL_STYLES[turn % 5] if feed == "education" else "utf-8")
    name = f"{feed}_{day:%Y%m%d}{'_' + part if part else ''}.{_ENDINGS.get(style, 'csv')}"
    return Plan(feed, name, style)


class _Writer(Protocol):
    def write(self, rows: pl.DataFrame, numbers: pl.Series) -> None: ...
    def close(self) -> None: ...


@dataclass
class Inbox:
    """The folder being written. `append` says under which row numbers the rows went."""

    folder: Path
    as_of: date
    children: int
    _writers: dict[str, _Writer] = field(default_factory=dict)
    _rows: dict[str, int] = field(default_factory=dict)

    def plan(self, feed: str, part: str) -> Plan:
        """The file of a part of a feed."""
        together = feed in ("education", "survey") and self.children < _SMALL and part not in _OWN_FILE
        return plan(feed, "others" if together else part, self.as_of, self.children)

    def append(self, to: Plan, rows: pl.DataFrame, numbers: pl.Series | None = None) -> int:
        """Append the rows (our names, text) to the file; returns the row number of the first. `numbers`: rows whose id is to be a number cell."""
        if to.name not in self._writers:
            path = self.folder / to.feed / to.name
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writers[to.name] = _open(path, to)
        first = self._rows.get(to.name, 0) + 1
        self._rows[to.name] = first + rows.height - 1
        none = pl.Series([False] * rows.height, dtype=pl.Boolean)
        self._writers[to.name].write(rows, none if numbers is None else numbers)
        return first

    def close(self) -> dict[str, int]:
        """Finish every file; the number of rows by file name."""
        for writer in self._writers.values():
            writer.close()
        return dict(sorted(self._rows.items()))


def headings(feed: str, style: str) -> list[tuple[str, str]]:
    """(our name, heading as written): in another order in the residence register, with blanks and line breaks in workbooks."""
    columns = [(c.name, c.heading) for c in FEEDS[feed].columns]
    if feed == "residence":
        columns = [*columns[:2], *reversed(columns[2:])]
    if style == "workbook":
        columns = [(name, {"姓名": " 姓名 ", "监护人身份号码": "监护人\n身份号码"}.get(heading, heading)) for name, heading in columns]
    return columns


def _open(path: Path, to: Plan) -> _Writer:
    match to.style:
        case "workbook":
            return _Workbook(path, to)
        case "parquet":
            return _Parquet(path, to)
        case _:
            return _Text(path, to)


class _Text:
    """A CSV in some encoding; with an extra column that the contract does not know where the file is GB18030."""

    def __init__(self, path: Path, to: Plan) -> None:
        self.encoding = {"gzip": "utf-8", "utf-16": "utf-16-le", "utf-8-sig": "utf-8"}.get(to.style, to.style)
        self.separator = "\t" if to.style == "utf-16" else ","
        self.ending = "\r\n" if to.style in ("gb18030", "utf-16") else "\n"
        self.columns = headings(to.feed, to.style)
        self.extra = to.style == "gb18030"
        self.raw = path.open("wb")
        self.out: IO[bytes] | gzip.GzipFile = gzip.GzipFile("", "wb", _GZIP_LEVEL, self.raw, mtime=0) if to.style == "gzip" else self.raw
        mark = {"utf-16": b"\xff\xfe", "utf-8-sig": b"\xef\xbb\xbf"}.get(to.style, b"")
        self.out.write(mark + (self.separator.join([h for _, h in self.columns] + ["备用"] * self.extra) + self.ending).encode(self.encoding))

    def write(self, rows: pl.DataFrame, numbers: pl.Series) -> None:
        columns = [pl.col(name) for name, _ in self.columns] + [pl.lit(None, pl.String).alias("备用")] * self.extra
        text = rows.select(columns).write_csv(separator=self.separator, include_header=False, line_terminator=self.ending)
        self.out.write(text.encode(self.encoding))

    def close(self) -> None:
        self.out.close()
        self.raw.close()


class _Parquet:
    """A Parquet file of text columns under the department's headings."""

    def __init__(self, path: Path, to: Plan) -> None:
        self.columns = headings(to.feed, to.style)
        self.schema = pa.schema([(heading, pa.string()) for _, heading in self.columns])
        self.out = pq.ParquetWriter(path, self.schema, compression="zstd")

    def write(self, rows: pl.DataFrame, numbers: pl.Series) -> None:
        named = rows.select(pl.col(name).alias(heading) for name, heading in self.columns)
        self.out.write_table(named.to_arrow().cast(self.schema))

    def close(self) -> None:
        self.out.close()


class _Workbook:
    """A workbook with a merged title, a line about the sender, the headings, the rows, a total row and a line for signatures."""

    def __init__(self, path: Path, to: Plan) -> None:
        self.columns = headings(to.feed, to.style)
        self.feed = FEEDS[to.feed]
        self.book = xlsxwriter.Workbook(str(path), {"constant_memory": False, "strings_to_numbers": False})
        self.book.set_properties({"created": datetime(2026, 11, 1, tzinfo=UTC).replace(tzinfo=None)})
        self.sheet: Any = self.book.add_worksheet("Sheet1")
        bold = self.book.add_format({"bold": True, "align": "center"})
        self.sheet.merge_range(0, 0, 0, len(self.columns) - 1, f"重庆市{self.feed.title}导出表", bold)
        self.sheet.merge_range(1, 0, 1, 4, f"导出单位：{self.feed.department}部门")
        self.sheet.write_row(2, 0, [heading for _, heading in self.columns], bold)
        self.at = 3

    def write(self, rows: pl.DataFrame, numbers: pl.Series) -> None:
        id_at = next((i for i, (name, _) in enumerate(self.columns) if name == "id_number"), -1)
        for cells, number in zip(rows.select(name for name, _ in self.columns).iter_rows(), numbers, strict=True):
            for column, cell in enumerate(cells):
                if number and column == id_at:
                    self.sheet.write_number(self.at, column, float(cell))
                elif cell is not None:
                    self.sheet.write_string(self.at, column, cell)
            self.at += 1

    def close(self) -> None:
        self.sheet.write_string(self.at, 0, "合计")
        self.sheet.write_number(self.at, 1, self.at - 3)
        self.sheet.write_string(self.at + 1, 0, "填表人：")
        self.book.close()
