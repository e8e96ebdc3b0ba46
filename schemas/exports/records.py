"""Lines of a CSV to records: joins what a quoted line break parted, and says which lines can't be parted into the file's columns.

Enters: blocks of lines. Leaves: batches (see reading.py). A block in which every line has a cell for every column is parted as it is (plain.py). In any
other a line whose quotes close on it is a record by itself. One whose quotes don't is joined with the lines after it until a record of the right width
closes; where none does, the line alone is at fault and the next begins anew, so that one stray quote never swallows the rows behind it (RFC 4180 has
no such way back, and real exports have such quotes).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from schemas.exports.encoding import UNDECODABLE
from schemas.exports.plain import LINE_BREAK, part_plain
from schemas.exports.reading import cell, rows_schema

# a cell of more lines than this is a quote that was never closed
LONGEST_RECORD = 200
# cells behind the last column that are kept one by one
MOST_BEYOND = 64


@dataclass(frozen=True)
class _Resolved:
    """What became of the lines whose quotes don't close: records by line, lines taken up by an earlier one, lines at fault."""

    records: dict[int, list[str]]
    joined: set[int]
    broken: set[int]
    open_from: int  # the line from which the next batch must go on


def part_lines(blocks: Iterator[tuple[bytes, bool]], *, skip: int, width: int, least: int, separator: str) -> Iterator[pl.DataFrame]:
    """The records under the headings.

    Args:
        blocks: whole lines in UTF-8, each line with its end, and whether it is the last block.
        skip: the number of lines up to and with the headings.
        width: the number of columns; `least` of them must be there.
    """
    rows = 0
    waiting = pl.Series(dtype=pl.String)
    for block, is_last in blocks:
        text, skip = _below(block, skip)
        batch = part_plain(text, width, separator) if waiting.is_empty() else None
        if batch is None:
            series = pl.concat([waiting, _lines(text.decode())])
            frame = _classify(series, separator)
            resolved = _resolve(frame, separator, least, width, is_last)
            waiting = series.slice(resolved.open_from)
            batch = _part(_records(frame.head(resolved.open_from), resolved, separator), width, least, separator)
        if batch.height:
            yield batch.with_columns(source_row=pl.int_range(rows + 1, rows + 1 + pl.len(), dtype=pl.UInt32)).select(
                rows_schema(width).keys()
            )
        rows += batch.height


def _below(text: bytes, skip: int) -> tuple[bytes, int]:
    """The text without its first lines, and how many of the next block are still to be left out."""
    start = 0
    while skip and start < len(text):
        start = text.index(b"\n", start) + 1
        skip -= 1
    return text[start:], skip


def _lines(text: str) -> pl.Series:
    return pl.Series([text[:-1]]).str.split("\n").explode() if text else pl.Series(dtype=pl.String)


def _classify(lines: pl.Series, separator: str) -> pl.DataFrame:
    """Each line with the number of its cells, and whether its quotes don't close on it (`is_open`)."""
    line = pl.col("line")
    cell_ = rf'(?:"(?:[^"]|"")*"|[^"{separator}]*)'
    quoted = line.str.contains('"', literal=True)
    bare = pl.when(quoted).then(line.str.replace_all(r'"[^"]*"', "")).otherwise(line)
    return (
        lines.alias("line")
        .to_frame()
        .with_row_index("at")
        .with_columns(
            is_open=pl.when(quoted).then(~line.str.contains(rf"^{cell_}(?:{separator}{cell_})*$")).otherwise(False),
            cells=bare.str.count_matches(separator, literal=True) + 1,
        )
    )


def _resolve(frame: pl.DataFrame, separator: str, least: int, width: int, is_last: bool) -> _Resolved:
    """Goes through the lines with a quote left over, in order."""
    records: dict[int, list[str]] = {}
    joined: set[int] = set()
    broken: set[int] = set()
    lines = frame.get_column("line")
    for at in frame.filter("is_open").get_column("at"):
        if at in joined:
            continue
        cells, last = _join(lines, at, separator, least, width)
        if cells is not None:
            records[at] = cells
            joined.update(range(at + 1, last + 1))
        elif last >= len(lines) and not is_last:
            return _Resolved(records, joined, broken, at)
        else:
            broken.add(at)
    return _Resolved(records, joined, broken, len(lines))


def _join(lines: pl.Series, at: int, separator: str, least: int, width: int) -> tuple[list[str] | None, int]:
    """The cells of the record that begins at a line, and its last line; None where there is none (the line then is how far was looked)."""
    text = lines[at]
    for last in range(at, min(at + LONGEST_RECORD, len(lines))):
        if last > at:
            text = f"{text}\n{lines[last]}"
            if '"' not in lines[last]:
                continue
        try:
            cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
        except csv.Error as e:
            if "unexpected end" in str(e):
                continue
            return None, last
        if last == at or least <= len(cells) <= width:
            return cells, last
        return None, last
    return None, at + LONGEST_RECORD


def _written(cells: list[str], separator: str) -> str:
    """The cells as one line that polars parts without fail."""
    line = io.StringIO()
    csv.writer(line, delimiter=separator, lineterminator="").writerow(cells)
    return line.getvalue().replace("\n", LINE_BREAK)


def _records(frame: pl.DataFrame, resolved: _Resolved, separator: str) -> pl.DataFrame:
    """One row per record: `line`, the number of its `cells`, and `is_broken`."""
    if resolved.records:
        new = pl.DataFrame(
            [(at, _written(cells, separator), len(cells)) for at, cells in resolved.records.items()],
            schema={"at": pl.UInt32, "new": pl.String, "new_cells": pl.UInt32},
            orient="row",
        )
        frame = frame.join(new, on="at", how="left", maintain_order="left").with_columns(
            line=pl.coalesce("new", "line"), cells=pl.coalesce("new_cells", "cells")
        )
    if resolved.joined:
        frame = frame.filter(~pl.col("at").is_in(list(resolved.joined)))
    is_broken = pl.col("at").is_in(list(resolved.broken)) if resolved.broken else pl.lit(False)
    return frame.select("line", "cells", is_broken=is_broken)


def _part(records: pl.DataFrame, width: int, least: int, separator: str) -> pl.DataFrame:
    """The records parted into cells, with their faults. Separators behind the last column with nothing between them are no fault."""
    line = pl.col("line")
    lost = pl.col("is_broken") | (pl.col("cells") > width + MOST_BEYOND)
    if records.select((pl.col("cells") > width).any()).item():
        behind = line.str.extract(rf"((?:{separator}[ \u3000]*)+)$").str.count_matches(separator, literal=True).fill_null(0)
        excess = pl.min_horizontal(behind.cast(pl.Int64), pl.max_horizontal(pl.col("cells").cast(pl.Int64) - width, 0))
        records = records.with_columns(
            line=pl.when(excess > 0).then(line.str.replace(rf"(?:{separator}[ \u3000]*)+$", "")).otherwise(line), cells=pl.col("cells") - excess
        )
    records = records.with_columns(whole=pl.when(lost).then(line), line=pl.when(lost).then(pl.lit("")).otherwise(line))
    widest = max(width, records.filter(~lost).select(pl.col("cells").max()).item() or 0) if records.height else width
    undecodable = pl.any_horizontal(pl.col(n).str.contains(UNDECODABLE, literal=True) for n in ("line", "whole"))
    fault = (
        pl.when(undecodable)
        .then(pl.lit("undecodable_bytes"))
        .when(lost)
        .then(pl.when("is_broken").then(pl.lit("broken_quotes")).otherwise(pl.lit("ragged_row")))
        .when((pl.col("cells") > width) | (pl.col("cells") < least))
        .then(pl.lit("ragged_row"))
    )
    beyond = pl.concat_list("whole", *(cell(i) for i in range(width, widest))).list.drop_nulls()
    frame = pl.concat([records.select("whole", fault=fault), _cells(records.get_column("line"), widest, separator)], how="horizontal")
    frame = frame.with_columns(beyond=beyond, rounded=pl.lit([], dtype=pl.List(pl.UInt16))).drop(
        "whole", *(cell(i) for i in range(width, widest))
    )
    if frame.get_column("fault").null_count() < frame.height:
        frame = frame.with_columns(
            pl.col(pl.String).str.replace_all(UNDECODABLE, "\ufffd", literal=True),
            beyond=pl.col("beyond").list.eval(pl.element().str.replace_all(UNDECODABLE, "\ufffd", literal=True)),
        )
    return frame


def _cells(lines: pl.Series, width: int, separator: str) -> pl.DataFrame:
    """Well-formed lines as text columns; a short line ends in nulls."""
    schema = {cell(i): pl.String for i in range(width)}
    if lines.is_empty():
        return pl.DataFrame(schema=schema)
    body = (lines.str.join("\n").item() + "\n").encode()
    frame = pl.read_csv(body, has_header=False, schema=schema, separator=separator, eol_char="\n", missing_columns="insert", glob=False)
    if frame.height != len(lines):
        raise AssertionError(f"{len(lines)} lines were parted into {frame.height} rows")
    if lines.str.contains(LINE_BREAK, literal=True).any():
        frame = frame.with_columns(pl.all().str.replace_all(LINE_BREAK, "\n", literal=True))
    return frame
