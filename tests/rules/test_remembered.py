"""Since when a child is in key care: by the ledger, over all nights and identifiers."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl
import pytest

from rules.remembered import remembered
from schemas.tables.assessment import KEY_CARE
from schemas.tables.identity import IDENTITY
from schemas.tables.ledger import LEDGER

JANUARY, MARCH, JUNE, JULY = (date(2026, month, 1) for month in (1, 3, 6, 7))
HARD, ILL = "family_hardship", "disability"
KNEW_BETTER = datetime.fromisoformat("2026-06-02")


def ledger(*entries: tuple[str, list[str], date, date | None, datetime | None]) -> pl.LazyFrame:
    """person_id, categories, valid_from, valid_to, superseded_at of each entry; the rest does not matter."""
    columns = ("person_id", "categories", "valid_from", "valid_to", "superseded_at")
    return pl.LazyFrame(list(entries), schema={name: LEDGER.schema[name] for name in columns}, orient="row")


def merged(**into: str) -> pl.LazyFrame:
    rows = [(gone, "merged", stands) for gone, stands in into.items()]
    return pl.LazyFrame(rows, schema={name: IDENTITY.schema[name] for name in ("person_id", "state", "merged_into")}, orient="row")


@pytest.mark.parametrize(
    ("entries", "since"),
    [
        pytest.param([("A", [HARD], JANUARY, None, None)], JANUARY, id="one entry"),
        pytest.param([("A", [HARD], JANUARY, MARCH, None), ("A", [ILL, HARD], MARCH, None, None)], JANUARY, id="another category came"),
        pytest.param([("A", [HARD], JANUARY, MARCH, None), ("A", [HARD], JUNE, None, None)], JUNE, id="a break"),
        pytest.param([("A", [HARD], JANUARY, MARCH, None), ("A", [], MARCH, JUNE, None), ("A", [HARD], JUNE, None, None)], JUNE, id="on the list, not in the category"),
        pytest.param([("A", [HARD], JANUARY, MARCH, None)], None, id="ended"),
        pytest.param([("A", [HARD], JANUARY, None, KNEW_BETTER), ("A", [HARD], MARCH, None, None)], MARCH, id="what is superseded does not count"),
        pytest.param([("A", [HARD], MARCH, None, None), ("B", [HARD], JANUARY, JUNE, None)], JANUARY, id="merged: the longer of both"),
        pytest.param([("B", [HARD], JANUARY, None, None)], JANUARY, id="merged: only the one that ended was listed"),
        pytest.param([("A", [HARD], JULY, None, None)], None, id="a night for an earlier day than the listing"),
    ],
)
def test_since_when_a_category_is_listed_without_a_break(entries: list[tuple[str, list[str], date, date | None, datetime | None]], since: date | None) -> None:
    found = remembered(ledger(*entries), KEY_CARE.empty().lazy(), merged(B="A"), JUNE)
    assert dict(found.filter(pl.col("category") == HARD).select("person_id", "first_listed_on").iter_rows()) == ({"A": since} if since else {})


def test_a_list_of_an_earlier_day_takes_nothing_away() -> None:
    """The last night ran for a day on which there was no ground yet: its list has no entry, and the ledger goes on."""
    found = remembered(ledger(("A", [HARD], MARCH, None, None)), KEY_CARE.empty().lazy(), merged(), JUNE)
    assert found.row(0, named=True) == {"person_id": "A", "category": HARD, "since": None, "first_listed_on": MARCH}
