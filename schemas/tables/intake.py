"""What intake says of itself: `quarantine` (rows not accepted) and `feed_receipt` (one file, and what became of it)."""

import polars as pl

from schemas.tables.table import Column, Table, req

# one cell as it came, under the heading it came with
CELL = pl.Struct({"heading": pl.String, "value": pl.String})
STATES = (
    "accepted",  # in the inbox, its rows are in use
    "kept",  # no longer in the inbox, its rows are still in use
    "superseded",  # a newer export of the same part is in use
    "rejected",  # could not be read; `message` says why
)

QUARANTINE = Table(
    "quarantine",
    "未被接受的数据行",
    "one row not accepted",
    (
        req("feed", pl.String, "数据来源", "the feed"),
        req("source_file", pl.String, "来源文件", "bare name of the file the row was found in"),
        req("source_row", pl.UInt32, "来源行号（标题下第一行为1）", "row number, 1 being the first under the headings"),
        req("reasons", pl.List(pl.String), "原因代码（全部）", "every reason, as `reason` or `reason:column`"),
        req("reasons_zh", pl.List(pl.String), "原因说明", "the reasons in words for the department"),
        req("original", pl.List(CELL), "原始单元格", "the cells as they came, under the headings they came with"),
    ),
    ("feed", "source_file", "source_row"),
)

FEED_RECEIPT = Table(
    "feed_receipt",
    "文件接收回执，一行对应一个文件",
    "one file, and what became of it",
    (
        req("feed", pl.String, "数据来源", "the feed; for a file outside the known folders, the folder's name"),
        req("source_file", pl.String, "来源文件", "bare file name"),
        req("sha256", pl.String, "文件指纹", "sha256 of the file's bytes, hexadecimal"),
        req("state", pl.String, "状态", "accepted, kept (from an earlier run), superseded, rejected"),
        Column("format", pl.String, "格式", "csv, csv.gz, xlsx or parquet; null where it was not read"),
        Column("encoding", pl.String, "编码", "encoding of a text file, as found"),
        Column("separator", pl.String, "分隔符", "comma or tab"),
        Column("part", pl.String, "分片", "what stands behind the date in the name; empty where nothing does"),
        Column("is_delta", pl.Boolean, "是否增量", "adds to the snapshot of the part instead of replacing it"),
        Column("export_date", pl.Date, "部门导出日期", "the day the department made the export, from the name"),
        Column("age_days", pl.Int32, "距统计日天数", "days from the export to the as-of date"),
        req("rows_in", pl.UInt32, "数据行数", "rows under the headings, total rows and blank rows left out"),
        req("rows_accepted", pl.UInt32, "接受行数", "rows accepted"),
        req("rows_quarantined", pl.UInt32, "退回行数", "rows quarantined; rows_in = rows_accepted + rows_quarantined"),
        req("rows_replaced", pl.UInt32, "被增量替换行数", "accepted rows that a later delta replaced"),
        req("rows_total", pl.UInt32, "合计等行数", "total, signature and repeated heading rows: no records"),
        req("rows_blank", pl.UInt32, "空白行数", "rows without any content"),
        req("unknown_columns", pl.List(pl.String), "未知列", "headings the contract does not know"),
        req("warnings", pl.List(pl.String), "提示", "what the department should know, in Chinese"),
        Column("message", pl.String, "拒收原因", "why the file was rejected, in Chinese"),
    ),
    ("feed", "source_file", "sha256"),
)
