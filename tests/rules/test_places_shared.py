"""Places are shared by the children of all parts; without places nothing is suggested."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from rules import parts as cutting
from rules.decide import CHILD_COLUMNS, OUTPUTS, decide
from schemas.exports.feeds import FEEDS
from schemas.tables.care import MATCH_SUGGESTION, RESOURCE
from schemas.tables.facts import standard_schema
from schemas.tables.record import PERSON
from tests.rules.care_cases import AS_OF, feed_frame

PLACE = {
    "feed": "resource", "source_file": "resource_20261101.xlsx", "source_row": 1, "record_hash": 1, "export_date": date(2026, 11, 1), "record_key": "ZY1", "name": "儿童之家",
    "place_code": "500107", "place_written": "500107", "offers": ["生活帮扶"], "capacity": 2,
}  # fmt: skip
PROVENANCE = {"feed": pl.String, "source_file": pl.String, "source_row": pl.UInt32, "record_hash": pl.UInt64, "export_date": pl.Date}


def work_of(folder: Path, children: int, *, places: bool) -> Path:
    """A work folder with so many poor children of 江津 who live in 九龙坡."""
    known = [f"P{n}" for n in range(children)]
    people = [{**dict.fromkeys(CHILD_COLUMNS), "person_id": p, "birth_date": date(2016, 3, 5), "birth_date_precision": "day", "id_number_status": "valid", "feeds": ["household", "survey"],
               "first_seen": AS_OF, "last_seen": AS_OF} for p in known]  # fmt: skip
    (folder / "facts").mkdir(parents=True)
    (folder / "standard").mkdir()
    pl.DataFrame(people, schema={name: PERSON.schema[name] for name in CHILD_COLUMNS}).write_parquet(folder / "person.parquet")
    rows: dict[str, list[dict[str, Any]]] = {
        "household": [{"person_id": p, "hukou_code": "500116", "hukou_written": "500116", "hukou_status": "正常"} for p in known],
        "survey": [{"person_id": p, "residence_code": "500107", "residence_written": "500107", "arrived_on": date(2024, 9, 1), "arrived_on_precision": "day", "presence": "在住",
                    "surveyed_on": date(2026, 10, 15), "surveyed_on_precision": "day", "guardianship": "父母双方", "hardship": True} for p in known],
    }  # fmt: skip
    for feed, given in rows.items():
        feed_frame(feed, given).collect().write_parquet(folder / "facts" / f"{feed}.parquet")
    if places:
        schema = PROVENANCE | standard_schema(FEEDS["resource"])
        pl.DataFrame([dict.fromkeys(schema) | PLACE], schema=schema).write_parquet(folder / "standard" / "resource.parquet")
    return folder


def tables(work: Path) -> dict[str, pl.DataFrame]:
    return {table.name: pl.read_parquet(work / f"{table.name}.parquet") for table in (*OUTPUTS, RESOURCE, MATCH_SUGGESTION)}


def test_places_are_shared_by_children_of_all_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decide(whole := work_of(tmp_path / "whole", 3, places=True), AS_OF)
    monkeypatch.setattr(cutting, "CHILDREN_AT_ONCE", 1)
    decide(parts := work_of(tmp_path / "parts", 3, places=True), AS_OF)
    found, other = tables(whole), tables(parts)
    assert all(found[name].equals(other[name]) for name in found)
    assert found["assessment"]["outcome"].to_list() == ["flowing"] * 3
    assert found["match_suggestion"].select("person_id", "status", "resource_name").rows() == [("P0", "matched", "儿童之家"), ("P1", "matched", "儿童之家"), ("P2", "full", None)]


def test_without_resources_both_tables_are_there_and_empty(tmp_path: Path) -> None:
    decide(work := work_of(tmp_path, 1, places=False), AS_OF)
    assert tables(work)["resource"].equals(RESOURCE.empty()) and tables(work)["match_suggestion"].equals(MATCH_SUGGESTION.empty())
