"""Rosters (花名册): for each district and department a workbook to check and send back.

Enters: the register. Leaves: `花名册_<district>_<department>_<as_of>.xlsx`, each entered in the export log. The answered workbook comes back
through the feed `verification` (schemas/exports/verification.py).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from publish.handing import Handout, Sender, Tray
from publish.reading import query, reading
from publish.roster_fields import CIVIL_AFFAIRS, FIELDS, Layout, Recipient
from publish.workbook import Notes, Sheet, SheetColumn
from schemas.exports.feeds import FEEDS
from schemas.exports.verification import RESULTS

# the columns of the answer, by the headings of the feed that takes it back
_ANSWER = {column.name: column.heading for column in FEEDS["verification"].columns}
_ANSWER_WIDTHS = {"department": 9, "result": 11, "field": 12, "value": 20, "verified_by": 9, "verified_on": 12, "remark": 18}


def write_rosters(register: Path, out: Path, sender: Sender) -> list[Handout]:
    """Write every roster that has a child on it; returns what was written, by district and department.

    Raises:
        RosterLayoutError: publish/fields/roster.yaml cannot be used.
    """
    layout = Layout.load()
    with reading(register) as con:
        children = con.sql(query("roster_children")).pl()
    tray = Tray(register, out, sender)
    for district in children.partition_by("residence_district", maintain_order=True):
        for recipient in layout.recipients:
            if (concerned := district.filter(layout.concerns(recipient))).height:
                _write(layout, recipient, concerned, tray)
    return tray.close()


def roster_id(recipient: Recipient, district: str, as_of: date) -> str:
    """The roster's number, such as `HMC-20261124-500157-JY`: the same district, department and day have the same."""
    return f"HMC-{as_of:%Y%m%d}-{district}-{recipient.code}"


def _write(layout: Layout, recipient: Recipient, children: pl.DataFrame, tray: Tray) -> None:
    district, name, as_of = children.select("residence_district", "residence_place", "as_of").row(0)
    number = roster_id(recipient, district, as_of)
    rows = children.select(
        pl.lit(number).alias("roster_id"), "person_id", *layout.columns(recipient), pl.lit(recipient.department).alias("department")
    )  # fmt: skip
    title = f"{name}流动儿童花名册（{recipient.department}核实）　{as_of}"
    file = f"花名册_{name}_{recipient.department}_{as_of}.xlsx"
    pages: list[Notes | Sheet] = [_notes(layout, recipient, name, as_of, rows.height), Sheet("花名册", title, _columns(layout, recipient), rows, frozen=3)]
    shown = tuple(FIELDS[f].heading for f in recipient.fields)
    tray.workbook(Handout("roster", file, number, recipient.department, district, as_of, recipient.purpose, rows.height, shown), pages)


def _columns(layout: Layout, recipient: Recipient) -> tuple[SheetColumn, ...]:
    """The roster's number and the child's, the fields, and then what is to be filled in."""
    choices = {"result": RESULTS, "field": layout.correctable}
    answer = tuple(
        SheetColumn(name, _ANSWER[name], width, choices.get(name, ()), is_input=name != "department") for name, width in _ANSWER_WIDTHS.items()
    )
    numbers = (SheetColumn("roster_id", _ANSWER["roster_id"], 23), SheetColumn("person_id", _ANSWER["person_id"], 20))
    return (*numbers, *(SheetColumn(f, FIELDS[f].heading, FIELDS[f].width) for f in recipient.fields), *answer)


def _notes(layout: Layout, recipient: Recipient, district: str, as_of: date, children: int) -> Notes:
    due = layout.due(as_of)
    shown = "身份证号完整显示。" if recipient.department == CIVIL_AFFAIRS else "身份证号仅在贵部门已掌握时完整显示，其余以星号遮盖；不提供核实以外的信息。"
    return Notes(
        "填写说明",
        f"{district}流动儿童花名册（{recipient.department}核实）：填写说明",
        (
            ("发给谁", f"{district}{recipient.department}部门。共 {children} 名儿童，统计日期 {as_of}。"),
            ("做什么", f"{recipient.purpose}。请逐人核实：{recipient.check}。"),
            ("何时完成", f"请于 {due.year}年{due.month}月{due.day}日前（发出后 {layout.reply_days} 天内）填好送回{district}民政部门。"),
            ("怎么填", f"在“花名册”表的橙色标题列填写。“{_ANSWER['result']}”从下拉列表选择：{'、'.join(RESULTS)}；同时填写核实人和核实日期（如 {as_of}）。"),
            ("信息有误时", f"核实结果选“信息有误”，在“{_ANSWER['field']}”选择哪一项，在“{_ANSWER['value']}”填写正确的内容。同一儿童有多项更正的，复制该行，每行更正一项。"),
            ("不要改动", f"请勿修改或删除“{_ANSWER['roster_id']}”和“{_ANSWER['person_id']}”两列及列标题；可以排序、筛选、调整列宽。尚未核实的行可以删除，下次再报；留着而没有核实日期的行会被退回。"),
            ("送回之后", f"民政部门将文件改名为 verification_<8位日期如20261201>_{district}{recipient.department}.xlsx，放入收件目录 verification，下一次运行时据此更新台账。"),
            ("依据", "《重庆市加强流动儿童关爱保护实施方案》（2024年11月）二（一）3：及时主动将花名册反馈至各部门进行核实，并根据核实情况动态更新流动儿童信息台账。"),
            ("保密要求", f"本表含儿童个人信息，仅用于上述核实。{shown}不得转发、上传公共网络或用于其他目的；用后按规定保存或销毁。"),
        ),
    )  # fmt: skip
