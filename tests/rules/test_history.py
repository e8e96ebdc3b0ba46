"""The rule on any day: districts as they stood then, on both sides of each change; and no change ever makes a child count, or stop."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from schemas.reference import lists
from tests.rules.rule_children import answer

BOOK = yaml.safe_load(Path(__file__).with_name("history.yaml").read_text("utf-8"))
NEIGHBOUR = "万州区"
COLUMNS = ("hukou_district", "residence_district", "reason")


def children() -> list[dict[str, Any]]:
    """One a line of `moves`, and three a rename: away under its old name, living there under its new one, and both names of one place."""
    moves = [dict(zip(("on", "hukou", "home", "before", "after"), line, strict=True)) for line in BOOK["moves"]]
    for on, old, new, code, since in BOOK["renames"]:
        moves += [
            {"on": on, "hukou": old, "home": NEIGHBOUR, "before": [code, "500101", "flowing"], "after": [since, "500101", "flowing"]},
            {"on": on, "hukou": NEIGHBOUR, "home": new, "before": ["500101", code, "flowing"], "after": ["500101", since, "flowing"]},
            {"on": on, "hukou": code, "home": new, "before": [code, code, "same_district"], "after": [since, since, "same_district"]},
        ]
    return moves


CHILDREN = children()


@cache
def assessed(as_of: date, on: date) -> pl.DataFrame:
    """The children of one change, six years old and three years in their place, on a day; asked today, of today's files."""
    mine = [(f"{number:03d}", child) for number, child in enumerate(CHILDREN) if child["on"] == on]
    born, arrived = on - timedelta(6 * 365), on - timedelta(3 * 365)
    rows = {
        "household": [{"person_id": person, "hukou_division": child["hukou"], "hukou_status": "正常"} for person, child in mine],
        "residence": [{"person_id": person, "residence_division": child["home"], "arrived_on": arrived} for person, child in mine],
    }
    return answer([{"person_id": person, "birth_date": born} for person, _ in mine], rows, as_of).assessment


@pytest.mark.parametrize("number", range(len(CHILDREN)), ids=[f"{child['on']} {child['hukou']} to {child['home']}" for child in CHILDREN])
def test_on_both_sides_of_the_change(number):
    child = CHILDREN[number]
    for as_of, expected in ((child["on"] - timedelta(1), child["before"]), (child["on"], child["after"])):
        row = assessed(as_of, child["on"]).row(by_predicate=pl.col("person_id") == f"{number:03d}", named=True)
        assert [row[name] for name in COLUMNS] == expected, as_of


def test_every_change_of_the_reference_is_told():
    """No change can be added to the list without a child on both sides of it."""
    told = {(child["on"], before, after) for child in CHILDREN for before, after in zip(child["before"][:2], child["after"][:2], strict=True)}
    assert {(change.on, change.before, change.code) for change in lists.changes()} <= told


def test_the_change_of_2025_flips_no_outcome():
    """Each township of the three old districts, as hukou and as home, against each of them and three places elsewhere: what counts is the same ground."""
    moved = defaultdict(list)
    for (district, township), now in sorted(lists.moved_townships().items()):
        moved[district, now].append({"500105": "江北区", "500112": "渝北区", "500109": "北碚区"}[district] + township)
    assert {key: len(names) for key, names in moved.items() if key[0] != "500105"} == {
        ("500109", "500109"): 12, ("500109", "500157"): 5, ("500112", "500109"): 5, ("500112", "500157"): 25,
    }  # fmt: skip
    ends = [names[0] for names in moved.values()] + [name for key in (("500112", "500109"), ("500109", "500157")) for name in moved[key][1:]] + ["渝中区", "璧山区", "四川省广安市邻水县"]
    pairs = [(f"{number:04d}", one, other) for number, (one, other) in enumerate((one, other) for one in ends for other in ends)]
    rows = {
        "household": [{"person_id": person, "hukou_division": one} for person, one, _ in pairs],
        "residence": [{"person_id": person, "residence_division": other, "arrived_on": "2023-01-01"} for person, _, other in pairs],
    }
    before, after = (answer([{"person_id": p, "birth_date": "2018-01-01"} for p, *_ in pairs], rows, day).assessment for day in (date(2025, 11, 5), date(2025, 11, 6)))
    assert before["outcome"].equals(after["outcome"]) and set(before["outcome"]) == {"flowing", "not_flowing"}
    assert before["away_since"].equals(after["away_since"])
    assert not before["reason"].equals(after["reason"]), "the reason does change: same district, or within the zone"
