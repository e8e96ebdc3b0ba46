"""Suggestions: each rule of fitting on both sides, room respected, and the same as serving one request after the other."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.law_file import LawError
from rules.resources import resources
from rules.suggestions import allocate, needs_of, suggest
from schemas.exports.feeds import FEEDS
from schemas.tables.assessment import KEY_CARE, SERVICE_GAP
from schemas.tables.care import MATCH_SUGGESTION, RESOURCE
from schemas.tables.facts import standard_schema
from tests.rules.care_cases import AS_OF, CHILD, LAW, P, assessment_frame, cases

CASES = cases("matching")
PLACE: dict[str, Any] = {
    "kind": "心理服务机构", "district": "500107", "township": None, "offers": ["心理辅导"], "reach": "区县", "age_from": None, "age_to": None,
    "capacity": 10, "in_use": None, "open_from": None, "open_until": None,
}  # fmt: skip
PROVENANCE = {"feed": pl.String, "source_file": pl.String, "source_row": pl.UInt32, "record_hash": pl.UInt64, "export_date": pl.Date}


def offered(given: list[dict[str, Any]], day: date = AS_OF) -> pl.DataFrame:
    """RESOURCE of places as cases write them."""
    schema = PROVENANCE | standard_schema(FEEDS["resource"])
    rows = []
    for number, place in enumerate(given, 1):
        told = {**PLACE, "name": place["id"], **place}
        rows.append(
            dict.fromkeys(schema) | {k: v for k, v in told.items() if k in schema}
            | {"record_key": told["id"], "place_code": told["district"], "place_township": told["township"], "place_written": told.get("written", told["district"]),
               "feed": "resource", "source_file": "resource_20261101.csv", "source_row": number, "record_hash": told.get("hash", number)}
        )  # fmt: skip
    return resources(pl.DataFrame(rows, schema=schema).lazy(), day, LAW.on(day))


def children(given: list[dict[str, Any]]) -> tuple[pl.LazyFrame, pl.LazyFrame, pl.LazyFrame]:
    """Key care, gaps and assessments of the children of cases: P000, P001, …"""
    care, gaps, assessed = [], [], []
    for number, case in enumerate(given):
        person = f"P{number:03d}"
        assessed.append({**CHILD, "residence_township": "石桥铺街道", **case.get("child", {}), "person_id": person})
        care += [
            {"person_id": person, "category": c, "is_flowing": True, "since": case.get("since", date(2025, 11, 24)), "is_verified": True, "basis": [],
             "first_listed_on": AS_OF, "next_visit_due": AS_OF} for c in case.get("care", [])
        ]  # fmt: skip
        gaps += [{"person_id": person, "aspect": "弱有所扶", "item": i, "status": "missing", "department": "民政", "is_verified": False, "basis": []} for i in case.get("missing", [])]
        gaps += [{"person_id": person, "aspect": "弱有所扶", "item": "低保特困等协助申请", "status": "has", "department": "民政", "is_verified": False, "basis": []}]
    frames = [pl.DataFrame([{n: row.get(n) for n in table.names} for row in rows], schema=table.schema).lazy() for table, rows in ((KEY_CARE, care), (SERVICE_GAP, gaps))]
    return frames[0], frames[1], assessment_frame(assessed)


def suggested(given: list[dict[str, Any]], places: list[dict[str, Any]]) -> pl.DataFrame:
    return suggest(*children(given), offered(places), AS_OF, P)


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_case(case: dict[str, Any]) -> None:
    found = suggested([case], case["resources"])
    answer = {row["need"]: row["resource_id"] or row["status"] for row in found.iter_rows(named=True)}
    assert answer == case["suggested"]
    for name, column in (("why", "why"), ("nearness", "nearness"), ("restricted", "is_restricted")):
        if name in case:
            assert found[column].to_list() == [case[name]]


def test_the_next_place_is_suggested_where_the_nearest_is_full_and_it_is_said() -> None:
    urgent = [{"care": ["psych_behaviour"], "since": date(2025, 1, n)} for n in (3, 1, 2)]
    places = [{"id": "A", "township": "石桥铺街道", "capacity": 1}, {"id": "B", "capacity": 1}]
    found = suggested(urgent, places)
    assert dict(found.select("person_id", "resource_id").iter_rows()) == {"P001": "A", "P002": "B", "P000": None}
    assert dict(found.select("person_id", "why").iter_rows())["P002"] == "同一区县的心理服务机构“B”提供心理辅导，服务年龄相符；空余1个名额；更近或更宽裕的1处名额已排满"


def test_without_resources_nothing_is_suggested() -> None:
    assert suggested([{"care": ["psych_behaviour"]}], []).equals(MATCH_SUGGESTION.empty())


def test_one_number_with_several_offers_and_the_same_row_twice() -> None:
    places = [{"id": "A", "hash": 7, "age_to": 6}, {"id": "A", "hash": 5, "age_from": 7}, {"id": "A", "hash": 7, "age_to": 6}]
    found = offered(places)
    assert found.select("resource_id", "age_from").rows() == [("A", 7), ("A/2", None)]
    assert offered(places[::-1]).drop("source_row").equals(found.drop("source_row"))


@pytest.mark.parametrize(("day", "district"), [(date(2025, 11, 5), "500112"), (date(2025, 11, 6), "500157")])
def test_a_place_lies_in_the_district_that_stands_on_the_day(day: date, district: str) -> None:
    assert offered([{"id": "A", "district": "500157", "written": "500112"}], day)["district"].to_list() == [district]


def test_an_unknown_ground_is_named() -> None:
    rows = [{"ground": "loneliness", "need": "陪伴", "order": 1}]
    with pytest.raises(LawError, match=re.escape("resources/needs.yaml, row 'loneliness', ground: 'loneliness' is not allowed; allowed: family_hardship, disability")):
        needs_of(LAW.with_overrides({"resources/needs": rows}).on(AS_OF))


def one_by_one(fitting: pl.DataFrame) -> dict[int, str]:
    """Each request in turn takes its first choice with room."""
    left: dict[str, int | None] = dict(fitting.select("resource_id", "room").unique().iter_rows())
    taken: dict[int, str] = {}
    for row in fitting.sort("rank", "choice").iter_rows(named=True):
        place = row["resource_id"]
        room = left[place]
        if row["rank"] not in taken and room != 0:
            taken[row["rank"]] = place
            left[place] = None if room is None else room - 1
    return taken


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_all_at_once_is_the_same_as_one_after_the_other(data: st.DataObject) -> None:
    places = [f"R{n}" for n in range(data.draw(st.integers(1, 6)))]
    rooms = {place: data.draw(st.one_of(st.none(), st.integers(0, 4))) for place in places}
    rows = [
        (rank, choice, place, rooms[place])
        for rank in range(data.draw(st.integers(0, 20)))
        for choice, place in enumerate(data.draw(st.permutations(places))[: data.draw(st.integers(1, len(places)))])
    ]
    fitting = pl.DataFrame(rows, schema={"rank": pl.UInt32, "choice": pl.Int64, "resource_id": pl.String, "room": pl.Int32}, orient="row")
    given_all = allocate(fitting)
    assert dict(given_all.select("rank", "resource_id").iter_rows()) == one_by_one(fitting)
    for place, room in rooms.items():
        assert room is None or given_all.filter(pl.col("resource_id") == place).height <= room


def test_neither_the_order_of_children_nor_of_places_changes_anything() -> None:
    many = [{"care": ["psych_behaviour", "disability"][: n % 2 + 1], "since": date(2025, 1, n % 5 + 1)} for n in range(30)]
    places = [{"id": f"R{n}", "capacity": n, "offers": ["心理辅导", "康复"][: n % 2 + 1]} for n in range(6)]
    care, gaps, assessed = children(many)
    stand = offered(places)
    plain = suggest(care, gaps, assessed, stand, AS_OF, P)
    mixed = [frame.collect().sample(fraction=1, shuffle=True, seed=3).lazy() for frame in (care, gaps, assessed)]
    assert suggest(*mixed, stand.sample(fraction=1, shuffle=True, seed=4), AS_OF, P).equals(plain)
    assert plain["status"].n_unique() == 2 and stand.schema == RESOURCE.schema
