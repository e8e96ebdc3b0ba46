"""The doctor: healthy and ill inboxes and registers, by what is said."""

import fcntl
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import doctor
from flows.doctor import examine
from flows.nightly import nightly
from flows.room import require_writable
from flows.settings import UnusableInputError
from publish.register import VersionUnknownError, find_again, rollback
from sample_data.tiny import FOLDER
from schemas.tables.register import LAYOUT

DAY = date(2026, 11, 24)


def said(inbox, register, state: str | None = None) -> list[str]:
    return [f"{f.subject}: {f.said}" for f in examine(inbox, register, DAY) if state in (None, f.state)]


@pytest.fixture
def inbox(tmp_path):
    shutil.copytree(FOLDER / "inbox", tmp_path / "inbox")
    return tmp_path / "inbox"


def test_nothing_stops_a_night_of_the_small_city(inbox, tmp_path):
    assert said(inbox, tmp_path / "register.duckdb", "stop") == []
    assert [f for f in said(inbox, tmp_path / "register.duckdb", "note") if "household" in f] == []


def test_a_late_feed_and_one_from_the_future_and_one_that_never_came_are_noted(inbox, tmp_path):
    folder = inbox / "household"
    next(folder.glob("*.csv")).rename(folder / "household_20260901.csv")
    folder = inbox / "residence"
    next(folder.glob("*.csv")).rename(folder / "residence_20261201.csv")
    shutil.rmtree(inbox / "survey")
    notes = said(inbox, tmp_path / "register.duckdb", "note")
    assert "inbox household: 1 files, the newest of 2026-09-01, 84 days old; that is more than 45 days: ask the department for a new export" in notes
    assert "inbox residence: 1 files, the newest of 2026-12-01, -7 days old; the date lies ahead: look at the file's name" in notes
    assert "inbox visit: no file, and no run misses this input" in said(inbox, tmp_path / "register.duckdb", "ok")
    assert "inbox survey: no file: the run goes on with the last one it had, if any. Ask the department, if one was due" in notes


def test_files_that_will_not_be_read_are_named(inbox, tmp_path):
    (inbox / "household" / "户籍11月.csv").write_text("x", "utf-8")
    (inbox / "readme.csv").write_text("x", "utf-8")
    (inbox / "survey" / "survey_20261120_empty.csv").touch()
    (workbook,) = (inbox / "assistance").glob("*.xlsx")
    (inbox / "assistance" / "assistance_20261120.xlsx").write_bytes(workbook.read_bytes()[:3000])
    (survey,) = (inbox / "survey").glob("survey_*_others.xlsx")
    (inbox / "survey" / f"{survey.stem} - 副本.xlsx").write_bytes(survey.read_bytes())
    notes = " | ".join(said(inbox, tmp_path / "register.duckdb", "note"))
    assert "inbox household: 户籍11月.csv will not be read: 文件名不合规定" in notes
    assert "inbox: readme.csv will not be read: 文件直接放在收件目录下" in notes
    assert "inbox survey: survey_20261120_empty.csv will not be read: 文件是空的（0字节）" in notes
    assert f"inbox survey: {survey.stem} - 副本.xlsx will not be read: 与“{survey.name}”内容完全相同，是它的副本" in notes
    assert "inbox assistance: assistance_20261120.xlsx will not be read: 工作簿不完整或已损坏" in notes


def test_an_empty_or_missing_inbox_stops(tmp_path):
    assert any(f.startswith("inbox: there is no folder") for f in said(tmp_path / "none", tmp_path / "r.duckdb", "stop"))
    (tmp_path / "empty").mkdir()
    assert any("holds no export at all" in f for f in said(tmp_path / "empty", tmp_path / "r.duckdb", "stop"))


def test_a_register_that_is_none_stops_with_the_way_back(inbox, tmp_path):
    (tmp_path / "r.duckdb").write_bytes(b"no register" * 1000)
    (stop,) = said(inbox, tmp_path / "r.duckdb", "stop")
    assert "cannot be used" in stop and "put a copy in its place" in stop


def test_a_register_with_a_damaged_block_stops_and_a_whole_one_does_not(inbox, tmp_path):
    register = tmp_path / "r.duckdb"
    with duckdb.connect(str(register)) as con:
        con.execute(f"CREATE TABLE run AS SELECT 'R1' AS run_id, DATE '2026-11-24' AS as_of, TIMESTAMP '2026-11-24 18:00' AS started_at, {LAYOUT} AS layout")
        con.execute("CREATE TABLE ledger AS SELECT range::VARCHAR AS entry_id, hash(range) AS person_id FROM range(5000)")
    assert said(inbox, register, "stop") == []
    with duckdb.connect(str(register), read_only=True) as con:
        ((block,),) = con.execute("SELECT max(block_id) FROM pragma_storage_info('ledger') WHERE column_name = 'person_id'").fetchall()
    damage(register, block)
    (stop,) = said(inbox, register, "stop")
    assert "its table ledger cannot be read to the end" in stop and "put a copy in its place" in stop


def test_registers_kept_without_the_link_to_one_stop_a_night_that_would_begin_a_new_one(inbox, tmp_path):
    register = tmp_path / "r.duckdb"
    kept = [tmp_path / "r.duckdb.d" / "versions" / f"register-R{n}.duckdb" for n in (1, 2)]
    kept[0].parent.mkdir(parents=True)
    for n, version in enumerate(kept):
        version.touch()
        os.utime(version, (n, n))
    (stop,) = said(inbox, register, "stop")
    assert stop.startswith(f"register: there is no {register}, and 2 registers of it are kept: 'childflow rollback --register {register}' points it at the newest, register-R2.duckdb")
    with pytest.raises(VersionUnknownError, match="and 2 registers of it are kept"):
        nightly.fn(str(inbox), str(register))
    assert rollback(register) == kept[1] and register.resolve() == kept[1]


def test_the_one_register_of_a_first_night_that_died_before_it_was_linked_is_found_again(tmp_path):
    register = tmp_path / "r.duckdb"
    (version := tmp_path / "r.duckdb.d" / "versions" / "register-R1.duckdb").parent.mkdir(parents=True)
    find_again(register)
    assert not register.is_symlink()
    version.touch()
    find_again(register)
    assert register.resolve() == version


def test_a_feed_that_did_not_come_is_told_with_the_age_of_what_stands(inbox, tmp_path):
    with duckdb.connect(str(tmp_path / "r.duckdb")) as con:
        con.execute(f"CREATE TABLE run AS SELECT 'R1' AS run_id, DATE '2026-11-24' AS as_of, TIMESTAMP '2026-11-24 18:00' AS started_at, {LAYOUT} AS layout")
        con.execute("CREATE TABLE feed_receipt AS FROM (VALUES ('survey', DATE '2026-10-10', 'kept'), ('survey', DATE '2026-11-10', 'rejected')) AS t(feed, export_date, state)")
    shutil.rmtree(inbox / "survey")
    told = "inbox survey: no file: the run goes on with the last one it had, of 2026-10-10, 45 days old. Ask the department, if one was due"
    assert told in said(inbox, tmp_path / "r.duckdb", "note")


def damage(register: Path, block: int) -> None:
    """Other bytes in the middle of one block of a DuckDB file: three headers of 4 KiB, then blocks of 256 KiB that begin with their checksum."""
    with register.open("r+b") as file:
        file.seek(3 * 4096 + block * 262_144 + 64)
        file.write(bytes(range(64)))


def test_a_run_at_work_stops_a_second_one(inbox, tmp_path):
    (tmp_path / "r.duckdb.d").mkdir()
    with (tmp_path / "r.duckdb.d" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert any("a run is writing" in f for f in said(inbox, tmp_path / "r.duckdb", "stop"))
    assert said(inbox, tmp_path / "r.duckdb", "stop") == []


@pytest.mark.parametrize(
    ("closed", "told"),
    [
        ("lake", "cannot be written by this user: change its owner, or give another place"),
        ("lake/r.duckdb.d", "cannot be written by this user: change its owner, or give another place"),
        ("lake/r.duckdb.d/lock", "belongs to another user, and no run can begin without it: change its owner, or run as that user"),
        ("spill", "cannot be written by this user: change its owner, or give another place"),
    ],
)
def test_a_place_this_user_may_not_write_stops(inbox, tmp_path, monkeypatch, closed, told):
    (tmp_path / "lake" / "r.duckdb.d").mkdir(parents=True)
    (tmp_path / "lake" / "r.duckdb.d" / "lock").touch()
    (tmp_path / "spill").mkdir()
    monkeypatch.setenv("CHILDFLOW_SPILL", str(tmp_path / "spill"))
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != tmp_path / closed)
    (stop,) = said(inbox, tmp_path / "lake" / "r.duckdb", "stop")
    assert stop == f"register: {tmp_path / closed} {told}"
    with pytest.raises(UnusableInputError, match=told):
        require_writable(tmp_path / "lake" / "r.duckdb", tmp_path / "spill")


@pytest.mark.parametrize(("name", "value"), [("CHILDFLOW_WORKERS", "many"), ("CHILDFLOW_WORKERS", "²"), ("CHILDFLOW_KEEP", "0"), ("CHILDFLOW_PASSWORD_FILE", "nowhere")])
def test_a_setting_that_would_end_the_night_stops(inbox, tmp_path, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    (stop,) = said(inbox, tmp_path / "r.duckdb", "stop")
    assert f"{name} takes a whole number from 1, not '{value}'" in stop or "the password file nowhere cannot be read" in stop


def test_a_file_where_the_register_s_folder_should_be_stops(inbox, tmp_path):
    (tmp_path / "lake").touch()
    (stop,) = said(inbox, tmp_path / "lake" / "r.duckdb", "stop")
    assert stop == f"register: {tmp_path / 'lake'} is a file, and {tmp_path / 'lake' / 'r.duckdb'} cannot lie below it: give another place"


@pytest.mark.parametrize("folder", ["nights [2026]", "what?", "a*"])
def test_a_register_whose_path_reads_like_a_pattern_stops(inbox, tmp_path, folder):
    register = tmp_path / folder / "r.duckdb"
    (stop,) = said(inbox, register, "stop")
    assert stop == f"register: {register} has one of * ? [ ] in its path, by which files are found and never named: give another path"
    with pytest.raises(UnusableInputError, match="give another path"):
        require_writable(register, None)


def test_a_register_that_another_program_writes_is_said_to_be_open_there(inbox, tmp_path):
    register = tmp_path / "r.duckdb"
    holder = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", holder, str(register)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"open\n"
        (stop,) = said(inbox, register, "stop")
        other.stdin.close()
    assert stop == (
        f"register: {register} is open for writing in process {other.pid}, and nobody else can read it: close it there (to look into it: duckdb -readonly), then start again"
    )


def test_too_little_room_stops(inbox, tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "free", lambda _: 2**20)
    (stop,) = said(inbox, tmp_path / "r.duckdb", "stop")
    assert stop.startswith("disk: 0.0 GiB free where the register lies, a night of this inbox needs about 0.2 GiB: free space")


def test_a_package_of_another_version_and_a_setting_that_is_none_stop(inbox, tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "requires", lambda _: ["duckdb>=99", "nosuchpackage>=1"])
    monkeypatch.setenv("CHILDFLOW_MEMORY", "much")
    stops = said(inbox, tmp_path / "r.duckdb", "stop")
    assert any("duckdb is 1." in s and "wanted >=99; nosuchpackage is nothing, wanted >=1. Install what requirements.lock names" in s for s in stops)
    assert "memory: CHILDFLOW_MEMORY takes a size such as 4GB or 800MiB, not 'much'" in stops


@pytest.mark.parametrize(
    ("runner", "server", "state", "told"),
    [
        ("threads", None, "ok", "the heavy stations work on threads (CHILDFLOW_RUNNER)"),
        ("tls://10.0.0.1:8786", "http://10.0.0.2:4200/api", "ok", "the heavy stations work on tls://10.0.0.1:8786"),
        ("tls://10.0.0.1:8786", None, "stop", "no Prefect server is named that its workers could reach: set PREFECT_API_URL"),
        ("ray", None, "stop", "CHILDFLOW_RUNNER takes threads, dask, or the address of a Dask scheduler"),
    ],
)
def test_workers_that_could_not_be_had_stop(inbox, tmp_path, monkeypatch, runner, server, state, told):
    monkeypatch.setenv("CHILDFLOW_RUNNER", runner)
    with temporary_settings({PREFECT_API_URL: server}):
        assert any(line.startswith("workers: ") and told in line for line in said(inbox, tmp_path / "register.duckdb", state))
