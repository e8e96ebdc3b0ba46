"""With whom a child lives. Enters: facts and the place where each child lives. Leaves: both, one, other_guardian, none or unknown (decision 15; 随父母或其他监护人双方或一方)."""

from __future__ import annotations

from datetime import date

import polars as pl

from rules.basis import Facts, surveys
from rules.law import Parameters
from rules.places import with_district
from rules.signs import registered
from rules.visits import all_clear

_SURVEYED = {
    "父母双方": "both", "父母一方": "one", "祖辈": "other_guardian", "其他亲属": "other_guardian", "无人监护": "none", "独自居住": "none",
}  # fmt: skip
_ORDER = ("confirmed_on", "record_hash", "source_file", "source_row")


def accompanied(facts: Facts, living: pl.LazyFrame, as_of: date, p: Parameters) -> pl.LazyFrame:
    """With whom each child lives at its present place: the newest survey there, else those the residence register names there.

    That nobody does is withdrawn by a visit at least as new that found none of the situations of 强制报告. A guardian on a school's form or a medical file need not live with the child, and is no answer.

    Args:
        living: person_id, district (where it lives), hukou_district.

    Returns:
        person_id, accompanied; children of whom nothing is known are left out.
    """
    surveyed = _there(_surveys(facts, as_of), living, as_of, p)
    newest = surveyed.sort("person_id", *_ORDER, descending=[False, True, False, False, False]).unique(subset="person_id", keep="first", maintain_order=True)
    nobody = pl.col("guardianship").is_in([word for word, answer in _SURVEYED.items() if answer == "none"])
    stands = _uncleared(newest, nobody, "confirmed_on", all_clear(facts, as_of, p))
    said = stands.select("person_id", pl.col("guardianship").replace_strict(_SURVEYED, default=None).alias("accompanied")).drop_nulls()
    named = _there(_registrations(facts, as_of, p), living, as_of, p).group_by("person_id").agg(pl.col("lives_with_relation").unique())
    with_whom = pl.col("lives_with_relation")
    parents = with_whom.list.contains("父亲").cast(pl.Int8) + with_whom.list.contains("母亲").cast(pl.Int8)
    answer = (
        pl.when(parents == 2)
        .then(pl.lit("both"))
        .when(parents == 1)
        .then(pl.lit("one"))
        .when(with_whom.list.eval(pl.element().is_in(["祖父母", "外祖父母", "其他亲属"])).list.any())
        .then(pl.lit("other_guardian"))
        .when(with_whom.list.contains("无同住人"))
        .then(pl.lit("none"))
    )
    shown = named.select("person_id", answer.alias("accompanied")).drop_nulls().join(said, on="person_id", how="anti")
    return pl.concat([said, shown])


def _surveys(facts: Facts, as_of: date) -> pl.LazyFrame:
    back = (pl.col("presence") == "已返回户籍地").fill_null(False)
    return surveys(facts, as_of).filter(pl.col("guardianship").is_not_null()).select(
        "person_id", "record_hash", "source_file", "source_row", "guardianship", pl.col("seen_on").alias("confirmed_on"), back.alias("back"), *_place("residence")
    )  # fmt: skip


def _registrations(facts: Facts, as_of: date, p: Parameters) -> pl.LazyFrame:
    named = registered(facts, as_of).filter(pl.col("lives_with_relation").is_not_null()).with_columns(told_on=pl.max_horizontal("registered_on", "arrived_on"))
    stands = _uncleared(named, pl.col("lives_with_relation") == "无同住人", "told_on", all_clear(facts, as_of, p))
    return stands.select("person_id", "lives_with_relation", pl.lit(False).alias("back"), *_place("residence"))


def _uncleared(told: pl.LazyFrame, nobody: pl.Expr, told_on: str, cleared: pl.LazyFrame) -> pl.LazyFrame:
    """The rows without those that say nobody, where a visit at least as new found the child cared for."""
    withdrawn = nobody & pl.col("cleared_on").is_not_null() & ~(pl.col(told_on) > pl.col("cleared_on")).fill_null(False)
    return told.join(cleared, on="person_id", how="left").filter(~withdrawn).drop("cleared_on")


def _place(stem: str) -> list[pl.Expr]:
    return [pl.col(f"{stem}_{part}").alias(part) for part in ("code", "township", "written")]


def _there(told: pl.LazyFrame, living: pl.LazyFrame, as_of: date, p: Parameters) -> pl.LazyFrame:
    """The rows that speak of the place where the child lives; a return speaks of the hukou place."""
    placed = with_district(told, as_of, p).join(living.select("person_id", pl.col("district").alias("lives_in"), "hukou_district"), on="person_id")
    return placed.filter(pl.when("back").then("hukou_district").otherwise("district") == pl.col("lives_in"))
