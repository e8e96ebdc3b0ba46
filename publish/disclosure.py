"""What may be read by whom: numbers and names masked. Enters: columns of identity values. Leaves: the same, with stars for what must not be read."""

from __future__ import annotations

import polars as pl


def mask_id(number: pl.Expr, *, beside_birth_date: bool) -> pl.Expr:
    """A mainland id number as `500106********123X`; beside a birth date as `500106************`, for the date would complete the usual mask.

    Any other document's number becomes stars throughout; null stays null.
    """
    tail = pl.lit("*" * 12) if beside_birth_date else pl.concat_str(pl.lit("*" * 8), number.str.slice(14, 4))
    mainland = number.str.contains("^[0-9]{17}[0-9Xx]$")
    return pl.when(mainland).then(pl.concat_str(number.str.slice(0, 6), tail)).otherwise(_stars(number))


def mask_phone(phone: pl.Expr) -> pl.Expr:
    """A mobile number as `138****5678`; any other number as stars throughout; null stays null."""
    mobile = phone.str.contains("^1[0-9]{10}$")
    return pl.when(mobile).then(pl.concat_str(phone.str.slice(0, 3), pl.lit("****"), phone.str.slice(7, 4))).otherwise(_stars(phone))


def mask_name(name: pl.Expr) -> pl.Expr:
    """The first character and a star for each further one: `欧**`; a single character becomes a star; null stays null."""
    long = name.str.len_chars() > 1
    return pl.when(long).then(pl.concat_str(name.str.slice(0, 1), _stars(name.str.slice(1)))).otherwise(_stars(name))


def _stars(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all("[\\s\\S]", "*")
