"""What the feeds show of a child's needs. Enters: facts as of a day. Leaves: one row per sign, its category and the row it rests on."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from rules.basis import ROW, Facts, begun, newest, rows, runs_on, surveys
from rules.law import Parameters
from rules.law_table import table
from rules.visits import all_clear, helped, situations
from schemas.exports.assistance import KINDS
from schemas.filled import filled
from schemas.tables.assessment import CATEGORIES


def signs(facts: Facts, as_of: date, p: Parameters) -> pl.LazyFrame:
    """Every sign of a key-care category (实施方案二(一)3), for any child.

    A survey's answers are taken question by question from the newest row that answers it. `is_verified` is false where
    only the survey's word stands for a disability.

    Returns:
        ROW, category, says, since and until (the first and the last day that the row states; null where it does not), is_verified.
    """
    return pl.concat(
        [
            _surveyed(facts, as_of, p),
            _relief(facts, as_of, p),
            _subsidies(facts, as_of, p),
            _certificates(facts, as_of),
            _school(facts, as_of, p),
            _health(facts, p),
            _alone(facts, as_of, p),
            _visited(facts, as_of, p),
        ]
    )


def certificates(facts: Facts, as_of: date) -> pl.LazyFrame:
    """The disability certificates with `standing`: valid, doubtful (expired, or neither status nor date says), ended (注销).

    A certificate counts up to and including 有效期至. Its class and level are left out of every text: they can be psychiatric.
    """
    in_date = pl.col("expires_on") >= as_of
    valid = (
        pl.when(pl.col("status") == "有效").then(in_date.fill_null(True)).otherwise(pl.col("status").is_null() & in_date.fill_null(False))
    )
    return (
        rows(facts, "disability")
        .filter(begun(as_of, "issued_on"))
        .with_columns(
            pl.when(pl.col("status") == "注销")
            .then(pl.lit("ended"))
            .when(valid)
            .then(pl.lit("valid"))
            .otherwise(pl.lit("doubtful"))
            .alias("standing")
        )
    )


def living_alone(facts: Facts, as_of: date, p: Parameters) -> pl.LazyFrame:
    """Children of whom the register or the survey says that nobody lives with them: ROW, says, since.

    A register row counts while it runs, unless a survey or visit at least as new found someone caring for the child.
    """
    survey = newest(surveys(facts, as_of), "guardianship", pl.col("seen_on"))
    guarded = survey.filter(~pl.col("guardianship").is_in(p["key_care/unguarded"])).select("person_id", pl.col("seen_on").alias("cared_on"))
    visited = all_clear(facts, as_of, p).rename({"cleared_on": "cared_on"})
    cared_for = pl.concat([guarded, visited]).group_by("person_id").agg(pl.col("cared_on").max())
    since = pl.coalesce("arrived_on", "registered_on")
    by_register = (
        lives_with(facts, as_of)
        .filter(pl.col("lives_with_relation") == "无同住人")
        .join(cared_for, on="person_id", how="left")
        .filter(pl.col("cared_on").is_null() | (pl.col("cared_on") < pl.coalesce("registered_on", "arrived_on")))
        .select(*ROW, pl.lit("流动人口登记为无同住人").alias("says"), since.alias("since"))
    )
    surveyed = unguarded(facts, as_of, p).filter(pl.col("guardianship") == "独自居住").select(
        *ROW, pl.lit("摸排监护情况为独自居住").alias("says"), pl.col("seen_on").alias("since")
    )
    visit = situations(facts, as_of, p).filter(pl.col("situation") == "独自居住").select(*ROW, "says", pl.col("visited_on").alias("since"))
    return pl.concat([surveyed, by_register, visit])


def unguarded(facts: Facts, as_of: date, p: Parameters) -> pl.LazyFrame:
    """The surveys that found nobody guarding a child, where no visit at least as new found that it is not so: the survey's facts, seen_on."""
    found = newest(surveys(facts, as_of), "guardianship", pl.col("seen_on")).filter(pl.col("guardianship").is_in(p["key_care/unguarded"]))
    return found.join(all_clear(facts, as_of, p), on="person_id", how="left").filter((pl.col("seen_on") > pl.col("cleared_on")).fill_null(True))


def registered(facts: Facts, as_of: date) -> pl.LazyFrame:
    """The residence registrations that run on a day: not cancelled, by date or by its reason alone."""
    word_alone = pl.col("cancelled_on").is_null() & pl.col("cancel_reason").is_not_null()
    return rows(facts, "residence").filter(runs_on(as_of, "registered_on", "cancelled_on") & ~word_alone)


def lives_with(facts: Facts, as_of: date) -> pl.LazyFrame:
    """With whom each child lives by its newest running registration that says so; of two of one day a parent counts before others, anybody before nobody."""
    whom = pl.col("lives_with_relation")
    nearness = whom.is_in(["父亲", "母亲"]).cast(pl.Int8) - (whom == "无同住人").cast(pl.Int8)
    return newest(registered(facts, as_of), "lives_with_relation", pl.max_horizontal("registered_on", "arrived_on"), nearness)


def _sign(
    frame: pl.LazyFrame, category: str | pl.Expr, says: str | pl.Expr, since: pl.Expr, *, until: pl.Expr | None = None, verified: bool = True
) -> pl.LazyFrame:
    return frame.select(
        *ROW,
        (pl.lit(category) if isinstance(category, str) else category).alias("category"),
        (pl.lit(says) if isinstance(says, str) else says).alias("says"),
        since.cast(pl.Date).alias("since"),
        (pl.lit(None) if until is None else until).cast(pl.Date).alias("until"),
        pl.lit(verified).alias("is_verified"),
    )


def _surveyed(facts: Facts, as_of: date, p: Parameters) -> pl.LazyFrame:
    seen = surveys(facts, as_of)
    questions = (
        ("hardship", "family_hardship", "摸排登记为家庭困难", True),
        ("disabled", "disability", "摸排登记为残疾（待核实）", False),
        ("vagrant", "vagrancy", "摸排登记为流浪", True),
        ("psych_behaviour", "psych_behaviour", "摸排登记为心理行为异常", True),
        ("asked_for_help", "self_requested_aid", "摸排登记为主动求助", True),
    )
    found = [
        _sign(newest(seen, column, pl.col("seen_on")).filter(pl.col(column)), category, says, pl.col("seen_on"), verified=verified)
        for column, category, says, verified in questions
    ]
    found.append(_sign(unguarded(facts, as_of, p), "guardianship_missing", filled("摸排监护情况为{}", "guardianship"), pl.col("seen_on")))
    asked = pl.col("category") == "self_requested_aid"
    ended = (pl.col("helped_on") >= pl.col("since")).fill_null(False)
    return pl.concat(found).join(helped(facts, as_of, p), on="person_id", how="left").filter(~(asked & ended)).drop("helped_on")


def relief_of(p: Parameters) -> list[dict[str, Any]]:
    """The kinds of relief that make a key-care child.

    Raises:
        LawError: a row has a kind or a category that nobody knows.
    """
    return table(p, "key_care/relief", "kind", {"kind": KINDS, "category": CATEGORIES})


def _relief(facts: Facts, as_of: date, p: Parameters) -> pl.LazyFrame:
    """Relief that runs, or whose last day (granted, or the station left) lies no more than so many months back."""
    granted = rows(facts, "assistance")
    running, stops = runs_on(as_of, "granted_on", "stopped_on"), pl.col("stopped_on").dt.offset_by("-1d")
    return pl.concat(
        [
            _sign(granted.filter((pl.col("kind") == relief["kind"]) & counts), relief["category"], relief["says"], pl.col("granted_on"), until=until)
            for relief in relief_of(p)
            for counts, until in [(running, stops) if relief["months"] is None else (had_lately(relief["months"], as_of), last_day(relief["months"]))]
        ]
    )


def had_lately(months: int | pl.Expr, as_of: date) -> pl.Expr:
    """Whether relief was granted, or its station left, no more than so many months ago; false where no date says when."""
    return begun(as_of, "granted_on") & (last_day(months) >= as_of).fill_null(False)


def last_day(months: int | pl.Expr) -> pl.Expr:
    """The last day on which relief of so many months still counts."""
    return pl.max_horizontal("granted_on", "left_station_on").dt.offset_by(filled("{}mo", pl.lit(months) if isinstance(months, int) else months))


def _subsidies(facts: Facts, as_of: date, p: Parameters) -> pl.LazyFrame:
    categories = p["key_care/subsidies"]
    insured = rows(facts, "medical_insurance").filter(
        pl.col("subsidy").is_in(list(categories))
        & (pl.col("status").is_null() | (pl.col("status") == "正常参保"))
        & begun(as_of, "insured_on")
    )
    category = pl.col("subsidy").replace_strict(categories, default=None, return_dtype=pl.String)
    return _sign(insured, category, filled("医保资助参保身份：{}", "subsidy"), pl.lit(None))


def _certificates(facts: Facts, as_of: date) -> pl.LazyFrame:
    held = certificates(facts, as_of).filter(pl.col("standing") == "valid")
    return _sign(held, "disability", "残疾人证有效", pl.col("issued_on"), until=pl.col("expires_on"))


def _school(facts: Facts, as_of: date, p: Parameters) -> pl.LazyFrame:
    left = (pl.col("left_on") <= as_of).fill_null(False)
    runs = ~(left | pl.col("status").is_in(["转出", "毕业", "退学"]).fill_null(False))
    answered = newest(rows(facts, "education"), "psych_level", runs, pl.col("enrolled_on"))
    return _sign(
        answered.filter(pl.col("psych_level").is_in(p["key_care/school_levels"])),
        "psych_behaviour",
        filled("学校心理关注等级：{}", "psych_level"),
        pl.lit(None),
    )


def _health(facts: Facts, p: Parameters) -> pl.LazyFrame:
    answered = newest(rows(facts, "health"), "development", pl.max_horizontal("last_visit_on", "opened_on"))
    warned = answered.filter(pl.col("development").is_in(p["key_care/development_findings"]))
    return _sign(warned, "psych_behaviour", filled("儿童健康管理心理行为发育：{}", "development"), pl.col("last_visit_on"))


def _alone(facts: Facts, as_of: date, p: Parameters) -> pl.LazyFrame:
    return _sign(
        living_alone(facts, as_of, p).filter(pl.col("feed") == "residence"), "guardianship_missing", pl.col("says"), pl.col("since")
    )


def _visited(facts: Facts, as_of: date, p: Parameters) -> pl.LazyFrame:
    found = situations(facts, as_of, p).filter(pl.col("situation").is_in(p["key_care/unguarded_situations"]))
    return _sign(found, "guardianship_missing", filled("走访发现{}", "situation"), pl.col("visited_on"))
