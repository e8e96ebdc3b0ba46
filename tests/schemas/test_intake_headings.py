"""Headings: what is tolerated, what is an alias, and what rejects a file."""

from __future__ import annotations

import pytest
import yaml

from schemas.exports.faults import UnreadableFileError
from schemas.exports.feeds import FEEDS
from schemas.exports.headings import ALIASES, bare, find_headings, fold, read_headings

EDUCATION = FEEDS["education"]


@pytest.mark.parametrize(
    ("written", "column"),
    [
        ("姓名", "name"), (" 姓 名 ", "name"), ("姓\n名", "name"), ("姓名\r\n", "name"), ("\ufeff姓名", "name"), ("　姓名　", "name"), ("＊姓名", "name"), ("*姓名", "name"),
        ("姓名（必填）", "name"), ("姓名(必填)", "name"), ("姓名【文本】", "name"), ("（姓名）", "name"), ("【姓名】", "name"), ("姓名：", "name"),
        ("监护人１姓名", "guardian1_name"), ("监护人1\n姓名（全称）", "guardian1_name"), ("出生日期（YYYYMMDD）（必填）", "birth_date"), ("学生姓名", "name"),
        ("身份证号码", "id_number"), ("身份证件号", "id_number"), ("户籍地区划", "hukou_division"), ("拼音姓名", None), ("姓名拼音", None), ("", None), ("（）", None),
    ],
)  # fmt: skip
def test_a_heading_is_known_whatever_stands_around_it(written, column):
    layout = read_headings(EDUCATION, [written])
    assert list(layout.positions) == ([column] if column else [])


def test_the_contracts_own_heading_is_preferred_to_an_alias_and_a_remark_to_none():
    layout = read_headings(EDUCATION, ["证件号码", "姓名（拼音）", "身份证件号", "姓名"])
    assert (layout.positions["id_number"], layout.positions["name"], layout.unknown) == (2, 3, ["证件号码", "姓名（拼音）"])
    assert layout.repeated == ()


def test_two_headings_that_mean_one_column_are_a_repetition():
    assert read_headings(EDUCATION, ["姓名（汉字）", "姓名（拼音）"]).repeated == ("姓名",)


def test_the_order_of_columns_does_not_matter():
    headings = [c.heading for c in EDUCATION.columns]
    assert read_headings(EDUCATION, headings[::-1]).positions == {c.name: len(headings) - 1 - i for i, c in enumerate(EDUCATION.columns)}


def test_the_heading_row_is_the_first_that_has_all_it_needs():
    whole = ["学籍号", "姓名", "学校所在区划"]
    rows = [["学籍号说明"], [], ["姓名", "学籍号", ""], whole, whole]
    assert find_headings(EDUCATION, rows)[0] == 3
    assert find_headings(EDUCATION, [[]] * 30 + [whole])[1].missing == ("学籍号", "姓名", "学校所在区划")


def test_a_row_of_values_is_never_quoted_as_headings():
    with pytest.raises(UnreadableFileError) as caught:
        find_headings(EDUCATION, [["哨兵某", "500106201503011237", "姓名"]])[1].require()
    assert str(caught.value) == "前30行中找不到表头；必须有的列：学籍号、姓名、学校所在区划。请保留原系统导出的表头行"


def test_folding_twice_changes_nothing():
    for text in ("＊姓 名（必填）：", "（（姓名））", "监护人１", "()", "*"):
        assert fold(fold(text)) == fold(text)
        assert bare(bare(text)) == bare(text)


def test_every_alias_belongs_to_a_heading_of_the_contract_and_no_alias_is_ambiguous():
    tables = yaml.safe_load(ALIASES.read_text(encoding="utf-8"))
    assert set(tables) <= {*FEEDS, "every"}
    every = {c.heading for feed in FEEDS.values() for c in feed.columns}
    assert set(tables["every"]) <= every
    for feed in FEEDS.values():
        headings = {c.heading for c in feed.columns}
        assert set(tables.get(feed.name, {})) <= headings
        meant: dict[str, set[str]] = {}
        for heading in headings:
            for alias in [*tables.get(feed.name, {}).get(heading, ()), *tables["every"].get(heading, ())]:
                meant.setdefault(fold(alias), set()).add(heading)
        assert [a for a, of in meant.items() if len(of) > 1 and a not in headings] == []
