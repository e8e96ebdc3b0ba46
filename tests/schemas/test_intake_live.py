"""Which files are in use: snapshots by part, deltas, fall-backs, the store, names and places of files."""

from __future__ import annotations

import json
import os
import random
from datetime import date

import polars as pl
import pytest

from schemas.exports import store as store_module
from schemas.exports.inbox import files_below, sha256, strays, write_strays
from schemas.exports.parse import parse
from tests.schemas.intake_desk import AS_OF, Desk, as_file, csv_text, grid, valid_row


def rows(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    """Survey rows by (key, name)."""
    return [valid_row("survey", record_key=k, name=n) for k, n in pairs]


def put(desk, name, *pairs, **more):
    return desk.put("survey", name, as_file(grid("survey", rows(*pairs)), name.rpartition(".")[2].lower()), **more)


def names(taken) -> list[str]:
    return sorted(taken.accepted["name"])


def states(taken) -> dict[str, str]:
    return dict(taken.receipts.select("source_file", "state").iter_rows())


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


def test_a_feed_that_never_came_leaves_empty_tables(desk):
    taken = desk.take("survey")
    assert (taken.accepted.height, taken.quarantine.height, taken.receipts.height) == (0, 0, 0)


def test_the_same_name_twice_with_the_same_bytes_is_one_file(desk):
    put(desk, "survey_20261001.csv", ("1", "甲"))
    put(desk, "survey_20261001.csv", ("1", "甲"), below="again")
    taken = desk.take("survey")
    assert names(taken) == ["甲"]
    assert taken.receipt("survey_20261001.csv")["warnings"] == ["收件目录中有2个同名文件，内容相同，只读取一个"]


@pytest.mark.parametrize("copy", ["survey_20261001_p (1).csv", "survey_20261001_p（2）.csv", "survey_20261001_p - 副本.csv", "survey_20261001_p - 副本 (2).csv", "survey_20261001_p - Copy.csv"])
def test_a_copy_beside_its_original_is_not_read_again(desk, copy):
    put(desk, "survey_20261001_p.csv", ("1", "甲"))
    put(desk, copy, ("1", "甲"))
    taken = desk.take("survey")
    assert (names(taken), states(taken)) == (["甲"], {"survey_20261001_p.csv": "accepted", copy: "superseded"})
    assert taken.receipt(copy)["warnings"] == ["与“survey_20261001_p.csv”内容完全相同，是它的副本，未重复读取；请删除"]
    put(desk, "survey_20261101_p.csv", ("2", "乙"))
    assert names(desk.take("survey")) == ["乙"]


@pytest.mark.parametrize(("other", "name"), [("survey_20261001_p (1).csv", "乙"), ("survey_20261001_q.csv", "甲"), ("survey_20261002_p (1).csv", "甲")])
def test_what_differs_in_bytes_or_part_or_day_is_no_copy(desk, other, name):
    put(desk, "survey_20261001_p.csv", ("1", "甲"))
    put(desk, other, ("1", name))
    assert desk.take("survey").accepted.height == 2


def test_the_same_name_twice_with_other_bytes_is_neither(desk):
    put(desk, "survey_20261001.csv", ("1", "甲"))
    put(desk, "survey_20261001.csv", ("1", "乙"), below="again")
    put(desk, "survey_20260901.csv", ("1", "丙"))
    taken = desk.take("survey")
    assert names(taken) == ["丙"]
    rejected = taken.receipts.filter(state="rejected")
    assert rejected["message"].unique().to_list() == ["收件目录中有2个同名文件而内容不同，无法判断以哪个为准，均未读取；请只保留一个或改用不同名称"]
    assert rejected["sha256"].n_unique() == 2


def test_one_part_and_day_in_two_formats_is_one_snapshot(desk):
    put(desk, "survey_20261001.xlsx", ("1", "表"))
    put(desk, "survey_20261001.csv", ("1", "文"))
    taken = desk.take("survey")
    assert names(taken) == ["文"]
    assert taken.receipt("survey_20261001.xlsx")["warnings"] == ["同一日期、同一分片另有文件“survey_20261001.csv”，已采用后者"]
    assert taken.receipt("survey_20261001.csv")["warnings"] == ["同一日期、同一分片另有文件“survey_20261001.xlsx”，未采用；请勿重复报送"]


def test_one_part_and_day_in_two_formats_of_which_one_is_broken(desk):
    put(desk, "survey_20261001.xlsx", ("1", "表"))
    desk.put("survey", "survey_20261001.csv", b"")
    assert names(desk.take("survey")) == ["表"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("survey.csv", "文件名不合规定；应为“survey_年月日_其他.csv”，例如survey_20261101_500106.csv"),
        ("education_20261101.csv", "文件名不合规定；应为“survey_年月日_其他.csv”，例如survey_20261101_500106.csv"),
        ("survey_2026-11-01.xlsx", "文件名不合规定；应为“survey_年月日_其他.xlsx”，例如survey_20261101_500106.xlsx"),
        ("survey_20261101x.csv", "文件名不合规定；应为“survey_年月日_其他.csv”，例如survey_20261101_500106.csv"),
        ("survey_20261301.csv", "文件名中的日期不存在；应为8位年月日，例如20261101"),
        ("survey_20261101.xls", "不支持的文件类型；旧版.xls不能读取，请另存为.xlsx"),
        ("survey_20261101.xlsm", "不支持的文件类型；带宏的工作簿不予读取，请另存为不带宏的.xlsx"),
        ("survey_20261101.zip", "不支持的文件类型；压缩包请先解压，或用gzip压缩为.csv.gz"),
        ("说明.docx", "不支持的文件类型；请以.csv、.csv.gz、.xlsx或.parquet报送"),
        ("survey_20261101", "不支持的文件类型；请以.csv、.csv.gz、.xlsx或.parquet报送"),
    ],
)
def test_a_name_that_is_no_export_of_the_feed_is_rejected_in_words(desk, name, message):
    desk.put("survey", name, b"x")
    receipt = desk.take("survey").receipt(name)
    assert (receipt["state"], receipt["message"], receipt["export_date"]) == ("rejected", message, None)


def test_a_name_that_an_archive_left_in_gb_18030_is_the_one_its_department_wrote(desk):
    path = put(desk, "survey_20261101.csv", ("1", "甲"))
    path.rename(path.parent / os.fsdecode("survey_20261101_沙坪坝.csv".encode("gb18030")))
    taken = desk.take("survey")
    assert (names(taken), states(taken)) == (["甲"], {"survey_20261101_沙坪坝.csv": "accepted"})
    assert taken.accepted["source_file"].to_list() == ["survey_20261101_沙坪坝.csv"]
    folder = desk.inbox / os.fsdecode("公安".encode("gb18030"))
    folder.mkdir()
    (folder / os.fsdecode(b"\xff.csv")).write_bytes(b"x")
    assert strays(desk.inbox).select("feed", "source_file").rows() == [("公安", "\ufffd.csv")]


def test_what_office_programs_leave_behind_is_not_looked_at(desk):
    for name in ("~$survey_20261101.xlsx", ".survey_20261101.csv.swp", ".DS_Store"):
        desk.put("survey", name, b"x")
    desk.put("survey", "survey_20261101.csv", b"x", below=".trash")
    assert desk.take("survey").receipts.is_empty()


def test_files_outside_the_feeds_folders_are_said_to_be_strays(desk):
    put(desk, "survey_20261101.csv", ("1", "甲"))
    (desk.inbox / "survey_20261101.csv").write_bytes(b"x")
    desk.put("公安", "household_20261101.csv", b"y", below="a")
    found = strays(desk.inbox)
    assert found.select("feed", "source_file", "state").rows() == [("", "survey_20261101.csv", "rejected"), ("公安", "household_20261101.csv", "rejected")]
    assert found["message"][0].startswith("文件直接放在收件目录下，无法判断来源；请放入以下文件夹之一：household、")
    assert found["message"][1].startswith("文件夹“公安”不是已知的数据来源；请放入以下文件夹之一：household、")
    write_strays(desk.inbox, desk.folder / "work")
    assert pl.read_parquet(desk.folder / "work" / "receipt" / "strays.parquet").equals(found)
    assert strays(desk.folder / "nowhere").is_empty()


def test_an_export_from_the_future_is_used_and_questioned(desk):
    put(desk, "survey_20261201.csv", ("1", "甲"))
    receipt = desk.take("survey").receipt("survey_20261201.csv")
    assert (receipt["state"], receipt["age_days"]) == ("accepted", -7)
    assert receipt["warnings"] == ["导出日期2026-12-01晚于统计日2026-11-24，请核对文件名中的日期"]


@pytest.mark.parametrize(("wrong", "right"), [("survey_20621101.csv", "survey_20261101.csv"), ("survey_20261101.csv", "survey_20261101_delta.csv")])
def test_a_date_or_delta_in_a_name_that_was_put_right_does_not_stand_beside_what_it_was(desk, wrong, right):
    put(desk, "survey_20261001.csv", ("1", "甲"))
    path = put(desk, wrong, ("2", "乙"))
    desk.take("survey")
    path.rename(path.with_name(right))
    expected = ["甲", "乙"] if "delta" in right else ["乙"]
    assert names(desk.take("survey")) == sorted(expected)
    path.with_name(right).unlink()
    assert names(desk.take("survey")) == sorted(expected)
    put(desk, "survey_20261110.csv", ("3", "丙"))
    assert names(desk.take("survey")) == ["丙"]


def test_a_delta_whose_name_goes_on_is_questioned_and_counts_as_one_when_that_is_put_right(desk):
    put(desk, "survey_20261001_p.csv", ("1", "甲"), ("2", "乙"))
    path = put(desk, "survey_20261102_p_delta (1).csv", ("2", "丙"))
    taken = desk.take("survey")
    assert names(taken) == sorted(["甲", "乙", "丙"])
    assert taken.receipt(path.name)["warnings"] == ["文件名中的“delta”不在末尾，按单独的整表读取，不替换其他文件的行，并一直沿用；如为增量，请改名为以“_delta”结尾后重新报送"]
    path.rename(path.with_name("survey_20261102_p_delta.csv"))
    assert names(desk.take("survey")) == sorted(["甲", "丙"])


def test_an_export_without_rows_is_not_taken_for_another_part_s_under_a_new_name(desk):
    put(desk, "survey_20261001_p.csv", ("1", "甲"))
    desk.take("survey")
    put(desk, "survey_20261101_p.csv")
    desk.take("survey")
    (desk.inbox / "survey" / "survey_20261101_p.csv").unlink()
    put(desk, "survey_20261101_q.csv")
    assert names(desk.take("survey")) == []


def test_a_file_nobody_may_read_is_rejected(desk, monkeypatch):
    put(desk, "survey_20261101.csv", ("1", "甲"))
    put(desk, "survey_20261102_b.csv", ("1", "乙"))

    def closed(path):
        if path.name.endswith("_b.csv"):
            raise PermissionError(13, "Permission denied")
        return sha256(path)

    monkeypatch.setattr("schemas.exports.inbox.sha256", closed)
    taken = desk.take("survey")
    assert taken.receipt("survey_20261102_b.csv")["message"] == "文件无法打开（Permission denied），请检查权限或重新报送"
    assert names(taken) == ["甲"]


def test_a_folder_nobody_may_look_into_is_told(desk, monkeypatch):
    put(desk, "survey_20261101.csv", ("1", "甲"))
    put(desk, "survey_20261102_b.csv", ("1", "乙"), below="b")
    scandir = os.scandir

    def closed(path):
        if str(path).endswith("/b"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    receipt = desk.take("survey").receipt("b/")
    assert (receipt["state"], receipt["message"]) == ("rejected", "文件夹无法打开，其中的文件均未读取；请检查权限")
    assert strays(desk.inbox).is_empty()


def test_an_inbox_nobody_may_look_into_is_told_once(desk, monkeypatch):
    put(desk, "survey_20261101.csv", ("1", "甲"))
    (desk.inbox / "其他").mkdir()

    def closed(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", closed)
    assert strays(desk.inbox)["source_file"].to_list() == ["inbox/"]


def test_a_link_to_a_folder_is_looked_into_and_one_that_leads_back_is_not(desk, tmp_path):
    put(desk, "survey_20261101.csv", ("1", "甲"))
    outside = put(desk, "survey_20261102_b.csv", ("1", "乙")).rename(tmp_path / "survey_20261102_b.csv")
    (tmp_path / "share").mkdir()
    outside.rename(tmp_path / "share" / outside.name)
    (desk.inbox / "survey" / "october").symlink_to(tmp_path / "share")
    (desk.inbox / "survey" / "back").symlink_to(desk.inbox)
    taken = desk.take("survey")
    assert (names(taken), taken.receipts.height) == (["乙", "甲"], 2)
    assert {f.name for f in files_below(desk.inbox)[0]} == {"survey_20261101.csv", "survey_20261102_b.csv"}


def test_a_link_that_leads_nowhere_is_rejected(desk):
    put(desk, "survey_20261101.csv", ("1", "甲"))
    (desk.inbox / "survey" / "survey_20261102.csv").symlink_to("/nowhere/survey.csv")
    assert desk.take("survey").receipt("survey_20261102.csv")["message"] == "文件无法打开（No such file or directory），请检查权限或重新报送"


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
