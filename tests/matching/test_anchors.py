"""Whose number a row holds, however many rows are judged at once."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from matching import anchors
from matching.anchors import changed_numbers, own_numbers
from matching.coding import code_records
from tests.matching.linkage_city import city, number, records

AS_OF = date(2026, 11, 24)
PLACES = ("500243", "510504", "500107", "511725")


def twins(count: int) -> pl.DataFrame:
    """Twins whose numbers were given in two places, both in the household register, and of the first of them a row with the other's number."""
    rows = []
    for n in range(count):
        born = date(2014, 1, 3) + timedelta(days=37 * n)
        one, other = number("500106", born, 100 + 2 * n), number(PLACES[n % len(PLACES)], born, 101 + 2 * n)
        told = {"birth_date": born, "record_key": f"K{n}"}
        rows += [
            {**told, "feed": "household", "name": "周玥欣", "id_number": one}, {**told, "feed": "household", "name": "周玥诺", "id_number": other},
            {**told, "feed": "health", "name": "周玥欣", "id_number": other},
        ]  # fmt: skip
    return records(rows)


@pytest.mark.parametrize("at_once", [7, 50, 500_000])
def test_the_number_of_a_twin_from_another_place_is_told_by_the_name(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchors, "_SHARE_ROWS", at_once)
    held = code_records(twins(40))
    roles = held.rows.select("feed").with_row_index("rec").join(own_numbers(held, AS_OF), on="rec")
    assert set(roles.select(pl.col("feed").cast(pl.String), pl.col("id_role").cast(pl.String)).rows()) == {("household", "own"), ("health", "sibling")}


@pytest.mark.parametrize("at_once", [60, 500])
def test_a_city_is_judged_alike_however_many_rows_are_judged_at_once(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    held = code_records(pl.concat([city(1500, 5, damage=3.0, twins=0.2)[0], twins(40)]))
    whole = own_numbers(held, AS_OF)
    monkeypatch.setattr(anchors, "_SHARE_ROWS", at_once)
    assert own_numbers(held, AS_OF).equals(whole)


@pytest.mark.parametrize(("name", "changed"), [("张梓涵", 1), ("张梓□", 0), ("张?", 0)])
def test_twins_whose_rare_characters_were_lost_are_no_child_whose_number_was_changed(name: str, changed: int) -> None:
    born = date(2015, 3, 2)
    entry = {"feed": "household", "household_key": "H1", "name": name, "name_folded": name.replace("□", "?"), "sex": "male", "birth_date": born}
    held = code_records(records([entry | {"id_number": number("500106", born, sequence)} for sequence in (135, 137)]))
    assert changed_numbers(held, own_numbers(held, AS_OF)).height == changed


BORN = date(2018, 5, 4)
CARD = number("500107", BORN, 217)
RENAMED = [
    ("two departments know a renamed child by its old name", [("household", "李涛"), ("education", "李博浩"), ("health", "李博浩")], {"own"}),
    ("and one of them miswrites that", [("household", "李涛"), ("education", "李博浩"), ("health", "李博浩"), ("survey", "李博皓")], {"own"}),
    ("one department has another name", [("household", "李涛"), ("education", "李博浩"), ("education", "李博浩")], {"own", "sibling"}),
    ("two departments have two other names", [("household", "李涛"), ("education", "李博浩"), ("health", "李明")], {"own", "sibling"}),
]


@pytest.mark.parametrize(("rows", "roles"), [c[1:] for c in RENAMED], ids=[c[0] for c in RENAMED])
def test_a_number_goes_by_a_further_name_where_two_feeds_have_it(rows: list[tuple[str, str]], roles: set[str]) -> None:
    held = code_records(records([{"feed": feed, "name": name, "id_number": CARD, "birth_date": BORN, "record_key": f"K{n}"} for n, (feed, name) in enumerate(rows)]))
    assert set(own_numbers(held, AS_OF)["id_role"].cast(pl.String)) == roles


def test_a_name_that_another_number_of_the_day_goes_by_is_a_twins_in_whatever_feeds() -> None:
    rows = [("household", "李涛", CARD), ("education", "李博浩", CARD), ("health", "李博浩", CARD), ("household", "李博浩", number("500107", BORN, 219))]
    held = code_records(records([{"feed": feed, "name": name, "id_number": card, "birth_date": BORN, "record_key": f"K{n}"} for n, (feed, name, card) in enumerate(rows)]))
    roles = held.rows.select("feed").with_row_index("rec").join(own_numbers(held, AS_OF), on="rec")
    assert set(roles.select(pl.col("feed").cast(pl.String), pl.col("id_role").cast(pl.String)).rows()) == {("household", "own"), ("education", "sibling"), ("health", "sibling")}
