"""Which district a place lies in, on the day looked at. Enters: frames with a place in code, township and words. Leaves: `district`, `in_zone`, `in_city` beside it."""

from __future__ import annotations

from datetime import date

import polars as pl

from rules.law import Parameters
from schemas.filled import filled
from schemas.reference.days import district_on, is_city, name_of


def with_district(frame: pl.LazyFrame, as_of: date, p: Parameters) -> pl.LazyFrame:
    """The frame with the district in force on the day, whether it lies in the exempt zone (zone/districts), and whether in the city.

    Args:
        frame: has `code`, `township`, `written`; a province or prefecture outside the city counts as a district of its own. Null stays null.
    """
    district = district_on(as_of, pl.col("code"), pl.col("township"), pl.col("written"))
    return frame.with_columns(district.alias("district")).with_columns(
        pl.col("district").is_in(p["zone/districts"]).alias("in_zone"), is_city(pl.col("district")).alias("in_city")
    )


def with_place_named(frame: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """The frame with the district's Chinese name (and the township's) behind what `says` says."""
    codes = frame.get_column("district").drop_nulls().unique().sort()
    names = pl.col("district").replace_strict({code: name_of(code, as_of) for code in codes}, default=None, return_dtype=pl.String)
    place = pl.concat_str(names, "township", ignore_nulls=True)
    return frame.with_columns(pl.when(pl.col("district").is_null()).then("says").otherwise(filled("{}（{}）", "says", place)).alias("says"))
