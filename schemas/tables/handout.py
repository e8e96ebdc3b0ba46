"""Tables of what leaves the building: `export_log`, every file that was handed out."""

import polars as pl

from schemas.tables.ledger import MOMENT
from schemas.tables.table import Column, Table, req

EXPORT_LOG = Table(
    "export_log",
    "导出登记，一行为一个交出的文件；只增不改",
    "one file that was handed out: to whom, what, how much of it, what for; append-only",
    (
        req("exported_at", MOMENT, "导出时间", "when it was written, UTC"),
        req("exported_by", pl.String, "导出人", "the run, or the login of who gave the command"),
        req("kind", pl.String, "种类", "roster, review, quarantine, report, survey, visit, exchange, national, copy, mandatory_report"),
        req("file", pl.String, "文件名", "bare file name"),
        req("number", pl.String, "文件编号", "the number the file carries; empty where it has none"),
        req("recipient", pl.String, "接收单位", "department, place or system it is for"),
        Column("district", pl.String, "区县代码", "district it is for, or about; null where it is for no single one"),
        req("as_of", pl.Date, "统计日期", "as-of date of the register it was cut from"),
        req("purpose", pl.String, "用途", "what for"),
        req("items", pl.UInt32, "条数", "children on it, or rows where it is not about children"),
        req("fields", pl.List(pl.String), "内容项目", "headings of what it shows of a child"),
        req("is_encrypted", pl.Boolean, "已加密", "locked with a password"),
        req("sha256", pl.String, "文件指纹", "sha256 of the file's bytes, hexadecimal"),
        req("run_id", pl.String, "运行编号", "the run whose register it was cut from"),
    ),
    ("exported_at", "kind", "file", "sha256"),
)

# the tables of this page that the register holds
HANDOUT_TABLES: tuple[Table, ...] = (EXPORT_LOG,)
