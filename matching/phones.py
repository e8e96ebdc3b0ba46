"""Phones. Enters: a cell with one or more numbers in any writing. Leaves: a sorted list of mobile and land-line numbers, placeholders dropped."""

from __future__ import annotations

import polars as pl

from schemas.gathering import gathered

# a land line: behind an area code of three digits stand eight, behind one of four seven or eight
_NUMBER = r"1[3-9]\d{9}|0(?:10|2\d)[2-9]\d{7}|0[3-9]\d{2}[2-9]\d{6,7}"
# behind a country code an area code has no zero before it: +86-23-65123456
_LAND_LINE_ABROAD = r"\+86(10[2-9]\d{7}|2\d[2-9]\d{7}|[3-9]\d{2}[2-9]\d{6,7})($|[^0-9])"
_PLAIN = r"^1[3-9][0-9]{9}$"
_SAME = [digit * 8 for digit in "0123456789"]
_PLACEHOLDERS = ["13800138000"]


def numbers(text: pl.Expr) -> pl.Expr:
    """The numbers of a cell, without country code and dashes; an empty list where none is usable, null where the cell is empty."""
    return text.map_batches(_numbers, return_dtype=pl.List(pl.String), is_elementwise=True)


def _numbers(cells: pl.Series) -> pl.Series:
    """A cell that is one mobile number as it is, any other worked out."""
    text = pl.col("text")
    numbered = cells.rename("text").to_frame().with_row_index("row")
    plain = numbered.select(text.str.contains(_PLAIN) & _is_real(text)).to_series()
    rest = numbered.filter(~plain).select("row", value=_found(text)).explode("value").drop_nulls()
    long = pl.concat([numbered.filter(plain).rename({"text": "value"}), rest]).sort("row", maintain_order=True)
    return numbered.select(pl.when(text.is_not_null()).then(gathered(long, numbered.height, pl.String))).to_series()


def _found(text: pl.Expr) -> pl.Expr:
    bare = text.str.normalize("NFKC").str.replace_all(r"[\s\-()]", "").str.replace_all(_LAND_LINE_ABROAD, "0${1}${2}")
    bare = bare.str.replace_all("+86", "", literal=True).str.replace_all("(^|[^0-9])0086", "${1}")
    return bare.str.extract_all(_NUMBER).list.eval(pl.element().filter(_is_real(pl.element()))).list.unique().list.sort()


def _is_real(number: pl.Expr) -> pl.Expr:
    return ~number.str.slice(3, 8).is_in(_SAME) & ~number.is_in(_PLACEHOLDERS)
