"""Tonight's pairs from last night's. Enters: a base, tonight's units and which of them changed. Leaves: all pairs, weighed; only those of changed units are looked for and compared.

What a pair weighs hangs on how frequent values are in the whole city, so all are weighed anew; what they have in common is not looked at again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from matching.again.units import Moved
from matching.blocking import block
from matching.comparisons import frequencies_of
from matching.model import Model
from matching.night import Night
from matching.pairs import Paired, compared_pairs
from matching.scoring import weigh
from matching.sets import Flags, Sets, Whole


@dataclass(frozen=True)
class Before:
    """What the base has of pairs: l, r, rule, both_trusted and the levels of all, the units of blocks over the cap, and the numbers that too many units held."""

    pairs: pl.DataFrame
    over: npt.NDArray[np.uint64]
    common: dict[str, Whole]


def pair_again(before: Before, night: Night, to: Moved, model: Model) -> Paired:
    """The weighed pairs of a night, and the report of blocking: pairs of all rules, and the blocks that were looked at."""
    touched = to.touched.copy()
    # a block over the cap loses pairs of units that did not change when another comes, and gets them back when it goes
    crowded = to.after[before.over]
    touched[crowded[crowded >= 0]] = True
    for attribute, numbers in night.units.common.items():
        touched[_holders(night.units.values[attribute], np.setxor1d(numbers, before.common[attribute]))] = True
    blocked = block(night.units.values, night.trusted, touched=touched)
    if not touched[blocked.over].all():
        touched[blocked.over] = True
        blocked = block(night.units.values, night.trusted, touched=touched)
    left = _left(before.pairs, to, touched)
    left = left.hstack(frequencies_of(left, night.units, model))
    found = compared_pairs(blocked.pairs, night.trusted, night.units, model)
    weighed = weigh(pl.concat([left.select(found.columns), found]).sort("l", "r"), model, itemised=False)
    new = np.bincount(weighed["rule"].to_numpy(), minlength=blocked.report.height)
    report = blocked.report.with_columns(pairs_new=pl.Series(new, dtype=pl.Int64))
    return Paired(weighed, report, blocked.over)


def _holders(sets: Sets, wanted: Whole) -> npt.NDArray[np.uint32]:
    """The units that have one of some values; most nights want none."""
    return sets.holders()[np.isin(sets.value, wanted)] if len(wanted) else np.zeros(0, dtype=np.uint32)


def _left(pairs: pl.DataFrame, to: Moved, touched: Flags) -> pl.DataFrame:
    """The base's pairs of units that are as they were, under tonight's numbers."""
    ends = [to.after[pairs[side].to_numpy()] for side in ("l", "r")]
    stays = (ends[0] >= 0) & (ends[1] >= 0)
    stays[stays] = ~(touched[ends[0][stays]] | touched[ends[1][stays]])
    sides = [pl.Series(side, end[stays], dtype=pl.UInt32) for side, end in zip(("l", "r"), ends, strict=True)]
    return pairs.filter(stays).with_columns(sides)
