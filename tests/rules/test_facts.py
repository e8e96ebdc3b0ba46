"""The station facts: each row with its child, and nothing that names anybody."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from rules.facts import FactsMissingError, gather
from schemas.exports.feeds import FEEDS
from schemas.tables.facts import facts
from schemas.tables.table import TableMismatchError
from tests.rules.rule_children import frame

SURVEY = [
    {"record_hash": 9, "source_row": 1, "residence_division": "璧山区", "presence": "在住", "arrived_on": "2024-01"},
    {"record_hash": 4, "source_row": 2, "residence_division": "铜梁区", "presence": "在住"},
    {"record_hash": 7, "source_row": 3, "residence_division": "江津区", "presence": "在住"},
]


def night(work: Path, standard: pl.DataFrame, persons: list[str], feeds: list[str] | None = None) -> Path:
    (work / "standard").mkdir()
    standard.with_columns(name=pl.lit("张三"), id_number=pl.lit("500101201501011234")).drop("person_id").write_parquet(work / "standard" / "survey.parquet")
    rows = [{"feed": feed, "source_file": "survey_20261101.csv", "source_row": n, "person_id": p} for n, p in enumerate(persons, 1) for feed in feeds or ["survey"]]
    pl.DataFrame(rows, schema_overrides={"source_row": pl.UInt32}).write_parquet(work / "person_record.parquet")
    return work


def test_rows_come_by_child_and_content_without_names(tmp_path: Path) -> None:
    gather(night(tmp_path, frame(FEEDS["survey"], SURVEY), ["b", "b", "a"], ["survey", "education"]))
    found = pl.read_parquet(tmp_path / "facts" / "survey.parquet")
    assert found.schema == facts(FEEDS["survey"]).schema
    assert found.select("person_id", "record_hash").rows() == [("a", 7), ("b", 4), ("b", 9)]
    assert found["arrived_on"].to_list() == [None, None, date(2024, 1, 31)]
    assert not (tmp_path / "facts" / "education.parquet").exists(), "a feed that never came"
    assert b"500101201501011234" not in (tmp_path / "facts" / "survey.parquet").read_bytes()


@pytest.mark.parametrize(("persons", "joined"), [(["a", "b"], 2), ([], 0)])
def test_a_row_without_its_child_stops_the_run(tmp_path: Path, persons: list[str], joined: int) -> None:
    work = night(tmp_path, frame(FEEDS["survey"], SURVEY), [*persons, *["x"][: not persons]], ["survey"] if persons else ["education"])
    says = f"^survey: 3 rows, {joined} of them with a child; each row must have exactly one: linkage left rows out or doubled them$"
    with pytest.raises(FactsMissingError, match=says):
        gather(work)


def test_a_column_of_another_type_stops_the_run(tmp_path: Path) -> None:
    changed = frame(FEEDS["survey"], SURVEY).with_columns(pl.col("surveyed_on").cast(pl.String))
    with pytest.raises(TableMismatchError, match=r"^table facts_survey: written with .*, declared with "):
        gather(night(tmp_path, changed, ["a", "a", "a"]))


def test_a_row_without_what_every_row_has_stops_the_run(tmp_path: Path) -> None:
    changed = frame(FEEDS["survey"], SURVEY).with_columns(export_date=pl.lit(None, pl.Date))
    with pytest.raises(TableMismatchError, match=r"^table facts_survey: rows without a value in: export_date$"):
        gather(night(tmp_path, changed, ["a", "a", "a"]))


def visits(*rows: tuple[int, str, date]) -> pl.DataFrame:
    table = facts(FEEDS["visit"])
    blank = dict.fromkeys((*table.names, "visited_on"))
    made = [blank | {"record_hash": h, "person_id": p, "visited_on": d, "source_file": "visit_1.xlsx", "source_row": h, "feed": "visit", "in_institution": False} for h, p, d in rows]
    return pl.DataFrame(made, schema=table.schema).drop("feed", "in_institution")


def test_visits_of_every_night_stand_under_the_child_of_today(tmp_path: Path) -> None:
    for folder in ("standard", "previous"):
        (tmp_path / folder).mkdir()
    visits((1, "old", date(2026, 9, 1)), (2, "kept", date(2026, 10, 1))).write_parquet(tmp_path / "previous" / "visit.parquet")
    visits((2, "kept", date(2026, 10, 1)), (3, "older", date(2026, 11, 1))).write_parquet(tmp_path / "standard" / "visit.parquet")
    merged = pl.DataFrame({"person_id": ["older", "old", "kept"], "state": ["merged", "merged", "current"], "merged_into": ["old", "kept", None]})
    merged.write_parquet(tmp_path / "identity.parquet")
    gather(tmp_path)
    found = pl.read_parquet(tmp_path / "facts" / "visit.parquet")
    assert found.select("person_id", "visited_on", "export_date").rows() == [("kept", day, day) for day in (date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1))]


def test_no_visit_ever_leaves_no_facts_of_visits(tmp_path: Path) -> None:
    (tmp_path / "standard").mkdir()
    visits().write_parquet(tmp_path / "standard" / "visit.parquet")
    gather(tmp_path)
    assert not (tmp_path / "facts" / "visit.parquet").exists()
