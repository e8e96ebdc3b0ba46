"""The register: what a night leaves, and what the next one remembers of it.

Enters: a run's work folder, the last register. Leaves: the register replaced whole, or left as it was; the last night's tables for the next night.
The file is a link to a version (publish/swap.py); how it is built: publish/build.py; what it holds: schemas/tables/register.py.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from publish.build import Run, build, enter_unchanged, safe_settings
from publish.checks import PromiseBrokenError
from publish.comments import duckdb_type, literal, quoted
from publish.loading import WorkIncompleteError
from publish.swap import (
    KEPT_VERSIONS,
    RegisterBusyError,
    VersionUnknownError,
    build_path,
    find_again,
    is_versioned,
    link_lost,
    remove,
    right_to_write,
    rollback,
    state_folder,
    swap_in,
    take_in,
    versions,
    writing,
)
from schemas.tables.assessment import ALERT
from schemas.tables.register import LAYOUT, LINKED_TABLES, RECALLED_TABLES
from schemas.tables.table import Table

__all__ = [
    "PromiseBrokenError", "Published", "RegisterBusyError", "RegisterUnreadableError", "Run", "VersionUnknownError", "WorkIncompleteError",
    "connect", "find_again", "link_lost", "publish", "publish_unchanged", "read_through", "recall", "rollback", "versions", "writing",
]  # fmt: skip


# alerts lie by their number, and are looked at child by child: by child and in small groups only those of some children are read
_ROWS_OF_CHILDREN = 20_480


class RegisterUnreadableError(Exception):
    """The register is there and cannot be used: damaged, not a register, or of another layout. Says how to go back to a version that is kept."""


@dataclass(frozen=True)
class Published:
    """What a run published: the version's file, ledger events by kind, and what was unusual about the night, in Chinese."""

    version: Path
    events: Mapping[str, int]
    remarks: tuple[str, ...]


def connect(register: Path, memory: str = "4GB") -> duckdb.DuckDBPyConnection:
    """A read-only connection to the version that the register points at now; it stays on that version whatever is published meanwhile.

    Raises:
        RegisterUnreadableError: nothing there, or nothing that can be read as a register.
    """
    if register.is_symlink() and not register.exists():
        raise _unreadable(register, "its link points nowhere")
    if not register.exists():
        raise RegisterUnreadableError(f"there is no register {register}: run 'childflow run' first, or give another path")
    try:
        con = duckdb.connect(str(register.resolve()), read_only=True)
    except duckdb.Error as error:
        if "Could not set lock" in str(error):
            raise RegisterUnreadableError(_held_open(register, str(error))) from None
        raise _unreadable(register, str(error).splitlines()[0]) from None
    try:
        safe_settings(con, state_folder(register.absolute()) / "spill", memory)
        layouts = con.execute("SELECT max_by(layout, (started_at, run_id)) FROM run").fetchall()
    except (duckdb.CatalogException, duckdb.BinderException):
        con.close()
        raise _unreadable(register, "it is a DuckDB file but has no table of runs, so it is no register") from None
    except duckdb.Error as error:
        con.close()
        raise _cut_short(register, "run", error) from None
    if layouts[0][0] != LAYOUT:
        con.close()
        raise _unreadable(register, f"its layout is version {layouts[0][0]}, this program reads version {LAYOUT}")
    return con


def recall(register: Path, work: Path, tables: Iterable[Table] = RECALLED_TABLES) -> None:
    """Write `work/previous/<table>.parquet` for each of the tables, their columns alone: the last register's rows, none where there is no register.

    Raises:
        RegisterUnreadableError: there is a register and it can't be read; a night must not go on without its memory.
    """
    folder = work / "previous"
    folder.mkdir(parents=True, exist_ok=True)
    if not register.exists() and not register.is_symlink():
        for table in tables:
            table.empty().write_parquet(folder / f"{table.name}.parquet")
        return
    with connect(register) as con:
        for table in tables:
            _recall_table(con, register, table, folder / f"{table.name}.parquet")


def _recall_table(con: duckdb.DuckDBPyConnection, register: Path, table: Table, target: Path) -> None:
    """One table as it is declared today: a table younger than the register is empty, a column younger than it null."""
    query = "SELECT column_name FROM duckdb_columns() WHERE table_name = ? AND NOT internal"
    there = {name for (name,) in con.execute(query, [table.name]).fetchall()}
    if not there:
        table.empty().write_parquet(target)
        return
    missing = [c.name for c in table.columns if c.required and c.name not in there]
    if missing:
        raise _unreadable(register, f"its table {table.name} lacks {', '.join(missing)}")
    schema = {c.name: c.dtype for c in table.columns}
    columns = ", ".join(quoted(n) if n in there else f"NULL::{duckdb_type(t)} AS {quoted(n)}" for n, t in schema.items())
    order, groups = ("ORDER BY person_id, alert_id", f", ROW_GROUP_SIZE {_ROWS_OF_CHILDREN}") if table is ALERT else ("", "")
    try:
        con.execute(f"COPY (SELECT {columns} FROM {quoted(table.name)} {order}) TO {literal(str(target))} (FORMAT parquet{groups})")
    except duckdb.Error as error:
        raise _cut_short(register, table.name, error) from None


def read_through(register: Path) -> None:
    """Read what the next night goes on from to its end; a block whose bytes are no longer those that were written is found only by reading it.

    Raises:
        RegisterUnreadableError: nothing there, or something of it cannot be read.
    """
    with connect(register) as con:
        there = {name for (name,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        for name in (table.name for table in (*RECALLED_TABLES, *LINKED_TABLES) if table.name in there):
            try:
                con.execute(f"SELECT bit_xor(hash(t)) FROM {quoted(name)} AS t").fetchall()
            except duckdb.Error as error:
                raise _cut_short(register, name, error) from None


def publish(work: Path, register: Path, run: Run, *, memory: str = "4GB", spill: Path | None = None, keep: int = KEPT_VERSIONS) -> Published:
    """Build the register of the run aside, check it, and put it in the last one's place.

    Args:
        work: the run's folder, with the tables of all stations and `previous/` (recall).
        register: the file to replace. A plain file there, such as a copied register, is kept as a version first.
        memory: DuckDB's memory limit; what does not fit goes to a folder of its own in `spill`, or beside the build.
        keep: the number of versions to keep, this one among them.

    Raises:
        PromiseBrokenError, WorkIncompleteError, RegisterBusyError, RegisterUnreadableError: the last register stands.
    """
    register = register.absolute()
    with right_to_write(register):
        if register.exists() and not is_versioned(register):
            with connect(register) as con:
                newest = con.execute("SELECT max_by(run_id, (started_at, run_id)) FROM run").fetchall()[0][0]
            take_in(register, str(newest))
        target = build_path(register, run.run_id)
        remove(target)
        try:
            built = build(work, target, run, memory, _spill(register, run.run_id, spill or target.parent))
            version = swap_in(register, target, run.run_id, keep)
        finally:
            remove(target)
            remove(target.with_name(f"{target.name}.wal"))
    return Published(version, built.events, built.remarks)


def _spill(register: Path, run_id: str, folder: Path) -> Path:
    """The folder of what a build has no memory for; what dead runs of this register left there is removed, other registers may have theirs beside it."""
    mine = f".build-{hashlib.sha256(str(register).encode()).hexdigest()[:12]}"
    for left in folder.glob(f"{mine}-*.spill"):
        remove(left)
    return folder / f"{mine}-{run_id}.spill"


def publish_unchanged(register: Path, run: Run, *, keep: int = KEPT_VERSIONS) -> Path:
    """Publish the tables of the version in use again, with one more run in them: the night of a run whose inputs were those of the last one.

    Raises:
        RegisterBusyError, RegisterUnreadableError: the last register stands.
    """
    register = register.absolute()
    with right_to_write(register):
        with connect(register) as con:
            last = con.execute("SELECT max_by(run_id, (started_at, run_id)) FROM run").fetchall()[0][0]
        target = build_path(register, run.run_id)
        remove(target)
        try:
            shutil.copyfile(register.resolve(), target)
            with duckdb.connect(str(target)) as con:
                enter_unchanged(con, run, str(last))
            return swap_in(register, target, run.run_id, keep)
        finally:
            remove(target)
            remove(target.with_name(f"{target.name}.wal"))


def _held_open(register: Path, said: str) -> str:
    """What to say where another program has the register open for writing."""
    process = re.search(r"\(PID (\d+)\)", said)
    by = f"process {process[1]}" if process else "another program"
    return f"{register} is open for writing in {by}, and nobody else can read it: close it there (to look into it: duckdb -readonly), then start again"


def _cut_short(register: Path, table: str, error: duckdb.Error) -> RegisterUnreadableError:
    """The error where a table is there and its rows are not."""
    return _unreadable(register, f"its table {table} cannot be read to the end: {type(error).__name__}")


def _unreadable(register: Path, why: str) -> RegisterUnreadableError:
    """The error, with the way back to the newest version that is kept and not in use."""
    kept = [v for v in versions(register.absolute()) if v != register.resolve()]
    if kept:
        version = kept[-1].relative_to(register.absolute().parent)
        way = f"to go back to the newest version that is kept: ln -sfn '{version}' '{register}'"
    else:
        way = "no version of it is kept: put a copy in its place, or move it away to begin a new register"
    return RegisterUnreadableError(f"{register} cannot be used: {why}; {way}")
