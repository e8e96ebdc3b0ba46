"""What each night counted is what its tables held of its day, and is never counted anew."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from publish.register import connect, recall
from schemas.tables.register import INDICATOR
from tests.publish.register_city import child, night

FIRST, SECOND = date(2026, 8, 24), date(2026, 11, 24)
GAP = {"aspect": "学有所教", "item": "义务教育", "department": "教育"}


def counted(register: Path, topic: str, as_of: date) -> Counter[tuple[str | None, ...]]:
    with connect(register) as con:
        rows = con.execute("SELECT item, state, department, district, figure FROM indicator WHERE topic = ? AND as_of = ?", [topic, as_of]).fetchall()
    found: Counter[tuple[str | None, ...]] = Counter()
    for *key, figure in rows:  # a figure that stands twice is told twice
        found[tuple(key)] += figure
    return found


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("indicator")
    children = [child(f"P{n}", categories=("disability",) if n < 3 else ()) for n in range(7)] + [
        child("P8", outcome="undetermined", reason="residence_unknown", residence_district=None)
    ]
    night(
        folder, 1, FIRST, children, service_gap=[GAP | {"person_id": f"P{n}", "status": "missing" if n < 4 else "has"} for n in range(7)],
        alert=[{"alert_id": f"A{n}", "person_id": f"P{n}", "kind": "unseen", "state": "open", "raised_on": FIRST, "department": "民政", "district": "500157"} for n in range(5)],
    )  # fmt: skip
    night(
        folder, 2, SECOND, children[:6], service_gap=[GAP | {"person_id": f"P{n}", "status": "has"} for n in range(6)],
        alert=[{"alert_id": f"A{n}", "person_id": f"P{n}", "kind": "unseen", "state": "closed", "raised_on": FIRST, "department": "民政", "district": "500157"} for n in range(5)]
        + [{"alert_id": "A5", "person_id": "P5", "kind": "unseen", "state": "open", "raised_on": SECOND + timedelta(1), "department": "民政", "district": "500157"}],
    )  # fmt: skip
    return folder / "register.duckdb"


@pytest.mark.parametrize(
    ("topic", "as_of", "figures"),
    [
        ("outcome", FIRST, {("flowing", "flowing", None, "500157"): 7, ("residence_unknown", "undetermined", None, None): 1}),
        ("outcome", SECOND, {("flowing", "flowing", None, "500157"): 6}),
        ("key_care", FIRST, {("disability", "flowing", None, "500157"): 3}),
        ("service", FIRST, {("义务教育", "missing", "教育", "500157"): 4, ("义务教育", "has", "教育", "500157"): 3}),
        ("service", SECOND, {("义务教育", "has", "教育", "500157"): 6}),
        ("alert", FIRST, {("unseen", "open", "民政", "500157"): 5}),
        ("alert", SECOND, {("unseen", "closed", "民政", "500157"): 5}),
        ("verification", FIRST, {("none", "flowing", None, "500157"): 7}),
        ("rows", SECOND, {("survey", "accepted", None, None): 6, ("survey", "quarantined", None, None): 0}),
    ],
)
def test_a_nights_figures(register: Path, topic: str, as_of: date, figures: dict[tuple[str | None, ...], int]) -> None:
    assert counted(register, topic, as_of) == Counter(figures)


def test_every_assessed_child_is_counted_once(register: Path) -> None:
    with connect(register) as con:
        total = con.execute("SELECT sum(figure) FROM indicator WHERE topic = 'outcome' AND as_of = ?", [SECOND]).fetchall()[0][0]
        assert total == con.execute("SELECT count(*) FROM assessment").fetchall()[0][0]


def test_a_register_older_than_the_table_is_recalled_with_none_of_it(register: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.duckdb"
    old.write_bytes(register.resolve().read_bytes())
    with duckdb.connect(str(old)) as con:
        con.execute("DROP TABLE indicator")
    recall(old, tmp_path / "work")
    assert pl.read_parquet(tmp_path / "work" / "previous" / "indicator.parquet").equals(INDICATOR.empty())


def test_a_day_run_again_is_counted_anew(register: Path, tmp_path: Path) -> None:
    for n in (1, 2):
        night(tmp_path, n, FIRST, [child(f"P{i}") for i in range(n)])
    assert counted(tmp_path / "register.duckdb", "outcome", FIRST) == Counter({("flowing", "flowing", None, "500157"): 2})
