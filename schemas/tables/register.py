"""Tables that only the register knows (`run`, `indicator`, `division`), and the assembly of every table it holds."""

from dataclasses import replace

import polars as pl

from schemas.tables.assessment import ALERT, ASSESSMENT, KEY_CARE, RESIDENCE_EPISODE, SERVICE_GAP
from schemas.tables.care import MATCH_SUGGESTION, RESOURCE, VISIT
from schemas.tables.handout import HANDOUT_TABLES, RECALLED_HANDOUT_TABLES
from schemas.tables.identity import IDENTITY, IDENTITY_EVENT
from schemas.tables.intake import FEED_RECEIPT, QUARANTINE
from schemas.tables.ledger import FLOWING_CHILD, LEDGER, LEDGER_EVENT, MOMENT
from schemas.tables.pair import REVIEW_QUEUE
from schemas.tables.record import PERSON, PERSON_RECORD, RECORD
from schemas.tables.table import Column, Table, req
from schemas.tables.verification import VERIFICATION_ANSWER, VERIFICATION_STATE

# raised when a column is renamed, removed or changes its meaning; a column added may be null in an older register
LAYOUT = 1

RUN = Table(
    "run",
    "运行记录，一行为一次每晚运行",
    "one nightly run",
    (
        req("run_id", pl.String, "运行编号", "the run"),
        req("started_at", MOMENT, "开始时间", "when it started, UTC"),
        req("finished_at", MOMENT, "完成时间", "when its register was built, UTC"),
        req("as_of", pl.Date, "认定日期", "the day the rule was applied for"),
        req("code_version", pl.String, "程序版本", "version of the program"),
        req("rule_version", pl.String, "规则版本", "hash of the parameters in force"),
        req("config_hash", pl.String, "设置指纹", "hash of the settings that could change an answer"),
        Column(
            "inputs_hash", pl.String, "输入指纹", "hash of all the night rested on: files, decisions, program, rules, settings; equal hashes on one register, equal tables"
        ),
        Column("linkage_hash", pl.String, "关联输入指纹", "hash of what linkage rested on beside the day: rows of the feeds that see children, decisions, program"),
        req("state", pl.String, "状态", "published, or unchanged: all was as at the run before, whose tables stand"),
        req("counts", pl.String, "数量", "JSON: rows, children, outcomes, … by name"),
        req("seconds", pl.String, "用时（秒）", "JSON: seconds by stage"),
        req("peak_mib", pl.String, "内存峰值（MiB）", "JSON: peak memory by stage"),
        req("remarks", pl.List(pl.String), "说明", "what was unusual about the night, in Chinese: late, repeated, clock put back"),
        req("layout", pl.Int16, "库结构版本", "version of the register's layout"),
    ),
    ("started_at", "run_id"),
)

INDICATOR = Table(
    "indicator",
    "统计指标，一行为一个认定日期的一个数，供比较前后变化；同一日期再次运行以最后一次为准",
    "one figure of one as-of date, by the last run for it; for change over time; small counts are hidden where it is handed out, not here",
    (
        req("as_of", pl.Date, "认定日期", "the as-of date"),
        req("topic", pl.String, "主题", "outcome, key_care, visit, service, alert, verification, rows"),
        req("item", pl.String, "项目", "reason, key-care category, item of the service list, kind of alert, verification result, feed"),
        req("state", pl.String, "状态", "what of the item is counted: outcome, status, state of the alert, flowing or others, accepted, quarantined, with_warnings"),
        Column("department", pl.String, "责任部门", "who owes or should act; null where the topic has none"),
        Column("district", pl.String, "居住区县或责任区县", "district of residence, of an alert the one that should act; null where unknown or for rows"),
        req("figure", pl.Int64, "数量", "children, alerts or rows"),
    ),
    ("as_of", "topic", "item", "state", "department", "district"),
)

DIVISION = Table(
    "division",
    "区划名称，一行为一个区划代码",
    "one division code and its name",
    (
        req("code", pl.String, "区划代码", "six characters; 5001GX for 高新区; province and prefecture codes outside the city"),
        req("name", pl.String, "名称", "what people call it"),
    ),
    ("code",),
)

# the person of the register: linkage's, with the hukou that the rule found
REGISTER_PERSON = replace(
    PERSON, columns=(*PERSON.columns, Column("hukou_division", pl.String, "户籍区划", "district of the hukou, as the rule found it"))
)

REGISTER_TABLES: tuple[Table, ...] = (
    FLOWING_CHILD, REGISTER_PERSON, PERSON_RECORD, RECORD, RESIDENCE_EPISODE, ASSESSMENT, KEY_CARE, ALERT, SERVICE_GAP, LEDGER, LEDGER_EVENT,
    REVIEW_QUEUE, VERIFICATION_ANSWER, VERIFICATION_STATE, QUARANTINE, FEED_RECEIPT, IDENTITY, IDENTITY_EVENT, DIVISION, RUN, INDICATOR,
    VISIT, *HANDOUT_TABLES,
    RESOURCE, MATCH_SUGGESTION,
)  # fmt: skip

# of the answers the ledger asks why they were given, and no more
_REASONS = replace(ASSESSMENT, columns=tuple(column for column in ASSESSMENT.columns if column.name in ("person_id", "reason")))
# what the next night reads of this one
RECALLED_TABLES: tuple[Table, ...] = (
    IDENTITY, REVIEW_QUEUE, LEDGER, LEDGER_EVENT, ALERT, KEY_CARE, VERIFICATION_ANSWER, VERIFICATION_STATE, _REASONS, RUN, INDICATOR,
    VISIT, *RECALLED_HANDOUT_TABLES,
)  # fmt: skip
# what it reads besides where linkage stands as it is, or where the register is older than its identifiers
LINKED_TABLES: tuple[Table, ...] = (PERSON, PERSON_RECORD)
