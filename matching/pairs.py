"""From the units of a night to weighed pairs. Enters: a `Night`. Leaves: the candidate pairs, compared and weighed, and the report of blocking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import polars.selectors as cs

from matching.blocking import block
from matching.comparisons import Units, compare
from matching.model import Model
from matching.night import Night
from matching.scoring import WEIGHED, weigh
from matching.sets import Flags

# what blocking says of a pair
PAIR = ("l", "r", "rule")


@dataclass(frozen=True)
class Paired:
    """The pairs of a night.

    Attributes:
        weighed: the pairs in their order, as `matching.scoring.weigh` gives them, not itemised. report: that of blocking. over: the units of blocks over the cap; null where nobody looked.
    """

    weighed: pl.DataFrame
    report: pl.DataFrame
    over: npt.NDArray[np.uint64] | None

    def shed(self, model: Model) -> Shed:
        """The pairs, itemised those alone that may come before a clerk: a large night has millions of others."""
        shown = self.weighed.filter(pl.col("match_probability") >= model.review).drop(WEIGHED)
        return Shed(self.weighed.drop(cs.ends_with("_frequency")), weigh(shown, model), self.report)


@dataclass(frozen=True)
class Shed:
    """The same: `weighed` without what weights went by, `shown`: the pairs from `review` up, itemised; and the report of blocking."""

    weighed: pl.DataFrame
    shown: pl.DataFrame
    report: pl.DataFrame


# a way from a night to its weighed pairs
Pairing = Callable[[Night, Model], Paired]


def pair_up(night: Night, model: Model) -> Paired:
    """The pairs of a night, worked out in this process."""
    blocked = block(night.units.values, night.trusted)
    return Paired(weighed_pairs(blocked.pairs, night.trusted, night.units, model), blocked.report, blocked.over)


def weighed_pairs(pairs: pl.DataFrame, trusted: Flags, units: Units, model: Model) -> pl.DataFrame:
    """Candidate pairs compared and weighed, not itemised."""
    return weigh(compared_pairs(pairs, trusted, units, model), model, itemised=False)


def compared_pairs(pairs: pl.DataFrame, trusted: Flags, units: Units, model: Model) -> pl.DataFrame:
    """Candidate pairs compared; `both_trusted`: both units have a number of their own."""
    pairs = pairs.with_columns(both_trusted=pl.Series(trusted[pairs["l"].to_numpy()] & trusted[pairs["r"].to_numpy()]))
    return compare(pairs, units, model)
