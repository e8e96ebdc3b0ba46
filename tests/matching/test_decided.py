"""Whom a clerk's decision is about on the nights after: rows that change under their key, keys that many have, lists that are numbered anew."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from matching.linkage import Linked, link_records
from tests.matching.linkage_city import number, person, records

AS_OF = date(2026, 11, 24)
BORN, OTHER = date(2015, 3, 2), date(2012, 1, 30)
BOY, TWIN, THIRD, STRANGER = (number("500106", born, sequence) for born, sequence in ((BORN, 135), (BORN, 137), (BORN, 139), (OTHER, 133)))
FAMILY = [person("张建国", "father", None, "13512345678"), person("李芳", "mother", None, "13612345678")]


def row(key: str, feed: str = "survey", **values: Any) -> dict[str, Any]:
    return {"feed": feed, "record_key": key, "name": "张浩宇", "sex": "male", "birth_date": BORN} | values


def night(rows: list[dict[str, Any]], before: Linked | None = None, queue: pl.DataFrame | None = None) -> Linked:
    """One run on the rows, with the tables of the run before it."""
    return link_records(records(rows), {} if before is None else before.tables | ({} if queue is None else {"review_queue": queue}), AS_OF)


def together(linked: Linked) -> set[tuple[str, ...]]:
    """The keys of each person's rows."""
    return {tuple(keys) for (keys,) in linked.tables["person_record"].group_by("person_id").agg(pl.col("record_key").sort()).select("record_key").iter_rows()}


def decided(linked: Linked, decision: str, left: str, right: str) -> pl.DataFrame:
    """A queue in which a clerk decided about the persons of two rows, known by their feed and key."""
    held = linked.tables["person_record"].with_columns(key=pl.col("feed") + ":" + pl.col("record_key"))
    sides: dict[str, Any] = {}
    for side, key in (("left", left), ("right", right)):
        rows = held.filter(pl.col("person_id") == held.filter(pl.col("key") == key)["person_id"][0]).sort("key")
        sides |= {side: rows["person_id"][0], f"{side}_record": rows["record_hash"][0], f"{side}_records": rows["record_hash"].to_list(), f"{side}_keys": rows["key"].to_list()}
    made = sides | {"pair_id": "R1", "match_weight": 0.0, "match_probability": 0.5, "cause": "doubtful", "gain": 1.0, "comparisons": []}
    said = {"decision": decision, "decided_by": "核对员", "decided_on": AS_OF}
    schema = linked.tables["review_queue"].schema
    return pl.DataFrame([made | said], schema=schema).select(schema.names())


TWO = [row("1", id_number=BOY, relatives=FAMILY), row("b", "education", id_number=TWIN, relatives=FAMILY)]


def test_a_key_that_many_rows_have_joins_nobody_to_the_child_a_clerk_meant() -> None:
    """The survey wrote 无 where the form asked for a number."""
    others = [row("无", name=f"冉子{c}", birth_date=date(2012, 1, day), id_number=number("500106", date(2012, 1, day), 133)) for day, c in enumerate("浩宇轩辰泽墨涵欣怡雨", start=1)]
    rows = [TWO[0] | {"record_key": "无"}, TWO[1], *others]
    first = night(rows)
    second = night(rows, first, decided(first, "same", "education:b", "survey:无"))
    assert together(second) == {("b", "无"), ("无",)}
    assert second.tables["person"].height == first.tables["person"].height - 1


@pytest.mark.parametrize(
    "stranger",
    [
        {"name": "谭子轩", "birth_date": OTHER, "id_number": STRANGER},
        {"name": "谭子轩", "birth_date": OTHER},
        # a brother born the same day, next on the list
        {"name": "张子轩", "id_number": THIRD, "relatives": FAMILY},
        {"name": "张子轩", "relatives": FAMILY},
    ],
    ids=["with a number", "without one", "a twin", "a twin without a number"],
)
def test_who_stands_under_a_key_when_the_list_is_numbered_anew_is_not_whom_a_clerk_meant(stranger: dict[str, Any]) -> None:
    roll = row("c", "education", id_number=BOY, relatives=FAMILY)
    first = night([*TWO, roll])
    joined = night([*TWO, roll], first, decided(first, "same", "survey:1", "education:b"))
    assert together(joined) == {("1", "b", "c")}
    anew = [row("1", **stranger), TWO[0] | {"record_key": "2"}, TWO[1], roll]
    for _ in range(3):
        joined = night(anew, joined)
        assert together(joined) == {("1",), ("2", "b", "c")}


def test_a_list_may_be_numbered_anew_between_the_workbook_and_the_night_that_takes_it_in() -> None:
    """Of the side itself nothing is known any more, but it is the other side's child."""
    loose = row("1", name="张浩", birth_date=date(2015, 4, 20))
    first = night([loose, TWO[1]])
    assert together(first) == {("1",), ("b",)}
    anew = [row("1", name="谭子轩", birth_date=OTHER, id_number=STRANGER), loose | {"record_key": "2"}, TWO[1]]
    assert ("b",) in together(night(anew, first, decided(first, "same", "survey:1", "education:b")))


def test_two_children_under_one_key_are_kept_apart_and_neither_is_torn() -> None:
    rows = [row("K", phones=["13512345678"]), row("b", "education", phones=["13512345678"]), row("K", name="冉秋月", sex="female", birth_date=OTHER), row("c", "health", name="冉秋月", sex="female", birth_date=OTHER, address="某街道某路某号某室")]
    first = night(rows)
    second = night(rows, first, decided(first, "different", "education:b", "health:c"))
    assert together(second) == together(first)


@pytest.mark.parametrize("decision", ["same", "different"])
def test_a_decision_outlives_rows_that_change_night_after_night(decision: str) -> None:
    rows = [row("a", "health", phones=["13512345678"]), row("b", phones=["13512345678"] if decision == "different" else [], address="甲")]
    if decision == "same":
        rows[1] |= {"birth_date": date(2015, 5, 20), "sex": None}
    first = night(rows)
    assert len(together(first)) == (1 if decision == "different" else 2)
    if decision == "different":
        apart = night([rows[0], rows[1] | {"phones": [], "birth_date": OTHER}], first)
        linked = night(rows, apart, decided(apart, decision, "health:a", "survey:b"))
    else:
        linked = night(rows, first, decided(first, decision, "health:a", "survey:b"))
    for i in range(3):
        rows = [each | {"address": f"某街道第{i}路某号某室"} for each in rows]
        linked = night(rows, linked)
        assert len(together(linked)) == (2 if decision == "different" else 1)
    linked = night(rows, night(rows[:1], linked))
    assert len(together(linked)) == (2 if decision == "different" else 1)


def test_a_child_who_is_named_at_last_is_the_one_a_clerk_meant() -> None:
    newborn = {"name": "李芳之子", "name_kind": "newborn", "mother_in_name": "李芳"}
    first = night([row("a", "health", **newborn), row("b", id_number=TWIN)])
    assert len(together(first)) == 2
    joined = night([row("a", "health", **newborn), row("b", id_number=TWIN)], first, decided(first, "same", "health:a", "survey:b"))
    assert together(night([row("a", "health", name="张子轩"), row("b", id_number=TWIN)], joined)) == {("a",), ("b",)}
    assert together(night([row("a", "health"), row("b", id_number=TWIN)], joined)) == {("a", "b")}
