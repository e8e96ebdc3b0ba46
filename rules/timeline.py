"""Claims set in order. Enters: the claims of the rows and the hukou each child is read with. Leaves: claims with their district, when each began and ended, and which no longer hold."""

from __future__ import annotations

from datetime import date

import polars as pl
import polars.selectors as cs

from rules.law import Parameters
from rules.places import with_district

# the last tie-break of every choice: content first, then where the row was found
CONTENT = ("feed", "record_hash", "source_file", "source_row", "kind")
STATED, INFERRED, SIGHTED = 0, 1, 2


def in_order(claims: pl.LazyFrame, cases: pl.LazyFrame, former: pl.LazyFrame, as_of: date, p: Parameters) -> pl.DataFrame:
    """The claims of each case with district, dates and standing.

    Args:
        claims: as `rules.evidence.claims` gives them.
        cases: case, person_id, hukou_district, hukou_in_zone, hukou_in_city (null where the hukou is unknown); a child with two possible hukous has two cases.
        former: earlier hukous as `rules.hukou.earlier` gives them.

    Returns:
        The claims with a running number `claim`, and: case, district, in_zone, in_city; began (the resolved start; null where no record has a
        date), began_by (STATED, INFERRED, SIGHTED); ends_before (the first day it no longer covers); yields (too old against newer signs);
        stay (number of the stay in that district, from one leaving to the next).
    """
    placed = _numbered(_placed(claims, cases, former, as_of, p).collect())
    closings = _closings(placed)
    return _covered(_yielding(_begun(_closed(placed, closings), closings), as_of, p), as_of)


def _placed(claims: pl.LazyFrame, cases: pl.LazyFrame, former: pl.LazyFrame, as_of: date, p: Parameters) -> pl.LazyFrame:
    """Every claim of every case with the district it speaks of; a return speaks of the hukou's on the day of going back."""
    joined = with_district(claims, as_of, p).join(cases.select("case", "person_id", "birth_date", *(f"hukou_{c}" for c in ("district", "in_zone", "in_city", "code", "township"))), on="person_id")
    then = _with_hukou_then(joined, former)
    home, away, moved_since = pl.col("kind") == "return", pl.col("kind") == "left", pl.col("former_district").is_not_null()
    spoken = {
        name: pl.when(home & moved_since).then(f"former_{name}").when(home).then(f"hukou_{name}").when(~away).then(name)
        for name in ("district", "in_zone", "in_city", "code", "township")
    }
    was_home = (pl.col("kind") == "was") & (pl.col("district") == pl.coalesce("former_district", "hukou_district")).fill_null(False)
    return (
        then.with_columns(pl.when(home).then("district").alias("left_district"), *(expr.alias(name) for name, expr in spoken.items()))
        .filter((pl.col("district").is_not_null() | away) & ~was_home)
        .with_columns(
            *(pl.max_horizontal(name, pl.when(pl.col(name).is_not_null()).then("birth_date")).alias(name) for name in ("stated", "firm", "seen")),
            (pl.col("district") == pl.col("hukou_district")).fill_null(False).alias("at_home"),
        )
        .drop("written", "birth_date", "hukou_in_city", "hukou_code", "hukou_township", "went_on", cs.starts_with("former_"))
    )


def _with_hukou_then(joined: pl.LazyFrame, former: pl.LazyFrame) -> pl.LazyFrame:
    """The claims with the earlier hukou (former_<what>) that still held on the day on which a child went back; null where today's did, or the day is unknown."""
    dated = joined.with_columns(pl.when(pl.col("kind") == "was").then("ended_on").when(pl.col("kind") == "return").then("stated").alias("went_on"))
    held = (
        dated.select("person_id", "went_on").unique().join(former, on="person_id").filter(pl.col("went_on") < pl.col("until"))
        .sort("person_id", "went_on", "until").unique(subset=["person_id", "went_on"], keep="first", maintain_order=True).drop("until")
    )  # fmt: skip
    return dated.join(held, on=["person_id", "went_on"], how="left")


def _numbered(placed: pl.DataFrame) -> pl.DataFrame:
    """The claims of each case in the order of their content (CONTENT), numbered; the texts as their places among each other, for those sort quicker."""

    def places(name: str) -> pl.Expr:
        texts = placed.get_column(name).unique().sort()
        return pl.col(name).replace_strict(texts, range(len(texts)), return_dtype=pl.UInt32)

    order = [places(name) if placed.schema[name] == pl.String else pl.col(name) for name in CONTENT]
    return placed.sort("case", *order).with_row_index("claim")


def _closings(placed: pl.DataFrame) -> pl.DataFrame:
    """The days on which some record says that the child left a district: case, district, closed_on."""
    told = placed.select("case", "district", "kind", "leaves", "ended_on", "clears", "confirmed_on")
    left = told.filter(pl.col("leaves") & pl.col("ended_on").is_not_null() & (pl.col("kind") != "return")).select("case", "district", pl.col("ended_on").alias("closed_on"))
    clearing = told.filter("clears").select("case", pl.col("district").alias("here"), pl.col("confirmed_on").alias("closed_on"))
    elsewhere = told.select("case", "district").filter(pl.col("district").is_not_null()).unique().join(clearing, on="case").filter(pl.col("district") != pl.col("here"))
    return pl.concat([left, elsewhere.select(left.columns)]).unique()


def _closed(placed: pl.DataFrame, closings: pl.DataFrame) -> pl.DataFrame:
    """A claim last confirmed no later than a leaving of its district ended with it."""
    running = placed.select("claim", "case", "district", "confirmed_on", "is_ended").filter(~pl.col("is_ended"))
    ended = (
        running.join(closings, on=["case", "district"])
        .filter(pl.col("confirmed_on") <= pl.col("closed_on"))
        .group_by("claim")
        .agg(pl.col("closed_on").min())
    )
    known = pl.col("closed_on").is_not_null()
    return (
        _beside(placed, ended, "claim")
        .with_columns(pl.coalesce("ended_on", "closed_on").alias("ended_on"), (pl.col("is_ended") | known).alias("is_ended"), (pl.col("leaves") | known).alias("leaves"))
        .drop("closed_on")
    )


def _begun(closed: pl.DataFrame, closings: pl.DataFrame) -> pl.DataFrame:
    """When each claim began: the stated arrival, else its earliest date; in one stay away from home nothing begins before the arrival that the strongest
    evidence states (decision 7: of surveys the newest, of registers the earliest), unless that is the arrival back from the hukou place (decision 6)."""
    own = closed.with_columns(pl.coalesce("stated", pl.min_horizontal("firm", "seen")).alias("own_start"))
    # a record that says when the child left, and a later beginning by mistake, belongs to the stay it ends
    ends_it = (pl.col("leaves") & (pl.col("closed_on") >= pl.col("ended_on"))).fill_null(False)
    stay = (
        own.select("claim", "case", "district", "leaves", "ended_on", pl.coalesce("own_start", "confirmed_on").alias("from"))
        .join(closings, on=["case", "district"])
        .filter((pl.col("closed_on") <= pl.col("from")) & ~ends_it)
        .group_by("claim")
        .agg(pl.len().alias("stay"))
    )
    own = _beside(own, stay, "claim").with_columns(pl.col("stay").fill_null(0))
    group = ["case", "district", "stay"]
    arrival = (
        own.select(*group, "claim", "feed", "kind", "at_home", "strength", "confirmed_on", "stated")
        .filter(pl.col("stated").is_not_null() & ~pl.col("at_home") & (pl.col("kind") != "left"))
        .with_columns(pl.when(pl.col("feed").is_in(["survey", "verification"])).then("confirmed_on").alias("asked_on"))
        .sort(*group, "strength", "asked_on", "stated", descending=[False, False, False, True, True, False], nulls_last=True)
        .unique(subset=group, keep="first", maintain_order=True)
        .select(*group, pl.col("stated").alias("arrival"))
    )
    told = _beside(own, arrival, *group)
    told = _beside(told, _interrupted(told), "claim")
    began = pl.when("is_interrupted").then("own_start").otherwise(pl.max_horizontal("own_start", "arrival"))
    by = (
        pl.when(pl.col("stated").is_not_null() | (began == pl.col("arrival")).fill_null(False))
        .then(STATED)
        .when(pl.col("firm").is_not_null())
        .then(INFERRED)
        .when(pl.col("seen").is_not_null())
        .then(SIGHTED)
    )
    return told.with_columns(pl.when(pl.col("own_start").is_not_null()).then(began).alias("began"), by.cast(pl.Int8).alias("began_by"))


def _interrupted(told: pl.DataFrame) -> pl.DataFrame:
    """The claims of before a time at the hukou place that evidence as strong has, and that the stated arrival is later than: claim, is_interrupted."""
    asked = told.select("claim", "case", "strength", "own_start", "arrival").filter(pl.col("own_start") < pl.col("arrival"))
    lived = pl.col("at_home") & pl.col("kind").is_in(["stay", "return"])
    home = told.filter(lived).select("case", pl.col("strength").alias("home_strength"), pl.col("own_start").alias("home_since")).drop_nulls()
    between = pl.col("home_since").is_between("own_start", "arrival", closed="right")
    met = asked.join(home, on="case").filter(between & (pl.col("home_strength") >= pl.col("strength")))
    return met.select("claim", pl.lit(True).alias("is_interrupted")).unique()


def _yielding(begun: pl.DataFrame, as_of: date, p: Parameters) -> pl.DataFrame:
    """A sign last confirmed longer ago than `evidence/old_after_months` yields to newer weaker ones of different feeds elsewhere."""
    told = begun.select("claim", "case", "district", "kind", "feed", "is_ended", "boards", "strength", "confirmed_on")
    live = told.filter(~pl.col("is_ended") & ~pl.col("boards") & pl.col("kind").is_in(["stay", "return"]))
    old = live.filter(pl.col("confirmed_on").dt.offset_by(f"{p['evidence/old_after_months']}mo") < as_of)
    against = (
        old.select("claim", "case", "district", "strength", "confirmed_on")
        .join(live.select("case", "district", "strength", "confirmed_on", "feed"), on="case", suffix="_other")
        .filter(
            (pl.col("district_other") != pl.col("district"))
            & (pl.col("strength_other") < pl.col("strength"))
            & (pl.col("confirmed_on_other") > pl.col("confirmed_on"))
        )
        .group_by("claim")
        .agg(pl.col("feed").n_unique().alias("against"))
    )
    return _beside(begun, against, "claim").with_columns((pl.col("against").fill_null(0) >= p["evidence/newer_weaker_needed"]).alias("yields"))


def _covered(begun: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Until when each claim counts: to its end; while it runs, to the day looked at; where it yields, to the day it was last confirmed."""
    after_last = pl.coalesce("own_last", "began") + pl.duration(days=1)
    until = (
        pl.when(pl.col("is_ended"))
        .then(pl.coalesce(pl.col("ended_on"), after_last))
        .when(pl.col("yields"))
        .then(pl.col("confirmed_on") + pl.duration(days=1))
        .otherwise(pl.lit(as_of) + pl.duration(days=1))
    )
    return begun.with_columns(until.cast(pl.Date).alias("ends_before"))


def _beside(claims: pl.DataFrame, found: pl.DataFrame, *on: str) -> pl.DataFrame:
    """The claims with what was found for them, one row a claim: joined on the keys alone, so that the claims' texts stay where they are."""
    return claims.hstack(claims.select(on).join(found, on=on, how="left", maintain_order="left").drop(on))
