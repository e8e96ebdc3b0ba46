"""Phones. Enters: a cell with one or more numbers in any writing. Leaves: a sorted list of mobile and land-line numbers, placeholders dropped."""

from __future__ import annotations

import polars as pl

_NUMBER = r"1[3-9]\d{9}|0\d{2,3}[2-9]\d{6,7}"
_SAME = [digit * 8 for digit in "0123456789"]
_PLACEHOLDERS = ["13800138000"]


def numbers(text: pl.Expr) -> pl.Expr:
    """The numbers of a cell, without country code and dashes; an empty list where none is usable, null where the cell is empty."""
    bare = text.str.normalize("NFKC").str.replace_all(r"[\s\-()]", "").str.replace_all(r"(?:\+|00)86", "")
    found = bare.str.extract_all(_NUMBER)
    real = pl.element().filter(~pl.element().str.slice(3, 8).is_in(_SAME) & ~pl.element().is_in(_PLACEHOLDERS))
    return found.list.eval(real).list.unique().list.sort()
