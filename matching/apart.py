"""Which compared pairs never meet in one cluster, whatever third row would bring them together. Enters: weighed pairs of the children. Leaves: why, as a cause of `matching.clustering.CAUSES`."""

from __future__ import annotations

import polars as pl

from matching.model import Model

# bits that speak for two and not merely come of a name that cannot be read, or of one that lost a character
SPEAKS = -2.0


def cause(model: Model) -> pl.Expr:
    """The cause of each weighed pair that contradicts itself, null of any other.

    Two of one family who are likelier two than one are twins, or contradict each other. Two who name another father or mother are one only where they link by
    themselves: a row that names nobody, of a common name and the same day, would join strangers.
    """
    born = pl.col("birth_date") == model.comparison("birth_date").position("same")
    of_family = (pl.col("pair_probability") < model.apart) & (pl.col("least_weight") < SPEAKS)
    parents = (pl.col("relatives") == model.comparison("relatives").position("other_parent")) & (pl.col("pair_probability") < model.link)
    return (
        pl.when("both_trusted").then(None)
        .when(of_family & born).then(pl.lit("twins"))
        .when(of_family).then(pl.lit("contradiction"))
        .when(parents).then(pl.lit("parents"))
    )  # fmt: skip
