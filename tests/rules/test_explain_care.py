"""What follows for one child, told from rows of the register; and every code has its words."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from rules import explain_care
from rules.alert_kinds import kinds_of
from rules.services import ASPECTS, items_of
from rules.suggestions import needs_of
from schemas.exports.feeds import FEEDS
from schemas.reference.words import words
from schemas.tables.assessment import CATEGORIES, SERVICE_STATUSES, VISIT_STATES
from schemas.tables.care import MATCH_STATUSES, NEARNESS
from schemas.tables.ledger import EVENT_KINDS
from schemas.tables.record import RELATIONS
from tests.rules.care_cases import P

ROW = {"feed": "survey", "source_file": "survey_20261110.csv", "source_row": 7, "says": "摸排登记为残疾（待核实）"}
ALERT: dict[str, Any] = {
    "kind": "vaccination_overdue", "title": "疫苗逾期未种", "department": "疾控", "district": "500107", "due_on": date(2026, 12, 1), "message": "请安排补种", "article": "二(二)2",
    "state": "open", "closed_on": None, "closed_reason": None, "evidence": [ROW],
}  # fmt: skip
CARE: dict[str, Any] = {
    "category": "disability", "since": None, "until": None, "next_visit_due": date(2027, 1, 1), "is_verified": False, "is_flowing": True, "basis": [ROW],
    "first_listed_on": date(2026, 10, 1), "last_visit_on": None, "visit_state": "planned",
}  # fmt: skip
MATCH: dict[str, Any] = {"need": "康复", "status": "matched", "resource_name": "康复之家", "nearness": "district", "why": "同一区县的康复机构“康复之家”提供康复"}


@pytest.mark.parametrize(
    ("lang", "lines"),
    [
        ("en", ["  disability: start unknown, listed on 2026-10-01 (the survey's word, not verified yet)", "      visits: none known; next by 2027-01-01 (not due yet)",
                "      quarterly survey: 摸排登记为残疾（待核实）  [survey_20261110.csv row 7]"]),
        ("zh", ["  自身残疾：开始日期不明，2026-10-01列入（仅据摸排，尚未核实）", "      走访：尚无记录；下次不晚于2027-01-01（未到期）",
                "      民政季度摸排：摸排登记为残疾（待核实）  [survey_20261110.csv 第7行]"]),
    ],
)  # fmt: skip
def test_a_category_is_told_with_its_visits_and_rows(lang: Any, lines: list[str]) -> None:
    assert list(explain_care.care([CARE], [], lang)) == lines


def test_a_category_with_dates_and_the_visits_made() -> None:
    dated = CARE | {"since": date(2025, 1, 2), "until": date(2027, 3, 4), "is_verified": True, "is_flowing": False, "last_visit_on": date(2026, 10, 9), "visit_state": "overdue", "basis": []}
    visit = {"visited_on": date(2026, 10, 9), "way": "入户", "result": "见到儿童", "situation": None}
    assert list(explain_care.care([dated], [visit], "zh")) == [
        "  自身残疾：自2025-01-02起，预计至2027-03-04，2026-10-01列入（非流动儿童，因求助列入）", "      走访：上次2026-10-09；下次不晚于2027-01-01（已逾期）",
        "  2026-10-09走访：入户，见到儿童",
    ]  # fmt: skip


def test_an_alert_is_told_with_who_acts_and_open_before_closed() -> None:
    closed = ALERT | {"due_on": date(2026, 1, 1), "closed_on": date(2026, 2, 1), "closed_reason": "已补种", "district": None, "evidence": [], "state": "closed"}
    late = ALERT | {"state": "overdue"}
    assert list(explain_care.alerts([closed, late], [], "zh")) == [
        "  疫苗逾期未种 → 九龙坡区疾控；办理期限2026-12-01，已逾期", "      请安排补种", "      依据：二(二)2", "      民政季度摸排：摸排登记为残疾（待核实）  [survey_20261110.csv 第7行]",
        "  疫苗逾期未种 → 不明疾控；已于2026-02-01办结（已补种）", "      请安排补种", "      依据：二(二)2",
    ]  # fmt: skip
    assert list(explain_care.alerts([ALERT], [ROW], "en")) == [
        "  a vaccination is overdue: tell the guardian and vaccinate → disease control, 九龙坡区; due 2026-12-01", "      law: 二(二)2",
        "      rests on the same records as the answer",
    ]  # fmt: skip


def test_services_go_by_aspect_in_the_order_of_the_list() -> None:
    gaps = [
        {"aspect": "病有所医", "item": "居民医保参保", "status": "missing", "department": "医保", "basis": []},
        {"aspect": "幼有所育", "item": "预防接种", "status": "has", "department": "疾控", "basis": [ROW]},
    ]
    assert list(explain_care.services(gaps, "zh"))[::2] == ["  幼有所育·预防接种：已享有（疾控）", "  病有所医·居民医保参保：未见享有（医保）"]
    assert list(explain_care.services(gaps, "en"))[2] == "  medical care, resident medical insurance: missing (medical insurance)"


def test_suggestions_name_the_place_or_say_that_there_is_none() -> None:
    none = MATCH | {"status": "none_fits", "resource_name": None, "nearness": None, "why": "没有资源提供康复"}
    assert list(explain_care.suggestions([MATCH, none], "zh")) == ["  康复：建议。同一区县的康复机构“康复之家”提供康复", "  康复：暂无合适资源。没有资源提供康复"]
    assert list(explain_care.suggestions([MATCH, none], "en")) == ["  rehabilitation: suggested 康复之家 (in the same district)", "  rehabilitation: nothing fits"]


@pytest.mark.parametrize(
    ("code_set", "codes"),
    [
        ("alert", [kind["kind"] for kind in kinds_of(P)]), ("item", [item["item"] for item in items_of(P)]), ("aspect", ASPECTS), ("category", CATEGORIES),
        ("need", sorted({row["need"] for row in needs_of(P)})), ("match_status", MATCH_STATUSES), ("nearness", NEARNESS), ("visit_state", VISIT_STATES),
        ("service_status", SERVICE_STATUSES), ("event", EVENT_KINDS), ("relation", RELATIONS),
        ("department", sorted({kind["department"] for kind in kinds_of(P)} | {item["department"] for item in items_of(P)})),
    ],
)  # fmt: skip
def test_every_code_has_its_words_and_no_word_is_left_over(code_set: str, codes: list[str]) -> None:
    assert sorted(words(code_set, "zh")) == sorted(words(code_set, "en")) == sorted(codes)
    assert all(words(code_set, "zh").values()) and all(words(code_set, "en").values())


def test_alerts_and_feeds_are_called_the_same_everywhere() -> None:
    assert words("alert") == {kind["kind"]: kind["title"] for kind in kinds_of(P)}
    assert words("feed") == {name: f"{FEEDS[name].department}{FEEDS[name].title}" for name in words("feed")}
