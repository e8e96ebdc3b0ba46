"""The national system's entries: each state by what was sent and answered, and layouts that cannot be used by their messages."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import yaml

from publish.exchange import _LAYOUT as EXCHANGE
from publish.exchange import Layout
from publish.layout import LayoutError
from publish.national import write_national
from publish.national_state import _LAYOUT, load_layout, standing
from publish.reading import reading
from schemas.tables.handout import NATIONAL_SENT
from tests.publish.handouts_city import SENDER, child, tables, write_register


def register(path: Path, *children: Any, **more: Any) -> Path:
    listed = [{"entry_id": c["person"]["person_id"], "person_id": c["person"]["person_id"], "is_flowing": True, "valid_from": date(2026, 11, 1)} for c in children]
    return write_register(path, tables(children, ledger=listed, **more))


def content(path: Path) -> dict[str, str]:
    """Tonight's fingerprints by child."""
    with reading(path) as con:
        con.register("sent", NATIONAL_SENT.empty().to_arrow())
        entries, _ = standing(con, load_layout())
    return dict(entries.select("person_id", "content").iter_rows())


def sent(batch: str, person: str, told: str, day: int) -> dict[str, Any]:
    return {"batch_id": batch, "person_id": person, "kind": "new", "content": told, "sent_on": date(2026, 11, day)}


def answer(batch: str, person: str, result: str, day: int, number: int = 1) -> dict[str, Any]:
    return {"record_hash": number, "batch_id": batch, "person_id": person, "result": result, "received_on": date(2026, 11, day), "national_id": "N1" if result == "已录入" else None}


@pytest.mark.parametrize(
    ("what", "batches", "answers", "state", "lag"),
    [
        ("never sent", [], [], "new", 23),
        ("sent, no answer", [("b1", "same", 2)], [], "pending", 23),
        ("entered", [("b1", "same", 2)], [("b1", "已录入", 5)], "entered", 4),
        ("refused", [("b1", "same", 2)], [("b1", "退回", 5)], "refused", 23),
        ("refused, then entered", [("b1", "same", 2)], [("b1", "退回", 5), ("b1", "已录入", 9)], "entered", 8),
        ("entered, then another content", [("b1", "other", 2)], [("b1", "已录入", 5)], "changed", 4),
        ("refused, then corrected here", [("b1", "other", 2)], [("b1", "退回", 5)], "changed", 23),
        ("sent again, the old answer does not count for it", [("b1", "other", 2), ("b2", "same", 6)], [("b1", "退回", 5)], "pending", 23),
        ("entered, changed, sent again", [("b1", "other", 2), ("b2", "same", 6)], [("b1", "已录入", 5)], "pending", 4),
        ("an answer to a batch nobody sent", [], [("b9", "退回", 5)], "new", 23),
    ],
)
def test_the_state_of_an_entry(what: str, batches: list[Any], answers: list[Any], state: str, lag: int, tmp_path: Path) -> None:
    told = content(register(tmp_path / "r.duckdb", child("p1")))["p1"]
    held = [sent(batch, "p1", told if words == "same" else "0", day) for batch, words, day in batches]
    path = register(tmp_path / "r.duckdb", child("p1"), national_receipt=[answer(b, "p1", r, d, n) for n, (b, r, d) in enumerate(answers)])
    with reading(path) as con:
        con.register("sent", pl.DataFrame(held, schema=NATIONAL_SENT.schema).to_arrow())
        entries, _ = standing(con, load_layout())
    assert entries.select("person_id", "state", "lag_days").rows() == [("p1", state, lag)], what


def test_a_batch_tells_what_is_new_and_changed_once_and_who_left(tmp_path: Path) -> None:
    path = register(tmp_path / "r.duckdb", child("p1"), child("p2"))
    first = write_national(path, tmp_path / "a", SENDER, as_csv=True)
    assert (first.batch_id, first.children, first.states["new"]) == ("QG-20261124-01", 2, 2)
    assert write_national(path, tmp_path / "a", SENDER).file is None
    path = register(tmp_path / "r.duckdb", child("p1", school="另一学校"), child("p2", outcome="not_flowing", reason="returned"), child("p3"))
    second = write_national(path, tmp_path / "b", SENDER, as_csv=True)
    assert (second.batch_id, second.children) == ("QG-20261124-02", 3)
    rows = pl.read_csv(tmp_path / "b" / str(second.file), infer_schema=False)
    assert rows.select("人员编码", "上报类型", "退出原因").rows() == [("p1", "变更", ""), ("p2", "退出", "返回户籍地"), ("p3", "新增", "")]
    assert rows.columns == [field.heading for field in load_layout()]


def test_a_child_that_left_is_told_once_and_anew_when_it_is_back(tmp_path: Path) -> None:
    """Whatever becomes of it in between: a phone, another reason, no record of anybody's any more; after a refusal it is told again."""
    kinds = []
    nights: list[list[Any]] = [
        [child("p1")], [child("p1", outcome="not_flowing", reason="returned")], [child("p1", outcome="not_flowing", reason="same_district", phones=[], guardians=[])], [], [child("p1")],
        [child("p1", outcome="not_flowing", reason="deceased")],
    ]  # fmt: skip
    for number, children in enumerate(nights):
        path = register(tmp_path / "r.duckdb", *children)
        batch = write_national(path, tmp_path / str(number), SENDER, as_csv=True)
        kinds.append(pl.read_csv(tmp_path / str(number) / batch.file, infer_schema=False)["上报类型"].to_list() if batch.file else [])
    assert kinds == [["新增"], ["退出"], [], [], ["变更"], ["退出"]]
    path = register(tmp_path / "r.duckdb", child("p1", outcome="not_flowing", reason="deceased", name="测更名"), national_receipt=[answer("QG-20261124-04", "p1", "退回", 25)])
    assert write_national(path, tmp_path / "again", SENDER).states["pending"] == 1, "an answer of a day to come"
    path = register(tmp_path / "r.duckdb", child("p1", outcome="not_flowing", reason="deceased", name="测更名"), national_receipt=[answer("QG-20261124-04", "p1", "退回", 24)])
    assert write_national(path, tmp_path / "again", SENDER).children == 1


def test_the_number_of_a_child_that_was_merged_stands_for_the_one_it_became(tmp_path: Path) -> None:
    told = content(register(tmp_path / "r.duckdb", child("p1")))["p1"]
    identity = [{"person_id": "p0", "state": "merged", "merged_into": "p1"}, {"person_id": "p1", "state": "live"}]
    path = register(tmp_path / "r.duckdb", child("p1"), identity=identity, national_sent=[sent("b1", "p0", told, 2)], national_receipt=[answer("b1", "p0", "已录入", 5)])
    with duckdb.connect(str(path), read_only=True) as con:
        assert con.execute("SELECT count(*) FROM national_sent").fetchall() == [(1,)]
    batch = write_national(path, tmp_path / "a", SENDER)
    assert (batch.file, batch.states["entered"]) == (None, 1)


def changed(tmp_path: Path, source: Path, change: dict[str, Any]) -> Path:
    path = tmp_path / source.name
    path.write_text(yaml.safe_dump(yaml.safe_load(source.read_text("utf-8")) | change), "utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fields": [{"field": "height", "heading": "身高"}]}, "national.yaml, fields: not allowed: height; allowed: accompanied"),
        ({"fields": [{"field": "name"}]}, "national.yaml, field 1: missing: heading"),
        ({"fields": [{"field": "name", "heading": "姓名", "width": 3}]}, "national.yaml, field 1: not allowed: width"),
        ({"fields": [{"field": "name", "heading": "姓名"}, {"field": "sex", "heading": "姓名"}]}, "national.yaml, headings: twice: 姓名"),
        ({"fields": [{"field": "name", "heading": "姓名"}]}, "national.yaml, fields: missing: person_id"),
        ({"order": 1}, "national.yaml: not allowed: order; allowed: fields"),
    ],
)
def test_a_national_layout_that_cannot_be_used_says_where(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(LayoutError) as error:
        load_layout(changed(tmp_path, _LAYOUT, change))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fields": ["name", "phone"]}, "exchange.yaml, fields: not allowed: phone; allowed: away_since"),
        ({"id_number": "held"}, "exchange.yaml, id_number: not allowed: held; allowed: full, masked"),
        ({"fields": ["name", "name"]}, "exchange.yaml, fields: twice: name"),
        ({"reply": 1}, "exchange.yaml: not allowed: reply"),
    ],
)
def test_an_exchange_layout_that_cannot_be_used_says_where(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(LayoutError) as error:
        Layout.load(changed(tmp_path, EXCHANGE, change))
    assert message in str(error.value)
