"""What is in use where something does not come, is broken or comes again: the store of earlier nights' exports."""

from __future__ import annotations

import json
from datetime import date

import pytest

from schemas.exports import store as store_module
from schemas.exports.parse import parse
from tests.schemas.survey_files import names, put, states


def test_where_the_newest_file_cannot_be_read_the_one_before_it_stays(desk):
    put(desk, "survey_20261001.csv", ("1", "旧"))
    desk.put("survey", "survey_20261101.xlsx", b"PK\x03\x04broken")
    taken = desk.take("survey")
    assert names(taken) == ["旧"]
    assert states(taken) == {"survey_20261001.csv": "accepted", "survey_20261101.xlsx": "rejected"}
    assert taken.receipt("survey_20261001.csv")["warnings"] == ["较新的文件“survey_20261101.xlsx”无法读取，沿用本文件"]
    assert taken.receipt("survey_20261101.xlsx")["message"] == "工作簿不完整或已损坏，请用表格软件重新另存为.xlsx"


def test_a_part_that_does_not_come_goes_on_from_the_store_and_says_how_old_it_is(desk):
    path = put(desk, "survey_20261001.csv", ("1", "甲"), ("2", ""))
    first = desk.take("survey")
    path.unlink()
    later = desk.take("survey", date(2026, 12, 1))
    assert later.accepted.equals(first.accepted) and later.quarantine.equals(first.quarantine)
    receipt = later.receipt("survey_20261001.csv")
    assert (receipt["state"], receipt["age_days"], receipt["rows_in"], receipt["rows_quarantined"]) == ("kept", 61, 2, 1)
    assert receipt["warnings"][-1] == "本期未收到该文件，沿用2026-10-01的导出，距今61天"


def test_a_broken_resend_under_the_same_name_falls_back_to_what_the_store_has(desk):
    put(desk, "survey_20261001.csv", ("1", "甲"))
    desk.take("survey")
    desk.put("survey", "survey_20261001.csv", b"")
    taken = desk.take("survey")
    assert names(taken) == ["甲"]
    assert sorted(taken.receipts["state"]) == ["kept", "rejected"]


def test_a_corrected_resend_under_the_same_name_takes_the_place_of_the_old_one(desk):
    put(desk, "survey_20261001.csv", ("1", "甲"))
    desk.take("survey")
    put(desk, "survey_20261001.csv", ("1", "乙"))
    taken = desk.take("survey")
    assert (names(taken), taken.receipts.height) == (["乙"], 1)


@pytest.mark.parametrize(("first", "then"), [("甲", "乙"), ("乙", "甲")])
def test_a_corrected_resend_stands_when_it_no_longer_lies_in_the_inbox(desk, first, then):
    put(desk, "survey_20261001.csv", ("1", first))
    desk.take("survey")
    path = put(desk, "survey_20261001.csv", ("1", then))
    desk.take("survey")
    path.unlink()
    assert names(desk.take("survey")) == [then]


@pytest.mark.parametrize(("first", "then"), [("csv", "xlsx"), ("xlsx", "csv")])
def test_a_corrected_resend_in_another_format_stands_when_it_no_longer_lies_in_the_inbox(desk, first, then):
    put(desk, f"survey_20261001.{first}", ("1", "旧"))
    desk.take("survey")
    (desk.inbox / "survey" / f"survey_20261001.{first}").unlink()
    path = put(desk, f"survey_20261001.{then}", ("1", "新"))
    desk.take("survey")
    path.unlink()
    assert names(desk.take("survey")) == ["新"]


def test_a_file_that_changes_while_it_is_read_is_not_stored_as_what_it_was(desk, monkeypatch):
    put(desk, "survey_20260901.csv", ("1", "旧"))
    desk.take("survey")
    path = put(desk, "survey_20261001.csv", ("1", "甲"))
    whole = path.read_bytes()

    def overwritten(*given):
        put(desk, "survey_20261001.csv", ("1", "乙"))
        return parse(*given)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(store_module, "parse", overwritten)
        taken = desk.take("survey")
    assert names(taken) == ["旧"]
    assert taken.receipt(path.name)["message"] == "读取期间文件发生变化，可能还在上传，本次未采用；上传完成后下次运行将重新读取"
    path.write_bytes(whole)
    assert names(desk.take("survey")) == ["甲"]


def test_a_file_seen_before_is_not_read_again(desk, monkeypatch):
    put(desk, "survey_20261001.csv", ("1", "甲"))
    first = desk.take("survey")

    def never(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(store_module, "parse", never)
    again = desk.take("survey")
    assert again.accepted.equals(first.accepted) and again.receipts.equals(first.receipts)


def test_another_reader_reads_what_lies_in_the_inbox_anew_and_keeps_what_does_not(desk, monkeypatch):
    put(desk, "survey_20261001_a.csv", ("1", "甲"))
    gone = put(desk, "survey_20261001_b.csv", ("1", "乙"))
    desk.take("survey")
    gone.unlink()
    monkeypatch.setattr(store_module, "reader_version", lambda: "another")
    taken = desk.take("survey")
    assert states(taken) == {"survey_20261001_a.csv": "accepted", "survey_20261001_b.csv": "kept"}
    versions = {json.loads(p.read_text())["name"]: json.loads(p.read_text())["reader"] == "another" for p in desk.store.rglob("*.json")}
    assert versions == {"survey_20261001_a.csv": True, "survey_20261001_b.csv": False}


@pytest.mark.parametrize("part", ["*.json", "*.accepted.parquet", "*.quarantine.parquet"])
@pytest.mark.parametrize("damage", ["cut", "gone", "changed"])
def test_a_damaged_store_is_rebuilt_from_the_inbox(desk, part, damage):
    put(desk, "survey_20261001.csv", ("1", "甲"), ("2", ""))
    first = desk.take("survey")
    (path,) = desk.store.rglob(part)
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(content[:-9] if damage == "cut" else content[:20] + b"#" + content[21:])
    again = desk.take("survey")
    assert again.accepted.equals(first.accepted) and again.receipts.equals(first.receipts)


@pytest.mark.parametrize("part", ["*.accepted.parquet", "*.quarantine.parquet"])
def test_an_export_that_lay_in_a_store_that_is_damaged_is_told_each_night_until_it_comes_again(desk, part):
    put(desk, "survey_20260901_p.csv", ("1", "旧"))
    desk.take("survey")
    gone = [put(desk, "survey_20261001_p.csv", ("1", "甲")), put(desk, "survey_20261001.csv", ("2", "乙"))]
    desk.take("survey")
    for file in gone:
        file.unlink()
    for path in desk.store.rglob(part):
        if "20260901" not in path.with_name(path.name.replace(part[1:], ".json")).read_text():
            path.write_bytes(b"damaged")
    for _ in range(2):
        taken = desk.take("survey")
        assert names(taken) == ["旧"]
        assert states(taken) == {"survey_20260901_p.csv": "accepted", "survey_20261001_p.csv": "rejected", "survey_20261001.csv": "rejected"}
        assert taken.receipt("survey_20261001.csv")["message"] == "文件已不在收件目录，且存档已损坏；请重新报送"
        assert taken.receipt("survey_20260901_p.csv")["warnings"] == ["较新的文件“survey_20261001_p.csv”无法读取，沿用本文件"]
    put(desk, "survey_20261001.csv", ("2", "乙"))
    put(desk, "survey_20261101_p.csv", ("1", "新"))
    assert states(desk.take("survey")) == {"survey_20260901_p.csv": "superseded", "survey_20261001.csv": "accepted", "survey_20261101_p.csv": "accepted"}


def test_the_store_forgets_what_the_two_newest_snapshots_do_not_need(desk):
    for day in ("20260701", "20260801", "20260901", "20261001"):
        put(desk, f"survey_{day}.csv", ("1", day))
        put(desk, f"survey_{day[:-1]}5_delta.csv", ("2", day))
        desk.take("survey")
    kept = sorted(json.loads(p.read_text())["name"] for p in desk.store.rglob("*.json"))
    assert kept == ["survey_20260901.csv", "survey_20260905_delta.csv", "survey_20261001.csv", "survey_20261005_delta.csv"]
    assert len([p for p in desk.store.rglob("*") if p.is_file()]) == 12


def test_what_an_interrupted_run_left_in_the_store_is_cleared(desk):
    put(desk, "survey_20261001.csv", ("1", "甲"))
    desk.take("survey")
    (desk.store / "survey" / "x.accepted.parquet.1.tmp").write_bytes(b"half")
    desk.take("survey")
    assert not list(desk.store.rglob("*.tmp"))
