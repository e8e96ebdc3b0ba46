"""The stations' tables on their way into the register. Enters: a run's work folder. Leaves: rows in the register's tables, in the order of their key, and views of what is only looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from publish.comments import literal, quoted
from publish.order import Order, order_of
from schemas.tables.register import REGISTER_PERSON
from schemas.tables.table import Table

# tables that come feed by feed: their folder in the work folder
_BY_FEED = {"record": "record", "quarantine": "quarantine", "feed_receipt": "receipt"}


class WorkIncompleteError(Exception):
    """A station did not write what the register is built from. Says which table."""


def load(con: duckdb.DuckDBPyConnection, work: Path, tables: Iterable[Table]) -> set[str]:
    """The stations' tables into the register; those in which no two rows were seen to have one key."""
    distinct = set()
    for table in tables:
        files = _files(work, Path(_BY_FEED[table.name]) / "*.parquet" if table.name in _BY_FEED else Path(f"{table.name}.parquet"))
        order = order_of(files, table.key)
        if order is Order.STRICT:
            distinct.add(table.name)
        if table is REGISTER_PERSON:
            hukou = f"(SELECT person_id, hukou_district AS hukou_division FROM read_parquet({_listed(_files(work, Path('assessment.parquet')))}))"
            _insert(con, table, files, Order.NONE, f"LEFT JOIN {hukou} USING (person_id)")
        else:
            _insert(con, table, files, order)
    return distinct


def see_feed(con: duckdb.DuckDBPyConnection, work: Path, feed: str) -> None:
    """What a feed says as the view standard_<feed>."""
    con.execute(f"CREATE TEMP VIEW standard_{feed} AS SELECT * FROM read_parquet({_listed(_files(work, Path('standard') / f'{feed}.parquet'))})")


def see_last(con: duckdb.DuckDBPyConnection, work: Path, table: Table) -> None:
    """The last night's table as the view previous_<table>."""
    files = _files(work, Path("previous") / f"{table.name}.parquet")
    columns = ", ".join(quoted(c.name) for c in table.columns)
    with _declared(table):
        con.execute(f"CREATE TEMP VIEW {quoted(f'previous_{table.name}')} AS SELECT {columns} FROM read_parquet({_listed(files)})")


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


def _insert(con: duckdb.DuckDBPyConnection, table: Table, files: list[Path], lie: Order, join: str = "") -> None:
    """Insert the files' rows in the order of the key, and of the file where the key leaves it open: as they lie, where that is the order they lie in."""
    columns = ", ".join(quoted(c.name) for c in table.columns)
    source = f"read_parquet({_listed(files)}, union_by_name = true)"
    order = ""
    if lie is Order.NONE:
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
