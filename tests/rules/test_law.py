"""The law in data: a wrong file stops the run and says where and what is allowed; the values of a day; another law for what-if."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.law import PARAMETERS, Law
from rules.law_file import LawError, Parameter, read_parameter

WRONG: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("law_files.yaml").read_text("utf-8"))
LAW = Law.load()
VALUE: dict[str, Any] = {"from": date(2024, 11, 19), "value": 6, "article": "二（一）1", "source": "方案", "checked_on": date(2026, 11, 24)}
RIGHT: dict[str, Any] = {"description": "d", "unit": "months", "kind": "integer", "minimum": 1, "maximum": 24, "values": [VALUE]}


def content(case: dict[str, Any]) -> dict[str, Any]:
    change = case.get("change", {})
    values = change.get("values", [case.get("value", {})])
    full = [{k: v for k, v in (VALUE | value).items() if v is not None} if isinstance(value, dict) else value for value in values] if isinstance(values, list) else values
    return {k: v for k, v in (RIGHT | change | {"values": full}).items() if v is not None}


def read(folder: Path, text: str) -> Parameter:
    path = folder / "one.yaml"
    path.write_text(text, "utf-8")
    return read_parameter(path, "topic/one")


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case["case"])
def test_a_wrong_file_says_where_and_what_is_allowed(tmp_path, case):
    text = case["text"] if "text" in case else yaml.safe_dump(content(case), allow_unicode=True)
    with pytest.raises(LawError) as raised:
        read(tmp_path, text)
    assert str(raised.value) == case["says"]


def test_the_file_that_the_wrong_ones_start_from_is_right(tmp_path):
    assert read(tmp_path, yaml.safe_dump(RIGHT, allow_unicode=True)).on(date(2026, 1, 1)).value == 6


def test_a_file_in_another_encoding(tmp_path):
    (tmp_path / "one.yaml").write_bytes("description: 月".encode("gb18030"))
    with pytest.raises(LawError, match=r"^topic/one\.yaml: not readable as YAML: not UTF-8$"):
        read_parameter(tmp_path / "one.yaml", "topic/one")


def test_a_district_that_never_was(tmp_path):
    changed = RIGHT | {"kind": "list", "unit": "division codes", "values": [VALUE | {"value": ["500103", "500199"]}]}
    with pytest.raises(LawError, match=r"^topic/one\.yaml, value 1, value: '500199' is not allowed; allowed: 500101, 500102, .*500156, 500157, 500181, "):
        read(tmp_path, yaml.safe_dump(changed, allow_unicode=True))


def law_of(folder: Path, **files: dict[str, Any]) -> Law:
    (folder / "topic").mkdir(exist_ok=True)
    for name, given_content in files.items():
        (folder / "topic" / f"{name}.yaml").write_text(yaml.safe_dump(given_content, allow_unicode=True), "utf-8")
    return Law.load(folder)


def test_no_files(tmp_path):
    with pytest.raises(LawError, match=f"^no parameter files in {tmp_path.name}; expected {tmp_path.name}/<topic>/<parameter>.yaml$"):
        Law.load(tmp_path)


def test_one_short_name_for_two(tmp_path):
    with pytest.raises(LawError, match=r"^topic/two\.yaml: alias months is already that of topic/one$"):
        law_of(tmp_path, one=RIGHT | {"alias": "months"}, two=RIGHT | {"alias": "months"})


def test_a_day_after_the_last_value(tmp_path):
    law = law_of(tmp_path, one=RIGHT | {"values": [VALUE | {"to": date(2026, 12, 31)}]})
    assert law.on(date(2026, 12, 31))["topic/one"] == 6
    with pytest.raises(LawError, match=r"^parameter topic/one: no value on 2027-01-01, the last one ended on 2026-12-31; add one that starts on 2027-01-01$"):
        law.on(date(2027, 1, 1))


def test_a_parameter_that_is_not_there():
    p = LAW.on(date(2026, 11, 24))
    with pytest.raises(LawError, match=r"^no parameter age/limits; there are: age/limit_years$"):
        p["age/limits"]
    with pytest.raises(LawError, match=r"^no parameter ages; there are: age/limit_years, "):
        p["ages"]


def test_both_sides_of_a_date(tmp_path):
    law = law_of(tmp_path, one=RIGHT | {"values": [VALUE | {"from": date(2025, 11, 6), "value": 7}, VALUE]})
    values = {day: law.on(day)["topic/one"] for day in (date(2020, 1, 1), date(2024, 11, 19), date(2025, 11, 5), date(2025, 11, 6), date(2030, 1, 1))}
    assert list(values.values()) == [6, 6, 6, 7, 7]
    assert law.on(date(2024, 11, 18)).backdated == ["topic/one"] and law.on(date(2024, 11, 19)).backdated == []


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 2000), unique=True, min_size=1, max_size=6), st.integers(-10, 2010))
def test_a_day_has_the_value_of_the_last_start_before_it(tmp_path_factory, starts, asked):
    first = date(2024, 1, 1)
    values = [VALUE | {"from": first + timedelta(start), "value": number % 24 + 1} for number, start in enumerate(starts)]
    parameter = read(tmp_path_factory.mktemp("law"), yaml.safe_dump(RIGHT | {"values": values}, allow_unicode=True))
    begun = [value for value in values if value["from"] <= first + timedelta(asked)]
    expected = max(begun, key=lambda value: value["from"]) if begun else min(values, key=lambda value: value["from"])
    assert parameter.on(first + timedelta(asked)).value == expected["value"]


@pytest.mark.parametrize(
    ("name", "wanted", "says"),
    [
        ("month", "5", "no parameter month; short names: age, gap_days, months, zone; all: age/limit_years, "),
        ("months", "five", "override months: 'five' is not of kind integer"),
        ("months", "5.5", "override months: '5.5' is not of kind integer"),
        ("months", "0", "override months: 0 is below the minimum 1"),
        ("months", "25", "override months: 25 is above the maximum 24"),
        ("zone", "+500199", "override zone: '500199' is not allowed; allowed: 500101, 500102, "),
        ("zone", "-500116", "override zone: 500116 cannot be taken away, for it is not there; there are: 500103, 500104, "),
        ("zone", "+500116,500117", "override zone: '+500116,500117' mixes changes with a whole list; write either +a,-b or a,b"),
        ("visits/survey_counts_as_visit", "ja", "override visits/survey_counts_as_visit: 'ja' is not of kind flag"),
        ("evidence/confidence", "1", "override evidence/confidence: a mapping cannot be given as text; edit its file instead"),
        ("evidence/strength", {"hearsay": 1}, "override evidence/strength: 'hearsay' is not allowed; allowed: survey, residence, "),
    ],
)
def test_a_wrong_override_says_what_is_allowed(name, wanted, says):
    with pytest.raises(LawError) as raised:
        LAW.with_overrides({name: wanted})
    assert str(raised.value).startswith(says)


def test_an_override_holds_on_every_day():
    other = LAW.with_overrides({"months": "5", "zone": "+500116,-500105", "visits/survey_counts_as_visit": "true"})
    before, after = other.on(date(2025, 11, 5)), other.on(date(2025, 11, 6))
    assert before["residence/months_required"] == after["residence/months_required"] == 5
    assert "500116" in before["zone/districts"] and "500105" not in before["zone/districts"]
    assert after["zone/districts"] == [*LAW.on(date(2025, 11, 6))["zone/districts"], "500116"]
    assert after["visits/survey_counts_as_visit"] is True
    assert LAW.with_overrides({"zone": "500103, 500104"}).on(date(2026, 1, 1))["zone/districts"] == ["500103", "500104"]
    assert LAW.with_overrides({"zone": "+500103"}).version == LAW.version
    assert LAW.with_overrides({"evidence/confidence": LAW.on(date(2026, 1, 1))["evidence/confidence"]}).version == LAW.version
    assert other.version != LAW.version


def test_numbers_and_texts_are_read_as_their_kind(tmp_path):
    law = law_of(tmp_path, one=RIGHT | {"kind": "number"}, two={**RIGHT, "kind": "text", "values": [VALUE | {"value": "甲"}]} | {"minimum": None, "maximum": None})
    changed = law.with_overrides({"topic/one": "6.5", "topic/two": "乙"}).on(date(2026, 1, 1))
    assert (changed["topic/one"], changed["topic/two"]) == (6.5, "乙")


def test_every_value_says_what_it_rests_on():
    p = LAW.on(date(2026, 11, 24))
    for key in LAW.parameters:
        assert p.article(key).startswith("方案未规定：") == p.is_silent(key)
    assert p.is_silent("residence/home_days_bridged") and not p.is_silent("residence/months_required")


def test_every_file_lies_where_it_is_read():
    assert {path.relative_to(PARAMETERS).as_posix() for path in PARAMETERS.rglob("*") if path.is_file()} == {f"{key}.yaml" for key in LAW.parameters}
