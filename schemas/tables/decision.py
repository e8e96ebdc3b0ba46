"""The table of clerks' decisions on possible matches: append-only, kept beside the register, handed to every later run."""

import polars as pl

from schemas.tables.table import Column, Table, req

DECISION = Table(
    "decision",
    "人工核对结论，一行为一次核对",
    "one decision of a clerk on one possible match",
    (
        req("pair_id", pl.String, "核对编号", "the pair, as in review_queue"),
        req("left", pl.String, "左方人员编码", "person_id of one side when the pair was put up"),
        req("right", pl.String, "右方人员编码", "person_id of the other side"),
        req("left_records", pl.List(pl.UInt64), "左方全部记录", "record_hash of all rows of the left side at the time: what the decision binds"),
        req("right_records", pl.List(pl.UInt64), "右方全部记录", "record_hash of all rows of the right side at the time"),
        req("left_keys", pl.List(pl.String), "左方记录编号", "feed:record_key of the left side, so that a decision outlives an edited row"),
        req("right_keys", pl.List(pl.String), "右方记录编号", "feed:record_key of the right side"),
        req("decision", pl.String, "核对结论", "same, different, unsure"),
        req("decided_by", pl.String, "核对人", "who decided"),
        req("decided_on", pl.Date, "核对日期", "when"),
        Column("remark", pl.String, "备注", "what the clerk wrote beside it"),
        req("source_file", pl.String, "来源文件", "bare name of the workbook it came in"),
        req("source_row", pl.UInt32, "来源行号", "row of the sheet as the spreadsheet program counts it"),
    ),
    ("pair_id",),
)
