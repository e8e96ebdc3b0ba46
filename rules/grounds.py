"""What an answer rests on. Enters: the answers, every reading, the claims in order, and the rows of hukou and standing. Leaves: the evidence list of each child."""

from __future__ import annotations

from datetime import date

import polars as pl

from rules import hukou
from rules.basis import Facts, listed

_SAID = ("person_id", "feed", "source_file", "source_row", "record_hash", "says")


def evidence(
    answers: pl.DataFrame, readings: pl.DataFrame, ordered: pl.DataFrame, registered: pl.DataFrame, settling: pl.DataFrame, facts: Facts, as_of: date
) -> pl.DataFrame:
    """The rows each answer rests on.

    Those of the present stay and of the hukou, and where the readings disagree those of each; those with which the absence began and, of a child
    that went back, ended; the last that told of a child of whom nobody knows where it lives; the boarder's school; what took the hukou away; and
    those that settle the answer by themselves.

    Args:
        answers: one reading a child, with reason, disputed, away_since (null where the child is not said to be away) and absence_ended.
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
    """The claims elsewhere with which the absence began, or in which it ended; for a child who only boards away, the boarder's school."""
    reason = pl.col("reason")
    asked = answers.select("case", "reason", "away_since", "absence_ended").filter(pl.col("away_since").is_not_null() | reason.is_in(["returned", "boarding_only"]))
    elsewhere = ordered.filter(~pl.col("at_home")).select(*_SAID, "case", "began", "ends_before", "boards", "is_ended").join(asked, on="case")
    began = pl.col("began") == pl.col("away_since")
    ended = (reason == "returned") & (pl.col("began") < pl.col("absence_ended")) & (pl.col("absence_ended") <= pl.col("ends_before"))
    boards = (reason == "boarding_only") & pl.col("boards") & ~pl.col("is_ended")
    return elsewhere.filter(began.fill_null(False) | ended.fill_null(False) | boards)


def _last_seen(answers: pl.DataFrame, ordered: pl.DataFrame) -> pl.DataFrame:
    """Of children of whom nobody knows where they live, the claims that ended last."""
    lost = answers.filter(pl.col("reason") == "residence_unknown").select("case")
    told = ordered.select(*_SAID, "case", "ends_before").join(lost, on="case", how="semi")
    return told.filter((pl.col("ends_before") == pl.col("ends_before").max().over("case")).fill_null(False))


def _of_hukou_left(answers: pl.DataFrame, facts: Facts, as_of: date) -> pl.DataFrame:
    """The household register's rows that no longer give a hukou, where none is known or the absence began with the move."""
    asked = answers.filter(pl.col("away_since").is_not_null() | (pl.col("reason") == "hukou_unknown")).select("person_id", "reason", "away_since")
    left = hukou.given_up(facts, as_of).collect().join(asked, on="person_id")
    return left.filter(((pl.col("reason") == "hukou_unknown") | (pl.col("until") == pl.col("away_since"))).fill_null(False))
