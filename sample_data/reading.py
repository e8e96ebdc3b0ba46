"""The truth: what the rule should answer for each child. Enters: the true history and the undamaged sheets. Leaves: outcome, reason, and what made it so.

A plain reading of rules/decisions.md, written apart from the rule rooms and sharing nothing with them but the words. A start that no record states is
taken as the earliest registration, permit, enrolment or opening date there (decision 7), for no more can be known.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from sample_data.places import Places
from sample_data.sheet import Sheet
from schemas.filled import filled
from schemas.tables.assessment import OUTCOME_OF


def answered(kids: pl.DataFrame, sheets: dict[str, Sheet], where: Places, as_of: date) -> pl.DataFrame:
    """The children with `outcome`, `reason`, `since`, `is_inferred`, `direction` and `because`."""
    known = kids.join(_starts(sheets), on="row", how="left", maintain_order="left")
    by_history = pl.col("story").is_in(["moved", "summer_gap"]) | pl.col("is_stated").fill_null(False)
    counts = pl.col("clock").is_not_null()
    since = pl.when(counts & by_history).then("clock").when(counts & pl.col("inferred_on").is_not_null()).then(pl.max_horizontal("inferred_on", "birth"))
    place = {name: where.table.select(code=pl.col("code6"), zone="zone", county="county")[known[name]] for name in ("hukou", "home")}
    known = known.with_columns(
        since=since,
        is_inferred=counts & ~by_history & pl.col("inferred_on").is_not_null(),
        hukou_code=place["hukou"]["code"], home_code=place["home"]["code"],
        both_zone=place["hukou"]["zone"] & place["home"]["zone"],
        from_city=known["hukou"] < where.city, in_city=known["home"] < where.city,
    )  # fmt: skip
    reason = _reason(as_of)
    return known.with_columns(reason=reason).with_columns(
        outcome=pl.col("reason").replace_strict(OUTCOME_OF),
        direction=pl.when(pl.col("reason") == "resides_outside_city").then(pl.lit("out_of_city"))
        .when(pl.col("reason") != "flowing").then(pl.lit("none"))
        .when("from_city").then(pl.lit("in_city")).otherwise(pl.lit("into_city")),
        because=filled(
            "{}: born {}, hukou {}, lives in {}{}", "story", "birth", place["hukou"]["county"], place["home"]["county"],
            pl.when(pl.col("since").is_null()).then(pl.lit("")).otherwise(
                filled(", away since {}{}", pl.col("since"), pl.when("is_inferred").then(pl.lit(" (inferred)")).otherwise(pl.lit("")))),
        ),
    )  # fmt: skip


def _reason(as_of: date) -> pl.Expr:
    """The first reason that holds, in the order of contracts/register.md."""
    today, story = pl.lit(as_of), pl.col("story")
    return (
        pl.when(story == "dead").then(pl.lit("deceased"))
        .when(story == "birth_date_unknown").then(pl.lit("birth_date_unknown"))
        .when(pl.col("birth").dt.offset_by("16y") < today).then(pl.lit("age_16_or_over"))
        .when(pl.col("document").is_not_null()).then(pl.lit("no_mainland_hukou"))
        .when(story == "institution").then(pl.lit("institutional_care"))
        .when(story.is_in(["no_hukou", "hukou_not_said"])).then(pl.lit("hukou_unknown"))
        .when(story == "boarding_only").then(pl.lit("boarding_only"))
        .when(story == "household_only").then(pl.lit("residence_unknown"))
        .when(story == "conflict").then(pl.lit("conflicting_evidence"))
        .when((story == "returned") & (pl.col("home_since").dt.offset_by("12mo") >= today)).then(pl.lit("returned"))
        .when(~pl.col("in_city")).then(pl.lit("resides_outside_city"))
        .when(pl.col("hukou_code") == pl.col("home_code")).then(pl.lit("same_district"))
        .when("both_zone").then(pl.lit("exempt_main_urban"))
        .when(pl.col("since").is_null()).then(pl.lit("duration_unknown"))
        .when(pl.col("since").dt.offset_by("6mo") > today).then(pl.lit("under_six_months"))
        .otherwise(pl.lit("flowing"))
    )  # fmt: skip


def _starts(sheets: dict[str, Sheet]) -> pl.DataFrame:
    """Per child (`row`): whether a record states the arrival at the present home, and the earliest of the dates from which it can be inferred."""
    residence = sheets["residence"].frame.filter(pl.col("cancelled_on").is_null())
    school = sheets["education"].frame.filter(pl.col("status").is_in(["在读", "休学"]) & ~pl.col("boarding").cast(pl.Boolean))
    files = sheets["health"].frame.filter(pl.col("closed_on").is_null())
    cards = sheets["disease_control"].frame.filter((pl.col("status") == "在册") & (pl.col("residence_type") == "流动"))
    found = sheets["survey"].frame
    stated = [(residence, "arrived_on"), (cards, "moved_in_on"), (found, "arrived_on")]
    entered = pl.when("_month").then(pl.col("enrolled_on").dt.month_end()).otherwise("enrolled_on")
    inferred = [
        (residence, pl.col("registered_on")), (residence, pl.col("permit_issued_on")), (school, entered), (files, pl.col("opened_on")), (cards, pl.col("opened_on")),
    ]  # fmt: skip
    none = pl.lit(None, pl.Date)
    rows = [frame.select(row="_child", said=pl.col(column).is_not_null(), on=none) for frame, column in stated]
    rows += [frame.select(row="_child", said=pl.lit(False), on=column.cast(pl.Date)) for frame, column in inferred]
    return pl.concat(rows).group_by("row").agg(is_stated=pl.col("said").any(), inferred_on=pl.col("on").min()).cast({"row": pl.UInt32})
