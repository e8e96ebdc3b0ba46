"""Why two rows are one child, and why two children are not, asked of a register."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from matching.explain import UnknownPersonError, links, pair
from matching.linkage import link_records
from tests.matching.linkage_city import number, person, records

BORN = date(2015, 3, 2)
FAMILY = [person("张建国", "father", None, "13512345678"), person("李芳", "mother", None, "13612345678")]


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = {"name": "张浩宇", "sex": "male", "birth_date": BORN, "relatives": FAMILY}
    record = records([
        base | {"feed": "household", "record_key": "a", "id_number": number("500106", BORN, 135)},
        base | {"feed": "education", "record_key": "b", "id_number": number("500106", BORN, 135)},
        base | {"feed": "health", "record_key": "c", "name": "李芳之子", "name_kind": "newborn", "mother_in_name": "李芳"},
        base | {"feed": "survey", "record_key": "d", "id_number": number("500106", date(1985, 1, 1), 11)},
        base | {"feed": "household", "record_key": "t", "name": "张若汐", "sex": "female", "id_number": number("500106", BORN, 136)},
    ])  # fmt: skip
    linked = link_records(record, {}, date(2026, 11, 24))
    path = tmp_path_factory.mktemp("register") / "register.duckdb"
    with duckdb.connect(str(path)) as con:
        for name, table in {**linked.tables, "record": record}.items():
            con.register("given", table)
            con.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
            con.unregister("given")
    return path


def person_of(register: Path, key: str) -> str:
    with duckdb.connect(str(register), read_only=True) as con:
        found = con.execute("SELECT person_id FROM person_record WHERE record_key = ?", [key]).fetchone()
    assert found
    return str(found[0])


def test_each_row_says_how_it_came_in(register: Path) -> None:
    rows = {row.record_key: row for row in links(register, person_of(register, "a"))}
    assert set(rows) == {"a", "b", "c", "d"}
    assert rows["b"].says == "凭本人有效证件号关联；证件号为本人所有"
    assert rows["d"].says == "凭姓名、出生日期、亲属等综合比对关联；证件号栏内是监护人的号码，不作为本人证件号"
    phrases = [line.phrase for line in rows["c"].lines]
    assert "出生日期相同" in phrases
    assert "父母（监护人）有两人相同" in phrases
    assert any(line.english == "birth date: same" for line in rows["c"].lines)


def test_the_lines_add_up(register: Path) -> None:
    (row,) = [r for r in links(register, person_of(register, "a")) if r.record_key == "d"]
    assert row.weight is not None
    assert sum(line.weight for line in row.lines) == pytest.approx(row.weight, abs=3)


def test_why_two_children_are_not_one(register: Path) -> None:
    answer = pair(register, person_of(register, "a"), person_of(register, "t"))
    assert answer.probability is not None
    assert answer.probability < 0.95
    assert any("有效的本人证件号，且不同" in o for o in answer.obstacles)
    assert any("低于自动关联的标准" in o for o in answer.obstacles)
    assert "性别不同" in [line.phrase for line in answer.lines]
    assert len(answer.english) == len(answer.obstacles) == len(set(answer.obstacles))
    assert "each has a valid number of its own and they differ" in answer.english[0]


def test_what_clustering_and_clerks_said_of_two_stands_against_them(register: Path, tmp_path: Path) -> None:
    import shutil

    left, right = person_of(register, "a"), person_of(register, "t")
    copy = tmp_path / "register.duckdb"
    for cause, decision, said in (("twins", None, "taken for twins"), ("ambiguous", None, "another child is about as likely"), ("doubtful", "unsure", "a clerk decided")):
        shutil.copy(register, copy)
        with duckdb.connect(str(copy)) as con:
            con.execute("DELETE FROM review_queue")
            con.execute('INSERT INTO review_queue (pair_id, "left", "right", cause, decision) VALUES (\'R1\', ?, ?, ?, ?)', [right, left, cause, decision])
        assert any(said in obstacle for obstacle in pair(copy, left, right).english)


def test_a_clerk_s_decision_stands_against_them_though_a_side_was_called_otherwise_then(register: Path, tmp_path: Path) -> None:
    import shutil

    left, right = person_of(register, "a"), person_of(register, "t")
    copy = Path(shutil.copy(register, tmp_path / "register.duckdb"))
    with duckdb.connect(str(copy)) as con:
        rows = dict(con.execute("SELECT person_id, list(record_hash) FROM person_record GROUP BY person_id").fetchall())
        con.execute(
            """INSERT INTO review_queue (pair_id, "left", "right", cause, decision, left_records, right_records) VALUES ('R1', 'CFORMER', $right, 'decided', 'different', $one, $other)""",
            {"right": right, "one": rows[left][:1], "other": rows[right][:1]},
        )
    assert any("a clerk decided" in obstacle for obstacle in pair(copy, left, right).english)
    assert any("a clerk decided" in obstacle for obstacle in pair(copy, right, left).english)


def test_a_person_nobody_knows(register: Path) -> None:
    with pytest.raises(UnknownPersonError, match="the register has no person CXXXX"):
        links(register, "CXXXX")


def test_no_name_or_number_leaves_through_an_explanation(register: Path) -> None:
    text = repr(links(register, person_of(register, "a"))) + repr(pair(register, person_of(register, "a"), person_of(register, "t")))
    assert not [w for w in ("张浩宇", "李芳", "13512345678", number("500106", BORN, 135)) if w in text]
    assert pl.Series([text]).str.contains(r"\d{17}[\dX]").item() is False


def registered(path: Path, rows: list[dict[str, Any]]) -> Path:
    """A register of one night of some rows."""
    record = records(rows)
    linked = link_records(record, {}, date(2026, 11, 24))
    with duckdb.connect(str(path)) as con:
        for name, table in {**linked.tables, "record": record}.items():
            con.register("given", table)
            con.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
            con.unregister("given")
    return path


def test_a_twin_s_number_in_a_row_is_no_number_of_its_own_in_the_explanation_either(tmp_path: Path) -> None:
    base = {"name": "张浩宇", "sex": "male", "birth_date": BORN, "relatives": FAMILY}
    sister = number("500106", BORN, 136)
    rows = [
        base | {"feed": "household", "record_key": "sister", "name": "张若汐", "sex": "female", "id_number": sister},
        base | {"feed": "household", "record_key": "boy", "id_number": number("500106", BORN, 135)}, base | {"feed": "health", "record_key": "wrong", "id_number": sister},
    ]  # fmt: skip
    register = registered(tmp_path / "register.duckdb", rows)
    (wrong,) = [row for row in links(register, person_of(register, "boy")) if row.record_key == "wrong"]
    assert "兄弟姐妹的号码" in wrong.says
    assert {line.phrase for line in wrong.lines} == {"姓名相同", "出生日期相同", "性别相同", "父母（监护人）有两人相同", "有相同电话", "可能是兄弟姐妹或双胞胎"}
    assert wrong.weight == pytest.approx(sum(line.weight for line in wrong.lines), abs=0.1)


def test_a_phone_under_a_whole_class_says_nothing_in_the_explanation_either(tmp_path: Path) -> None:
    pupils = [{"feed": "education", "record_key": f"p{i}", "name": f"冉子{c}", "birth_date": date(2012, 1, 1 + i), "phones": ["13512345678"]} for i, c in enumerate("浩宇轩辰泽墨涵欣怡雨桐诗琪梓豪博文俊杰若")]
    two = [{"feed": feed, "record_key": feed, "name": name, "sex": "male", "birth_date": BORN, "phones": ["13512345678"]} for feed, name in (("health", "张浩宇"), ("survey", "张浩雨"))]
    register = registered(tmp_path / "register.duckdb", [*pupils, *two])
    answer = pair(register, person_of(register, "health"), person_of(register, "survey"))
    assert "电话相同，但许多儿童都留此号，不作比较" in {line.phrase for line in answer.lines}
    assert any("低于自动关联的标准" in obstacle for obstacle in answer.obstacles)


def test_the_lines_are_those_of_the_link_whose_weight_is_told(tmp_path: Path) -> None:
    """That is the one by which the run holds the row, whatever other row is nearer."""
    base = {"name": "张浩宇", "sex": "male", "birth_date": BORN, "relatives": FAMILY}
    rows = [base | {"feed": "survey", "record_key": "a", "birth_date": None}, base | {"feed": "health", "record_key": "b"}, base | {"feed": "residence", "record_key": "c", "phones": ["13712345678"]}]
    register = registered(tmp_path / "register.duckdb", rows)
    with duckdb.connect(str(register)) as con:
        con.execute("UPDATE person_record SET linked_to = (SELECT record_hash FROM person_record WHERE record_key = 'b'), link_method = 'review' WHERE record_key = 'c'")
        con.execute("UPDATE person_record SET linked_to = (SELECT record_hash FROM person_record WHERE record_key = 'a') WHERE record_key = 'b'")
    told = {row.record_key: {line.phrase for line in row.lines} for row in links(register, person_of(register, "a"))}
    assert "出生日期相同" in told["c"]
    assert "出生日期相同" not in told["b"]
