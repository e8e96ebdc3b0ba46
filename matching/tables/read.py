"""Anybody's table: a CSV, TSV (gzipped or not) or Parquet file goes in; a frame of text columns (lists of text for list columns) comes out.

Encodings are UTF-8, UTF-16 with a mark, or GB 18030, found by strict decoding. A file that cannot be read says which row is at fault, never what is in it.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv

from matching.tables.spec_levels import LinkError
from schemas.exports.encoding import candidate_encodings, gzip_blocks, plain_blocks
from schemas.exports.faults import UnreadableFileError

_TEXT = (".csv", ".tsv", ".csv.gz", ".tsv.gz")


def read_table(path: Path) -> pl.DataFrame:
    """The table of a file, headings and cells without blanks around them, empty cells as null.

    Raises:
        LinkError: no such file, another kind of file, damaged, without a heading row or rows, or a row with too many or too few cells.
    """
    if not path.is_file():
        raise LinkError(f"there is no file {path}")
    if path.suffix == ".parquet":
        frame = _parquet(path)
    elif path.name.endswith(_TEXT):
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
    plain = [pl.col(n).cast(pl.List(pl.String)) if isinstance(t, pl.List) else pl.col(n).cast(pl.String) for n, t in frame.schema.items() if not isinstance(t, pl.Struct)]
    return _headed(path.name, frame.select(plain), [c for c, t in frame.schema.items() if not isinstance(t, pl.Struct)])


def _text(path: Path) -> pl.DataFrame:
    """The table of a text file; the separator is the one of tab, comma and semicolon that the heading row has most of."""
    text = _decoded(path)
    header, _, _ = text.partition("\n")
    if not header.strip():
        raise LinkError(f"{path.name}: is empty: it has no heading row")
    separator = max("\t,;", key=header.count)
    names = next(csv.reader(io.StringIO(header), delimiter=separator))
    faults: list[tuple[int, int]] = []

    def note(row: Any) -> str:
        faults.append((row.number, row.actual_columns))
        return "skip"

    positions = [f"c{i}" for i in range(len(names))]
    try:
        table = pacsv.read_csv(
            pa.BufferReader(text.encode()),
            read_options=pacsv.ReadOptions(use_threads=False, column_names=positions, skip_rows=1),
            parse_options=pacsv.ParseOptions(delimiter=separator, newlines_in_values=True, invalid_row_handler=note),
            convert_options=pacsv.ConvertOptions(column_types=dict.fromkeys(positions, pa.string()), strings_can_be_null=True, null_values=[""]),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" not in str(error):
            raise LinkError(f"{path.name}: cannot be parted into rows and cells; write it anew with quotes around cells that hold separators") from None
        table = pa.table({p: pa.array([], pa.string()) for p in positions})
    if faults:
        row, cells = faults[0]
        raise LinkError(f"{path.name}: row {row - 1} under the headings has {cells} cells and the headings {len(names)} ({len(faults)} such rows); mend or leave out the row")
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return _headed(path.name, frame, names)


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
