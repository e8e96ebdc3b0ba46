"""The station decide: parts put together are the whole, and no child is lost."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from rules import decide as station
from rules import parts
from rules.decide import OUTPUTS, ChildrenLostError, decide
from rules.decide_in_parts import cut, decide_part, join_parts
from rules.facts import read_facts
from schemas.tables.identity import IDENTITY
from tests.rules.test_whatif import KNOWN

AS_OF = date(2026, 11, 24)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder as the station before leaves it, with names in `person`."""
    work = tmp_path_factory.mktemp("night")
    (work / "facts").mkdir()
    KNOWN.children.with_columns(name=pl.lit("张三")).collect().write_parquet(work / "person.parquet")
    for feed, frame in KNOWN.facts.items():
        frame.sort("person_id").collect().write_parquet(work / "facts" / f"{feed}.parquet")
    decide(work, AS_OF)
    return work


def written(work: Path) -> dict[str, pl.DataFrame]:
    return {table.name: pl.read_parquet(work / f"{table.name}.parquet") for table in OUTPUTS}


def test_every_table_keeps_to_its_declaration_and_order(night: Path) -> None:
    for table in OUTPUTS:
        frame = pl.read_parquet(night / f"{table.name}.parquet")
        assert frame.schema == table.schema and frame.height, table.name
        if table.name != "residence_episode":
            assert frame.equals(frame.sort(table.key)), table.name
        assert "张三" not in str(frame.to_dicts())


def test_small_parts_give_the_same_tables_again(night: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = written(night)
    monkeypatch.setattr(parts, "CHILDREN_AT_ONCE", 37)
    decide(night, AS_OF)
    for name, frame in written(night).items():
        assert frame.equals(whole[name]), name


def test_steps_in_any_order_and_twice_give_the_same_tables(night: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As workers do them."""
    whole = written(night)
    monkeypatch.setattr(parts, "CHILDREN_AT_ONCE", 150)
    numbers = cut(night, AS_OF)
    assert len(numbers) == 3
    for number in [*numbers[::-1], 1]:
        decide_part(number, night, AS_OF)
    join_parts(numbers, night, AS_OF)
    for name, frame in written(night).items():
        assert frame.equals(whole[name]), name


def test_the_last_register_is_looked_at(night: Path) -> None:
    """A night later every alert keeps its first day and number, and every care entry its first listing."""
    before = written(night)
    (night / "previous").mkdir()
    for name in ("alert", "key_care"):
        before[name].write_parquet(night / "previous" / f"{name}.parquet")
    entries = before["key_care"].group_by("person_id", valid_from="first_listed_on").agg(categories="category")
    entries.with_columns(pl.lit(None, pl.Date).alias("valid_to"), pl.lit(None, pl.Datetime).alias("superseded_at")).write_parquet(night / "previous" / "ledger.parquet")
    IDENTITY.empty().write_parquet(night / "identity.parquet")
    decide(night, date(2026, 11, 25))
    after = written(night)
    same = after["alert"].join(before["alert"].select("alert_id", first="raised_on"), on="alert_id")
    assert same.height > 0 and same["raised_on"].equals(same["first"])
    listed = after["key_care"].join(before["key_care"].select("person_id", "category", first="first_listed_on"), on=["person_id", "category"])
    assert listed.height > 0 and listed["first_listed_on"].equals(listed["first"])


def test_a_child_without_an_answer_stops_the_run(night: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = station._decide_some
    monkeypatch.setattr(station, "_decide_some", lambda *given: (made := whole(*given)) | {"assessment": made["assessment"][1:]})
    with pytest.raises(ChildrenLostError, match=r"^400 children, 399 assessments, 1 children without one: nothing may be published$"):
        decide(night, AS_OF)


def test_a_feed_that_never_came_is_not_among_the_facts(tmp_path: Path) -> None:
    assert read_facts(tmp_path) == {}
