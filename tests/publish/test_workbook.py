"""The shared writer: every cell is text, no cell can start a formula, equal content gives equal bytes."""

from __future__ import annotations

import datetime as dt
import io
import tempfile
import zipfile
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publish.workbook import CELL_LIMIT, Notes, Sheet, SheetColumn, as_text, build_workbook, write_workbook

FORMULA_STARTS = tuple("=+-@\t\r＝＋－＠")


def sheet(values: list[str | None], **more: object) -> Sheet:
    return Sheet("名单", "测试", (SheetColumn("a", "甲"),), pl.DataFrame({"a": pl.Series(values, dtype=pl.String)}), **more)  # type: ignore[arg-type]


def cells(content: bytes, name: str = "名单") -> list[list[object]]:
    page = openpyxl.load_workbook(io.BytesIO(content))[name]
    assert not [c for row in page.iter_rows() for c in row if c.data_type == "f"]
    return [[c.value for c in row] for row in page.iter_rows(min_row=3)]


@pytest.mark.parametrize(
    ("as_it_came", "written"),
    [
        ("500106201503011234", "500106201503011234"),
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+86 13812345678", "'+86 13812345678"),
        ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
        ("@SUM(1)", "'@SUM(1)"),
        ("＝1＋1", "'＝1＋1"),
        ("－1", "'－1"),
        ("\t=1", "'\t=1"),
        ("  =1", "'  =1"),
        ("\r=1", "'\n=1"),
        ("\x01=1", "'=1"),
        ("-", "-"),
        ("－", "－"),
        ("", None),
        (None, None),
        ("a\x00b\x0bc", "abc"),
        ("第一行\r\n第二行", "第一行\n第二行"),
        ("䶮𬱖·买买提", "䶮𬱖·买买提"),
    ],
)
def test_a_cell_is_the_text_it_was_unless_it_could_start_a_formula(as_it_came: str | None, written: str | None) -> None:
    assert cells(build_workbook([sheet([as_it_came])])) == [[written]]


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=12))
def test_no_text_can_start_a_formula(value: str) -> None:
    text = as_text(pl.DataFrame({"a": [value]})).item()
    assert text.strip() in ("-", "－") or not text.lstrip(" \u3000\n").startswith(FORMULA_STARTS)


def test_values_are_written_as_people_write_them() -> None:
    frame = pl.DataFrame(
        {"day": [dt.date(2026, 11, 24), None], "flag": [True, False], "list": [["甲", "乙"], []], "number": [12, None], "null": [None, None]}
    )
    assert as_text(frame).rows() == [("2026-11-24", "是", "甲；乙", "12", ""), ("", "否", "", "", "")]


def test_a_text_beyond_the_limit_of_a_cell_is_cut_and_says_so() -> None:
    ((value,),) = cells(build_workbook([sheet(["长" * (CELL_LIMIT + 1)])]))
    assert isinstance(value, str)
    assert len(value) == CELL_LIMIT
    assert value.endswith("（内容过长，已截断）")


def test_rows_beyond_one_sheet_go_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publish.workbook.ROWS_PER_SHEET", 2)
    content = build_workbook([sheet(["1", "2", "3"], marks=pl.DataFrame({"a": [False, False, True]}))])
    assert cells(content) == [["1"], ["2"]]
    assert cells(content, "名单(2)") == [["3"]]
    assert openpyxl.load_workbook(io.BytesIO(content))["名单(2)"]["A3"].font.b


def test_equal_content_gives_equal_bytes_and_leaves_no_part_behind(tmp_path: Path) -> None:
    pages = [Notes("填写说明", "怎么填", (("一", "先看"),)), sheet(["1"])]
    first, second = write_workbook(tmp_path / "甲" / "a.xlsx", pages), write_workbook(tmp_path / "乙" / "a.xlsx", pages)
    assert first == second
    assert [p.name for p in (tmp_path / "甲").iterdir()] == ["a.xlsx"]


def test_no_cell_ever_lies_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "mkstemp", lambda *a, **k: pytest.fail("a temporary file was opened"))
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda *a, **k: pytest.fail("a temporary file was opened"))
    write_workbook(tmp_path / "a.xlsx", [sheet(["1"])])
    assert (tmp_path / "a.xlsx").stat().st_size > 0


def test_headings_stay_in_view_choices_drop_down_and_pages_repeat_the_headings() -> None:
    columns = (SheetColumn("a", "编号"), SheetColumn("r", "核实结果", choices=("属实", "不属实"), is_input=True))
    book = openpyxl.load_workbook(io.BytesIO(build_workbook([Sheet("名单", "题", columns, pl.DataFrame({"a": ["1", "2"]}), frozen=1)])))
    page = book["名单"]
    assert page.freeze_panes == "B3"
    assert [(str(v.sqref), v.formula1) for v in page.data_validations.dataValidation] == [("B3:B4", '"属实,不属实"')]
    assert page.page_setup.orientation == "landscape"
    assert page.print_title_rows == "$1:$2"
    assert page["A3"].number_format == page["B3"].number_format == "@"


def test_rows_are_shaded_in_turn_and_marks_are_bold() -> None:
    page = openpyxl.load_workbook(io.BytesIO(build_workbook([sheet(["1", "2"], marks=pl.DataFrame({"a": [True, False]}))])))["名单"]
    assert page["A3"].font.b and page["A3"].font.u and not page["A4"].font.b
    assert page["A3"].fill.fgColor.rgb != page["A4"].fill.fgColor.rgb


def test_a_sheet_without_rows_still_has_its_headings() -> None:
    page = openpyxl.load_workbook(io.BytesIO(build_workbook([sheet([])])))["名单"]
    assert (page["A1"].value, page["A2"].value, page.max_row) == ("测试", "甲", 2)


@pytest.mark.parametrize(
    ("pages", "message"),
    [
        ([sheet([]), sheet([])], "two sheets of one name: 名单, 名单"),
        ([Notes("a/b", "", ())], "not a sheet name: 'a/b'"),
        ([Notes("", "", ())], "not a sheet name: ''"),
        ([Notes("字" * 28, "", ())], "1 to 27 characters"),
        ([Sheet("名单", "", (SheetColumn("a", "甲", choices=("字" * 256,)),), pl.DataFrame({"a": [""]}))], "the drop-down of 甲 is longer than the 255"),
    ],
)
def test_what_no_spreadsheet_program_would_open_is_refused(pages: list[Notes | Sheet], message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", "\\(").replace("[", "\\[")):
        build_workbook(pages)


def test_the_file_says_nothing_of_when_it_was_written() -> None:
    with zipfile.ZipFile(io.BytesIO(build_workbook([sheet(["1"])]))) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"2024-11-01T00:00:00Z" in archive.read("docProps/core.xml")


@pytest.mark.parametrize(("width", "paper", "across", "repeated"), [(100, 9, 1, None), (300, 8, 1, None), (400, 8, 2, "$A:$A"), (800, 8, 3, "$A:$A")])
def test_a_sheet_is_printed_so_wide_that_it_can_be_read(width: int, paper: int, across: int, repeated: str | None) -> None:
    page = Sheet("名单", "测试", (SheetColumn("a", "甲", 20), SheetColumn("b", "乙", width - 20)), pl.DataFrame({"a": ["1"]}))
    made = openpyxl.load_workbook(io.BytesIO(build_workbook([page])))["名单"]
    assert (int(made.page_setup.paperSize), made.page_setup.fitToWidth or 1, made.print_title_cols, made.print_title_rows) == (paper, across, repeated, "$1:$2")
