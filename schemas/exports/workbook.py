"""Reads `.xlsx`: finds the sheet and the heading row by their headings, and takes each cell by its type.

Enters: a path and the feed. Leaves: a `Reading`. An id that the workbook holds as a number comes back from any reader as eighteen plausible
digits of which the last three are invented, so the cell's type decides, never its text. The package is looked over before it is opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
import python_calamine

from schemas.exports.contract import Feed, Kind
from schemas.exports.faults import UnreadableFileError
from schemas.exports.headings import SEARCHED_ROWS, Layout, find_headings
from schemas.exports.package import counts_from_1904, look_over
from schemas.exports.reading import Reading, as_text, cell, lost_digits, rows_schema

BATCH_ROWS = 16_384
# how the warning begins of a sheet that looks like the one read and was not read
UNREAD_SHEET = "另有工作表"
# between the two beginnings; and which numbers count days: a year alone is smaller, a date written as 20150301 larger
_DAYS_TO_1904, _DAYS = 1462, (8_000, 60_000)


def read_workbook(path: Path, feed: Feed) -> Reading:
    """Opens a workbook.

    Raises:
        UnreadableFileError: as `look_over`, damage, or no sheet with the headings.
    """
    look_over(path)
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(path)
        pages = [s for s in workbook.sheets_metadata if s.typ == python_calamine.SheetTypeEnum.WorkSheet]
        found, others, alike = _find_sheet(workbook, pages, feed)
    except (python_calamine.CalamineError, OSError) as e:
        raise UnreadableFileError("工作簿已损坏，无法打开；请用表格软件重新另存为.xlsx") from e
    name, at, layout = found
    layout.require()
    sheet = workbook.get_sheet_by_name(name)
    merged = _merged_down(sheet, at + 1)
    rows = _as_seen(islice(sheet.iter_rows(), at + 1, None), at + 1, merged)
    if counts_from_1904(path):
        rows = _counted_from_1900(rows, [i for n, i in layout.positions.items() if feed.column(n).kind is Kind.DATE])
    width = len(layout.headings)
    exact = [i for n, i in layout.positions.items() if feed.column(n).is_number]
    batches = (_batch(rows, first, width, exact) for rows, first in _chunks(rows))
    warnings = [_said_of(n, name, is_alike=n in alike) for n in others]
    if merged:
        warnings.append(f"有{sum(map(len, merged.values()))}处上下合并的单元格，内容已填入合并的各行；请尽量不要合并数据单元格")
    return Reading(layout, "xlsx", batches, warnings=warnings)


def _said_of(other: str, name: str, *, is_alike: bool) -> str:
    """What the department should know of a sheet that was not read."""
    if is_alike:
        return f"{UNREAD_SHEET}“{other}”带有同样的表头和数据，未读取，数据只取自工作表“{name}”；请合并为一张，或分别另存为单独的文件报送"
    return f"工作表“{other}”未读取，数据取自工作表“{name}”"


def _find_sheet(workbook: Any, pages: Sequence[Any], feed: Feed) -> tuple[tuple[str, int, Layout], list[str], list[str]]:
    """The first sheet with all needed headings, one that is seen before a hidden one, one with rows before an empty form; where none has them the one that knows the most.

    With it the other sheets that hold anything, and all that have the headings and rows below.
    """
    best: tuple[str, int, Layout] | None = None
    highest = (False, False, False, -1)
    filled: list[str] = []
    alike: list[str] = []
    for name, is_seen in ((page.name, page.visible == python_calamine.SheetVisibleEnum.Visible) for page in pages):
        rows = [[as_text(v) or "" for v in row] for row in islice(workbook.get_sheet_by_name(name).iter_rows(), SEARCHED_ROWS)]
        if any(any(row) for row in rows):
            filled.append(name)
        at, layout = find_headings(feed, rows)
        needed = [layout.positions[c.name] for c in feed.columns if c.need and c.name in layout.positions]
        # a signature below an empty form fills one cell
        has_rows = not layout.missing and any(sum(row[i] != "" for i in needed) > 1 for row in rows[at + 1 :])
        if has_rows:
            alike.append(name)
        rank = (False, False, False, len(layout.positions)) if layout.missing else (True, is_seen, has_rows, 0)
        if rank > highest:
            best, highest = (name, at, layout), rank
    if best is None or not filled:
        raise UnreadableFileError("工作簿是空的，没有表头也没有数据；请重新导出")
    return best, [n for n in filled if n != best[0]], alike


def _merged_down(sheet: Any, first: int) -> dict[int, list[tuple[int, int]]]:
    """The cells that are merged with those below them, from row `first` on: by their row, their columns (as the rows give them) and the last row."""
    merged: dict[int, list[tuple[int, int]]] = {}
    for (top, column), (bottom, _) in sheet.merged_cell_ranges or ():
        if top >= first and bottom > top and column >= sheet.start[1]:
            merged.setdefault(top, []).append((column - sheet.start[1], bottom))
    return merged


def _as_seen(rows: Iterator[list[Any]], first: int, merged: dict[int, list[tuple[int, int]]]) -> Iterator[list[Any]]:
    """The rows from `first` on; what is merged downwards stands in each of its rows that holds anything else."""
    if not merged:
        yield from rows
        return
    running: dict[int, tuple[Any, int]] = {}
    for at, row in enumerate(rows, first):
        if any(value != "" for value in row):
            for column, (value, last) in running.items():
                row[column] = value if at <= last and row[column] == "" else row[column]
        running |= {column: (row[column], last) for column, last in merged.get(at, ()) if column < len(row)}
        yield row


def _counted_from_1900(rows: Iterator[list[Any]], dates: Sequence[int]) -> Iterator[list[Any]]:
    """The rows with the day numbers of their date columns as other workbooks have them."""
    for row in rows:
        for i in dates:
            if isinstance(row[i], float | int) and _DAYS[0] <= row[i] <= _DAYS[1]:
                row[i] += _DAYS_TO_1904
        yield row


def _chunks(rows: Iterator[list[Any]]) -> Iterator[tuple[list[list[Any]], int]]:
    """The rows in batches, each with the number of its first row."""
    first = 1
    while batch := list(islice(rows, BATCH_ROWS)):
        yield batch, first
        first += len(batch)


def _batch(rows: list[list[Any]], first: int, width: int, exact: Sequence[int]) -> pl.DataFrame:
    """Typed cells as text; `exact` are the columns in which a long number is no longer the number that was typed."""
    columns = list(zip(*rows, strict=True))
    texts = {cell(i): pl.Series(_texts(column), dtype=pl.String) for i, column in enumerate(columns)}
    rounded = [pl.Series([i if lost_digits(v) else None for v in columns[i]], dtype=pl.UInt16).alias(f"r{i}") for i in exact if i < len(columns)]
    frame = pl.DataFrame({**texts, **{s.name: s for s in rounded}})
    schema = rows_schema(width)
    return frame.select(
        pl.int_range(first, first + pl.len(), dtype=pl.UInt32).alias("source_row"),
        pl.lit(None, dtype=pl.String).alias("fault"),
        pl.lit([], dtype=pl.List(pl.String)).alias("beyond"),
        (pl.concat_list(s.name for s in rounded).list.drop_nulls() if rounded else pl.lit([], dtype=pl.List(pl.UInt16))).alias("rounded"),
        *(n for n in schema if n in texts),
    )


def _texts(column: Sequence[Any]) -> Sequence[str | None]:
    return column if set(map(type, column)) == {str} else [as_text(v) for v in column]
