"""Whether tables on disk lie in the order of their key. Enters: Parquet files. Leaves: yes or no, so that nothing is sorted that is sorted already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

_ROWS_AT_ONCE = 2_000_000


def ascends(files: Sequence[Path], key: Sequence[str], *, strictly: bool) -> bool:
    """Whether the rows of the files, one file after the other, ascend by the key, nulls last; strictly, so that none has the key of another."""
    last: pl.DataFrame | None = None
    for file in files:
        rows = pl.scan_parquet(file).select(key)
        for first in range(0, rows.select(pl.len()).collect().item(), _ROWS_AT_ONCE):
            part = rows.slice(first, _ROWS_AT_ONCE).collect()
            together = part if last is None else pl.concat([last, part])
            if not together.select(_follows(key, strictly).slice(1).all()).item():
                return False
            last = part.tail(1)
    return True


def _follows(key: Sequence[str], strictly: bool) -> pl.Expr:
    """Whether a row comes behind the one before it: by the first column, then by the next where that is equal."""
    follows = pl.lit(not strictly)
    for name in reversed(key):
        this, before = pl.col(name), pl.col(name).shift(1)
        greater = (before < this).fill_null(False) | (this.is_null() & before.is_not_null())
        follows = greater | (before.eq_missing(this) & follows)
    return follows
