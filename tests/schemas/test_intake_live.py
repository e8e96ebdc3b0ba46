"""Which files are in use: snapshots by part, deltas, and what holds whatever the files are."""

from __future__ import annotations

import random

import pytest

from tests.schemas.intake_desk import AS_OF, Desk, as_file, csv_text, grid, valid_row
from tests.schemas.survey_files import names, put, rows, states


def test_the_newest_file_of_each_part_is_in_use(desk):
    put(desk, "survey_20261001.csv", ("1", "旧"))
    put(desk, "survey_20261101.csv", ("1", "新"))
    put(desk, "survey_20261002_500106.csv", ("1", "沙"))
    put(desk, "survey_20260901_500107.xlsx", ("1", "九"))
    taken = desk.take("survey")
    assert names(taken) == sorted(["新", "沙", "九"])
    assert states(taken)["survey_20261001.csv"] == "superseded"
    assert taken.receipt("survey_20261001.csv")["warnings"] == ["已有更新的导出“survey_20261101.csv”"]
    assert taken.receipt("survey_20261001.csv")["rows_in"] == 0
    assert taken.receipt("survey_20261101.csv")["age_days"] == 23


def test_a_delta_adds_rows_and_replaces_those_of_the_same_key(desk):
    put(desk, "survey_20261001.csv", ("1", "甲"), ("2", "乙"), ("2", "乙重"), ("3", "丙"))
    put(desk, "survey_20261005_delta.csv", ("2", "乙新"), ("4", "丁"))
    put(desk, "survey_20261006_DELTA.csv", ("4", "丁新"), ("4", "丁再"))
    taken = desk.take("survey")
    assert names(taken) == sorted(["甲", "丙", "乙新", "丁新", "丁再"])
    assert dict(taken.receipts.select("source_file", "rows_replaced").iter_rows()) == {
        "survey_20261001.csv": 2, "survey_20261005_delta.csv": 1, "survey_20261006_DELTA.csv": 0,
    }  # fmt: skip


def test_keys_are_compared_without_case_width_and_blanks(desk):
    desk.put_rows("household", "household_20261001.csv", [valid_row("household", id_number="50010620150301123X", name="旧")])
    desk.put_rows("household", "household_20261002_delta.csv", [valid_row("household", id_number="'５００１０６２０１５０３０１１２３x ", name="新")])
    assert desk.take("household").accepted["name"].to_list() == ["新"]


def test_a_key_that_a_spreadsheet_shortened_replaces_no_other_row_that_reads_the_same(desk):
    short = lambda name: valid_row("medical_insurance", record_key="5.00106E+13", name=name)  # noqa: E731
    desk.put_rows("medical_insurance", "medical_insurance_20261001.csv", [short("甲"), short("乙"), valid_row("medical_insurance", record_key="1E+5A", name="丙")])
    desk.put_rows("medical_insurance", "medical_insurance_20261002_delta.csv", [short("丁"), valid_row("medical_insurance", record_key="1e+5a", name="戊")])
    taken = desk.take("medical_insurance")
    assert names(taken) == sorted(["甲", "乙", "丁", "戊"])
    assert [row["warnings"] for row in taken.accepted.sort("name").to_dicts() if row["name"] != "戊"] == [["odd_key:record_key"]] * 3


def test_a_key_of_two_columns_is_replaced_only_as_a_whole(desk):
    answer = lambda person, value: valid_row("verification", roster_id="R1", person_id=person, value=value)  # noqa: E731
    desk.put_rows("verification", "verification_20261001.csv", [answer("P1", "旧"), answer("P2", "旧")])
    desk.put_rows("verification", "verification_20261002_delta.csv", [answer("P1", "新")])
    assert desk.take("verification").accepted.select("person_id", "value").sort("person_id").rows() == [("P1", "新"), ("P2", "旧")]


def test_a_quarantined_delta_row_replaces_nothing(desk):
    put(desk, "survey_20261001.csv", ("1", "甲"))
    put(desk, "survey_20261002_delta.csv", ("1", ""))
    taken = desk.take("survey")
    assert (names(taken), taken.quarantine.height) == (["甲"], 1)


def test_a_delta_not_later_than_its_snapshot_is_part_of_it(desk):
    put(desk, "survey_20261002.csv", ("1", "甲"))
    put(desk, "survey_20261001_delta.csv", ("1", "早"))
    put(desk, "survey_20261002_x_delta.csv", ("9", "同日"))
    taken = desk.take("survey")
    assert names(taken) == ["甲"]
    assert taken.receipt("survey_20261001_delta.csv")["warnings"] == ["增量不晚于所补充的整表，已包含在整表中"]
    assert states(taken)["survey_20261002_x_delta.csv"] == "superseded"


def test_a_delta_of_a_part_without_a_snapshot_reaches_all_earlier_parts(desk):
    put(desk, "survey_20261001_500106.csv", ("1", "沙"), ("2", "沙二"))
    put(desk, "survey_20261001_500107.csv", ("3", "九"))
    put(desk, "survey_20261009_500108.csv", ("1", "南"))
    put(desk, "survey_20261005_delta.csv", ("1", "新"), ("3", "新"))
    assert names(desk.take("survey")) == sorted(["沙二", "新", "新", "南"])


def test_a_delta_of_one_part_leaves_the_others_alone(desk):
    put(desk, "survey_20261001_500106.csv", ("1", "沙"))
    put(desk, "survey_20261001_500107.csv", ("1", "九"))
    put(desk, "survey_20261005_500106_delta.csv", ("1", "沙新"))
    assert names(desk.take("survey")) == sorted(["沙新", "九"])


def test_a_delta_of_a_feed_without_any_snapshot_is_accepted(desk):
    put(desk, "survey_20261005_delta.csv", ("1", "甲"))
    assert names(desk.take("survey")) == ["甲"]


def test_a_feed_that_never_came_leaves_empty_tables(desk):
    taken = desk.take("survey")
    assert (taken.accepted.height, taken.quarantine.height, taken.receipts.height) == (0, 0, 0)


def test_the_order_in_which_files_come_does_not_matter(tmp_path):
    files = [
        ("survey_20261001.csv", [("1", "a"), ("2", "b")]), ("survey_20261001_p.csv", [("1", "c")]), ("survey_20261003_delta.csv", [("2", "d"), ("5", "")]),
        ("survey_20261004_q_delta.csv", [("1", "e")]), ("survey_20261002.csv", [("2", "f"), ("3", "")]), ("survey_20261003.xlsx", [("7", "g")]),
        ("survey_20261005_delta.parquet", [("7", "h")]), ("survey_20261005_delta.csv", [("7", "i")]),
    ]  # fmt: skip
    results = []
    for seed in range(4):
        desk = Desk(tmp_path / str(seed))
        order = files[:]
        random.Random(seed).shuffle(order)
        for name, pairs in order:
            put(desk, name, *pairs)
            if seed > 1:
                desk.take("survey")
        results.append(desk.take("survey"))
    for other in results[1:]:
        assert other.accepted.equals(results[0].accepted)
        assert other.quarantine.equals(results[0].quarantine)
        assert other.receipts.drop("sha256").equals(results[0].receipts.drop("sha256"))  # a workbook says when it was made


def test_intake_stops_when_figures_do_not_balance(desk, monkeypatch):
    from schemas.exports import gate, parse
    from schemas.exports.faults import UnbalancedFiguresError

    def forgetful(batch, *rest):
        judged = gate.judge(batch, *rest)
        return gate.Judged(judged.accepted.head(1), judged.quarantined, judged.total, judged.blank)

    monkeypatch.setattr(parse, "judge", forgetful)
    put(desk, "survey_20261101.csv", ("1", "甲"), ("2", "乙"))
    with pytest.raises(UnbalancedFiguresError, match=r"survey_20261101\.csv: 2 rows less 0 total and 0 blank ones are not 1 accepted \+ 0 quarantined"):
        desk.take("survey", AS_OF)


def test_no_message_holds_a_value_of_a_cell(desk):
    sentinel = "哨兵某某"
    cells = grid("survey", rows(("1", sentinel)))
    desk.put("survey", "survey_20261101_a.csv", csv_text(cells[1:]).encode())
    desk.put("survey", "survey_20261101_b.csv", csv_text([[h for h in cells[0] if h != "姓名"], cells[1]]).encode())
    desk.put("survey", "survey_20261101_c.csv", csv_text([cells[0], [*cells[1], sentinel], ["", sentinel]]).encode())
    desk.put("survey", "survey_20261101_d.xlsx", as_file(cells[1:], "xlsx"))
    taken = desk.take("survey")
    assert sentinel not in str(taken.receipts.to_dicts())
    assert sentinel not in str(taken.quarantine["reasons_zh"].to_list())


def test_a_snapshot_of_less_than_half_the_rows_is_used_and_questioned(desk):
    put(desk, "survey_20261101.csv", *((str(i), "甲") for i in range(40)))
    put(desk, "survey_20261101_b.csv", *((str(i), "甲") for i in range(6)))
    desk.take("survey")
    put(desk, "survey_20261103.csv", *((str(i), "甲") for i in range(19)))
    put(desk, "survey_20261103_b.csv", ("1", "甲"))
    taken = desk.take("survey")
    said = {name: taken.receipt(name)["warnings"] for name in ("survey_20261103.csv", "survey_20261103_b.csv")}
    assert "行数不到上一期的一半：本期接受19行，上一期（2026-11-01）40行；请核实导出是否完整" in said["survey_20261103.csv"]
    assert not [w for w in said["survey_20261103_b.csv"] if "不到上一期的一半" in w]
    put(desk, "survey_20261104.csv", *((str(i), "甲") for i in range(20)))
    assert not [w for w in desk.take("survey").receipt("survey_20261104.csv")["warnings"] if "上一期（2026-11-01）" in w]


def test_rows_of_several_files_are_not_written_again_unless_a_delta_replaces_some(desk):
    put(desk, "survey_20261101_b.csv", ("1", "乙"), ("2", "丙"))
    put(desk, "survey_20261101_a.csv", ("1", "甲"))
    taken = [desk.take("survey"), desk.take("survey")]
    place = desk.folder / "work" / "accepted" / "survey.parquet"
    stored = {path.stat().st_ino for path in desk.store.rglob("*.accepted.parquet")}
    assert {path.stat().st_ino for path in place.iterdir()} == stored
    assert [t.accepted["name"].to_list() for t in taken] == [["甲", "乙", "丙"]] * 2
    put(desk, "survey_20261102_b_delta.csv", ("2", "丁"))
    assert names(desk.take("survey")) == sorted(["甲", "乙", "丁"])
    assert place.is_file()
