"""How frequent a value is: long tables of units go in, smoothed frequencies of names, sounds, given names and birthdays come out.

Each frequency is (count + pseudo x base) / (units + pseudo): with few rows the model's base speaks, with many the rows do. A night of five rows
must not take every name for common.
"""

from __future__ import annotations

import polars as pl

from matching.model import Model


def smoothed(values: pl.DataFrame, count: int, base: float, pseudo: float) -> pl.DataFrame:
    """value, share of a long table unit, value; `count` is the number of units."""
    counted = values.group_by("value").agg(n=pl.col("unit").n_unique())
    return counted.select("value", share=(pl.col("n") + pseudo * base) / (count + pseudo))


def frequencies(values: dict[str, pl.DataFrame], names: pl.DataFrame, count: int, model: Model) -> dict[str, pl.DataFrame]:
    """The frequencies the children's comparisons go by.

    Returns:
        value, share for `name`, `same_sound` and `other_surname` (by code of the name) and `birth` (by day).
    """
    base, pseudo = model.frequencies, model.frequencies["pseudo_count"]
    held = values["name"].join(names.select(value="code", sounds="sounds", given="given"), on="value")
    sounds = held.explode("sounds").select("unit", "value", text="sounds")
    given = held.select("unit", "value", text="given")
    return {
        "name": smoothed(values["name"], count, base["name"], pseudo),
        "same_sound": _by_text(sounds, count, base["same_sound"], pseudo),
        "other_surname": _by_text(given, count, base["other_surname"], pseudo),
        "birth": smoothed(values["birth"], count, base["birth"], pseudo),
    }


def _by_text(held: pl.DataFrame, count: int, base: float, pseudo: float) -> pl.DataFrame:
    """value, share where a name's share is that of its most frequent text (sound, given name)."""
    shares = smoothed(held.select("unit", value="text"), count, base, pseudo)
    return held.select("value", "text").unique().join(shares, left_on="text", right_on="value").group_by("value").agg(pl.col("share").max())
