"""What visits found (走访探视). Enters: facts of the optional input `visit`, surveys where the law counts them. Leaves: visits that count, situations found, needs that ended."""

from __future__ import annotations

from datetime import date

import polars as pl

from rules.basis import ROW, Facts, newest, rows, surveys
from rules.law import Parameters
from schemas.exports.visit import SITUATIONS
from schemas.filled import filled

_NONE = "无"


def counted(facts: Facts, as_of: date, p: Parameters) -> pl.LazyFrame:
    """Every visit up to a day that counts as one (visits/results_that_count, visits/ways_that_count): person_id, visited_on."""
    made = [_made(facts, as_of).filter(_counts(p)).select("person_id", "visited_on")]
    if p["visits/survey_counts_as_visit"]:
        made.append(surveys(facts, as_of).select("person_id", pl.col("seen_on").alias("visited_on")))
    return pl.concat(made)


def situations(facts: Facts, as_of: date, p: Parameters) -> pl.LazyFrame:
    """The situations of 强制报告 (实施方案二(三)1) that visits found and that stand: no visit since found none. Each once, by its newest visit; of one day, a danger before none.

    A danger is told however it was found; that there is none, only by a visit that counts.

    Returns:
        ROW, visited_on, situation, reported_on, says.
    """
    told = pl.when(pl.col("reported_on") <= as_of).then(filled("走访发现{}，{}已报告公安", "situation", "reported_on"))
    says = told.otherwise(filled("走访发现{}，未登记报告公安的日期", "situation"))
    made = _made(facts, as_of)
    none = made.filter((pl.col("situation") == _NONE) & _counts(p)).group_by("person_id").agg(pl.col("visited_on").max().alias("none_on"))
    found = made.join(none, on="person_id", how="left").filter(pl.col("none_on").is_null() | (pl.col("visited_on") >= pl.col("none_on")))
    stand = pl.concat([newest(found.filter(pl.col("situation") == situation), "situation", pl.col("visited_on")) for situation in SITUATIONS if situation != _NONE])
    return stand.select(*ROW, "visited_on", "situation", "reported_on", says.alias("says"))


def all_clear(facts: Facts, as_of: date, p: Parameters) -> pl.LazyFrame:
    """The day on which a child's newest visit with an answer found none of those situations, and counts as a visit: person_id, cleared_on."""
    told = _made(facts, as_of).filter((pl.col("situation") != _NONE) | _counts(p))
    answered = newest(told, "situation", pl.col("visited_on"), pl.col("situation") != _NONE)
    return answered.filter(pl.col("situation") == _NONE).select("person_id", pl.col("visited_on").alias("cleared_on"))


def helped(facts: Facts, as_of: date, p: Parameters) -> pl.LazyFrame:
    """The day on which a child's newest visit with an answer found that no more help is needed, and counts as a visit: person_id, helped_on."""
    told = _made(facts, as_of).filter(pl.col("still_needs_help") | _counts(p))
    answered = newest(told, "still_needs_help", pl.col("visited_on"), pl.col("still_needs_help"))
    return answered.filter(~pl.col("still_needs_help")).select("person_id", pl.col("visited_on").alias("helped_on"))


def _made(facts: Facts, as_of: date) -> pl.LazyFrame:
    return rows(facts, "visit").filter(pl.col("visited_on") <= as_of)


def _counts(p: Parameters) -> pl.Expr:
    """Whether a visit counts as one, by its result and way; what is not written does not speak against it."""
    by = (("result", "visits/results_that_count"), ("way", "visits/ways_that_count"))
    return pl.all_horizontal(*(pl.col(column).is_in(p[key]).fill_null(True) for column, key in by))
