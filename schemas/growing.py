"""A Parquet file that is written part by part. Enters: frames of one schema. Leaves: one file; memory holds little more than one part. And one file under two names."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import polars as pl
import pyarrow.parquet as pq

# DuckDB keeps a table's rows in groups of so many: a file in groups of the same size goes into it as it lies
ROW_GROUP = 122_880
# rows by which is judged how a column is best written
_LOOKED_AT = 8192
# by whose ranges files are read in part; the least and the largest value of any other column would be looked for in vain
_RANGED = "person_id"


class GrowingParquet:
    """The file; the first frame, rows or none, gives the schema. A file to which nothing was written is not there."""

    def __init__(self, path: Path) -> None:
        """`path`: where the file goes; its folder is made."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._writer: pq.ParquetWriter | None = None
        self._held: list[pl.DataFrame] = []

    def __enter__(self) -> GrowingParquet:
        return self

    def write(self, frame: pl.DataFrame) -> None:
        """Adds a frame; what does not fill a group of rows waits for the next."""
        self._held.append(frame)
        rows = sum(held.height for held in self._held)
        if rows >= ROW_GROUP:
            whole = pl.concat(self._held)
            full = rows - rows % ROW_GROUP
            self._put(whole.head(full))
            self._held = [whole.slice(full)]

    def _put(self, frame: pl.DataFrame) -> None:
        rows = frame.to_arrow()
        if self._writer is None:
            ranged = [_RANGED] if _RANGED in frame.columns else False
            self._writer = pq.ParquetWriter(
                self._path, rows.schema, compression="lz4", use_dictionary=_repeating(frame), write_statistics=ranged
            )
        if frame.height:
            self._writer.write_table(rows.cast(self._writer.schema), row_group_size=ROW_GROUP)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if error is None and self._held and (self._writer is None or any(held.height for held in self._held)):
                self._put(pl.concat(self._held))
        finally:
            if self._writer is not None:
                self._writer.close()


def _repeating(frame: pl.DataFrame) -> list[str]:
    """The columns whose values come back, as far as some of the rows show: of the others a list of what is in them would be as long as they are."""
    some = frame.gather_every(max(1, frame.height // _LOOKED_AT))
    return [path for column in some for path, values in _leaves(column.name, column) if values.n_unique() * 2 <= len(values)]


def _leaves(path: str, values: pl.Series) -> Iterator[tuple[str, pl.Series]]:
    """What a column holds, lists and structs taken apart, by the names Parquet gives it."""
    if isinstance(values.dtype, pl.List):
        yield from _leaves(f"{path}.list.element", values.explode())
    elif isinstance(values.dtype, pl.Struct):
        for field in values.struct.fields:
            yield from _leaves(f"{path}.{field}", values.struct.field(field))
    else:
        yield path, values


def same_file(source: Path, target: Path) -> None:
    """The file under a second name; a copy where the disk has no second names. No station writes into a file that is there."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
