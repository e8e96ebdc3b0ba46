"""What departments answered on a roster, as evidence. Enters: facts/verification and the claims of the feeds. Leaves: claims of the answers, and the feeds' claims ended or withdrawn where an answer says so.

An answer weighs as much as a survey that saw the child: of the two the newer holds. What a feed's row says of a day after the answer stands.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from rules.basis import ROW, Facts
from rules.law import Parameters
from rules.places import with_district
from schemas.exports.feeds import CHILD_FEEDS
from schemas.filled import filled
from schemas.tables.verification import VERIFICATION_FACTS

_PLACE = ("code", "township", "written")


def answers(facts: Facts, as_of: date, *questions: str) -> pl.LazyFrame:
    """The answers to these questions that were given by a day, with `says` in Chinese."""
    given = facts["verification"] if "verification" in facts else VERIFICATION_FACTS.empty().lazy()
    words = {"presence": "已离开", "withdrawn": "不属实或查无此人", "hukou": "更正户籍地", "residence": "更正现居住地", "arrived_on": "更正来现住地日期"}
    asked = given.filter(pl.col("question").is_in(questions) & (pl.col("verified_on") <= as_of))
    said = pl.col("question").replace_strict(words, return_dtype=pl.String)
    return asked.with_columns(says=filled("{}{}核实：{}", pl.col("department").fill_null("部门"), pl.col("verified_on").dt.to_string("%Y-%m-%d"), said))


def claims(facts: Facts, as_of: date) -> pl.LazyFrame:
    """Where an answer says that the child lives, and since when: ROW, kind, place, stated, seen, own_last, confirmed_on, says.

    A corrected place. A corrected arrival belongs to it where it was given no earlier, or on a roster that lists this place; else to the place that its roster lists.
    """
    living = answers(facts, as_of, "residence")
    newest = living.sort("person_id", "verified_on", "record_hash", descending=[False, True, False]).unique("person_id", keep="first", maintain_order=True)
    arrivals = answers(facts, as_of, "arrived_on").join(newest.select("person_id", placed_on="verified_on", placed_at="code"), on="person_id", how="left")
    is_there = ((pl.col("verified_on") >= pl.col("placed_on")) | (pl.col("roster_district") == pl.col("placed_at"))).fill_null(False)
    # of several answers that count all say the same day
    since = arrivals.filter(is_there).select("person_id", arrived="date").unique("person_id", keep="any")
    placed = living.join(since, on="person_id", how="left").with_columns(stated="arrived")
    listed = arrivals.filter(~is_there).with_columns(code="roster_district", written="roster_district", township=pl.lit(None, pl.String), stated="date")
    both = pl.concat([placed.select(*ROW, *_PLACE, "stated", "verified_on", "says"), listed.select(*ROW, *_PLACE, "stated", "verified_on", "says")])
    told = pl.col("verified_on")
    return both.with_columns(stated=pl.when(pl.col("stated") <= told).then("stated"), seen=told, own_last=told, confirmed_on=told)


def upheld(claimed: pl.LazyFrame, facts: Facts, as_of: date, p: Parameters) -> pl.LazyFrame:
    """The claims of the feeds that stand beside the answers.

    已离开 ends what the feeds say of the roster's district, a corrected place what they say of any other, as far as their rows are no younger than the
    answer. With 不属实 and 查无此人 a department takes back its own rows alone.
    """
    left = with_district(answers(facts, as_of, "presence").with_columns(code="roster_district", written="roster_district", township=pl.lit(None, pl.String)), as_of, p)
    moved = with_district(answers(facts, as_of, "residence"), as_of, p)
    withdrawn = with_district(answers(facts, as_of, "withdrawn").with_columns(code="roster_district", written="roster_district", township=pl.lit(None, pl.String)), as_of, p)
    told = pl.concat(
        frame.select("person_id", "department", "verified_on", "question", "says", there="district") for frame in (left, moved, withdrawn)
    ).collect()
    if told.is_empty():
        return claimed
    about = claimed.join(told.lazy().select("person_id").unique(), on="person_id", how="semi")
    rest = claimed.join(told.lazy().select("person_id").unique(), on="person_id", how="anti")
    numbered = with_district(about, as_of, p).with_row_index("_claim").collect()
    met = numbered.filter((pl.col("kind") == "stay") & (pl.col("feed") != "verification")).join(told, on="person_id", suffix="_told")
    met = met.filter(pl.col("own_last").is_null() | (pl.col("own_last") <= pl.col("verified_on")))
    here = (pl.col("there") == pl.col("district")).fill_null(False)
    departments = {name: feed.department for name, feed in CHILD_FEEDS.items()}
    own = pl.col("feed").replace_strict(departments, default=None, return_dtype=pl.String) == pl.col("department")
    taken_back = met.filter((pl.col("question") == "withdrawn") & here & own).select("_claim").unique()
    ended = met.filter(((pl.col("question") == "presence") & here) | ((pl.col("question") == "residence") & ~here & pl.col("district").is_not_null()))
    ended = ended.group_by("_claim").agg(pl.col("verified_on").min().alias("answered_on"), _elsewhere().sort_by("verified_on", "says_told").first().alias("answer"))
    kept = numbered.join(taken_back, on="_claim", how="anti").join(ended, on="_claim", how="left")
    closes = pl.col("answered_on").is_not_null() & ~pl.col("is_ended")
    kept = kept.with_columns(
        ended_on=pl.when(closes).then("answered_on").otherwise("ended_on"),
        confirmed_on=pl.when(closes).then(pl.min_horizontal("confirmed_on", "answered_on")).otherwise("confirmed_on"),
        is_ended=pl.col("is_ended") | closes,
        leaves=pl.col("leaves") | closes,
        says=pl.when(closes).then(filled("{}；{}", "says", "answer")).otherwise("says"),
    )
    columns = claimed.collect_schema().names()
    return pl.concat([rest, kept.select(columns).lazy()])


def _elsewhere() -> pl.Expr:
    """An answer in the words that fit a row of another place than the one it names."""
    return pl.when(pl.col("question") == "residence").then(filled("{}为他处", "says_told")).otherwise("says_told")


def hukou(facts: Facts, as_of: date) -> pl.LazyFrame:
    """Where an answer says that the hukou is: ROW, place, told_on, says."""
    return answers(facts, as_of, "hukou").select(*ROW, *_PLACE, pl.col("verified_on").alias("told_on"), "says")
