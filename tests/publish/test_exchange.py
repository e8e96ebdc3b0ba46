"""What other places answer: each place by its newest word, and only those that share the child today."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from publish.exchange import write_exchange
from publish.reading import reading
from tests.publish.handouts_city import SENDER, child, tables, write_register

HUKOU, HOME = "XC-20261101-500116", "XC-20261101-500157"


def reply(notice: str, day: int, **said: Any) -> dict[str, Any]:
    return {"notice_id": notice, "person_id": "P1", "replied_on": date(2026, 11, day), "result": "属实", "listed_as": "流动儿童"} | said


CASES: tuple[tuple[str, list[dict[str, Any]], dict[str, Any], list[str]], ...] = (
    ("the hukou's place has it as left behind, the home's agrees later", [reply(HUKOU, 5, listed_as="留守儿童"), reply(HOME, 9)], {}, ["left_behind_there"]),
    ("the same place takes its word back", [reply(HUKOU, 5, listed_as="留守儿童"), reply(HUKOU, 9, listed_as="未登记")], {}, []),
    ("the same place by a later notice", [reply(HUKOU, 5, listed_as="留守儿童"), reply("XC-20261108-500116", 9, listed_as="未登记")], {}, []),
    ("neither knows the child as we do", [reply(HUKOU, 5, listed_as="留守儿童"), reply(HOME, 9, result="查无此人", listed_as=None)], {}, ["left_behind_there", "unknown_there"]),
    ("the hukou moved on since", [reply(HUKOU, 5, result="户籍已迁出", listed_as=None)], {"hukou_district": "500235"}, []),
    ("the hukou's place says that it moved, the register does not yet", [reply(HUKOU, 5, result="户籍已迁出", listed_as=None)], {}, ["hukou_moved"]),
    ("another province", [reply("XC-20261101-510000", 5, listed_as="留守儿童"), reply(HOME, 9)], {"hukou_district": "511623"}, ["left_behind_there"]),
    ("a number that was changed by hand", [reply("11月名单", 5, listed_as="留守儿童")], {}, ["left_behind_there"]),
)  # fmt: skip


@pytest.mark.parametrize(("replies", "lives", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_place_speaks_for_itself(replies: list[dict[str, Any]], lives: dict[str, Any], expected: list[str], tmp_path: Path) -> None:
    numbered = [{"record_hash": n} | given for n, given in enumerate(replies)]
    register = write_register(tmp_path / "r.duckdb", tables([child("P1", **lives)], exchange_answer=numbered, identity=[{"person_id": "P1", "state": "live"}]))
    with reading(register) as con:
        assert [m for (m,) in con.execute("SELECT mismatch FROM v_exchange_mismatch ORDER BY notice_id").fetchall()] == expected
    write_exchange(register, tmp_path / "out", SENDER)
    listed = tmp_path / "out" / "异地不一致_2026-11-24.xlsx"
    assert listed.exists() == bool(expected)
    if expected:
        assert openpyxl.load_workbook(listed)["不一致清单"].max_row == 2 + len(expected)


def test_every_child_has_an_answer_of_its_own_and_a_merged_one_both_its_identifiers_answers(tmp_path: Path) -> None:
    replies = [reply(HUKOU, 5, listed_as="留守儿童"), reply(HUKOU, 9, person_id="P2"), reply(HUKOU, 9, person_id="P3", listed_as="留守儿童"), reply(HUKOU, 10, person_id="P0", result="查无此人")]
    identity = [{"person_id": "P0", "state": "merged", "merged_into": "P3"}, *({"person_id": p, "state": "live"} for p in ("P1", "P2", "P3"))]
    given = tables([child("P1"), child("P2"), child("P3")], exchange_answer=[{"record_hash": n} | r for n, r in enumerate(replies)], identity=identity)
    with reading(write_register(tmp_path / "r.duckdb", given)) as con:
        assert con.execute("SELECT person_id, mismatch FROM v_exchange_mismatch ORDER BY 1").fetchall() == [("P1", "left_behind_there"), ("P3", "unknown_there")]


def test_each_place_is_told_of_the_children_it_shares_with_us(tmp_path: Path) -> None:
    """Both ways round, in the city and beyond; of a child that has neither hukou nor home here any more nobody is told."""
    away = {"outcome": "not_flowing", "reason": "resides_outside_city", "residence_district": "520302", "residence_township": None}
    children = [child("P1"), child("P2", hukou_district="511623", direction="into_city"), child("P3", **away, direction="out_of_city"), child("P4", **away, hukou_district="511623", direction="none"),
                child("P5", **away | {"residence_district": "511623"}, hukou_district="511623", direction="none")]  # fmt: skip
    write_exchange(write_register(tmp_path / "r.duckdb", tables(children)), tmp_path / "out", SENDER)
    told = {}
    for path in (tmp_path / "out").glob("协查告知_*.xlsx"):
        for row in openpyxl.load_workbook(path)["协查名单"].iter_rows(min_row=3, max_col=3, values_only=True):
            told.setdefault(path.name.split("_")[1], []).append((row[1], row[2]))
    assert told == {
        "江津区": [("P1", "户籍在贵地、现居我处")], "两江新区": [("P1", "户籍在我处、现居贵地")], "四川省": [("P2", "户籍在贵地、现居我处")], "贵州省": [("P3", "户籍在我处、现居贵地")],
    }  # fmt: skip
