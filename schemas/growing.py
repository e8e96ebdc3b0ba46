"""A Parquet file that is written part by part. Enters: frames of one schema. Leaves: one file; memory holds one part. And one file under two names."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import TracebackType

import polars as pl
import pyarrow.parquet as pq


class GrowingParquet:
    """The file; the first frame, rows or none, gives the schema. A file to which nothing was written is not there."""

    def __init__(self, path: Path) -> None:
        """`path`: where the file goes; its folder is made."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> GrowingParquet:
        return self

    def write(self, frame: pl.DataFrame) -> None:
        """Adds a frame."""
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, frame.clear().to_arrow().schema, compression="zstd", compression_level=1)
        if frame.height:
            self._writer.write_table(frame.to_arrow().cast(self._writer.schema))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._writer is not None:
            self._writer.close()


def same_file(source: Path, target: Path) -> None:
    """The file under a second name; a copy where the disk has no second names. No station writes into a file that is there."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
