"""What goes back to the departments: every quarantined row with its reasons and cells, as text that nothing takes for a formula."""

from __future__ import annotations

import openpyxl
import pytest

from publish import quarantine
from tests.publish.handouts_city import SENDER, write_register

RISKY = ["=1+1", "+86 138", "-5", "@x", "\t=2", "＝3", "=HYPERLINK(\"x\")"]


def cells(*pairs: tuple[str, str | None]) -> list[dict[str, str | None]]:
    return [{"heading": h, "value": v} for h, v in pairs]


def row(feed: str, number: int, original, reasons=("缺少“姓名”，该项必须填写",), file: str | None = None):
    return {"feed": feed, "source_file": file or f"{feed}_20261101.csv", "source_row": number, "reasons": ["x"], "reasons_zh": list(reasons), "original": original}


@pytest.fixture
def sent(tmp_path):
    """Writes a register and the workbooks; gives the sheets by workbook as rows of text."""

    def send(rows, files=()):
        register = write_register(tmp_path / "r.duckdb", {"quarantine": rows, "feed_receipt": files})
        paths = [tmp_path / "out" / h.file for h in quarantine.write_workbooks(register, tmp_path / "out", SENDER)]
        assert sorted(p.name for p in (tmp_path / "out").glob("*")) == sorted(p.name for p in paths)
        books = {p.name: openpyxl.load_workbook(p) for p in paths}
        return {name: {s.title: [[c.value for c in r] for r in s.iter_rows()] for s in book} for name, book in books.items()}

    return send


def table(sheet):
    """Headings and rows below the title."""
    at = next(i for i, r in enumerate(sheet) if r[0] in ("退回原因", "文件"))
    return sheet[at], sheet[at + 1 :]


def test_each_department_gets_its_rows_with_reasons_first_and_cells_under_their_headings(sent):
    books = sent(
        [
            row("education", 7, cells(("姓名", None), ("备注", "甲"), ("学籍号", "G1")), ("缺少“姓名”", "缺少“学籍号”")),
            row("education", 9, cells(("学籍号", "G2"), ("姓名", ""), ("另", "乙"))),
            row("household", 1, cells(("姓名", "测"))),
            row("residence", 2, cells(("姓名", "测"))),
        ]
    )
    assert list(books) == ["退回_公安_2026-11-24.xlsx", "退回_教育_2026-11-24.xlsx"]
    assert list(books["退回_公安_2026-11-24.xlsx"]) == ["说明", "户籍", "流动人口登记"]
    head, rows = table(books["退回_教育_2026-11-24.xlsx"]["学籍"])
    assert head == ["退回原因", "来源文件", "行号", "学籍号", "姓名", "另", "备注"]
    blank = {None: "", "": ""}
    assert [[blank.get(c, c) for c in r] for r in rows] == [
        ["缺少“姓名”；缺少“学籍号”", "education_20261101.csv", "7", "G1", "", "", "甲"],
        ["缺少“姓名”，该项必须填写", "education_20261101.csv", "9", "G2", "", "乙", ""],
    ]


def test_of_too_many_rows_some_with_each_reason_are_listed_and_all_are_counted(sent, monkeypatch):
    monkeypatch.setattr(quarantine, "LISTED", 3)
    many = [row("household", n, cells(("姓名", "测")), ("缺号码",)) for n in range(1, 8)]
    books = sent([*many, row("household", 9, cells(("姓名", "测")), ("缺姓名",)), row("residence", 1, cells(("姓名", "测")))])
    (book,) = books.values()
    assert [(r[0], r[2]) for r in table(book["户籍"])[1]] == [("缺号码", "1"), ("缺号码", "2"), ("缺姓名", "9")]
    (told,) = [r[1] for r in book["说明"] if r[0] == "退回内容"]
    assert told.startswith("未被接受的数据9行，未能读取的文件0个。行数太多，本表列出其中4行，每一种退回原因都有")


def test_files_that_could_not_be_read_are_listed_and_strays_go_to_the_host(sent):
    file = {"source_file": "health_20261101.csv", "sha256": "0", "state": "rejected", "message": "文件是空的"}
    stray = {"feed": "未知", "source_file": "x.csv", "sha256": "1", "state": "rejected", "message": "无法判断来源"}
    books = sent([], [file | {"feed": "health"}, stray, file | {"feed": "survey", "state": "accepted"}])
    assert {name: table(b["拒收文件"])[1] for name, b in books.items()} == {
        "退回_卫生健康_2026-11-24.xlsx": [["health_20261101.csv", "文件是空的"]],
        "退回_民政_2026-11-24.xlsx": [["x.csv", "无法判断来源"]],
    }


def test_nothing_turned_away_nothing_sent(sent):
    assert sent([]) == {}


@pytest.mark.parametrize("value", RISKY)
def test_no_cell_starts_a_formula(sent, tmp_path, value):
    sent([row("education", 1, cells((value, value), ("姓名", value)), (value,))])
    (path,) = (tmp_path / "out").glob("*.xlsx")
    page = openpyxl.load_workbook(path)["学籍"]
    for line in page.iter_rows():
        for cell in line:
            assert cell.data_type in ("s", "n") and (cell.value is None or cell.data_type == "s")
            assert not str(cell.value or "").lstrip().startswith(("=", "+", "@", "＝"))


def test_two_cells_of_one_heading_are_both_shown(sent):
    books = sent([row("education", 1, cells(("备注", "甲"), ("备注", "乙"), ("（无表头）", "丙"), ("（无表头）", "丁")))])
    head, rows = table(books["退回_教育_2026-11-24.xlsx"]["学籍"])
    assert dict(zip(head, rows[0], strict=True))["备注"] == "甲；乙"
    assert dict(zip(head, rows[0], strict=True))["（无表头）"] == "丙；丁"
