"""Many values of one row. Enters: long rows (which row, which value). Leaves: one list per row, without going through lists on the way."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl
import pyarrow as pa

_NO_ROWS = pl.DataFrame(schema={"row": pl.UInt32})


def gathered(long: pl.DataFrame, height: int, dtype: pl.DataType | type[pl.DataType]) -> pl.Series:
    """One list for each of the rows 0 to `height` - 1, empty where `long` has nothing for it.

    Args:
        long: row (UInt32, ascending) and value; values come in this order.
        dtype: of a value.
    """
    counts = np.bincount(long.get_column("row").to_numpy(), minlength=height)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    values = long.get_column("value").cast(dtype).to_arrow()
    return pl.Series(pa.LargeListArray.from_arrays(pa.array(offsets), values), dtype=pl.List(dtype))


def long_of(frame: pl.DataFrame, values: Iterable[tuple[pl.Expr, pl.Expr]]) -> pl.DataFrame:
    """row and value: of every row the values whose condition holds, in the order given.

    Args:
        values: (condition, value), expressions over the frame.
    """
    numbered = frame.lazy().with_row_index("row")
    parts = pl.collect_all([numbered.filter(condition).select("row", value=value) for condition, value in values])
    return pl.concat(parts).sort("row", maintain_order=True) if parts else _NO_ROWS.with_columns(value=pl.lit(None))
