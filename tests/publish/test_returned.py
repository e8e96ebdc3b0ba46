"""What does not count of the sheets that came back: found in the build, told by file and row in words."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from publish.returned import NAME
from publish.roster_fields import Layout
from publish.verification import overdue, write_verification
from tests.publish.handouts_city import SENDER
from tests.publish.register_city import child, night

AS_OF = date(2026, 11, 24)


def row(feed: str, **said: Any) -> dict[str, Any]:
    """A row of a sheet; the days it needs are filled in."""
    days = {"visit": {"visited_on": AS_OF}, "exchange_reply": {"replied_on": AS_OF, "notice_id": "XC-1", "result": "属实"}, "national_receipt": {"received_on": AS_OF, "batch_id": "QG-1"}}
    place = {"feed": feed, "source_file": f"{feed}_20261124.xlsx", "source_row": 1, "record_hash": 77, "export_date": AS_OF, "warnings": [], "person_id": "A"}
    return place | days.get(feed, {}) | said


def published(folder: Path, given: dict[str, Any]) -> Path:
    feed = given["feed"]
    receipt = {"feed": feed, "source_file": given["source_file"], "rows_in": 1, "rows_accepted": 1, "state": "accepted"}
    night(folder, 1, AS_OF, [child("A")], feed_receipt=[receipt], **{f"standard_{feed}": [given]})
    return folder / "register.duckdb"


CASES = [
    (row("visit", situation="无"), None),
    (row("visit", warnings=["code_unknown:situation"]), "“强制报告情形”填写的内容看不懂，该项未采用；只能是：无、独自居住、监护人不履行监护责任、疑似家庭暴力、疑似意外伤害或不法侵害"),
    (row("visit", warnings=["code_unknown:still_needs_help"]), "“仍需帮扶”填写的内容看不懂，该项未采用；只能是：是、否"),
    (row("visit", warnings=["date_unreadable:reported_on"]), "“报告公安日期”看不懂，该项未采用；应如 2026-12-01"),
    (row("visit", person_id="ZZ"), "人员编码不在登记库中，可能被改动，或本表出自另一个登记库；整行未采用，请按发出的表原编码填写"),
    (row("visit", visited_on=date(2062, 11, 24)), "“走访日期”晚于统计日，到该日才计入，请核对"),
    (row("exchange_reply"), None),
    (row("exchange_reply", person_id="X"), "人员编码不在登记库中"),
    (row("exchange_reply", result=None, warnings=["code_unknown:result"]), "“核查结果”填写的内容看不懂，该项未采用；只能是：属实、查无此人"),
    (row("exchange_reply", result=None), "“核查结果”等均未填，没有可采用的内容"),
    (row("national_receipt", result="已录入"), "该批次没有上报过该儿童"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "said"), CASES, ids=lambda c: f"{c['feed']}-{n}" if isinstance(c, dict) and (n := ",".join(c["warnings"])) else None)
def test_a_row_that_does_not_count_is_told_by_file_and_row(tmp_path: Path, given: dict[str, Any], said: str | None) -> None:
    register = published(tmp_path, given)
    written = write_verification(register, tmp_path / "out", SENDER)
    if said is None:
        assert written == []
        return
    (handout,) = written
    cells = pl.read_excel(tmp_path / "out" / handout.file, sheet_name=NAME, has_header=False, infer_schema_length=0)
    told = dict(zip(cells.row(1), cells.row(2), strict=True))
    assert (told["来源文件"], told["行号"], told["人员编码"]) == (given["source_file"], "1", given["person_id"])
    assert said in told["原因"]


@pytest.mark.parametrize(
    ("feed", "page", "touched"),
    [
        ("visit", NAME, {"强制报告情形": "疑似家庭暴力", "走访日期": "上周"}),
        ("verification", "未采纳", {"核实结果": "已离开"}),
        ("exchange_reply", NAME, {"答复人": "李"}),
        ("national_receipt", NAME, {"处理结果": "成功"}),
        ("survey", NAME, {"监护情况": "独自居住"}),
    ],
)
def test_a_row_that_was_turned_away_is_told_where_something_was_filled_in_and_not_where_nobody_touched_it(tmp_path: Path, feed: str, page: str, touched: dict[str, str]) -> None:
    before = {"人员编码": "A", "姓名": "甲", "走访日期": None, "走访结果": " ", "核实部门": "公安"}
    rows = [
        {"feed": feed, "source_file": f"{feed}_20261124.xlsx", "source_row": n, "reasons": ["missing_key"], "reasons_zh": ["缺少日期"],
         "original": [{"heading": h, "value": v} for h, v in (before | said).items()]}
        for n, said in ((1, {}), (2, touched))
    ]  # fmt: skip
    receipt = {"feed": feed, "source_file": f"{feed}_20261124.xlsx", "rows_in": 2, "rows_accepted": 0, "rows_quarantined": 2, "state": "accepted"}
    night(tmp_path, 1, AS_OF, [child("A")], feed_receipt=[receipt], quarantine=rows)
    (handout,) = write_verification(tmp_path / "register.duckdb", tmp_path / "out", SENDER)
    cells = pl.read_excel(tmp_path / "out" / handout.file, sheet_name=page, has_header=False, infer_schema_length=0)
    heads, told = cells.row(1), [row for row in cells.iter_rows() if f"{feed}_20261124.xlsx" in row]
    assert [(r[heads.index("行号")], r[heads.index("原因")], r[heads.index("人员编码")]) for r in told] == [("2", "缺少日期", "A")]


def test_a_row_of_the_survey_is_told_with_its_child(tmp_path: Path) -> None:
    survey = row("survey", source_file="survey_20261101.csv", quarter="2026Q4", surveyed_on=AS_OF, warnings=["code_unknown:guardianship", "phone_unusable:father_phone"])
    night(tmp_path, 1, AS_OF, [child("A")], standard_survey=[survey | {"record_hash": 1}])
    with duckdb.connect(str((tmp_path / "register.duckdb").resolve()), read_only=True) as con:
        assert con.execute("SELECT feed, source_row, person_id, problems FROM returned_unused").fetchall() == [("survey", 1, "A", ["code_unknown:guardianship"])]


def test_a_sheet_that_was_put_right_is_told_no_longer(tmp_path: Path) -> None:
    published(tmp_path, row("visit", warnings=["code_unknown:situation"]))
    right = row("visit", record_hash=78)
    receipt = {"feed": "visit", "source_file": right["source_file"], "rows_in": 1, "rows_accepted": 1, "state": "accepted"}
    night(tmp_path, 2, date(2026, 11, 25), [child("A")], feed_receipt=[receipt], standard_visit=[right])
    assert write_verification(tmp_path / "register.duckdb", tmp_path / "out", SENDER) == []


@pytest.mark.parametrize("quarter", ["2026年第四季度", "2026q4", "四季度", None])
def test_a_quarter_in_other_words_is_told_by_the_day(tmp_path: Path, quarter: str | None) -> None:
    survey = row("survey", source_file="survey_20261101.csv", quarter=quarter, surveyed_on=AS_OF, record_hash=1)
    night(tmp_path, 1, AS_OF, [child("A")], standard_survey=[survey])
    with duckdb.connect(str((tmp_path / "register.duckdb").resolve()), read_only=True) as con:
        assert con.execute("SELECT quarter, seen_on FROM survey_row").fetchall() == [(None, AS_OF)]
        assert con.execute("SELECT is_done FROM v_survey_child").fetchall() == [(True,)]


@pytest.mark.parametrize(("days", "late"), [(0, False), (1, True)], ids=["on the day", "the day after"])
def test_a_roster_is_overdue_from_the_day_after_its_time(days: int, late: bool) -> None:
    layout = Layout.load()
    asked = date(2026, 10, 8)
    progress = pl.DataFrame({"quarter": [date(2026, 10, 1)], "asked_on": [asked], "outstanding": [1], "district": ["500157"], "department": ["教育"]})
    assert overdue(progress, layout.due(asked) + timedelta(days), layout)["days_late"].to_list() == ([1] if late else [])


def test_a_night_that_is_run_late_does_not_know_a_survey_made_since(tmp_path: Path) -> None:
    survey = row("survey", source_file="survey_20261101.csv", quarter="2026Q4", surveyed_on=AS_OF, export_date=AS_OF, record_hash=1)
    night(tmp_path, 1, date(2026, 11, 10), [child("A")], standard_survey=[survey])
    with duckdb.connect(str((tmp_path / "register.duckdb").resolve()), read_only=True) as con:
        assert con.execute("SELECT standing, last_surveyed_on, is_done FROM v_survey_child").fetchall() == [("newly_seen", None, False)]


@pytest.mark.parametrize("other", [{"verified_on": date(2062, 11, 20), "result": "已离开"}, {"verified_on": date(2026, 11, 22), "result": None}], ids=["a day that has not come", "an answer nobody can read"])
def test_an_answer_that_does_not_count_does_not_stand_in_the_place_of_one_that_does(tmp_path: Path, other: dict[str, Any]) -> None:
    answer = {"roster_id": "HMC-20261101-500157-GA", "person_id": "A", "verified_on": date(2026, 11, 20), "result": "属实"}
    night(tmp_path, 1, AS_OF, [child("A")], answers=[answer, answer | other])
    with duckdb.connect(str((tmp_path / "register.duckdb").resolve()), read_only=True) as con:
        assert con.execute("SELECT verified_on, verification FROM flowing_child").fetchall() == [(date(2026, 11, 20), "属实")]


def test_a_reply_of_a_day_that_has_not_come_does_not_outlast_those_that_follow(tmp_path: Path) -> None:
    receipt = {"feed": "exchange_reply", "source_file": "exchange_reply_20261124.xlsx", "rows_in": 2, "rows_accepted": 2, "state": "accepted"}
    typo = row("exchange_reply", result="查无此人", replied_on=date(2062, 11, 1))
    right = row("exchange_reply", result="户籍已迁出", source_row=2, record_hash=78)
    night(tmp_path, 1, AS_OF, [child("A")], feed_receipt=[receipt], standard_exchange_reply=[typo, right])
    with duckdb.connect(str((tmp_path / "register.duckdb").resolve()), read_only=True) as con:
        assert con.execute("SELECT mismatch FROM v_exchange_mismatch").fetchall() == [("hukou_moved",)]
        assert con.execute("SELECT source_row, problems FROM returned_unused").fetchall() == [(1, ["date_ahead:replied_on"])]
