"""Rosters out, answered as departments answer, and back: each answer found again in the ledger, each unusable one reported by file and row."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import polars as pl
import pytest

from publish.handing import Sender
from publish.rosters import write_rosters
from publish.verification import write_verification
from tests.journey.conftest import TINY
from tests.journey.departments import Sent, answer
from tests.journey.simulation import query, run_night

FIRST = date(2026, 11, 24)
SENT, BACK, LATER = FIRST + timedelta(days=1), FIRST + timedelta(days=11), FIRST + timedelta(days=25)
ANSWERED_ON = FIRST + timedelta(days=6)
# what a clerk fills in, the state it must end in, and the question it speaks to
CASES: tuple[tuple[dict[str, str | None], str, str | None], ...] = (
    ({"核实结果": "属实"}, "confirmed", "presence"),
    ({"核实结果": "已离开"}, "applied", "presence"),
    ({"核实结果": "信息有误", "更正项目": "户籍地", "更正内容": "重庆市巫山县"}, "applied", "hukou"),
    ({"核实结果": "信息有误", "更正项目": "现居住地", "更正内容": "重庆市永川区胜利路街道"}, "applied", "residence"),
    ({"核实结果": "信息有误", "更正项目": "姓名", "更正内容": " 测 小三 "}, "applied", "name"),
    ({"核实结果": "信息有误", "更正项目": "出生日期", "更正内容": "2013年5月6日"}, "applied", "birth_date"),
    ({"核实结果": "信息有误", "更正项目": "性别", "更正内容": "女"}, "applied", "sex"),
    ({"核实结果": "信息有误", "更正项目": "身份证号", "更正内容": "500116201305061223"}, "unusable", "id_number"),
    ({"核实结果": "信息有误", "更正项目": "监护人电话", "更正内容": "139-1234-5670"}, "applied", "guardian_phone"),
    ({"核实结果": "信息有误", "更正项目": "监护人姓名", "更正内容": "测监护"}, "applied", "guardian_name"),
    ({"核实结果": "信息有误", "更正项目": "来现住地日期", "更正内容": "2026-10-01"}, "applied", "arrived_on"),
    ({"核实结果": "不属实"}, "applied", "withdrawn"),
    ({"核实结果": "查无此人"}, "applied", "withdrawn"),
    ({"核实结果": "信息有误", "更正项目": "在读情况", "更正内容": "已转入实验小学"}, "noted", None),
    ({"核实结果": "在"}, "unusable", None),
    ({"核实结果": "信息有误"}, "unusable", None),
    ({"核实结果": "信息有误", "更正项目": "身高", "更正内容": "150"}, "unusable", None),
    ({"核实结果": "信息有误", "更正项目": "现居住地", "更正内容": "桥头那边"}, "unusable", "residence"),
    ({"核实结果": "属实", "更正内容": "姓名不对"}, "unusable", "presence"),
    ({"核实结果": "属实", "核实日期": "下周"}, "quarantined", None),
    ({"核实结果": "属实", "核实日期": "2027-01-31"}, "waiting", "presence"),
    ({"核实结果": "属实", "人员编码": "CXXXXXXXXXXXX"}, "unusable", "presence"),
    ({"核实结果": "已离开", "花名册编号": "九月名单"}, "unusable", "presence"),
    ({"核实结果": "属实", "核实日期": None}, "quarantined", None),
)
UNUSED = {"unusable", "waiting", "noted", "quarantined", "contradicted"}


@dataclass
class Trip:
    """The register after the answers, what was sent back, with the state each row should end in, and where things lie."""

    folder: Path
    register: Path
    sent: list[tuple[Sent, str, str | None]]
    before: dict[str, dict[str, Any]]

    def by_place(self) -> dict[tuple[str, int], tuple[str, str | None, str | None]]:
        found = query(self.register, "SELECT source_file, source_row, state, question, problem FROM verification_state")
        return {(f, r): (s, q, p) for f, r, s, q, p in found}


def children(register: Path) -> dict[str, dict[str, Any]]:
    with duckdb.connect(str(register.resolve()), read_only=True) as con:
        frame = con.sql("SELECT * FROM assessment JOIN person USING (person_id)").pl()
    return {row["person_id"]: row for row in frame.iter_rows(named=True)}


@pytest.fixture(scope="module")
def trip(tmp_path_factory) -> Trip:
    folder = tmp_path_factory.mktemp("trip")
    city, register, out = folder / "city", folder / "register.duckdb", folder / "rosters"
    shutil.copytree(TINY / "inbox", city / "inbox", ignore=shutil.ignore_patterns("verification"))
    run_night(city, register, FIRST, 1, FIRST)
    write_rosters(register, out, Sender("test", datetime.combine(FIRST, datetime.min.time()), None))
    # the rosters answered below are an old version by then: another night, other rosters
    run_night(city, register, SENT, 2, SENT)
    before = children(register)
    cases, rng, sent = cycle(CASES), random.Random(5), []
    for roster in sorted(out.glob("*_公安_*.xlsx")):
        expected: dict[str, tuple[str, str | None]] = {}
        deleted = iter([True, *[False] * 500])

        def fill(row, expected=expected, deleted=deleted, is_long="九龙坡" in roster.name):
            if is_long and next(deleted):
                return None
            told, state, question = next(cases)
            expected[row["人员编码"]] = expected[told.get("人员编码") or row["人员编码"]] = (state, question)
            return {"核实人": "核实员", "核实日期": ANSWERED_ON.isoformat()} | told

        sent += [(s, *expected[s.cells["人员编码"]]) for s in answer(roster, city / "inbox", BACK, fill, rng)]
    run_night(city, register, BACK, 3, BACK)
    return Trip(folder, register, sent, before)


def test_every_case_was_answered(trip):
    assert len({tuple(sorted((k, v) for k, v in s.cells.items() if k in ("核实结果", "更正项目", "更正内容"))) for s, *_ in trip.sent}) >= 18
    assert Counter(state for _, state, _ in trip.sent).keys() >= {"confirmed", "applied", "noted", "unusable", "waiting", "quarantined"}


def test_every_answer_ends_in_its_state_and_says_why_it_does_not_count(trip):
    found = trip.by_place()
    for s, state, question in trip.sent:
        if state == "quarantined":
            assert (s.file, s.row) not in found
            ((reasons,),) = query(trip.register, "SELECT reasons_zh FROM quarantine WHERE source_file = ? AND source_row = ?", s.file, s.row)
            assert "核实日期" in reasons[0]
            continue
        assert found[s.file, s.row][:2] == (state, question), s
        assert (found[s.file, s.row][2] is not None) == (state == "unusable"), s


def test_every_answer_that_counts_is_in_the_ledger_with_its_roster(trip):
    told = query(trip.register, "SELECT person_id, after->>'roster_id', after->>'question', cause FROM ledger_event WHERE run_id = 'night-0003' AND (after->>'answer') IS NOT NULL")
    applied = {(s.cells["人员编码"], s.cells["花名册编号"], question) for s, state, question in trip.sent if state == "applied"}
    assert {(p, r, q) for p, r, q, _ in told} == applied
    assert all(f"公安部门{ANSWERED_ON}核实（{roster}）" in cause for _, roster, _, cause in told)
    held = query(trip.register, "SELECT source_file, source_row, verified_by, run_id FROM verification_answer")
    assert {(f, r) for f, r, *_ in held} == {(s.file, s.row) for s, state, _ in trip.sent if state != "quarantined"}
    assert {(by, run) for *_, by, run in held} == {("核实员", "night-0003")}


def test_what_was_answered_is_what_the_register_says_now(trip):
    now = children(trip.register)
    listed = dict(query(trip.register, "SELECT person_id, verification FROM flowing_child"))
    for s, state, question in trip.sent:
        person = s.cells["人员编码"]
        if state not in ("applied", "confirmed") or person not in now:
            continue
        child, was = now[person], trip.before[person]
        match question:
            case "presence" if state == "confirmed":
                assert child["outcome"] == was["outcome"]
                assert listed.get(person) in ("属实", None)
            case "presence":
                assert child["residence_district"] != was["residence_district"]
            case "hukou":
                assert child["hukou_district"] == "500237"
            case "residence":
                assert (child["residence_district"], child["residence_township"]) == ("500118", "胜利路街道")
            case "name":
                assert child["name"] == "测小三"
                assert was["name"] in child["former_names"]
            case "birth_date":
                assert child["birth_date"] == date(2013, 5, 6)
            case "sex":
                assert child["sex"] == "female"
            case "guardian_phone":
                assert child["guardians"][0]["phone"] == "13912345670"
            case "guardian_name":
                assert child["guardians"][0]["name"] == "测监护"
                assert {g["name"] for g in was["guardians"]} <= {g["name"] for g in child["guardians"]}
            case "arrived_on":
                assert query(trip.register, "SELECT from_date FROM residence_episode WHERE person_id = ? AND is_current", person) == [(date(2026, 10, 1),)]
    assert set(now) == set(trip.before)


def test_no_value_of_a_child_stands_in_the_events_of_answers(trip):
    told = "".join(f"{a}{c}" for a, c in query(trip.register, "SELECT after, cause FROM ledger_event WHERE (after->>'answer') IS NOT NULL"))
    assert not [s.cells["更正内容"] for s, _, question in trip.sent if question in ("name", "guardian_name", "guardian_phone") and str(s.cells["更正内容"]).strip() in told]


def sheets(path: Path) -> dict[str, list[dict[str, str]]]:
    out = {}
    for sheet in openpyxl.load_workbook(path).worksheets[1:]:
        rows = [[str(c or "") for c in r] for r in sheet.iter_rows(values_only=True)]
        at = next(i for i, r in enumerate(rows) if len([c for c in r if c]) > 3) if len(rows) > 1 else 0
        out[sheet.title] = [dict(zip(rows[at], r, strict=True)) for r in rows[at + 1 :] if any(r)]
    return out


def test_the_workbook_for_civil_affairs_lists_every_unusable_answer_by_file_and_row(trip):
    (handout,) = write_verification(trip.register, trip.folder / "out", Sender("test", datetime.combine(BACK, datetime.min.time()), None))
    pages = sheets(trip.folder / "out" / handout.file)
    shown = {(r["来源文件"], int(r["行号"])): r["原因"] for r in pages["未采纳"]}
    assert set(shown) == {(s.file, s.row) for s, state, _ in trip.sent if state in UNUSED}
    assert all(why for (f, r), why in shown.items() if next(state for s, state, _ in trip.sent if (s.file, s.row) == (f, r)) != "waiting")
    assert {(r["来源文件"], int(r["行号"])) for r in pages["已采纳"]} == {(s.file, s.row) for s, state, _ in trip.sent if state == "applied"}


def test_later_nights_keep_what_was_answered_and_departments_that_differ_are_listed(trip, tmp_path):
    """The same night again adds nothing; the answers hold when their file is gone; another department's other word is put up, not taken."""
    city, register = trip.folder / "city", trip.register
    run_night(city, register, BACK, 4, BACK)
    assert query(register, "SELECT count(*) FROM ledger_event WHERE run_id = 'night-0004'") == [(0,)]
    named = next(s for s, _, question in trip.sent if question == "name")
    left = next(s for s, state, question in trip.sent if question == "presence" and state == "applied")
    shutil.rmtree(city / "inbox" / "verification")
    (city / "inbox" / "verification").mkdir()
    heads = ["花名册编号", "人员编码", "核实部门", "核实结果", "更正项目", "更正内容", "核实人", "核实日期"]
    told = [
        [named.cells["花名册编号"], named.cells["人员编码"], "教育", "信息有误", "姓名", "测另名", "教员", "2026-12-02"],
        [left.cells["花名册编号"], left.cells["人员编码"], "教育", "属实", None, None, "教员", "2026-12-02"],
    ]
    pl.DataFrame(told, schema=dict.fromkeys(heads, pl.String), orient="row").write_csv(city / "inbox" / "verification" / f"verification_{LATER:%Y%m%d}_教育.csv")
    run_night(city, register, LATER, 5, LATER)
    now = children(register)
    assert now[named.cells["人员编码"]]["name"] == "测小三"  # 公安 keeps names
    disputed = query(register, "SELECT person_id, question, department, state FROM v_verification_contradiction WHERE question IN ('name', 'presence') ORDER BY ALL")
    expected = {
        (named.cells["人员编码"], "name", "公安", "applied"), (named.cells["人员编码"], "name", "教育", "contradicted"),
        (left.cells["人员编码"], "presence", "公安", "contradicted"), (left.cells["人员编码"], "presence", "教育", "contradicted"),
    }  # fmt: skip
    assert expected <= set(disputed)
    (handout,) = write_verification(register, tmp_path, Sender("test", datetime.combine(LATER, datetime.min.time()), None))
    pages = sheets(tmp_path / handout.file)
    assert {(r["人员编码"], r["核实部门"]) for r in pages["部门间不一致"]} >= {(p, d) for p, _, d, _ in expected}
    # sent on the first night, due after fifteen days: all but the answered ones are overdue
    late = {(r["居住区县"], r["核实部门"]) for r in pages["逾期未反馈"]}
    assert ("两江新区", "民政") in late
    assert {r["应反馈日期"] for r in pages["逾期未反馈"]} == {(FIRST + timedelta(days=15)).isoformat()}
