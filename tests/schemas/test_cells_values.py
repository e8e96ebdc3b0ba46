"""Every way a department writes a date, a sex, a flag or nothing at all: what it becomes, and that nothing else becomes anything."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import cells

DATES: list[tuple[str, date | None, str | None]] = [
    # the forms of the contract, each the same day
    *((text, date(2015, 3, 1), "day") for text in (
        "20150301", "2015-03-01", "2015/3/1", "2015/03/01", "2015.03.01", "2015.3.1", "2015年3月1日", "2015年03月01日", "15.1.1".replace("1.1", "3.1"), "42064",
        "42064.0", "42064.5", "２０１５年３月１日", "２０１５０３０１", "2015 年 3 月 1 日", "2015年3月1", "20150301.0",
    )),
    # a time behind
    *((text, date(2015, 3, 1), "day") for text in (
        "2015-03-01 00:00:00", "2015/3/1 8:00", "2015-03-01T08:30:00", "2015-03-01T08:30:00.000+08:00", "20150301 235959".replace(" ", ""), "2015年3月1日 08:00",
        "20150301 08:00:00",
        # a moment in UTC: the city is eight hours ahead
        "2015-02-28T16:00:00.000Z", "2015-02-28 16:00:00+00:00", "2015-03-01T00:00:00Z", "2015-03-01T15:59:59Z",
    )),
    # a month or a year alone: the latest day it can mean
    ("201503", date(2015, 3, 31), "month"),
    ("2015年3月", date(2015, 3, 31), "month"),
    ("2015-03", date(2015, 3, 31), "month"),
    ("2024/2", date(2024, 2, 29), "month"),
    ("2023.02", date(2023, 2, 28), "month"),
    ("2026", date(2026, 12, 31), "year"),
    ("2026年", date(2026, 12, 31), "year"),
    # what means "no date"
    *((text, None, None) for text in ("00000000", "1900-01-01", "1900/1/1", "19000101", "1899-12-30", "1899-12-30 00:00:00", "0", "0000-00-00")),
    # impossible days, and what is no date
    *((text, None, None) for text in (
        "2015-02-30", "20150230", "2015-13-01", "20151301", "2015-00-10", "2023-02-29", "2015-04-31", "201513", "201500", "2015-3-32", "农历二月初八",
        "二〇一五年三月一日", "去年", "2015年农历三月", "-1", "9", "123456789", "3/1", "1.5", "99999", "9999", "2015-03-01至今", "3015-01-01", "1800-01-01",
    )),
    ("2024-02-29", date(2024, 2, 29), "day"),
    ("2100-12-31", date(2100, 12, 31), "day"),
]  # fmt: skip


def values(expr: pl.Expr, texts: list[str | None]) -> list[object]:
    return pl.DataFrame({"t": texts}, schema={"t": pl.String}).select(expr.alias("t"))["t"].to_list()


def test_every_form_of_a_date() -> None:
    texts = [text for text, _, _ in DATES]
    found = list(zip(texts, values(cells.date(pl.col("t")), texts), values(cells.date_precision(pl.col("t")), texts), strict=True))
    assert [f for f, wanted in zip(found, DATES, strict=True) if f != wanted] == []


@given(st.dates(date(1950, 1, 1), date(2060, 12, 31)))
@settings(max_examples=40, deadline=None)
def test_a_day_is_the_same_day_in_every_form(day: date) -> None:
    serial = str((day - date(1899, 12, 30)).days)
    forms = [f"{day:%Y%m%d}", f"{day:%Y-%m-%d}", f"{day.year}/{day.month}/{day.day}", f"{day:%Y.%m.%d}", f"{day.year}年{day.month}月{day.day}日", serial, f"{serial}.0"]
    assert set(values(cells.date(pl.col("t")), list(forms))) == {day}
    assert values(cells.date(pl.col("t")), [f"{day:%Y%m}"]) == [(day.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)]


@given(st.text(alphabet=st.sampled_from("0123456789-/.年月日 T:至今约"), max_size=12))
@settings(max_examples=150, deadline=None)
def test_no_text_fails_and_a_precision_comes_with_every_date(text: str) -> None:
    found = values(cells.date(pl.col("t")), [text])[0]
    precision = values(cells.date_precision(pl.col("t")), [text])[0]
    assert (found is None) == (precision is None)
    assert found is None or (isinstance(found, date) and 1900 <= found.year <= 2100)


def test_a_date_of_nothing_but_nulls() -> None:
    assert values(cells.date(pl.col("t")), [None, None]) == [None, None]
    assert pl.DataFrame({"t": []}, schema={"t": pl.String}).select(cells.date(pl.col("t"))).schema["t"] == pl.Date


@pytest.mark.parametrize(
    "text", ["", " ", "\u3000", "\xa0", "\t", "无", " 无 ", "-", "/", "NULL", "null", "待补", "不详", "未办理", "'", "0" * 18, "9" * 18, "1" * 18, "\u3000无\xa0", "'无", "—", "Null", '=""', '="无"']
)
def test_placeholders_are_nothing(text: str) -> None:
    assert values(cells.clean_text(pl.col("t")), [text]) == [None]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  张三\t", "张三"), ("\u3000张 三\xa0", "张 三"), ("'500106201501011230", "500106201501011230"), ("\t'500106", "500106"), ("0", "0"), ("1", "1"), ("9", "9"),
        ("无名", "无名"), ("吴无", "吴无"), ("-1", "-1"), ("1/2", "1/2"), ("12345", "12345"), ("\ufeff张三", "张三"), ("张\ue81e", "张\u9fb4"), ("O'Neil", "O'Neil"),
        ('="500106201501011230"', "500106201501011230"), (" ='x'", "='x'"), ('="0023"\t', "0023"), ('x="1"', 'x="1"'), ('"张三"', '"张三"'),
        ("00000", "00000"), ("100000", "100000"),
    ],
)  # fmt: skip
def test_what_is_said_is_kept(text: str, kept: str) -> None:
    assert values(cells.clean_text(pl.col("t")), [text]) == [kept]


def test_a_code_column_keeps_its_word_for_none() -> None:
    assert values(cells.clean_code(pl.col("t")), [" 无 ", "", "\u3000", "无\t", None, "一般关注"]) == ["无", None, None, "无", None, "一般关注"]


@given(st.text(max_size=12))
@settings(max_examples=200, deadline=None)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = values(cells.clean_text(pl.col("t")), [text])
    assert values(cells.clean_text(pl.col("t")), [once[0]]) == once  # type: ignore[list-item]


SEXES = {"male": ["男", "1", "M", "m", "男性", " 男 ", "１", "1.0", "Male"], "female": ["女", "2", "F", "f", "女性", "２", "2.0"], None: ["0", "9", "未知", "未说明的性别", "9.0", "3", "男女", "", None]}


def test_sexes() -> None:
    for wanted, texts in SEXES.items():
        assert values(cells.sex(pl.col("t")), list(texts)) == [wanted] * len(texts), wanted


FLAGS = {True: ["是", "1", "Y", "y", "有", "true", "TRUE", "Yes", "１", "1.0"], False: ["否", "0", "N", "没有", "false", "0.0"], None: ["不清楚", "2", "2.0", "", None]}


def test_flags() -> None:
    for wanted, texts in FLAGS.items():
        assert values(cells.flag(pl.col("t")), list(texts)) == [wanted] * len(texts), wanted


def test_years() -> None:
    assert values(cells.year(pl.col("t")), ["2026", "2026年", "2026年度", "2026.0", "２０２６", " 2026 ", "26", "20265", "今年", None]) == [2026] * 6 + [None] * 4


def test_lists_keep_their_order_and_drop_what_is_empty() -> None:
    assert values(cells.values(pl.col("t")), ["麻腮风2;乙脑减毒2", "a；b，c、 d", "; ;", "a;;b", None]) == [["麻腮风2", "乙脑减毒2"], ["a", "b", "c", "d"], [], ["a", "b"], None]
