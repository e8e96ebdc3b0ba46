"""How often the rule's answer is right. Enters: a register's assessments and the truth of a made-up city. Leaves: the share right, and each error with its cause."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

_ROW = ["feed", "source_file", "source_row"]


@dataclass(frozen=True)
class OutcomeResult:
    """The answers compared.

    Attributes:
        children: truth children with at least one accepted row.
        outcome_right, reason_right: how many got the true outcome, the true reason.
        confusion: columns truth_reason, reason, cause, children.
        errors: one row per child with a wrong outcome or reason: person (truth), person_id, truth_outcome, outcome, truth_reason, reason, cause.
    """

    children: int
    outcome_right: int
    reason_right: int
    confusion: pl.DataFrame
    errors: pl.DataFrame

    @property
    def accuracy(self) -> float:
        """Share of children with the true outcome; 1.0 where there are none."""
        return self.outcome_right / self.children if self.children else 1.0


def compare(assessment: pl.DataFrame, person_record: pl.DataFrame, truth_records: pl.DataFrame, truth_children: pl.DataFrame) -> OutcomeResult:
    """Compare each truth child with the person that holds most of its rows (ties: the smaller person_id).

    Args:
        assessment, person_record: as in the register.
        truth_records: feed, source_file, source_row, person, damage (list).
        truth_children: person, outcome, reason.
    """
    rows = truth_records.select(*_ROW, "person", "damage").join(person_record.select(*_ROW, "person_id"), on=_ROW, how="inner")
    held = rows.group_by("person", "person_id").agg(pl.len().alias("held")).sort("person", "held", "person_id", descending=[False, True, False])
    best = held.group_by("person", maintain_order=True).agg(pl.first("person_id"), pl.len().alias("parts"))
    mixed = rows.group_by("person_id").agg(pl.col("person").n_unique().alias("children_in_it"))
    damage = rows.explode("damage", empty_as_null=True).group_by("person").agg(pl.col("damage").drop_nulls().unique().sort().alias("damage"))
    joined = (
        truth_children.select("person", pl.col("outcome").alias("truth_outcome"), pl.col("reason").alias("truth_reason"))
        .join(best, on="person")
        .join(mixed, on="person_id")
        .join(damage, on="person")
        .join(assessment.select("person_id", "outcome", "reason"), on="person_id")
        .with_columns(_cause().alias("cause"))
        .sort("person")
    )
    wrong = joined.filter((pl.col("outcome") != pl.col("truth_outcome")) | (pl.col("reason") != pl.col("truth_reason")))
    return OutcomeResult(
        children=joined.height,
        outcome_right=int((joined["outcome"] == joined["truth_outcome"]).sum()),
        reason_right=int((joined["reason"] == joined["truth_reason"]).sum()),
        confusion=wrong.group_by("truth_reason", "reason", "cause").len("children").sort("children", "truth_reason", "reason", "cause", descending=[True, False, False, False]),
        errors=wrong.select("person", "person_id", "truth_outcome", "outcome", "truth_reason", "reason", "cause"),
    )


def _cause() -> pl.Expr:
    """Why an answer may differ: first the linkage, then what was damaged, then the rule itself."""
    return (
        pl.when(pl.col("children_in_it") > 1)
        .then(pl.lit("records of another child were joined to this one"))
        .when(pl.col("parts") > 1)
        .then(pl.lit("the child's records were not all joined"))
        .when(pl.col("damage").list.len() > 0)
        .then(pl.concat_str(pl.lit("damaged: "), pl.col("damage").list.join(", ")))
        .otherwise(pl.lit("the rule reads undamaged records otherwise than the truth"))
    )
