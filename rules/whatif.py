"""Who would count if the law were another. Enters: facts kept of a run, the law and another. Leaves: how many children enter and leave, by district and by reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from rules.assessment import assess
from rules.kept import Kept
from rules.law import Law
from rules.law_file import LawError
from rules.parts import Span, between, rows_of, spans
from schemas.in_order import in_order

# the parameters on which it rests who counts; others settle what follows for a child, not whether it is one
TOPICS = ("age", "evidence", "residence", "zone")
_ANSWER = ("person_id", "outcome", "reason", "residence_district")


@dataclass(frozen=True)
class Difference:
    """The answers under two laws on one day.

    Attributes:
        children: how many were asked about.
        outcomes: outcome, now, then (children).
        districts: district, now, enter, leave, then (children who count as flowing; one that moves between districts leaves one and enters the other);
            districts where something changes.
        reasons: change (enter, leave, other), reason_now, reason_then, children; most first.
    """

    children: int
    outcomes: pl.DataFrame
    districts: pl.DataFrame
    reasons: pl.DataFrame


def overridden(law: Law, words: Mapping[str, str]) -> Law:
    """The law with other values.

    Args:
        words: by parameter or short name, the value as text (Law.with_overrides).

    Raises:
        LawError: no such parameter, one that settles not who counts, or a value it does not allow.
    """
    other = law.with_overrides(words)
    short = {parameter.alias: key for key, parameter in law.parameters.items()}
    asked = {name: short.get(name, name) for name in words}
    aside = [name for name, key in asked.items() if key.split("/")[0] not in TOPICS]
    if aside:
        could = ", ".join(key for key in law.parameters if key.split("/")[0] in TOPICS)
        raise LawError(f"{', '.join(aside)}: has no part in who counts as flowing; what has: {could}")
    return other


def compare(known: Kept, as_of: date, law: Law, other: Law) -> Difference:
    """Apply two laws to the same facts for a day."""

    def some(span: Span) -> pl.DataFrame:
        children, facts = known.children.filter(between(span)), rows_of(known.facts, span)
        now, then = (assess(children, facts, as_of, one.on(as_of), one.version).assessment.select(_ANSWER) for one in (law, other))
        return now.join(then, on="person_id", suffix="_then")

    both = pl.concat(in_order(some, spans(known.children)))
    return Difference(both.height, _outcomes(both), _districts(both), _reasons(both))


def _outcomes(both: pl.DataFrame) -> pl.DataFrame:
    counted = [both.group_by(pl.col(name).alias("outcome")).agg(pl.len().alias(when)) for name, when in (("outcome", "now"), ("outcome_then", "then"))]
    return counted[0].join(counted[1], on="outcome", how="full", coalesce=True).with_columns(pl.col("now", "then").fill_null(0)).sort("outcome")


def _districts(both: pl.DataFrame) -> pl.DataFrame:
    """Children who count, by the district they live in."""
    now, then = pl.col("outcome") == "flowing", pl.col("outcome_then") == "flowing"
    stays = now & then & (pl.col("residence_district") == pl.col("residence_district_then"))
    columns = {"now": (now, "residence_district"), "enter": (then & ~stays, "residence_district_then"), "leave": (now & ~stays, "residence_district"), "then": (then, "residence_district_then")}
    told = pl.concat([both.filter(which).select(pl.col(place).alias("district"), pl.lit(name).alias("what")) for name, (which, place) in columns.items()])
    wide = told.group_by("district").agg((pl.col("what") == name).sum().cast(pl.Int64).alias(name) for name in columns)
    return wide.filter((pl.col("enter") > 0) | (pl.col("leave") > 0)).sort("district")


def _reasons(both: pl.DataFrame) -> pl.DataFrame:
    """What the answers that change were and would be."""
    change = pl.when(pl.col("outcome_then") == "flowing").then(pl.lit("enter")).when(pl.col("outcome") == "flowing").then(pl.lit("leave")).otherwise(pl.lit("other"))
    changed = both.filter(pl.col("reason") != pl.col("reason_then"))
    counted = changed.group_by(change.alias("change"), pl.col("reason").alias("reason_now"), "reason_then").agg(pl.len().cast(pl.Int64).alias("children"))
    return counted.sort("children", "change", "reason_now", "reason_then", descending=[True, False, False, False])
