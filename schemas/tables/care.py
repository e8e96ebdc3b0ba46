"""Tables of help: visit (what visits found), resource (places that offer help), match_suggestion (which place fits which need)."""

import polars as pl

from schemas.tables.table import Column, Table, req

NEARNESS = ("township", "district", "zone", "city")
MATCH_STATUSES = ("matched", "full", "none_fits")

VISIT = Table(
    "visit",
    "走访记录，一行为一次走访；只增不改",
    "one visit to one child, as it was handed in; append-only",
    (
        req("record_hash", pl.UInt64, "记录内容指纹", "fixed hash of the row"),
        req("person_id", pl.String, "人员编码", "the child as the visit sheet named it"),
        req("visited_on", pl.Date, "走访日期", "the day of the visit"),
        Column("sheet_id", pl.String, "走访表编号", "the visit sheet it was entered on"),
        Column("way", pl.String, "走访方式", "how the child was visited: 入户, 学校, 其他地点, 电话视频"),
        Column("result", pl.String, "走访结果", "what was found: 见到儿童, 未见到儿童, 已离开, 查无此人"),
        Column("situation", pl.String, "强制报告情形", "a situation the police are to be told of: 无, 独自居住, 监护人不履行监护责任, 疑似家庭暴力, 疑似意外伤害或不法侵害"),
        Column("reported_on", pl.Date, "报告公安日期", "when the police were told"),
        Column("still_needs_help", pl.Boolean, "仍需帮扶", "whether the child still needs help"),
        Column("visited_by", pl.String, "走访人", "who visited"),
        Column("remark", pl.String, "走访情况", "what else was written"),
        Column("warnings", pl.List(pl.String), "提示", "what was faulty in the row: a result that was written and cannot be read is none"),
        req("source_file", pl.String, "来源文件", "file in which the visit was first found"),
        req("source_row", pl.UInt32, "来源行号（标题下第一行为1）", "its row"),
    ),
    ("person_id", "visited_on", "record_hash"),
)

RESOURCE = Table(
    "resource",
    "关爱资源，一行为一处资源对一个年龄段提供的服务",
    "one place that offers help, and what it offers to which ages",
    (
        req("resource_id", pl.String, "资源编号", "the sender's number; where it stands on several rows, with /2, /3 … behind"),
        req("name", pl.String, "资源名称", "what the place is called"),
        Column("kind", pl.String, "资源类型", "what kind of place it is"),
        Column("district", pl.String, "所在区县", "district code in force today; null where the place cannot be told"),
        Column("township", pl.String, "所在乡镇街道", "township by name"),
        Column("address", pl.String, "地址", "address"),
        req("offers", pl.List(pl.String), "服务内容", "what it offers, sorted"),
        req("reach", pl.String, "服务范围", "乡镇街道, 区县 (also where it was not written), 全市"),
        Column("age_from", pl.Int32, "服务年龄起", "first year of age; null: no limit"),
        Column("age_to", pl.Int32, "服务年龄止", "last year of age; null: no limit"),
        Column("capacity", pl.Int32, "容量", "places; null: no limit stated"),
        Column("in_use", pl.Int32, "已用", "places taken; null counts as none"),
        Column("open_from", pl.Date, "服务开始日期", "first day"),
        Column("open_until", pl.Date, "服务截止日期", "last day"),
        req("is_open", pl.Boolean, "在服务期内", "offers help on the as-of date"),
        Column("contact_phone", pl.List(pl.String), "联系电话", "phones of the place"),
        req("source_file", pl.String, "来源文件", "file it was found in"),
        req("source_row", pl.UInt32, "来源行号（标题下第一行为1）", "its row"),
    ),
    ("resource_id",),
)

MATCH_SUGGESTION = Table(
    "match_suggestion",
    "资源匹配建议，一名儿童一项需求一行",
    "one need of one child and the nearest fitting resource with room, or why there is none",
    (
        req("person_id", pl.String, "人员编码", "the child"),
        req("need", pl.String, "需求", "the help needed, in the words of what resources offer"),
        req("ground", pl.List(pl.String), "情形", "the key-care categories and missing service items it follows from"),
        req("status", pl.String, "匹配结果", "matched; full (places fit, none has room left); none_fits"),
        Column("resource_id", pl.String, "资源编号", "the place suggested"),
        Column("resource_name", pl.String, "资源名称", "its name"),
        Column("nearness", pl.String, "远近", "township, district, zone (both ends within the main urban zone), city"),
        req("district", pl.String, "居住区县", "district code of the child, whose civil affairs department arranges it"),
        req("why", pl.String, "说明", "why this place, or why none, in Chinese"),
        req("is_restricted", pl.Boolean, "仅限民政", "follows from a psychiatric or behavioural entry: for civil affairs alone"),
    ),
    ("person_id", "need"),
)
