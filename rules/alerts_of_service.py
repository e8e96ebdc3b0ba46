"""Alerts about school, vaccination and insurance. Enters: a `Night`. Leaves: cause rows."""

from __future__ import annotations

import polars as pl

from rules.alert_kinds import Night, cause, school_age
from rules.basis import surveys
from rules.shows import MISSING, UNKNOWN, cards, shows
from rules.vaccination import overdue
from schemas.filled import filled


def out_of_school(night: Night) -> pl.LazyFrame:
    """Of school age and in no school; where only the survey says the child is in one, the roll is asked about (school_roll_missing)."""
    pupils = night.of("school_age_not_in_school", "school_roll_missing").filter(school_age(pl.col("birth_date"), night.as_of, night.p))
    enrolled = shows(night.facts, pupils, night.as_of, night.p, "enrolled")
    nowhere = pupils.join(enrolled, on="person_id", how="anti")
    unsure = enrolled.filter(pl.col("status") == UNKNOWN)
    said, on_roll = (unsure.filter(pl.col("feed") == feed) for feed in ("survey", "education"))
    return pl.concat(
        [
            cause(nowhere, "school_age_not_in_school"),
            cause(enrolled.filter(pl.col("status") == MISSING), "school_age_not_in_school", pl.col("says")),
            cause(said.join(on_roll, on="person_id", how="anti"), "school_roll_missing", pl.col("says")),
        ]
    )


def vaccination_overdue(night: Night) -> pl.LazyFrame:
    """A card in use with doses past their time in the national schedule."""
    in_use = cards(night.facts, night.of("vaccination_overdue")).filter(pl.col("status") == "在册")
    late = overdue(in_use, night.as_of, night.p)
    return cause(late, "vaccination_overdue", filled("逾期未种：{}", pl.col("doses").list.join("、")))


def not_insured_this_year(night: Night) -> pl.LazyFrame:
    """No row that shows, or may show, insurance in the as-of year; newborns have some time."""
    newborn = pl.col("birth_date").dt.offset_by(f"{night.p['alerts/newborn_insurance_days']}d") >= night.as_of
    owed = night.of("not_insured_this_year").filter(~newborn.fill_null(False))
    insured = shows(night.facts, owed, night.as_of, night.p, "insured")
    return pl.concat(
        [
            cause(owed.join(insured, on="person_id", how="anti"), "not_insured_this_year"),
            cause(insured.filter(pl.col("status") == MISSING), "not_insured_this_year", pl.col("says")),
        ]
    )


def unsurveyed(night: Night) -> pl.LazyFrame:
    """A child whom the departments know and no survey does, and one whom a survey knows and no department does."""
    surveyed = surveys(night.facts, night.as_of)
    departments = ["household", "residence", "education", "health", "medical_insurance", "disease_control", "disability"]
    in_none = pl.col("feeds").list.set_intersection(departments).list.len() == 0
    alone = night.of("surveyed_unknown_to_departments").filter(in_none)
    return pl.concat(
        [
            cause(night.of("new_child_unsurveyed").join(surveyed, on="person_id", how="anti"), "new_child_unsurveyed"),
            cause(surveyed.join(alone, on="person_id", how="semi"), "surveyed_unknown_to_departments", "摸排登记了该儿童"),
        ]
    )
