"""A register made by hand, for the tests of what is handed out: a few children whose every field is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from schemas.tables.assessment import ALERT, ASSESSMENT, KEY_CARE, RESIDENCE_EPISODE, SERVICE_GAP
from schemas.tables.intake import FEED_RECEIPT, QUARANTINE
from schemas.tables.pair import REVIEW_QUEUE
from schemas.tables.record import PERSON, PERSON_RECORD
from schemas.tables.table import Table

AS_OF = date(2026, 11, 24)
TABLES = (PERSON, PERSON_RECORD, ASSESSMENT, RESIDENCE_EPISODE, KEY_CARE, ALERT, SERVICE_GAP, REVIEW_QUEUE, QUARANTINE, FEED_RECEIPT)
_EMPTY: dict[Any, Any] = {pl.String: "", pl.Boolean: False, pl.Date: AS_OF, pl.Float64: 1.0}


def rows(table: Table, given: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """The rows as a frame of that table; what a row does not say is null, or an empty value where the table wants one."""
    filled = [{c.name: row.get(c.name, _default(c.dtype) if c.required else None) for c in table.columns} for row in given]
    unknown = {name for row in given for name in row} - set(table.names)
    assert not unknown, unknown
    return table.conform(pl.DataFrame(filled, schema=table.schema, orient="row"))


def _default(dtype: Any) -> Any:
    return [] if isinstance(dtype, pl.List) else _EMPTY.get(dtype, 0)


def write_register(path: Path, tables: Mapping[str, Sequence[Mapping[str, Any]]], more: Mapping[str, pl.DataFrame] | None = None) -> Path:
    """A DuckDB register with these rows; tables not named are there and empty."""
    with duckdb.connect(str(path)) as con:
        for table in TABLES:
            con.register("frame", rows(table, tables.get(table.name, ())).to_arrow())
            con.execute(f'CREATE TABLE "{table.name}" AS SELECT * FROM frame')
            con.unregister("frame")
        for name, extra in (more or {}).items():
            con.register("frame", extra.to_arrow())
            con.execute(f'CREATE TABLE "{name}" AS SELECT * FROM frame')
            con.unregister("frame")
    return path


def child(person_id: str, **more: Any) -> dict[str, dict[str, Any]]:
    """A flowing child of 两江新区 whose hukou is 江津, with what is said otherwise; `person` and `assessment` columns together."""
    given = {
        "person_id": person_id, "name": f"测{person_id}", "sex": "male", "birth_date": date(2015, 3, 1), "id_number": "500116201503011239",
        "id_number_status": "valid", "feeds": ["education", "survey"], "phones": ["13812345678"],
        "guardians": [{"name": "测父", "relation": "father", "id_number": "500116198503011230", "phone": "13812345678"}],
        "as_of": AS_OF, "outcome": "flowing", "reason": "flowing", "hukou_district": "500116", "hukou_township": "几江街道",
        "residence_district": "500157", "residence_township": "人和街道", "away_since": date(2023, 9, 1), "months_away": 38,
        "turns_16_on": date(2031, 3, 1), "direction": "in_city", "accompanied": "both",
    } | more  # fmt: skip
    return {t.name: {k: v for k, v in given.items() if k in t.names} for t in (PERSON, ASSESSMENT)}


def tables(children: Sequence[dict[str, dict[str, Any]]], **more: Sequence[Mapping[str, Any]]) -> dict[str, Sequence[Mapping[str, Any]]]:
    """The tables of these children, and of whatever else is given by table name."""
    return {"person": [c["person"] for c in children], "assessment": [c["assessment"] for c in children], **more}


def seen_by(feed: str, person_id: str, *, id_role: str | None = "own", row: int = 1, **more: Any) -> dict[str, Any]:
    """A row of that feed which belongs to the child, and whether it holds the child's own number."""
    return {"feed": feed, "source_file": f"{feed}_20261101.csv", "source_row": row, "person_id": person_id, "link_method": "id", "id_role": id_role} | more
