"""In which order tables on disk lie. Enters: Parquet files. Leaves: how their rows lie by the key, so that nothing is sorted that is sorted already."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path

import polars as pl

_ROWS_AT_ONCE = 2_000_000


class Order(IntEnum):
    """How rows lie, one after the other: anyhow; ascending by the key, nulls last; so that none has the key of another."""

    NONE = 0
    ASCENDING = 1
    STRICT = 2


def order_of(files: Sequence[Path], key: Sequence[str]) -> Order:
    """How the rows of the files lie, one file after the other."""
    last: pl.DataFrame | None = None
    found = Order.STRICT
    for file in files:
        rows = pl.scan_parquet(file).select(key)
        for first in range(0, rows.select(pl.len()).collect().item(), _ROWS_AT_ONCE):
            part = rows.slice(first, _ROWS_AT_ONCE).collect()
            together = part if last is None else pl.concat([last, part])
            found = min(found, _order(together, key))
            if found is Order.NONE:
                return found
            last = part.tail(1)
    return found


def _order(rows: pl.DataFrame, key: Sequence[str]) -> Order:
    if rows.select(_follows(key, strictly=True).slice(1).all()).item():
        return Order.STRICT
    return Order.ASCENDING if rows.select(_follows(key, strictly=False).slice(1).all()).item() else Order.NONE


def _follows(key: Sequence[str], *, strictly: bool) -> pl.Expr:
    """Whether a row comes behind the one before it: by the first column, then by the next where that is equal."""
    follows = pl.lit(not strictly)
    for name in reversed(key):
        this, before = pl.col(name), pl.col(name).shift(1)
        greater = (before < this).fill_null(False) | (this.is_null() & before.is_not_null())
        follows = greater | (before.eq_missing(this) & follows)
    return follows
