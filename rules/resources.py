"""Places that offer help (关爱资源). Enters: the standardised optional input `resource`. Leaves: RESOURCE, each offer once, with the district as in force on the day."""

from __future__ import annotations

from datetime import date

import polars as pl

from rules.basis import begun
from rules.law import Parameters
from rules.places import with_district
from schemas.filled import filled
from schemas.tables.care import RESOURCE


def resources(standard: pl.LazyFrame, as_of: date, p: Parameters) -> pl.DataFrame:
    """The offers on a day.

    The same row twice is one offer. One number on rows that differ means one place with several offers: the second and
    further ones, in the order of their content, carry /2, /3 … behind it. Where the reach is not written it is the district.

    Args:
        standard: provenance, record_hash and the standardised columns of `resource`.

    Returns:
        RESOURCE in the order of its key.
    """
    once = standard.sort("record_key", "record_hash", "source_file", "source_row").unique("record_hash", keep="first", maintain_order=True)
    nth = pl.int_range(1, pl.len() + 1).over("record_key")
    placed = with_district(
        once.with_columns(
            pl.when(nth == 1).then("record_key").otherwise(filled("{}/{}", "record_key", nth)).alias("resource_id"),
            pl.col("place_code").alias("code"), pl.col("place_township").alias("township"), pl.col("place_written").alias("written"),
        ),
        as_of,
        p,
    )  # fmt: skip
    described = placed.with_columns(
        pl.col("offers").list.unique().list.sort(),
        pl.col("reach").fill_null("区县"),
        (begun(as_of, "open_from") & (pl.col("open_until").is_null() | (pl.col("open_until") >= as_of))).alias("is_open"),
    )
    return RESOURCE.conform(described.collect()).sort(RESOURCE.key)
