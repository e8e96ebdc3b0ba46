"""Where a child's hukou is, and was. Enters: facts as of a day. Leaves: the hukou (with every reading where the evidence is equal), and earlier ones (decisions 9, 10, 13, 14)."""

from __future__ import annotations

from datetime import date

import polars as pl

from rules import answers
from rules.basis import ROW, Facts, rows, surveys
from rules.evidence import day, limit, said
from rules.law import Parameters
from rules.places import with_district
from schemas.exports.feeds import CHILD_FEEDS
from schemas.filled import filled

_PLACE = ("code", "township", "written")
# Hong Kong, Macau and Taiwan as provinces: a place there is no mainland hukou
NOT_MAINLAND = "^(71|81|82)"


def register_rows(facts: Facts, as_of: date) -> pl.LazyFrame:
    """The household register's rows as of a day, with `standing`: 正常, 迁出, 死亡注销, 其他注销; a change still to come has not happened.

    Returns:
        ROW, export_date, code, township, written, since (迁入日期), until (状态日期), standing.
    """
    until = day("status_on", as_of)
    to_come = (pl.col("status_on") > as_of) & (pl.col("status_on") <= pl.col("export_date"))
    standing = pl.when(to_come.fill_null(False)).then(pl.lit("正常")).otherwise(pl.col("hukou_status").fill_null("正常"))
    return rows(facts, "household").select(
        *ROW, limit(as_of).alias("told_on"), *(pl.col(f"hukou_{part}").alias(part) for part in _PLACE), day("hukou_since", as_of).alias("since"),
        until.alias("until"), standing.alias("standing"), pl.col("hukou_since").is_between(as_of, pl.col("export_date"), closed="right").fill_null(False).alias("to_come"),
    )  # fmt: skip


def readings(facts: Facts, told: pl.LazyFrame, as_of: date, p: Parameters) -> pl.LazyFrame:
    """The hukou of each child that has one; two rows where two records of equal standing and date name different districts.

    The household register's newest running row, or a department's answer that is newer; for children not in it the newest of the other feeds, of equal date the
    stronger kind of record. A place the register says the hukou moved out of is not taken from another feed.

    Args:
        told: ROW and confirmed_on of the claims of residence; of several of one row the first tells.

    Returns:
        ROW of the record, code, township, district, in_zone, in_city, from_register, since (the register's 迁入日期), says; at most one row per child and district.
    """
    register = register_rows(facts, as_of)
    running = register.filter((pl.col("standing") == "正常") & ~pl.col("to_come") & pl.col("code").is_not_null())
    best = with_district(running, as_of, p).with_columns(
        pl.lit(True).alias("from_register"), pl.col("since").fill_null(date.min).alias("first_key"), pl.col("told_on").alias("second_key"), _register_says().alias("says")
    )
    # an answer beats the register until a later 迁入日期
    answered = with_district(answers.hukou(facts, as_of), as_of, p).with_columns(
        pl.lit(False).alias("from_register"), pl.lit(None, pl.Date).alias("since"), pl.col("told_on").alias("first_key"), pl.col("told_on").alias("second_key")
    )
    moved_out = with_district(register.filter(pl.col("standing") == "迁出"), as_of, p).select("person_id", "district").unique()
    others = (
        with_district(_other_feeds(facts, pl.concat([running.select("person_id"), answered.select("person_id")]), told, as_of), as_of, p)
        .join(moved_out, on=["person_id", "district"], how="anti")
        .with_columns(
            pl.lit(False).alias("from_register"),
            pl.lit(None, pl.Date).alias("since"),
            pl.col("told_on").alias("first_key"),
            pl.col("feed").replace_strict(p["evidence/strength"], default=0, return_dtype=pl.Int16).alias("second_key"),
        )
    )
    together = [frame.select(*ROW, *_PLACE, "district", "in_zone", "in_city", "from_register", "since", "says", "first_key", "second_key") for frame in (best, answered)]
    return pl.concat([_foremost(pl.concat(together)), _foremost(others)])


def earlier(facts: Facts, as_of: date, p: Parameters) -> pl.LazyFrame:
    """The hukous a child is known to have had before: person_id, until (first day it no longer held), and of the place former_district, _in_zone, _in_city, _code, _township."""
    left = with_district(register_rows(facts, as_of).filter((pl.col("standing") == "迁出") & pl.col("code").is_not_null() & pl.col("until").is_not_null()), as_of, p)
    first = left.sort("person_id", "until", "district", "record_hash", nulls_last=True).unique(subset=["person_id", "until"], keep="first", maintain_order=True)
    return first.select("person_id", "until", *(pl.col(name).alias(f"former_{name}") for name in ("district", "in_zone", "in_city", "code", "township")))


def given_up(facts: Facts, as_of: date) -> pl.DataFrame:
    """The household register's rows that no longer give a hukou (迁出, 其他注销): ROW, until, says."""
    # few rows, whose words are put together when they lie in one piece: among five million children polars broke off where of a part none was left
    left = register_rows(facts, as_of).filter(pl.col("standing").is_in(["迁出", "其他注销"])).collect().rechunk()
    return left.select(*ROW, "until", said(_register_says(), filled("状态日期{}", pl.col("until").dt.to_string("%Y-%m-%d"))).alias("says"))


def _register_says() -> pl.Expr:
    return said(pl.lit("户籍登记"), pl.col("standing"), filled("迁入日期{}", pl.col("since").dt.to_string("%Y-%m-%d")))


def _other_feeds(facts: Facts, settled: pl.LazyFrame, told: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Every row of another feed that names a mainland hukou, of children not settled: ROW, place, told_on (the last day its word was confirmed), says."""
    parts = []
    for feed in CHILD_FEEDS:
        if feed == "household" or "hukou_code" not in CHILD_FEEDS[feed].fact_columns:
            continue
        source = surveys(facts, as_of) if feed == "survey" else rows(facts, feed)
        parts.append(source.select(*ROW, limit(as_of).alias("told_on"), *(pl.col(f"hukou_{part}").alias(part) for part in _PLACE)))
    named = pl.concat(parts).join(settled, on="person_id", how="anti").filter(pl.col("code").is_not_null() & ~pl.col("code").str.contains(NOT_MAINLAND))
    confirmed = told.join(named, on="person_id", how="semi").unique(subset=list(ROW), keep="first")
    return named.join(confirmed, on=list(ROW), how="left").with_columns(
        pl.coalesce("confirmed_on", "told_on").alias("told_on"), pl.lit("登记的户籍地").alias("says")
    )


def _foremost(candidates: pl.LazyFrame) -> pl.LazyFrame:
    """The rows that no other of the child beats, one per district, by content where equal."""
    newest = candidates.filter(pl.col("first_key") == pl.col("first_key").max().over("person_id"))
    strongest = newest.filter(pl.col("second_key") == pl.col("second_key").max().over("person_id"))
    first = strongest.sort("person_id", "district", "record_hash", "source_file", "source_row")
    kept = first.unique(subset=["person_id", "district"], keep="first", maintain_order=True)
    return kept.select(*ROW, "code", "township", "written", "district", "in_zone", "in_city", "from_register", "since", "says")
