"""How long a child has been away. Enters: claims in order and the place each reading takes. Leaves: when the absence began, and when the last one ended (decisions 5, 6, 7, 10)."""

from __future__ import annotations

from datetime import date

import polars as pl

from rules.law import Parameters
from rules.timeline import INFERRED, SIGHTED, STATED

_LATER_FIRST = ("strength", "is_taken", "confirmed_on", "own_last")
# what the clock looks at of a claim
_CLAIM = ("claim", "case", "kind", "district", "in_zone", "began", "began_by", "ends_before", "onward", "strength", "confirmed_on", "own_last")


def run(ordered: pl.DataFrame, readings: pl.DataFrame, former: pl.DataFrame, as_of: date, p: Parameters) -> pl.DataFrame:
    """The clock of each reading.

    Args:
        ordered: claims as `rules.timeline.in_order` gives them.
        readings: reading, case, person_id, claim, district, began, began_by, birth_date, hukou_district, hukou_in_zone.
        former: earlier hukous as `rules.hukou.earlier` gives them.

    Returns:
        reading, and:
        away_since: the day the present absence began; null where the child is not away or no record has a date.
        away_by: STATED, INFERRED or SIGHTED (known only to be no later than that day).
        certain_since, certain_by: the same, where a long stretch of which no record tells counts as being back; never earlier than away_since.
        absence_ended: the day after the last day in another district than the hukou's; null where there was none.
        home_until: the day after the last day of the last stay at home that broke an absence, or would have; null where there was none.
    """
    spans = _spans(ordered, readings, former, as_of)
    runs = _runs(spans)
    home_days, gap_days = p["residence/home_days_bridged"], p["residence/unknown_days_bridged"]
    long_home = (pl.col("state") == "home") & (pl.col("days") > home_days)
    long_gap = (pl.col("state") == "gap") & (pl.col("days") > gap_days)
    lenient = _since(spans, runs.filter(long_home)).rename({"since": "away_since", "by": "away_by"})
    certain = _since(spans, runs.filter(long_home | long_gap)).rename({"since": "certain_since", "by": "certain_by"})
    ended = spans.filter(pl.col("elsewhere")).group_by("reading").agg(pl.col("until").max().alias("absence_ended"))
    home = runs.filter(long_home).group_by("reading").agg(pl.col("until").max().alias("home_until"))
    clock = readings.select("reading", "case", "birth_date", "kind")
    for told in (lenient, certain, ended, home):
        clock = clock.join(told, on="reading", how="left")
    return _from_birth(clock, ordered, p)


def _spans(ordered: pl.DataFrame, readings: pl.DataFrame, former: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """The time of each reading cut wherever something begins or ends, each span with the claim that holds in it.

    Returns:
        reading, mark, until, state (away, home, gap), elsewhere (in another district than the hukou's, that day's and today's), by (how its beginning is known).
    """
    own = readings.select("reading", "case", "person_id", "district", "hukou_district", "hukou_in_zone")
    moving = ordered.select("case", "at_home", "kind").filter((~pl.col("at_home")) | (pl.col("kind") == "return")).select("case").unique()
    lived = pl.col("claim").is_in(_unaccompanied_boarding(ordered)).not_() & pl.col("began").is_not_null() & (pl.col("ends_before") > pl.col("began"))
    claims = (
        ordered.select(_CLAIM)
        .filter(lived)
        .join(moving, on="case", how="semi")
        .join(own.rename({"district": "taken_district"}), on="case", suffix="_own")
        .filter((pl.col("kind") != "left") | ~pl.col("hukou_in_zone").fill_null(False))
        .with_columns((pl.col("district") == pl.col("taken_district")).fill_null(False).alias("is_taken"))
    )
    changes = former.join(own, on="person_id").select("reading", pl.col("until").alias("mark")).join(claims.select("reading").unique(), on="reading", how="semi")
    marks = (
        pl.concat([claims.select("reading", pl.col("began").alias("mark")), claims.select("reading", pl.col("ends_before").alias("mark")), changes])
        .filter(pl.col("mark") <= as_of)
        .unique()
        .sort("reading", "mark")
        .with_columns(pl.col("mark").shift(-1).over("reading").fill_null(as_of).alias("until"))
    )
    covering = (
        marks.join(claims, on="reading")
        .filter((pl.col("began") <= pl.col("mark")) & (pl.col("mark") < pl.col("ends_before")))
        .sort("reading", "mark", *_LATER_FIRST, "began", "claim", descending=[False, False, True, True, True, True, False, False], nulls_last=True)
        .unique(subset=["reading", "mark"], keep="first", maintain_order=True)
        .select("reading", "mark", "district", "in_zone", "kind", "began", "began_by", "onward")
    )
    joined = marks.join(covering, on=["reading", "mark"], how="left").join(own.select("reading", "person_id", "hukou_district", "hukou_in_zone"), on="reading")
    return _states(_with_hukou_then(joined, former))


def _unaccompanied_boarding(ordered: pl.DataFrame) -> pl.Series:
    """Claims of boarders' schools in stays of which nothing else tells: no sign of residence by themselves (decision 16)."""
    stays = ["case", "district", "stay"]
    claims = ordered.select(*stays, "claim", "boards")
    return claims.filter("boards").join(claims.filter(~pl.col("boards")), on=stays, how="anti").get_column("claim")


def _with_hukou_then(spans: pl.DataFrame, former: pl.DataFrame) -> pl.DataFrame:
    """The hukou as it was when each span began: an earlier one that the register still shows, else today's."""
    then = spans.sort("mark").join_asof(
        former.with_columns(pl.col("until").alias("former_until")).rename({"until": "held_before"}).sort("held_before"),
        left_on="mark", right_on="held_before", by="person_id", strategy="forward", allow_exact_matches=False, check_sortedness=False,
    )  # fmt: skip
    return then.with_columns(
        pl.coalesce("former_district", "hukou_district").alias("hukou_then"),
        pl.coalesce("former_in_zone", "hukou_in_zone").alias("zone_then"),
    ).sort("reading", "mark")


def _states(spans: pl.DataFrame) -> pl.DataFrame:
    """Whether the child was away, at home (or exempt within the zone), or nobody tells; a gap after 迁往他处 is away where the stay before it was, unless the
    unknown place may lie in the zone with the hukou (decisions 4, 5)."""
    told = pl.col("kind").is_not_null()
    at_home = ((pl.col("district") == pl.col("hukou_then")) | (pl.col("in_zone") & pl.col("zone_then"))).fill_null(False)
    went_on = (pl.col("onward") & ~at_home & ~pl.col("zone_then").fill_null(False)).forward_fill().over("reading").fill_null(False)
    own_beginning = pl.when(pl.col("began") == pl.col("mark")).then("began_by").otherwise(INFERRED)
    hukou_changed = (pl.col("hukou_then") != pl.col("hukou_then").shift(1).over("reading")).fill_null(False)
    return spans.with_columns(
        pl.when(told & at_home).then(pl.lit("home")).when(told).then(pl.lit("away")).when(went_on).then(pl.lit("away")).otherwise(pl.lit("gap")).alias("state"),
        (told & pl.all_horizontal((pl.col("district") != pl.col(hukou)).fill_null(True) for hukou in ("hukou_district", "hukou_then"))).alias("elsewhere"),
        pl.when(hukou_changed).then(STATED).otherwise(own_beginning).cast(pl.Int8).alias("by"),
    ).select("reading", "mark", "until", "state", "elsewhere", "by")


def _runs(spans: pl.DataFrame) -> pl.DataFrame:
    """Spans of one state on end joined into runs: reading, state, from, until, days."""
    return (
        spans.with_columns(pl.struct("reading", "state").rle_id().alias("run"))
        .group_by("run")
        .agg(pl.col("reading").first(), pl.col("state").first(), pl.col("mark").min().alias("from"), pl.col("until").max())
        .with_columns((pl.col("until") - pl.col("from")).dt.total_days().alias("days"))
    )


def _since(spans: pl.DataFrame, breaks: pl.DataFrame) -> pl.DataFrame:
    """The first span away after the last break: reading, since, by."""
    last = breaks.group_by("reading").agg(pl.col("until").max().alias("broken_until"))
    return (
        spans.filter(pl.col("state") == "away")
        .join(last, on="reading", how="left")
        .filter((pl.col("mark") >= pl.col("broken_until")).fill_null(True))
        .sort("reading", "mark")
        .group_by("reading", maintain_order=True)
        .agg(pl.col("mark").first().alias("since"), pl.col("by").first())
    )


def _from_birth(clock: pl.DataFrame, ordered: pl.DataFrame, p: Parameters) -> pl.DataFrame:
    """A child first seen away as a baby, and never seen at the hukou place, has been away from birth (decision 7)."""
    weak = p["evidence/strength"]["medical_insurance"]
    told = ordered.select("case", "began", "confirmed_on", "strength", "boards", "at_home", "in_zone", "hukou_in_zone")
    seen = told.filter((pl.col("strength") > weak) & ~pl.col("boards"))
    exempt = (pl.col("in_zone") & pl.col("hukou_in_zone")).fill_null(False)
    home = seen.filter(pl.col("at_home") | exempt).select("case").unique()
    first = seen.group_by("case").agg(pl.min_horizontal(pl.col("began").min(), pl.col("confirmed_on").min()).alias("first_seen"))
    baby_until = pl.col("birth_date").dt.offset_by(f"{p['residence/newborn_months']}mo")
    newborn = (
        (pl.col("first_seen") < baby_until)
        & (pl.col("away_by").fill_null(SIGHTED) > STATED)
        & pl.col("never_home")
        & (pl.col("away_since").is_null() | (pl.col("away_since") < baby_until))
    ).fill_null(False)
    never_home = clock.select("case").unique().join(home, on="case", how="anti").with_columns(pl.lit(True).alias("never_home"))
    return (
        clock.join(first, on="case", how="left")
        .join(never_home, on="case", how="left")
        .with_columns(newborn.alias("newborn"))
        .with_columns(
            pl.when("newborn").then("birth_date").otherwise("away_since").alias("away_since"),
            pl.when("newborn").then("birth_date").otherwise("certain_since").alias("certain_since"),
            *(pl.when("newborn").then(INFERRED).otherwise(name).cast(pl.Int8).alias(name) for name in ("away_by", "certain_by")),
        )
        .select("reading", "away_since", "away_by", "certain_since", "certain_by", "absence_ended", "home_until")
    )
