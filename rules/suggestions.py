"""Which place could help which child (智能匹配). Enters: needs of key-care children, missing services, resources. Leaves: match_suggestion, room respected, explained."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from rules.eligibility import months_between
from rules.law import Parameters
from rules.law_table import table
from rules.services import items_of
from schemas.filled import filled
from schemas.reference.days import is_city
from schemas.tables.assessment import CATEGORIES, RESTRICTED_CATEGORIES
from schemas.tables.care import MATCH_SUGGESTION, NEARNESS

_NEAR = dict(zip(NEARNESS, ("同一乡镇街道", "同一区县", "中心城区", "本市"), strict=True))
_REQUEST = ["person_id", "need"]


def suggest(
    key_care: pl.LazyFrame, gaps: pl.LazyFrame, assessment: pl.LazyFrame, resources: pl.DataFrame, as_of: date, p: Parameters
) -> pl.DataFrame:
    """The nearest fitting place with room for each need (实施方案二(一)2“关爱保护资源智能匹配”).

    A place fits when it is open, offers what is needed to the child's age, and reaches where the child lives: of reach
    乡镇街道 its own township, 区县 its district, 全市 everybody. Nearer goes before farther; of equally near ones the one
    with more room, then the smaller number. Where room is short the more urgent need goes first (resources/needs), then who
    has waited longest. A suggestion takes one place; one whose capacity is not stated has room for all.

    Args:
        key_care, gaps, assessment: KEY_CARE, SERVICE_GAP and ASSESSMENT of tonight.
        resources: RESOURCE.

    Returns:
        MATCH_SUGGESTION in the order of its key: every need of children who live in the city; none at all where no resource came.
    """
    if resources.is_empty():
        return MATCH_SUGGESTION.empty()
    asked = _requests(key_care, gaps, assessment, as_of, p).collect()
    fitting = _fitting(asked, resources, p)
    given = allocate(fitting)
    fits = fitting.group_by("rank").agg(pl.len().alias("fits"))
    told = asked.join(fits, on="rank", how="left").join(given, on="rank", how="left").with_columns(_status().alias("status"))
    named = told.with_columns(_why().alias("why"), pl.col("near").replace_strict(dict(enumerate(NEARNESS)), return_dtype=pl.String).alias("nearness"))
    return MATCH_SUGGESTION.conform(named.rename({"name": "resource_name"})).sort(MATCH_SUGGESTION.key)


def needs_of(p: Parameters) -> list[dict[str, Any]]:
    """What each ground asks for.

    Raises:
        LawError: a ground that is neither a key-care category nor an item of the service list, or no order.
    """
    grounds = (*CATEGORIES, *(item["item"] for item in items_of(p)))
    return table(p, "resources/needs", "ground", {"ground": grounds}, ("order",))


def allocate(fitting: pl.DataFrame) -> pl.DataFrame:
    """Who gets which place: each request in the order of its rank takes the first of its choices that has room left.

    All at once instead of one by one: every request asks for its first choice; a place that more ask for than it has room
    keeps the first in rank and is closed to whoever comes after the last of them; who was refused asks the next one, until
    nobody is refused. A closed place never opens again, so it ends.

    Args:
        fitting: rank (of the request), choice (0 is the first), resource_id, room (null: without limit), and more.

    Returns:
        the rows of `fitting` that were granted; one a request at most.
    """
    left = fitting.filter((pl.col("room") > 0).fill_null(True)).sort("rank", "choice")
    while True:
        asks = left.unique("rank", keep="first", maintain_order=True).with_columns(pl.col("rank").rank("ordinal").over("resource_id").alias("place"))
        if asks.filter(pl.col("place") > pl.col("room")).is_empty():
            return asks.drop("place")
        last = asks.filter(pl.col("place") == pl.col("room")).select("resource_id", pl.col("rank").alias("last"))
        left = left.join(last, on="resource_id", how="left", maintain_order="left").filter((pl.col("rank") <= pl.col("last")).fill_null(True)).drop("last")


def _requests(key_care: pl.LazyFrame, gaps: pl.LazyFrame, assessment: pl.LazyFrame, as_of: date, p: Parameters) -> pl.LazyFrame:
    """One row a child and need, with `rank` in the order in which they are served, and where the child lives."""
    needs = pl.LazyFrame(needs_of(p))
    since = pl.coalesce("since", "first_listed_on")
    grounds = pl.concat(
        [
            key_care.select("person_id", pl.col("category").alias("ground"), since.alias("since")),
            gaps.filter(pl.col("status") == "missing").select("person_id", pl.col("item").alias("ground"), pl.lit(None, pl.Date).alias("since")),
        ]
    )
    home = assessment.filter(is_city(pl.col("residence_district"))).select(
        "person_id", pl.col("residence_district").alias("district"), pl.col("residence_township").alias("township"), "birth_date"
    )
    return (
        grounds.join(needs, on="ground")
        .group_by(_REQUEST)
        .agg(
            pl.col("ground").unique().sort(), pl.col("order").min(), pl.col("since").min(),
            pl.col("ground").is_in(RESTRICTED_CATEGORIES).any().alias("is_restricted"),
        )
        .join(home, on="person_id")
        .with_columns((months_between("birth_date", as_of) // 12).alias("age"))
        .sort("order", "since", *_REQUEST, nulls_last=True)
        .with_row_index("rank")
    )  # fmt: skip


def _fitting(asked: pl.DataFrame, resources: pl.DataFrame, p: Parameters) -> pl.DataFrame:
    """Every place that fits a request: rank, choice (0 is the nearest), resource_id, room and what is said of the place."""
    room = (pl.col("capacity") - pl.col("in_use").fill_null(0)).clip(lower_bound=0).alias("room")
    places = (
        resources.filter("is_open")
        .select("resource_id", "name", "kind", "reach", "age_from", "age_to", room, pl.col("offers").alias("need"),
                pl.col("district").alias("place_district"), pl.col("township").alias("place_township"))
        .explode("need", empty_as_null=True)
    )  # fmt: skip
    zone = p["zone/districts"]
    same_district = (pl.col("place_district") == pl.col("district")).fill_null(False)
    same_township = same_district & (pl.col("place_township") == pl.col("township")).fill_null(False)
    reaches = pl.when(pl.col("reach") == "乡镇街道").then(same_township).when(pl.col("reach") == "区县").then(same_district).otherwise(True)
    nearness = (
        pl.when(same_township)
        .then(0)
        .when(same_district)
        .then(1)
        .when(pl.col("place_district").is_in(zone) & pl.col("district").is_in(zone))
        .then(2)
        .otherwise(3)
    )
    wrong_age = ((pl.col("age") < pl.col("age_from")).fill_null(False)) | ((pl.col("age") > pl.col("age_to")).fill_null(False))
    return (
        asked.select("rank", "need", "district", "township", "age")
        .join(places, on="need")
        .filter(reaches & ~wrong_age)
        .with_columns(nearness.alias("near"))
        .sort("rank", "near", pl.col("room").fill_null(0), "resource_id", descending=[False, False, True, False])
        .select("rank", pl.int_range(pl.len()).over("rank").alias("choice"), "resource_id", "name", "kind", "near", "room")
    )


def _status() -> pl.Expr:
    return pl.when(pl.col("resource_id").is_not_null()).then(pl.lit("matched")).when(pl.col("fits").is_not_null()).then(pl.lit("full")).otherwise(pl.lit("none_fits"))


def _why() -> pl.Expr:
    """Why this place, or why none, in Chinese."""
    near = pl.col("near").replace_strict(dict(enumerate(_NEAR.values())), return_dtype=pl.String)
    place = filled("{}的{}“{}”提供{}，服务年龄相符", near, pl.col("kind").fill_null("机构"), "name", "need")
    room = pl.when(pl.col("room").is_null()).then(pl.lit("；未登记容量，请先联系确认")).otherwise(filled("；空余{}个名额", "room"))
    passed = pl.when(pl.col("choice") > 0).then(filled("；更近或更宽裕的{}处名额已排满", "choice")).otherwise(pl.lit(""))
    return (
        pl.when(pl.col("status") == "matched")
        .then(pl.concat_str(place, room, passed))
        .when(pl.col("status") == "full")
        .then(filled("有{}处资源提供{}且服务年龄相符，名额均已排满", "fits", "need"))
        .otherwise(filled("没有覆盖现居住地、服务年龄相符的资源提供{}", "need"))
    )
