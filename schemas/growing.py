"""A Parquet file that is written part by part. Enters: frames of one schema. Leaves: one file; memory holds little more than one part. And one file under two names."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import TracebackType

import polars as pl
import pyarrow.parquet as pq

# DuckDB keeps a table's rows in groups of so many: a file in groups of the same size goes into it as it lies
ROW_GROUP = 122_880


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
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, frame.clear().to_arrow().schema, compression="zstd", compression_level=1)
        self._held.append(frame)
        rows = sum(held.height for held in self._held)
        if rows >= ROW_GROUP:
            whole = pl.concat(self._held)
            full = rows - rows % ROW_GROUP
            self._put(whole.head(full))
            self._held = [whole.slice(full)]

    def _put(self, frame: pl.DataFrame) -> None:
        assert self._writer is not None  # made with the first frame
        self._writer.write_table(frame.to_arrow().cast(self._writer.schema), row_group_size=ROW_GROUP)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._writer is None:
            return
        try:
            if error is None and any(held.height for held in self._held):
                self._put(pl.concat(self._held))
        finally:
            self._writer.close()


def same_file(source: Path, target: Path) -> None:
    """The file under a second name; a copy where the disk has no second names. No station writes into a file that is there."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
