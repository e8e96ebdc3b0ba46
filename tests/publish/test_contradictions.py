"""Decisions that cannot all hold: found as a graph library finds them, told on import by row, and put first in the next workbook."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import networkx
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publish.contradictions import torn
from publish.review import import_decisions
from tests.publish.test_review import answer, exported, filled, pair, recalled

SCHEMA = {"pair_id": pl.String, "decision": pl.String, "left": pl.String, "right": pl.String, "left_records": pl.List(pl.UInt64), "right_records": pl.List(pl.UInt64)}
DAY = {"decided_by": "某", "decided_on": date(2026, 1, 1)}


def decided(*rows: tuple[str, str, str, str]) -> pl.DataFrame:
    return pl.DataFrame([(p, d, a, b, [], []) for p, d, a, b in rows], schema=SCHEMA, orient="row")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.sampled_from(["same", "different", "unsure"])), max_size=14))
def test_contradictions_are_those_a_graph_library_finds(said: list[tuple[int, int, str]]) -> None:
    rows = [(f"R{i:02d}", d, f"p{a}", f"p{b}") for i, (a, b, d) in enumerate(said) if a != b]
    graph = networkx.MultiGraph((a, b, {"pair": p}) for p, d, a, b in rows if d == "same")
    found = {each.pair_id: each.chain for each in torn(decided(*rows))}
    expected = {p: (a, b) for p, d, a, b in rows if d == "different" and a in graph and b in graph and networkx.has_path(graph, a, b)}
    assert set(found) == set(expected)
    ends = {p: (a, b) for p, _, a, b in rows}
    for pair_id, chain in found.items():
        start, end = expected[pair_id]
        assert len(chain) == networkx.shortest_path_length(graph, start, end)
        for step in chain:
            a, b = ends[step]
            start = b if start == a else a if start == b else "nowhere"
        assert start == end


def test_sides_with_a_row_in_common_are_one_whatever_they_are_called() -> None:
    rows = [("R1", "same", "old", "b", [1, 2], [3]), ("R2", "same", "c", "b2", [4], [3, 9]), ("R3", "different", "new", "c2", [2], [4])]
    found = torn(pl.DataFrame(rows, schema=SCHEMA, orient="row"))
    assert [(each.pair_id, each.chain) for each in found] == [("R3", ("R1", "R2"))]
    assert found[0].says() == "R3 为“不同人”，而 R1、R2 为“同一人”，连起来双方就是同一人"
    assert torn(pl.DataFrame(rows[1:], schema=SCHEMA, orient="row")) == []


def _three(**third: object) -> list[dict[str, object]]:
    own = [{"left_records": [a], "right_records": [b]} for a, b in ((1, 2), (2, 3), (1, 3))]
    return [
        pair(1, "p1", "p2", gain=1.0, decision="same", **DAY, **own[0]),
        pair(2, "p2", "p3", gain=2.0, decision="same", **DAY, **own[1]),
        pair(3, "p1", "p3", gain=3.0, **own[2], **third),
        pair(4, "p1", "p4", gain=99.0, left_records=[1], right_records=[4]),
    ]


def test_an_imported_decision_that_contradicts_earlier_ones_is_told_by_row(tmp_path: Path) -> None:
    out, rows = exported(tmp_path, *_three())
    assert [r["核对编号"] for r in rows[::2]] == ["R4", "R3"]
    taken = import_decisions(filled(out, answer(5, "不同人")), tmp_path / "register.duckdb")
    assert (taken.accepted, taken.problems) == (1, ())
    assert taken.remarks == (
        "review.xlsx 第 5 行：结论互相矛盾：R3 为“不同人”，而 R1、R2 为“同一人”，连起来双方就是同一人。均已采纳，运行时“不同人”优先；请在下次核对表最前面的几对中改正。",
    )
    agreeing = import_decisions(filled(out, answer(5, "同一人", on="2026-12-02")), tmp_path / "register.duckdb")
    assert agreeing.remarks == ()


def test_contradictions_come_first_in_the_workbook_with_what_was_decided(tmp_path: Path) -> None:
    _, rows = exported(tmp_path, *_three(decision="different", **DAY))
    assert [r["核对编号"] for r in rows[::2]] == ["R3", "R1", "R2", "R4"]
    assert [r["核对结论"] for r in rows[::2]] == ["不同人", "同一人", "同一人", None]
    assert {r["把握"] for r in rows[:6:2]} == {"70%\n结论互相矛盾：R3 为“不同人”，而 R1、R2 为“同一人”，连起来双方就是同一人"}
    assert "矛盾" not in rows[6]["把握"]


def test_a_decision_imported_since_counts_before_the_next_run(tmp_path: Path) -> None:
    from publish.review import export_workbook
    from tests.publish.handouts_city import SENDER

    out, _ = exported(tmp_path, *_three())
    register = tmp_path / "register.duckdb"
    import_decisions(filled(out, answer(5, "不同人")), register)
    assert export_workbook(register, tmp_path / "again.xlsx", SENDER) == 4


@pytest.mark.parametrize(("decision", "remarks"), [("同一人", 1), ("不同人", 0), ("不确定", 0)])
def test_one_child_with_two_valid_numbers_is_taken_and_told(decision: str, remarks: int, tmp_path: Path) -> None:
    out, _ = exported(tmp_path, pair(1, cause="two_numbers"))
    taken = import_decisions(filled(out, answer(3, decision)), tmp_path / "register.duckdb")
    assert taken.accepted == 1
    assert len(taken.remarks) == remarks
    assert all("双方各有一个有效且不同的证件号，结论“同一人”已采纳，下次运行将合并" in remark for remark in taken.remarks)


def test_who_changes_their_mind_and_back_is_heard(tmp_path: Path) -> None:
    out, _ = exported(tmp_path, pair(1))
    register = tmp_path / "register.duckdb"
    taken = [import_decisions(filled(out, answer(3, said)), register) for said in ("不同人", "同一人", "不同人", "不同人")]
    assert [(t.accepted, t.known) for t in taken] == [(1, 0), (1, 0), (1, 0), (0, 1)]
    assert recalled(tmp_path)["decision"].to_list() == ["different"]
