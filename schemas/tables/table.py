"""How a table between stations is declared: its columns with type and meaning (Chinese and English), and the check that a frame keeps to it.

Enters: a declaration. Leaves: `Table`, which conforms frames, and from which the register's DDL, its comments and the data dictionary are made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl


class TableMismatchError(Exception):
    """A frame does not keep to its table: a fault of ours, never of the input."""


@dataclass(frozen=True)
class Column:
    """One column: name, polars type, what it means in Chinese and English, and whether it may be null."""

    name: str
    dtype: Any
    zh: str
    en: str
    required: bool = False


@dataclass(frozen=True)
class Table:
    """One table: what a row is, and its columns in order. `key` is what names a row, and the order it is written in."""

    name: str
    zh: str
    en: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """The column names in order."""
        return [c.name for c in self.columns]

    @property
    def schema(self) -> pl.Schema:
        """The polars schema."""
        return pl.Schema({c.name: c.dtype for c in self.columns})

    def empty(self) -> pl.DataFrame:
        """A frame of this table without rows."""
        return pl.DataFrame(schema=self.schema)

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with exactly this table's columns, in order and cast to its types.

        Raises:
            TableMismatchError: a column is missing, or a required one has nulls.
        """
        missing = [n for n in self.names if n not in frame.columns]
        if missing:
            raise TableMismatchError(f"table {self.name}: columns missing: {', '.join(missing)}; there are: {', '.join(frame.columns)}")
        out = frame.select(pl.col(c.name).cast(c.dtype) for c in self.columns)
        nulls = [c.name for c in self.columns if c.required and out.get_column(c.name).null_count()]
        if nulls:
            raise TableMismatchError(f"table {self.name}: rows without a value in: {', '.join(nulls)}")
        return out

    def hold(self, frame: pl.LazyFrame) -> None:
        """Check a table that was written elsewhere, without reading it whole.

        Raises:
            TableMismatchError: its columns or their types are others, or a required one has nulls.
        """
        found = frame.collect_schema()
        if found != self.schema:
            raise TableMismatchError(f"table {self.name}: written with {dict(found)}, declared with {dict(self.schema)}")
        required = [c.name for c in self.columns if c.required]
        counts = frame.select(pl.col(required).null_count()).collect().row(0, named=True)
        nulls = [name for name, count in counts.items() if count]
        if nulls:
            raise TableMismatchError(f"table {self.name}: rows without a value in: {', '.join(nulls)}")


def req(name: str, dtype: Any, zh: str, en: str) -> Column:
    """A column that is never null."""
    return Column(name, dtype, zh, en, required=True)
