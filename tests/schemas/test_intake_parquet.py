"""Parquet: text as it is, every other type as a person would have typed it."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.schemas.intake_desk import headings, parquet_bytes, valid_row

NAME = "education_20261101.parquet"
COLUMNS = {"学籍号": "record_key", "姓名": "name", "身份证件号": "id_number", "出生日期": "birth_date", "是否寄宿": "boarding", "现住址": "address"}


def parquet(**values) -> bytes:
    """One row whose cells are what `values` (by our names) say, as polars series."""
    row = {h: pl.Series([v]) for h, v in valid_row("education").items()}
    by_name = {v: k for k, v in COLUMNS.items()}
    row |= {by_name[n]: v for n, v in values.items()}
    out = io.BytesIO()
    pl.DataFrame(row).write_parquet(out)
    return out.getvalue()


def arrow(**values) -> bytes:
    """As `parquet`, the cells as Arrow arrays, by our names or any other."""
    row = {h: pa.array([v]) for h, v in valid_row("education").items()}
    by_name = {v: k for k, v in COLUMNS.items()}
    row |= {by_name.get(n, n): v for n, v in values.items()}
    out = io.BytesIO()
    pq.write_table(pa.table(row), out)
    return out.getvalue()


@pytest.mark.parametrize("values", [pa.array([1], pa.decimal256(60, 2)), pa.array([timedelta(days=1)]), pa.array([{"a": 1}]), pa.array([b"x"]), pa.array([[[1]]])], ids=lambda v: str(v.type))
def test_a_column_of_no_text_that_is_none_of_ours_stops_nothing(desk, values):
    desk.put("education", NAME, arrow(name=pa.array([""]), 别的=values))
    taken = desk.take("education")
    assert taken.reasons() == {1: ["missing_need:name"]}
    assert {"heading": "别的", "value": "（无法显示）"} in taken.quarantine["original"][0].to_list()


@pytest.mark.parametrize(
    ("column", "series", "text"),
    [
        ("id_number", pl.Series([500106201503011237]), "500106201503011237"),
        ("id_number", pl.Series([500106850301123.0]), "500106850301123"),
        ("record_key", pl.Series([12345], dtype=pl.Int32), "12345"),
        ("birth_date", pl.Series([date(2015, 3, 1)]), "2015-03-01"),
        ("birth_date", pl.Series([datetime.fromisoformat("2015-03-01")]), "2015-03-01"),
        ("birth_date", pl.Series([datetime.fromisoformat("2015-03-01 08:05")]), "2015-03-01 08:05:00"),
        # the city's midnight as a moment; of any other zone the day that the city has then
        ("birth_date", pl.Series([datetime.fromisoformat("2015-02-28 16:00")]).dt.replace_time_zone("UTC"), "2015-03-01"),
        ("birth_date", pl.Series([datetime.fromisoformat("2015-03-01")]).dt.replace_time_zone("UTC"), "2015-03-01 08:00:00"),
        ("birth_date", pl.Series([datetime.fromisoformat("2015-03-01")]).dt.replace_time_zone("Asia/Shanghai"), "2015-03-01"),
        ("id_number", pl.Series([Decimal("500106201503011237")], dtype=pl.Decimal(38, 10)), "500106201503011237"),
        ("birth_date", pl.Series([Decimal(20150310)], dtype=pl.Decimal(38, 0)), "20150310"),
        ("address", pl.Series([Decimal("1.50")], dtype=pl.Decimal(10, 2)), "1.5"),
        ("birth_date", pl.Series([42064]), "42064"),
        ("birth_date", pl.Series([42064.0]), "42064"),
        ("boarding", pl.Series([True]), "是"),
        ("boarding", pl.Series([False]), "否"),
        ("address", pl.Series(["某路"], dtype=pl.Categorical), "某路"),
        ("address", pl.Series([["甲", "乙"]]), "甲;乙"),
        ("address", pl.Series([["甲", None, "乙"]]), "甲;乙"),
        ("address", pl.Series([3.0], dtype=pl.Float32), "3"),
        ("address", pl.Series([float("nan")]), None),
        ("address", pl.Series([1.5]), "1.5"),
        ("address", pl.Series([None], dtype=pl.Null), None),
    ],
)
def test_types_become_text(desk, column, series, text):
    desk.put("education", NAME, parquet(**{column: series}))
    taken = desk.take("education")
    assert taken.accepted[column].to_list() == [text]
    assert "id_stored_as_number" not in str(taken.accepted["warnings"].to_list())


def test_an_id_in_a_floating_column_is_dropped_and_said_and_where_it_is_the_key_the_row_goes_back(desk):
    desk.put("education", NAME, parquet(id_number=pl.Series([500106201503011237.0])))
    assert desk.take("education").accepted.select("id_number", "warnings").rows() == [(None, ["id_stored_as_number:id_number"])]
    desk.put("education", NAME, parquet(record_key=pl.Series([5e17])))
    assert desk.take("education").reasons() == {1: ["key_stored_as_number:record_key"]}


def test_a_missing_id_in_a_floating_column_is_only_missing(desk):
    desk.put("education", NAME, parquet(id_number=pl.Series([float("nan")])))
    assert desk.take("education").accepted.select("id_number", "warnings").rows() == [(None, [])]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (parquet_bytes([headings("education")])[:-20], "Parquet文件不完整或已损坏，请重新导出"),
        (b"PAR1" + bytes(100), "Parquet文件不完整或已损坏，请重新导出"),
        (parquet_bytes([headings("education")]).replace("学籍号".encode(), b"\xb4" * 9), "Parquet文件不完整或已损坏，请重新导出"),
        (parquet(address=pl.Series([{"a": 1}])), "列“现住址”的类型（struct<a: int64>）无法当作文本读取；请以文本列重新导出"),
        (parquet(address=pl.Series([b"x"])), "列“现住址”的类型（large_binary）无法当作文本读取；请以文本列重新导出"),
        (parquet(address=pl.Series([timedelta(days=1)])), "列“现住址”的类型（duration[us]）无法当作文本读取；请以文本列重新导出"),
        (parquet(birth_date=pl.Series([20150303.0], dtype=pl.Float32)), "列“出生日期”的类型（float）无法当作文本读取；请以文本列重新导出"),
        (arrow(birth_date=pa.array([1], pa.timestamp("us", "Nowhere"))), "Parquet文件中有无法读取的类型（例如不存在的时区）；请以文本列重新导出"),
        (arrow(address=pa.array([1], pa.decimal256(60, 2))), "列“现住址”的类型（decimal256(60, 2)）无法当作文本读取；请以文本列重新导出"),
        (b"a,b\n", "扩展名是.parquet，内容却是文本文件；请按真实格式另存后重新报送"),
    ],
)
def test_a_file_that_cannot_be_read_is_rejected_in_words(desk, content, message):
    desk.put("education", NAME, content)
    receipt = desk.take("education").receipt(NAME)
    assert (receipt["state"], receipt["message"]) == ("rejected", message)


def no_utf_8(kind: pa.DataType) -> pa.Array:
    """A text in GB 18030 where the type says UTF-8."""
    held = pa.array(["测甲".encode("gb18030")], pa.binary() if kind == pa.string() else pa.large_binary())
    return pa.Array.from_buffers(kind, 1, held.buffers())


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_text_that_is_no_utf_8_rejects_the_file_and_not_the_night_and_stops_nothing_in_a_column_that_is_none_of_ours(desk, kind):
    desk.put("education", NAME, arrow(name=no_utf_8(kind)))
    receipt = desk.take("education").receipt(NAME)
    assert (receipt["state"], receipt["message"]) == ("rejected", "列“姓名”的文本不是UTF-8编码，或数据已损坏；请以UTF-8编码的文本列重新导出")
    desk.put("education", NAME, arrow(备用=no_utf_8(kind), name=pa.array([None], pa.string())))
    taken = desk.take("education")
    assert taken.reasons() == {1: ["missing_need:name"]}
    assert {"heading": "备用", "value": "（无法显示）"} in taken.quarantine["original"].to_list()[0]


def test_a_page_damaged_in_the_middle_rejects_the_file(desk):
    rows = [[f"{i * 7919 % 997}-{j}" for j in range(len(headings("education")))] for i in range(5000)]
    table = pa.table({h: list(c) for h, c in zip(headings("education"), zip(*rows, strict=True), strict=True)})
    out = io.BytesIO()
    pq.write_table(table, out, write_page_checksum=True)
    content = bytearray(out.getvalue())
    content[3000] ^= 1
    desk.put("education", NAME, bytes(content))
    receipt = desk.take("education").receipt(NAME)
    assert (receipt["state"], receipt["message"]) == ("rejected", "Parquet文件的数据部分已损坏，请重新导出")


def test_a_file_without_rows_is_accepted(desk):
    desk.put("education", NAME, parquet_bytes([headings("education")]))
    receipt = desk.take("education").receipt(NAME)
    assert (receipt["state"], receipt["rows_in"], receipt["encoding"], receipt["format"]) == ("accepted", 0, None, "parquet")
