"""CSV: every encoding, separator and line fault of the contract."""

from __future__ import annotations

import gzip
import zlib

import pytest

from schemas.exports import encoding as encoding_module
from schemas.exports import text as text_module
from tests.schemas.intake_desk import csv_text, grid, headings, valid_row

NAME = "education_20261101.csv"
RARE = "䶮㼆𬱖·买买提"  # GBK has none of the first three; GB18030 all


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("gb18030", "gb18030"), ("gbk", "gb18030"), ("utf-16", "utf-16-le"), ("utf-16-be", "utf-16-be")],
)
@pytest.mark.parametrize("separator", [",", "\t"])
def test_encoding_and_separator_are_found(desk, encoding, said, separator):
    name = "张三" if encoding == "gbk" else RARE
    content = csv_text(grid("education", [valid_row("education", name=name)]), separator).encode(encoding)
    if encoding == "utf-16-be":
        content = b"\xfe\xff" + content
    desk.put("education", NAME, content)
    taken = desk.take("education")
    assert taken.accepted["name"].to_list() == [name]
    assert (taken.receipt(NAME)["encoding"], taken.receipt(NAME)["separator"]) == (said, "comma" if separator == "," else "tab")


def test_characters_that_gb18030_of_2005_kept_in_private_use_are_the_same_in_every_encoding(desk):
    old, new = b"\xfe\x59\xfe\x67\xa8\xbc", "龴龷ḿ"
    text = csv_text(grid("education", [valid_row("education", name="王@@")]))
    desk.put("education", "education_20261101_a.csv", text.encode("gb18030").replace(b"@@", old))
    desk.put("education", "education_20261101_b.csv", text.replace("@@", new).encode("utf-8"))
    desk.put("education", "education_20261101_c.csv", text.replace("@@", new).encode("gb18030"))
    assert desk.take("education").accepted["name"].unique().to_list() == ["王" + new]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_and_line_breaks_inside_quotes(desk, line_end):
    rows = [valid_row("education", name=f"测{i}", address="某路1号\n2单元,\"东\"") for i in range(3)]
    desk.put("education", NAME, csv_text(grid("education", rows), line_end=line_end).encode())
    accepted = desk.take("education").accepted
    assert accepted["address"].to_list() == ["某路1号\n2单元,\"东\""] * 3
    assert accepted["source_row"].to_list() == [1, 2, 3]


def test_title_rows_above_and_total_rows_below_are_no_records(desk):
    cells = [["重庆市学籍表"], ["报送单位：", "某区"], [], *grid("education", [valid_row("education")] * 2), ["合计", "2"], [], ["填表人：甲", "", "审核人：乙"]]
    desk.put("education", NAME, csv_text(cells).encode("gb18030"))
    taken = desk.take("education")
    receipt = taken.receipt(NAME)
    assert taken.accepted["source_row"].to_list() == [1, 2]
    assert (receipt["rows_in"], receipt["rows_total"], receipt["rows_blank"], receipt["rows_quarantined"]) == (2, 2, 1, 0)


def test_blank_rows_count_so_that_a_row_number_is_where_the_clerk_finds_it(desk):
    cells = grid("education", [valid_row("education")] * 2)
    desk.put("education", NAME, csv_text([cells[0], [], cells[1], [""] * len(cells[0]), cells[2]]).encode())
    assert desk.take("education").accepted["source_row"].to_list() == [2, 4]


def test_a_row_too_short_or_too_long_is_quarantined_and_separators_at_the_end_are_no_fault(desk):
    head, *rows = grid("education", [valid_row("education", name=f"测{i}") for i in range(4)])
    rows[1] = [*rows[1], "", "", ""]
    rows[2] = [*rows[2], "多出"]
    rows[3] = rows[3][:-2]
    desk.put("education", NAME, csv_text([head, *rows]).encode())
    taken = desk.take("education")
    assert taken.accepted["name"].to_list() == ["测0", "测1"]
    assert taken.reasons() == {3: ["ragged_row"], 4: ["ragged_row"]}
    assert taken.quarantine["reasons_zh"][0].to_list() == ["本行的列数与表头不一致，可能是内容中多了或少了分隔符"]
    assert taken.quarantine["original"][0].to_list()[-1] == {"heading": "（无表头）", "value": "多出"}


def test_undecodable_bytes_cost_one_line_only(desk):
    rows = [valid_row("education", name=f"测{i}") for i in range(30)]
    for encoding, part, bad in (("gb18030", "a", b"\xff"), ("utf-8", "b", b"\xc3\x28")):
        content = csv_text(grid("education", rows)).encode(encoding).replace("测7".encode(encoding), bad + b"7")
        desk.put("education", f"education_20261101_{part}.csv", content)
    taken = desk.take("education")
    assert taken.quarantine.select("source_file", "source_row").rows() == [("education_20261101_a.csv", 8), ("education_20261101_b.csv", 8)]
    assert taken.accepted.height == 58
    assert all(r == ["undecodable_bytes"] for r in taken.quarantine["reasons"].to_list())
    assert "\ufffd" in {c["heading"]: c["value"] for c in taken.quarantine["original"][0]}["姓名"]
    assert taken.receipt("education_20261101_b.csv")["encoding"] == "utf-8"


def test_a_file_whose_rows_are_in_another_encoding_than_its_headings_is_rejected(desk):
    head, *rows = grid("education", [valid_row("education", name="测甲")] * 12)
    desk.put("education", NAME, csv_text([head]).encode() + csv_text(rows).encode("gb18030"))
    assert desk.take("education").receipt(NAME)["message"] == "12行中有12行无法解码，文件混用了不同编码或已损坏；请以同一种编码重新导出"


def test_a_quote_never_closed_costs_one_row_and_not_those_behind_it(desk):
    text = csv_text(grid("education", [valid_row("education", name=f"测{i}") for i in range(400)]))
    desk.put("education", NAME, text.replace("测3,", '"测3,').replace("测5,", '测"5,').encode())
    taken = desk.take("education")
    assert taken.reasons() == {4: ["broken_quotes"]}
    assert taken.accepted.height == 399
    assert '测"5' in taken.accepted["name"]
    (cell,) = taken.quarantine["original"][0].to_list()
    assert cell["heading"] == "（整行）" and cell["value"].startswith("G5")


def test_a_record_across_two_blocks_of_the_file_stays_one(desk, monkeypatch):
    monkeypatch.setattr(encoding_module, "BLOCK", 997)
    monkeypatch.setattr(text_module, "HEAD", 997)
    rows = [valid_row("education", name=f"测{i}", address=f"甲\n乙{i}\n丙") for i in range(50)]
    for part, encoding in (("a", "gb18030"), ("b", "utf-16"), ("c", "utf-8")):
        desk.put("education", f"education_20261101_{part}.csv", csv_text(grid("education", rows)).encode(encoding))
    accepted = desk.take("education").accepted
    assert accepted["address"].to_list() == [f"甲\n乙{i}\n丙" for i in range(50)] * 3
    assert accepted["source_row"].to_list() == list(range(1, 51)) * 3


def test_a_gzip_is_read_whatever_the_case_of_its_name(desk):
    desk.put("education", "education_20261101.CSV.GZ", gzip.compress(csv_text(grid("education", [valid_row("education")])).encode("gb18030")))
    assert desk.take("education").accepted.height == 1


def whole() -> bytes:
    return csv_text(grid("education", [valid_row("education", name=f"测{i}", address=str(zlib.crc32(bytes([i % 251])) * i)) for i in range(3000)])).encode()


BROKEN = [
    ("education_20261101.csv", b"", "文件是空的（0字节），请重新导出"),
    ("education_20261101.csv", b"\r\n  \r\n", "文件是空的，没有表头也没有数据；请重新导出"),
    ("education_20261101.csv.gz", gzip.compress(whole())[:-2000], "压缩文件不完整（可能传输中断），请重新压缩并报送"),
    ("education_20261101.csv.gz", gzip.compress(whole())[:200] + b"\0" * 5000, "不是有效的gzip压缩文件或文件已损坏，请重新压缩并报送"),
    ("education_20261101.csv.gz", gzip.compress(b""), "文件是空的，没有表头也没有数据；请重新导出"),
    ("education_20261101.csv.gz", whole(), "扩展名是.csv.gz，内容却是文本文件；请按真实格式另存后重新报送"),
    ("education_20261101.csv", gzip.compress(whole()), "扩展名是.csv，内容却是gzip压缩文件；请按真实格式另存后重新报送"),
    ("education_20261101.csv", b"PK\x03\x04" + bytes(100), "扩展名是.csv，内容却是xlsx工作簿（或zip压缩包）；请按真实格式另存后重新报送"),
    ("education_20261101.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "扩展名是.csv，内容却是旧版.xls或加密的工作簿；请按真实格式另存后重新报送"),
    ("education_20261101.csv", "<html><table><tr><td>学籍号".encode(), "扩展名是.csv，内容却是网页（HTML）；请按真实格式另存后重新报送"),
    ("education_20261101.csv", whole().decode().encode("utf-16-le"), "文件像是不带BOM的UTF-16编码，不能可靠读取；请另存为UTF-8或GB18030编码的CSV"),
    ("education_20261101.csv", whole().decode().encode("utf-32"), "文件是UTF-32编码，不能读取；请另存为UTF-8或GB18030编码的CSV"),
    ("education_20261101.csv", whole()[:100] + b"\0" + whole()[100:], "文件含有空字节，不是文本文件；请重新导出CSV"),
    ("education_20261101.csv", csv_text([["甲", "乙"]] * 40).encode(), "前30行中找不到表头；必须有的列：学籍号、姓名、学校所在区划。请保留原系统导出的表头行"),
    (
        "education_20261101.csv",
        csv_text([["学籍号", "性别", "备注", "学校所在区划"], ["1", "男", "", "500106"]]).encode(),
        "缺少必需的列：姓名；文件中的表头为：学籍号、性别、备注、学校所在区划。请补上后重新报送",
    ),
    (
        "education_20261101.csv",
        csv_text([["学籍号", "姓名", "学校所在区划", "姓 名"], ["1", "甲", "500106", "乙"]]).encode("gb18030"),
        "表头重复：姓名；文件中的表头为：学籍号、姓名、学校所在区划、姓名。请只保留一列后重新报送",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "message"), BROKEN, ids=[f"{i}-{m[:12]}" for i, (_, _, m) in enumerate(BROKEN)])
def test_a_file_that_cannot_be_read_is_rejected_in_words_and_the_others_go_on(desk, name, content, message):
    desk.put("education", name, content)
    desk.put_rows("education", "education_20261101_500107.csv", [valid_row("education")])
    taken = desk.take("education")
    assert taken.receipt(name)["message"] == message
    assert (taken.state(name), taken.receipt(name)["rows_in"]) == ("rejected", 0)
    assert taken.accepted.height == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("rows", [2, 1200])
def test_a_file_that_breaks_off_in_its_last_line_is_rejected_wherever_that_shows(desk, encoding, rows):
    """Cut at each byte of its last line: not told from a whole file only behind the line, within its last cell, and within its first."""
    text = csv_text(grid("education", [valid_row("education", name=f"测{i}", guardian1_name="某甲") for i in range(rows)]))
    whole, lines = text.encode(encoding), text.splitlines(keepends=True)
    start = len("".join(lines[:-1]).encode(encoding))
    line = lines[-1].encode(encoding.replace("-sig", "")).removeprefix(b"\xff\xfe")
    seen = {}
    for cut in range(start + 1, start + len(line), 1 if rows == 2 else 13):
        shown = whole[start:cut].decode(encoding.replace("utf-16", "utf-16-le").replace("-sig", ""), "replace")
        name = f"education_20261101_{cut}.csv"
        seen[name] = 0 < shown.count(",") < len(headings("education")) - 1 or "\ufffd" in shown
        desk.put("education", name, whole[:cut])
    taken = desk.take("education")
    assert {name: taken.state(name) == "rejected" for name in seen} == seen
    assert 0 < sum(seen.values()) < len(seen)
    assert {"文件在最后一行中断" in m for m in taken.receipts.filter(state="rejected")["message"]} == {True}


def test_a_file_that_breaks_off_within_its_headings_says_so(desk):
    desk.put("education", "education_20261101.csv", ",".join(headings("education")).encode()[:-1])
    assert desk.take("education").receipt("education_20261101.csv")["message"] == "文件在最后一行中断（表头没有写完），导出或传输可能没有完成；请重新导出并报送"


def test_an_export_that_was_cut_before_it_was_packed_is_rejected_too(desk):
    text = csv_text(grid("education", [valid_row("education") for _ in range(50)]))
    desk.put("education", "education_20261101.csv.gz", gzip.compress(text[: text.rindex(",") - 20].encode()))
    taken = desk.take("education")
    assert "最后一行中断" in taken.receipt("education_20261101.csv.gz")["message"] and taken.accepted.height == 0


def test_a_last_line_without_an_end_is_no_fault_where_it_has_all_its_cells_or_rows_leave_out_empty_ones(desk):
    row = valid_row("education")
    whole = csv_text(grid("education", [row, row])).removesuffix("\r\n")
    short = csv_text([headings("education"), *([row.get(h, "") for h in headings("education")][:14] for _ in range(2))]).removesuffix("\r\n")
    total = csv_text([*grid("education", [row, row]), ["共2人"]]).removesuffix("\r\n")
    for i, text in enumerate((whole, short, total)):
        desk.put("education", f"education_20261101_{i}.csv", text.encode())
    assert set(desk.take("education").receipts["state"]) == {"accepted"}


def test_a_gzip_bomb_is_not_inflated(desk, monkeypatch):
    monkeypatch.setattr(encoding_module, "INFLATED_FLOOR", 2**20)
    bomb = gzip.compress(csv_text(grid("education", [])).encode() + b"," * 30_000_000)
    desk.put("education", "education_20261101.csv.gz", bomb)
    message = "压缩包解开后超过原大小的200倍，疑似压缩炸弹，已停止读取；请直接报送.csv文件"
    assert desk.take("education").receipt("education_20261101.csv.gz")["message"] == message


def test_a_line_without_end_is_no_table(desk, monkeypatch):
    monkeypatch.setattr(text_module, "LONGEST_LINE", 2**16)
    monkeypatch.setattr(encoding_module, "BLOCK", 2**14)
    desk.put("education", NAME, csv_text(grid("education", [])).encode() + b"x" * 2**18)
    assert desk.take("education").receipt(NAME)["message"] == "文件中有一行过长，不是表格；请重新导出CSV"


def test_headings_alone_are_accepted_with_no_rows(desk):
    desk.put("education", NAME, csv_text([headings("education")]).encode())
    receipt = desk.take("education").receipt(NAME)
    assert (receipt["state"], receipt["rows_in"], receipt["warnings"]) == ("accepted", 0, ["只有表头，没有数据行"])
