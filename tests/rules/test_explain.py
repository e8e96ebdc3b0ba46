"""One child's answer told from rows of the register."""

from datetime import date

import pytest

from rules import explain
from rules.eligibility import conditions
from schemas.tables.assessment import REASONS

AS_OF = date(2026, 11, 24)
ASSESSMENT = {
    "as_of": AS_OF, "outcome": "not_flowing", "reason": "under_six_months", "hukou_district": "500116", "hukou_township": None, "residence_district": "500107",
    "residence_township": "白市驿镇", "away_since": date(2026, 5, 25), "is_inferred": True, "months_away": 5, "accompanied": "other_guardian", "confidence": 0.825,
    "conditions": [
        {"condition": c.name, "answer": "no" if c.name == "six_months" else "yes", "detail": "hukou_district=500116; away_by=1" if c.name == "six_months" else None}
        for c in conditions(AS_OF)
    ] + [{"condition": "accompanied", "answer": "unknown", "detail": "accompanied=unknown"}],
}  # fmt: skip
ROW = {"feed": "survey", "source_file": "survey_20261110.csv", "source_row": 7, "says": "摸排在住"}


def test_the_conditions_of_the_rule_and_of_the_telling_are_the_same_and_in_order():
    asked = [c.name for c in conditions(AS_OF)]
    assert list(explain.conditions()) == [*asked, "accompanied"]
    assert [explain.conditions()[c.name].reason for c in conditions(AS_OF)] == [c.reason for c in conditions(AS_OF)] == list(REASONS[:-1])


@pytest.mark.parametrize(
    ("lang", "lines"),
    [
        ("en", ["As of 2026-11-24: does not count as a migrant child. Reason: away for less than six months", "  hukou: 江津区", "  lives in: 九龙坡区白市驿镇",
                "  away since: 2026-05-25 (inferred); 5 whole months", "  lives with: another guardian", "  confidence: 82%"]),
        ("zh", ["截至2026-11-24：不属于流动儿童。理由：离开户籍地未满6个月", "  户籍地：江津区", "  现居住地：九龙坡区白市驿镇",
                "  离开户籍地：2026-05-25起（推定），已满5个月", "  同住：其他监护人", "  可信度：82%"]),
    ],
)  # fmt: skip
def test_the_answer_is_told_with_places_dates_and_company(lang, lines):
    assert list(explain.answer(ASSESSMENT, lang)) == lines


def test_a_child_that_is_not_away_has_no_day_of_leaving():
    told = list(explain.answer(ASSESSMENT | {"away_since": None, "months_away": None, "reason": "same_district"}, "en"))
    assert not any("away since" in line for line in told) and len(told) == 5


def test_only_the_deciding_condition_is_marked_and_says_what_it_was_judged_on():
    told = list(explain.asked(ASSESSMENT, "en"))
    (at,) = [i for i, line in enumerate(told) if "decides" in line]
    assert told[at] == "  ✗ away for six months or more: no  ← decides"
    assert told[at + 1] == "      hukou district 江津区; start known from a registration, enrolment or opening date"
    assert told[at + 2].startswith("      law: 实施方案")
    assert told[at + 3 :] == [
        "  What follows changes nothing any more:", "  ? with a parent or another guardian: unknown (does not exclude)", "      lives with unknown", told[-1],
    ]  # fmt: skip


def test_where_readings_disagree_no_single_home_is_told_and_the_rest_is_one_of_the_readings():
    answers = {"residence_known": ("yes", "district=500107"), "evidence_agrees": ("no", "readings=2")}
    told_of = [{"condition": c["condition"], "answer": answers.get(c["condition"], ("yes",))[0], "detail": answers.get(c["condition"], ("", None))[1]} for c in ASSESSMENT["conditions"]]
    told = list(explain.asked(ASSESSMENT | {"reason": "conflicting_evidence", "conditions": told_of}, "en"))
    assert "      lives in 九龙坡区" not in told
    (at,) = [i for i, line in enumerate(told) if "decides" in line]
    assert told[at + 1] == "      ways to read the records 2" and told[at + 3] == "  What follows differs by reading; one of them is shown:"


def test_the_timeline_runs_from_the_oldest_stay_to_now_with_the_rows_of_each():
    stays = [
        {"division": "500107", "township": None, "from_date": date(2024, 1, 2), "to_date": None, "is_inferred": False, "is_current": True, "evidence": [ROW]},
        {"division": "500116", "township": None, "from_date": None, "to_date": date(2024, 1, 2), "is_inferred": True, "is_current": False, "evidence": []},
    ]
    assert list(explain.timeline(stays, AS_OF, "en")) == [
        "  ●── start unknown ──▶ 2024-01-02  江津区",
        "  ●── 2024-01-02 ──▶ still  九龙坡区  ← lives here",
        "  │     quarterly survey: 摸排在住  [survey_20261110.csv row 7]",
    ]
    assert list(explain.timeline(stays[::-1], AS_OF, "zh")) == list(explain.timeline(stays, AS_OF, "zh"))


def test_every_article_is_written_down():
    assert all(c.article for c in explain.conditions().values())


def test_a_child_that_is_not_away_is_told_no_start():
    at_home = ASSESSMENT | {"reason": "same_district", "away_since": None, "months_away": None}
    assert not [line for line in explain.answer(at_home, "en") if "away since" in line]
