"""The views of what goes out and comes back: survey, visits, exchange. Enters: nothing. Leaves: `HANDOUT_VIEWS`; their queries are sql/views/<name>.sql."""

import polars as pl

from schemas.tables.table import Column, Table, req

HANDOUT_VIEWS: tuple[Table, ...] = (
    Table(
        "v_survey_child",
        "本季度应摸排儿童",
        "children whom the survey of the as-of date's quarter should see: on the list, short of six months, or in doubt",
        (
            req("person_id", pl.String, "人员编码", "the child"),
            req("quarter", pl.String, "摸排季度", "quarter of the as-of date, such as 2026Q4"),
            req("residence_district", pl.String, "居住区县代码", "district of residence"),
            Column("district_name", pl.String, "居住区县", "its name"),
            Column("residence_township", pl.String, "居住乡镇街道", "township by name"),
            req("standing", pl.String, "名单类别", "known; newly_seen (by a department, by no survey); not_seen_since (confirmed by nothing for six months)"),
            Column("last_surveyed_on", pl.Date, "最近摸排日期", "when a survey last saw the child"),
            req("is_done", pl.Boolean, "本季度已摸排", "seen in this quarter"),
            req("due_on", pl.Date, "摸排期限", "last day of the quarter"),
            req("is_overdue", pl.Boolean, "逾期未摸排", "the whole quarter before went by without a survey"),
        ),
        ("residence_district", "residence_township", "person_id"),
    ),
    Table(
        "v_survey_completion",
        "各区县摸排进度",
        "how far the quarter's survey is, by district",
        (
            req("residence_district", pl.String, "居住区县代码", "district of residence"),
            Column("district_name", pl.String, "居住区县", "its name"),
            req("quarter", pl.String, "摸排季度", "quarter of the as-of date"),
            req("children", pl.Int64, "应摸排", "children to be seen"),
            req("surveyed", pl.Int64, "已摸排", "seen in this quarter"),
            req("to_survey", pl.Int64, "未摸排", "not yet"),
            req("overdue", pl.Int64, "逾期", "not seen in the quarter before either"),
            req("share_surveyed", pl.Float64, "完成率", "surveyed / children"),
        ),
        ("residence_district",),
    ),
    Table(
        "v_visit_due",
        "重点关爱儿童走访计划",
        "key-care children and when the next visit is due; a child once, by the earliest date of its categories",
        (
            req("person_id", pl.String, "人员编码", "the child"),
            Column("residence_district", pl.String, "居住区县代码", "district of residence"),
            Column("district_name", pl.String, "居住区县", "its name"),
            Column("residence_township", pl.String, "居住乡镇街道", "township by name"),
            req("categories", pl.List(pl.String), "重点关爱类别", "key-care categories, sorted"),
            Column("last_visit_on", pl.Date, "最近走访日期", "last visit"),
            req("next_visit_due", pl.Date, "走访期限", "next visit due"),
            req("is_overdue", pl.Boolean, "是否逾期", "past its date"),
            req("days_overdue", pl.Int32, "逾期天数", "days past its date; 0 where it is not"),
        ),
        ("residence_district", "next_visit_due", "person_id"),
    ),
    Table(
        "v_exchange_mismatch",
        "异地协查不一致",
        "children of whom a place that shares them with us says something else than we do, by the newest answer of each place",
        (
            req("person_id", pl.String, "人员编码", "the child"),
            req("notice_id", pl.String, "告知编号", "the notice that was answered"),
            req("outcome", pl.String, "本地认定", "flowing, not_flowing, undetermined"),
            Column("hukou_district", pl.String, "户籍区县代码", "district of the hukou"),
            Column("residence_district", pl.String, "居住区县代码", "district of residence"),
            req("mismatch", pl.String, "不一致情形", "left_behind_there (there 留守, here 流动), returned_there, unknown_there, hukou_moved, corrected, unlisted_there"),
            Column("result", pl.String, "核查结果", "what was answered"),
            Column("listed_as", pl.String, "当地登记类别", "what the other place has the child down as"),
            Column("value", pl.String, "更正内容", "what is to be corrected"),
            Column("replied_on", pl.Date, "答复日期", "when"),
        ),
        ("residence_district", "person_id", "notice_id"),
    ),
)
