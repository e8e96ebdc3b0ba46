"""The rule itself. Enters: one reading of a child's life a row. Leaves: each condition answered, the reason, and one answer per child (实施方案二(一)1; decisions 1-19)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from rules.basis import earliest
from rules.law import Parameters
from rules.timeline import SIGHTED, STATED
from schemas.filled import filled
from schemas.tables.assessment import OUTCOME_OF, REASONS

_RANK = {reason: place for place, reason in enumerate(REASONS)}


@dataclass(frozen=True)
class Condition:
    """One condition for counting as flowing.

    Attributes:
        name: as in rules/conditions.yaml, where its article is. reason: why not, where it does not hold.
        holds: true, false, or null where it cannot be told; only false decides.
        detail: what it was judged on, `name=value` parted by `; `.
    """

    name: str
    reason: str
    holds: pl.Expr
    detail: pl.Expr


def prepared(readings: pl.DataFrame, as_of: date, p: Parameters) -> pl.DataFrame:
    """The readings with what the conditions look at.

    Args:
        readings: reading, person_id, birth_date, birth_date_precision, is_dead, in_institution, is_outside_mainland, from_register, hukou_district,
            hukou_in_zone, hukou_in_city, hukou_since, district, in_zone, in_city, kind, began, boards_only, left_district, and the clock's columns.
    """
    years, months = f"{p['age/limit_years']}y", f"{p['residence/months_required']}mo"
    birth = pl.col("birth_date")
    return (
        readings.with_columns(
            birth.dt.offset_by(years).alias("turns_16_on"),
            earliest("birth_date").dt.offset_by(years).alias("turns_16_from"),
            pl.col("away_since").dt.offset_by(months).alias("six_months_on"),
            (pl.col("certain_since").dt.offset_by(months) <= as_of).fill_null(False).alias("certainly_long"),
            (birth.dt.offset_by(months) > as_of).fill_null(False).alias("too_young"),
            ((pl.col("home_until").dt.offset_by(months) > as_of) & pl.col("away_since").is_not_null()).fill_null(False).alias("lately_home"),
            (pl.col("hukou_district") == pl.col("district")).alias("at_home"),
            (pl.col("in_zone") & pl.col("hukou_in_zone")).alias("both_in_zone"),
        )
        .with_columns(
            ((pl.col("six_months_on") <= as_of).fill_null(False)).alias("long_enough"),
            _went_back(as_of, p).alias("has_returned"),
        )
        .with_columns(
            pl.when(pl.col("long_enough")).then("certainly_long").otherwise((pl.col("away_by") < SIGHTED) | pl.col("lately_home")).fill_null(False).alias("is_timed")
        )
    )


def _went_back(as_of: date, p: Parameters) -> pl.Expr:
    """At the hukou place because the child went back, after an absence in another district that ended within so many months; where the hukou came no earlier
    than the child it moved instead, unless a record tells of the return (decision 10)."""
    within = f"{p['residence/returned_within_months']}mo"
    told = (pl.col("kind") == "return") & (pl.col("left_district").is_null() | (pl.col("left_district") != pl.col("hukou_district")) | (pl.col("feed") == "survey"))
    hukou_followed = (pl.col("hukou_since") >= pl.col("absence_ended")).fill_null(False)
    on = pl.when(told).then(pl.coalesce("began", "absence_ended")).when(pl.col("began").is_not_null() & ~hukou_followed).then("absence_ended")
    recent = (on.dt.offset_by(within) >= as_of).fill_null(told & on.is_null())
    return (pl.col("at_home") & recent).fill_null(False)


def conditions(as_of: date) -> tuple[Condition, ...]:
    """The conditions in the order in which the first that fails is the reason (contracts/register.md)."""
    turned = pl.col("turns_16_on")
    return (
        Condition("alive", "deceased", ~pl.col("is_dead"), pl.lit(None, pl.String)),
        Condition("birth_known", "birth_date_unknown", pl.col("birth_date").is_not_null(), _said("birth_date")),
        Condition("under_16", "age_16_or_over", turned >= as_of, _said("birth_date", "turns_16_on")),
        Condition("mainland_hukou", "no_mainland_hukou", ~pl.col("is_outside_mainland") | pl.col("from_register").fill_null(False), pl.lit(None, pl.String)),
        Condition("in_family", "institutional_care", ~pl.col("in_institution"), pl.lit(None, pl.String)),
        Condition("hukou_known", "hukou_unknown", pl.col("hukou_district").is_not_null(), _said("hukou_district", "from_register")),
        Condition("not_boarding_only", "boarding_only", ~pl.col("boards_only"), pl.lit(None, pl.String)),
        Condition("residence_known", "residence_unknown", pl.col("district").is_not_null(), _said("district", "feed", "confirmed_on")),
        Condition("evidence_agrees", "conflicting_evidence", pl.col("agrees"), _said("readings")),
        Condition("not_returned", "returned", ~pl.col("has_returned"), _said("absence_ended")),
        Condition("lives_in_city", "resides_outside_city", pl.col("in_city"), _said("district")),
        Condition("other_district", "same_district", ~pl.col("at_home"), _said("hukou_district", "district")),
        Condition("not_exempt", "exempt_main_urban", ~pl.col("both_in_zone"), _said("hukou_district", "district")),
        Condition("start_known", "duration_unknown", pl.col("is_timed") | pl.col("too_young"), _said("away_since", "away_by")),
        Condition("six_months", "under_six_months", pl.col("long_enough") & ~pl.col("too_young"), _said("away_since", "six_months_on")),
    )


def _said(*columns: str) -> pl.Expr:
    """`name=value; name=value` of the columns that have a value."""
    return pl.concat_str(*(filled("{}={}", pl.lit(name), pl.col(name)) for name in columns), separator="; ", ignore_nulls=True)


def judged(readings: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """One answer per child: the reading that stands, with reason and outcome.

    Where a child can be read in several ways and the outcomes differ, the reason is `conflicting_evidence` (decision 17); where they agree,
    the reading whose reason comes first stands.

    Args:
        readings: as `prepared` leaves them.
    """
    asked = conditions(as_of)
    single = _with_reason(readings.with_columns(pl.lit(True).alias("agrees"), pl.lit(1).alias("readings")), asked)
    outcome = pl.col("reason").replace_strict(OUTCOME_OF, return_dtype=pl.String)
    rank = pl.col("reason").replace_strict(_RANK, return_dtype=pl.Int32)
    aged = _with_age_settled(single, as_of).with_columns(outcome.alias("outcome"))
    whole = aged.with_columns(
        (pl.col("outcome").n_unique().over("person_id") == 1).alias("agrees"), pl.len().over("person_id").alias("readings"), rank.alias("rank")
    )
    standing = whole.sort("person_id", "rank", "reading").unique(subset="person_id", keep="first", maintain_order=True)
    disputed = ~pl.col("agrees")
    return standing.with_columns(pl.when(disputed).then(pl.lit("conflicting_evidence")).otherwise("reason").alias("reason"), disputed.alias("disputed")).with_columns(
        outcome.alias("outcome")
    )


def _with_reason(readings: pl.DataFrame, asked: tuple[Condition, ...]) -> pl.DataFrame:
    reason = pl.coalesce(*(pl.when(~condition.holds.fill_null(True)).then(pl.lit(condition.reason)) for condition in asked), pl.lit("flowing"))
    return readings.with_columns(reason.alias("reason"))


def _with_age_settled(readings: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """A birth date of which only month or year is known matters where the child may be over age and would count, or be left open, if not."""
    may_be_over = (pl.col("turns_16_from") < as_of) & (pl.col("turns_16_on") >= as_of)
    matters = may_be_over & (pl.col("reason").replace_strict(OUTCOME_OF, return_dtype=pl.String) != "not_flowing")
    return readings.with_columns(pl.when(matters.fill_null(False)).then(pl.lit("birth_date_unknown")).otherwise("reason").alias("reason"))


def months_between(since: str, as_of: date) -> pl.Expr:
    """Whole months from a day to the day looked at; a month is full on the same day, or at the month's end where there is none (民法典第二百零二条)."""
    start = pl.col(since)
    months = (as_of.year - start.dt.year()) * 12 + as_of.month - start.dt.month().cast(pl.Int32)
    return pl.when(start.dt.offset_by(filled("{}mo", months)) > as_of).then(months - 1).otherwise(months).cast(pl.Int32)


def direction() -> pl.Expr:
    """in_city, into_city or out_of_city of a child away from the hukou's district (decisions 11, 12); none of any other."""
    away = (~pl.col("at_home") & ~pl.col("both_in_zone")).fill_null(False) & ~pl.col("disputed")
    return (
        pl.when(away & pl.col("hukou_in_city") & pl.col("in_city"))
        .then(pl.lit("in_city"))
        .when(away & pl.col("in_city"))
        .then(pl.lit("into_city"))
        .when(away & pl.col("hukou_in_city"))
        .then(pl.lit("out_of_city"))
        .otherwise(pl.lit("none"))
    )


def is_inferred() -> pl.Expr:
    """Whether the start of the absence is inferred rather than stated."""
    return (pl.col("away_by") > STATED).fill_null(False)
