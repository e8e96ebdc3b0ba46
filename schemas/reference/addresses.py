"""The township that an address names. Enters: frames with a division and an address. Leaves: the division with its township filled in where the address has it."""

from __future__ import annotations

from functools import cache

import polars as pl

from schemas.reference import lists

_TO_DISTRICT = r"^(?:重庆市?)?(?:市辖区|县)?[\u4e00-\u9fff]{1,12}?(?:自治县|新区|开发区|高新区|经开区|区|县)"
_TOWNSHIP = r"^([\u4e00-\u9fff]{1,10}?(?:街道|镇|乡))"


@cache
def _known() -> pl.DataFrame:
    rows = [(district, name, now) for (district, name), now in sorted(lists.township_places().items())]
    return pl.DataFrame(rows, schema=["__district", "__township", "__now"], orient="row")


def fill_townships(frame: pl.DataFrame, stem: str, address: str) -> pl.DataFrame:
    """The frame with `<stem>_township` filled from the address where the division has none and the address names a township of that district.

    A code that a township decides (大湾镇 of former 渝北 lies in 北碚 since 2025-11-06) follows it.
    """
    code, township, written = f"{stem}_code", f"{stem}_township", f"{stem}_written"
    wanted = pl.col(township).is_null() & pl.col(code).is_not_null() & (pl.col(code) != lists.HIGH_TECH_ZONE) & pl.col(address).is_not_null()
    at = frame.select(wanted.arg_true()).to_series()
    behind = pl.col(address).str.replace(_TO_DISTRICT, "")
    named = pl.coalesce(behind.str.extract(_TOWNSHIP, 1), pl.col(address).str.extract(_TOWNSHIP, 1))
    looked = frame.select(code, township, written, address)[at].with_columns(named.alias("__township"))
    found = looked.join(_known(), left_on=[written, "__township"], right_on=["__district", "__township"], how="left", maintain_order="left")
    found = found.join(_known().rename({"__now": "__same"}), left_on=[code, "__township"], right_on=["__district", "__township"], how="left", maintain_order="left")
    now = pl.coalesce("__now", "__same")
    filled = found.select(
        pl.when(now.is_not_null()).then("__township").otherwise(township).alias(township),
        pl.coalesce(now, code).alias(code),
    )
    return frame.with_columns(frame.get_column(name).scatter(at, filled.get_column(name)) for name in filled.columns)
