"""Anybody's table: a CSV, TSV (gzipped or not) or Parquet file goes in; a frame of text columns (lists of text for list columns) comes out.

Encodings are UTF-8, UTF-16 with a mark, or GB 18030, found by strict decoding. A file that cannot be read says which row is at fault, never what is in it.
"""

from __future__ import annotations

import csv
import io
from datetime import time
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv

from matching.tables.spec_levels import LinkError
from schemas.exports.encoding import candidate_encodings, gzip_blocks, plain_blocks
from schemas.exports.faults import UnreadableFileError

_TEXT = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
# the most lines of a heading row: a quote never closed would make it the whole file
_HEADING_LINES = 100
# whole numbers up to here are told apart by a floating one
_EXACT = 2**53


def read_table(path: Path) -> pl.DataFrame:
    """The table of a file, headings and cells without blanks around them, empty cells as null.

    Raises:
        LinkError: no such file, another kind of file, damaged, without a heading row or rows, or a row with too many or too few cells.
    """
    if not path.is_file():
        raise LinkError(f"there is no file {path}")
    if path.suffix.lower() == ".parquet":
        frame = _parquet(path)
    elif path.name.lower().endswith(_TEXT):
        frame = _text(path)
    else:
        raise LinkError(f"{path.name}: must be a .parquet, .csv or .tsv file (the latter two may be .gz)")
    if not frame.height:
        raise LinkError(f"{path.name}: is empty: it has headings ({', '.join(frame.columns)}) and no row")
    cells = pl.col(pl.String).str.normalize("NFKC").str.strip_chars()
    frame = frame.with_columns(cells)
    return frame.with_columns(pl.when(pl.col(pl.String) != "").then(pl.col(pl.String)))


def _parquet(path: Path) -> pl.DataFrame:
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError):
        raise LinkError(f"{path.name}: is no Parquet file, or a damaged one; write it anew") from None
    columns = [text for column in frame.get_columns() if (text := _as_text(column)) is not None]
    return _headed(path.name, pl.DataFrame(columns), [c.name for c in columns])


def _as_text(column: pl.Series) -> pl.Series | None:
    """A column as the text a person would have typed (a whole number without .0, a day without an hour), of lists as lists of text; None where values have no text."""
    if isinstance(column.dtype, pl.Array):
        return _as_text(column.arr.to_list())
    if isinstance(column.dtype, pl.List):
        return None if column.dtype.inner.is_nested() or column.dtype.inner == pl.Binary else column.cast(pl.List(pl.String))
    value, dtype = pl.lit(column), column.dtype
    if dtype.is_nested() or dtype == pl.Object:
        return None
    if dtype == pl.Binary:
        return pl.Series(column.name, [None if octets is None else octets.decode(errors="replace") for octets in column], dtype=pl.String)
    if dtype.is_float():
        text = pl.when(value.is_finite() & (value == value.round()) & (value.abs() < _EXACT)).then(value.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(value.cast(pl.String))
    elif isinstance(dtype, pl.Datetime):
        text = pl.when(value.dt.time() == time()).then(value.dt.strftime("%Y-%m-%d")).otherwise(value.dt.strftime("%Y-%m-%d %H:%M:%S"))
    elif dtype == pl.Duration:
        text = value.dt.to_string("iso")
    else:
        text = value.cast(pl.String)
    return pl.select(text.alias(column.name)).to_series()


def _text(path: Path) -> pl.DataFrame:
    """The table of a text file; the separator is the one of tab, comma and semicolon that the heading row has most of."""
    text = _decoded(path)
    header, behind = _parted(text)
    if not header.strip():
        raise LinkError(f"{path.name}: is empty: it has no heading row")
    separator = max("\t,;", key=header.count)
    names = next(csv.reader(io.StringIO(header, newline=""), delimiter=separator))
    faults: list[tuple[int, int]] = []

    def note(row: Any) -> str:
        faults.append((row.number, row.actual_columns))
        return "skip"

    positions = [f"c{i}" for i in range(len(names))]
    try:
        table = pacsv.read_csv(
            pa.BufferReader(behind.encode()),
            read_options=pacsv.ReadOptions(use_threads=False, column_names=positions),
            parse_options=pacsv.ParseOptions(delimiter=separator, newlines_in_values=True, invalid_row_handler=note),
            convert_options=pacsv.ConvertOptions(column_types=dict.fromkeys(positions, pa.string()), strings_can_be_null=True, null_values=[""]),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" not in str(error):
            raise LinkError(f"{path.name}: cannot be parted into rows and cells; write it anew with quotes around cells that hold separators") from None
        table = pa.table({p: pa.array([], pa.string()) for p in positions})
    if faults:
        row, cells = faults[0]
        raise LinkError(f"{path.name}: row {row} under the headings has {cells} cells and the headings {len(names)} ({len(faults)} such rows); mend or leave out the row")
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return _headed(path.name, frame, names)


def _parted(text: str) -> tuple[str, str]:
    """The heading row, in which a quoted heading may hold line breaks, and what stands below it."""
    end = text.find("\n")
    for _ in range(_HEADING_LINES):
        if end < 0 or text.count('"', 0, end) % 2 == 0:
            break
        end = text.find("\n", end + 1)
    else:
        end = text.find("\n")
    return (text, "") if end < 0 else (text[:end], text[end + 1 :])


def _decoded(path: Path) -> str:
    """The text of a file, line ends as they are."""
    try:
        raw = b"".join(gzip_blocks(path) if path.suffix == ".gz" else plain_blocks(path))
        candidates = candidate_encodings(raw[: 2**18])
    except OSError as error:
        raise LinkError(f"{path.name}: cannot be read ({error.strerror})") from None
    except UnreadableFileError:
        raise LinkError(f"{path.name}: is no text file, or a damaged .gz; it must be UTF-8, UTF-16 with a byte order mark, or GB 18030") from None
    for encoding in candidates:
        try:
            return raw.decode(encoding).removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError:
            continue
    raise LinkError(f"{path.name}: has bytes that are neither {' nor '.join(candidates)}; save it as UTF-8")


def _headed(file: str, frame: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """The frame under its headings, blanks around them left out."""
    bare = [name.strip() for name in names]
    if twice := sorted({n for n in bare if bare.count(n) > 1}):
        raise LinkError(f"{file}: two columns are headed '{twice[0]}'; rename one of them")
    return frame.rename(dict(zip(frame.columns, bare, strict=True)))
