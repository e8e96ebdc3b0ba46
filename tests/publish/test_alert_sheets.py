"""Alerts on children whom no roster lists: which district is told of which, and in what words."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl

from publish.alert_sheets import write_alert_sheets
from tests.publish.handouts_city import AS_OF, SENDER, child, tables, write_register


def alert(person: str, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "alert_id": f"A{person}{kind}", "person_id": person, "kind": kind, "title": kind, "severity": "warning", "state": "open", "raised_on": AS_OF, "due_on": AS_OF + timedelta(30),
        "department": "民政", "district": "500157", "message": "请核实", "times_raised": 1, "evidence": [{"feed": "survey", "source_file": "survey_20261101.csv", "source_row": 1, "says": "摸排登记在此居住"}],
    } | more  # fmt: skip


def listed(folder: Path) -> dict[str, list[dict[str, str]]]:
    found = {}
    for path in sorted(folder.glob("*.xlsx")):
        heads, *rows = openpyxl.load_workbook(path)["预警"].iter_rows(min_row=2, values_only=True)
        found[path.name] = [dict(zip(heads, row, strict=True)) for row in rows]
    return found


def test_what_no_roster_tells_is_told_to_the_district_that_acts(tmp_path: Path) -> None:
    unknown = {"outcome": "undetermined", "hukou_district": None, "hukou_township": None}
    children = [
        child("P1"), child("P2", outcome="not_flowing", reason="under_six_months"), child("P3", **unknown, reason="hukou_unknown", guardians=[]),
        child("P4", outcome="undetermined", reason="residence_unknown", residence_district=None, residence_township=None),
    ]  # fmt: skip
    alerts = [
        alert("P1", "new_child_unsurveyed"), alert("P1", "left_behind_and_flowing", district="500116"), alert("P2", "about_to_reach_six_months", severity="info"),
        alert("P2", "living_alone", severity="report", department="公安"), alert("P2", "needs_outside_list", state="closed", closed_on=AS_OF),
        alert("P3", "hukou_missing", department="公安", state="overdue", due_on=date(2026, 11, 20)), alert("P4", "unseen", district="500116"),
    ]  # fmt: skip
    handouts = write_alert_sheets(write_register(tmp_path / "r.duckdb", tables(children, alert=alerts)), tmp_path / "out", SENDER)
    assert [(h.file, h.recipient, h.district, h.items) for h in handouts] == [
        ("预警_江津区_2026-11-24.xlsx", "江津区民政", "500116", 2), ("预警_两江新区_2026-11-24.xlsx", "两江新区民政", "500157", 2),
    ]  # fmt: skip
    told = listed(tmp_path / "out")
    assert {name: [(row["人员编码"], row["事项"]) for row in rows] for name, rows in told.items()} == {
        "预警_江津区_2026-11-24.xlsx": [("P1", "left_behind_and_flowing"), ("P4", "unseen")],
        "预警_两江新区_2026-11-24.xlsx": [("P3", "hukou_missing"), ("P2", "about_to_reach_six_months")],
    }
    first = told["预警_两江新区_2026-11-24.xlsx"][0]
    assert {head: first[head] for head in ("责任部门", "等级", "办理期限", "逾期天数", "姓名", "认定情况", "现居住地", "请办理", "发现依据")} == {
        "责任部门": "公安", "等级": "关注", "办理期限": "2026-11-20", "逾期天数": "4", "姓名": "测P3", "认定情况": "户籍地不明", "现居住地": "两江新区人和街道", "请办理": "请核实",
        "发现依据": "民政季度摸排：摸排登记在此居住",
    }  # fmt: skip


def test_where_every_alert_is_on_a_roster_nothing_is_written(tmp_path: Path) -> None:
    register = write_register(tmp_path / "r.duckdb", tables([child("P1")], alert=[alert("P1", "new_child_unsurveyed")]))
    assert write_alert_sheets(register, tmp_path / "out", SENDER) == []
