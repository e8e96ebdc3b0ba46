"""Mandatory reports: who is on them, what is shown, when a report counts as made, and that the log knows."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from publish.mandatory_reports import MEASURES, write_mandatory_reports
from publish.workbook import build_workbook
from rules.law import Law
from schemas.exports.visit import SITUATIONS
from tests.publish.handouts_city import AS_OF, SENDER, child, seen_by, tables, write_register

EVIDENCE = [{"feed": "survey", "source_file": "survey_20261101.csv", "source_row": 1, "says": "摸排监护情况为独自居住"}]


def alert(person_id: str, **more: Any) -> dict[str, Any]:
    return {
        "alert_id": f"A{person_id}{more.get('kind', 'living_alone')}", "person_id": person_id, "kind": "living_alone", "title": "独自居住（强制报告）", "severity": "report",
        "state": "open", "raised_on": AS_OF, "due_on": AS_OF, "department": "公安", "district": "500157", "evidence": EVIDENCE, "times_raised": 1,
    } | more  # fmt: skip


def visit(number: int, visited_on: date, situation: str, reported_on: date | None = None) -> dict[str, Any]:
    return {"record_hash": number, "person_id": "P1", "visited_on": visited_on, "situation": situation, "reported_on": reported_on}


def written(folder: Path, children: list[Any], **more: Any) -> dict[str, pl.DataFrame]:
    """The rows of each workbook by its name."""
    register = write_register(folder / "register.duckdb", tables(children, **more))
    out = folder / "out"
    handouts = write_mandatory_reports(register, out, SENDER)
    assert {h.file for h in handouts} == {p.name for p in out.glob("*.xlsx")}
    return {h.file: sheet(out / h.file) for h in handouts}


def sheet(path: Path) -> pl.DataFrame:
    cells = pl.read_excel(path, sheet_name="强制报告", has_header=False, infer_schema_length=0)
    heads = [str(h) for h in cells.row(1)]
    return cells.slice(2).rename(dict(zip(cells.columns, heads, strict=True)))


def test_everything_needed_to_find_and_protect_the_child_is_there_in_full(tmp_path: Path) -> None:
    seen = seen_by("survey", "P1", None, address="人和大道1号")
    (rows,) = written(tmp_path, [child("P1")], alert=[alert("P1")], **seen).values()
    assert rows.to_dicts() == [
        {
            "报告编号": "AP1living_alone", "人员编码": "P1", "姓名": "测P1", "性别": "男", "出生日期": "2015-03-01", "身份证号": "500116201503011239", "情形": "独自居住",
            "发现依据": "民政季度摸排：摸排监护情况为独自居住", "发现日期": "2026-11-24", "现居住地": "两江新区人和街道", "地址": "人和大道1号", "户籍地": "江津区几江街道",
            "监护人": "测父（父亲）13812345678", "联系电话": "13812345678", "已报告公安日期": None, "报告人": None, "报告时间": None, "接报单位及民警": None, "处置情况": None, "备注": None,
        }
    ]  # fmt: skip


def test_only_open_reports_a_workbook_for_each_district(tmp_path: Path) -> None:
    children = [child("P1"), child("P2"), child("P3", residence_district="500116", outcome="not_flowing", reason="same_district"), child("P4")]
    alerts = [
        alert("P1"), alert("P1", kind="suspected_violence", title="疑似家庭暴力（强制报告）"), alert("P2", state="closed", closed_on=AS_OF),
        alert("P3", district="500116", state="overdue"), alert("P4", severity="urgent", kind="help_asked_no_visit"),
        alert("P4", severity="warning", kind="possible_key_care", is_restricted=True, title="可能的重点关爱对象", evidence=[{"feed": "education", "says": "学校心理关注等级：重点关注"}]),
    ]  # fmt: skip
    books = written(tmp_path, children, alert=alerts)
    assert {name: book["人员编码"].to_list() for name, book in books.items()} == {
        "强制报告_两江新区_2026-11-24.xlsx": ["P1", "P1"], "强制报告_江津区_2026-11-24.xlsx": ["P3"],
    }  # fmt: skip
    assert "心理" not in str([book.to_dicts() for book in books.values()])


@pytest.mark.parametrize(
    ("visits", "told"),
    [
        ([visit(1, date(2026, 11, 20), "独自居住", date(2026, 11, 20))], "2026-11-20"),
        ([visit(1, date(2026, 11, 20), "独自居住")], None),
        ([visit(1, date(2026, 11, 1), "独自居住", date(2026, 11, 1)), visit(2, date(2026, 11, 20), "独自居住")], "2026-11-01"),
        ([visit(1, date(2026, 6, 1), "独自居住", date(2026, 6, 1)), visit(2, date(2026, 7, 1), "无"), visit(3, date(2026, 11, 20), "独自居住")], None),
        ([visit(1, date(2026, 11, 1), "疑似家庭暴力", date(2026, 11, 1)), visit(2, date(2026, 11, 20), "独自居住")], None),
        ([visit(1, date(2026, 11, 20), "独自居住", date(2027, 11, 20))], None),
        ([visit(1, date(2026, 11, 1), "独自居住", date(2026, 11, 1)), visit(2, date(2027, 11, 20), "无")], "2026-11-01"),
    ],
    ids=[
        "told", "not told", "told at an earlier visit", "told of an earlier danger that was over", "told of another danger", "told on a day to come", "over on a day to come",
    ],
)
def test_when_the_police_were_told(tmp_path: Path, visits: list[dict[str, Any]], told: str | None) -> None:
    (rows,) = written(tmp_path, [child("P1")], alert=[alert("P1")], visit=visits).values()
    assert rows["已报告公安日期"].to_list() == [told]


def test_a_call_that_found_nothing_does_not_undo_that_the_police_were_told(tmp_path: Path) -> None:
    """The report still rests on the visit: the call did not count as one (rules/visits.py)."""
    told = [visit(1, date(2026, 11, 1), "独自居住", date(2026, 11, 1)), visit(2, date(2026, 11, 20), "无") | {"way": "电话视频"}]
    by_visit = alert("P1", evidence=[EVIDENCE[0] | {"feed": "visit", "says": "走访发现独自居住，2026-11-01已报告公安"}])
    (rows,) = written(tmp_path, [child("P1")], alert=[by_visit], visit=told).values()
    assert rows["已报告公安日期"].to_list() == ["2026-11-01"]
    (tmp_path / "again").mkdir()
    (rows,) = written(tmp_path / "again", [child("P1")], alert=[alert("P1")], visit=told).values()
    assert rows["已报告公安日期"].to_list() == [None], "that a survey found the child alone since is another matter"


@pytest.mark.parametrize("kind", sorted(k["kind"] for k in Law.load().on(AS_OF)["alerts/kinds"] if k["severity"] == "report"))
def test_every_kind_of_report_can_be_told(tmp_path: Path, kind: str) -> None:
    visits = [visit(n, AS_OF, situation, AS_OF) for n, situation in enumerate(SITUATIONS[1:])]
    (rows,) = written(tmp_path, [child("P1")], alert=[alert("P1", kind=kind)], visit=visits).values()
    assert rows["已报告公安日期"].to_list() == ["2026-11-24"]


def test_a_report_made_under_an_identifier_that_was_merged_since_counts(tmp_path: Path) -> None:
    identity = [{"person_id": "P1", "state": "live"}, {"person_id": "P0", "state": "merged", "merged_into": "P1"}]
    told = visit(1, date(2026, 11, 20), "独自居住", date(2026, 11, 20)) | {"person_id": "P0"}
    (rows,) = written(tmp_path, [child("P1")], alert=[alert("P1")], visit=[told], identity=identity).values()
    assert rows["已报告公安日期"].to_list() == ["2026-11-20"]


def test_without_a_report_nothing_is_written(tmp_path: Path) -> None:
    assert written(tmp_path, [child("P1")]) == {}


def test_the_measures_fit_into_a_drop_down() -> None:
    assert len(",".join(MEASURES)) <= 255 and build_workbook([]) is not None
