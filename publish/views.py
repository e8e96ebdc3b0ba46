"""The register's views for analysts, with what their columns mean. Enters: nothing. Leaves: `VIEWS`; their queries are sql/views/<name>.sql."""

import polars as pl

from schemas.tables.table import Column, Table, req

VIEWS: tuple[Table, ...] = (
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
)
