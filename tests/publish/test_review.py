"""Possible matches out and decisions back in: nothing a clerk types breaks it, nothing unusable is taken, everything untaken is named by row."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from flows.doctor import examine
from publish.kept import KeptUnreadableError
from publish.register import recall
from publish.review import Imported, WorkbookUnusableError, export_workbook, import_decisions, recall_decisions
from schemas.tables.pair import REVIEW_QUEUE
from tests.publish.handouts_city import SENDER, child, tables, write_register

COMPARISONS = [
    {"comparison": "name", "level": "exact", "phrase": "姓名相同", "weight": 8.24},
    {"comparison": "guardian", "level": "same", "phrase": "监护人相同", "weight": 9.0},
    {"comparison": "sex", "level": "differs", "phrase": "性别不同", "weight": -5.2},
    {"comparison": "phone", "level": "unknown", "phrase": "电话不明", "weight": 0.0},
]


def pair(number: int, left: str = "p1", right: str = "p2", **more: Any) -> dict[str, Any]:
    return {
        "pair_id": f"R{number}", "left": left, "right": right, "match_weight": 1.0, "match_probability": 0.7, "cause": "twins", "gain": 1.0,
        "comparisons": COMPARISONS, "left_records": [10 + number], "right_records": [20 + number], "left_keys": ["education:G1"], "right_keys": [],
        "left_record": 1, "right_record": 2,
    } | more  # fmt: skip


def city(tmp_path: Path, *pairs: dict[str, Any], **more: Any) -> Path:
    children = [
        child("p1", sex="male", phones=["13812345678", "13900000001"]),
        child("p2", sex="female", name="测p1", phones=["13900000001"], birth_date=date(2015, 3, 2), outcome="not_flowing", guardians=[]),
        child("p3", outcome="not_flowing"),
        child("p4", outcome="not_flowing"),
    ]
    return write_register(tmp_path / "register.duckdb", tables(children, review_queue=list(pairs), **more))


def exported(tmp_path: Path, *pairs: dict[str, Any], **more: Any) -> tuple[Path, list[dict[str, Any]]]:
    out = tmp_path / "review.xlsx"
    export_workbook(city(tmp_path, *pairs, **more), out, SENDER)
    rows = list(openpyxl.load_workbook(out)["待核对名单"].iter_rows(min_row=2, values_only=True))
    return out, [dict(zip(rows[0], cells, strict=True)) for cells in rows[1:]]


def filled(path: Path, *answers: dict[str, Any]) -> Path:
    """The workbook with these cells typed in; `row` is the spreadsheet's own number."""
    book = openpyxl.load_workbook(path)
    page = book["待核对名单"]
    at = {cell.value: cell.column for cell in page[2]}
    for answer in answers:
        for heading, value in answer.items():
            if heading != "row":
                page.cell(answer["row"], at[heading]).value = value
    book.save(path)
    return path


def answer(row: int, decision: Any = "同一人", by: Any = "核对员", on: Any = "2026-12-01", **more: Any) -> dict[str, Any]:
    return {"row": row, "核对结论": decision, "核对人": by, "核对日期": on} | more


def recalled(tmp_path: Path, *, empty: bool = False) -> pl.DataFrame:
    """What the next run finds in the queue it is handed: the pairs that somebody decided."""
    register, work = tmp_path / "register.duckdb", tmp_path / "work"
    recall(register, work)
    if empty:
        REVIEW_QUEUE.empty().write_parquet(work / "previous" / "review_queue.parquet")
    recall_decisions(register, work)
    queue = pl.read_parquet(work / "previous" / "review_queue.parquet")
    assert queue.schema == REVIEW_QUEUE.schema
    return queue.filter(pl.col("decision").is_not_null())


def test_a_pair_stands_in_two_rows_one_above_the_other(tmp_path: Path) -> None:
    _, (left, right) = exported(tmp_path, pair(1))
    assert (left["核对编号"], left["一方"], right["核对编号"], right["一方"]) == ("R1", "甲", "R1", "乙")
    assert (left["性别"], right["性别"]) == ("男", "女")
    assert left["身份证号（遮盖）"] == "500116********1239"
    assert left["监护人"] == "测父 父亲 13812345678"
    assert left["户籍地"] == "江津区几江街道"
    assert left["目前认定"] == "流动儿童"
    assert left["把握"] == "70%\n疑似多胞胎"
    assert right["把握"] is None
    headings = [h for h in left if h.startswith("比较依据")]
    assert (left[headings[0]], right[headings[0]]) == ("监护人相同（+9.0）\n姓名相同（+8.2）", "性别不同（−5.2）")


def test_what_differs_catches_the_eye_and_what_is_missing_does_not(tmp_path: Path) -> None:
    out, _ = exported(tmp_path, pair(1))
    page = openpyxl.load_workbook(out)["待核对名单"]
    headings = {c.column: c.value for c in page[2]}
    for row in (3, 4):
        assert {headings[c.column] for c in page[row] if c.font.b} == {"性别", "出生日期"}


def test_pairs_that_decide_most_come_first(tmp_path: Path) -> None:
    care = [{"person_id": "p4", "category": "vagrancy"}]
    _, rows = exported(
        tmp_path,
        pair(1, "p3", "p3", gain=9.0),
        pair(2, "p3", "p3", gain=9.0, match_probability=0.55),
        pair(3, "p3", "p4", gain=1.0),
        pair(4, "p1", "p2", gain=2.0),
        pair(5, "p3", "p2", gain=99.0, decision="different", decided_by="某", decided_on=date(2026, 1, 1)),
        pair(6, "p3", "p2", gain=0.5, decision="unsure", decided_by="某", decided_on=date(2026, 1, 1)),
        key_care=care,
    )
    assert [r["核对编号"] for r in rows[::2]] == ["R4", "R3", "R2", "R1", "R6"]
    assert rows[-2]["核对结论"] == "不确定"


def test_a_side_whose_person_was_merged_since_is_shown_as_the_person_its_record_has_now(tmp_path: Path) -> None:
    link = {"feed": "survey", "source_file": "s.csv", "source_row": 1, "record_hash": 7, "person_id": "p1"}
    _, (left, _) = exported(tmp_path, pair(1, "gone", "p2", left_record=7), person_record=[link])
    assert left["姓名"] == "测p1"


def test_an_empty_queue_gives_a_workbook_without_rows(tmp_path: Path) -> None:
    assert export_workbook(city(tmp_path), tmp_path / "review.xlsx", SENDER) == 0


def test_decisions_are_taken_in_and_found_by_the_next_run(tmp_path: Path) -> None:
    out, _ = exported(tmp_path, pair(1), pair(2, "p3", "p4"), pair(3, "p1", "p3"))
    # pair R1 is answered on its first row, R2 on its second, R3 is left open
    rows = {row["核对编号"]: at for at, row in enumerate(sheet_rows(out), start=3)}
    filled(out, answer(rows["R1"] - 1, "同一人", 备注="看过户口本"), answer(rows["R2"], "不同人", by=" 核对员 ", on=datetime(2026, 12, 2)))  # noqa: DTZ001
    assert import_decisions(out, tmp_path / "register.duckdb") == Imported(2, 0, ())
    found = recalled(tmp_path)
    assert found.select("pair_id", "decision", "decided_by", "decided_on").rows() == [
        ("R1", "same", "核对员", date(2026, 12, 1)),
        ("R2", "different", "核对员", date(2026, 12, 2)),
    ]
    (kept,) = (tmp_path / "register.duckdb.d" / "decisions").iterdir()
    assert pl.read_parquet(kept).select("pair_id", "remark", "source_file", "source_row").rows() == [
        ("R1", "看过户口本", "review.xlsx", rows["R1"] - 1),
        ("R2", None, "review.xlsx", rows["R2"]),
    ]


def test_a_decision_outlives_the_queue_it_was_made_in(tmp_path: Path) -> None:
    out, _ = exported(tmp_path, pair(1))
    import_decisions(filled(out, answer(3)), tmp_path / "register.duckdb")
    found = recalled(tmp_path, empty=True)
    assert found.select("pair_id", "decision", "left", "right", "left_records", "right_records", "left_record", "left_keys").row(0) == (
        "R1", "same", "p1", "p2", [11], [21], 11, ["education:G1"],
    )  # fmt: skip


def sheet_rows(path: Path) -> list[dict[str, Any]]:
    rows = list(openpyxl.load_workbook(path)["待核对名单"].iter_rows(min_row=2, values_only=True))
    return [dict(zip(rows[0], cells, strict=True)) for cells in rows[1:]]


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        (answer(3, "是"), "核对结论只能是：同一人、不同人、不确定"),
        (answer(3, None), "缺核对结论"),
        (answer(3, None, None, None, 备注="问过学校，再核实"), "缺核对结论；缺核对人；缺核对日期"),
        (answer(3, by=None), "缺核对人"),
        (answer(3, by="   "), "缺核对人"),
        (answer(3, on=None), "缺核对日期"),
        (answer(3, on="昨天"), "核对日期看不懂，应如 2026-12-01"),
        (answer(3, on="2026-02-30"), "核对日期看不懂，应如 2026-12-01"),
        (answer(3, on="2026-12"), "核对日期看不懂，应如 2026-12-01"),
        (answer(3, by=None, on=None), "缺核对人；缺核对日期"),
        (answer(3, 核对编号="R999"), "核对编号不在登记库的核对名单中（可能已合并或编号有误），请重新导出后核对"),
        (answer(3, 核对编号=None), "缺核对编号"),
        (answer(3, "张三（手机13812345678）", 核对编号="R0"), "核对编号不在登记库的核对名单中（可能已合并或编号有误），请重新导出后核对；核对结论只能是：同一人、不同人、不确定"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_with_its_faults_and_the_others_are_taken(typed: dict[str, Any], problem: str, tmp_path: Path) -> None:
    out, _ = exported(tmp_path, pair(1), pair(2, "p3", "p4"))
    filled(out, typed, answer(5, "不确定"))
    taken = import_decisions(out, tmp_path / "register.duckdb")
    assert taken == Imported(1, 0, (f"review.xlsx 第 3 行：{problem}。",))
    assert recalled(tmp_path)["pair_id"].to_list() == ["R2"]


def test_contradicting_rows_of_one_pair_are_both_refused(tmp_path: Path) -> None:
    out, _ = exported(tmp_path, pair(1), pair(2, "p3", "p4"))
    filled(out, answer(3, "同一人"), answer(4, "不同人"), answer(5, "同一人"), answer(6, "同一人", by="另一人"))
    assert import_decisions(out, tmp_path / "register.duckdb") == Imported(
        1, 0,
        (
            "review.xlsx 第 3 行：核对编号与第 4 行相同而结论不同，均未采纳，请只保留一个结论。",
            "review.xlsx 第 4 行：核对编号与第 3 行相同而结论不同，均未采纳，请只保留一个结论。",
        ),
    )  # fmt: skip
    assert recalled(tmp_path).select("pair_id", "decided_by").rows() == [("R2", "核对员")]


@pytest.mark.parametrize("row", [3, 4])
def test_a_pair_that_was_left_unsure_is_decided_by_filling_in_either_of_its_rows(row: int, tmp_path: Path) -> None:
    out, shown = exported(tmp_path, pair(1, decision="unsure", decided_by="核对员", decided_on=date(2026, 11, 25)))
    assert [cells["核对结论"] for cells in shown] == ["不确定", "不确定"]
    assert import_decisions(filled(out, answer(row, "不同人")), tmp_path / "register.duckdb") == Imported(1, 0, ())
    assert recalled(tmp_path).select("pair_id", "decision", "decided_on").rows() == [("R1", "different", date(2026, 12, 1))]


@pytest.mark.parametrize("day", ["2026-12-01", "2026/12/1", "2026.12.1", "2026年12月1日", "20261201", 20261201, 46357, "2026-12-01 09:30", "'2026-12-01", date(2026, 12, 1)])
def test_a_day_may_be_written_in_any_usual_way(day: Any, tmp_path: Path) -> None:
    out, _ = exported(tmp_path, pair(1))
    assert import_decisions(filled(out, answer(3, on=day)), tmp_path / "register.duckdb").accepted == 1
    assert recalled(tmp_path)["decided_on"].item() == date(2026, 12, 1)


@pytest.mark.parametrize("changed", [3, 4])
def test_of_a_pair_that_was_handed_out_with_its_decision_the_row_that_was_changed_counts(tmp_path: Path, changed: int) -> None:
    """Both rows of an unsure pair come filled in; a clerk need fill in one."""
    out, _ = exported(tmp_path, pair(1, decision="unsure", decided_by="核对员", decided_on=date(2026, 11, 20)))
    assert import_decisions(filled(out, answer(changed, "同一人")), tmp_path / "register.duckdb") == Imported(1, 0, ())
    assert recalled(tmp_path)["decision"].to_list() == ["same"]


@pytest.mark.parametrize("left", [b"", b"PAR1 half"])
def test_decisions_that_a_dying_machine_left_damaged_are_named_with_the_way_back_and_the_later_ones_stand_without_them(left: bytes, tmp_path: Path) -> None:
    out, _ = exported(tmp_path, pair(1), pair(2))
    for row, word in ((3, "同一人"), (3, "不同人"), (5, "同一人")):
        import_decisions(filled(out, {"row": row, "核对结论": word, "核对人": "王核", "核对日期": "2026-11-24"}), tmp_path / "register.duckdb")
    first, second, third = sorted((tmp_path / "register.duckdb.d" / "decisions").iterdir())
    assert [file.name[:7] for file in (first, second, third)] == ["000001-", "000002-", "000003-"]
    first.write_bytes(left)
    recall(tmp_path / "register.duckdb", tmp_path / "work")
    with pytest.raises(KeptUnreadableError, match=f"{first.name} is damaged, and it is kept for good: put it back from a backup. Without one move it away"):
        recall_decisions(tmp_path / "register.duckdb", tmp_path / "work")
    (stop,) = (f.said for f in examine(tmp_path, tmp_path / "register.duckdb", date(2026, 11, 24)) if f.subject == "register" and f.state == "stop")
    assert f"{first.name} is damaged" in stop
    first.unlink()
    assert import_decisions(filled(out, {"row": 3, "核对结论": "同一人", "核对人": "王核", "核对日期": "2026-11-25"}), tmp_path / "register.duckdb").accepted == 1
    recall_decisions(tmp_path / "register.duckdb", tmp_path / "work")
    assert dict(pl.read_parquet(tmp_path / "work" / "previous" / "review_queue.parquet").select("pair_id", "decision").iter_rows()) == {"R1": "same", "R2": "same"}


def test_the_same_workbook_twice_adds_nothing_and_a_later_decision_counts(tmp_path: Path) -> None:
    out, _ = exported(tmp_path, pair(1))
    register = tmp_path / "register.duckdb"
    assert import_decisions(filled(out, answer(3, "同一人")), register) == Imported(1, 0, ())
    assert import_decisions(out, register) == Imported(0, 1, ())
    assert import_decisions(filled(out, answer(3, "不同人", on="2026-12-05")), register) == Imported(1, 0, ())
    assert recalled(tmp_path).select("pair_id", "decision").rows() == [("R1", "different")]
    store = tmp_path / "register.duckdb.d" / "decisions"
    assert [pl.read_parquet(f)["decision"].item() for f in sorted(store.iterdir())] == ["same", "different"]


def test_rows_may_be_reordered_columns_moved_and_title_rows_added(tmp_path: Path) -> None:
    out, _ = exported(tmp_path, pair(1), pair(2, "p3", "p4"))
    book = openpyxl.Workbook()
    page = book.active
    for row in (["某区"], [], ["核对日期（必填）", "核对 人", "核对\n结论【必选】", "＊核对编号"], ["2026-12-01", "甲", "不确定", "R2"], ["2026-12-01", "甲", "同一人", "R1"]):
        page.append(row)
    book.save(out)
    assert import_decisions(out, tmp_path / "register.duckdb").accepted == 2
    assert recalled(tmp_path)["decision"].to_list() == ["same", "unsure"]


def test_what_is_filled_in_on_a_copy_of_the_sheet_is_said_not_to_be_read(tmp_path: Path) -> None:
    out, _ = exported(tmp_path, pair(1), pair(2, "p3", "p4"))
    filled(out, answer(3))
    book = openpyxl.load_workbook(out)
    book.copy_worksheet(book["待核对名单"]).title = "副本"
    book.save(out)
    assert import_decisions(out, tmp_path / "register.duckdb") == Imported(
        1, 0, ("review.xlsx 工作表“副本”：其中填写的内容未读取，只读取第一张有列标题的工作表；请移到那里，或单独另存为一个文件再导入。",)
    )


def test_without_decisions_the_next_run_finds_the_queue_as_it_was(tmp_path: Path) -> None:
    city(tmp_path, pair(1))
    assert recalled(tmp_path).height == 0
    assert pl.read_parquet(tmp_path / "work" / "previous" / "review_queue.parquet")["pair_id"].to_list() == ["R1"]


def test_a_workbook_that_comes_back_locked_is_said_to_be(tmp_path: Path) -> None:
    out = tmp_path / "review.xlsx"
    register = city(tmp_path, pair(1))
    export_workbook(register, out, replace(SENDER, password="secret"))
    with pytest.raises(WorkbookUnusableError) as error:
        import_decisions(out, register)
    assert str(error.value) == "review.xlsx：工作簿设有密码，不能读取。请取消密码，另存为 xlsx 后再导入。"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not a workbook", "review.xlsx：打不开，不是 xlsx 工作簿"),
        (b"", "review.xlsx：打不开，不是 xlsx 工作簿"),
        (None, "review.xlsx：没有找到同时含有 核对编号、核对结论、核对人、核对日期 这几列的工作表"),
    ],
)
def test_a_file_that_is_no_review_workbook_is_said_to_be_none(content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "review.xlsx"
    if content is None:
        openpyxl.Workbook().save(path)
    else:
        path.write_bytes(content)
    with pytest.raises(WorkbookUnusableError) as error:
        import_decisions(path, city(tmp_path))
    assert message in str(error.value)


def test_a_stray_blank_in_the_last_cell_is_said_and_does_not_take_all_memory(tmp_path: Path) -> None:
    out, register = exported(tmp_path, pair(1))
    book = openpyxl.load_workbook(out)
    book["待核对名单"].cell(1_048_576, 16_384).value = " "
    book.save(out)
    with pytest.raises(WorkbookUnusableError, match=r"^review.xlsx：工作表的内容远至第1048576行、XFD列，范围过大，不能读取；请删除数据区以外的零散内容（空格也算），另存为.xlsx后重新报送。$"):
        import_decisions(out, register)
