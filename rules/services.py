"""What a child is entitled to and seems to have (关爱服务清单). Enters: children, facts, assessments. Leaves: service_gap, one row per flowing child and item."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from rules.alert_kinds import school_age
from rules.basis import Facts, aged, listed, rows, runs_on
from rules.law import Parameters
from rules.law_table import table
from rules.shows import MISSING, SHOWN, UNKNOWN, shows
from rules.signs import certificates, signs
from schemas.tables.assessment import CATEGORIES, SERVICE_GAP

ASPECTS = ("幼有所育", "学有所教", "病有所医", "住有所居", "弱有所扶", "发展保障")
_CONDITIONS = ("any", "school_age", "into_city", "subsidisable")


def gaps(
    children: pl.LazyFrame, facts: Facts, assessment: pl.LazyFrame, as_of: date, p: Parameters, *, found: pl.LazyFrame | None = None
) -> pl.DataFrame:
    """Every item of the service list (实施方案二(三)5) for every flowing child whom it is for.

    An item that a record can show is `has`, `missing` or `unknown` as that record says, and without a record what the item
    says of that; an item that no feed can show is `unknown`.

    Args:
        children: person_id, birth_date, sex.
        found: the signs of need, where they are at hand.

    Returns:
        SERVICE_GAP in the order of its key.
    """
    flowing = assessment.filter(pl.col("outcome") == "flowing").select(
        "person_id", "residence_district", "residence_division", "direction", "birth_date"
    )
    child = flowing.join(children.select("person_id", "sex"), on="person_id", how="left").collect().lazy()
    need = (signs(facts, as_of, p) if found is None else found).select("person_id", "category")
    said = shows(facts, child, as_of, p).collect().lazy()
    answers = listed(said, ["person_id", "show"], "basis", pl.col("status").first())
    traits = pl.concat([need.rename({"category": "trait"}), _traits(child, said, facts, as_of, p)]).unique()
    owed = _owed(child, traits, as_of, p)
    joined = owed.join(answers, left_on=["person_id", "shown_by"], right_on=["person_id", "show"], how="left").with_columns(
        pl.coalesce("status", "no_record").alias("status"), pl.col("basis").fill_null([])
    )
    return SERVICE_GAP.conform(joined.collect()).sort(SERVICE_GAP.key)


def items_of(p: Parameters) -> list[dict[str, Any]]:
    """The items of the service list in force.

    Raises:
        LawError: a row has an aspect, condition, record or answer that nobody knows, or no age.
    """
    allowed = {
        "aspect": ASPECTS,
        "condition": (*_CONDITIONS, *CATEGORIES),
        "shown_by": (*SHOWN, None),
        "no_record": (MISSING, UNKNOWN),
        "verified": (True, False),
    }
    return table(p, "services/items", "item", allowed, ("from_months", "until_months"))


def _owed(child: pl.LazyFrame, traits: pl.LazyFrame, as_of: date, p: Parameters) -> pl.LazyFrame:
    """The items each child is of the age for and in the condition for; a child of unknown age is owed everything."""
    return pl.concat(
        [
            child.filter(
                aged("birth_date", item["from_months"], as_of).fill_null(True)
                & ~aged("birth_date", item["until_months"], as_of).fill_null(False)
            )
            .join(traits.filter(pl.col("trait") == item["condition"]), on="person_id", how="semi")
            .select(
                "person_id",
                *(pl.lit(item[name], dtype=pl.String).alias(name) for name in ("aspect", "item", "department", "shown_by", "no_record")),
                pl.lit(item["verified"]).alias("is_verified"),
            )
            for item in items_of(p)
        ]
    )


def _traits(child: pl.LazyFrame, said: pl.LazyFrame, facts: Facts, as_of: date, p: Parameters) -> pl.LazyFrame:
    """What beside a key-care category decides whom an item is for: person_id, trait (any, school_age, into_city, subsidisable)."""

    def having(frame: pl.LazyFrame, trait: str) -> pl.LazyFrame:
        return frame.select("person_id", pl.lit(trait).alias("trait"))

    subsidised = said.filter((pl.col("show") == "subsidised") & (pl.col("status") == "has"))
    relieved = rows(facts, "assistance").filter(pl.col("kind").is_in(p["services/subsidised_relief"]) & runs_on(as_of, "granted_on", "stopped_on"))
    severe = certificates(facts, as_of).filter((pl.col("standing") == "valid") & pl.col("level").is_in(p["services/severe_levels"]))
    return pl.concat(
        [
            having(child, "any"),
            having(child.filter(school_age(pl.col("birth_date"), as_of, p).fill_null(True)), "school_age"),
            having(child.filter(pl.col("direction") == "into_city"), "into_city"),
            *(having(frame, "subsidisable") for frame in (subsidised, relieved, severe)),
        ]
    )
