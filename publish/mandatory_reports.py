"""Mandatory reports (强制报告, 实施方案二(三)1): for each district the children of whom the police are to be told at once.

Enters: the register. Leaves: `强制报告_<district>_<as_of>.xlsx`, each entered in the export log. Whom to look for, where, why, and whom to reach: shown
in full, for a report that cannot be followed up protects nobody; nothing of a child beside that. When the police were told is entered on the visit sheet.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from publish.handing import Handout, Sender, Tray
from publish.reading import newest_run, query, reading
from publish.words import RELATION_WORDS, SEXES, in_words
from publish.workbook import Notes, Sheet, SheetColumn
from schemas.exports.feeds import FEEDS

RECIPIENT = "公安"
MEASURES = ("予以训诫", "责令接受家庭教育指导", "立案调查", "临时安置", "移送救助保护机构", "核实无此情形", "其他")
_SHOWN = (
    SheetColumn("alert_id", "报告编号", 19), SheetColumn("person_id", "人员编码", 16), SheetColumn("name", "姓名", 10), SheetColumn("sex", "性别", 5.5),
    SheetColumn("birth_date", "出生日期", 11.5), SheetColumn("id_number", "身份证号", 21), SheetColumn("situation", "情形", 18),
    SheetColumn("found", "发现依据", 34), SheetColumn("raised_on", "发现日期", 11.5), SheetColumn("residence", "现居住地", 18),
    SheetColumn("address", "地址", 28), SheetColumn("hukou", "户籍地", 18), SheetColumn("guardians", "监护人", 30), SheetColumn("phones", "联系电话", 14),
    SheetColumn("reported_on", "已报告公安日期", 11.5),
)  # fmt: skip
_ANSWER = (
    SheetColumn("reporter", "报告人", 10, is_input=True), SheetColumn("told_at", "报告时间", 14, is_input=True),
    SheetColumn("taken_by", "接报单位及民警", 18, is_input=True), SheetColumn("measure", "处置情况", 18, MEASURES, is_input=True),
    SheetColumn("remark", "备注", 18, is_input=True),
)  # fmt: skip


def write_mandatory_reports(register: Path, out: Path, sender: Sender) -> list[Handout]:
    """Write a workbook for each district with an open report; returns what was written, by district."""
    _, as_of = newest_run(register)
    with reading(register) as con:
        reports = con.sql(query("mandatory_reports")).pl()
    tray = Tray(register, out, sender)
    for district in reports.partition_by("district", maintain_order=True):
        _write(district, as_of, tray)
    return tray.close()


def _write(reports: pl.DataFrame, as_of: date, tray: Tray) -> None:
    code, place = reports.select("district", "place").row(0)
    name = place or "区县不明"
    rows = reports.select("alert_id", "person_id", "name", "birth_date", "id_number", "raised_on", "residence", "address", "hukou", "reported_on", *_expressions())
    title = f"{name}强制报告事项（公安机关）　{as_of}"
    pages: list[Notes | Sheet] = [_notes(name, as_of, rows), Sheet("强制报告", title, (*_SHOWN, *_ANSWER), rows, frozen=3)]
    children = reports.get_column("person_id").n_unique()
    shown = tuple(column.heading for column in _SHOWN)
    tray.workbook(Handout("mandatory_report", f"强制报告_{name}_{as_of}.xlsx", "", RECIPIENT, code, as_of, "第一时间向公安机关报告", children, shown), pages)


def _expressions() -> list[pl.Expr]:
    one = pl.element().struct
    relation = pl.concat_str(pl.lit("（"), in_words(one.field("relation"), RELATION_WORDS).fill_null("关系不明"), pl.lit("）"))
    line = pl.concat_str(one.field("name").fill_null("姓名不明"), relation, one.field("phone").fill_null(""), separator="")
    feeds = {feed.name: f"{feed.department}{feed.title}" for feed in FEEDS.values()}
    found = pl.concat_str(in_words(one.field("feed"), feeds), pl.lit("："), one.field("says"))
    return [
        in_words(pl.col("sex"), SEXES).alias("sex"),
        pl.col("title").str.replace("（强制报告）", "", literal=True).alias("situation"),
        pl.col("evidence").list.eval(found).list.join("\n").alias("found"),
        pl.col("guardians").list.eval(line).list.join("\n").alias("guardians"),
        pl.col("phones").list.join("\n").alias("phones"),
    ]


def _notes(place: str, as_of: date, rows: pl.DataFrame) -> Notes:
    untold = rows.get_column("reported_on").null_count()
    return Notes(
        "说明",
        f"{place}强制报告事项：说明",
        (
            ("发给谁", f"{place}公安机关。共{rows.height}项，其中{untold}项尚未登记报告日期，统计日期{as_of}。"),
            ("为什么", "村（居）民委员会发现流动儿童脱离监护单独居住生活、监护人不履行监护责任、疑似遭受家庭暴力、疑似遭受意外伤害或不法侵害等情况的，应当在第一时间向公安机关报告。"),
            ("怎么办", "请立即核实儿童安全；监护人存在上述情形的，依法予以训诫，并责令其接受家庭教育指导。不要等待本表逐级流转，可先电话报告。"),
            ("怎么填", "报告人填写“报告人”“报告时间”，接报单位填写“接报单位及民警”“处置情况”，送回民政部门留存。"),
            ("办结", "民政部门在走访表中登记“报告公安日期”；再次走访见到儿童、登记“强制报告情形：无”的，下一次运行时该项办结；没有见到儿童或只是电话视频联系的不能办结。情形消失前每次运行都会列出。"),
            ("依据", "《重庆市加强流动儿童关爱保护实施方案》（2024年11月）二（三）1；《中华人民共和国未成年人保护法》第十一条。"),
            ("保密要求", "本表含儿童个人信息，为保护儿童安全完整显示，仅用于上述处置，不得转发、上传公共网络或用于其他目的；用后按规定保存或销毁。"),
        ),
    )  # fmt: skip
