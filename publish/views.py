"""The register's views for analysts, with what their columns mean. Enters: nothing. Leaves: `VIEWS`, of which each rests on earlier ones alone; their queries are sql/views/<name>.sql."""

from pathlib import Path

import polars as pl

from publish.comments import quoted
from publish.handout_views import HANDOUT_VIEWS
from schemas.tables.table import Column, Table, req

_QUERIES = Path(__file__).parent / "sql" / "views"

VIEWS: tuple[Table, ...] = (
    Table(
        "v_merged_person",
        "已并入他人的人员编码及其现用编码",
        "identifiers that were merged, and the one that stands for the child now, over any number of merges; later views rest on it",
        (
            req("person_id", pl.String, "原人员编码", "the identifier that was merged"),
            req("now_id", pl.String, "现用人员编码", "the identifier the child goes by now"),
        ),
        ("person_id",),
    ),
    Table(
        "v_flowing_by_district",
        "各区县流动儿童数",
        "flowing children by district of residence",
        (
            Column("residence_district", pl.String, "居住区县代码", "district of residence"),
            Column("district_name", pl.String, "居住区县", "its name"),
            req("children", pl.Int64, "流动儿童数", "children on the list"),
            req("in_city", pl.Int64, "市内跨区县", "those whose hukou is in the city"),
            req("into_city", pl.Int64, "市外流入", "those whose hukou is outside it"),
            req("key_care", pl.Int64, "重点关爱儿童数", "those with at least one key-care category"),
            req("verified", pl.Int64, "已有核实反馈", "those that a department has answered on"),
        ),
        ("residence_district",),
    ),
    Table(
        "v_flow",
        "户籍地到居住地的流向",
        "from where to where: flowing children by district of the hukou and of residence",
        (
            Column("hukou_district", pl.String, "户籍区县代码", "district of the hukou"),
            Column("hukou_name", pl.String, "户籍区县", "its name"),
            Column("residence_district", pl.String, "居住区县代码", "district of residence"),
            Column("residence_name", pl.String, "居住区县", "its name"),
            req("children", pl.Int64, "流动儿童数", "children"),
        ),
        ("hukou_district", "residence_district"),
    ),
    Table(
        "v_outcome",
        "认定结果与理由",
        "children by outcome and reason",
        (
            req("outcome", pl.String, "认定结果", "flowing, not_flowing, undetermined"),
            req("reason", pl.String, "理由", "the first reason that holds"),
            req("children", pl.Int64, "儿童数", "children"),
        ),
        ("outcome", "reason"),
    ),
    Table(
        "v_data_quality",
        "各部门数据质量",
        "what came of each feed's rows",
        (
            req("feed", pl.String, "数据来源", "the feed"),
            req("files", pl.Int64, "文件数", "files in use"),
            Column("newest_export", pl.Date, "最近导出日期", "newest export date in use"),
            req("rows_in", pl.Int64, "数据行数", "rows"),
            req("rows_quarantined", pl.Int64, "退回行数", "rows quarantined"),
            req("with_warnings", pl.Int64, "有提示的行数", "accepted rows with something faulty in them"),
            req("with_valid_id", pl.Int64, "证件号有效的行数", "accepted rows with a valid id number"),
            req("linked", pl.Int64, "与其他记录关联的行数", "accepted rows that were linked to another row"),
        ),
        ("feed",),
    ),
    Table(
        "v_open_alert",
        "未办结预警",
        "alerts that are not closed, by department, district and kind",
        (
            req("department", pl.String, "责任部门", "who should act"),
            Column("district_name", pl.String, "责任区县", "district"),
            req("kind", pl.String, "预警类型", "what it is about"),
            req("title", pl.String, "预警名称", "the same in Chinese"),
            req("alerts", pl.Int64, "预警数", "alerts"),
            req("overdue", pl.Int64, "逾期数", "those past their date"),
        ),
        ("department", "district_name", "kind"),
    ),
    Table(
        "v_ledger_change",
        "台账逐日变动",
        "ledger events by day and kind",
        (
            req("on_date", pl.Date, "变动日期", "as-of date of the night"),
            req("kind", pl.String, "变动类型", "what changed"),
            req("events", pl.Int64, "变动数", "events"),
            req("children", pl.Int64, "涉及儿童数", "children concerned"),
        ),
        ("on_date", "kind"),
    ),
    Table(
        "v_verification_progress",
        "各区县各部门核实进度（按季度）",
        "of each quarter's first roster for a district and department: how many of its children have been answered on",
        (
            req("quarter", pl.Date, "季度（首日）", "first day of the quarter in which the rosters were cut"),
            Column("district", pl.String, "居住区县代码", "district of the roster"),
            Column("district_name", pl.String, "居住区县", "its name"),
            req("department", pl.String, "核实部门", "department asked"),
            req("asked_on", pl.Date, "发出日期", "as-of date of the quarter's first roster"),
            req("children", pl.Int64, "儿童数", "children on it"),
            req("answered", pl.Int64, "已反馈儿童数", "those of them with a usable answer on a roster of the quarter"),
            req("outstanding", pl.Int64, "未反馈儿童数", "the others"),
            Column("last_answer_on", pl.Date, "最近核实日期", "day of the newest answer"),
        ),
        ("quarter", "district", "department"),
    ),
    Table(
        "v_verification_contradiction",
        "部门间不一致的核实反馈",
        "answers of departments that differ about the same child in the same round",
        (
            Column("person_id", pl.String, "人员编码", "the child"),
            Column("question", pl.String, "所答问题", "what they differ about, as in verification_state"),
            Column("department", pl.String, "核实部门", "who answered"),
            Column("result", pl.String, "核实结果", "the answer"),
            Column("field", pl.String, "更正项目", "what it corrects"),
            req("state", pl.String, "状态", "what became of it"),
            Column("problem", pl.String, "未采纳原因", "why it does not count"),
            Column("verified_on", pl.Date, "核实日期", "when"),
            req("roster_id", pl.String, "花名册编号", "the roster"),
            req("source_file", pl.String, "来源文件", "file in which the answer lies"),
            req("source_row", pl.UInt32, "来源行号（标题下第一行为1）", "its row"),
            req("record_hash", pl.UInt64, "记录内容指纹", "the answer, as in verification_answer"),
        ),
        ("person_id", "question", "verified_on", "record_hash"),
    ),
    Table(
        "v_verification_unused",
        "未采纳的核实反馈",
        "answers that do not count, by file and row, and why",
        (
            req("source_file", pl.String, "来源文件", "file in which the answer lies"),
            req("source_row", pl.UInt32, "来源行号（标题下第一行为1）", "its row"),
            Column("person_id", pl.String, "人员编码", "the child; null where nobody ever had the identifier"),
            Column("department", pl.String, "核实部门", "who answered"),
            req("state", pl.String, "状态", "noted, superseded, contradicted, waiting, unusable"),
            Column("problem", pl.String, "未采纳原因", "why"),
            req("record_hash", pl.UInt64, "记录内容指纹", "the answer, as in verification_answer"),
        ),
        ("source_file", "source_row", "record_hash"),
    ),
    *HANDOUT_VIEWS,
)


def create_view(name: str, *, temporary: bool = False) -> str:
    """The CREATE statement of one of `VIEWS`."""
    return f"CREATE {'TEMP ' if temporary else ''}VIEW {quoted(name)} AS {(_QUERIES / f'{name}.sql').read_text(encoding='utf-8')}"
