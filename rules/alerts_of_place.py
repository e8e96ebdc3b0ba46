"""Alerts about where a child is and who it is. Enters: a `Night`. Leaves: cause rows."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from rules.alert_kinds import Night, cause, school_age
from rules.basis import ROW, rows, surveys
from rules.signs import registered
from schemas.exports.feeds import CHILD_FEEDS

_CARED_FOR_BY_OTHERS = ("祖辈", "其他亲属", "无人监护", "独自居住")


def dates_ahead(night: Night) -> pl.LazyFrame:
    """Six months, or the 16th birthday, are near; due on that day."""
    findings = (
        ("about_to_reach_six_months", "six_months_on", "alerts/six_months_ahead_days", 1),
        ("turns_16_soon", "turns_16_on", "alerts/turns_16_ahead_days", 0),
    )
    return pl.concat(
        [
            cause(
                night.of(kind).filter(pl.col(day).is_between(night.as_of + timedelta(first), night.as_of + timedelta(night.p[ahead]))),
                kind,
                due_on=pl.col(day),
            )
            for kind, day, ahead, first in findings
        ]
    )


def unknowns(night: Night) -> pl.LazyFrame:
    """What keeps the rule from an answer: no hukou, no birth date, places that contradict each other or that the child left for nobody knows where, nothing but the household register."""
    undetermined = night.of("hukou_missing")
    reason = pl.col("reason")
    only_household = (pl.col("feeds").list.len() == 1) & pl.col("feeds").list.contains("household")
    nowhere = reason == "residence_unknown"
    unseen = night.of("unseen").filter(nowhere & only_household & school_age(pl.col("birth_date"), night.as_of, night.p))
    unclear = reason.is_in(["conflicting_evidence", "duration_unknown"]) | (nowhere & ~only_household)
    return pl.concat(
        [
            cause(undetermined.filter(reason == "hukou_unknown"), "hukou_missing"),
            cause(undetermined.filter(reason == "birth_date_unknown"), "birth_date_missing"),
            _stays_to_verify(night, undetermined.filter(unclear)),
            cause(rows(night.facts, "household").join(unseen, on="person_id", how="semi"), "unseen", "仅见于户籍登记"),
        ]
    )


def _stays_to_verify(night: Night, unclear: pl.LazyFrame) -> pl.LazyFrame:
    """The rows of the stays that still run, for children of whom it is unclear where, or since when, they live; those of the last stay, of one that left it."""
    told = night.episodes.join(unclear.select("person_id", pl.col("reason")), on="person_id")
    last = (pl.col("reason") == "residence_unknown") & (pl.col("to_date") == pl.col("to_date").max().over("person_id"))
    stays = told.filter(pl.col("to_date").is_null() | last).select("person_id", "evidence").explode("evidence", empty_as_null=True).drop_nulls("evidence").unnest("evidence")
    said = stays.with_columns(pl.lit(None).cast(pl.UInt64).alias("record_hash"))
    return pl.concat([cause(unclear, "residence_to_verify"), cause(said, "residence_to_verify", pl.col("says"))])


def not_seen(night: Night) -> pl.LazyFrame:
    """No department's export has shown the child for so many months."""
    months = night.p["alerts/not_seen_months"]
    return cause(night.of("not_seen_6_months").filter(pl.col("last_seen").dt.offset_by(f"{months}mo") <= night.as_of), "not_seen_6_months")


def id_number_conflict(night: Night) -> pl.LazyFrame:
    """The feeds give the child different valid numbers."""
    return cause(night.of("id_number_conflict").filter(pl.col("id_number_status") == "conflicting"), "id_number_conflict")


def hukou_moved(night: Night) -> pl.LazyFrame:
    """The household register says the hukou moved lately, of a child on the list or one whose other feeds still carry another hukou."""
    since = night.as_of - timedelta(night.p["alerts/hukou_moved_days"])
    changed_on = (
        pl.when(pl.col("hukou_status") == "迁出")
        .then("status_on")
        .when(pl.col("hukou_status").is_null() | (pl.col("hukou_status") == "正常"))
        .then("hukou_since")
    )
    moved = (
        rows(night.facts, "household")
        .select(*ROW, "hukou_status", changed_on.alias("changed_on"))
        .filter(pl.col("changed_on").is_between(since, night.as_of, closed="right"))
    )
    known = moved.join(night.of("hukou_moved").select("person_id", "group", "birth_date", "hukou_district"), on="person_id")
    elsewhere = pl.concat(
        [
            rows(night.facts, feed).select("person_id", pl.col("hukou_code").alias("other_code"))
            for feed in CHILD_FEEDS
            if feed != "household" and "hukou_code" in CHILD_FEEDS[feed].fact_columns
        ]
    )
    former = (
        known.select("person_id", "hukou_district")
        .unique()
        .join(elsewhere, on="person_id")
        .filter(pl.col("other_code") != pl.col("hukou_district"))
    )
    registered_at_birth = (pl.col("changed_on") < pl.col("birth_date").dt.offset_by("1y")).fill_null(False)
    on_list = pl.col("group").is_in(["flowing", "watch"]) & ~registered_at_birth
    kept = known.join(former.select("person_id").unique().with_columns(pl.lit(True).alias("has_former")), on="person_id", how="left")
    says = pl.when(pl.col("hukou_status") == "迁出").then(pl.lit("户口迁出")).otherwise(pl.lit("户口近期迁入"))
    return cause(
        kept.filter(on_list | pl.col("has_former").fill_null(False)),
        "hukou_moved",
        says,
        discriminator=pl.col("changed_on").dt.to_string("%Y-%m-%d"),
    )


def death_or_cancellation(night: Night) -> pl.LazyFrame:
    """A death of the last months, one that the household register does not show yet, or a hukou cancelled for another reason."""
    household = rows(night.facts, "household")
    lately = pl.col("status_on").is_null() | (pl.col("status_on").dt.offset_by(f"{night.p['alerts/death_months']}mo") >= night.as_of)
    registered_dead = household.filter(pl.col("hukou_status") == "死亡注销")
    standing = household.filter(pl.col("hukou_status").is_null() | (pl.col("hukou_status") == "正常"))
    cancelled = household.filter(pl.col("hukou_status") == "其他注销").join(standing, on="person_id", how="anti")
    said = (
        ("residence", pl.col("cancel_reason") == "死亡", "流动人口登记注销原因为死亡"),
        ("disease_control", pl.col("status") == "死亡", "预防接种在册状态为死亡"),
        ("health", pl.col("close_reason").str.contains("死亡"), "儿童健康管理结案原因为死亡"),
    )
    elsewhere = [
        cause(
            rows(night.facts, feed).filter(dead).join(registered_dead, on="person_id", how="anti"),
            "death_or_cancellation",
            says,
            discriminator=pl.lit("死亡"),
        )
        for feed, dead, says in said
    ]
    return pl.concat(
        [
            cause(registered_dead.filter(lately), "death_or_cancellation", "户口状态为死亡注销", discriminator=pl.lit("死亡")),
            cause(cancelled, "death_or_cancellation", "户口状态为其他注销", discriminator=pl.lit("其他注销")),
            *elsewhere,
        ]
    )


def left_behind_and_flowing(night: Night) -> pl.LazyFrame:
    """A survey at the hukou place found the child cared for by others, while a survey or the residence register has it living elsewhere.

    Not where the dates tell of a move: away from there after that survey, or back after the other one. Told to both places.
    """
    recent = surveys(night.facts, night.as_of).filter(
        (pl.col("seen_on").dt.offset_by(f"{night.p['alerts/left_behind_months']}mo") >= night.as_of)
        & (pl.col("presence").is_null() | (pl.col("presence") == "在住"))
    )
    home = night.of("left_behind_and_flowing").select("person_id", "hukou_district")
    surveyed = recent.join(home, on="person_id").select(
        *ROW,
        "guardianship",
        "seen_on",
        "hukou_district",
        pl.col("arrived_on"),
        pl.col("residence_code").alias("place"),
        pl.lit("摸排登记在此居住").alias("says"),
    )
    left_behind = surveyed.filter((pl.col("place") == pl.col("hukou_district")) & pl.col("guardianship").is_in(_CARED_FOR_BY_OTHERS))
    registrations = (
        registered(night.facts, night.as_of)
        .join(left_behind, on="person_id", how="semi")
        .join(home, on="person_id")
        .select(
            *ROW, pl.lit(None).cast(pl.String).alias("guardianship"), pl.lit(None).cast(pl.Date).alias("seen_on"), "hukou_district",
            pl.coalesce("arrived_on", "registered_on").alias("arrived_on"), pl.col("residence_code").alias("place"), pl.lit("流动人口登记在此居住").alias("says"),
        )
    )  # fmt: skip
    zone = night.p["zone/districts"]
    exempt = pl.col("place").is_in(zone) & pl.col("hukou_district").is_in(zone)
    away = pl.concat([surveyed, registrations]).filter((pl.col("place") != pl.col("hukou_district")) & ~exempt)
    moved_out = pl.col("arrived_on_away") > pl.col("seen_on")
    moved_back = pl.col("arrived_on") > pl.col("seen_on_away")
    both = left_behind.join(away, on="person_id", suffix="_away").filter(~moved_out.fill_null(False) & ~moved_back.fill_null(False))
    here = both.select(*ROW, pl.lit("摸排登记在户籍地由他人照料").alias("says"), "place", "place_away")
    there = both.select("person_id", *(pl.col(f"{name}_away").alias(name) for name in (*ROW[1:], "says")), "place", "place_away")
    rows_of_both = pl.concat([here, there])
    return pl.concat(
        [
            cause(rows_of_both, "left_behind_and_flowing", pl.col("says"), discriminator=pl.col(place), district=pl.col(place))
            for place in ("place", "place_away")
        ]
    )
