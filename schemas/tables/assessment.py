"""Tables of the rule rooms: residence_episode, assessment, key_care, alert, service_gap."""

import polars as pl

from schemas.tables.table import Column, Table, req

# one row of a feed and what it says there, for people (Chinese)
EVIDENCE = pl.List(pl.Struct({"feed": pl.String, "source_file": pl.String, "source_row": pl.UInt32, "says": pl.String}))

OUTCOMES = ("flowing", "not_flowing", "undetermined")
# in the order in which the first that holds is the reason (contracts/register.md)
REASONS = (
    "deceased", "birth_date_unknown", "age_16_or_over", "no_mainland_hukou", "institutional_care", "hukou_unknown", "boarding_only",
    "residence_unknown", "conflicting_evidence", "returned", "resides_outside_city", "same_district", "exempt_main_urban",
    "duration_unknown", "under_six_months", "flowing",
)  # fmt: skip
OUTCOME_OF: dict[str, str] = dict.fromkeys(REASONS, "not_flowing") | {
    "flowing": "flowing",
    **dict.fromkeys(("hukou_unknown", "residence_unknown", "duration_unknown", "birth_date_unknown", "conflicting_evidence"), "undetermined"),
}
CATEGORIES = ("family_hardship", "disability", "guardianship_missing", "vagrancy", "psych_behaviour", "self_requested_aid")
# what these rest on goes to civil affairs alone, never onto another department's roster
RESTRICTED_CATEGORIES = ("psych_behaviour",)
SEVERITIES = ("info", "warning", "urgent", "report")
VISIT_STATES = ("planned", "due", "overdue")
ALERT_STATES = ("open", "overdue", "closed")
SERVICE_STATUSES = ("has", "missing", "unknown")

RESIDENCE_EPISODE = Table(
    "residence_episode",
    "居住时段，一行为一名儿童在一地的一段居住",
    "one stay of one child, as one or more records say",
    (
        req("person_id", pl.String, "人员编码", "the child"),
        req("division", pl.String, "居住区划", "six-character code as in force on the as-of date"),
        Column("township", pl.String, "乡镇街道", "township by name"),
        Column("from_date", pl.Date, "开始日期", "first day of the stay; null where unknown"),
        Column("to_date", pl.Date, "结束日期", "last day of the stay; null where it still runs"),
        req("is_inferred", pl.Boolean, "开始日期为推定", "the start is a registration, permit, enrolment or opening date, no stated arrival"),
        req("strength", pl.Int16, "证据强度", "rank of the strongest record, higher is stronger"),
        Column("confirmed_on", pl.Date, "最近确认日期", "last day a record confirmed the stay"),
        req("is_current", pl.Boolean, "现居住地", "the stay the rule takes as where the child lives on the as-of date"),
        req("evidence", EVIDENCE, "依据", "the rows it rests on"),
    ),
    ("person_id", "division", "from_date"),
)

ASSESSMENT = Table(
    "assessment",
    "认定结果，一名儿童一行",
    "the rule's answer for one child on the as-of date",
    (
        req("person_id", pl.String, "人员编码", "the child"),
        req("as_of", pl.Date, "认定日期", "the day the rule is applied for"),
        req("outcome", pl.String, "认定结果", "flowing, not_flowing, undetermined"),
        req("reason", pl.String, "理由", "the first reason that holds"),
        Column("hukou_district", pl.String, "户籍区县", "district of the hukou, as in force on the as-of date"),
        Column("hukou_township", pl.String, "户籍乡镇街道", "township of the hukou by name"),
        Column("residence_district", pl.String, "居住区县", "district of residence, as in force on the as-of date"),
        Column("residence_division", pl.String, "居住区划", "division of residence as the evidence gives it"),
        Column("residence_township", pl.String, "居住乡镇街道", "township of residence by name"),
        Column("away_since", pl.Date, "离开户籍地日期", "the day the clock starts"),
        req("is_inferred", pl.Boolean, "开始日期为推定", "away_since is inferred, not stated"),
        Column("months_away", pl.Int32, "离开月数", "whole months from away_since to as_of"),
        Column("six_months_on", pl.Date, "满六个月日期", "the day six months are reached"),
        Column("birth_date", pl.Date, "出生日期", "birth date"),
        Column("turns_16_on", pl.Date, "年满十六周岁日期", "the 16th birthday, the last day that counts"),
        req("direction", pl.String, "流动方向", "in_city, into_city, out_of_city, none"),
        req("accompanied", pl.String, "随同情况", "both, one, other_guardian, none, unknown"),
        req("confidence", pl.Float64, "可信度", "0 to 1: strength and age of the evidence the answer rests on"),
        req("conditions", pl.List(pl.Struct({"condition": pl.String, "answer": pl.String, "detail": pl.String})), "逐条判断",
            "each condition in order: yes, no or unknown, and what it was judged on"),
        req("evidence", EVIDENCE, "依据", "the rows the answer rests on"),
        req("rule_version", pl.String, "规则版本", "hash of the parameters in force"),
    ),
    ("person_id",),
)  # fmt: skip

KEY_CARE = Table(
    "key_care",
    "重点关爱服务对象，一名儿童一个类别一行",
    "one child and one key-care category",
    (
        req("person_id", pl.String, "人员编码", "the child"),
        req("category", pl.String, "类别", "family_hardship, disability, guardianship_missing, vagrancy, psych_behaviour, self_requested_aid"),
        req("is_flowing", pl.Boolean, "是否流动儿童", "counts as flowing"),
        Column("since", pl.Date, "开始日期", "since when a row says so"),
        Column("until", pl.Date, "预计结束日期", "last day on which the rows at hand still say so; null where none of them ends by itself"),
        req("is_verified", pl.Boolean, "已核实", "rests on more than the survey's word"),
        req("basis", EVIDENCE, "依据", "the rows that say so"),
        req("first_listed_on", pl.Date, "首次列入日期", "the as-of date on which the category was first listed, without a break since"),
        Column("last_visit_on", pl.Date, "最近走访日期", "last visit; null where no visit is known"),
        req("next_visit_due", pl.Date, "下次走访期限", "next visit due, counted from the last visit or from the first listing"),
        Column("visit_state", pl.String, "走访状态", "planned, due (within the days of visits/due_ahead_days), overdue"),
    ),
    ("person_id", "category"),
)

ALERT = Table(
    "alert",
    "预警，一行为一件应当处理的事",
    "one thing somebody should act on",
    (
        req("alert_id", pl.String, "预警编号", "stable: the same cause keeps its number over runs"),
        req("person_id", pl.String, "人员编码", "the child"),
        req("kind", pl.String, "预警类型", "what it is about"),
        req("title", pl.String, "预警名称", "what it is about, in Chinese"),
        req("severity", pl.String, "等级", "info, warning, urgent, report (mandatory, at once)"),
        req("state", pl.String, "状态", "open, overdue (open and past its date), closed"),
        req("raised_on", pl.Date, "发出日期", "the as-of date on which it was first raised"),
        req("due_on", pl.Date, "办理期限", "when it should be done"),
        req("department", pl.String, "责任部门", "who should act (Chinese short name)"),
        Column("district", pl.String, "责任区县", "district code"),
        req("message", pl.String, "内容", "what to do, in Chinese, without names or numbers of persons"),
        req("article", pl.String, "政策依据", "the paragraph it follows from"),
        req("is_restricted", pl.Boolean, "仅限民政", "rests on a psychiatric or behavioural entry: for civil affairs alone"),
        req("times_raised", pl.Int16, "发出次数", "how often the same cause has come back, the first time included"),
        Column("closed_on", pl.Date, "办结日期", "the as-of date on which its cause was gone; null while open"),
        Column("closed_reason", pl.String, "办结原因", "why it was closed, in Chinese"),
        req("evidence", EVIDENCE, "依据", "the rows it rests on"),
    ),
    ("alert_id",),
)

SERVICE_GAP = Table(
    "service_gap",
    "关爱服务缺口，一名儿童一个服务项目一行",
    "one entitlement of the service list a child seems not to have",
    (
        req("person_id", pl.String, "人员编码", "the child"),
        req("aspect", pl.String, "方面", "one of the six aspects of the list: 幼有所育, 学有所教, 病有所医, 住有所居, 弱有所扶, 发展保障"),
        req("item", pl.String, "项目", "item of the service list"),
        req("status", pl.String, "状态", "has, missing, unknown"),
        req("department", pl.String, "责任部门", "who owes it"),
        req("is_verified", pl.Boolean, "清单条目已核对", "an official has checked the item against the published list"),
        req("basis", EVIDENCE, "依据", "the rows that show it"),
    ),
    ("person_id", "aspect", "item"),
)
