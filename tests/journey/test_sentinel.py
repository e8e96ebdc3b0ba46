"""A child planted in the input, followed to every place where it must not turn up: terminal, Prefect's database, report, copies, rosters of others."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import duckdb
import pytest

from publish.pseudonyms import pseudonymise
from tests.journey.conftest import ROOT, TINY
from tests.publish.handouts_city import SENDER

NAME, NUMBER, GUARDIAN, PHONE = "欧阳哨兵", "500116201503015678", "哨兵之父", "13987650001"
SPOILT = "哨兵坏行"  # stands in rows that are turned away
WORDS = (NAME, NUMBER, GUARDIAN, PHONE, SPOILT)
FLOW = """
import sys
from flows.settings import quiet_prefect
quiet_prefect()
from flows.nightly import nightly
nightly(*sys.argv[1:])
"""


def with_check_digit(first: str) -> str:
    return first + "10X98765432"[sum(int(c) * 2 ** (17 - i) for i, c in enumerate(first)) % 11]


def plant(inbox: Path) -> str:
    """A pupil of 两江新区 with a hukou in 江津, and rows that are turned away; returns the child's number."""
    number = with_check_digit(NUMBER[:17])
    files = {
        "education": f"学籍号,姓名,性别,出生日期,身份证件号,学校所在区划,入学年月,就读状态,是否寄宿,监护人1姓名,监护人1关系,监护人1电话\n"
        f"G{number},{NAME},男,2015-03-01,{number},500157,202209,在读,否,{GUARDIAN},父亲,{PHONE}\n,{SPOILT},男,2015-03-01,{number},500157,202209,在读,否,{GUARDIAN},父亲,{PHONE}\n",
        "household": f"户号,公民身份号码,姓名,性别,出生日期,户籍地区划,户口状态\nH1,{number},{NAME},男,2015-03-01,500116,正常\nH2,,{SPOILT},男,,500116,正常\n",
    }
    for feed, text in files.items():
        (inbox / feed / f"{feed}_20261110_sentinel.csv").write_text(text, "utf-8")
    (inbox / "health" / "health_20261110_sentinel.csv").write_text(f"档案编号,{NAME},{number}\n1,2,3\n", "utf-8")
    return number


@pytest.fixture(scope="module")
def night(tmp_path_factory, tiny_as_of):
    """A run under Prefect, its server's folder kept apart: the folder, the register, what was said, and the child's number."""
    folder = tmp_path_factory.mktemp("sentinel")
    shutil.copytree(TINY / "inbox", folder / "inbox")
    number = plant(folder / "inbox")
    env = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")} | {"PREFECT_HOME": str(folder / "prefect")}
    register = folder / "register.duckdb"
    call = [sys.executable, "-c", FLOW, str(folder / "inbox"), str(register), tiny_as_of]
    done = subprocess.run(call, capture_output=True, text=True, cwd=ROOT, env=env, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder, register, done.stdout + done.stderr, number


def words(number):
    return (*WORDS, number)


def test_the_planted_child_is_on_the_list(night):
    _, register, _, number = night
    with duckdb.connect(str(register), read_only=True) as con:
        assert con.execute("SELECT name, id_number, residence_district FROM flowing_child WHERE id_number = ?", [number]).fetchall() == [(NAME, number, "500157")]
        assert con.execute("SELECT count(*) FROM quarantine WHERE source_file LIKE '%sentinel%'").fetchall() == [(2,)]


def test_nothing_of_it_is_said_or_kept_by_prefect(night):
    folder, _, said, number = night
    assert not [w for w in words(number) if w in said]
    kept = [p for p in (folder / "prefect").rglob("*") if p.is_file()]
    assert any(p.suffix == ".db" and p.stat().st_size > 100_000 for p in kept)
    for path in kept:
        content = path.read_bytes()
        assert not [w for w in words(number) if w.encode() in content or w.encode("unicode_escape") in content], path.name


def test_nothing_of_it_is_in_the_report_the_copy_or_the_log_of_what_was_handed_out(night):
    folder, register, _, number = night
    out = folder / "register.duckdb.d" / "out"
    reports = [p for p in out.rglob("report*") if p.is_file()]
    assert reports
    for path in reports:
        assert not [w for w in words(number) if w.encode() in path.read_bytes()], path.name
    pseudonymise(register, folder / "copy.duckdb", b"k" * 32, SENDER)
    with duckdb.connect(str(folder / "copy.duckdb"), read_only=True) as con:
        tables = [n for (n,) in con.execute("SELECT table_name FROM duckdb_tables() WHERE NOT internal").fetchall()]
        text = "".join(repr(con.execute(f'SELECT * FROM "{t}"').fetchall()) for t in tables)
    log = b"".join(p.read_bytes() for p in (folder / "register.duckdb.d" / "export_log").iterdir())
    assert not [w for w in words(number) if w in text or w.encode() in log]


def test_only_rosters_of_its_district_name_it_and_only_departments_that_hold_its_number_read_it(night):
    folder, _, _, number = night
    seen = {}
    for path in sorted((folder / "register.duckdb.d" / "out" / "rosters").rglob("*.xlsx")):
        with zipfile.ZipFile(path) as package:
            text = "".join(package.read(n).decode("utf-8", "replace") for n in package.namelist())
        seen[path.name] = [w for w in (NAME, number, PHONE) if w in text]
    named = {n for n, found in seen.items() if NAME in found}
    assert {n.split("_")[1] for n in named} == {"两江新区"}
    assert {n.split("_")[2] for n in named} == {"教育", "公安", "医保", "疾控", "民政"}
    assert {n.split("_")[2] for n, found in seen.items() if number in found} == {"教育", "公安", "民政"}
    assert {n.split("_")[2] for n, found in seen.items() if PHONE in found} == {"教育", "疾控", "民政"}
