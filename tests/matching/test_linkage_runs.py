"""What holds of every run of the linkage: nothing lost, the same tables whatever the order, and the number of today."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from matching.evaluation import evaluate
from matching.linkage import Linked, link, link_records
from schemas.tables.record import PERSON_RECORD, RECORD
from tests.matching.linkage_city import city, number, person, records
from tests.matching.nights import AS_OF, BOY, FAMILY, TWIN, night, row


@pytest.fixture(scope="module")
def town() -> tuple[pl.DataFrame, pl.DataFrame, Linked]:
    rows, truth = city(1500, seed=5, damage=2.0)
    return rows, truth, link_records(rows, {}, AS_OF)


def test_a_damaged_town_is_put_together(town: tuple[pl.DataFrame, pl.DataFrame, Linked]) -> None:
    _, truth, linked = town
    result = evaluate(linked.tables["person_record"], truth)
    assert result.overall.precision >= 0.9995
    assert result.overall.recall >= 0.985


def test_every_row_has_one_person(town: tuple[pl.DataFrame, pl.DataFrame, Linked]) -> None:
    rows, _, linked = town
    held = linked.tables["person_record"]
    assert held.height == rows.height
    assert held.select("feed", "source_file", "source_row").is_duplicated().sum() == 0
    assert set(held["person_id"]) == set(linked.tables["person"]["person_id"])
    assert linked.tables["person"]["records"].sum() == rows.height


def test_no_person_has_two_numbers_of_its_own(town: tuple[pl.DataFrame, pl.DataFrame, Linked]) -> None:
    rows, _, linked = town
    held = linked.tables["person_record"].filter(pl.col("id_role") == "own").join(rows.select("record_hash", "id_number").unique(), on="record_hash")
    assert held.group_by("person_id").agg(pl.col("id_number").n_unique())["id_number"].max() == 1
    assert linked.tables["person"]["former_id_numbers"].list.len().max() == 0


@pytest.mark.parametrize("exported", [date(2026, 10, 1), date(2026, 11, 20)])
def test_the_number_of_today_is_the_household_register_s_whenever_the_others_were_exported(exported: date) -> None:
    """The number was changed; the school and the insurance, asked later, still hold the old one."""
    home = {"feed": "household", "household_key": "H1", "relatives": FAMILY}
    late = [row(f"late{i}", feed=feed, id_number=BOY, export_date=exported) for i, feed in enumerate(("education", "medical_insurance"))]
    shown = [row("before", id_number=BOY, export_date=date(2026, 11, 1), **home), row("after", id_number=TWIN, export_date=date(2026, 11, 10), **home)]
    child = night([*shown, *late]).tables["person"]
    assert child.select("id_number", "id_number_status", "former_id_numbers").rows() == [(TWIN, "valid", [BOY])]


@pytest.mark.parametrize(("cancelled", "today"), [([True, False], TWIN), ([False, True], BOY), ([None, True], BOY), ([True, None], TWIN)])
def test_a_number_whose_entry_in_the_register_was_cancelled_is_one_the_child_had_before(cancelled: list[bool | None], today: str) -> None:
    """Both entries stand in one export, and the school holds the first of the numbers."""
    home = {"feed": "household", "household_key": "H1", "relatives": FAMILY}
    entries = [row(key, id_number=own, is_cancelled=ended, **home) for key, own, ended in zip(("one", "two"), (BOY, TWIN), cancelled, strict=True)]
    child = night([*entries, row("roll", feed="education", id_number=BOY)]).tables["person"]
    assert child.select("id_number", "id_number_status", "former_id_numbers").rows() == [(today, "valid", [({BOY, TWIN} - {today}).pop()])]


@pytest.mark.parametrize(("moved", "today"), [([True, False], TWIN), ([False, True], BOY), ([None, True], BOY), ([True, True], BOY)])
def test_the_number_of_today_is_that_of_the_entry_that_has_not_ended(moved: list[bool | None], today: str) -> None:
    """The child moved to another household and was given another number there; three rows still hold the first."""
    entries = [
        row(key, feed="household", id_number=own, household_key=key, is_moved_out=ended, relatives=[person("张建国", "father", number("500116", date(1985, 1, 2), 111))])
        for key, own, ended in zip(("H1", "H2"), (BOY, TWIN), moved, strict=True)
    ]
    child = night([*entries, *(row(f"roll{i}", feed="education", id_number=BOY) for i in range(3))]).tables["person"]
    assert child.select("id_number", "id_number_status", "former_id_numbers").rows() == [(today, "valid", [({BOY, TWIN} - {today}).pop()])]


def test_a_number_is_not_given_up_while_another_entry_of_the_register_has_it() -> None:
    home = {"feed": "household", "household_key": "H1", "relatives": FAMILY}
    entries = [row(f"e{i}", id_number=own, is_cancelled=ended, **home) for i, (own, ended) in enumerate([(BOY, True), (BOY, False), (BOY, None), (TWIN, False)])]
    assert night(entries).tables["person"].select("id_number", "former_id_numbers").rows() == [(BOY, [TWIN])]


def test_files_and_rows_shuffled_give_the_same_persons(town: tuple[pl.DataFrame, pl.DataFrame, Linked]) -> None:
    rows, _, linked = town
    moved = rows.sample(fraction=1, shuffle=True, seed=3).with_columns(
        source_file=pl.col("feed") + "_part.csv", source_row=pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).reverse().over("feed")
    )
    other = link_records(moved, {}, AS_OF)
    content = [c for c in PERSON_RECORD.names if c not in ("source_file", "source_row")]
    assert other.tables["person_record"].select(content).sort("record_hash").equals(linked.tables["person_record"].select(content).sort("record_hash"))
    for name in ("person", "review_queue", "identity", "identity_event"):
        assert other.tables[name].equals(linked.tables[name]), name


def test_a_second_night_on_the_same_rows_changes_nothing(town: tuple[pl.DataFrame, pl.DataFrame, Linked]) -> None:
    rows, _, linked = town
    again = link_records(rows, linked.tables, AS_OF)
    for name in ("person_record", "person", "review_queue", "identity"):
        assert again.tables[name].equals(linked.tables[name]), name
    assert again.tables["identity_event"].is_empty()


def test_an_edited_town_keeps_its_identifiers(town: tuple[pl.DataFrame, pl.DataFrame, Linked]) -> None:
    rows, _, linked = town
    edited = rows.with_columns(record_hash=pl.col("record_hash") ^ pl.lit(1, dtype=pl.UInt64))
    again = link_records(edited, linked.tables, AS_OF)
    key = ["feed", "source_file", "source_row"]
    both = linked.tables["person_record"].join(again.tables["person_record"], on=key)
    assert (both["person_id"] == both["person_id_right"]).all()


def test_the_station_reads_and_writes_its_folder(tmp_path: Path) -> None:
    (tmp_path / "record").mkdir()
    records([row("a", id_number=BOY)]).write_parquet(tmp_path / "record" / "survey.parquet")
    records([row("b", feed="education", id_number=BOY)]).write_parquet(tmp_path / "record" / "education.parquet")
    link(tmp_path, AS_OF)
    assert pl.read_parquet(tmp_path / "person_record.parquet")["person_id"].n_unique() == 1
    assert sorted(p.name for p in tmp_path.glob("*.parquet")) == [
        "identity.parquet", "identity_event.parquet", "person.parquet", "person_record.parquet", "review_queue.parquet",
    ]  # fmt: skip


def test_a_night_without_rows_is_a_night(tmp_path: Path) -> None:
    link(tmp_path, AS_OF)
    assert pl.read_parquet(tmp_path / "person.parquet").is_empty()
    before = night([row("a", id_number=BOY)])
    after = link_records(RECORD.empty(), before.tables, AS_OF)
    assert after.tables["identity"]["state"].to_list() == ["gone"]


def test_the_same_row_twice_is_one_child() -> None:
    rows = records([row("a", record_hash=7), row("a", record_hash=7)])
    linked = link_records(rows, {}, AS_OF)
    assert linked.tables["person"].height == 1
    assert linked.tables["person_record"]["link_method"].to_list() == ["probabilistic"] * 2


def test_methods_and_weights_say_how_a_row_came_in() -> None:
    linked = night([
        row("a", feed="household", id_number=BOY), row("b", feed="education", id_number=BOY),
        row("c", feed="health", phones=["13512345678"]), row("d", feed="medical_insurance", phones=["13512345678"], id_number=BOY),
        row("e", name="冉秋月", sex="female", birth_date=date(2020, 1, 1)),
    ])  # fmt: skip
    held = {r["record_key"]: r for r in linked.tables["person_record"].iter_rows(named=True)}
    assert [held[k]["link_method"] for k in "abcde"] == ["id", "id", "probabilistic", "id", "alone"]
    assert held["b"]["linked_to"] == held["a"]["record_hash"]
    assert held["c"]["match_weight"] > 20
    assert 0.95 <= held["c"]["match_probability"] <= 1
    assert held["e"]["match_weight"] is None
