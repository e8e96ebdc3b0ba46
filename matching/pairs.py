"""From the units of a night to weighed pairs. Enters: a `Night`. Leaves: the candidate pairs, compared and weighed, and the report of blocking."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from matching.blocking import block
from matching.comparisons import Units, compare
from matching.model import Model
from matching.night import Night
from matching.scoring import weigh
from matching.sets import Flags

# what blocking says of a pair
PAIR = ("l", "r", "rule")
# a way from a night to its weighed pairs, in the order of the pairs, and the report of blocking
Pairing = Callable[[Night, Model], tuple[pl.DataFrame, pl.DataFrame]]


def pair_up(night: Night, model: Model) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The weighed pairs of a night, worked out in this process, and the report of blocking."""
    pairs, report = block(night.units.values, night.trusted)
    return weighed_pairs(pairs, night.trusted, night.units, model), report


def weighed_pairs(pairs: pl.DataFrame, trusted: Flags, units: Units, model: Model) -> pl.DataFrame:
    """Candidate pairs compared and weighed; `both_trusted`: both units have a number of their own."""
    pairs = pairs.with_columns(both_trusted=pl.Series(trusted[pairs["l"].to_numpy()] & trusted[pairs["r"].to_numpy()]))
    return weigh(compare(pairs, units, model), model)
