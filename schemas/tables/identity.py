"""Tables of the stable identifiers: `identity` (every person_id ever given) and `identity_event` (merged, split)."""

import polars as pl

from schemas.tables.table import Column, Table, req

STATES = ("live", "gone", "merged")

IDENTITY = Table(
    "identity",
    "人员编码登记，曾发出的每个编码一行，永不重复使用",
    "every person_id ever given, one row each; none is ever given again",
    (
        req("person_id", pl.String, "人员编码", "the identifier"),
        req("state", pl.String, "状态", "live; gone (no record today); merged (another identifier stands for the child)"),
        Column("merged_into", pl.String, "并入编码", "the identifier that stands for the child now"),
        req("first_seen", pl.Date, "首次出现", "earliest export date that showed the child, over all runs"),
        req("last_seen", pl.Date, "最近出现", "latest export date that showed the child"),
        req("record_hashes", pl.List(pl.UInt64), "记录指纹", "rows of the last run that knew the child, sorted"),
        req("record_keys", pl.List(pl.String), "记录编号", "feed:record_key of those rows, sorted"),
        req("id_numbers", pl.List(pl.String), "身份证号", "trusted numbers of the child, sorted"),
    ),
    ("person_id",),
)

IDENTITY_EVENT = Table(
    "identity_event",
    "编码变动，一行为一次合并或拆分",
    "one merge or split of identifiers in this run",
    (
        req("person_id", pl.String, "人员编码", "the identifier that stays"),
        req("kind", pl.String, "变动类型", "merged or split"),
        req("others", pl.List(pl.String), "其他编码", "merged: those that ended; split: those that records of the person went to"),
        req("on_date", pl.Date, "日期", "the as-of date of the run"),
        req("cause", pl.String, "原因", "review (a decision), records (what the rows say)"),
    ),
    ("person_id", "kind"),
)
