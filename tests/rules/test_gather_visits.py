"""Visits as facts: kept over nights, each once, given to the child that its identifier stands for today."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from rules.facts import gather, read_facts
from rules.visits import counted
from schemas.exports.feeds import FEEDS
from schemas.tables.care import VISIT
from schemas.tables.facts import standard_schema
from schemas.tables.identity import IDENTITY

STANDARD = {
    "feed": pl.String, "source_file": pl.String, "source_row": pl.UInt32, "export_date": pl.Date, "record_hash": pl.UInt64, "warnings": pl.List(pl.String),
    "document_type": pl.String, "in_institution": pl.Boolean, **standard_schema(FEEDS["visit"]),
}  # fmt: skip


def night(work: Path, tonight: list[dict[str, Any]], before: list[dict[str, Any]], merged: dict[str, str] | None = None) -> pl.DataFrame | None:
    """The visits that the rules see of a night's rows, of those held from nights before, and of identifiers merged into others."""
    for folder in ("standard", "previous"):
        (work / folder).mkdir(parents=True)
    rows = [{**dict.fromkeys(STANDARD), "feed": "visit", "source_file": "visit_20261120.xlsx", "source_row": n, "export_date": date(2026, 11, 20), "in_institution": False, **row} for n, row in enumerate(tonight, 1)]
    pl.DataFrame(rows, schema=STANDARD).write_parquet(work / "standard" / "visit.parquet")
    held = [{**dict.fromkeys(VISIT.names), "source_file": "visit_20260901.xlsx", "source_row": 1, **row} for row in before]
    pl.DataFrame(held, schema=VISIT.schema).write_parquet(work / "previous" / "visit.parquet")
    known = [{"person_id": old, "state": "merged", "merged_into": new} for old, new in (merged or {}).items()] + [{"person_id": "A", "state": "live", "merged_into": None}]
    pl.DataFrame(known, schema={name: IDENTITY.schema[name] for name in ("person_id", "state", "merged_into")}).write_parquet(work / "identity.parquet")
    gather(work)
    facts = read_facts(work)
    return facts["visit"].collect() if "visit" in facts else None


def test_a_visit_of_an_earlier_night_is_kept_and_one_sent_twice_is_one(tmp_path: Path) -> None:
    seen = {"record_hash": 1, "person_id": "A", "visited_on": date(2026, 9, 1), "situation": "无"}
    found = night(tmp_path, [seen, {"record_hash": 2, "person_id": "B", "visited_on": date(2026, 11, 1), "result": "见到儿童"}], [seen, {"record_hash": 3, "person_id": "A", "visited_on": date(2026, 6, 1)}])
    assert found is not None
    assert found.select("person_id", "visited_on", "situation", "export_date").rows() == [
        ("A", date(2026, 9, 1), "无", date(2026, 9, 1)), ("A", date(2026, 6, 1), None, date(2026, 6, 1)), ("B", date(2026, 11, 1), None, date(2026, 11, 20)),
    ]  # fmt: skip


def test_a_result_that_cannot_be_read_is_not_one_that_was_left_blank(tmp_path: Path) -> None:
    unread = {"person_id": "A", "visited_on": date(2026, 9, 1), "warnings": ["code_unknown:result"]}
    blank = {"record_hash": 3, "person_id": "A", "visited_on": date(2026, 9, 3), "warnings": ["code_unknown:still_needs_help"]}
    night(tmp_path, [unread | {"record_hash": 1}, blank], [unread | {"record_hash": 2, "visited_on": date(2026, 9, 2)}])
    law = {"visits/results_that_count": ["见到儿童"], "visits/ways_that_count": ["入户"], "visits/survey_counts_as_visit": False}
    assert counted(read_facts(tmp_path), date(2026, 11, 24), law).collect().rows() == [("A", date(2026, 9, 3))]


def test_a_visit_goes_to_the_child_at_the_end_of_a_chain_of_merges(tmp_path: Path) -> None:
    found = night(tmp_path, [{"record_hash": 1, "person_id": "C", "visited_on": date(2026, 9, 1)}], [], {"C": "B", "B": "A"})
    assert found is not None and found["person_id"].to_list() == ["A"]


def test_nothing_that_names_a_person_is_among_the_facts(tmp_path: Path) -> None:
    found = night(tmp_path, [{"record_hash": 1, "person_id": "A", "visited_on": date(2026, 9, 1), "visited_by": "哨兵甲", "remark": "哨兵乙"}], [])
    assert found is not None and "哨兵" not in str(found.to_dicts())


def test_where_no_visit_was_ever_handed_in_there_are_no_facts_of_visits(tmp_path: Path) -> None:
    assert night(tmp_path, [], []) is None
