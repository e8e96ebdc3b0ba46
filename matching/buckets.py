"""Rows brought together that lie far apart. Enters: frames, and the bucket of each row. Leaves: the rows of one bucket at a time; memory holds a frame or a bucket."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl


class Buckets:
    """Rows by bucket, on the disk in a folder, or in memory where none is given."""

    def __init__(self, count: int, folder: Path | None) -> None:
        """`count`: how many buckets; `folder`: is made, and holds nothing else."""
        self._count = count
        self._folder = folder
        self._held: list[dict[int, pl.DataFrame | Path]] = [{} for _ in range(count)]
        self._nothing = pl.DataFrame()
        if folder is not None:
            folder.mkdir(mode=0o700)

    def add(self, frame: pl.DataFrame, bucket: npt.NDArray[np.unsignedinteger], number: int) -> None:
        """Adds the rows of a frame, each to its bucket; `number`: the frame's among all, which may come in any order and from any thread."""
        self._nothing = frame.clear()
        order = np.argsort(bucket, kind="stable")
        ends = np.searchsorted(bucket[order], np.arange(self._count + 1))
        ordered = frame[order]
        for each, held in enumerate(self._held):
            if ends[each] < ends[each + 1]:
                held[number] = self._kept(ordered[int(ends[each]) : int(ends[each + 1])], each, number)

    def _kept(self, rows: pl.DataFrame, bucket: int, number: int) -> pl.DataFrame | Path:
        if self._folder is None:
            return rows
        file = self._folder / f"{bucket:05d}-{number:05d}.arrow"
        rows.write_ipc(file, compression="lz4")
        return file

    def take(self, bucket: int) -> pl.DataFrame:
        """The rows of a bucket in the order of their frames' numbers, once."""
        found, self._held[bucket] = self._held[bucket], {}
        held = [found[number] for number in sorted(found)]
        frames = [pl.read_ipc(each) if isinstance(each, Path) else each for each in held]
        for each in held:
            if isinstance(each, Path):
                each.unlink()
        return pl.concat([self._nothing, *frames])
