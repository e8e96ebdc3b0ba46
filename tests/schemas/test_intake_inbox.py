"""Names and places of files: copies, other formats, names that are none, strays, links, what nobody may read."""

from __future__ import annotations

import os

import polars as pl
import pytest

from schemas.exports.inbox import files_below, sha256, strays, write_strays
from tests.schemas.survey_files import names, put, states


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
