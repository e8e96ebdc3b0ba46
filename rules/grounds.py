"""What an answer rests on. Enters: the answers, every reading, the claims in order, and the rows of hukou and standing. Leaves: the evidence list of each child."""

from __future__ import annotations

from datetime import date

import polars as pl

from rules import hukou
from rules.basis import Facts, listed
from rules.timeline import SIGHTED

_SAID = ("person_id", "feed", "source_file", "source_row", "record_hash", "says")


def evidence(
    answers: pl.DataFrame, readings: pl.DataFrame, ordered: pl.DataFrame, registered: pl.DataFrame, settling: pl.DataFrame, facts: Facts, as_of: date
) -> pl.DataFrame:
    """The rows each answer rests on.

    Those of the present stay and of the hukou, and where the readings disagree those of each; those of the day on which the absence began and, of a child
    that went back, ended; those of the time at home that leaves no room for six months; the last that told of a child of whom nobody knows where it lives; the boarder's school; what took the hukou away; and
    those that settle the answer by themselves.

    Args:
        answers: one reading a child, with reason, disputed, away_since (null where the child is not said to be away), away_by, absence_ended and home_until.
        readings: every reading, with person_id, case, claim, hukou_district.
        ordered: claims as `rules.timeline.in_order` gives them.
        registered: hukous as `rules.hukou.readings` gives them.
        settling: person_id and the rest of a row that settles an answer by itself.

    Returns:
        person_id, evidence.
    """
    disputed = answers.filter("disputed").select("person_id")
    every = pl.concat([frame.select("person_id", "case", "claim", "hukou_district") for frame in (answers, readings.join(disputed, on="person_id", how="semi"))])
    given = registered.join(every.select("person_id", pl.col("hukou_district").alias("district")).drop_nulls().unique(), on=["person_id", "district"], how="semi")
    parts = (_of_present_stays(every, ordered), _of_absence(answers, ordered), _last_seen(answers, ordered), given, _of_hukou_left(answers, facts, as_of), settling)
    return listed(pl.concat([part.select(_SAID) for part in parts]).lazy(), ["person_id"], "evidence").collect()


def _of_present_stays(taken: pl.DataFrame, ordered: pl.DataFrame) -> pl.DataFrame:
    keys = ["case", "district", "stay"]
    stays = ordered.select("claim", *keys).join(taken.select("case", "claim").drop_nulls(), on=["case", "claim"], how="semi")
    return ordered.filter(pl.col("kind") != "left").select(*_SAID, *keys).join(stays, on=keys, how="semi")


def _of_absence(answers: pl.DataFrame, ordered: pl.DataFrame) -> pl.DataFrame:
    """The claims that hold on the first day of the absence, and those of the hukou place that ended by it, or where it is only known when the child was away already,
    that ended last; of a child that went back, those elsewhere that hold till then; of one that only boards away, the boarder's school."""
    reason, since, back = pl.col("reason"), pl.col("away_since"), pl.col("absence_ended")
    asked = answers.select("case", "reason", "away_since", "away_by", "absence_ended", "home_until").filter(since.is_not_null() | reason.is_in(["returned", "boarding_only"]))
    told = ordered.select(*_SAID, "case", "at_home", "strength", "began", "ends_before", "boards", "is_ended").join(asked, on="case")
    elsewhere = ~pl.col("at_home")
    holds = (elsewhere & ~pl.col("boards") & (pl.col("began") <= since) & (since < pl.col("ends_before"))).fill_null(False)
    strongest = pl.col("strength") == pl.col("strength").filter(holds).max().over("case")
    by_home = (reason == "under_six_months") & (pl.col("away_by") == SIGHTED)
    left_home = pl.col("at_home") & ((pl.col("ends_before") == since) | (by_home & (pl.col("ends_before") == pl.col("home_until"))).fill_null(False))
    ended = (reason == "returned") & elsewhere & (pl.col("began") < back) & (back <= pl.col("ends_before"))
    boards = (reason == "boarding_only") & elsewhere & pl.col("boards") & ~pl.col("is_ended")
    return told.filter(pl.any_horizontal(each.fill_null(False) for each in (holds & strongest, left_home, ended, boards)))


def _last_seen(answers: pl.DataFrame, ordered: pl.DataFrame) -> pl.DataFrame:
    """Of children of whom nobody knows where they live, the claims that ended last."""
    lost = answers.filter(pl.col("claim").is_null() & (pl.col("outcome") == "undetermined")).select("case")
    told = ordered.select(*_SAID, "case", "ends_before").join(lost, on="case", how="semi")
    return told.filter((pl.col("ends_before") == pl.col("ends_before").max().over("case")).fill_null(False))


def _of_hukou_left(answers: pl.DataFrame, facts: Facts, as_of: date) -> pl.DataFrame:
    """The household register's rows that no longer give a hukou, where none is known or the absence began with the move."""
    asked = answers.filter(pl.col("away_since").is_not_null() | (pl.col("reason") == "hukou_unknown")).select("person_id", "reason", "away_since")
    left = hukou.given_up(facts, as_of).join(asked, on="person_id")
    return left.filter(((pl.col("reason") == "hukou_unknown") | (pl.col("until") == pl.col("away_since"))).fill_null(False))
