"""What does not count of the sheets that came back beside the rosters: visits, surveys, notices, batches. Enters: the register's rows. Leaves: a page, by file and row, with the reason."""

from __future__ import annotations

import polars as pl

from publish.survey_sheets import FILLED
from publish.words import FEED_WORDS, in_words
from publish.workbook import Sheet, SheetColumn
from schemas.exports.contract import Kind
from schemas.exports.feeds import FEEDS

NAME = "其他表"
# what stands in a sheet when it goes out; all other columns of its feed are the recipient's
_FILLED_BEFORE = {
    "verification": ("roster_id", "person_id", "department"), "visit": ("sheet_id", "person_id"), "exchange_reply": ("notice_id", "person_id"),
    "national_receipt": ("batch_id", "person_id"), "survey": FILLED,
}  # fmt: skip
_COLUMNS = (
    SheetColumn("sheet", "表", 16), SheetColumn("source_file", "来源文件", 44), SheetColumn("source_row", "行号", 7), SheetColumn("why", "原因", 70),
    SheetColumn("person_id", "人员编码", 20), SheetColumn("name", "姓名", 10),
)  # fmt: skip
_SAID = {
    "person_unknown": "人员编码不在登记库中，可能被改动，或本表出自另一个登记库；整行未采用，请按发出的表原编码填写",
    "not_sent": "该批次没有上报过该儿童，整行未采用，请核对上报批次和人员编码",
    "missing": "“{heading}”等均未填，没有可采用的内容",
    "date_ahead": "“{heading}”晚于统计日，到该日才计入，请核对",
    "date_unreadable": "“{heading}”看不懂，该项未采用；应如 2026-12-01",
    "code_unknown": "“{heading}”填写的内容看不懂，该项未采用{allowed}",
}


def answers() -> list[str]:
    """The columns in which the sheets are answered, as feed/heading."""
    return [f"{feed}/{column.heading}" for feed, before in _FILLED_BEFORE.items() for column in FEEDS[feed].columns if column.name not in before]


def unused_page(rows: pl.DataFrame, turned_away: pl.DataFrame) -> Sheet:
    """The page of sql/verification/returned, and of the rows of the same sheets that intake turned away filled in (sql/verification/turned_away)."""
    said = [(feed, code, _sentence(feed, code)) for feed, code in rows.select("feed", "problems").explode("problems").unique().sort("feed", "problems").iter_rows()]
    sentences = pl.DataFrame(said, schema=["feed", "problems", "why"], orient="row", schema_overrides=dict.fromkeys(("feed", "problems", "why"), pl.String))
    place = ["feed", "source_file", "source_row"]
    why = rows.select(*place, "problems").explode("problems").join(sentences, on=["feed", "problems"], maintain_order="left")
    told = why.group_by(place, maintain_order=True).agg(pl.col("why").str.join("；"))
    both = pl.concat([rows.join(told, on=place), turned_away.rename({"problem": "why"})], how="diagonal_relaxed")
    shown = both.sort(place).with_columns(in_words(pl.col("feed"), FEED_WORDS).alias("sheet"))
    return Sheet(NAME, "走访、摸排、协查、回执表中未采用的内容", _COLUMNS, shown.select(c.name for c in _COLUMNS), frozen=3)


def _sentence(feed: str, code: str) -> str:
    """The reason in words, with what may stand in the column."""
    reason, _, name = code.partition(":")
    if not name:
        return _SAID[reason]
    column = FEEDS[feed].column(name)
    words = ("是", "否") if column.kind is Kind.FLAG else column.codes
    return _SAID[reason].format(heading=column.heading, allowed=f"；只能是：{'、'.join(words)}" if words else "")
