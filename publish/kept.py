"""Rows that outlive a night beside the register, only ever added to.

Enters: rows of a declared table. Leaves: `<register>.d/<folder>/<number>-<content>.parquet`, one file each time something was new; all of them as one frame.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from publish.swap import state_folder, sync
from schemas.tables.table import Table

# the folders in which they lie
_FOLDERS = ("decisions", "export_log", "national_sent")


class KeptUnreadableError(Exception):
    """A file of what is kept beside a register is damaged. Says which, and the way back."""


def require_readable(register: Path) -> None:
    """Look at all that is kept beside a register.

    Raises:
        KeptUnreadableError: one of its files is damaged; no night goes on without it.
    """
    for folder in _FOLDERS:
        for file in sorted((state_folder(register.absolute()) / folder).glob("*.parquet")):
            _read(file)


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
        return pl.concat([self._table.empty(), *(self._table.conform(_read(file)) for file in self._files())])

    def add(self, rows: pl.DataFrame) -> int:
        """Add what is not held yet, whole or not at all; returns how many rows that were."""
        held = self.rows()
        held = held.unique(self._subject, keep="last", maintain_order=True) if self._subject else held
        fresh = self._table.conform(rows.join(held, on=self._what, how="anti", nulls_equal=True).unique(self._what, keep="first").sort(self._what))
        if fresh.height:
            content = hashlib.sha256(fresh.select(self._what).write_csv().encode()).hexdigest()
            last = max((int(file.name.partition("-")[0]) for file in self._files()), default=0)
            target = self._folder / f"{last + 1:06d}-{content[:12]}.parquet"
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_suffix(".part")
            fresh.write_parquet(part)
            sync(part)
            part.replace(target)
            sync(target.parent)
        return fresh.height

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.parquet"))


def _read(file: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(file)
    except pl.exceptions.PolarsError:
        raise KeptUnreadableError(
            f"{file} is damaged, and it is kept for good: put it back from a backup. Without one move it away: what the last register took in of it stays, the rest has to be given again"
        ) from None
