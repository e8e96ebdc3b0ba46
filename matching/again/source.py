"""The night's RECORD rows, wherever they lie. Enters: lazy frames. Leaves: all rows part by part, what tells them apart, and those of some contents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from matching.coding import READ, reading

# rows that are read at once
_PART_ROWS = 2**19


@dataclass(frozen=True)
class Source:
    """RECORD in one or more frames, always in the same order."""

    frames: tuple[pl.LazyFrame, ...]

    @classmethod
    def of_files(cls, files: Iterable[Path]) -> Source:
        """RECORD in Parquet files."""
        return cls(tuple(pl.scan_parquet(file) for file in files))

    def parts(self, columns: Iterable[str] = READ) -> Iterator[pl.DataFrame]:
        """Some columns of all rows, part by part."""
        for frame in self.frames:
            rows = frame.select(columns)
            for first in range(0, rows.select(pl.len()).collect().item(), _PART_ROWS):
                yield rows.slice(first, _PART_ROWS).collect()

    def keys(self) -> pl.DataFrame:
        """record_hash, export_date and reading (`matching.coding.reading`) of each row."""
        return pl.concat([frame.select("record_hash", "export_date", reading=reading()).collect() for frame in self.frames])

    def of(self, hashes: pl.Series) -> Iterator[pl.DataFrame]:
        """The rows of some contents, as `matching.coding.READ` has them."""
        for frame in self.frames:
            yield frame.select(READ).filter(pl.col("record_hash").is_in(hashes.implode())).collect()
