"""Nights of the linkage told in a few rows: one family, one child, and what a night makes of them and of the night before."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from matching.linkage import Linked, link_records
from tests.matching.linkage_city import number, person, records

AS_OF = date(2026, 11, 24)
BORN = date(2015, 3, 2)
BOY, TWIN = number("500106", BORN, 135), number("500106", BORN, 137)
FAMILY = [person("张建国", "father", None, "13512345678"), person("李芳", "mother", None, "13612345678")]


def night(rows: list[dict[str, Any]], before: Linked | None = None, queue: pl.DataFrame | None = None) -> Linked:
    """One run on the rows, with the tables of the run before it."""
    previous = {} if before is None else dict(before.tables)
    if queue is not None:
        previous["review_queue"] = queue
    return link_records(records(rows), previous, AS_OF)


def row(key: str, **values: Any) -> dict[str, Any]:
    return {"feed": "survey", "record_key": key, "name": "张浩宇", "sex": "male", "birth_date": BORN} | values


def ids(linked: Linked) -> dict[str, str]:
    """person_id by record key."""
    return dict(linked.tables["person_record"].select("record_key", "person_id").iter_rows())
