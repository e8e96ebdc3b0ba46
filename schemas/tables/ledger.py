"""Tables of the list and its history: `flowing_child` (the list today), `ledger` (every entry, bitemporal), `ledger_event` (every change and its cause)."""

import polars as pl

from schemas.tables.record import RELATIVE
from schemas.tables.table import Column, Table, req

MOMENT = pl.Datetime("us")
EVENT_KINDS = (
    "listed", "left", "turned_16", "returned", "moved", "corrected", "key_care_added", "key_care_ended", "merged", "split",
)  # fmt: skip

# what an entry says of the child; two spans with the same answer to all of these are one span
ENTRY_STATE = (
    req("is_flowing", pl.Boolean, "是否流动儿童", "on the list as flowing; false where only key care (self_requested_aid) holds the entry"),
    Column("residence_district", pl.String, "居住区县", "district of residence, as in force on valid_from"),
    Column("residence_township", pl.String, "居住乡镇街道", "township of residence by name"),
    Column("hukou_district", pl.String, "户籍区县", "district of the hukou, as in force on valid_from"),
    Column("hukou_township", pl.String, "户籍乡镇街道", "township of the hukou by name"),
    Column("away_since", pl.Date, "离开户籍地日期", "the day the clock started"),
    Column("birth_date", pl.Date, "出生日期", "birth date"),
    req("direction", pl.String, "流动方向", "in_city, into_city, out_of_city, none"),
    req("accompanied", pl.String, "随同情况", "both, one, other_guardian, none, unknown"),
    req("categories", pl.List(pl.String), "重点关爱类别", "key-care categories, sorted"),
)

LEDGER = Table(
    "ledger",
    "流动儿童信息台账，一行为一名儿童在一段时间内的登记；只增不改",
    "one child's entry for one span of time: both when it held and when we knew it; append-only",
    (
        req("entry_id", pl.String, "登记编号", "stable: a fixed hash of what the entry says"),
        req("person_id", pl.String, "人员编码", "the child"),
        *ENTRY_STATE,
        req("valid_from", pl.Date, "有效起始日", "as-of date from which the entry held"),
        Column("valid_to", pl.Date, "有效终止日（不含）", "first day it no longer held; null while it holds"),
        req("recorded_at", MOMENT, "记入时间", "start (UTC) of the run that first knew it"),
        Column("superseded_at", MOMENT, "作废时间", "start (UTC) of the run that knew better; null while it is what we know"),
        req("run_id", pl.String, "运行编号", "the run that recorded it"),
    ),
    ("person_id", "valid_from", "recorded_at", "entry_id"),
)

LEDGER_EVENT = Table(
    "ledger_event",
    "台账变动，一行为一次变动及其原因；只增不改",
    "one change of the ledger and its cause; append-only",
    (
        req("event_id", pl.String, "变动编号", "stable: a fixed hash of child, kind, day and what changed"),
        req("person_id", pl.String, "人员编码", "the child"),
        req("kind", pl.String, "变动类型", ", ".join(EVENT_KINDS)),
        req("on_date", pl.Date, "变动日期", "the as-of date of the night that found it"),
        req("run_id", pl.String, "运行编号", "the run that found it"),
        Column("before", pl.String, "变动前", "JSON of what changed, before; null where there was nothing"),
        Column("after", pl.String, "变动后", "JSON of what changed, after; null where nothing is left"),
        req("cause", pl.String, "原因", "why, in Chinese"),
    ),
    ("on_date", "person_id", "kind", "event_id"),
)

FLOWING_CHILD = Table(
    "flowing_child",
    "流动儿童名册，一行为一名纳入统计的流动儿童",
    "one child who counts as flowing: the roster",
    (
        req("person_id", pl.String, "人员编码", "the child"),
        Column("name", pl.String, "姓名", "name"),
        req("former_names", pl.List(pl.String), "曾用名及其他写法", "other names seen"),
        Column("sex", pl.String, "性别", "male or female"),
        Column("birth_date", pl.Date, "出生日期", "birth date"),
        Column("id_number", pl.String, "身份证号", "id number"),
        req("id_number_status", pl.String, "身份证号状态", "valid, invalid, absent, conflicting"),
        Column("document_type", pl.String, "证件类别", "mainland, hmt, foreign, none; null where not said"),
        Column("ethnicity", pl.String, "民族", "ethnic group"),
        Column("hukou_district", pl.String, "户籍区县代码", "district of the hukou"),
        Column("hukou_district_name", pl.String, "户籍区县", "its name"),
        Column("hukou_township", pl.String, "户籍乡镇街道", "township of the hukou by name"),
        Column("residence_district", pl.String, "居住区县代码", "district of residence"),
        Column("residence_district_name", pl.String, "居住区县", "its name"),
        Column("residence_division", pl.String, "居住区划代码", "division of residence as the evidence gives it"),
        Column("residence_township", pl.String, "居住乡镇街道", "township of residence by name"),
        Column("away_since", pl.Date, "离开户籍地日期", "the day the clock started"),
        req("is_inferred", pl.Boolean, "开始日期为推定", "away_since is inferred, not stated"),
        Column("months_away", pl.Int32, "离开月数", "whole months from away_since to the as-of date"),
        Column("turns_16_on", pl.Date, "年满十六周岁日期", "the 16th birthday, the last day that counts"),
        req("direction", pl.String, "流动方向", "in_city or into_city"),
        req("accompanied", pl.String, "随同情况", "both, one, other_guardian, none, unknown"),
        req("confidence", pl.Float64, "可信度", "0 to 1: strength and age of the evidence the answer rests on"),
        req("guardians", pl.List(RELATIVE), "监护人", "guardians: name, relation, id_number, phone"),
        req("phones", pl.List(pl.String), "联系电话", "phones"),
        Column("school", pl.String, "就读学校", "school of the newest enrolment that still runs (在读)"),
        Column("school_district", pl.String, "学校所在区县代码", "its district"),
        Column("grade", pl.String, "年级", "its grade"),
        Column("insurance_status", pl.String, "参保状态", "状态 of the insurance that runs, else of the newest"),
        Column("insurance_district", pl.String, "参保地区县代码", "where it is insured"),
        Column("insurance_district_name", pl.String, "参保地区县", "its name"),
        Column("insurance_year", pl.Int16, "缴费年度", "year paid for"),
        req("categories", pl.List(pl.String), "重点关爱类别", "key-care categories, sorted"),
        req("first_listed_on", pl.Date, "首次列入日期", "first as-of date the ledger has the child on the list"),
        Column("verified_on", pl.Date, "最近核实日期", "day of the newest answer of a department"),
        Column("verification", pl.String, "最近核实结果", "属实, 不属实, 已离开, 信息有误, 查无此人: the newest answer"),
    ),
    ("person_id",),
)
