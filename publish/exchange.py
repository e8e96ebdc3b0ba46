"""Exchange with other places (跨区域信息交换): each district of the city and each other province is told of the children it shares with us.

Enters: the register. Leaves: `协查告知_<place>_<as_of>.xlsx`, which comes back through the optional input `exchange_reply`, and
`异地不一致_<as_of>.xlsx`: children of whom another place says something else than we do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from publish.disclosure import mask_id
from publish.handing import Handout, Sender, Tray
from publish.layout import FOLDER, allow, expect, read
from publish.reading import newest_run, query, reading
from publish.words import OUTCOME_WORDS, SEXES, in_words
from publish.workbook import Notes, Sheet, SheetColumn
from schemas.exports.feeds import FEEDS
from schemas.exports.returned import LISTED_AS, REPLIES

_LAYOUT = FOLDER / "exchange.yaml"
SHEET = "协查名单"
PURPOSE = "流动儿童信息跨区域交换与协查"
_SIDES = {"hukou_there": "户籍在贵地、现居我处", "lives_there": "户籍在我处、现居贵地"}
_FIELDS = {
    "side": SheetColumn("side", "类别", 20), "name": SheetColumn("name", "姓名", 10), "sex": SheetColumn("sex", "性别", 5.5),
    "id_number": SheetColumn("id_number", "身份证号", 21), "birth_date": SheetColumn("birth_date", "出生日期（无证件号时）", 11.5),
    "hukou": SheetColumn("hukou", "户籍地", 24), "residence": SheetColumn("residence", "现居住地", 24), "away_since": SheetColumn("away_since", "离开户籍地日期", 11.5),
}  # fmt: skip
_ANSWERS = {"result": 13, "listed_as": 12, "value": 20, "replied_by": 10, "replied_on": 12, "remark": 18}
_MISMATCHES = {
    "left_behind_there": "当地登记为留守儿童，本地认定为流动儿童", "returned_there": "当地答复已返回户籍地，本地认定仍为流动儿童", "unknown_there": "当地查无此人",
    "hukou_moved": "当地答复户籍已迁出", "corrected": "当地答复信息有误", "unlisted_there": "现居当地而当地未登记",
}  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """What is told, and by when an answer is asked for."""

    reply_days: int
    id_number: str
    fields: tuple[str, ...]

    @classmethod
    def load(cls, path: Path = _LAYOUT) -> Layout:
        """The layout of publish/fields/exchange.yaml.

        Raises:
            LayoutError: an entry is unknown, missing or twice there.
        """
        raw = read(path)
        expect(raw, {"reply_days", "id_number", "fields"}, path.name)
        allow([raw["id_number"]], {"full", "masked"}, f"{path.name}, id_number")
        allow(raw["fields"], _FIELDS, f"{path.name}, fields")
        return cls(int(raw["reply_days"]), raw["id_number"], tuple(raw["fields"]))


def write_exchange(register: Path, out: Path, sender: Sender) -> list[Handout]:
    """Write a notice for every place that shares a child with us, and the mismatches where there are any; returns what was written.

    Raises:
        LayoutError: publish/fields/exchange.yaml cannot be used.
    """
    layout = Layout.load()
    _, as_of = newest_run(register)
    with reading(register) as con:
        children = con.sql(query("exchange_children")).pl()
        mismatches = con.sql(query("exchange_mismatches")).pl()
    tray = Tray(register, out, sender)
    for place in children.partition_by("told", maintain_order=True):
        _write_notice(layout, place, tray)
    if mismatches.height:
        _write_mismatches(mismatches, as_of, tray)
    return tray.close()


def _write_notice(layout: Layout, place: pl.DataFrame, tray: Tray) -> None:
    code, name, as_of = place.select("told", pl.coalesce("told_name", "told"), "as_of").row(0)
    number = f"XC-{as_of:%Y%m%d}-{code}"
    id_number = pl.col("id_number") if layout.id_number == "full" else mask_id(pl.col("id_number"), beside_birth_date="birth_date" in layout.fields)
    rows = place.with_columns(pl.lit(number).alias("notice_id"), in_words(pl.col("side"), _SIDES), in_words(pl.col("sex"), SEXES), id_number)
    headings = {column.name: column.heading for column in FEEDS["exchange_reply"].columns}
    choices = {"result": REPLIES, "listed_as": LISTED_AS}
    known = (SheetColumn("notice_id", headings["notice_id"], 20), SheetColumn("person_id", headings["person_id"], 16), *(_FIELDS[f] for f in layout.fields))
    answer = (SheetColumn(n, headings[n], width, choices.get(n, ()), is_input=True) for n, width in _ANSWERS.items())
    page = Sheet(SHEET, f"流动儿童信息交换（{name}）　{as_of}", (*known, *answer), rows.select(c.name for c in known), frozen=4)
    shown = tuple(_FIELDS[f].heading for f in layout.fields)
    district = code if code.startswith("50") else None
    handout = Handout("exchange", f"协查告知_{name}_{as_of}.xlsx", number, f"{name}民政", district, as_of, PURPOSE, place["person_id"].n_unique(), shown)
    tray.workbook(handout, [_notes(layout, rows, name, as_of), page])


def _notes(layout: Layout, rows: pl.DataFrame, name: str, as_of: date) -> Notes:
    due = as_of + timedelta(days=layout.reply_days)
    tally = dict(rows.group_by("side").len().iter_rows())
    told = "；".join(f"{side} {tally[side]} 人" for side in _SIDES.values() if side in tally)
    return Notes(
        "填写说明",
        f"流动儿童信息交换：致{name}民政部门",
        (
            ("内容", f"{told}。统计日期 {as_of}。仅提供查找该儿童所必需的信息。"),
            ("请贵方", f"逐人核查：户籍在贵地的，是否仍为贵地户籍、是否登记为留守儿童；现居贵地的，是否已登记为流动儿童并纳入关爱服务。请于 {due} 前答复。"),
            ("怎么填", f"在橙色标题列填写：核查结果（{'、'.join(REPLIES)}）、当地登记类别（{'、'.join(LISTED_AS)}）、答复人和答复日期；信息有误的写明更正内容。"),
            ("不要改动", "请勿修改“告知编号”和“人员编码”两列及列标题。没有答复日期的行视为未答复，会退回。"),
            ("收到之后", f"我方将文件改名为 exchange_reply_<8位日期如20261201>_{name}.xlsx，放入收件目录 exchange_reply，下一次运行时列出双方不一致的儿童。"),
            ("依据", "《重庆市加强流动儿童关爱保护实施方案》（2024年11月）二（一）2：推动实现流动儿童数据在居住地与户籍地间信息交换、比对分析。"),
            ("保密要求", "本表含儿童个人信息，仅用于上述核查，不得转发、上传公共网络或用于其他目的；用后按规定保存或销毁。"),
        ),
    )


def _write_mismatches(rows: pl.DataFrame, as_of: date, tray: Tray) -> None:
    columns = (
        SheetColumn("mismatch", "不一致情形", 30), SheetColumn("person_id", "人员编码", 16), SheetColumn("name", "姓名", 10), SheetColumn("outcome", "本地认定", 12),
        SheetColumn("hukou", "户籍地", 22), SheetColumn("residence", "现居住地", 22), SheetColumn("result", "对方核查结果", 12), SheetColumn("listed_as", "对方登记类别", 12),
        SheetColumn("value", "对方更正内容", 20), SheetColumn("replied_on", "答复日期", 11.5), SheetColumn("notice_id", "告知编号", 20),
    )  # fmt: skip
    shown = rows.with_columns(in_words(pl.col("mismatch"), _MISMATCHES), in_words(pl.col("outcome"), OUTCOME_WORDS))
    notes = Notes(
        "说明",
        "异地协查不一致清单",
        (
            ("内容", f"对方答复与本地认定不一致的儿童 {rows['person_id'].n_unique()} 名、{rows.height} 项，统计日期 {as_of}；户籍地、居住地各以最新一次答复为准。"),
            ("怎么办", "请与对方民政部门核对：登记为留守儿童而实际随父母在本地生活的，请对方转出；已返回户籍地的，请列入下一次摸排核实。系统不会自行改动认定结果。"),
            ("保密要求", "本表含儿童个人信息，仅供民政部门核对使用，不得转发或上传公共网络；用后按规定保存或销毁。"),
        ),
    )
    page = Sheet("不一致清单", f"异地协查不一致清单　{as_of}", columns, shown.select(c.name for c in columns), frozen=3)
    handout = Handout("exchange", f"异地不一致_{as_of}.xlsx", "", "民政", None, as_of, "核对异地答复与本地认定", rows.height, tuple(c.heading for c in columns))
    tray.workbook(handout, [notes, page])
