"""Key care: every category on both sides of each threshold, the visit plan, and that order and repetition change nothing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.key_care import categories
from schemas.tables.assessment import CATEGORIES, KEY_CARE, RESTRICTED_CATEGORIES
from tests.rules.care_cases import AS_OF, LAW, P, batch, cases, feed_frame

CASES = cases("key_care")


@pytest.fixture(scope="module")
def listed() -> pl.DataFrame:
    _, facts, assessment = batch(CASES)
    return categories(facts, assessment, AS_OF, P)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case["case"] for case in CASES])
def test_case(listed: pl.DataFrame, number: int) -> None:
    case = CASES[number]
    mine = listed.filter(pl.col("person_id") == f"P{number:03d}")
    assert mine["category"].to_list() == case["care"]
    for name, column in (("verified", "is_verified"), ("since", "since"), ("until", "until"), ("flowing", "is_flowing")):
        if name in case:
            assert mine[column].to_list() == [case[name]]


def test_every_row_rests_on_rows_and_has_its_visit_date(listed: pl.DataFrame) -> None:
    assert set(listed["category"]) == set(CATEGORIES)
    assert listed["basis"].list.len().min() > 0
    assert set(listed["visit_state"]) == {"planned"}
    unvisited = listed.filter(pl.col("last_visit_on").is_null())
    assert 0 < unvisited.height < listed.height
    monthly = pl.col("category").is_in(["guardianship_missing", "vagrancy", "psych_behaviour"])
    due = unvisited.select(pl.when(monthly).then(date(2026, 12, 24)).otherwise(date(2027, 2, 24)) == pl.col("next_visit_due")).to_series()
    assert due.all()


def test_nothing_of_a_person_is_in_the_words(listed: pl.DataFrame) -> None:
    says = listed["basis"].explode(empty_as_null=True).struct.field("says")
    assert not says.str.contains(r"\d").any()
    assert "精神" not in "".join(says), "a certificate's class can be psychiatric and stays out"
    assert RESTRICTED_CATEGORIES == ("psych_behaviour",)


def one(**case: Any) -> tuple[dict[str, pl.LazyFrame], pl.LazyFrame]:
    _, facts, assessment = batch([case])
    return facts, assessment


HARD = {"rows": {"survey": [{"surveyed_on": date(2026, 10, 15), "hardship": True}]}}


def test_the_clock_and_since_are_carried_from_the_last_register() -> None:
    facts, assessment = one(**HARD)
    before = categories(facts, assessment, AS_OF, P).with_columns(since=pl.lit(date(2026, 1, 10)), first_listed_on=pl.lit(date(2026, 2, 1)))
    now = categories(facts, assessment, AS_OF, P, before.lazy())
    assert now.select("since", "first_listed_on", "next_visit_due").row(0) == (date(2026, 1, 10), date(2026, 2, 1), date(2026, 5, 1))


def test_a_category_of_the_last_register_without_its_ground_is_no_longer_listed() -> None:
    facts, assessment = one(**HARD)
    before = categories(facts, assessment, AS_OF, P)
    assert categories({}, assessment, AS_OF, P, before.lazy()).is_empty()


def test_a_visit_moves_the_next_one_and_a_visit_of_tomorrow_does_not() -> None:
    facts, assessment = one(**HARD)
    days = [date(2026, 11, 20), date(2026, 9, 1), date(2026, 11, 25)]
    facts["visit"] = feed_frame("visit", [{"person_id": "P000", "visited_on": day} for day in days])
    now = categories(facts, assessment, AS_OF, P)
    assert now.select("last_visit_on", "next_visit_due").row(0) == (date(2026, 11, 20), date(2027, 2, 24)), (
        "not before the interval from the first listing"
    )
    before = now.with_columns(first_listed_on=pl.lit(date(2026, 6, 1)))
    later = categories(facts, assessment, AS_OF, P, before.lazy())
    assert later["next_visit_due"].to_list() == [date(2027, 2, 20)]


@pytest.mark.parametrize(
    ("days", "state"), [(0, "planned"), (77, "planned"), (78, "due"), (92, "due"), (93, "overdue")]
)
def test_a_visit_is_planned_then_due_two_weeks_ahead_then_overdue_the_day_after_its_date(days: int, state: str) -> None:
    facts, assessment = one(**HARD)
    first = categories(facts, assessment, AS_OF, P)
    assert first["next_visit_due"].to_list() == [AS_OF + timedelta(92)]
    later = categories(facts, assessment, AS_OF + timedelta(days), P, first.lazy())
    assert later["visit_state"].to_list() == [state]


@pytest.mark.parametrize(
    ("visit", "counts"),
    [({}, True), ({"result": "见到儿童", "way": "入户"}, True), ({"result": "未见到儿童"}, False), ({"result": "已离开"}, False), ({"way": "电话视频"}, False), ({"way": "学校"}, True)],
)  # fmt: skip
def test_which_visits_count(visit: dict[str, Any], counts: bool) -> None:
    facts, assessment = one(rows={**HARD["rows"], "visit": [{"visited_on": AS_OF, **visit}]})
    assert categories(facts, assessment, AS_OF, P)["last_visit_on"].to_list() == [AS_OF if counts else None]


def test_a_survey_is_a_visit_only_where_the_law_says_so() -> None:
    facts, assessment = one(**HARD)
    asked = LAW.with_overrides({"visits/survey_counts_as_visit": True}).on(AS_OF)
    assert categories(facts, assessment, AS_OF, asked)["last_visit_on"].to_list() == [date(2026, 10, 15)]
    assert categories(facts, assessment, AS_OF, P)["last_visit_on"].to_list() == [None]


def test_a_county_can_make_street_relief_last_longer() -> None:
    facts, assessment = one(rows={"assistance": [{"kind": "流浪救助", "granted_on": date(2025, 1, 1)}]})
    relief = [{**row, "months": 24} if row["kind"] == "流浪救助" else row for row in P["key_care/relief"]]
    assert categories(facts, assessment, AS_OF, P).is_empty()
    assert categories(facts, assessment, AS_OF, LAW.with_overrides({"key_care/relief": relief}).on(AS_OF))["category"].to_list() == [
        "vagrancy"
    ]


def test_without_any_feed_the_list_is_empty_and_keeps_to_its_table() -> None:
    _, _, assessment = batch(CASES)
    empty = categories({}, assessment, AS_OF, P)
    assert empty.is_empty() and empty.schema == KEY_CARE.schema


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**16))
def test_neither_the_order_nor_the_repetition_of_rows_changes_the_answer(seed: int) -> None:
    _, facts, assessment = batch(CASES)
    plain = categories(facts, assessment, AS_OF, P)
    shuffled = {feed: frame.collect().sample(fraction=1, shuffle=True, seed=seed).lazy() for feed, frame in facts.items()}
    assert categories(shuffled, assessment, AS_OF, P).equals(plain)
    twice = {feed: pl.concat([frame, frame.with_columns(source_file=pl.lit("again.csv"))]) for feed, frame in shuffled.items()}
    again = categories(twice, assessment, AS_OF, P)
    assert again.drop("basis").equals(plain.drop("basis"))
