"""What departments answered on a roster, as evidence beside the feeds' rows."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from rules.assessment import assess
from schemas.reference.divisions import place
from schemas.tables.verification import VERIFICATION_FACTS
from tests.rules.rule_children import children_frame, facts_of, law

AS_OF = date(2026, 11, 24)
TOLD = date(2026, 10, 15)
REGISTERED = {"residence": [{"residence_division": "璧山区", "arrived_on": "2024-01-01", "registered_on": "2024-01-05"}]}


def answered(**cells: Any) -> dict[str, Any]:
    blank = dict.fromkeys(VERIFICATION_FACTS.names)
    row = blank | {"person_id": "child", "feed": "verification", "source_file": "verification_1.xlsx", "source_row": 1, "record_hash": 99, "department": "公安", "verified_on": TOLD}
    where = cells.pop("where", None)
    found = place(where) if where else None
    return row | ({"code": found.code, "township": found.township, "written": found.written} if found else {}) | cells


def one(feeds: dict[str, Any], *answers: dict[str, Any], hukou: str = "江津区", as_of: date = AS_OF) -> dict[str, Any]:
    facts = facts_of({"household": [{"hukou_division": hukou, "hukou_since": "2018-01-01"}], **feeds})
    if answers:
        facts["verification"] = pl.DataFrame(list(answers), schema=VERIFICATION_FACTS.schema).lazy()
    return assess(children_frame([{"birth_date": "2016-03-01"}]).lazy(), facts, as_of, law().on(as_of), law().version).assessment.row(0, named=True)


def test_a_child_that_left_the_district_of_the_roster_lives_there_no_more() -> None:
    gone = one(REGISTERED, answered(question="presence", roster_district="500120"))
    assert (gone["outcome"], gone["reason"]) == ("undetermined", "residence_unknown")
    assert one(REGISTERED)["outcome"] == "flowing"
    assert one(REGISTERED, answered(question="presence", roster_district="500151"))["outcome"] == "flowing", "of another district it says nothing"


def test_an_answer_of_tomorrow_has_not_been_given() -> None:
    assert one(REGISTERED, answered(question="presence", roster_district="500120"), as_of=date(2026, 10, 14))["outcome"] == "flowing"


def test_what_a_row_says_of_a_day_after_the_answer_stands() -> None:
    later = {"residence": [{"residence_division": "璧山区", "arrived_on": "2026-10-16"}]}
    assert one(later, answered(question="presence", roster_district="500120"))["residence_district"] == "500120"


def test_a_corrected_place_and_arrival() -> None:
    moved = one(REGISTERED, answered(question="residence", where="铜梁区"), answered(question="arrived_on", date=date(2026, 9, 1), record_hash=98, source_row=2, roster_district="500120"))
    assert (moved["outcome"], moved["residence_district"], moved["away_since"]) == ("flowing", "500151", date(2024, 1, 1))
    said = [row["says"] for row in moved["evidence"]]
    assert any(told.endswith("更正现居住地（铜梁区）") for told in said)
    assert any(told.endswith("更正现居住地为他处（璧山区）") for told in said), "璧山 is not what it was corrected to"


@pytest.mark.parametrize(
    ("told", "roster", "since"),
    [
        (date(2026, 9, 20), "500120", date(2026, 8, 1)),  # of 璧山, where the child then lived
        (date(2026, 10, 16), "500120", date(2024, 1, 1)),  # of 铜梁, where it is known to live by then
        (date(2026, 9, 20), "500151", date(2024, 1, 1)),  # of 铜梁, which that roster lists
    ],
)
def test_an_arrival_corrected_before_the_place_was_is_one_at_the_place_of_its_roster(told: date, roster: str, since: date) -> None:
    arrived = answered(question="arrived_on", date=date(2026, 8, 1), record_hash=98, source_row=2, roster_district=roster, verified_on=told)
    moved = one(REGISTERED, answered(question="residence", where="铜梁区"), arrived)
    assert (moved["residence_district"], moved["away_since"]) == ("500151", since)


def test_a_corrected_arrival_alone_is_one_at_the_place_of_the_roster() -> None:
    row = one(REGISTERED, answered(question="arrived_on", date=date(2026, 8, 1), roster_district="500120"))
    assert (row["reason"], row["away_since"]) == ("under_six_months", date(2026, 8, 1))


@pytest.mark.parametrize(("department", "reason"), [("公安", "residence_unknown"), ("教育", "flowing")])
def test_a_department_takes_back_its_own_rows_alone(department: str, reason: str) -> None:
    assert one(REGISTERED, answered(question="withdrawn", roster_district="500120", department=department))["reason"] == reason


def test_a_corrected_hukou_holds_until_a_later_move() -> None:
    corrected = answered(question="hukou", where="璧山区")
    assert one(REGISTERED, corrected)["reason"] == "same_district"
    moved = {**REGISTERED, "household": [{"hukou_division": "江津区", "hukou_since": "2026-10-20"}]}
    assert one(moved, corrected)["hukou_district"] == "500116"
