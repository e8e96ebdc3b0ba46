"""Rosters: who is on whose, what each department may read, and that an answered one can come back."""

from __future__ import annotations

import hashlib
import io
import shutil
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msoffcrypto
import msoffcrypto.exceptions
import openpyxl
import polars as pl
import pytest
import yaml

from publish.handing import Sender, recall_log
from publish.kept import Kept
from publish.register import connect, publish, recall
from publish.roster_fields import _LAYOUT, FIELDS, Layout, RosterLayoutError
from publish.rosters import write_rosters
from schemas.exports.feeds import FEEDS
from schemas.exports.workbook import read_workbook
from schemas.tables.handout import EXPORT_LOG
from tests.publish.handouts_city import AS_OF, SENDER, child, seen_by, tables, write_register
from tests.publish.register_city import child as register_child
from tests.publish.register_city import moment, run_record, write_night

ID = "500116201503011239"
MASKED = "500116" + "*" * 12
SECRET = "哨兵心理依据"


def handed_out(tmp_path: Path, *children: dict[str, dict[str, Any]], **more: Any) -> dict[str, dict[str, dict[str, Any]]]:
    """By department: the rows of its rosters by person_id, as heading -> cell."""
    write_rosters(write_register(tmp_path / "register.duckdb", tables(children, **more)), tmp_path / "out", SENDER)
    return {d: by_person for d in (r.department for r in Layout.load().recipients) if (by_person := read(tmp_path / "out", d))}


def read(out: Path, department: str) -> dict[str, dict[str, Any]]:
    found = {}
    for path in sorted(out.glob(f"花名册_*_{department}_*.xlsx")):
        rows = list(openpyxl.load_workbook(path)["花名册"].iter_rows(min_row=2, values_only=True))
        found |= {row["人员编码"]: row for cells in rows[1:] for row in [dict(zip(rows[0], cells, strict=True))]}
    return found


def everything(path: Path) -> str:
    """All text of a workbook, whatever sheet or part of the package it lies in."""
    book = openpyxl.load_workbook(path)
    return "\n".join(str(v) for page in book for row in page.iter_rows(values_only=True) for v in row if v is not None) + str(book.properties)


@pytest.mark.parametrize(
    ("what", "given", "more", "expected"),
    [
        ("a pupil", {}, {}, "教育 公安 医保 疾控 民政"),
        ("a child of five in no school", {"birth_date": date(2021, 11, 24), "feeds": ["health"]}, {}, "公安 卫生健康 医保 疾控 民政"),
        ("a child of five in a kindergarten", {"birth_date": date(2021, 11, 24), "feeds": ["education"]}, {}, "教育 公安 卫生健康 医保 疾控 民政"),
        ("six today", {"birth_date": date(2020, 11, 24), "feeds": []}, {}, "教育 公安 卫生健康 医保 疾控 民政"),
        ("six tomorrow", {"birth_date": date(2020, 11, 25), "feeds": []}, {}, "公安 卫生健康 医保 疾控 民政"),
        ("seven today", {"birth_date": date(2019, 11, 24), "feeds": []}, {}, "教育 公安 医保 疾控 民政"),
        ("seven tomorrow", {"birth_date": date(2019, 11, 25), "feeds": []}, {}, "教育 公安 卫生健康 医保 疾控 民政"),
        ("disabled", {}, {"key_care": [{"person_id": "p1", "category": "disability"}]}, "教育 公安 医保 疾控 残联 民政"),
        ("known to the federation", {"feeds": ["disability"]}, {}, "教育 公安 医保 疾控 残联 民政"),
        ("in psychiatric need only", {}, {"key_care": [{"person_id": "p1", "category": "psych_behaviour"}]}, "教育 公安 医保 疾控 民政"),
        ("not flowing", {"outcome": "not_flowing"}, {}, ""),
        ("undetermined", {"outcome": "undetermined"}, {}, ""),
    ],
)
def test_a_child_is_on_the_rosters_of_those_whom_it_concerns(
    what: str, given: dict[str, Any], more: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    assert " ".join(handed_out(tmp_path, child("p1", **given), **more)) == expected, what


@pytest.mark.parametrize(
    ("what", "rows", "given", "shown"),
    [
        ("the department's own feed holds it", seen_by("education", "p1", ID), {}, ID),
        ("its key holds it (学籍号)", seen_by("education", "p1", None, key_id_number=ID), {}, ID),
        ("only another department's does", seen_by("health", "p1", ID), {}, MASKED),
        ("its row carries the guardian's", seen_by("education", "p1", "500116198503011230"), {}, MASKED),
        ("its row carries none", seen_by("education", "p1", None), {}, MASKED),
        ("the row that holds it is another child's", seen_by("education", "p2", ID), {}, MASKED),
        ("it holds the former number", seen_by("education", "p1", "500116201503011212"), {"former_id_numbers": ["500116201503011212"]}, MASKED),
        ("there is none", seen_by("education", "p1", None), {"id_number": None, "id_number_status": "absent"}, None),
    ],
)
def test_an_id_is_in_clear_only_for_a_department_that_holds_it(
    what: str, rows: dict[str, Any], given: dict[str, Any], shown: str | None, tmp_path: Path
) -> None:
    found = handed_out(tmp_path, child("p1", **given), **rows)
    assert found["教育"]["p1"]["身份证号"] == shown, what
    assert found["民政"]["p1"]["身份证号"] == given.get("id_number", ID)


def test_each_department_gets_its_fields_and_no_other(tmp_path: Path) -> None:
    write_rosters(write_register(tmp_path / "r.duckdb", tables([child("p1", birth_date=date(2020, 11, 1))])), tmp_path / "out", SENDER)
    answer = [c.heading for c in FEEDS["verification"].columns]
    for recipient in Layout.load().recipients:
        if recipient.department != "残联":
            (path,) = (tmp_path / "out").glob(f"*_{recipient.department}_*.xlsx")
            headings = [c.value for c in openpyxl.load_workbook(path)["花名册"][2]]
            assert headings == answer[:2] + [FIELDS[f].heading for f in recipient.fields] + answer[2:]


def test_what_psychiatric_need_rests_on_goes_to_civil_affairs_alone(tmp_path: Path) -> None:
    basis = [{"feed": "survey", "source_file": "s.csv", "source_row": 1, "says": SECRET}]
    care = [{"person_id": "p1", "category": c, "basis": basis} for c in ("psych_behaviour", "disability")]
    gaps = [
        {"person_id": "p1", "aspect": "发展保障", "item": item, "status": "missing", "department": d}
        for d in ("教育", "卫生健康", "残联")
        for item in ("心理健康服务", "义务教育")
    ]
    alerts = [
        {"alert_id": f"{title}{d}", "person_id": "p1", "title": title, "department": d, "state": "open", "is_restricted": title == "看护情况"}
        for d in ("教育", "残联")
        for title in ("看护情况", "适龄未在学")
    ] + [{"alert_id": "x", "person_id": "p1", "title": "已办结事项", "department": "教育", "state": "closed"}]
    handed_out(tmp_path, child("p1", birth_date=date(2020, 11, 1)), key_care=care, service_gap=gaps, alert=alerts)
    paths = sorted((tmp_path / "out").glob("*.xlsx"))
    assert len(paths) == 7
    for path in paths:
        text = everything(path)
        assert (SECRET in text) == (("民政") in path.name.split("_")[2]), path.name
        assert ("心理" in text) == ("民政" in path.name.split("_")[2]), path.name
        assert ("看护情况" in text) == ("民政" in path.name.split("_")[2]), path.name
        assert "已办结事项" not in text
    assert read(tmp_path / "out", "教育")["p1"]["请重点核实"] == "适龄未在学\n义务教育：未见享有"
    assert read(tmp_path / "out", "公安")["p1"]["请重点核实"] is None


def test_a_planted_id_is_on_no_roster_of_a_department_that_may_not_see_it(tmp_path: Path) -> None:
    guardian = [{"name": "哨兵监护人", "relation": "father", "id_number": "500116198503011230", "phone": "13900000001"}]
    handed_out(tmp_path, child("p1", birth_date=date(2020, 11, 1), guardians=guardian), **seen_by("health", "p1", ID))
    for path in (tmp_path / "out").glob("*.xlsx"):
        department, text = path.name.split("_")[2], everything(path)
        assert (ID in text) == (department in ("民政", "卫生健康")), department
        assert ("500116198503011230" in text) == (department == "民政"), department
        assert ("13900000001" in text) == (department in ("民政", "教育", "卫生健康", "疾控")), department
        assert ("哨兵监护人" in text) == (department != "医保"), department


def test_what_no_feed_can_show_is_not_asked_of_every_child(tmp_path: Path) -> None:
    gaps = [
        {"person_id": p, "aspect": "学有所教", "item": item, "status": status, "department": "教育"}
        for p, item, status in [("p1", "学前资助", "unknown"), ("p2", "学前资助", "unknown"), ("p1", "义务教育", "unknown"), ("p2", "义务教育", "has")]
    ]
    found = handed_out(tmp_path, child("p1"), child("p2"), service_gap=gaps)["教育"]
    assert (found["p1"]["请重点核实"], found["p2"]["请重点核实"]) == ("义务教育：情况不明", None)


@pytest.mark.parametrize(
    ("code", "written"),
    [("500116", "江津区几江街道"), ("511623", "四川省广安市邻水县几江街道"), ("511600", "四川省广安市几江街道"), ("510000", "四川省几江街道"),
     ("520302", "贵州省遵义市红花岗区几江街道"), ("999999", "999999几江街道"), (None, "几江街道")],
)  # fmt: skip
def test_a_place_is_written_as_people_write_it(code: str | None, written: str, tmp_path: Path) -> None:
    assert handed_out(tmp_path, child("p1", hukou_district=code))["公安"]["p1"]["户籍地"] == written


def test_children_are_parted_by_the_district_they_live_in(tmp_path: Path) -> None:
    register = write_register(tmp_path / "r.duckdb", tables([child("p1"), child("p2", residence_district="500116"), child("p3", residence_district="5001GX")]))
    written = write_rosters(register, tmp_path / "out", SENDER)
    assert [(w.file, w.number, w.items) for w in written if w.recipient == "民政"] == [
        ("花名册_江津区_民政_2026-11-24.xlsx", "HMC-20261124-500116-MZ", 1),
        ("花名册_两江新区_民政_2026-11-24.xlsx", "HMC-20261124-500157-MZ", 1),
        ("花名册_高新区_民政_2026-11-24.xlsx", "HMC-20261124-5001GX-MZ", 1),
    ]


def test_an_answered_roster_is_read_back_as_the_feed_verification(tmp_path: Path) -> None:
    written = write_rosters(write_register(tmp_path / "r.duckdb", tables([child("p1"), child("p2")])), tmp_path / "out", SENDER)
    for one in written:
        path = tmp_path / "out" / one.file
        book = openpyxl.load_workbook(path)
        page = book["花名册"]
        at = {c.value: c.column for c in page[2]}
        page.cell(3, at["核实结果"]).value, page.cell(3, at["核实日期"]).value = "属实", "2026-12-01"
        book.save(path)
        reading = read_workbook(path, FEEDS["verification"])
        assert not reading.layout.missing and not reading.layout.repeated
        assert reading.layout.unknown == list(one.fields)
        rows = pl.concat(reading.batches)
        first = {n: rows[f"c{i}"][0] for n, i in reading.layout.positions.items()}
        assert (first["roster_id"], first["department"], first["result"], first["verified_on"]) == (one.number, one.recipient, "属实", "2026-12-01")
        assert first["person_id"] == "p1"


def test_the_answers_are_chosen_from_drop_downs(tmp_path: Path) -> None:
    write_rosters(write_register(tmp_path / "r.duckdb", tables([child("p1")])), tmp_path / "out", SENDER)
    page = openpyxl.load_workbook(tmp_path / "out" / "花名册_两江新区_教育_2026-11-24.xlsx")["花名册"]
    headings = {c.column_letter: c.value for c in page[2]}
    lists = {headings[str(v.sqref)[0]]: v.formula1.strip('"').split(",") for v in page.data_validations.dataValidation}
    assert lists["核实结果"] == ["属实", "不属实", "已离开", "信息有误", "查无此人"]
    assert "身份证号" in lists["更正项目"]


def test_the_first_sheet_says_what_to_do_by_when(tmp_path: Path) -> None:
    write_rosters(write_register(tmp_path / "r.duckdb", tables([child("p1")])), tmp_path / "out", SENDER)
    book = openpyxl.load_workbook(tmp_path / "out" / "花名册_两江新区_公安_2026-11-24.xlsx")
    assert book.sheetnames == ["填写说明", "花名册"]
    text = "\n".join(str(c.value) for row in book["填写说明"].iter_rows() for c in row)
    for part in ("两江新区公安部门。共 1 名儿童，统计日期 2026-11-24", "2026年12月9日前", "属实、不属实、已离开、信息有误、查无此人", "verification_<8位日期如20261201>"):
        assert part in text


def log(register: Path) -> pl.DataFrame:
    return Kept(register, "export_log", EXPORT_LOG, ("sha256",)).rows()


def test_every_file_is_in_the_export_log_once_and_the_same_register_gives_the_same_bytes(tmp_path: Path) -> None:
    register = write_register(tmp_path / "r.duckdb", tables([child("p2"), child("p1")]))
    written = write_rosters(register, tmp_path / "a", SENDER)
    later = Sender("another", SENDER.at + timedelta(days=1))
    assert write_rosters(register, tmp_path / "b", later) == written
    rows = log(register)
    assert rows.height == len(written) == 5
    for row in rows.iter_rows(named=True):
        assert row["sha256"] == hashlib.sha256((tmp_path / "a" / row["file"]).read_bytes()).hexdigest()
        assert (row["items"], row["as_of"], row["district"], row["exported_by"], row["run_id"]) == (2, AS_OF, "500157", "test", "run1")
        assert row["fields"] == [FIELDS[f].heading for r in Layout.load().recipients if r.department == row["recipient"] for f in r.fields]
    assert ID not in repr(rows.to_dicts()) and "测" not in repr(rows.to_dicts())


def test_what_was_handed_out_is_in_the_next_nights_register_and_stays_there(tmp_path: Path) -> None:
    register = tmp_path / "register.duckdb"

    def logged_after_night(number: int) -> list[str]:
        recall(register, work := tmp_path / f"work-{number}")
        recall_log(register, work)
        publish(write_night(work, AS_OF, [register_child("p1")]), register, run_record(f"run-{number}", AS_OF, moment(number)))
        with connect(register) as con:
            return [f"{file} {run_id}" for file, run_id in con.execute("SELECT file, run_id FROM export_log ORDER BY ALL").fetchall()]

    assert logged_after_night(1) == []
    files = sorted(h.file for h in write_rosters(register, tmp_path / "out", SENDER))
    assert len(files) > 3
    assert logged_after_night(2) == [f"{f} run-1" for f in files]
    write_rosters(register, tmp_path / "out", SENDER)
    assert logged_after_night(3) == [f"{f} run-1" for f in files], "the same file is one entry"
    write_rosters(register, tmp_path / "out", Sender("next", SENDER.at + timedelta(days=1), "x"))
    assert logged_after_night(4) == sorted([f"{f} run-1" for f in files] + [f"{f} run-3" for f in files])
    shutil.rmtree(tmp_path / "register.duckdb.d" / "export_log")
    assert len(logged_after_night(5)) == 2 * len(files), "a register copied elsewhere still knows"


def test_a_password_locks_the_file_to_the_standard(tmp_path: Path) -> None:
    register = write_register(tmp_path / "r.duckdb", tables([child("p1")]))
    (plain, *_), (locked, *_) = write_rosters(register, tmp_path / "a", SENDER), write_rosters(register, tmp_path / "b", Sender("x", SENDER.at, "口令 Pass1"))
    assert (plain.is_encrypted, locked.is_encrypted) == (False, True)
    path = tmp_path / "b" / locked.file
    assert hashlib.sha256(path.read_bytes()).hexdigest() == locked.sha256
    assert not zipfile.is_zipfile(path)
    with path.open("rb") as stream:
        office = msoffcrypto.OfficeFile(stream)
        office.load_key(password="口令 Pass1", verify_password=True)
        opened = io.BytesIO()
        office.decrypt(opened, verify_integrity=True)
    assert opened.getvalue() == (tmp_path / "a" / plain.file).read_bytes()
    with path.open("rb") as stream, pytest.raises(msoffcrypto.exceptions.InvalidKeyError):
        msoffcrypto.OfficeFile(stream).load_key(password="another", verify_password=True)
    assert "Pass1" not in repr(Sender("x", SENDER.at, "Pass1"))


def test_a_register_without_flowing_children_hands_out_nothing(tmp_path: Path) -> None:
    register = write_register(tmp_path / "r.duckdb", {})
    assert write_rosters(register, tmp_path / "out", SENDER) == []
    assert not (tmp_path / "out").exists() and log(register).is_empty()


def changed(tmp_path: Path, path: str, value: object) -> Path:
    raw = yaml.safe_load(_LAYOUT.read_text(encoding="utf-8"))
    *way, last = path.split("/")
    at = raw
    for step in way:
        at = at[step]
    if value is None:
        del at[last]
    else:
        at[last] = value
    (tmp_path / "roster.yaml").write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    return tmp_path / "roster.yaml"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("reply_days", None, "roster.yaml, top level: missing: reply_days"),
        ("extra", 1, "roster.yaml, top level: not allowed: extra; allowed:"),
        ("departments/教育/fields", ["name", "diagnosis"], "departments/教育/fields: not allowed: diagnosis; allowed:"),
        ("departments/教育/fields", ["key_care_basis"], "departments/教育/fields: not allowed: key_care_basis"),
        ("departments/公安/fields", ["guardians"], "departments/公安/fields: not allowed: guardians"),
        ("departments/教育/id_number", "full", "departments/教育/id_number: not allowed: full; allowed: held"),
        ("departments/教育/phone", "all", "departments/教育/phone: not allowed: all; allowed: full, masked"),
        ("departments/教育/concerns", ["tall"], "departments/教育/concerns: not allowed: tall"),
        ("departments/教育/feeds", ["school"], "departments/教育/feeds: not allowed: school"),
        ("departments/教育/code", None, "departments/教育: missing: code"),
        ("conditions/enrolled", {"feed": "school"}, "conditions/enrolled/feed: not allowed: school"),
        ("conditions/enrolled", {"category": "poor"}, "conditions/enrolled/category: not allowed: poor"),
        ("conditions/enrolled", {"name": "x"}, "conditions/enrolled: not allowed: name; allowed: age_from, age_to, category, feed"),
    ],
)
def test_a_layout_that_cannot_be_used_says_where_and_what_was_allowed(path: str, value: object, message: str, tmp_path: Path) -> None:
    with pytest.raises(RosterLayoutError) as error:
        Layout.load(changed(tmp_path, path, value))
    assert message in str(error.value)
