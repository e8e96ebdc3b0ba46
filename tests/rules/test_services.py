"""The service list and its gaps, and the doses that are really overdue."""

from __future__ import annotations

from datetime import date
from itertools import groupby
from typing import Any

import polars as pl
import pytest

from rules.services import gaps
from rules.shows import shows
from rules.vaccination import SCHEDULE, overdue, schedule
from schemas.tables.assessment import SERVICE_GAP, SERVICE_STATUSES
from tests.rules.care_cases import AS_OF, LAW, P, batch, cases

CASES = cases("services")
DOSES = cases("vaccination")
ITEMS = {row["item"]: row for row in P["services/items"]}


@pytest.fixture(scope="module")
def answers() -> pl.DataFrame:
    return gaps(*batch(CASES), AS_OF, P)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case["case"] for case in CASES])
def test_case(answers: pl.DataFrame, number: int) -> None:
    case = CASES[number]
    mine = answers.filter(pl.col("person_id") == f"P{number:03d}")
    found = dict(mine.select("item", "status").iter_rows())
    assert {item: found.get(item, "absent") for item in case["services"]} == case["services"]
    assert "items" not in case or mine.height == case["items"]


def test_every_item_has_a_case_and_is_marked_unverified(answers: pl.DataFrame) -> None:
    assert set(answers["item"]) == set(ITEMS)
    assert not answers["is_verified"].any()
    assert set(answers["status"]) == set(SERVICE_STATUSES)
    assert answers.columns == SERVICE_GAP.names
    assert answers.select("person_id", "aspect", "item").is_unique().all()


def test_what_is_said_to_be_had_rests_on_a_row(answers: pl.DataFrame) -> None:
    assert answers.filter(pl.col("status") == "has")["basis"].list.len().min() >= 1
    nobody_shows = [item for item, row in ITEMS.items() if row["shown_by"] is None]
    assert answers.filter(pl.col("item").is_in(nobody_shows))["basis"].list.len().max() == 0


def test_the_items_keep_to_six_aspects_and_to_shows_that_exist() -> None:
    aspects = [aspect for aspect, _ in groupby(row["aspect"] for row in ITEMS.values())]
    assert aspects == ["幼有所育", "学有所教", "病有所医", "住有所居", "弱有所扶", "发展保障"]
    assert len(ITEMS) == 19
    known = {
        "enrolled",
        "insured",
        "immunised",
        "child_health",
        "subsidised",
        "rehabilitated",
        "remote_care",
        "hardship_relief",
        "orphan_relief",
        "temporary_relief",
    }
    assert {row["shown_by"] for row in ITEMS.values()} - {None} == known
    assert {row["no_record"] for row in ITEMS.values()} <= {"missing", "unknown"}


def test_an_item_that_an_official_has_checked_says_so() -> None:
    checked = [{**row, "verified": row["item"] == "预防接种"} for row in P["services/items"]]
    answers = gaps(*batch(CASES[:1]), AS_OF, LAW.with_overrides({"services/items": checked}).on(AS_OF))
    assert answers.filter("is_verified")["item"].to_list() == ["预防接种"]


def test_the_order_of_rows_changes_nothing(answers: pl.DataFrame) -> None:
    children, facts, assessment = batch(CASES)
    for seed in (1, 2):
        shuffled = {feed: frame.collect().sample(fraction=1, shuffle=True, seed=seed).lazy() for feed, frame in facts.items()}
        assert gaps(children, shuffled, assessment, AS_OF, P).equals(answers)


def test_only_what_was_asked_for_is_shown() -> None:
    children, facts, assessment = batch(CASES)
    child = assessment.select("person_id", "birth_date", "residence_district", "residence_division").join(
        children.select("person_id", "sex"), on="person_id"
    )
    every = shows(facts, child, AS_OF, P).collect()
    insured = shows(facts, child, AS_OF, P, "insured").collect()
    order = ["person_id", "source_row"]
    assert insured.sort(order).equals(every.filter(pl.col("show") == "insured").sort(order))


def test_without_any_feed_everything_owed_is_missing_or_unknown() -> None:
    children, _, assessment = batch(CASES[:1])
    assert set(gaps(children, {}, assessment, AS_OF, P)["status"]) == {"missing", "unknown"}


def late(case: dict[str, Any]) -> list[str]:
    card = {"person_id": "P", "feed": "disease_control", "source_file": "f", "source_row": 1, "record_hash": 1}
    schema = {**dict.fromkeys(("person_id", "feed", "source_file"), pl.String), "source_row": pl.UInt32, "record_hash": pl.UInt64,
              "birth_date": pl.Date, "sex": pl.String, "doses_overdue": pl.List(pl.String)}  # fmt: skip
    cards = pl.LazyFrame([{**card, "birth_date": case["born"], "sex": case.get("sex"), "doses_overdue": case["doses"]}], schema=schema)
    day = case.get("as_of", AS_OF)
    found = overdue(cards, day, LAW.on(day)).collect()
    return found["doses"].to_list()[0] if found.height else []


@pytest.mark.parametrize("case", DOSES, ids=[case["case"] for case in DOSES])
def test_dose(case: dict[str, Any]) -> None:
    assert late(case) == case["late"]


@pytest.mark.parametrize("day", [date(2021, 1, 1), date(2024, 12, 31), date(2025, 1, 1), date(2025, 11, 10), AS_OF])
def test_a_schedule_has_each_dose_once_and_no_later_dose_is_due_before_an_earlier(day: date) -> None:
    doses = schedule(day, LAW.on(day))
    assert doses.select("series", "dose").is_unique().all()
    for _, series in doses.group_by("series"):
        assert series.sort("dose")["deadline_months"].is_sorted()
        assert series.sort("dose")["dose"].to_list() == list(range(1, series.height + 1))


def test_every_vaccine_of_the_schedule_has_a_series() -> None:
    written = pl.read_csv(SCHEDULE, infer_schema=False)["vaccine"].unique()
    by_day = pl.concat([schedule(day, LAW.on(day)) for day in (date(2024, 12, 31), AS_OF)])
    assert written.len() == 13 and by_day["series"].n_unique() == 11 and by_day["series"].null_count() == 0
