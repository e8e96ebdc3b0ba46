"""How frequent a value is: the sets of units go in, smoothed frequencies of names, sounds, given names and birthdays come out, and the numbers that too many have.

Each frequency is (count + pseudo x base) / (units + pseudo): with few rows the model's base speaks, with many the rows do. A night of five rows
must not take every name for common. A number of one child or one family that many have is a teacher's, an office's, or what a form was filled in with where none was known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from matching.model import Model
from matching.sets import Sets, Whole, stored
from schemas.in_order import in_order

# how many units may hold one number: a family of five of whom no row has a number, the few rows of one child, its stays or quarters in one feed
MOST_HOLDERS = {"phone": 20, "certificate": 10, "document": 10, "feed_key": 40}


@dataclass(frozen=True)
class Shares:
    """Different values, ascending, and the share of each."""

    value: npt.NDArray[np.unsignedinteger]
    share: npt.NDArray[np.float64]

    @classmethod
    def smoothed(cls, sets: Sets, base: float, pseudo: float) -> Shares:
        """The shares of all units that have each value."""
        counted = pl.Series("value", sets.value).value_counts().sort("value")
        return cls(counted["value"].to_numpy(), (counted["count"].to_numpy() + pseudo * base) / (sets.count + pseudo))

    def of(self, values: npt.NDArray[np.unsignedinteger]) -> npt.NDArray[np.float64]:
        """The share of each of some values; NaN of one that nobody has."""
        out = np.full(len(values), np.nan)
        if len(self.value):
            at = np.minimum(np.searchsorted(self.value, values), len(self.value) - 1)
            known = self.value[at] == values
            out[known] = self.share[at[known]]
        return out


def frequencies(values: dict[str, Sets], names: pl.DataFrame, model: Model) -> dict[str, Shares]:
    """The frequencies the children's comparisons go by.

    Returns:
        The shares for `name`, `same_sound` and `other_surname` (by code of the name) and `birth` (by day). A name's share as a sound is that of the
        most frequent sound it may have.
    """
    base, pseudo = model.frequencies, model.frequencies["pseudo_count"]
    attributes = {"name": "name", "same_sound": "sound", "other_surname": "given", "birth": "birth"}
    shares = {kind: Shares.smoothed(values[attribute], base[kind], pseudo) for kind, attribute in attributes.items()}
    count = values["name"].count
    borne = names[shares["name"].value]
    sounds = borne.select("code", text="sounds").explode("text")
    return shares | {
        "same_sound": _of_names(sounds, shares["same_sound"], count),
        "other_surname": _of_names(borne.select("code", text="given"), shares["other_surname"], count),
    }


def common(values: dict[str, Sets]) -> dict[str, Whole]:
    """The phones, certificates, documents and record keys that too many units hold to tell of one child, by attribute, ascending."""
    return dict(zip(MOST_HOLDERS, in_order(lambda attribute: _held_by_many(values[attribute].value, MOST_HOLDERS[attribute]), MOST_HOLDERS), strict=True))


def _held_by_many(value: Whole, most: int) -> Whole:
    held = np.sort(value)
    # held by one more than the most: so many places on there is the same number
    return np.unique(held[most:][held[most:] == held[:-most]])


def _of_names(texts: pl.DataFrame, shares: Shares, count: int) -> Shares:
    """The shares of names, by code: that of the most frequent of each one's texts."""
    told = texts.select("code", share=pl.Series(shares.of(stored(texts["text"], count)), nan_to_null=True)).drop_nulls()
    best = told.group_by("code").agg(pl.col("share").max()).sort("code")
    return Shares(best["code"].to_numpy(), best["share"].to_numpy())
