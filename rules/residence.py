"""Where a child lives now. Enters: claims in order. Leaves: readings (one a case, more where two places have equal evidence), and residence episodes (decisions, 'The residence timeline')."""

from __future__ import annotations

from datetime import date

import polars as pl

from rules.law import Parameters
from rules.timeline import SIGHTED

_NEWNESS = ("confirmed_on", "own_last")
_PLACE = ("district", "in_zone", "in_city", "code", "township")


def now(ordered: pl.DataFrame, cases: pl.DataFrame, as_of: date, p: Parameters) -> pl.DataFrame:
    """The places where a child may live now, by the strongest and newest sign that still holds.

    Args:
        ordered: claims as `rules.timeline.in_order` gives them.
        cases: case, hukou_district.

    Returns:
        One row per reading: reading (running number), case, claim (the deciding one; null where nothing says where the child lives), kind,
        began, began_by, strength, feed, and of the place: district, in_zone, in_city, code, township, left_district.
    """
    standing = ordered.filter(~pl.col("is_ended") & ~pl.col("yields") & ~pl.col("boards") & pl.col("kind").is_in(["stay", "return"]))
    first = standing.filter(pl.col("strength") == pl.col("strength").max().over("case"))
    first = first.filter(pl.col("confirmed_on") == pl.col("confirmed_on").max().over("case"))
    first = first.filter(pl.col("own_last").is_null() | (pl.col("own_last") == pl.col("own_last").max().over("case")))
    best = _best_of_district(first)
    chosen = _still_away(best, standing, ordered, as_of, p)
    columns = ["case", "claim", "kind", "began", "began_by", "strength", "feed", "confirmed_on", "left_district", *_PLACE]
    return cases.select("case").join(chosen.select(columns), on="case", how="left").sort("case", "claim").with_row_index("reading")


def _best_of_district(signs: pl.DataFrame) -> pl.DataFrame:
    """One sign for each place in the running: a dated one before one without, then by content."""
    order = ["case", "district", "own_last", "began_by", "began", "claim"]
    return signs.sort(order, descending=[False, False, True] + [False] * (len(order) - 3), nulls_last=True).unique(subset=["case", "district"], keep="first", maintain_order=True)


def _still_away(best: pl.DataFrame, standing: pl.DataFrame, ordered: pl.DataFrame, as_of: date, p: Parameters) -> pl.DataFrame:
    """A child back at the hukou place for a holiday's length still lives where it lived before, unless a record ends that stay (decision 6)."""
    days = p["residence/home_days_bridged"]
    since = pl.col("began")
    back = best.filter(
        pl.col("at_home") & (pl.col("kind") == "stay") & (pl.col("began_by") < SIGHTED) & ((pl.lit(as_of) - since).dt.total_days() <= days)
    ).select("case", pl.col("claim").alias("home_claim"), since.alias("home_since"))
    left = (
        ordered.filter(pl.col("leaves") & ~pl.col("at_home") & (pl.col("kind") != "return"))
        .join(back, on="case")
        .filter(pl.col("ended_on").is_null() | (pl.col("ended_on") >= pl.col("home_since").dt.offset_by(f"-{days}d")))
    )
    both_in_zone = (pl.col("in_zone") & pl.col("hukou_in_zone")).fill_null(False)
    before = (
        standing.filter(~pl.col("at_home") & ~both_in_zone & (pl.col("strength") > p["evidence/strength"]["medical_insurance"]))
        .join(back.join(left, on="case", how="anti"), on="case")
        .filter(pl.col("began") < pl.col("home_since"))
        .sort("case", "strength", *_NEWNESS, "claim", descending=[False, True, True, True, False], nulls_last=True)
        .unique(subset="case", keep="first", maintain_order=True)
    )
    return pl.concat([best.join(before, left_on="claim", right_on="home_claim", how="anti"), before.select(best.columns)])


def episodes(ordered: pl.DataFrame, readings: pl.DataFrame) -> pl.DataFrame:
    """The stays of each child, from the claims of the reading that was taken.

    Args:
        readings: reading, case, claim, district of the readings taken, one a child.

    Returns:
        RESIDENCE_EPISODE, not yet conformed. A stay that no record ended, in another place than the present one, ended when the present one began.
    """
    stays = ordered.filter(pl.col("kind") != "left").join(readings.select("case", pl.col("claim").alias("taken"), pl.col("district").alias("lives_in"), pl.col("began").alias("now_began")), on="case")
    row = pl.struct("feed", "source_file", "source_row", "says")
    grouped = (
        stays.sort("case", "district", "stay", "claim")
        .group_by("person_id", "district", "stay", maintain_order=True)
        .agg(
            pl.col("township").sort_by("strength", "confirmed_on", descending=True, nulls_last=True, maintain_order=True).drop_nulls().first(),
            pl.col("began").min().alias("from_date"),
            pl.when(pl.col("is_ended").all()).then(pl.coalesce("ended_on", "own_last", "began").max()).alias("to_date"),
            pl.col("began_by").sort_by("began", nulls_last=True, maintain_order=True).first().alias("began_by"),
            pl.col("strength").max(),
            pl.col("confirmed_on").max(),
            (pl.col("claim") == pl.col("taken")).any().fill_null(False).alias("is_current"),
            (pl.col("district") != pl.col("lives_in")).first().fill_null(False).alias("elsewhere"),
            pl.col("is_ended").all().alias("is_ended"),
            pl.col("now_began").first(),
            row.unique(maintain_order=True).alias("evidence"),
        )
    )
    superseded = pl.col("elsewhere") & ~pl.col("is_ended") & (pl.col("from_date").fill_null(date.min) < pl.col("now_began"))
    return grouped.with_columns(
        pl.when(superseded).then("now_began").otherwise("to_date").alias("to_date"),
        (pl.col("began_by").fill_null(SIGHTED) > 0).alias("is_inferred"),
        pl.col("district").alias("division"),
    )
