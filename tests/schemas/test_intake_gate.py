"""The gate: what is turned away, with every reason; what is taken in with a warning; what is no record at all."""

from __future__ import annotations

import pytest

from schemas.exports.faults import say
from schemas.exports.feeds import FEEDS
from schemas.tables.intake import QUARANTINE
from tests.schemas.intake_desk import headings, valid_row

PLACEHOLDERS = ["", "  ", "\u3000", "无", "-", "/", "NULL", "待补", "不详", "未办理", "0" * 18, "9" * 18, "1" * 18, "#N/A", "#REF!", "#DIV/0!"]
# feed, what is wrong (by our names), reasons
FAULTY = [
    ("education", {"name": ""}, ["missing_need:name"]),
    ("education", {"record_key": "", "name": "不详"}, ["missing_key:record_key", "missing_need:name"]),
    ("education", {"record_key": "", "name": "", "school_division": "某处"}, ["missing_key:record_key", "missing_need:name", "unreadable_need:school_division"]),
    ("education", {"school_division": "999999"}, ["unreadable_need:school_division"]),
    ("household", {"id_number": "无"}, ["missing_key:id_number"]),
    ("household", {"hukou_division": "不详"}, ["missing_need:hukou_division"]),
    ("residence", {"residence_division": "火星"}, ["unreadable_need:residence_division"]),
    ("health", {"birth_date": ""}, ["missing_need:birth_date"]),
    ("health", {"birth_date": "00000000"}, ["missing_need:birth_date"]),
    ("health", {"birth_date": "1900-01-01"}, ["missing_need:birth_date"]),
    ("health", {"birth_date": "1899-12-30 00:00:00"}, ["missing_need:birth_date"]),
    ("health", {"birth_date": "2015-02-30"}, ["unreadable_need:birth_date"]),
    ("health", {"birth_date": "20151301"}, ["unreadable_need:birth_date"]),
    ("health", {"birth_date": "三月"}, ["unreadable_need:birth_date"]),
    ("health", {"birth_date": "2026-11-02"}, ["impossible_need:birth_date"]),
    ("disease_control", {"birth_date": "x", "clinic_division": "x"}, ["unreadable_need:birth_date", "unreadable_need:clinic_division"]),
    ("medical_insurance", {"insured_division": "/"}, ["missing_need:insured_division"]),
    ("survey", {"residence_division": ""}, ["missing_need:residence_division"]),
    ("assistance", {"kind": "别的"}, ["unreadable_need:kind"]),
    ("assistance", {"kind": "无"}, ["missing_need:kind"]),
    ("verification", {"roster_id": "", "person_id": ""}, ["missing_key:roster_id", "missing_key:person_id"]),
    ("verification", {"verified_on": "昨天"}, ["unreadable_need:verified_on"]),
]  # fmt: skip
# what a row can do without, or what can be read
ACCEPTED = [
    ("education", {"id_number": "500106********1234", "birth_date": "2015-02-30", "sex": "?", "guardian1_phone": "1"}),
    ("education", {"school_division": "500106001"}),
    ("education", {"school_division": "500106999"}),
    ("education", {"school_division": "500234"}),
    ("education", {"school_division": "开县"}),
    ("education", {"school_division": "四川省"}),
    ("education", {"school_division": "500100"}),
    ("education", {"school_division": "500106001000"}),
    ("education", {"enrolled_on": "不详", "status": "别的"}),
    ("education", {"name": "□?"}),
    ("household", {"hukou_division": "510000"}),
    ("health", {"birth_date": "42064"}),
    ("health", {"birth_date": "2015年3月1日"}),
    ("health", {"birth_date": "2026-11-01"}),
    ("health", {"name": ""}),
    ("disease_control", {"birth_date": "2015.3.1 08:00"}),
    ("assistance", {"name": "", "id_number": ""}),
    ("verification", {"verified_on": "2026-11-20", "result": ""}),
]


@pytest.mark.parametrize(("feed", "columns", "reasons"), FAULTY)
def test_a_row_without_what_it_needs_goes_back_with_every_reason(desk, feed, columns, reasons):
    good, bad = valid_row(feed), valid_row(feed, **columns)
    desk.put_rows(feed, f"{feed}_20261101.csv", [good, bad, good])
    taken = desk.take(feed)
    assert taken.reasons() == {2: reasons}
    assert taken.accepted["source_row"].to_list() == [1, 3]
    assert taken.quarantine["reasons_zh"][0].to_list() == [say(r, FEEDS[feed]) for r in reasons]


@pytest.mark.parametrize(("feed", "columns"), ACCEPTED)
def test_a_fault_the_row_can_do_without_does_not_turn_it_away(desk, feed, columns):
    desk.put_rows(feed, f"{feed}_20261101.csv", [valid_row(feed, **columns)])
    taken = desk.take(feed)
    assert taken.reasons() == {}
    assert taken.accepted.height == 1


@pytest.mark.parametrize("feed", FEEDS)
def test_every_feed_takes_in_its_own_valid_rows_in_every_format(desk, feed):
    for i, format_ in enumerate(["csv", "csv.gz", "xlsx", "parquet"]):
        desk.put_rows(feed, f"{feed}_2026110{i + 1}_{i}.{format_}", [valid_row(feed)] * 3)
    taken = desk.take(feed)
    assert taken.quarantine.is_empty()
    assert taken.accepted.height == 12
    assert taken.accepted.columns == ["feed", "source_file", "source_row", "export_date", "warnings", *(c.name for c in FEEDS[feed].columns)]
    assert taken.receipts["state"].to_list() == ["accepted"] * 4
    assert taken.accepted["warnings"].explode().drop_nulls().to_list() == []


@pytest.mark.parametrize("text", PLACEHOLDERS)
def test_a_placeholder_is_no_value(desk, text):
    desk.put_rows("education", "education_20261101.csv", [valid_row("education", id_number=text, name="测甲"), valid_row("education", name=text)])
    taken = desk.take("education")
    assert taken.accepted["id_number"].to_list() == [None]
    assert taken.reasons() == {2: ["missing_need:name"]}


def test_a_word_of_the_column_is_kept_though_it_reads_like_a_placeholder(desk):
    desk.put_rows("education", "education_20261101.csv", [valid_row("education", psych_level=" 无 ", id_type="无", address="无")])
    assert desk.take("education").accepted.select("psych_level", "id_type", "address").rows() == [("无", "无", None)]


def test_cells_are_stripped_and_otherwise_as_they_came(desk):
    columns = {"id_number": "'500106201501011230\t", "name": "\u3000张 三（大）\xa0", "address": "\ufeff 某路 "}
    desk.put_rows("education", "education_20261101.csv", [valid_row("education", **columns)])
    assert desk.take("education").accepted.select("id_number", "name", "address").rows() == [("500106201501011230", "张 三（大）", "某路")]


def test_repeated_rows_and_keys_are_accepted(desk):
    desk.put_rows("education", "education_20261101.csv", [valid_row("education")] * 3 + [valid_row("education", name="测乙")])
    assert desk.take("education").accepted.height == 4


@pytest.mark.parametrize(
    ("feed", "key", "is_odd"),
    [
        ("education", "G50010620150301123X", False), ("education", "g50010620150301123x", False), ("education", "L500106201503011234", False),
        ("education", "500106201503011237", True), ("education", "G5001", True), ("health", "5001060010010000", True),
        ("disease_control", "50010600102015000X", True), ("disability", "50010620150301123X11B2", False), ("disability", "50010620150301123781", True),
        ("household", "500106********1234", True), ("household", "5.00106E+17", True), ("household", "５００１０６２０１５０３０１１２３７", False),
        ("survey", "whatever", False),
    ],
)  # fmt: skip
def test_a_key_of_odd_form_is_a_warning(desk, feed, key, is_odd):
    name = FEEDS[feed].key_columns[0]
    desk.put_rows(feed, f"{feed}_20261101.csv", [valid_row(feed, **{name: key})])
    assert desk.take(feed).accepted["warnings"].to_list() == [[f"odd_key:{name}"] if is_odd else []]


def test_quarantine_holds_the_cells_as_they_came_with_unknown_columns(desk):
    row = valid_row("education", name=" 无 ", address=" 某路 ")
    head = ["备注1", *headings("education")]
    desk.put("education", "education_20261101.csv", "\n".join([",".join(head), ",".join(["留言", *(row.get(h, "") for h in head[1:])])]).encode())
    taken = desk.take("education")
    original = {c["heading"]: c["value"] for c in taken.quarantine["original"][0]}
    assert (original["备注1"], original["姓名"], original["现住址"]) == ("留言", " 无 ", " 某路 ")
    assert list(original) == head
    receipt = taken.receipt("education_20261101.csv")
    assert receipt["unknown_columns"] == ["备注1"]
    assert receipt["warnings"] == ["有1列不在约定之内，未采用：备注1", "有1行未被接受，已退回"]
    assert taken.quarantine.schema == QUARANTINE.schema


def test_columns_that_may_be_missing_are_null(desk):
    desk.put("education", "education_20261101.csv", "学籍号,姓名,学校所在区划\nG500106201503011237,测甲,500106\n".encode())
    (row,) = desk.take("education").accepted.to_dicts()
    assert {k for k, v in row.items() if v} == {"feed", "source_file", "source_row", "export_date", "record_key", "name", "school_division"}


# first cells of a row, and whether it is a record: 户号 and 公民身份号码 (key), 姓名 (need), then others
TOTALS = [
    (["合计", "20"], False), (["合 计", "", "20"], False), (["总计：20人"], False), (["小计", "3"], False), (["", "合计", ""], False), (["20", "合计"], True),
    (["填表人", "某甲", "", "审核人", "某乙"], False), (["填表人：某甲　审核人：某乙"], False), (["填报单位（盖章）"], False), (["合计（人）", "3"], False), (["填报日期：2026-11-01"], False),
    (["注：本表一式两份"], False), (["注：本表", "500106201503011237"], True), (["制表人:某甲", "", "", "2026年11月1日"], False), (["合计20"], False),
    (["共计", "", "", "", "", "", "", "", "1"], False), (["合计", "500106201503011237", "测甲", "", "", "", "", "", "500106"], True), (["合计户", "", "测甲"], True),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "is_record"), TOTALS)
@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_a_total_or_signature_row_is_no_record(desk, cells, is_record, format_):
    from tests.schemas.intake_desk import as_file, grid

    name = f"household_20261101.{format_}"
    desk.put("household", name, as_file([*grid("household", [valid_row("household")]), cells + [""] * (19 - len(cells))], format_))
    receipt = desk.take("household").receipt(name)
    assert (receipt["rows_in"], receipt["rows_total"]) == ((2, 0) if is_record else (1, 1))


@pytest.mark.parametrize("written", ["{}", "*{}", "{}（必填）", "[{}]", "#{}："])
def test_headings_repeated_half_way_are_no_record(desk, written):
    from tests.schemas.intake_desk import as_file, grid

    rows = grid("household", [valid_row("household"), {h: h for h in headings("household")}, valid_row("household")])
    cells = [[written.format(h) for h in row] if row[0] == "户号" else row for row in rows]
    desk.put("household", "household_20261101.csv", as_file(cells, "csv"))
    receipt = desk.take("household").receipt("household_20261101.csv")
    assert (receipt["rows_in"], receipt["rows_accepted"], receipt["rows_total"]) == (2, 2, 1)


def test_every_reason_has_a_sentence_and_an_unknown_one_has_none():
    assert say("ragged_row", FEEDS["health"]) == "本行的列数与表头不一致，可能是内容中多了或少了分隔符"
    assert say("missing_key:record_key", FEEDS["health"]) == "缺少“档案编号”，这是识别该行的编号，必须填写"
    assert say("missing_need:birth_date", FEEDS["health"]) == "缺少“出生日期”，该项必须填写"
    assert say("unreadable_need:birth_date", FEEDS["health"]) == "“出生日期”无法识别，请按规定格式重新填写"
    assert say("impossible_need:birth_date", FEEDS["health"]) == "“出生日期”晚于本表导出日期，请核对"
    assert say("undecodable_bytes", FEEDS["health"]) == "本行含有无法解码的字节（乱码），请从原系统重新导出"
    assert say("broken_quotes", FEEDS["health"]) == "本行的引号不成对，无法分列"
    assert say("odd_key:record_key", FEEDS["health"]) == "“档案编号”的位数或格式与规定不符，已照收，请核对"
    assert say("id_stored_as_number:id_number", FEEDS["health"]) == "“身份证号”在表格中存成了数值，末几位已丢失，按未填处理；请把该列设为“文本”后重新录入"
    with pytest.raises(KeyError):
        say("something", FEEDS["health"])
