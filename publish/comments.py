"""Tables as DuckDB knows them. Enters: a `Table`. Leaves: its CREATE statement, and a comment in Chinese and English on it and on each column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from publish.packing import of_column
from schemas.tables.table import Column, Table

_TYPES: dict[Any, str] = {
    pl.String: "VARCHAR", pl.Boolean: "BOOLEAN", pl.Date: "DATE", pl.Float64: "DOUBLE",
    pl.Int16: "SMALLINT", pl.Int32: "INTEGER", pl.Int64: "BIGINT", pl.UInt32: "UINTEGER", pl.UInt64: "UBIGINT",
}  # fmt: skip


def quoted(name: str) -> str:
    """A name as SQL may hold it, whatever it is made of."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL may hold it where no parameter can stand."""
    return "'" + text.replace("'", "''") + "'"


def duckdb_type(dtype: Any) -> str:
    """The DuckDB type of a polars type; KeyError for one that no table of ours uses."""
    if isinstance(dtype, pl.List):
        return f"{duckdb_type(dtype.inner)}[]"
    if isinstance(dtype, pl.Struct):
        return f"STRUCT({', '.join(f'{quoted(f.name)} {duckdb_type(f.dtype)}' for f in dtype.fields)})"
    if isinstance(dtype, pl.Datetime):
        return "TIMESTAMP"
    return _TYPES[dtype]


def create(table: Table, *, temporary: bool = False) -> str:
    """CREATE TABLE with the declared types, packed as publish/packing.py says; what is required is NOT NULL."""
    return f"CREATE {'TEMP ' if temporary else ''}TABLE {quoted(table.name)} ({', '.join(_declared(c) for c in table.columns)})"


def _declared(column: Column) -> str:
    packing = of_column(column)
    return f"{quoted(column.name)} {duckdb_type(column.dtype)}{' NOT NULL' if column.required else ''}{f' USING COMPRESSION {packing}' if packing else ''}"


def comment(zh: str, en: str) -> str:
    """`中文 · English`."""
    return f"{zh} · {en}"


def comments(kind: str, name: str, zh: str, en: str, columns: tuple[Column, ...]) -> Iterator[str]:
    """The COMMENT statements of a table or view (`kind`: TABLE or VIEW) and its columns."""
    yield f"COMMENT ON {kind} {quoted(name)} IS {literal(comment(zh, en))}"
    for column in columns:
        yield f"COMMENT ON COLUMN {quoted(name)}.{quoted(column.name)} IS {literal(comment(column.zh, column.en))}"
