"""Everything that goes out as a sheet comes back: filled in as departments would, taken in by the next night, found again in the register."""

import shutil
from pathlib import Path

import duckdb
import openpyxl
import pytest

from tests.journey.conftest import TINY, childflow, run

DAY = "2026-11-25"
LEFT_BEHIND = REFUSED = 0
NOBODY = "CAAAAAAAAAAAA"


def fill(path: Path, page: str, answers) -> None:
    """Type answers(number of the row, its cells by heading) into each row that has a number or a name; None leaves the row alone."""
    book = openpyxl.load_workbook(path)
    sheet = book[page]
    at = {cell.value: cell.column for cell in sheet[2]}
    for number, cells in enumerate(sheet.iter_rows(min_row=3)):
        for heading, value in (answers(number, {h: cells[c - 1].value for h, c in at.items()}) or {}).items():
            cells[at[heading] - 1].value = value
    book.save(path)


def surveyed(place):
    found = {"现住地区划": f"重庆市{place}", "在住情况": "在住", "监护情况": "父母一方", "家庭困难": "否", "摸排人": "冉启明", "摸排日期": DAY}
    return lambda number, row: found if row["摸排编号"] else None


@pytest.fixture(scope="module")
def returned(tiny_register, tiny_as_of, tmp_path_factory):
    """The register after a second night that took every sheet back, and what was written on them."""
    folder = tmp_path_factory.mktemp("sheets")
    register, inbox = folder / "register.duckdb", folder / "inbox"
    shutil.copy(tiny_register.resolve(), register)
    shutil.copytree(TINY / "inbox", inbox)
    for command in ("survey-sheets", "visit-sheets", "exchange", "national"):
        done = childflow(command, "--register", register, "--out", folder / command)
        assert done.code == 0, done.err
        assert done.out.strip().splitlines()[-1].startswith("Next: ")
    sheets = sorted((folder / "survey-sheets").glob("*.xlsx"))
    for path in sheets:
        _, quarter, *place = path.stem.split("_")
        fill(path, "摸排表", surveyed("".join(place).replace("乡镇不明", "")))
        shutil.copy(path, inbox / "survey" / f"survey_20261125_{quarter}_{'_'.join(place)}.xlsx")
    visits = sorted((folder / "visit-sheets").glob("*.xlsx"))
    (inbox / "visit").mkdir()
    for path in visits:
        fill(path, "走访表", lambda n, row: {"走访日期": DAY, "走访方式": "入户", "走访结果": "见到儿童", "走访人": "冉启明"})
        shutil.copy(path, inbox / "visit" / f"visit_20261125_{path.stem.split('_')[1]}.xlsx")
    (inbox / "visit" / "visit_20261125_打错.csv").write_text(f"人员编码,走访日期,走访结果,走访人\n{NOBODY},{DAY},见到儿童,冉启明\n", "utf-8")
    (inbox / "exchange_reply").mkdir()
    (notice,) = (folder / "exchange").glob("协查告知_四川省_*.xlsx")
    fill(notice, "协查名单", lambda n, row: {"核查结果": "属实", "当地登记类别": "留守儿童" if n == LEFT_BEHIND else "流动儿童", "答复日期": DAY})
    shutil.copy(notice, inbox / "exchange_reply" / "exchange_reply_20261125_四川省.xlsx")
    (inbox / "national_receipt").mkdir()
    (batch,) = (folder / "national").glob("*.xlsx")
    receipt = {True: {"处理结果": "退回", "退回原因": "证件号有误", "处理日期": DAY}, False: {"处理结果": "已录入", "全国系统编号": "N1", "处理日期": DAY}}
    fill(batch, "上报名单", lambda n, row: receipt[n == REFUSED] if n < 10 else None)
    shutil.copy(batch, inbox / "national_receipt" / "national_receipt_20261125_b1.xlsx")
    run(inbox, register, DAY)
    return register, folder


def rows(register, sql):
    with duckdb.connect(str(register.resolve()), read_only=True) as con:
        return con.execute(sql).fetchall()


def test_the_survey_sheets_are_taken_in_whole_and_the_quarter_is_done(returned):
    register, _ = returned
    told = rows(register, "SELECT sum(rows_in), sum(rows_accepted), sum(rows_quarantined), count(*) FROM feed_receipt WHERE feed = 'survey' AND source_file LIKE 'survey_20261125%'")
    with duckdb.connect(str(register.resolve()), read_only=True) as con:
        sheets = con.execute("SELECT count(*), sum(items) FROM export_log WHERE kind = 'survey'").fetchall()
    assert told == [(sheets[0][1], sheets[0][1], 0, sheets[0][0])]
    assert rows(register, "SELECT count(*) FROM survey_row WHERE quarter = '2026Q4'") == [(sheets[0][1],)]
    unknown = rows(register, "SELECT DISTINCT unnest(unknown_columns) AS heading FROM feed_receipt WHERE source_file LIKE 'survey_20261125%' ORDER BY 1")
    assert [u for (u,) in unknown] == sorted(["名单类别", "上次摸排日期", "来自部门"])


def test_a_surveyed_child_is_the_child_that_was_on_the_sheet(returned):
    register, _ = returned
    wrong = rows(register, "SELECT count(*) FROM survey_row WHERE quarter = '2026Q4' AND NOT contains((SELECT record_key FROM person_record r WHERE r.record_hash = survey_row.record_hash LIMIT 1), person_id)")
    ((all_rows,),) = rows(register, "SELECT count(*) FROM survey_row WHERE quarter = '2026Q4'")
    assert all_rows > 20
    assert wrong == [(0,)]
    assert rows(register, "SELECT count(*) FROM v_survey_child WHERE NOT is_done AND person_id IN (SELECT person_id FROM survey_row WHERE quarter = '2026Q4')") == [(0,)]


def test_the_visits_are_taken_in_and_move_the_plan(returned):
    register, _ = returned
    visited = rows(register, "SELECT person_id FROM visit WHERE visited_on = DATE '2026-11-25'")
    assert len(visited) >= 2
    assert rows(register, "SELECT count(*) FROM v_visit_due WHERE last_visit_on = DATE '2026-11-25'")[0][0] >= 2
    assert rows(register, "SELECT count(*) FROM v_visit_due WHERE is_overdue AND last_visit_on = DATE '2026-11-25'") == [(0,)]


def test_a_visit_to_a_code_that_nobody_ever_had_is_kept_and_told(returned):
    register, _ = returned
    assert rows(register, f"SELECT count(*) FROM visit WHERE person_id = '{NOBODY}'") == [(1,)]
    assert rows(register, "SELECT count(*) FROM visit WHERE person_id NOT IN (SELECT person_id FROM identity)") == [(1,)]
    book = openpyxl.load_workbook(register.with_name(f"{register.name}.d") / "out" / "verification" / f"核实情况_{DAY}.xlsx")
    (row,) = [row for row in book["其他表"].iter_rows(min_row=3, values_only=True) if NOBODY in row]
    assert row[1:3] == ("visit_20261125_打错.csv", "1") and row[3].startswith("人员编码不在登记库中")


def test_left_behind_there_and_migrant_here_is_a_mismatch(returned, tmp_path):
    register, _ = returned
    assert rows(register, "SELECT mismatch, count(*) FROM v_exchange_mismatch GROUP BY 1") == [("left_behind_there", 1)]
    ((person,),) = rows(register, "SELECT person_id FROM v_exchange_mismatch")
    done = childflow("exchange", "--register", register, "--out", tmp_path)
    assert done.code == 0, done.err
    book = openpyxl.load_workbook(tmp_path / "异地不一致_2026-11-25.xlsx")
    assert [r[1] for r in book["不一致清单"].iter_rows(min_row=3, values_only=True)] == [person]


def test_the_national_system_knows_what_it_was_told_and_what_it_answered(returned, tmp_path):
    register, _ = returned
    states = dict(rows(register, "SELECT state, count(*) FROM national_entry GROUP BY state"))
    assert states["refused"] + states["entered"] + states.get("changed", 0) >= 10
    assert rows(register, "SELECT count(*) FROM national_sent") == [(sum(n for s, n in states.items() if s != "new"),)]
    assert rows(register, "SELECT DISTINCT national_id, lag_days FROM national_entry WHERE state = 'entered'") == [("N1", 1)]
    assert rows(register, "SELECT DISTINCT reason FROM national_entry WHERE state = 'refused'") == [("证件号有误",)]
    done = childflow("national", "--register", register, "--out", tmp_path, "--csv")
    assert done.code == 0, done.err
    due = states.get("new", 0) + states.get("changed", 0)
    assert (f"{due:,} children in" in done.out) if due else ("Nothing to send" in done.out)
    again = childflow("national", "--register", register, "--out", tmp_path)
    assert again.out.splitlines()[-2:] == ["Nothing to send", "Next: there is nothing to enter; give the command again after the next run"]


def test_what_was_handed_out_is_logged_with_counts_and_no_name(returned):
    register, _ = returned
    kinds = dict(rows(register, "SELECT kind, count(*) FROM export_log GROUP BY kind"))
    assert {"survey", "visit", "exchange", "national"} <= set(kinds)
    names = {n for (n,) in rows(register, "SELECT name FROM person WHERE length(name) > 2")}
    text = repr(rows(register, "SELECT * FROM export_log"))
    assert not [n for n in names if n in text]
