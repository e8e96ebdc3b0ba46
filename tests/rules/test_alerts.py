"""Alerts: every kind on both sides of its threshold; raised once, carried, closed with a reason, raised again."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.alerts import raise_alerts
from rules.key_care import categories
from rules.law import Parameters
from rules.remembered import taken_over
from schemas.tables.assessment import ALERT, ALERT_STATES, KEY_CARE, RESIDENCE_EPISODE, SEVERITIES
from tests.rules.care_cases import AS_OF, LAW, P, batch, cases, feed_frame

QUIET: dict[str, list[dict[str, Any]]] = {
    "survey": [{"surveyed_on": date(2026, 10, 15), "guardianship": "父母双方", "presence": "在住", "residence_code": "500107"}],
    "education": [{"status": "在读", "enrolled_on": date(2024, 9, 1)}],
    "medical_insurance": [{"status": "正常参保", "paid_year": 2026}],
}
CASES = [{**case, "rows": {**QUIET, **case.get("rows", {})}} for case in cases("alerts")]
KINDS = {row["kind"]: row for row in P["alerts/kinds"]}
NO_STAYS = RESIDENCE_EPISODE.empty().lazy()


def night(loaded: list[dict[str, Any]], as_of: date = AS_OF, previous: pl.DataFrame | None = None, p: Parameters = P) -> pl.DataFrame:
    """The alerts of a batch of cases; `visits` of a case are days."""
    children, facts, assessment = batch([visited(case) for case in loaded])
    return raised(children, facts, assessment, as_of, previous, p)


def visited(case: dict[str, Any]) -> dict[str, Any]:
    made = [{"visited_on": day} for day in case.get("visits", [])]
    return {**case, "rows": {**case.get("rows", {}), "visit": [*made, *case.get("rows", {}).get("visit", [])]}} if made else case


def raised(
    children: pl.LazyFrame,
    facts: Any,
    assessment: pl.LazyFrame,
    as_of: date = AS_OF,
    previous: pl.DataFrame | None = None,
    p: Parameters = P,
) -> pl.DataFrame:
    key_care = categories(facts, assessment, as_of, p).lazy()
    before = {} if previous is None else {"alert": previous.lazy()}
    last_on = None if previous is None else max([day for column in ("raised_on", "closed_on") for day in previous[column].drop_nulls()], default=None)
    return raise_alerts(children, facts, NO_STAYS, assessment, key_care, before, as_of, p, last_on=last_on)


@pytest.fixture(scope="module")
def alerts() -> pl.DataFrame:
    return night(CASES)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case["case"] for case in CASES])
def test_case(alerts: pl.DataFrame, number: int) -> None:
    case = CASES[number]
    mine = alerts.filter((pl.col("person_id") == f"P{number:03d}") & (pl.col("kind") != "visit_overdue")).sort("kind")
    assert mine["kind"].to_list() == case["alerts"]
    for name, column in (("due", "due_on"), ("district", "district"), ("department", "department"), ("restricted", "is_restricted")):
        if name in case:
            assert mine[column].to_list() == (case[name] if isinstance(case[name], list) else [case[name]])


def test_a_child_placed_nowhere_is_told_to_where_it_was_last() -> None:
    children, facts, assessment = batch([{"case": "gone", "child": {"reason": "hukou_unknown", "hukou_district": None, "residence_district": None}, "rows": QUIET}])
    seen = {"feed": "residence", "source_file": "residence_20261101.csv", "source_row": 1, "says": "流动人口登记"}
    stays = [
        {"person_id": "P000", "division": place, "township": None, "from_date": start, "to_date": end, "is_inferred": False, "strength": 50, "confirmed_on": end, "is_current": False, "evidence": [seen]}
        for place, start, end in (("500107", date(2025, 1, 1), date(2026, 3, 1)), ("500120", date(2023, 1, 1), date(2025, 1, 1)))
    ]
    nothing = assessment.with_columns(pl.lit([], dtype=ALERT.schema["evidence"]).alias("evidence"))
    told = raise_alerts(children, facts, RESIDENCE_EPISODE.conform(pl.DataFrame(stays)).lazy(), nothing, categories(facts, assessment, AS_OF, P).lazy(), {}, AS_OF, P)
    assert told.select("kind", "district", "evidence").rows() == [("hukou_missing", "500107", [seen])]


@pytest.mark.parametrize(("reason", "kind"), [("birth_date_unknown", "birth_date_missing"), ("hukou_unknown", "hukou_missing")])
def test_a_child_known_by_relief_alone_is_told_to_where_it_was_given(reason: str, kind: str) -> None:
    aid = [{"kind": "流浪救助", "aid_code": place, "granted_on": day, "export_date": day} for place, day in ((None, AS_OF), ("500108", date(2026, 11, 1)), ("500120", date(2025, 1, 1)))]
    child = {"reason": reason, "outcome": "undetermined", "hukou_district": None, "residence_district": None}
    children, facts, assessment = batch([{"case": "aided", "child": child, "rows": {"assistance": aid}}])
    nothing = assessment.with_columns(pl.lit([], dtype=ALERT.schema["evidence"]).alias("evidence"))
    told = raise_alerts(children, facts, NO_STAYS, nothing, KEY_CARE.empty().lazy(), {}, AS_OF, P)
    assert set(told["kind"]) == {kind, "possible_key_care"} and set(told["district"]) == {"500108"}
    assert told.filter(pl.col("kind") == kind)["evidence"].list.len().to_list() == [3]


def test_every_kind_has_a_case() -> None:
    tested = {kind for case in CASES for kind in case["alerts"]}
    assert set(KINDS) - tested == {"visit_overdue"}


def test_every_alert_says_who_acts_where_by_when_and_on_what(alerts: pl.DataFrame) -> None:
    assert alerts.columns == ALERT.names
    assert alerts["alert_id"].str.contains(r"^A[0-9a-f]{16}$").all() and alerts["alert_id"].is_unique().all()
    assert alerts["district"].null_count() == 0
    assert alerts["evidence"].list.len().min() == 1
    assert set(alerts["severity"]) == set(SEVERITIES)
    assert set(alerts["state"]) == {"open"} and set(alerts["raised_on"]) == {AS_OF}
    assert set(alerts.filter(pl.col("severity") == "report")["kind"]) == {
        "living_alone", "no_guardian", "guardian_neglect", "suspected_violence", "suspected_harm",
    }  # fmt: skip
    assert set(alerts.filter(pl.col("is_restricted"))["department"]) == {"民政"}


def test_the_words_name_no_person_and_no_number() -> None:
    for row in KINDS.values():
        assert not any(sign in row["message"] for sign in "{}0123456789"), row["kind"]
        assert row["severity"] in SEVERITIES and row["district"] in ("residence", "hukou", "own")
        assert set(row["applies_to"]) <= {"flowing", "watch", "exempt", "undetermined", "other", "gone"}


def test_the_conflict_of_left_behind_and_flowing_goes_to_both_places_with_both_rows(alerts: pl.DataFrame) -> None:
    number = next(n for n, case in enumerate(CASES) if case["case"].endswith("told to both"))
    both = alerts.filter(pl.col("person_id") == f"P{number:03d}")
    assert sorted(both["district"]) == ["500107", "500116"]
    assert both["evidence"].list.len().to_list() == [2, 2]


@pytest.mark.parametrize(
    ("reason", "ends", "shown"),
    [
        ("conflicting_evidence", (None, None, date(2024, 1, 1)), ["登记在500107", "登记在500120"]),
        ("residence_unknown", (date(2023, 5, 1), date(2025, 2, 1), date(2024, 1, 1)), ["登记在500120"]),
    ],
)
def test_a_stay_in_doubt_shows_the_rows_of_every_stay_that_runs_or_of_the_last(reason: str, ends: tuple[date | None, ...], shown: list[str]) -> None:
    children, facts, assessment = batch([{"child": {"reason": reason, "feeds": ["residence"]}, "rows": QUIET}])
    stays = [
        {"person_id": "P000", "division": place, "to_date": end, "is_inferred": False, "strength": 5, "is_current": False,
         "evidence": [{"feed": "residence", "source_file": "r.csv", "source_row": row, "says": f"登记在{place}"}]}
        for row, (place, end) in enumerate(zip(("500107", "500120", "500151"), ends, strict=True), 1)
    ]  # fmt: skip
    episodes = pl.DataFrame([{**dict.fromkeys(RESIDENCE_EPISODE.names), **stay} for stay in stays], schema=RESIDENCE_EPISODE.schema).lazy()
    found = raise_alerts(children, facts, episodes, assessment, categories(facts, assessment, AS_OF, P).lazy(), {}, AS_OF, P)
    assert found["kind"].to_list() == ["residence_to_verify"]
    assert [row["says"] for row in found["evidence"][0]] == shown


UNINSURED = {"rows": {**QUIET, "medical_insurance": []}}
INSURED = {"rows": QUIET}


def test_an_alert_is_raised_once_and_becomes_overdue() -> None:
    first = night([UNINSURED])
    later = night([UNINSURED], AS_OF + timedelta(61), first)
    assert later.drop("state").equals(first.drop("state"))
    assert (first["state"][0], later["state"][0]) == ("open", "overdue")
    assert set(first["state"]) | set(later["state"]) | {"closed"} == set(ALERT_STATES)


def test_an_alert_on_its_last_day_is_not_overdue() -> None:
    first = night([UNINSURED])
    assert night([UNINSURED], first["due_on"][0], first)["state"].to_list() == ["open"]


def test_an_alert_whose_cause_is_gone_is_closed_with_a_reason_and_kept() -> None:
    first = night([UNINSURED])
    closed = night([INSURED], AS_OF + timedelta(1), first)
    assert closed.select("alert_id", "state", "closed_on", "closed_reason", "raised_on").row(0) == (
        first["alert_id"][0], "closed", AS_OF + timedelta(1), "引发预警的情形已消失", AS_OF,
    )  # fmt: skip
    assert night([INSURED], AS_OF + timedelta(9), closed).equals(closed), "a closed alert stays as it was closed"


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("deceased", "儿童已登记死亡"),
        ("age_16_or_over", "儿童已年满十六周岁"),
        ("returned", "认定结果已变化，不再属于该类预警的对象"),
    ],
)
def test_the_reason_of_closing_follows_the_child(reason: str, why: str) -> None:
    first = night([UNINSURED])
    assert night([{**UNINSURED, "child": {"reason": reason}}], AS_OF, first)["closed_reason"].to_list() == [why]


def test_the_alerts_of_a_child_that_is_no_more_are_closed() -> None:
    first = night([INSURED, UNINSURED])
    assert night([INSURED], AS_OF, first)["closed_reason"].to_list() == ["该人员编码已并入其他儿童或不再出现"]


def test_the_alerts_of_a_kind_that_was_dropped_are_closed() -> None:
    first = night([UNINSURED])
    fewer = LAW.with_overrides({"alerts/kinds": [row for row in P["alerts/kinds"] if row["kind"] != "not_insured_this_year"]}).on(AS_OF)
    assert night([UNINSURED], AS_OF, first, fewer)["closed_reason"].to_list() == ["该类预警已停用"]


def test_a_cause_that_comes_back_is_raised_anew_under_its_number() -> None:
    first = night([UNINSURED])
    closed = night([INSURED], AS_OF + timedelta(1), first)
    again = night([UNINSURED], AS_OF + timedelta(30), closed)
    assert again.select("alert_id", "state", "raised_on", "times_raised", "closed_on", "closed_reason").row(0) == (
        first["alert_id"][0], "open", AS_OF + timedelta(30), 2, None, None,
    )  # fmt: skip
    assert night([UNINSURED], AS_OF + timedelta(30), again).equals(again), "the same night again counts nothing twice"


def test_a_merged_child_goes_on_from_what_was_open_under_the_identifier_that_ended() -> None:
    both = night([UNINSURED, UNINSURED], AS_OF - timedelta(20))
    mine, others = both.filter(pl.col("person_id") == "P000"), both.filter(pl.col("person_id") == "P001")
    identity = pl.LazyFrame({"person_id": ["P001"], "state": ["merged"], "merged_into": ["P000"]})
    for held in (both, others):  # the one that stands had it too, or had it not
        children, facts, assessment = batch([UNINSURED])
        before = {"alert": held.lazy(), "taken_over": taken_over(held.lazy(), identity).lazy()}
        told = raise_alerts(children, facts, NO_STAYS, assessment, KEY_CARE.empty().lazy(), before, AS_OF, P, last_on=AS_OF - timedelta(20))
        assert told.filter(pl.col("person_id") == "P000").equals(mine)
        assert told.filter(pl.col("person_id") == "P001")["closed_reason"].to_list() == ["该人员编码已并入其他儿童或不再出现"]


def test_an_earlier_day_looked_at_later_never_has_alerts_of_the_future() -> None:
    first = night([UNINSURED])
    assert night([UNINSURED], AS_OF - timedelta(5), first)["raised_on"].to_list() == [AS_OF - timedelta(5)]


def test_an_earlier_day_looked_at_later_neither_closes_nor_raises_what_later_days_did() -> None:
    raised_later = night([UNINSURED])
    between = night([INSURED], AS_OF - timedelta(5), raised_later)
    assert between.equals(raised_later)
    long_open = night([UNINSURED], AS_OF - timedelta(30)).with_columns(due_on=pl.lit(AS_OF - timedelta(10)), state=pl.lit("overdue"))
    children, facts, assessment = batch([INSURED])
    key_care = categories(facts, assessment, AS_OF - timedelta(5), P).lazy()
    kept = raise_alerts(children, facts, NO_STAYS, assessment, key_care, {"alert": long_open.lazy()}, AS_OF - timedelta(5), P, last_on=AS_OF)
    assert kept.equals(long_open), "open on a later day than the night's"
    assert night([UNINSURED], AS_OF + timedelta(1), between).equals(raised_later), "first day, due date and number of times as if there had been no such night"
    two = night([INSURED, UNINSURED])
    assert night([INSURED], AS_OF - timedelta(5), two).select("state", "closed_on").rows() == [("closed", AS_OF)], "of a child that is no more nothing stays open"
    closed_later = night([INSURED], AS_OF + timedelta(1), raised_later)
    assert night([UNINSURED], AS_OF - timedelta(5), closed_later).equals(closed_later)


def test_the_same_night_twice_is_the_same(alerts: pl.DataFrame) -> None:
    assert night(CASES, AS_OF, alerts).equals(alerts)


def test_a_late_visit_is_told_only_where_visits_are_taken_in() -> None:
    children, facts, assessment = batch([{"rows": {**QUIET, "assistance": [{"kind": "低保"}]}}])
    listed = categories(facts, assessment, AS_OF - timedelta(200), P)
    late = categories(facts, assessment, AS_OF, P, listed.lazy())
    assert late["visit_state"].to_list() == ["overdue"]
    without = raise_alerts(children, facts, NO_STAYS, assessment, late.lazy(), {}, AS_OF, P)
    assert without.is_empty()
    facts["visit"] = feed_frame("visit", [{"person_id": "P000", "visited_on": date(2026, 1, 1)}])
    with_visits = raise_alerts(children, facts, NO_STAYS, assessment, late.lazy(), {}, AS_OF, P)
    assert with_visits["kind"].to_list() == ["visit_overdue"]
    in_time = late.with_columns(visit_state=pl.lit("due"))
    assert raise_alerts(children, facts, NO_STAYS, assessment, in_time.lazy(), {}, AS_OF, P).is_empty()


@pytest.mark.parametrize(("day", "expected"), [(date(2026, 9, 30), 0), (date(2026, 10, 1), 1)])
def test_a_first_grader_is_missed_a_month_after_school_begins(day: date, expected: int) -> None:
    six = {
        "child": {"birth_date": date(2020, 5, 1)},
        "rows": {**QUIET, "education": [], "survey": [{"surveyed_on": date(2026, 4, 1), "guardianship": "父母双方"}]},
    }
    assert night([six], day).height == expected


def test_another_population_for_a_kind_is_a_matter_of_data() -> None:
    wide = [
        {**row, "applies_to": [*row["applies_to"], "other"]} if row["kind"] == "not_insured_this_year" else row for row in P["alerts/kinds"]
    ]
    resident = {**UNINSURED, "child": {"reason": "same_district"}}
    assert night([resident]).is_empty()
    assert night([resident], p=LAW.with_overrides({"alerts/kinds": wide}).on(AS_OF))["kind"].to_list() == ["not_insured_this_year"]


def test_with_no_feed_at_all_the_table_is_kept() -> None:
    children, _, assessment = batch([{"child": {"reason": "same_district"}}])
    found = raised(children, {}, assessment)
    assert found.is_empty() and found.schema == ALERT.schema


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**16))
def test_the_order_of_rows_changes_nothing(alerts: pl.DataFrame, seed: int) -> None:
    children, facts, assessment = batch([{**case, "visits": []} for case in CASES])
    plain = raised(children, facts, assessment)
    shuffled = {feed: frame.collect().sample(fraction=1, shuffle=True, seed=seed).lazy() for feed, frame in facts.items()}
    mixed = (frame.collect().sample(fraction=1, shuffle=True, seed=seed).lazy() for frame in (children, assessment))
    people, assessed = mixed
    assert raised(people, shuffled, assessed).equals(plain)
