"""Who needs particular care. Enters: facts, assessments and the last register's list. Leaves: key_care, one child and one category a row, with its visit plan."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from rules.basis import Facts, listed
from rules.law import Parameters
from rules.signs import signs
from rules.visits import counted
from schemas.filled import filled
from schemas.tables.assessment import KEY_CARE

# reasons of children who are dead, too old, or whose age nobody knows
_NOT_UNDER_16 = ("deceased", "age_16_or_over", "birth_date_unknown")


def categories(
    facts: Facts,
    assessment: pl.LazyFrame,
    as_of: date,
    p: Parameters,
    previous: pl.LazyFrame | None = None,
    *,
    found: pl.LazyFrame | None = None,
) -> pl.DataFrame:
    """The key-care list (实施方案二(一)3).

    Children who count as flowing, in every category a row shows; and any child under 16 who asked for help and lives in
    another township than the hukou's, flowing or not. `since` never moves forward while a category lasts, and the visit
    clock starts on the day the category was first listed.

    Args:
        assessment: ASSESSMENT.
        previous: person_id, category, since and first_listed_on of the entries that stand until tonight, where there are any (`rules.remembered`).
        found: the signs, where they are at hand (`rules.signs.signs`); else they are gathered here.

    Returns:
        KEY_CARE in the order of its key.
    """
    child = assessment.select(
        "person_id",
        (pl.col("outcome") == "flowing").alias("is_flowing"),
        (other_township() & ~pl.col("reason").is_in(_NOT_UNDER_16)).fill_null(False).alias("asks_from_elsewhere"),
    )
    asked = pl.col("category") == "self_requested_aid"
    kept = (
        (signs(facts, as_of, p) if found is None else found)
        .join(child, on="person_id")
        .filter(pl.when(asked).then("asks_from_elsewhere").otherwise("is_flowing"))
    )
    # one sign without a known end keeps the category open
    until = pl.when(pl.col("until").is_not_null().all()).then(pl.col("until").max()).alias("until")
    current = listed(
        kept, ["person_id", "category"], "basis", pl.col("since").min(), until, pl.col("is_verified").any(), pl.col("is_flowing").first()
    )
    planned = _plan(_carried(current, previous, as_of), counted(facts, as_of, p), as_of, p)
    return KEY_CARE.conform(planned.collect()).sort(KEY_CARE.key)


def other_township() -> pl.Expr:
    """Whether a child lives in another township than the hukou's, by (district, name); null where that is not known.

    Nine-digit codes are not compared: 302 of them mean different townships in the two systems in use.
    """
    return (
        pl.when(pl.col("hukou_district") != pl.col("residence_district"))
        .then(True)
        .when(pl.col("hukou_district") == pl.col("residence_district"))
        .then(pl.col("hukou_township") != pl.col("residence_township"))
    )


def _carried(current: pl.LazyFrame, previous: pl.LazyFrame | None, as_of: date) -> pl.LazyFrame:
    before = KEY_CARE.empty().lazy() if previous is None else previous
    known = before.select("person_id", "category", pl.col("since").alias("since_before"), pl.col("first_listed_on").alias("listed_before"))
    return current.join(known, on=["person_id", "category"], how="left").with_columns(
        pl.min_horizontal("since", "since_before").clip(upper_bound=as_of).alias("since"),
        pl.min_horizontal("listed_before", pl.lit(as_of)).alias("first_listed_on"),
    )


def _plan(listed_now: pl.LazyFrame, made: pl.LazyFrame, as_of: date, p: Parameters) -> pl.LazyFrame:
    last = made.group_by("person_id").agg(pl.col("visited_on").max().alias("last_visit_on"))
    months = pl.col("category").replace_strict(p["visits/interval_months"], default=None, return_dtype=pl.Int32)
    due = pl.max_horizontal("last_visit_on", "first_listed_on").dt.offset_by(filled("{}mo", months))
    ahead = pl.lit(as_of + timedelta(p["visits/due_ahead_days"]))
    state = (
        pl.when(pl.col("next_visit_due") < as_of)
        .then(pl.lit("overdue"))
        .when(pl.col("next_visit_due") <= ahead)
        .then(pl.lit("due"))
        .otherwise(pl.lit("planned"))
    )
    return listed_now.join(last, on="person_id", how="left").with_columns(due.alias("next_visit_due")).with_columns(state.alias("visit_state"))
