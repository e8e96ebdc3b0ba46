"""Rows that outlive a night beside the register, only ever added to.

Enters: rows of a declared table. Leaves: `<register>.d/<folder>/<number>-<content>.parquet`, one file each time something was new; all of them as one frame.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from publish.swap import state_folder
from schemas.tables.table import Table


class Kept:
    """The rows of one table.

    Args:
        register: the register's file; `folder`: the folder's name in the state folder beside it.
        what: the columns of plain values that make a row new; a row whose values are held already is not added again.
        subject: columns that say what a row is about, where only the last row about it counts: then a row is new that differs from that one, so that
            who changes their mind and changes it back is heard.
    """

    def __init__(self, register: Path, folder: str, table: Table, what: Sequence[str], subject: Sequence[str] = ()) -> None:
        self._folder = state_folder(register.absolute()) / folder
        self._table = table
        self._what = list(what)
        self._subject = list(subject)

    def rows(self) -> pl.DataFrame:
        """Everything held, in the order it came in."""
        return pl.concat([self._table.empty(), *(self._table.conform(pl.read_parquet(file)) for file in self._files())])

    def add(self, rows: pl.DataFrame) -> int:
        """Add what is not held yet, whole or not at all; returns how many rows that were."""
        held = self.rows()
        held = held.unique(self._subject, keep="last", maintain_order=True) if self._subject else held
        fresh = self._table.conform(rows.join(held, on=self._what, how="anti", nulls_equal=True).unique(self._what, keep="first").sort(self._what))
        if fresh.height:
            content = hashlib.sha256(fresh.select(self._what).write_csv().encode()).hexdigest()
            target = self._folder / f"{len(self._files()) + 1:06d}-{content[:12]}.parquet"
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_suffix(".part")
            fresh.write_parquet(part)
            part.replace(target)
        return fresh.height

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.parquet"))
