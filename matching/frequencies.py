"""How frequent a value is: long tables of units go in, smoothed frequencies of names, sounds, given names and birthdays come out.

Each frequency is (count + pseudo x base) / (units + pseudo): with few rows the model's base speaks, with many the rows do. A night of five rows
must not take every name for common.
"""

from __future__ import annotations

import polars as pl

from matching.model import Model


def smoothed(values: pl.DataFrame, count: int, base: float, pseudo: float) -> pl.DataFrame:
    """value, share of a long table unit, value (repeats count once); `count` is the number of units."""
    counted = values.select("unit", "value").unique().group_by("value").agg(n=pl.len())
    return counted.select("value", share=(pl.col("n") + pseudo * base) / (count + pseudo))


def frequencies(values: dict[str, pl.DataFrame], names: pl.DataFrame, count: int, model: Model) -> dict[str, pl.DataFrame]:
    """The frequencies the children's comparisons go by.

    Returns:
        value, share for `name`, `same_sound` and `other_surname` (by code of the name) and `birth` (by day). A name's share as a sound is that of the
        most frequent sound it may have.
    """
    base, pseudo = model.frequencies, model.frequencies["pseudo_count"]
    shares = {kind: smoothed(values[attribute], count, base[kind], pseudo) for attribute, kind in (("name", "name"), ("sound", "same_sound"), ("given", "other_surname"), ("birth", "birth"))}
    borne = names.join(values["name"].select(code="value").unique(), on="code", how="semi")
    sounds = borne.select("code", text="sounds").explode("text")
    return shares | {
        "same_sound": _of_names(sounds, shares["same_sound"]),
        "other_surname": _of_names(borne.select("code", text="given"), shares["other_surname"]),
    }


def _of_names(texts: pl.DataFrame, shares: pl.DataFrame) -> pl.DataFrame:
    """value (code of a name), share: that of the most frequent of its texts."""
    hashed = texts.select("code", text=pl.col("text").hash())
    return hashed.join(shares, left_on="text", right_on="value").group_by("code").agg(pl.col("share").max()).rename({"code": "value"})
