"""Sheets of the quarterly survey (季度摸排): per town, and village where it is known, the children to look for.

Enters: the register. Leaves: `摸排_<quarter>_<district>_<town>[_<village>].xlsx` under the headings of the feed `survey`, through which it comes back:
a row without a place is a child nobody looked for, and intake sends it back instead of taking it for a sighting.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from publish.handing import Handout, Sender, Tray
from publish.reading import newest_run, query, reading
from publish.words import FEED_WORDS, RELATION_WORDS, SEXES, in_words
from publish.workbook import Notes, Sheet, SheetColumn
from schemas.exports.contract import Column, Kind
from schemas.exports.feeds import FEEDS

BLANK_ROWS = 10  # for children whom nobody knew
SHEET = "摸排表"
PURPOSE = "季度摸排：核对在住情况、监护情况和困难需求"
STANDINGS = {"known": "已在名单", "newly_seen": "部门新发现", "not_seen_since": "近期未见"}
_BEFORE = (SheetColumn("standing", "名单类别", 10), SheetColumn("last_surveyed_on", "上次摸排日期", 11.5), SheetColumn("known_to", "来自部门", 16))
# what a sheet says of a child when it goes out
FILLED = (
    "record_key", "quarter", "name", "sex", "birth_date", "id_number", "hukou_division", "address", "father_name", "father_phone", "mother_name",
    "mother_phone", "guardian_name", "guardian_relation", "guardian_phone",
)  # fmt: skip
_WIDTHS = {"record_key": 24, "id_number": 20, "birth_date": 11.5, "hukou_division": 18, "residence_division": 18, "address": 30, "hukou_address": 20, "help_wanted": 18}
_GROUP = ["residence_district", "residence_township", "village"]


def write_survey_sheets(register: Path, out: Path, sender: Sender) -> list[Handout]:
    """Write a sheet for every town or village with a child whom the quarter's survey has not seen; returns what was written, by place."""
    _, as_of = newest_run(register)
    with reading(register) as con:
        children = con.sql(query("survey_children")).pl()
    tray = Tray(register, out, sender)
    for place in children.with_columns(_cells()).partition_by(_GROUP, maintain_order=True):
        first = place.row(0, named=True)
        parts = [first["district_name"] or first["residence_district"], first["residence_township"] or "乡镇不明", *([first["village"]] if first["village"] else [])]
        number = f"MP-{first['quarter']}-{first['residence_district']}-{'-'.join(parts[1:])}"
        file = f"摸排_{first['quarter']}_{'_'.join(parts)}.xlsx"
        title = f"{''.join(parts)}流动儿童摸排表　{first['quarter']}"
        columns = _columns(first["residence"])
        shown = tuple(column.heading for column in columns if not column.is_input)
        pages: list[Notes | Sheet] = [_notes(place, parts), Sheet(SHEET, title, columns, _with_blank_rows(place), frozen=6)]
        tray.workbook(Handout("survey", file, number, f"{''.join(parts)}民政", first["residence_district"], as_of, PURPOSE, place.height, shown), pages)
    return tray.close()


def _columns(residence: str) -> tuple[SheetColumn, ...]:
    """What the register knows of the row, then every heading of the feed."""
    return (*_BEFORE, *(_column(column, residence) for column in FEEDS["survey"].columns))


def _column(column: Column, residence: str) -> SheetColumn:
    choices, is_open = column.codes, False
    if column.name == "residence_division":
        choices, is_open = (residence,), True
    elif column.kind is Kind.FLAG:
        choices = ("是", "否")
    return SheetColumn(column.name, column.heading, _WIDTHS.get(column.name), choices, is_input=column.name not in FILLED, is_open=is_open)


def _cells() -> list[pl.Expr]:
    """The cells filled in beforehand, by the feed's names; the names of the query give way to them."""
    return [
        in_words(pl.col("standing"), STANDINGS),
        pl.col("feeds").list.eval(in_words(pl.element(), FEED_WORDS)).list.join("、").alias("known_to"),
        pl.concat_str(pl.lit("MP"), "quarter", "person_id").alias("record_key"),
        in_words(pl.col("sex"), SEXES),
        pl.col("hukou").replace("", None).alias("hukou_division"),
        *_relative("father", "father", with_relation=False),
        *_relative("mother", "mother", with_relation=False),
        *_relative("guardian", None, with_relation=True),
    ]


def _relative(name: str, relation: str | None, *, with_relation: bool) -> list[pl.Expr]:
    """Name and phone of the first relative of that kind; without a kind, of the first who is neither parent."""
    one = pl.element().struct.field("relation")
    kept = (one == relation) if relation else ~one.is_in(["father", "mother"])
    first = pl.col("guardians").list.eval(pl.element().filter(kept)).list.first().struct
    cells = [first.field("name").alias(f"{name}_name"), first.field("phone").alias(f"{name}_phone")]
    return [*cells, in_words(first.field("relation"), RELATION_WORDS).alias(f"{name}_relation")] if with_relation else cells


def _with_blank_rows(place: pl.DataFrame) -> pl.DataFrame:
    rows = place.select(*(c.name for c in _BEFORE), *FILLED)
    return pl.concat([rows, pl.DataFrame({"standing": [None] * BLANK_ROWS}, schema={"standing": pl.String})], how="diagonal")


def _notes(place: pl.DataFrame, parts: list[str]) -> Notes:
    first, name = place.row(0, named=True), "".join(parts)
    due, key = first["due_on"], f"MP{first['quarter']}{first['residence_district']}"
    tally = dict(place.group_by("standing").len().iter_rows())
    told = "、".join(f"{word}{tally[word]}人" for word in STANDINGS.values() if word in tally)
    return Notes(
        "填写说明",
        f"{name}流动儿童季度摸排（{first['quarter']}）：填写说明",
        (
            ("发给谁", f"{name}的儿童督导员、儿童主任。名单上共 {place.height} 名儿童：{told}。"),
            ("做什么", "请逐户走访，核对儿童是否在住、由谁照料、有无困难。“部门新发现”是有关部门登记而摸排从未见过的，“近期未见”是半年内没有任何部门确认的，请优先核实。"),
            ("何时完成", f"请于 {due.year}年{due.month}月{due.day}日前完成并送回。整个季度都没有摸排的，列为逾期。"),
            ("怎么填", "在橙色标题列填写。见到儿童的，“在住情况”选“在住”，“现住地区划”选本乡镇；已搬走的选“已迁往他处”，并写明搬到的区县和乡镇；回到户籍地的选“已返回户籍地”，“现住地区划”填本乡镇。务必填写摸排人和摸排日期。"),
            ("内容有误", "蓝色标题列是各部门登记的内容，与实际不符的请直接改正；“摸排编号”不要改动。"),
            ("没有找到的", "没有走访的儿童，“现住地区划”留空即可：该行会退回下次再报，不会当作已摸排。"),
            ("新发现的儿童", f"名单上没有的，在空行逐人填写，摸排编号写作 {key} 加顺序号（如 {key}001）。"),
            ("填好之后", f"改名为 survey_<8位日期如20261201>_{first['quarter']}_{'_'.join(parts)}.xlsx，放入收件目录 survey，下一次运行时更新台账。"),
            ("保密要求", "本表含儿童个人信息，仅用于摸排和关爱服务，不得转发、上传公共网络或用于其他目的；用后按规定保存或销毁。"),
        ),
    )
