"""What holds of the rule whatever the rows say, over random lives."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from schemas.reference import lists
from tests.rules.plain_signs import months_after
from tests.rules.random_histories import History, Row, answers, histories
from tests.rules.rule_children import answer

LIVES = histories(600, random.Random(4))
# what an answer rests on may name another of two rows that say the same
ASIDE = {"evidence", "person_id"}


def told(lives: list[History]) -> list[Row]:
    return [{name: value for name, value in row.items() if name not in ASIDE} for row in answers(lives)]


@pytest.fixture(scope="module")
def plain() -> list[Row]:
    return told(LIVES)


def test_the_order_of_rows_changes_nothing(plain: list[Row]) -> None:
    rng = random.Random(5)
    shuffled = [replace(life, rows={feed: rng.sample(rows, len(rows)) for feed, rows in rng.sample(sorted(life.rows.items()), len(life.rows))}) for life in LIVES]
    assert told(shuffled) == plain


def test_nor_does_the_order_of_children_or_their_company(plain: list[Row]) -> None:
    assert told(LIVES[::-1]) == plain[::-1]
    assert told(LIVES[:100]) == plain[:100]


def test_a_row_that_says_nothing_new_changes_nothing(plain: list[Row]) -> None:
    """Each row once more from another file, and a row of each feed with nothing in it but the child."""
    again = [
        replace(life, rows={feed: [*rows, *({**row, "source_file": "again.csv"} for row in rows)] for feed, rows in life.rows.items()}) for life in LIVES
    ]
    assert told(again) == plain
    blank = {"record_hash": 10**6}
    empty = dict.fromkeys(("residence", "education", "disease_control", "health", "medical_insurance", "disability"), blank) | {"assistance": blank | {"kind": "低保"}}
    with_blanks = [
        replace(life, rows={**life.rows, **{feed: [*life.rows.get(feed, []), row | {"export_date": life.as_of}] for feed, row in empty.items()}}) for life in LIVES
    ]
    assert told(with_blanks) == plain


def test_a_later_day_never_makes_a_child_younger() -> None:
    later = [replace(life, as_of=life.as_of + timedelta(days)) for life in LIVES for days in (0, 1, 400)]
    rows = told(later)
    for today, tomorrow, next_year in zip(rows[::3], rows[1::3], rows[2::3], strict=True):
        assert today["turns_16_on"] == tomorrow["turns_16_on"] == next_year["turns_16_on"]
        aged = [row["reason"] == "age_16_or_over" for row in (today, tomorrow, next_year) if row["reason"] != "deceased"]
        assert aged == sorted(aged), (today, tomorrow, next_year)


def test_the_sixteenth_birthday_is_the_last_day() -> None:
    """On the day itself age is no reason, on the day after it is the reason unless the child is dead."""
    on, after = (
        told([replace(life, child=life.child | {"birth_date": months_after(life.as_of, -192) - timedelta(days)}) for life in LIVES if life.as_of.day < 28]) for days in (0, 1)
    )
    assert "age_16_or_over" not in {row["reason"] for row in on}
    assert {row["reason"] for row in after} == {"age_16_or_over", "deceased"}


@pytest.mark.parametrize("as_of", sorted({life.as_of for life in LIVES}))
def test_hukou_and_home_swapped_within_the_zone_stay_exempt(as_of) -> None:
    old = {"500105": "江北区", "500112": "渝北区", "500109": "北碚区"}
    towns = [old[district] + town for district, town in sorted(lists.moved_townships())[::4]]
    ends = [*towns, "渝中区", "大渡口区", "沙坪坝区", "九龙坡区", "南岸区", "巴南区", "两江新区", "高新区", "渝北区", "江北区"]
    pairs = [(f"{number:05d}", hukou, home) for number, (hukou, home) in enumerate(product(ends, ends))]
    rows = {
        "household": [{"person_id": person, "hukou_division": hukou} for person, hukou, _ in pairs],
        "residence": [{"person_id": person, "residence_division": home, "arrived_on": "2021-03-01"} for person, _, home in pairs],
    }
    reasons = answer([{"person_id": person, "birth_date": "2020-01-01"} for person, *_ in pairs], rows, as_of).assessment["reason"].to_list()
    assert set(reasons) == {"exempt_main_urban", "same_district"}
    swapped = {(hukou, home): reason for (_, hukou, home), reason in zip(pairs, reasons, strict=True)}
    assert all(swapped[home, hukou] == reason for (hukou, home), reason in swapped.items())
