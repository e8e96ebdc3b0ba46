"""The words in which a feed's contract is written: what a column is called, what it holds, and whether a row can do without it.

Enters: nothing. Leaves: `Export` (base of the ten Pandera models), the column makers, and `Feed` (a model read back as a table).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import pandera.polars as pa


class Kind(StrEnum):
    """What a column holds, and so how its text becomes a value (see `standard_columns`)."""

    KEY = "key"  # a department's own number: text
    TEXT = "text"
    ADDRESS = "address"
    NAME = "name"
    ID = "id"  # GB 11643 number -> <name>, <name>_status
    DATE = "date"  # -> <name> (the latest day it can mean), <name>_precision: day, month, year
    DIVISION = "division"  # -> <stem>_code, <stem>_township, <stem>_written
    SEX = "sex"  # male, female
    CODE = "code"  # one of `codes`; any word where `codes` is empty
    FLAG = "flag"  # 是/否 -> boolean
    PHONE = "phone"  # -> list of numbers
    YEAR = "year"  # whole number
    NUMBER = "number"  # a count: whole number, zero or more
    LIST = "list"  # values parted by ; -> list of text


# what identifies a person or a place too closely for the rules to see
IDENTIFYING = frozenset({Kind.KEY, Kind.TEXT, Kind.ADDRESS, Kind.NAME, Kind.ID, Kind.PHONE})


@dataclass(frozen=True)
class Column:
    """One column of an export.

    Attributes:
        name: our name; `heading`: the department's, as contracts/feeds.md has it.
        need: "key" or "need" where a row without it is quarantined, else None.
        codes: the values allowed, for Kind.CODE.
    """

    name: str
    heading: str
    kind: Kind
    need: str | None
    codes: tuple[str, ...]
    form: str = ""  # what a key should look like (regular expression); another form is a warning

    @property
    def is_number(self) -> bool:
        """Whether it holds a number whose every digit counts, so that a workbook's number cell has spoilt a long one."""
        return self.kind in (Kind.KEY, Kind.ID)

    @property
    def stem(self) -> str:
        """`hukou` of `hukou_division`: what the standardised division columns are called by."""
        return self.name.removesuffix("_division")

    @property
    def standard_columns(self) -> tuple[str, ...]:
        """The names of the standardised columns that this column becomes."""
        match self.kind:
            case Kind.DATE:
                return (self.name, f"{self.name}_precision")
            case Kind.ID:
                return (self.name, f"{self.name}_status")
            case Kind.DIVISION:
                return (f"{self.stem}_code", f"{self.stem}_township", f"{self.stem}_written")
            case _:
                return (self.name,)


def cell(heading: str, kind: Kind = Kind.TEXT, *, need: str | None = None, codes: tuple[str, ...] = (), form: str = "") -> Any:
    """A column of an export; the gate makes the checks from what is said here."""
    return pa.Field(nullable=need is None, metadata={"heading": heading, "kind": kind, "need": need, "codes": codes, "form": form})


def key(heading: str, kind: Kind = Kind.KEY, *, form: str = "") -> Any:
    """A column that identifies the row in the department's own system; a row without it is quarantined, one of another form only warned about."""
    return cell(heading, kind, need="key", form=form)


def need(heading: str, kind: Kind = Kind.TEXT, *, codes: tuple[str, ...] = ()) -> Any:
    """A column that a row cannot do without."""
    return cell(heading, kind, need="need", codes=codes)


def code(heading: str, *codes: str) -> Any:
    """A column that holds one of a few words."""
    return cell(heading, Kind.CODE, codes=codes)


class Export(pa.DataFrameModel):
    """Base of the exports: every column is text as it came, blanks and placeholders already null."""

    class Config:
        strict = False
        coerce = False


@dataclass(frozen=True)
class Feed:
    """One feed: its folder name, the department that sends it (Chinese, for people), its model, and whether it is an input of ours that need not come."""

    name: str
    title: str
    department: str
    model: type[Export]
    is_optional: bool = False

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns in the order of the contract."""
        return tuple(
            Column(name, m["heading"], m["kind"], m["need"], m["codes"], m["form"])
            for name, c in self.model.to_schema().columns.items()
            if (m := c.metadata) is not None
        )

    def column(self, name: str) -> Column:
        """The column of that name; KeyError when the feed has none."""
        for c in self.columns:
            if c.name == name:
                return c
        raise KeyError(f"{self.name} has no column {name}")

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The columns that together are the record key."""
        return tuple(c.name for c in self.columns if c.need == "key")

    @property
    def standard_columns(self) -> tuple[str, ...]:
        """All standardised columns, in the order of the contract."""
        return tuple(s for c in self.columns for s in c.standard_columns)

    @property
    def fact_columns(self) -> tuple[str, ...]:
        """The standardised columns that the rules may see: no name, number, phone, address or free text."""
        return tuple(s for c in self.columns if c.kind not in IDENTIFYING for s in c.standard_columns)
