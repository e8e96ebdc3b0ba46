"""What a pair weighs: levels go in, a weight for each comparison, the pair's match weight (bits) and its probability come out.

The pair's weight is log2 P(levels | match) - log2 P(levels | no match), the latter a mixture of strangers, siblings and twins (see
`matching.model`). The comparisons' own weights are against strangers; `family` is what siblings and twins take away, so the line adds up.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import polars as pl

from matching.model import Comparison, Model
from schemas.in_order import in_order

FAMILY = "family"
# what `weigh` adds to every pair
WEIGHED = ("match_weight", "match_probability", "pair_probability", "least_weight")
# pairs that are weighed at once
_SLICE = 200_000
Bits = npt.NDArray[np.float64]


def weigh(pairs: pl.DataFrame, model: Model, *, itemised: bool = True) -> pl.DataFrame:
    """The pairs with their weights.

    Args:
        pairs: a column for each comparison of the model (Int8, index of the level, null where it could not be compared), and `<comparison>_frequency`
            (Float64) where a level of it goes by frequency.
        itemised: with the weight of each comparison, which of a city's pairs are gigabytes.

    Returns:
        The pairs with, itemised, `w_<comparison>` (bits, 0 where null) and `w_family`; and WEIGHED: `match_weight`, `match_probability`; `pair_probability`: that of the
        two being one child with every sibling and twin counted, not only those who have no row of their own; and `least_weight` (bits): the weight
        against the class that explains the levels best, below 0 where they speak for two and not merely say little.
    """
    slices = [pairs.slice(at, _SLICE) for at in range(0, max(1, pairs.height), _SLICE)]
    return pl.concat(in_order(lambda some: _weighed(some, model, itemised), slices))


def _weighed(pairs: pl.DataFrame, model: Model, itemised: bool) -> pl.DataFrame:
    """The same of some pairs."""
    size = pairs.height
    against = {c: np.zeros(size) for c in ("match", "stranger", *model.classes)}
    weights: dict[str, Bits] = {}
    for comparison in model.comparisons:
        logs = _logs(pairs, comparison, tuple(against))
        for name, log in logs.items():
            against[name] = against[name] + log
        if itemised:
            weights[comparison.name] = logs["match"] - logs["stranger"]
    bits = math.log2(model.prior / (1 - model.prior))
    other = _others(against, model, bits, model.unseen)
    weight = against["match"] - other
    if itemised:
        weights[FAMILY] = against["stranger"] - other
    return pairs.with_columns(
        *(pl.Series(f"w_{name}", w) for name, w in weights.items()),
        pl.Series("match_weight", weight),
        pl.Series("match_probability", probability(weight + bits)),
        pl.Series("pair_probability", probability(against["match"] - _others(against, model, bits, 1.0) + bits)),
        pl.Series("least_weight", against["match"] - np.vstack([against[c] for c in ("stranger", *model.classes)]).max(axis=0)),
    )


def probability(odds: Bits) -> Bits:
    """The probability of odds in bits."""
    return 1 / (1 + np.exp2(np.clip(-odds, -1000, 1000)))


def _others(against: dict[str, Bits], model: Model, prior: float, seen: float) -> Bits:
    """log2 P(levels | no match): strangers, and that share of siblings and twins; `prior` in bits."""
    rivals = [against["stranger"]] + [against[c] + prior + math.log2(share * seen) for c, share in model.classes.items()]
    return np.asarray(np.logaddexp2.reduce(np.vstack(rivals), axis=0))


def _logs(pairs: pl.DataFrame, comparison: Comparison, classes: tuple[str, ...]) -> dict[str, Bits]:
    """log2 of each class's share of each pair's level; 0 where there was nothing to compare."""
    level = pairs[comparison.name].cast(pl.Int64).fill_null(len(comparison.levels)).to_numpy()
    logs = {}
    for name in classes:
        table = np.array([math.log2(each.shares.get(name, 1.0)) for each in comparison.levels] + [0.0])
        logs[name] = table[level]
    if any(each.by_frequency for each in comparison.levels):
        by_frequency = np.array([each.by_frequency for each in comparison.levels] + [False])[level]
        frequency = pairs[f"{comparison.name}_frequency"].fill_null(1.0).to_numpy()
        logs["stranger"] = np.where(by_frequency, np.log2(np.maximum(frequency, 1e-12)), logs["stranger"])
    return logs
