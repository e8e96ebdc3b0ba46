"""The register built aside. Enters: a run's work folder. Leaves: one DuckDB file with every table, view and comment, checked, in one transaction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb
import polars as pl

from publish.checks import check
from publish.comments import comment, comments, create, literal, quoted
from publish.ledger import SQL, Night, carry_on, night_among, parameters, statements
from publish.national_state import enter_national
from publish.order import ascends
from publish.swap import remove
from publish.views import VIEWS
from schemas.reference import lists
from schemas.reference.days import name_of
from schemas.tables.care import VISIT
from schemas.tables.handout import HANDOUT_TABLES, RECALLED_HANDOUT_TABLES
from schemas.tables.ledger import FLOWING_CHILD, LEDGER, LEDGER_EVENT
from schemas.tables.register import DIVISION, INDICATOR, LAYOUT, RECALLED_TABLES, REGISTER_PERSON, REGISTER_TABLES, RUN
from schemas.tables.table import Table
from schemas.tables.verification import VERIFICATION_ANSWER

# tables that come feed by feed: their folder in the work folder
_BY_FEED = {"record": "record", "quarantine": "quarantine", "feed_receipt": "receipt"}
# tables that are made here, not by a station
_MADE_HERE = (FLOWING_CHILD, LEDGER, LEDGER_EVENT, VERIFICATION_ANSWER, VISIT, DIVISION, RUN, INDICATOR, *HANDOUT_TABLES)
_STANDARD = ("education", "medical_insurance", "verification", "visit", "resource", "survey", "exchange_reply", "national_receipt")
# of the file's layout on disk: the oldest DuckDB that must be able to read it
STORAGE = "v1.5.0"
# the macros of sql/register/listed_on.sql, and what they answer
MACROS = {
    "ledger_on": comment("某日的台账登记，按当日（known_on）所知", "every child's entry for `day`, as we knew it at the end of the day `known_on`"),
    "listed_on": comment("某日在册的流动儿童，按当日（known_on）所知", "who was on the list as flowing on `day`, as we knew it at the end of the day `known_on`"),
}


class WorkIncompleteError(Exception):
    """A station did not write what the register is built from. Says which table."""


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
            safe_settings(con, spill, memory)
            con.execute("BEGIN")
            for table in REGISTER_TABLES:
                con.execute(create(table))
            distinct = _load(con, work)
            night = _night(con, run)
            _fill(con, "verification_answer", run)
            carry_on(con, night, run.run_id)
            _fill(con, "visit", run)
            _fill(con, "flowing_child", run)
            _fill(con, "indicator", run)
            for table in RECALLED_HANDOUT_TABLES:
                _fill(con, table.name, run)
            _fill(con, "survey_row", run)
            enter_national(con)
            _enter_run(con, run, night)
            check(con, tuple(table for table in REGISTER_TABLES if table.name not in distinct))
            _describe(con)
            con.execute("COMMIT")
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


def _load(con: duckdb.DuckDBPyConnection, work: Path) -> set[str]:
    """Every station's table into the register, the last night's beside it as previous_<table>; those in which no two rows were seen to have one key."""
    distinct = set()
    for feed in _STANDARD:
        con.execute(f"CREATE TEMP VIEW standard_{feed} AS SELECT * FROM read_parquet({_listed(_files(work, Path('standard') / f'{feed}.parquet'))})")
    for table in RECALLED_TABLES:
        _see(con, table, _files(work, Path("previous") / f"{table.name}.parquet"))
    for table in REGISTER_TABLES:
        if table in _MADE_HERE:
            continue
        files = _files(work, Path(_BY_FEED[table.name]) / "*.parquet" if table.name in _BY_FEED else Path(f"{table.name}.parquet"))
        if ascends(files, table.key, strictly=True):
            distinct.add(table.name)
        if table is REGISTER_PERSON:
            hukou = f"(SELECT person_id, hukou_district AS hukou_division FROM read_parquet({_listed(_files(work, Path('assessment.parquet')))}))"
            _insert(con, table, files, f"LEFT JOIN {hukou} USING (person_id)")
        else:
            _insert(con, table, files)
    _name_divisions(con)
    return distinct


def _files(work: Path, pattern: Path) -> list[Path]:
    """The files of a table, by name.

    Raises:
        WorkIncompleteError: there is none.
    """
    found = sorted(work.glob(str(pattern)))
    if not found:
        raise WorkIncompleteError(f"the run's work folder has no {pattern}: its station did not run, or broke; nothing was published")
    return found


def _listed(files: list[Path]) -> str:
    """The files as a DuckDB list."""
    return f"[{', '.join(literal(str(f)) for f in files)}]"


def _see(con: duckdb.DuckDBPyConnection, table: Table, files: list[Path]) -> None:
    """The last night's table as the view previous_<table>."""
    columns = ", ".join(quoted(c.name) for c in table.columns)
    with _declared(table):
        con.execute(f"CREATE TEMP VIEW {quoted(f'previous_{table.name}')} AS SELECT {columns} FROM read_parquet({_listed(files)})")


def _insert(con: duckdb.DuckDBPyConnection, table: Table, files: list[Path], join: str = "") -> None:
    """Insert the files' rows in the order of the key, and of the file where the key leaves it open: as they lie, where that is the order they lie in."""
    columns = ", ".join(quoted(c.name) for c in table.columns)
    source = f"read_parquet({_listed(files)}, union_by_name = true)"
    order = ""
    if join or not ascends(files, table.key, strictly=False):
        order = "ORDER BY " + ", ".join([*(f"{quoted(k)} NULLS LAST" for k in table.key), "filename", "file_row_number"])
        source = f"read_parquet({_listed(files)}, filename = true, file_row_number = true, union_by_name = true)"
    with _declared(table):
        con.execute(f"INSERT INTO {quoted(table.name)} ({columns}) SELECT {columns} FROM {source} {join} {order}")


@contextmanager
def _declared(table: Table) -> Iterator[None]:
    """Says of which table it is that a file does not keep to its declaration."""
    try:
        yield
    except (duckdb.ConstraintException, duckdb.BinderException) as error:
        said = str(error).splitlines()[0]
        raise WorkIncompleteError(f"table {table.name} does not keep to its declaration: {said}; nothing was published") from None


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
    values = {
        "run_id": run.run_id, "started_at": run.started_at, "finished_at": run.clock(), "as_of": run.as_of,
        "code_version": run.code_version, "rule_version": run.rule_version, "config_hash": run.config_hash, "inputs_hash": run.inputs_hash,
        "linkage_hash": run.linkage_hash, "state": state,
        "counts": _json(run.counts), "seconds": _json(run.seconds), "peak_mib": _json(run.peak_mib), "remarks": remarks, "layout": LAYOUT,
    }  # fmt: skip
    con.execute(f"INSERT INTO run ({', '.join(values)}) VALUES ({', '.join(f'${name}' for name in values)})", values)


def _json(figures: Mapping[str, int] | Mapping[str, float]) -> str:
    return json.dumps(dict(figures), ensure_ascii=False)


def _describe(con: duckdb.DuckDBPyConnection) -> None:
    """Views, the macros `ledger_on` and `listed_on`, and a comment on everything."""
    for view in VIEWS:
        con.execute(f"CREATE VIEW {quoted(view.name)} AS {(SQL / 'views' / f'{view.name}.sql').read_text(encoding='utf-8')}")
    for statement in statements(SQL / "register" / "listed_on.sql"):
        con.execute(statement, parameters(statement, {}))
    for macro, meaning in MACROS.items():
        con.execute(f"COMMENT ON MACRO TABLE {macro} IS {literal(meaning)}")
    for kind, tables in (("TABLE", REGISTER_TABLES), ("VIEW", VIEWS)):
        for table in tables:
            con.execute(";\n".join(comments(kind, table.name, table.zh, table.en, table.columns)))
