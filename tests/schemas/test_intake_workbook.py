"""Workbooks: the sheet and heading row found by headings, each cell by its type, and packages that must not be opened."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from schemas.exports import workbook as workbook_module
from tests.schemas.intake_desk import grid, headings, valid_row, workbook_bytes

NAME = "household_20261101.xlsx"


def put(desk, rows, feed="household", name=None, **more):
    name = name or f"{feed}_20261101.xlsx"
    desk.put(feed, name, workbook_bytes([headings(feed), *([r.get(h) for h in headings(feed)] for r in rows)], **more))
    return name


def test_headings_are_found_on_the_sheet_that_has_them_below_titles(desk):
    cells = [["重庆市户籍儿童名册"], [], ["单位：某区"], *grid("household", [valid_row("household")]), ["合计", 1], ["填表人：甲", None, "审核人：乙"]]
    desk.put("household", NAME, workbook_bytes(cells, before={"填表说明": [["请按要求填写", "截止日期"]], "空": []}))
    taken = desk.take("household")
    receipt = taken.receipt(NAME)
    assert (receipt["rows_in"], receipt["rows_accepted"], receipt["rows_total"], taken.accepted["source_row"].to_list()) == (1, 1, 2, [1])
    assert receipt["warnings"] == ["工作表“填表说明”未读取，数据取自工作表“数据”", "跳过2行合计、填表人等非数据行"]


def test_rows_on_a_second_sheet_of_the_same_kind_are_said_not_to_be_read(desk):
    cells = grid("household", [valid_row("household")])
    desk.put("household", NAME, workbook_bytes(cells, sheet="二街道", before={"一街道": cells, "空白样表": cells[:1]}))
    taken = desk.take("household")
    assert taken.accepted.height == 1
    assert taken.receipt(NAME)["warnings"] == [
        "工作表“空白样表”未读取，数据取自工作表“一街道”",
        "另有工作表“二街道”带有同样的表头和数据，未读取，数据只取自工作表“一街道”；请合并为一张，或分别另存为单独的文件报送",
    ]


@pytest.mark.parametrize("before", [{"上期": grid("household", [valid_row("household", name="旧")])}, {"样表": [*grid("household", []), ["填表人：甲"]]}], ids=["hidden", "empty form"])
def test_a_hidden_sheet_or_an_empty_form_in_front_does_not_take_the_place_of_the_rows(desk, before):
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(workbook_bytes(grid("household", [valid_row("household")]), before=before)))
    if "上期" in before:
        book["上期"].sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    desk.put("household", NAME, out.getvalue())
    taken = desk.take("household")
    assert taken.accepted["name"].to_list() == ["测甲"]
    assert [w for w in taken.receipt(NAME)["warnings"] if "未读取" in w]


def test_merged_title_cells_and_merged_headings_do_not_shift_the_columns(desk):
    import openpyxl

    book = openpyxl.Workbook()
    page = book.active
    page.append(["户籍儿童名册"])
    page.merge_cells("A1:H2")
    page["A3"] = "2026年11月"
    page.merge_cells("A3:C3")
    for i, heading in enumerate(headings("household"), start=1):
        page.cell(4, i, heading)
        page.merge_cells(start_row=4, end_row=5, start_column=i, end_column=i)
    for i, heading in enumerate(headings("household"), start=1):
        page.cell(6, i, valid_row("household").get(heading))
    out = io.BytesIO()
    book.save(out)
    desk.put("household", NAME, out.getvalue())
    taken = desk.take("household")
    assert taken.accepted.select("source_row", "name").rows() == [(2, "测甲")]


def test_what_is_merged_downwards_stands_in_each_of_its_rows_that_holds_anything(desk):
    import openpyxl

    rows = [valid_row("survey", record_key=key, name=name, address=address) for key, name, address in (("1", "甲", "某路1号"), ("2", "乙", ""), ("3", "丙", ""))]
    book = openpyxl.load_workbook(io.BytesIO(workbook_bytes([["季度摸排"], headings("survey"), *([r.get(h) for h in headings("survey")] for r in rows)])))
    page = book.active
    address, division = (headings("survey").index(h) + 1 for h in ("现住址", "现住地区划"))
    page.merge_cells("A1:H1")
    page.merge_cells(start_row=3, end_row=4, start_column=address, end_column=address + 1)
    page.merge_cells(start_row=3, end_row=40, start_column=division, end_column=division)
    page["A50"] = "填表人：甲"
    out = io.BytesIO()
    book.save(out)
    desk.put("survey", "survey_20261101.xlsx", out.getvalue())
    taken = desk.take("survey")
    assert taken.accepted.select("name", "address", "residence_division").rows() == [("甲", "某路1号", "500106"), ("乙", "某路1号", "500106"), ("丙", None, "500106")]
    receipt = taken.receipt("survey_20261101.xlsx")
    assert (receipt["rows_in"], receipt["rows_total"], receipt["warnings"][0]) == (3, 1, "有2处上下合并的单元格，内容已填入合并的各行；请尽量不要合并数据单元格")


def test_an_id_in_a_number_cell_is_dropped_and_said_and_where_it_is_the_key_the_row_goes_back(desk):
    lost = 500106201503011237
    put(desk, [valid_row("household") | {"公民身份号码": lost}, valid_row("household") | {"父亲身份号码": lost}])
    put(desk, [valid_row("education") | {"身份证件号": lost, "学校标识码": 2150001234, "监护人1证件号": 500106850301123}], "education")
    taken = desk.take("household")
    assert taken.reasons() == {1: ["key_stored_as_number:id_number"]}
    assert taken.quarantine["reasons_zh"][0].to_list() == ["“公民身份号码”在表格中存成了数值，末几位已丢失；请把该列设为“文本”后重新录入"]
    assert taken.accepted.select("father_id_number", "warnings").rows() == [(None, ["id_stored_as_number:father_id_number"])]
    (row,) = desk.take("education").accepted.to_dicts()
    assert (row["id_number"], row["school_id"], row["guardian1_id_number"]) == (None, "2150001234", "500106850301123")
    assert row["warnings"] == ["id_stored_as_number:id_number"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (42064, "42064"), (42064.0, "42064"), (42064.5, "42064.5"), (datetime.fromisoformat("2015-03-01"), "2015-03-01"), (date(2015, 3, 1), "2015-03-01"),
        (datetime.fromisoformat("2015-03-01 08:05"), "2015-03-01 08:05:00"), ("2015.3.1", "2015.3.1"), (20150301, "20150301"), (time(0, 0), None), (None, None),
    ],
)  # fmt: skip
def test_date_cells_come_as_iso_text_and_bare_serials_stay_numbers(desk, value, text):
    put(desk, [valid_row("household") | {"出生日期": value}])
    assert desk.take("household").accepted["birth_date"].to_list() == [text]


@pytest.mark.parametrize(("value", "text"), [(40602, "42064"), (40602.5, "42064.5"), (date(2015, 3, 1), "2015-03-01"), ("40602", "40602"), (20150301, "20150301"), (2015, "2015")])
def test_a_workbook_that_counts_days_from_1904_has_the_same_days(desk, value, text):
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    book.active.append(headings("household"))
    row = valid_row("household") | {"出生日期": value, "户号": 40602}
    book.active.append([row.get(h) for h in headings("household")])
    content = io.BytesIO()
    book.save(content)
    desk.put("household", NAME, content.getvalue())
    assert desk.take("household").accepted.select("birth_date", "household_key").row(0) == (text, "40602")


@pytest.mark.parametrize(("value", "text"), [(True, "是"), (False, "否"), (13812345678, "13812345678"), (1e20, "100000000000000000000"), (0.1, "0.1"), ("=1+1", None)])
def test_cells_of_other_types_become_what_a_person_would_have_typed(desk, value, text):
    put(desk, [valid_row("household") | {"户籍地址": value}])
    assert desk.take("household").accepted["hukou_address"].to_list() == [text]


def test_a_division_code_in_a_number_cell_is_its_six_digits(desk):
    put(desk, [valid_row("household") | {"户籍地区划": 500106}, valid_row("household") | {"户籍地区划": 500106001000.0}])
    assert desk.take("household").accepted["hukou_division"].to_list() == ["500106", "500106001000"]


def test_values_beside_the_table_are_kept_with_a_row_that_goes_back(desk):
    head, row = grid("household", [valid_row("household", name="")])
    desk.put("household", NAME, workbook_bytes([head, [*row, None, "旁注"]]))
    taken = desk.take("household")
    assert {"heading": f"（第{len(head) + 2}列，无表头）", "value": "旁注"} in taken.quarantine["original"][0].to_list()


def repacked(content: bytes, add: dict[str, bytes], change: dict[str, tuple[bytes, bytes]] | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            before, after = (change or {}).get(name, (b"", b""))
            new.writestr(name, old.read(name).replace(before, after) if before else old.read(name))
        for name, part in add.items():
            new.writestr(name, part)
    return out.getvalue()


GOOD = workbook_bytes(grid("household", [valid_row("household")]))
MACROS = "工作簿带有宏，出于安全不予读取；请另存为不带宏的.xlsx后重新报送"
FAULTS = {
    "macros": (repacked(GOOD, {"xl/vbaProject.bin": b"x"}), MACROS),
    "a workbook type with macros": (
        repacked(GOOD, {}, {"[Content_Types].xml": (b"spreadsheetml.sheet.main+xml", b"sheet.macroEnabled.main+xml")}),
        MACROS,
    ),
    "cut short": (GOOD[:-300], "工作簿不完整或已损坏，请用表格软件重新另存为.xlsx"),
    "more texts said to be shared than it has room for": (
        repacked(GOOD, {"xl/sharedStrings.xml": b'<sst count="1" uniqueCount="4294967295"><si><t>a</t></si></sst>'}), "工作簿已损坏（xl/sharedStrings.xml），请用表格软件重新另存为.xlsx",
    ),
    "no workbook inside": (repacked(GOOD, {})[:0] + repacked(GOOD, {}, {"xl/workbook.xml": (b"<", b"")}), "工作簿已损坏，无法打开；请用表格软件重新另存为.xlsx"),
    "text under a workbook's name": (b"a,b\n1,2\n", "扩展名是.xlsx，内容却是文本文件；请按真实格式另存后重新报送"),
    "a password": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000) + "EncryptedPackage".encode("utf-16-le"), "工作簿设有密码，不能读取；请取消密码后重新报送"),
    "an old workbook renamed": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000), "内容是旧版.xls工作簿，只是改了扩展名；请用表格软件另存为.xlsx后重新报送"),
    "nothing in it": (workbook_bytes([]), "工作簿是空的，没有表头也没有数据；请重新导出"),
    "no headings": (workbook_bytes([["甲"], ["乙"]]), "前30行中找不到表头；必须有的列：公民身份号码、姓名、户籍地区划。请保留原系统导出的表头行"),
    "a needed column missing": (
        workbook_bytes([["姓名", "公民身份号码", "性别"], ["某", "1", "男"]]),
        "缺少必需的列：户籍地区划；文件中的表头为：姓名、公民身份号码、性别。请补上后重新报送",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_workbook_that_cannot_be_taken_in_is_rejected_in_words(desk, fault):
    content, message = FAULTS[fault]
    desk.put("household", NAME, content)
    receipt = desk.take("household").receipt(NAME)
    assert (receipt["state"], receipt["message"]) == ("rejected", message)


def test_a_zip_bomb_is_not_opened(desk):
    bomb = repacked(GOOD, {"xl/worksheets/sheet9.xml": bytes(40 * 2**20)})
    desk.put("household", NAME, bomb)
    message = desk.take("household").receipt(NAME)["message"]
    assert message == "工作簿解开后大小异常（40 MiB），疑似压缩炸弹，不予读取；请另存为.csv后重新报送"


def test_a_part_that_lies_about_its_size_is_damage(desk):
    content = bytearray(repacked(GOOD, {"xl/extra.xml": b"y" * 5000}))
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = (10).to_bytes(4, "little")  # uncompressed size in the central directory
    desk.put("household", NAME, bytes(content))
    assert desk.take("household").state(NAME) == "rejected"


def test_a_workbook_of_many_batches_is_read_whole(desk, monkeypatch):
    monkeypatch.setattr(workbook_module, "BATCH_ROWS", 7)
    put(desk, [valid_row("household", name=f"测{i}") for i in range(50)])
    accepted = desk.take("household").accepted
    assert accepted.select("source_row", "name").rows() == [(i + 1, f"测{i}") for i in range(50)]
