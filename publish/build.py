"""The register built aside. Enters: a run's work folder. Leaves: one DuckDB file with every table, view and comment, checked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl

from publish.checks import check
from publish.comments import comment, comments, create, literal
from publish.ledger import SQL, Night, carry_on, night_among, parameters, statements
from publish.loading import load, see_feed, see_last
from publish.national_state import enter_national
from publish.packing import FEW_WORDS, LISTS
from publish.swap import remove
from publish.views import VIEWS, create_view
from schemas.reference import lists
from schemas.reference.days import name_of
from schemas.tables.assessment import ASSESSMENT, KEY_CARE
from schemas.tables.care import VISIT
from schemas.tables.handout import HANDOUT_TABLES, RECALLED_HANDOUT_TABLES
from schemas.tables.identity import IDENTITY, IDENTITY_EVENT
from schemas.tables.ledger import FLOWING_CHILD, LEDGER, LEDGER_EVENT
from schemas.tables.record import PERSON_RECORD
from schemas.tables.register import DIVISION, INDICATOR, LAYOUT, RECALLED_TABLES, REGISTER_PERSON, REGISTER_TABLES, RUN
from schemas.tables.verification import VERIFICATION_ANSWER, VERIFICATION_STATE

# tables that are made here, not by a station
_MADE_HERE = (FLOWING_CHILD, LEDGER, LEDGER_EVENT, VERIFICATION_ANSWER, VISIT, DIVISION, RUN, INDICATOR, *HANDOUT_TABLES)
# tables that a station gives; those of them that others are made of
_GIVEN = tuple(table for table in REGISTER_TABLES if table not in _MADE_HERE)
_LOOKED_AT = (REGISTER_PERSON, PERSON_RECORD, ASSESSMENT, KEY_CARE, IDENTITY, IDENTITY_EVENT, VERIFICATION_STATE)
_STANDARD = ("education", "medical_insurance", "verification", "visit", "resource", "survey", "exchange_reply", "national_receipt")
# of the file's layout on disk: the oldest DuckDB that must be able to read it
STORAGE = "v1.5.0"
# the macros of sql/register/listed_on.sql, and what they answer
MACROS = {
    "ledger_on": comment("某日的台账登记，按当日（known_on）所知", "every child's entry for `day`, as we knew it at the end of the day `known_on`"),
    "listed_on": comment("某日在册的流动儿童，按当日（known_on）所知", "who was on the list as flowing on `day`, as we knew it at the end of the day `known_on`"),
}


@dataclass(frozen=True)
class Run:
    """What the register keeps of one nightly run. `started_at`, and what `clock` gives at the end, are UTC without a zone; seconds and MiB by stage."""

    run_id: str
    started_at: datetime
    as_of: date
    code_version: str
    rule_version: str
    config_hash: str
    inputs_hash: str
    linkage_hash: str | None
    counts: Mapping[str, int]
    seconds: Mapping[str, float]
    peak_mib: Mapping[str, float]
    clock: Callable[[], datetime]


@dataclass(frozen=True)
class Built:
    """What the ledger took from the night: number of events by kind, and what was unusual, in Chinese."""

    events: Mapping[str, int]
    remarks: tuple[str, ...]


def build(work: Path, target: Path, run: Run, memory: str, spill: Path) -> Built:
    """Build the register of a run at `target`, which must not be there; what does not fit into `memory` goes to the folder `spill`, which is removed.

    Raises:
        WorkIncompleteError: a table of a station is missing, or does not keep to its declaration.
        PromiseBrokenError: the tables contradict each other; `target` is then of no use.
    """
    try:
        with duckdb.connect(str(target), config={"storage_compatibility_version": STORAGE}) as con:
            _prepare(con, spill, memory)
            distinct = load(con, work, [table for table in _GIVEN if table.name in FEW_WORDS])
            con.execute("CHECKPOINT")
            con.execute(f"SET force_compression = {literal(LISTS)}")
            _see(con, work)
            night = _night(con, run)
            # what is made of a few tables keeps one core busy, not two: the others go in beside
            with con.cursor() as beside, ThreadPoolExecutor(1) as pool:
                others = pool.submit(load, beside, work, [table for table in _GIVEN if table.name not in FEW_WORDS and table not in _LOOKED_AT])
                distinct |= load(con, work, [table for table in _LOOKED_AT if table.name not in FEW_WORDS])
                _make(con, run, night)
                distinct |= others.result()
            _fill(con, "indicator", run)
            _enter_run(con, run, night)
            check(con, tuple(table for table in REGISTER_TABLES if table.name not in distinct))
            _describe(con)
            con.execute("CHECKPOINT")
            kinds = con.execute("SELECT kind FROM ledger_event WHERE run_id = ?", [run.run_id]).fetchall()
        return Built(dict(sorted(Counter(k for (k,) in kinds).items())), night.remarks)
    finally:
        remove(spill)


def safe_settings(con: duckdb.DuckDBPyConnection, spill: Path, memory: str) -> None:
    """Nothing is fetched from anywhere; what does not fit into memory goes to `spill`; no bar is drawn into a log."""
    con.execute("SET enable_progress_bar = false")
    con.execute("SET allow_community_extensions = false")
    con.execute("SET autoinstall_known_extensions = false")
    con.execute("SET autoload_known_extensions = false")
    con.execute(f"SET memory_limit = {literal(memory)}")
    con.execute(f"SET temp_directory = {literal(str(spill))}")


def _prepare(con: duckdb.DuckDBPyConnection, spill: Path, memory: str) -> None:
    """The settings of a build, every table, empty, and the views. Nobody reads the file before it is whole, so nothing is put together again at the end, and no log is kept short."""
    safe_settings(con, spill, memory)
    con.execute("SET max_vacuum_tasks = 0")
    con.execute("SET checkpoint_threshold = '1TB'")
    for table in REGISTER_TABLES:
        con.execute(create(table))
    for view in VIEWS:
        con.execute(create_view(view.name))


def _see(con: duckdb.DuckDBPyConnection, work: Path) -> None:
    """The last night's tables as previous_<table>, what the feeds say beside as standard_<feed>, and the names of places."""
    for feed in _STANDARD:
        see_feed(con, work, feed)
    for table in RECALLED_TABLES:
        see_last(con, work, table)
    _name_divisions(con)


def _make(con: duckdb.DuckDBPyConnection, run: Run, night: Night) -> None:
    """The tables that are made of the stations', of the last night's (previous_<table>) and of what the feeds say beside."""
    _fill(con, "verification_answer", run)
    carry_on(con, night, run.run_id)
    _fill(con, "visit", run)
    _fill(con, "flowing_child", run)
    for table in RECALLED_HANDOUT_TABLES:
        _fill(con, table.name, run)
    _fill(con, "survey_row", run)
    _fill(con, "returned_unused", run)
    enter_national(con)


def _fill(con: duckdb.DuckDBPyConnection, table: str, run: Run) -> None:
    for statement in statements(SQL / "register" / f"{table}.sql"):
        con.execute(statement, parameters(statement, {"run_id": run.run_id, "as_of": run.as_of}))


def _name_divisions(con: duckdb.DuckDBPyConnection) -> None:
    """Every code that stands for a place today or once did, and its name."""
    codes = {*lists.counties(), *lists.former_names(), *lists.successors(), lists.HIGH_TECH_ZONE}
    codes |= {f"{p}0000" for p in lists.provinces()} | {f"{p}00" for p in lists.prefectures()}
    frame = DIVISION.conform(pl.DataFrame([(c, name_of(c)) for c in sorted(codes)], schema=["code", "name"], orient="row"))
    con.register("division_given", frame.to_arrow())
    con.execute("INSERT INTO division SELECT * FROM division_given ORDER BY code")
    con.unregister("division_given")


def _night(con: duckdb.DuckDBPyConnection, run: Run) -> Night:
    nights = [as_of for (as_of,) in con.execute("SELECT DISTINCT as_of FROM previous_run ORDER BY as_of").fetchall()]
    moment = con.execute("SELECT greatest(max(recorded_at), max(superseded_at)) FROM previous_ledger").fetchall()[0][0]
    return night_among(run.as_of, run.started_at, nights, moment)


def _enter_run(con: duckdb.DuckDBPyConnection, run: Run, night: Night) -> None:
    con.execute("INSERT INTO run BY NAME SELECT * FROM previous_run ORDER BY started_at, run_id")
    _insert_run(con, run, "published", list(night.remarks))


def enter_unchanged(con: duckdb.DuckDBPyConnection, run: Run, last: str) -> None:
    """One more run into a register whose tables stand as the run `last` left them."""
    _insert_run(con, run, "unchanged", [f"与上次运行{last}的输入、认定日期、程序和规则完全相同，各表沿用不变"])
    con.execute("CHECKPOINT")


def _insert_run(con: duckdb.DuckDBPyConnection, run: Run, state: str, remarks: list[str]) -> None:
    """One more run, later than any before also where the clock was put back: the newest run is the one whose tables these are."""
    newest = con.execute("SELECT max(started_at) FROM run").fetchall()[0][0]
    behind = timedelta() if newest is None else max(newest - run.started_at + timedelta(microseconds=1), timedelta())
    values = {
        "run_id": run.run_id, "started_at": run.started_at + behind, "finished_at": run.clock() + behind, "as_of": run.as_of,
        "code_version": run.code_version, "rule_version": run.rule_version, "config_hash": run.config_hash, "inputs_hash": run.inputs_hash,
        "linkage_hash": run.linkage_hash, "state": state,
        "counts": _json(run.counts), "seconds": _json(run.seconds), "peak_mib": _json(run.peak_mib), "remarks": remarks, "layout": LAYOUT,
    }  # fmt: skip
    con.execute(f"INSERT INTO run ({', '.join(values)}) VALUES ({', '.join(f'${name}' for name in values)})", values)


def _json(figures: Mapping[str, int] | Mapping[str, float]) -> str:
    return json.dumps(dict(figures), ensure_ascii=False)


def _describe(con: duckdb.DuckDBPyConnection) -> None:
    """The macros `ledger_on` and `listed_on`, and a comment on everything."""
    for statement in statements(SQL / "register" / "listed_on.sql"):
        con.execute(statement, parameters(statement, {}))
    for macro, meaning in MACROS.items():
        con.execute(f"COMMENT ON MACRO TABLE {macro} IS {literal(meaning)}")
    for kind, tables in (("TABLE", REGISTER_TABLES), ("VIEW", VIEWS)):
        for table in tables:
            con.execute(";\n".join(comments(kind, table.name, table.zh, table.en, table.columns)))
