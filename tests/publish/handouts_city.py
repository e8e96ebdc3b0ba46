"""A register made by hand, for the tests of what is handed out: a few children whose every field is known."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from publish.handing import Sender
from publish.ledger import SQL
from publish.views import VIEWS
from schemas.tables.assessment import ASSESSMENT
from schemas.tables.ledger import FLOWING_CHILD, MOMENT
from schemas.tables.record import PERSON
from schemas.tables.register import DIVISION, LAYOUT, REGISTER_TABLES
from schemas.tables.table import Table

AS_OF = date(2026, 11, 24)
SENDER = Sender("test", datetime(2026, 11, 24, 3))  # noqa: DTZ001 - the register keeps UTC without a zone mark
PLACES = {
    "500116": "江津区", "500157": "两江新区", "5001GX": "高新区", "500235": "云阳县", "510000": "四川省", "511600": "广安市", "511623": "邻水县",
    "520000": "贵州省", "520302": "贵州省遵义市红花岗区",
}  # fmt: skip
_EMPTY: dict[Any, Any] = {pl.String: "", pl.Boolean: False, pl.Date: AS_OF, pl.Float64: 1.0, MOMENT: datetime(2026, 11, 24, 2)}  # noqa: DTZ001 - the register keeps UTC without a zone mark


def rows(table: Table, given: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """The rows as a frame of that table; what a row does not say is null, or an empty value where the table wants one."""
    filled = [{c.name: row.get(c.name, _default(c.dtype) if c.required else None) for c in table.columns} for row in given]
    unknown = {name for row in given for name in row} - set(table.names)
    assert not unknown, unknown
    return table.conform(pl.DataFrame(filled, schema=table.schema, orient="row"))


def _default(dtype: Any) -> Any:
    return [] if isinstance(dtype, pl.List) else _EMPTY.get(dtype, 0)


def write_register(path: Path, tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> Path:
    """A DuckDB register with these rows; tables not named are there and empty, but for the names of places."""
    by_name = {t.name: t for t in REGISTER_TABLES}
    tables = {"run": [run(1)]} | dict(tables)
    path.write_bytes(_empty_register())
    with duckdb.connect(str(path)) as con:
        for name, given in tables.items():
            con.register("frame", rows(by_name[name], given).to_arrow())
            con.execute(f'DELETE FROM "{name}"')
            con.execute(f'INSERT INTO "{name}" SELECT * FROM frame')
            con.unregister("frame")
    return path


@cache
def _empty_register() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.duckdb"
        with duckdb.connect(str(path)) as con:
            for table in REGISTER_TABLES:
                given = [{"code": code, "name": name} for code, name in PLACES.items()] if table is DIVISION else []
                con.register("frame", rows(table, given).to_arrow())
                con.execute(f'CREATE TABLE "{table.name}" AS SELECT * FROM frame')
                con.unregister("frame")
            for view in VIEWS:
                con.execute(f"CREATE VIEW {view.name} AS {(SQL / 'views' / f'{view.name}.sql').read_text('utf-8')}")
        return path.read_bytes()


def run(number: int, **more: Any) -> dict[str, Any]:
    """A run of one of the nights of November 2026."""
    return {"run_id": f"run{number}", "started_at": datetime(2026, 11, number, 2), "as_of": AS_OF, "counts": "{}", "layout": LAYOUT} | more  # noqa: DTZ001


Child = dict[str, dict[str, Any]]


def child(person_id: str, **more: Any) -> Child:
    """A flowing child of 两江新区 whose hukou is 江津, with what is said otherwise: its rows of person, assessment and flowing_child."""
    given = {
        "person_id": person_id, "name": f"测{person_id}", "sex": "male", "birth_date": date(2015, 3, 1), "id_number": "500116201503011239",
        "id_number_status": "valid", "feeds": ["education", "survey"], "phones": ["13812345678"],
        "guardians": [{"name": "测父", "relation": "father", "id_number": "500116198503011230", "phone": "13812345678"}],
        "as_of": AS_OF, "outcome": "flowing", "reason": "flowing", "hukou_district": "500116", "hukou_township": "几江街道",
        "residence_district": "500157", "residence_township": "人和街道", "away_since": date(2023, 9, 1), "months_away": 38,
        "turns_16_on": date(2031, 3, 1), "direction": "in_city", "accompanied": "both",
    } | more  # fmt: skip
    return {t.name: {k: v for k, v in given.items() if k in t.names} for t in (PERSON, ASSESSMENT, FLOWING_CHILD)}


def tables(children: Sequence[Child], **more: Sequence[Mapping[str, Any]]) -> dict[str, Sequence[Mapping[str, Any]]]:
    """The tables of these children, and of whatever else is given by table name."""
    return {
        "person": [c["person"] for c in children],
        "assessment": [c["assessment"] for c in children],
        "flowing_child": [c["flowing_child"] for c in children if c["assessment"]["outcome"] == "flowing"],
    } | more


def seen_by(feed: str, person_id: str, id_number: str | None, **more: Any) -> dict[str, list[dict[str, Any]]]:
    """A row of that feed which belongs to the child, and the number it carries: rows of record and person_record."""
    place = {"feed": feed, "source_file": f"{feed}_20261101.csv", "source_row": 1}
    return {"record": [place | {"id_number": id_number} | more], "person_record": [place | {"person_id": person_id}]}
