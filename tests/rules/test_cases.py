"""Every case of the decisions and of the domain notes: the rule's as sentences in tests/rules/cases, those of key care and of linkage in their own files."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.rules.rule_children import EXPORTED, answer

AS_OF = date(2026, 11, 24)
CASES: list[dict[str, Any]] = [case | {"file": path.stem} for path in sorted((Path(__file__).parent / "cases").glob("*.yaml")) for case in yaml.safe_load(path.read_text("utf-8"))]
_KEYS = {"case", "decisions", "notes", "as_of", "exported", "born", "child", "hukou", "facts", "expect", "file", "episodes", "rests_on"}


@cache
def answers() -> dict[int, tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Number of the case -> assessment and episodes. All cases of one day are judged together, as a night would."""
    nights: dict[date, list[int]] = defaultdict(list)
    for number, case in enumerate(CASES):
        nights[case.get("as_of", AS_OF)].append(number)
    found = {}
    for as_of, numbers in nights.items():
        children, feeds = [], defaultdict(list)
        for number in numbers:
            case = CASES[number]
            person = f"{number:04d}"
            children.append({"person_id": person, "birth_date": case.get("born", "2016-03-01")} | case.get("child", {}))
            rows = {**case["facts"]}
            if "hukou" in case:
                rows["household"] = [*rows.get("household", []), {"hukou_division": case["hukou"], "hukou_status": "正常"}]
            for feed, of_child in rows.items():
                feeds[feed] += [{"person_id": person, "export_date": case.get("exported", EXPORTED)} | row for row in of_child]
        made = answer(children, feeds, as_of)
        for row in made.assessment.iter_rows(named=True):
            found[int(row["person_id"])] = (row, made.episodes.filter(person_id=row["person_id"]).to_dicts())
    return found


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{case['file']}: {case['case']}" for case in CASES])
def test_case(number):
    case = CASES[number]
    assert set(case) <= _KEYS, set(case) - _KEYS
    row, episodes = answers()[number]
    assert {name: row[name] for name in case["expect"]} == case["expect"]
    if "rests_on" in case:
        assert sorted(entry["says"] for entry in row["evidence"]) == sorted(case["rests_on"])
    if "episodes" in case:
        assert [{name: stay[name] for name in wanted} for wanted, stay in zip(case["episodes"], episodes, strict=True)] == case["episodes"]


def test_sentences_are_told_apart():
    sentences = [case["case"] for case in CASES]
    assert len(sentences) == len(set(sentences))


def test_every_decision_has_a_case():
    told = {number for case in CASES for number in case.get("decisions", [])}
    assert told == set(range(1, 20))


def test_every_case_of_the_domain_notes_is_somewhere():
    """1 to 66: place, person, age and time, key care; 47 and 59 to 65 are a matter of who is who."""
    here = Path(__file__).parent
    others = [*sorted((here / "cases_care").glob("*.yaml")), here.parent / "matching" / "linkage_cases.yaml"]
    loaded = [yaml.safe_load(path.read_text("utf-8")) for path in others]
    cases = [*CASES, *(case for book in loaded for case in (book["cases"] if isinstance(book, dict) else book))]
    misspelt = [case["case"] for case in cases if {"note", "decision"} & set(case)]
    assert not misspelt, f"write notes: [number] at {misspelt}"
    assert {number for case in cases for number in case.get("notes", [])} == set(range(1, 67))
