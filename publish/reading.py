"""The register as the hand-outs read it. Enters: its file. Leaves: a read-only connection that also knows how a place is written (`place`: code, name).

It may be one that an earlier program made: what such a register has no view for is seen as today's would show it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from publish.register import connect
from publish.views import create_view

SQL = Path(__file__).parent / "sql"


@contextmanager
def reading(register: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The register, open for reading, with the view `place` (sql/place.sql)."""
    with connect(register) as con:
        con.execute(query("place"))
        con.execute(create_view("v_merged_person", temporary=True))
        yield con


def newest_run(register: Path) -> tuple[str, date]:
    """The newest run that the register knows, and its as-of date."""
    with connect(register) as con:
        ((run_id, as_of),) = con.execute("SELECT run_id, as_of FROM run ORDER BY started_at DESC, run_id DESC LIMIT 1").fetchall()
    return str(run_id), as_of


def remarks(register: Path, run_id: str) -> list[str]:
    """What was unusual about that run, in Chinese; nothing where it was a night like any other."""
    with connect(register) as con:
        found = con.execute("SELECT remarks FROM run WHERE run_id = ?", [run_id]).fetchall()
    return list(found[0][0]) if found else []


def query(name: str) -> str:
    """The text of a query of publish/sql."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")
