"""Sheets for visits to key-care children (重点关爱儿童走访): who is to be visited by when, to fill in and send back.

Enters: the register. Leaves: `走访_<district>_<as_of>.xlsx`, most overdue first. It comes back through the optional input `visit`.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from publish.handing import Handout, Sender, Tray
from publish.reading import query, reading
from publish.words import CATEGORY_WORDS, RELATION_WORDS, SEXES, in_words
from publish.workbook import Notes, Sheet, SheetColumn
from schemas.exports.contract import Kind
from schemas.exports.feeds import FEEDS
from schemas.exports.visit import RESULTS, SITUATIONS

SHEET = "走访表"
PURPOSE = "重点关爱儿童走访探视"
_HEADINGS = {column.name: column.heading for column in FEEDS["visit"].columns}
_SHOWN = (
    SheetColumn("name", "姓名", 10), SheetColumn("sex", "性别", 5.5), SheetColumn("birth_date", "出生日期", 11.5), SheetColumn("residence", "现居住地", 18),
    SheetColumn("guardian", "监护人及电话", 24), SheetColumn("key_care", "重点关爱类别", 16), SheetColumn("last_visit_on", "上次走访日期", 11.5),
    SheetColumn("next_visit_due", "走访期限", 11.5), SheetColumn("days_overdue", "逾期天数", 6),
)  # fmt: skip
_WIDTHS = {"visited_on": 12, "way": 10, "result": 12, "situation": 22, "reported_on": 12, "still_needs_help": 8, "visited_by": 9, "remark": 36}


def write_visit_sheets(register: Path, out: Path, sender: Sender) -> list[Handout]:
    """Write a sheet for every district with a key-care child; returns what was written, by district."""
    with reading(register) as con:
        children = con.sql(query("visit_children")).pl()
    tray = Tray(register, out, sender)
    for place in children.partition_by("visited_by_district", maintain_order=True):
        district, name, as_of = place.select("visited_by_district", "visited_by_name", "as_of").row(0)
        name = name or "居住地不明"
        number = f"ZF-{as_of:%Y%m%d}-{district or '000000'}"
        rows = place.with_columns(pl.lit(number).alias("sheet_id"), *_cells())
        pages: list[Notes | Sheet] = [_notes(rows, name, as_of), Sheet(SHEET, f"{name}重点关爱儿童走访表　{as_of}", _columns(), rows.select(c.name for c in _known()), frozen=3)]
        shown = tuple(column.heading for column in _SHOWN)
        tray.workbook(Handout("visit", f"走访_{name}_{as_of}.xlsx", number, f"{name}民政", district, as_of, PURPOSE, rows.height, shown), pages)
    return tray.close()


def _known() -> tuple[SheetColumn, ...]:
    return (SheetColumn("sheet_id", _HEADINGS["sheet_id"], 20), SheetColumn("person_id", _HEADINGS["person_id"], 16), *_SHOWN)


def _columns() -> tuple[SheetColumn, ...]:
    answer = (column for column in FEEDS["visit"].columns if column.name in _WIDTHS)
    return (
        *_known(),
        *(SheetColumn(c.name, c.heading, _WIDTHS[c.name], ("是", "否") if c.kind is Kind.FLAG else c.codes, is_input=True) for c in answer),
    )


def _cells() -> list[pl.Expr]:
    one = pl.element().struct
    line = (one.field("name").fill_null("姓名不明"), in_words(one.field("relation"), RELATION_WORDS).fill_null(""), one.field("phone").fill_null(""))
    return [
        in_words(pl.col("sex"), SEXES),
        pl.col("guardians").list.eval(pl.concat_str(line, separator=" ").str.strip_chars()).list.join("\n").alias("guardian"),
        pl.col("categories").list.eval(in_words(pl.element(), CATEGORY_WORDS)).list.join("、").alias("key_care"),
        pl.when("is_overdue").then("days_overdue").alias("days_overdue"),
    ]


def _notes(rows: pl.DataFrame, name: str, as_of: date) -> Notes:
    late = int(rows["is_overdue"].sum())
    return Notes(
        "填写说明",
        f"{name}重点关爱儿童走访：填写说明",
        (
            ("发给谁", f"{name}民政部门、儿童督导员和儿童主任。共 {rows.height} 名儿童，其中逾期 {late} 名，统计日期 {as_of}。"),
            ("做什么", "请按“走访期限”上门走访，见到儿童本人，了解生活、监护和学习情况；期限早的在前，逾期的请立即安排。"),
            ("怎么填", f"在橙色标题列填写。“{_HEADINGS['result']}”选：{'、'.join(RESULTS)}；务必填写走访日期（如 {as_of}）和走访人。尚未走访的行留空，会退回下次再报。"),
            ("强制报告", f"发现下列情形的，第一时间向公安机关报告，并填写“{_HEADINGS['situation']}”和“{_HEADINGS['reported_on']}”：{'、'.join(SITUATIONS[1:])}。"),
            ("不要改动", f"请勿修改“{_HEADINGS['sheet_id']}”和“{_HEADINGS['person_id']}”两列及列标题。同一儿童走访多次的，复制该行，每行填一次。"),
            ("填好之后", f"改名为 visit_<8位日期如20261201>_{name}.xlsx，放入收件目录 visit，下一次运行时更新走访计划。"),
            ("保密要求", "本表含儿童个人信息，仅用于走访和关爱服务，不得转发、上传公共网络或用于其他目的；用后按规定保存或销毁。"),
        ),
    )
