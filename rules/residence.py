"""Where a child lives now. Enters: claims in order. Leaves: readings (one a case, more where two places have equal evidence), and residence episodes (decisions, 'The residence timeline')."""

from __future__ import annotations

from datetime import date

import polars as pl

from rules.law import Parameters
from rules.timeline import SIGHTED

_NEWNESS = ("confirmed_on", "own_last")
_PLACE = ("district", "in_zone", "in_city", "code", "township")
# what is told of a place a child may live at now, and of a stay
_NOW = ("case", "claim", "kind", "began", "began_by", "strength", "feed", "confirmed_on", "left_district", *_PLACE)
_ROW = ("feed", "source_file", "source_row", "says")
_STAYS = (
    "case", "district", "stay", "claim", "person_id", "township", "began", "began_by", "own_last", "ended_on", "is_ended", "strength", "confirmed_on", "record_hash", *_ROW,
)  # fmt: skip


def now(ordered: pl.DataFrame, cases: pl.DataFrame, as_of: date, p: Parameters) -> pl.DataFrame:
    """The places where a child may live now, by the strongest and newest sign that still holds.

    Args:
        ordered: claims as `rules.timeline.in_order` gives them.
        cases: case, hukou_district.

    Returns:
        One row per reading: reading (running number), case, claim (the deciding one; null where nothing says where the child lives), kind,
        began, began_by, strength, feed, and of the place: district, in_zone, in_city, code, township, left_district.
    """
    standing = ordered.select(*_NOW, "own_last", "at_home", "hukou_in_zone", "is_ended", "yields", "boards").filter(~pl.col("is_ended") & ~pl.col("yields") & ~pl.col("boards") & pl.col("kind").is_in(["stay", "return"]))
    first = standing.filter(pl.col("strength") == pl.col("strength").max().over("case"))
    first = first.filter(pl.col("confirmed_on") == pl.col("confirmed_on").max().over("case"))
    first = first.filter(pl.col("own_last").is_null() | (pl.col("own_last") == pl.col("own_last").max().over("case")))
    best = _best_of_district(first)
    chosen = _still_away(best, standing, ordered, as_of, p)
    return cases.select("case").join(chosen.select(_NOW), on="case", how="left").sort("case", "claim").with_row_index("reading")


def _best_of_district(signs: pl.DataFrame) -> pl.DataFrame:
    """One sign for each place in the running: a dated one before one without, then by content."""
    order = ["case", "district", "own_last", "began_by", "began", "claim"]
    return signs.sort(order, descending=[False, False, True] + [False] * (len(order) - 3), nulls_last=True).unique(subset=["case", "district"], keep="first", maintain_order=True)


def _still_away(best: pl.DataFrame, standing: pl.DataFrame, ordered: pl.DataFrame, as_of: date, p: Parameters) -> pl.DataFrame:
    """A child back at the hukou place for a holiday's length still lives where it lived before, if that was away, unless a record ends that stay (decision 6)."""
    days = p["residence/home_days_bridged"]
    since = pl.col("began")
    back = best.filter(
        pl.col("at_home") & (pl.col("kind") == "stay") & (pl.col("began_by") < SIGHTED) & ((pl.lit(as_of) - since).dt.total_days() <= days)
    ).select("case", pl.col("claim").alias("home_claim"), since.alias("home_since"))
    left = (
        ordered.select("case", "kind", "leaves", "at_home", "ended_on")
        .filter(pl.col("leaves") & ~pl.col("at_home") & (pl.col("kind") != "return"))
        .join(back, on="case")
        .filter(pl.col("ended_on").is_null() | (pl.col("ended_on") >= pl.col("home_since").dt.offset_by(f"-{days}d")))
    )
    both_in_zone = (pl.col("in_zone") & pl.col("hukou_in_zone")).fill_null(False)
    before = (
        standing.filter(pl.col("strength") > p["evidence/strength"]["medical_insurance"])
        .join(back.join(left, on="case", how="anti"), on="case")
        .filter(pl.col("began") < pl.col("home_since"))
        .sort("case", "strength", *_NEWNESS, "claim", descending=[False, True, True, True, False], nulls_last=True)
        .unique(subset="case", keep="first", maintain_order=True)
        .filter(~pl.col("at_home") & ~both_in_zone)
    )
    return pl.concat([best.join(before, left_on="claim", right_on="home_claim", how="anti"), before.select(best.columns)])


def episodes(ordered: pl.DataFrame, readings: pl.DataFrame) -> pl.DataFrame:
    """The stays of each child, from the claims of the reading that was taken.

    Args:
        readings: reading, case, claim, district of the readings taken, one a child.

    Returns:
        RESIDENCE_EPISODE, not yet conformed. A stay that no record ended, in another place than the present one, ended when the present one began: with its
        first sign at least as strong.
    """
    taken = readings.select("case", pl.col("claim").alias("taken"), pl.col("district").alias("lives_in"), pl.col("began").alias("now_began"))
    stays = _numbered(ordered.select(*_STAYS, "kind").filter(pl.col("kind") != "left").join(taken, on="case"))
    grouped = (
        stays.group_by("episode", maintain_order=True)
        .agg(
            pl.col("case", "person_id", "district", "now_began").first(),
            pl.col("began").min().alias("from_date"),
            pl.when(pl.col("is_ended").all()).then(pl.coalesce("ended_on", "own_last", "began").max()).alias("to_date"),
            pl.col("strength", "confirmed_on").max(),
            (pl.col("claim") == pl.col("taken")).any().fill_null(False).alias("is_current"),
            (pl.col("district") != pl.col("lives_in")).first().fill_null(False).alias("elsewhere"),
            pl.col("is_ended").all(),
        )
        .join(_foremost(stays.filter(pl.col("township").is_not_null()), "township", "strength", "confirmed_on", descending=True), on="episode", how="left")
        .join(_foremost(stays, "began_by", "began"), on="episode", how="left")
        .join(_told(stays), on="episode", how="left")
    )
    grouped = grouped.join(_given_way(grouped, stays), on="episode", how="left")
    superseded = pl.col("elsewhere") & ~pl.col("is_ended") & (pl.col("from_date").fill_null(date.min) < pl.col("now_began"))
    return grouped.with_columns(
        pl.when(superseded).then(pl.coalesce("gave_way_on", "now_began")).otherwise("to_date").alias("to_date"),
        (pl.col("began_by").fill_null(SIGHTED) > 0).alias("is_inferred"),
        pl.col("district").alias("division"),
    )


def _given_way(grouped: pl.DataFrame, stays: pl.DataFrame) -> pl.DataFrame:
    """When each stay elsewhere that runs met the first later sign of the present one that is at least as strong: episode, gave_way_on."""
    present = stays.join(grouped.filter("is_current"), on="episode", how="semi").select("case", pl.col("strength").alias("present_strength"), pl.col("began").alias("present_began"))
    running = grouped.filter(pl.col("elsewhere") & ~pl.col("is_ended")).select("episode", "case", "strength", pl.col("from_date").fill_null(date.min))
    met = running.join(present, on="case").filter((pl.col("present_strength") >= pl.col("strength")) & (pl.col("present_began") > pl.col("from_date")))
    return met.group_by("episode").agg(pl.col("present_began").min().alias("gave_way_on"))


def _numbered(stays: pl.DataFrame) -> pl.DataFrame:
    """The claims in the order of their stays, with the running number of the stay: `episode`."""
    ordered = stays.sort("case", "district", "stay", "claim")
    begins = pl.any_horizontal(pl.col(name) != pl.col(name).shift(1) for name in ("case", "district", "stay"))
    return ordered.with_columns(begins.fill_null(True).cum_sum().alias("episode"))


def _foremost(stays: pl.DataFrame, what: str, *by: str, descending: bool = False) -> pl.DataFrame:
    """What the claim says that comes first in each stay, missing values last; of equal ones the first claim: episode, `what`."""
    order = ["episode", *by, "claim"]
    return stays.select(*dict.fromkeys([*order, what])).sort(order, descending=[False, *[descending] * len(by), False], nulls_last=True).unique("episode", keep="first", maintain_order=True).select("episode", what)


def _told(stays: pl.DataFrame) -> pl.DataFrame:
    """The rows that tell of each stay, each once, in the order of its claims: episode, evidence. Only claims of equal content are compared text by text."""
    rows = stays.select("episode", "claim", *_ROW)
    shared = stays.select("episode", "record_hash").is_duplicated()
    if shared.any():
        once = rows.filter(shared).unique(subset=["episode", *_ROW], keep="first", maintain_order=True)
        rows = pl.concat([rows.filter(~shared), once]).sort("episode", "claim")
    return rows.group_by("episode", maintain_order=True).agg(pl.struct(_ROW).alias("evidence"))
