"""A desk with an inbox, a store and a work folder, to hand in exports of any format and see what becomes of them."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import openpyxl
import polars as pl

from schemas.exports.contract import Kind
from schemas.exports.feeds import FEEDS
from schemas.exports.intake import take_in

AS_OF = date(2026, 11, 24)
SAMPLE = {Kind.DATE: "2015-03-01", Kind.DIVISION: "500106", Kind.NAME: "测甲", Kind.ID: "500106201503011237", Kind.KEY: "K1"}
KEYS = {
    "education": "G500106201503011237",
    "health": "50010600100100001",
    "disease_control": "500106001020150001",
    "disability": "50010620150301123711",
    "household": "500106201503011237",
}


def valid_row(feed: str, **columns: str) -> dict[str, str]:
    """One row by the contract's headings, whole; `columns` by our names."""
    row = {c.name: (c.codes[0] if c.codes else SAMPLE.get(c.kind, "某")) for c in FEEDS[feed].columns if c.need}
    if feed in KEYS:
        row[FEEDS[feed].key_columns[0]] = KEYS[feed]
    row |= columns
    return {c.heading: row[c.name] for c in FEEDS[feed].columns if c.name in row}


def headings(feed: str) -> list[str]:
    return [c.heading for c in FEEDS[feed].columns]


def grid(feed: str, rows: Sequence[Mapping[str, str]]) -> list[list[str]]:
    """Headings and rows as cells, every column of the contract there."""
    return [headings(feed), *([row.get(h, "") for h in headings(feed)] for row in rows)]


def csv_text(cells: Sequence[Sequence[str]], separator: str = ",", line_end: str = "\r\n") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator=line_end).writerows(cells)
    return out.getvalue()


def workbook_bytes(cells: Sequence[Sequence[object]], sheet: str = "数据", before: Mapping[str, Sequence[Sequence[object]]] | None = None) -> bytes:
    """An .xlsx; `before` are other sheets in front of it."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in {**(before or {}), sheet: cells}.items():
        page = book.create_sheet(name)
        for row in rows:
            page.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def parquet_bytes(cells: Sequence[Sequence[str]]) -> bytes:
    out = io.BytesIO()
    columns = list(zip(*cells[1:], strict=True)) or [()] * len(cells[0])
    pl.DataFrame({h: pl.Series(list(c), dtype=pl.String) for h, c in zip(cells[0], columns, strict=True)}).write_parquet(out)
    return out.getvalue()


def as_file(cells: Sequence[Sequence[str]], format_: str, encoding: str = "utf-8") -> bytes:
    """The cells as a file of a format."""
    match format_:
        case "csv":
            return csv_text(cells).encode(encoding)
        case "tsv":
            return csv_text(cells, "\t").encode(encoding)
        case "csv.gz":
            return gzip.compress(csv_text(cells).encode(encoding))
        case "xlsx":
            return workbook_bytes(cells)
        case _:
            return parquet_bytes(cells)


@dataclass(frozen=True)
class Taken:
    """What one run of intake left."""

    accepted: pl.DataFrame
    quarantine: pl.DataFrame
    receipts: pl.DataFrame

    def receipt(self, name: str) -> dict[str, object]:
        """The one receipt of a file."""
        (row,) = self.receipts.filter(source_file=name).to_dicts()
        return row

    def state(self, name: str) -> object:
        return self.receipt(name)["state"]

    def reasons(self) -> dict[int, list[str]]:
        """Reasons by row number."""
        return dict(self.quarantine.select("source_row", "reasons").iter_rows())


@dataclass(frozen=True)
class Desk:
    """An inbox, a store and a work folder."""

    folder: Path

    @property
    def inbox(self) -> Path:
        return self.folder / "inbox"

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def put(self, feed: str, name: str, content: bytes, below: str = "") -> Path:
        path = self.inbox / feed / below / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def put_rows(self, feed: str, name: str, rows: Sequence[Mapping[str, str]], encoding: str = "utf-8") -> Path:
        format_ = next(f for f in ("csv.gz", "csv", "xlsx", "parquet") if name.lower().endswith(f))
        return self.put(feed, name, as_file(grid(feed, rows), format_, encoding))

    def take(self, feed: str, as_of: date = AS_OF) -> Taken:
        """Runs intake, and holds it to its promise: per file and in all, no row is lost."""
        work = self.folder / "work"
        take_in(feed, self.inbox, self.store, work, as_of)
        taken = Taken(*(pl.read_parquet(work / kind / f"{feed}.parquet") for kind in ("accepted", "quarantine", "receipt")))
        seen = taken.receipts
        assert (seen["rows_in"] == seen["rows_accepted"] + seen["rows_quarantined"]).all()
        assert taken.accepted.height == seen["rows_accepted"].sum() - seen["rows_replaced"].sum()
        assert taken.quarantine.height == seen["rows_quarantined"].sum()
        return taken
