"""Numbers of one child or family that many have: a teacher's phone, a certificate filled in where none was known; and words where a relative's name was asked for."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import names
from matching.frequencies import MOST_HOLDERS, common
from matching.linkage import Linked, link_records
from matching.model import load_model
from matching.record import record_of
from matching.sets import Sets
from matching.standardise import typed
from schemas.exports.feeds import FEEDS
from tests.matching.linkage_city import records

AS_OF = date(2026, 11, 24)
NUMBERS: dict[str, tuple[str, Any]] = {
    "phone": ("phones", ["13666667777"]), "certificate": ("birth_certificate", "P500000000"), "document": ("document_number", "HK0000000"),
    "feed_key": ("record_key", "K0"),
}  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 4), max_size=3), max_size=40))
def test_a_number_is_common_that_more_units_hold_than_a_plain_count_allows(held: list[list[int]]) -> None:
    rows = [(unit, value) for unit, values in enumerate(held) for value in values]
    made = Sets.of(pl.DataFrame(rows, schema={"unit": pl.UInt32, "value": pl.UInt32}, orient="row"), len(held))
    holders = Counter(value for values in held for value in set(values))
    for attribute, numbers in common(dict.fromkeys(MOST_HOLDERS, made)).items():
        assert numbers.tolist() == sorted(value for value, units in holders.items() if units > MOST_HOLDERS[attribute])


def _pair_among(attribute: str, others: int) -> Linked:
    """Two rows with one number and birth date, and others who have it too and nothing else in common."""
    column, number = NUMBERS[attribute]
    near = [{"feed": feed, "name": name, "birth_date": date(2015, 3, 2)} for feed, name in (("health", "张浩宇"), ("health", "张浩明"))]
    far = [{"feed": "health", "name": chr(0x4E10 + 7 * i) + chr(0x6C10 + 5 * i), "birth_date": date(2011, 1, 1) + timedelta(days=61 * i)} for i in range(others)]
    return link_records(records([{**row, column: number, "sex": "male"} for row in near + far]), {}, AS_OF)


@pytest.mark.parametrize("attribute", MOST_HOLDERS)
def test_a_number_that_many_have_speaks_for_nobody_and_a_clerk_is_told(attribute: str) -> None:
    few, many = _pair_among(attribute, MOST_HOLDERS[attribute] - 2), _pair_among(attribute, MOST_HOLDERS[attribute] - 1)
    asked = few.tables["review_queue"].height + few.tables["person_record"].filter(pl.col("link_method") != "alone").height
    assert asked > 0
    assert many.tables["review_queue"].is_empty()
    assert set(many.tables["person_record"]["link_method"]) == {"alone"}


def test_of_two_phones_one_that_few_have_is_enough() -> None:
    class_ = [{"feed": "health", "name": chr(0x4E10 + 7 * i) + "一", "birth_date": date(2011, 1, 1) + timedelta(days=61 * i), "phones": ["13666667777"]} for i in range(30)]
    near = [{"feed": feed, "name": "张浩宇", "birth_date": date(2015, 3, 2), "phones": ["13666667777", "13912345678"]} for feed in ("health", "survey")]
    held = link_records(records(class_ + near), {}, AS_OF).tables["person_record"].filter(pl.col("source_row") > len(class_))
    assert held["person_id"].n_unique() == 1


def test_the_model_says_of_each_such_comparison_that_it_is_none() -> None:
    for attribute in MOST_HOLDERS:
        comparison = load_model().comparison({"feed_key": "record_key"}.get(attribute, attribute))
        level = comparison.levels[comparison.position("common")]
        assert level.aside and set(level.shares.values()) == {1.0}


@pytest.mark.parametrize(("word", "name"), [("张建国", "张建国"), ("父亲", None), ("奶奶", None), ("家长", None), ("已故", None), ("班主任", None), ("安然", "安然"), (None, None)])
def test_a_word_where_a_relatives_name_was_asked_for_is_nobodys_name(word: str | None, name: str | None) -> None:
    assert pl.DataFrame({"name": [word]}, schema={"name": pl.String}).select(names.of_relative(pl.col("name"))).item() == name


def test_relatives_without_a_name_are_kept_by_their_phone_alone() -> None:
    survey = FEEDS["survey"]
    told = {"record_key": "K1", "name": "张浩宇", "father_name": "父亲", "father_phone": "13912345678", "mother_name": "妈妈", "guardian_name": "王丽", "guardian_relation": "母亲"}
    blank: dict[str, Any] = dict.fromkeys(column.name for column in survey.columns)
    row = pl.DataFrame([blank | told], schema=dict.fromkeys(blank, pl.String)).with_columns(
        feed=pl.lit("survey"), source_file=pl.lit("a.csv"), source_row=pl.lit(1, dtype=pl.UInt32), export_date=pl.lit(AS_OF), warnings=pl.lit([], dtype=pl.List(pl.String))
    )
    relatives = record_of(typed(row, survey), survey)["relatives"].item().to_list()
    assert [(each["name"], each["relation"], each["phone"]) for each in relatives] == [(None, "father", "13912345678"), ("王丽", "mother", None)]

