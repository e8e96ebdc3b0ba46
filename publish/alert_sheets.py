"""Alerts on children whom no roster of their district lists (发现预警, 实施方案二(一)2): under six months, undetermined, not flowing, dead. What is to be done, by which department, by when.

Enters: the register. Leaves: `预警_<district>_<as_of>.xlsx` for civil affairs, which leads and passes on what is another department's; each entered in the
export log. An alert on a child of the roster stands there; nothing comes back: an alert closes when what raised it is gone.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from publish.handing import Handout, Sender, Tray
from publish.reading import query, reading
from publish.words import FEED_WORDS, REASON_WORDS, RELATION_WORDS, SEXES, in_words
from publish.workbook import Notes, Sheet, SheetColumn

PURPOSE = "跟进名册外儿童的预警"
_SEVERITIES = {"info": "提示", "warning": "关注", "urgent": "紧急"}
_COLUMNS = (
    SheetColumn("alert_id", "预警编号", 19), SheetColumn("department", "责任部门", 9), SheetColumn("title", "事项", 18), SheetColumn("severity", "等级", 6),
    SheetColumn("raised_on", "提出日期", 11.5), SheetColumn("due_on", "办理期限", 11.5), SheetColumn("days_late", "逾期天数", 6), SheetColumn("person_id", "人员编码", 16),
    SheetColumn("name", "姓名", 10), SheetColumn("sex", "性别", 5.5), SheetColumn("birth_date", "出生日期", 11.5), SheetColumn("id_number", "身份证号", 21),
    SheetColumn("reason", "认定情况", 18), SheetColumn("hukou", "户籍地", 18), SheetColumn("residence", "现居住地", 18), SheetColumn("guardian", "监护人及电话", 24),
    SheetColumn("message", "请办理", 34), SheetColumn("found", "发现依据", 34),
)  # fmt: skip


def write_alert_sheets(register: Path, out: Path, sender: Sender) -> list[Handout]:
    """Write a workbook for every district with such an alert; returns what was written, by district."""
    with reading(register) as con:
        alerts = con.sql(query("alert_children")).pl()
    tray = Tray(register, out, sender)
    for place in alerts.partition_by("district", maintain_order=True):
        district, name, as_of = place.select("district", "place", "as_of").row(0)
        name = name or "区县不明"
        rows = place.with_columns(*_cells()).select(column.name for column in _COLUMNS)
        pages: list[Notes | Sheet] = [_notes(place, name), Sheet("预警", f"{name}名册外儿童预警　{as_of}", _COLUMNS, rows, frozen=3)]
        shown = tuple(column.heading for column in _COLUMNS)
        tray.workbook(Handout("alert", f"预警_{name}_{as_of}.xlsx", "", f"{name}民政", district, as_of, PURPOSE, place["person_id"].n_unique(), shown), pages)
    return tray.close()


def _cells() -> list[pl.Expr]:
    one = pl.element().struct
    line = (one.field("name").fill_null("姓名不明"), in_words(one.field("relation"), RELATION_WORDS).fill_null(""), one.field("phone").fill_null(""))
    found = pl.concat_str(in_words(one.field("feed"), FEED_WORDS), pl.lit("："), one.field("says"))
    return [
        in_words(pl.col("sex"), SEXES),
        in_words(pl.col("severity"), _SEVERITIES),
        in_words(pl.col("reason"), REASON_WORDS),
        pl.col("guardians").list.eval(pl.concat_str(line, separator=" ").str.strip_chars()).list.join("\n").alias("guardian"),
        pl.col("evidence").list.eval(found).list.join("\n").alias("found"),
    ]


def _notes(rows: pl.DataFrame, name: str) -> Notes:
    late = rows["days_late"].drop_nulls().len()
    departments = rows.group_by("department").len().sort("len", "department", descending=[True, False]).iter_rows()
    told = "、".join(f"{department}{count}件" for department, count in departments)
    return Notes(
        "说明",
        f"{name}名册外儿童预警：说明",
        (
            ("发给谁", f"{name}民政部门。共{rows.height}件，其中逾期{late}件，统计日期{rows['as_of'][0]}：{told}。"),
            ("哪些儿童", "未列入本区县流动儿童花名册而需要跟进的儿童：不满六个月、尚不能认定、户籍在本区县而去向不明、户口不明或已注销等。名册内儿童的预警见花名册，强制报告另有专表。"),
            ("怎么办", "属民政的请按期限办理，属其他部门的请及时转请该部门办理，只转办理所需的信息。核实结果由摸排、走访或各部门数据报送；情形消失后下一次运行自动办结，在此之前每次运行都会列出。"),
            ("依据", "《重庆市加强流动儿童关爱保护实施方案》（2024年11月）二（一）2：实现流动儿童发现预警、动态监测，及时跟进提供服务。"),
            ("保密要求", "本表含儿童个人信息，仅限民政部门跟进使用，心理和行为方面的依据不得转给其他部门；用后按规定保存或销毁。"),
        ),
    )
