"""The alphabet of alerts. Enters: facts, children, assessments, parameters. Leaves: `Night` (what every finding is made from), `cause` rows, and which kinds apply to whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import polars as pl

from rules.basis import Facts
from rules.law import Parameters
from rules.law_table import table
from schemas.exports.feeds import FEEDS
from schemas.tables.assessment import SEVERITIES

GROUPS = ("flowing", "watch", "exempt", "undetermined", "other", "gone")
_DEPARTMENTS = tuple(dict.fromkeys(feed.department for feed in FEEDS.values()))

# one row of a cause: what it is about, and at most one row of a feed that shows it
CAUSE = {
    "person_id": pl.String,
    "kind": pl.String,
    "discriminator": pl.String,
    "district": pl.String,
    "due_on": pl.Date,
    "is_restricted": pl.Boolean,
    "feed": pl.String,
    "source_file": pl.String,
    "source_row": pl.UInt32,
    "record_hash": pl.UInt64,
    "says": pl.String,
}
_NOTHING = {name: pl.lit(None).cast(dtype).alias(name) for name, dtype in CAUSE.items()}


@dataclass(frozen=True)
class Night:
    """What the findings of one night are made from.

    Attributes:
        facts: the facts by feed.
        episodes: RESIDENCE_EPISODE of tonight.
        child: one row per child, see `children_of`.
        found: the signs of need (`rules.signs.signs`).
        key_care: KEY_CARE of tonight.
    """

    facts: Facts
    episodes: pl.LazyFrame
    child: pl.LazyFrame
    found: pl.LazyFrame
    key_care: pl.LazyFrame
    as_of: date
    p: Parameters

    @cached_property
    def kinds(self) -> list[dict[str, Any]]:
        """The kinds of alert in force, read once."""
        return kinds_of(self.p)

    def of(self, *kinds: str) -> pl.LazyFrame:
        """The children to whom one of the kinds applies."""
        groups = sorted({group for kind in self.kinds if kind["kind"] in kinds for group in kind["applies_to"]})
        return self.child.filter(pl.col("group").is_in(groups))


def kinds_of(p: Parameters) -> list[dict[str, Any]]:
    """The kinds of alert in force.

    Raises:
        LawError: a row has a severity, department, place or group that nobody knows, or no due date.
    """
    allowed = {"severity": SEVERITIES, "department": _DEPARTMENTS, "district": ("residence", "hukou", "own"), "applies_to": GROUPS}
    return table(p, "alerts/kinds", "kind", allowed, ("due_days",))


def children_of(children: pl.LazyFrame, assessment: pl.LazyFrame) -> pl.LazyFrame:
    """The assessments with what is known of each child, and its `group`.

    Groups: flowing; watch (under six months); exempt (within the main-urban zone); undetermined; gone (dead, or 16 and
    over); other (everyone else: not flowing, alive, under 16).
    """
    reason = pl.col("reason")
    group = (
        pl.when(pl.col("outcome").is_in(["flowing", "undetermined"]))
        .then("outcome")
        .when(reason == "under_six_months")
        .then(pl.lit("watch"))
        .when(reason == "exempt_main_urban")
        .then(pl.lit("exempt"))
        .when(reason.is_in(["deceased", "age_16_or_over"]))
        .then(pl.lit("gone"))
        .otherwise(pl.lit("other"))
    )
    known = children.select("person_id", "sex", "feeds", "last_seen", "id_number_status", pl.col("birth_date").alias("birth_on_file"))
    return (
        assessment.select(
            "person_id", "outcome", "reason", "hukou_district", "hukou_township", "residence_district", "residence_division", "residence_township",
            "accompanied", "birth_date", "six_months_on", "turns_16_on", pl.col("evidence").alias("assessed_on"), group.alias("group"),
        )
        .join(known, on="person_id", how="left")
        .with_columns(pl.coalesce("birth_date", "birth_on_file").alias("birth_date"))
        .drop("birth_on_file")
    )  # fmt: skip


def cause(frame: pl.LazyFrame, kind: str, says: str | pl.Expr | None = None, **own: Any) -> pl.LazyFrame:
    """Rows of a cause.

    Args:
        frame: person_id, and the columns of ROW where `says` is given.
        says: what the row says, in Chinese; None where the cause rests on the assessment itself.
        own: expressions for discriminator, district, due_on, is_restricted where the kind has its own.
    """
    chosen: dict[str, pl.Expr] = {
        "discriminator": pl.lit(""),
        "is_restricted": pl.lit(False),
        **own,
        "kind": pl.lit(kind),
        "person_id": pl.col("person_id"),
    }
    if says is not None:
        chosen |= {name: pl.col(name) for name in ("feed", "source_file", "source_row", "record_hash")}
        chosen["says"] = pl.lit(says) if isinstance(says, str) else says
    return frame.select(chosen[name].cast(dtype).alias(name) if name in chosen else _NOTHING[name] for name, dtype in CAUSE.items())


def school_age(birth_date: pl.Expr, as_of: date, p: Parameters) -> pl.Expr:
    """Whether a child is of compulsory school age (义务教育法第十一条) in the school year that had begun long enough ago to be on the roll."""
    begins, age = p["services/school_year"], p["services/school_age"]
    year = as_of.year
    grace = p["alerts/enrolment_grace_days"]
    if (as_of - date(year, begins["month"], begins["day"])).days < grace:
        year -= 1
    first_day = date(year, begins["month"], begins["day"])
    return (birth_date.dt.offset_by(f"{12 * age['from_years']}mo") < first_day) & (
        birth_date.dt.offset_by(f"{12 * age['until_years']}mo") >= first_day
    )
