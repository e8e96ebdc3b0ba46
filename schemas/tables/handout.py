"""Tables of what leaves the building and comes back: export_log, survey_row, exchange_answer, national_sent, national_receipt, national_entry, returned_unused."""

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
        req("kind", pl.String, "种类", "roster, review, quarantine, verification, report, survey, visit, exchange, national, copy, mandatory_report, alert"),
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

_FOUND = (
    req("source_file", pl.String, "来源文件", "file in which it was first found"),
    req("source_row", pl.UInt32, "来源行号（标题下第一行为1）", "its row"),
)

SURVEY_ROW = Table(
    "survey_row",
    "摸排记录，一行为一名儿童的一次摸排",
    "one row of the survey, and the child it belongs to",
    (
        req("person_id", pl.String, "人员编码", "the child"),
        Column("quarter", pl.String, "摸排季度", "such as 2026Q4; null where the row does not say"),
        req("seen_on", pl.Date, "摸排日期", "day of the survey, else the last day of its quarter, else the export's; never after the export"),
        Column("presence", pl.String, "在住情况", "whether the child lives there: 在住, 已返回户籍地, 已迁往他处"),
        req("record_hash", pl.UInt64, "记录内容指纹", "fixed hash of the row"),
        *_FOUND,
    ),
    ("person_id", "seen_on", "record_hash", "source_file", "source_row"),
)

EXCHANGE_ANSWER = Table(
    "exchange_answer",
    "异地协查答复，一行为一条答复；只增不改",
    "one answer of another place on one child of a notice; append-only",
    (
        req("record_hash", pl.UInt64, "记录内容指纹", "fixed hash of the answer"),
        req("notice_id", pl.String, "告知编号", "the notice"),
        req("person_id", pl.String, "人员编码", "the child as the notice named it"),
        Column("result", pl.String, "核查结果", "what the other place found: 属实, 查无此人, 已返回户籍地, 户籍已迁出, 信息有误"),
        Column("listed_as", pl.String, "当地登记类别", "流动儿童, 留守儿童, 困境儿童, 未登记: what the other place has the child down as"),
        Column("value", pl.String, "更正内容", "what is to be corrected, to what"),
        Column("replied_by", pl.String, "答复人", "who answered"),
        Column("replied_on", pl.Date, "答复日期", "when; null where the date could not be read"),
        Column("remark", pl.String, "备注", "what else was written"),
        *_FOUND,
    ),
    ("notice_id", "person_id", "replied_on", "record_hash"),
)

NATIONAL_SENT = Table(
    "national_sent",
    "全国系统上报记录，一行为一名儿童的一次上报；只增不改",
    "one child in one batch for the national system; append-only",
    (
        req("batch_id", pl.String, "上报批次", "the batch"),
        req("person_id", pl.String, "人员编码", "the child as the batch named it"),
        req("kind", pl.String, "上报类型", "new, changed, left"),
        req("content", pl.String, "内容指纹", "fixed hash of the child's fields as they were sent"),
        req("sent_on", pl.Date, "上报日期", "as-of date of the register it was cut from"),
    ),
    ("batch_id", "person_id"),
)

NATIONAL_RECEIPT = Table(
    "national_receipt",
    "全国系统回执，一行为一名儿童的一条回执；只增不改",
    "what the national system made of one child of a batch; append-only",
    (
        req("record_hash", pl.UInt64, "记录内容指纹", "fixed hash of the receipt"),
        req("batch_id", pl.String, "上报批次", "the batch"),
        req("person_id", pl.String, "人员编码", "the child as the batch named it"),
        Column("result", pl.String, "处理结果", "entered or refused: 已录入, 退回"),
        Column("national_id", pl.String, "全国系统编号", "the number it was given"),
        Column("reason", pl.String, "退回原因", "why it was refused"),
        Column("received_on", pl.Date, "处理日期", "when; null where the date could not be read"),
        *_FOUND,
    ),
    ("batch_id", "person_id", "received_on", "record_hash"),
)

NATIONAL_STATES = ("new", "changed", "pending", "entered", "refused")

NATIONAL_ENTRY = Table(
    "national_entry",
    "全国系统录入状态，在册或曾上报的儿童一人一行",
    "one child on the list, or sent to the national system before, and how its entry there stands",
    (
        req("person_id", pl.String, "人员编码", "the child"),
        req("state", pl.String, "录入状态", "new (never sent), changed (differs from what was sent last), pending (sent, no receipt), entered, refused"),
        req("is_listed", pl.Boolean, "是否在册", "counts as flowing on the as-of date; false for a child to be taken off there"),
        req("content", pl.String, "内容指纹", "fixed hash of the child's fields as they stand today"),
        Column("batch_id", pl.String, "最近上报批次", "the batch it was last in"),
        Column("sent_on", pl.Date, "最近上报日期", "its date"),
        Column("answered_on", pl.Date, "最近处理日期", "date of the newest receipt for that batch"),
        Column("national_id", pl.String, "全国系统编号", "the number it was given there"),
        Column("reason", pl.String, "退回原因", "why it was refused"),
        Column("listed_on", pl.Date, "首次列入日期", "first as-of date on the list"),
        Column("lag_days", pl.Int32, "滞后天数", "days from the first listing to the first entry there, to the as-of date where there is none yet"),
    ),
    ("person_id",),
)

RETURNED_UNUSED = Table(
    "returned_unused",
    "送回的走访、摸排、协查、回执表中未采用的内容，一行对应表中一行；按本次在用的文件重新列出",
    "one row of a sheet that came back (visit, survey, exchange_reply, national_receipt) of which something does not count; of the files in use on this night",
    (
        req("feed", pl.String, "数据来源", "the sheet's feed"),
        req("source_file", pl.String, "来源文件", "file it lies in"),
        req("source_row", pl.UInt32, "来源行号（标题下第一行为1）", "its row"),
        Column("person_id", pl.String, "人员编码", "the child as the sheet named it"),
        req(
            "problems", pl.List(pl.String), "问题代码",
            "person_unknown, not_sent, and code_unknown, date_unreadable, date_ahead or missing with the column behind a colon",
        ),
    ),
    ("feed", "source_file", "source_row"),
)  # fmt: skip

# the tables of this page that the register holds, and those that the next night reads of it
HANDOUT_TABLES: tuple[Table, ...] = (EXPORT_LOG, SURVEY_ROW, EXCHANGE_ANSWER, NATIONAL_SENT, NATIONAL_RECEIPT, NATIONAL_ENTRY, RETURNED_UNUSED)
RECALLED_HANDOUT_TABLES: tuple[Table, ...] = (EXPORT_LOG, EXCHANGE_ANSWER, NATIONAL_SENT, NATIONAL_RECEIPT)
