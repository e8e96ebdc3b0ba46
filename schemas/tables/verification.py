"""Tables of the departments' answers: `verification_answer` (every answer ever given, as given), `verification_state` (what became of each on this night)."""

import polars as pl

from schemas.tables.table import Column, Table, req

STATES = (
    "confirmed",  # 属实: the list is right
    "applied",  # counts as evidence, or stands in the child's entry
    "noted",  # kept and shown; only the department's own system can put it right
    "superseded",  # a newer answer to the same question counts
    "contradicted",  # departments answer differently, and another one's word counts or nobody's
    "waiting",  # dated after the as-of date
    "unusable",  # cannot be understood; `problem` says why
)
QUESTIONS = (
    "presence", "withdrawn", "name", "sex", "birth_date", "id_number", "hukou", "residence", "arrived_on", "guardian_name", "guardian_phone",
)  # fmt: skip

VERIFICATION_ANSWER = Table(
    "verification_answer",
    "部门核实反馈，一行为一条答复；只增不改",
    "one answer of a department on one child of one roster; append-only",
    (
        req("record_hash", pl.UInt64, "记录内容指纹", "fixed hash of the answer"),
        req("roster_id", pl.String, "花名册编号", "the roster"),
        req("person_id", pl.String, "人员编码", "the child as the roster named it"),
        Column("department", pl.String, "核实部门", "who answered"),
        Column("result", pl.String, "核实结果", "the answer: 属实, 不属实, 已离开, 信息有误, 查无此人"),
        Column("field", pl.String, "更正项目", "what is to be corrected"),
        Column("value", pl.String, "更正内容", "to what"),
        Column("verified_by", pl.String, "核实人", "who checked"),
        Column("verified_on", pl.Date, "核实日期", "when; null where the date could not be read"),
        Column("remark", pl.String, "备注", "what else was written"),
        req("source_file", pl.String, "来源文件", "file in which the answer was first found"),
        req("source_row", pl.UInt32, "来源行号（标题下第一行为1）", "its row"),
        Column("run_id", pl.String, "运行编号", "the run that took it in"),
    ),
    ("roster_id", "person_id", "verified_on", "department", "record_hash"),
)

# what a correction says, read as its field asks; nothing of it names a person but `text`
_READ = (
    Column("text", pl.String, "更正为（文字）", "a corrected name, sex (male, female), number or phone as read"),
    Column("date", pl.Date, "更正为（日期）", "a corrected date; of a month or a year alone the latest day it can mean"),
    Column("date_precision", pl.String, "日期精度", "day, month or year"),
    Column("code", pl.String, "更正为（区划）", "a corrected place: six-character code in force today"),
    Column("township", pl.String, "更正为（乡镇街道）", "its township by name"),
    Column("written", pl.String, "区划原文", "the code or name as written"),
)

VERIFICATION_STATE = Table(
    "verification_state",
    "核实反馈的采纳情况，一行为一条答复在本次运行中的状态",
    "what became of each answer on this night",
    (
        req("record_hash", pl.UInt64, "记录内容指纹", "the answer, as in verification_answer"),
        Column("person_id", pl.String, "人员编码", "the identifier that stands for the child now; null where nobody ever had it"),
        Column("department", pl.String, "核实部门", "who answered, by the department's short name"),
        Column("question", pl.String, "所答问题", "presence (属实, 已离开), withdrawn (不属实, 查无此人), or the field corrected"),
        req("state", pl.String, "状态", ", ".join(STATES)),
        req("is_disputed", pl.Boolean, "部门间不一致", "another department answers otherwise about the same child in the same round"),
        Column("problem", pl.String, "未采纳原因", "why it does not count, in Chinese"),
        Column("verified_on", pl.Date, "核实日期", "when"),
        Column("roster_on", pl.Date, "花名册日期", "the as-of date of the roster answered"),
        Column("roster_district", pl.String, "花名册所列居住区县", "the district of residence that the roster lists"),
        *_READ,
        req("source_file", pl.String, "来源文件", "file in which the answer was first found"),
        req("source_row", pl.UInt32, "来源行号（标题下第一行为1）", "its row"),
    ),
    ("record_hash",),
)

# an answer that counts, as the rules see it: nothing that names a person
VERIFICATION_FACTS = Table(
    "facts_verification",
    "核实反馈事实（不含身份信息）",
    "answers that count, nothing that names a person",
    (
        req("person_id", pl.String, "人员编码", "the child"),
        req("feed", pl.String, "数据来源", "the feed"),
        req("source_file", pl.String, "来源文件", "file the answer was found in"),
        req("source_row", pl.UInt32, "来源行号", "row number"),
        req("record_hash", pl.UInt64, "记录内容指纹", "fixed hash of the answer"),
        Column("department", pl.String, "核实部门", "who answered"),
        req("question", pl.String, "所答问题", "presence (已离开), withdrawn, hukou, residence, arrived_on"),
        req("verified_on", pl.Date, "核实日期", "when"),
        Column("roster_district", pl.String, "花名册所列居住区县", "the district of residence that the roster lists"),
        *_READ[1:],
    ),
    ("person_id", "record_hash", "source_file", "source_row"),
)
