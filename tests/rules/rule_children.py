"""Children written down in a few words. Enters: rows of feeds with only the columns that matter. Leaves: the frames that the rules read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

import polars as pl

from rules.assessment import Answers, assess
from rules.law import Law
from schemas.exports.contract import Kind
from schemas.exports.feeds import FEEDS, Feed
from schemas.reference.divisions import place
from schemas.tables.facts import facts as facts_table

EXPORTED = date(2026, 11, 1)
Rows = Sequence[Mapping[str, Any]]


@cache
def law() -> Law:
    return Law.load()


def frame(feed: Feed, rows: Rows) -> pl.DataFrame:
    """The facts of a feed. A division is written as a clerk would (`渝北区`, `500112`); a date as 2026-03-15, 2026-03 or 2026."""
    table = facts_table(feed)
    return pl.DataFrame([_row(feed, row, number) for number, row in enumerate(rows, 1)], schema=table.schema)


def _row(feed: Feed, row: Mapping[str, Any], number: int) -> dict[str, Any]:
    given = dict(row)
    made: dict[str, Any] = {
        "person_id": given.pop("person_id", "child"),
        "feed": feed.name,
        "export_date": given.pop("export_date", EXPORTED),
        "source_file": given.pop("source_file", f"{feed.name}_20261101.csv"),
        "source_row": given.pop("source_row", number),
        "record_hash": given.pop("record_hash", number),
        "document_type": given.pop("document_type", None),
        "in_institution": given.pop("in_institution", False),
    }
    for name, value in given.items():
        stem = name.removesuffix("_division")
        kind = _kinds(feed.name).get(name)
        assert kind is not None, f"{feed.name} has no column {name}"
        if kind is Kind.DIVISION:
            found = _place(str(value)) if value is not None else None
            made |= {f"{stem}_code": found and found.code, f"{stem}_township": found and found.township, f"{stem}_written": found and found.written}
        elif kind is Kind.DATE:
            made |= dict(zip((name, f"{name}_precision"), dated(value), strict=True))
        else:
            made[name] = value
    return made


@cache
def _kinds(feed: str) -> dict[str, Kind]:
    return {name: column.kind for column in FEEDS[feed].columns for name in (column.name, column.stem)}


_place = cache(place)


def dated(value: Any) -> tuple[date | None, str | None]:
    """The latest day that a date can mean, and how precise it is."""
    if value is None:
        return None, None
    if isinstance(value, date):
        return value, "day"
    parts = [int(part) for part in str(value).split("-")]
    if len(parts) == 3:
        return date(*parts), "day"
    if len(parts) == 2:
        year, month = parts
        first_of_next = date(year + month // 12, month % 12 + 1, 1)
        return date.fromordinal(first_of_next.toordinal() - 1), "month"
    return date(parts[0], 12, 31), "year"


def children_frame(rows: Rows) -> pl.DataFrame:
    schema = {
        "person_id": pl.String, "birth_date": pl.Date, "birth_date_precision": pl.String, "document_type": pl.String, "sex": pl.String,
        "id_number_status": pl.String, "first_seen": pl.Date, "last_seen": pl.Date, "feeds": pl.List(pl.String),
    }  # fmt: skip
    made = []
    for row in rows:
        birth, precision = dated(row.get("birth_date"))
        made.append({"person_id": "child", "id_number_status": "valid", "feeds": [], "last_seen": EXPORTED} | dict(row) | {"birth_date": birth, "birth_date_precision": precision})
    return pl.DataFrame(made, schema=schema)


def facts_of(feeds: Mapping[str, Rows]) -> dict[str, pl.LazyFrame]:
    return {name: frame(FEEDS[name], rows).lazy() for name, rows in feeds.items()}


def answer(children: Rows, feeds: Mapping[str, Rows], as_of: date) -> Answers:
    """What the rule says of these children."""
    return assess(children_frame(children).lazy(), facts_of(feeds), as_of, law().on(as_of), law().version)


def one(birth: Any, feeds: Mapping[str, Rows], as_of: date = date(2026, 11, 24), **child: Any) -> dict[str, Any]:
    """What the rule says of one child."""
    return answer([{"birth_date": birth, **child}], feeds, as_of).assessment.row(0, named=True)
