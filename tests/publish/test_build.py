"""How a register is built: tables that do not come break the build whichever way they go in; texts are packed as declared, and a table lies in the order of its key."""

from __future__ import annotations

import os
import re
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from publish.comments import create
from publish.packing import FEW_WORDS, of_column
from publish.register import WorkIncompleteError, connect, publish, publish_unchanged, recall, rollback, versions
from publish.views import VIEWS
from schemas.tables.assessment import ALERT
from schemas.tables.register import RECALLED_TABLES, REGISTER_TABLES
from schemas.tables.table import Table
from tests.publish.register_city import child, moment, night, run_record, write_night

AS_OF = date(2026, 11, 24)
RUN = run_record("run-0001", AS_OF, moment(1))


def _work(folder: Path) -> Path:
    recall(folder / "register.duckdb", folder / "work")
    return write_night(folder / "work", AS_OF, [child("A"), child("B")])


@pytest.mark.parametrize("missing", ["record/survey.parquet", "person.parquet", "assessment.parquet", "service_gap.parquet", "standard/survey.parquet", "previous/ledger.parquet"])
def test_a_table_that_does_not_come(tmp_path: Path, missing: str):
    work = _work(tmp_path)
    (work / missing).unlink()
    with pytest.raises(WorkIncompleteError, match=r"nothing was published"):
        publish(work, tmp_path / "register.duckdb", RUN)
    assert not (tmp_path / "register.duckdb").exists()
    assert not list((tmp_path / "register.duckdb.d").glob(".build-*"))


@pytest.mark.parametrize(("file", "column"), [("record/survey.parquet", "record_hash"), ("person.parquet", "records"), ("assessment.parquet", "reason")])
def test_a_table_that_does_not_keep_to_its_declaration(tmp_path: Path, file: str, column: str):
    work = _work(tmp_path)
    pl.read_parquet(work / file).with_columns(pl.lit(None).cast(pl.read_parquet_schema(work / file)[column]).alias(column)).write_parquet(work / file)
    with pytest.raises(WorkIncompleteError, match=rf"does not keep to its declaration: .*{column}"):
        publish(work, tmp_path / "register.duckdb", RUN)


def test_rows_lie_in_the_order_of_their_key_whatever_order_they_came_in(tmp_path: Path):
    work = _work(tmp_path)
    for name in ("person", "assessment", "person_record", "record/survey"):
        file = work / f"{name}.parquet"
        pl.read_parquet(file).reverse().write_parquet(file)
    version = publish(work, tmp_path / "register.duckdb", RUN).version
    with duckdb.connect(str(version), read_only=True) as con:
        for table, key in (("person", "person_id"), ("assessment", "person_id"), ("person_record", "source_row"), ("record", "source_row")):
            found = [row[0] for row in con.execute(f"SELECT {key} FROM {table}").fetchall()]
            assert found == sorted(found), table
            assert len(found) == 2, table


@pytest.mark.parametrize("table", [*REGISTER_TABLES, *VIEWS], ids=lambda table: table.name)
def test_every_table_and_column_is_told_in_chinese_and_in_english(table: Table):
    for what in (table, *table.columns):
        assert re.search("[\u4e00-\u9fff]", what.zh), what.name
        assert re.search("[A-Za-z]{2}", what.en), what.name


def test_every_packing_names_what_there_is():
    texts = {column.name for table in REGISTER_TABLES for column in table.columns if of_column(column) == "zstd"}
    assert texts == {
        "person_id", "name", "name_folded", "id_number", "key_id_number", "birth_certificate", "record_key", "address", "alert_id", "entry_id", "event_id",
        "before", "after", "cause", "content",
    }  # fmt: skip
    assert {table.name for table in REGISTER_TABLES} >= FEW_WORDS


def test_columns_are_packed_as_declared(tmp_path: Path):
    """Of enough rows: a number of each row's own as zstd, a feed that comes again and again as dictionary, what lies in lists as it is set while they go in."""
    record = next(table for table in REGISTER_TABLES if table.name == "record")
    given = {"feed": "'survey'", "source_file": "'a.csv'", "source_row": "i", "record_hash": "i", "export_date": "DATE '2026-11-01'", "id_number": "i::VARCHAR",
             "id_number_status": "'valid'", "warnings": "[i::VARCHAR]"}  # fmt: skip
    with duckdb.connect(str(tmp_path / "x.duckdb"), config={"storage_compatibility_version": "v1.5.0"}) as con:
        con.execute(create(record))
        con.execute("SET force_compression = 'zstd'")
        con.execute(f"INSERT INTO record ({', '.join(given)}) SELECT {', '.join(given.values())} FROM range(50000) t(i)")
        con.execute("CHECKPOINT")
        found = con.execute("SELECT column_name, compression FROM pragma_storage_info('record') WHERE segment_type = 'VARCHAR'").fetchall()
    packed = dict(found)
    assert (packed["id_number"], packed["feed"], packed["warnings"]) == ("ZSTD", "DICT_FSST", "ZSTD")


def test_two_nights_leave_what_one_night_leaves(tmp_path: Path):
    """The tables that go in beside each other do not depend on which comes first."""
    versions = [night(tmp_path / str(n), 1, AS_OF, [child(f"C{i}") for i in range(50)]).version for n in range(2)]
    with duckdb.connect() as con:
        for n, version in enumerate(versions):
            con.execute(f"ATTACH '{version}' AS v{n} (READ_ONLY)")
        for table in REGISTER_TABLES:
            first, second = (con.execute(f"SELECT * FROM v{n}.{table.name}").fetchall() for n in range(2))
            assert first == second, table.name


def test_of_the_last_night_that_is_recalled_which_is_looked_at_and_alerts_child_by_child(tmp_path: Path):
    work = _work(tmp_path)
    values = {pl.String: "x", pl.Date: AS_OF, pl.Boolean: False, pl.List: []}
    some = {c.name: values.get(c.dtype.base_type(), 1) for c in ALERT.columns}
    raised = [some | {"alert_id": f"A{n}", "person_id": person} for n, person in enumerate("BABA")]
    pl.DataFrame(raised, schema=ALERT.schema).write_parquet(work / "alert.parquet")
    publish(work, tmp_path / "register.duckdb", RUN)
    recall(tmp_path / "register.duckdb", tmp_path / "next")
    previous = {file.stem: pl.read_parquet(file) for file in (tmp_path / "next" / "previous").glob("*.parquet")}
    assert {name: frame.columns for name, frame in previous.items()} == {table.name: table.names for table in RECALLED_TABLES}
    assert previous["assessment"].columns == ["person_id", "reason"] and "person" not in previous
    assert previous["alert"].select("person_id", "alert_id").rows() == [("A", "A1"), ("A", "A3"), ("B", "A0"), ("B", "A2")]


@pytest.mark.parametrize("back", [timedelta(days=60), timedelta()], ids=["clock put back", "within one second"])
def test_the_newest_run_is_the_one_whose_tables_these_are_also_where_the_clock_was_put_back(tmp_path: Path, back: timedelta):
    register = tmp_path / "register.duckdb"
    for run_id, as_of, started_at in (("run-9", AS_OF + timedelta(days=60), moment(1)), ("run-1", AS_OF, moment(1) - back)):
        recall(register, tmp_path / run_id)
        publish(write_night(tmp_path / run_id, as_of, [child("A")]), register, run_record(run_id, as_of, started_at))
    publish_unchanged(register, run_record("run-0", AS_OF, moment(1) - back))
    with connect(register) as con:
        told = con.execute("SELECT run_id, as_of FROM run ORDER BY started_at DESC LIMIT 2").fetchall()
        assert told == [("run-0", AS_OF), ("run-1", AS_OF)]
        assert con.execute("SELECT bool_and(finished_at >= started_at) FROM run").fetchall() == [(True,)]


def test_what_a_killed_run_left_in_a_spill_folder_of_its_own_is_removed_by_the_next_and_another_register_s_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    work, folder = _work(tmp_path), tmp_path / "spill"
    seen: list[Path] = []

    def dies(*given: Path) -> None:
        given[-1].mkdir(parents=True)
        seen.append(given[-1])
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr("publish.register.build", dies)
        for name in ("register.duckdb", "other/register.duckdb"):
            with pytest.raises(KeyboardInterrupt):
                publish(work, tmp_path / name, RUN, spill=folder)
    publish(work, tmp_path / "register.duckdb", RUN, spill=folder)
    assert [place.exists() for place in seen] == [False, True]


def test_versions_are_kept_and_gone_back_to_in_the_order_they_were_published_also_where_the_clock_was_put_back(tmp_path: Path):
    register = tmp_path / "register.duckdb"
    for n in (1, 2, 3):
        version = night(tmp_path, n, AS_OF, [child("A")]).version
        if n == 2:
            ahead = version.stat().st_mtime_ns + 36 * 365 * 24 * 3600 * 10**9
            os.utime(version, ns=(ahead, ahead))
    assert [v.name for v in versions(register)] == [f"register-run-000{n}.duckdb" for n in (1, 2, 3)]
    assert rollback(register).name == "register-run-0002.duckdb"
