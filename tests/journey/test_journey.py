"""End to end, as a user and as the contract see it: the small city through the console command into a register."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import polars as pl
import pytest
import yaml

from schemas.tables.assessment import OUTCOME_OF
from tests.journey.conftest import ROOT, TINY, childflow, run, tables
from tests.journey.shuffling import by_content, shuffled

CONTRACT = yaml.safe_load((Path(__file__).parent / "contract.yaml").read_text("utf-8"))


def rows(register: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(register), read_only=True) as con:
        return con.execute(sql).fetchall()


@pytest.mark.parametrize("table", CONTRACT["tables"])
def test_every_table_and_column_of_the_contract_is_there_with_a_comment(tiny_register, table):
    columns = dict(rows(tiny_register, f"SELECT column_name, comment FROM duckdb_columns() WHERE table_name = '{table}'"))
    assert set(CONTRACT["tables"][table]) <= set(columns)
    assert all(columns.values()), "a column without a comment"
    ((comment,),) = rows(tiny_register, f"SELECT comment FROM duckdb_tables() WHERE table_name = '{table}'")
    assert comment


def test_rows_in_are_accepted_or_quarantined_in_every_file(tiny_register):
    bad = rows(tiny_register, "SELECT source_file FROM feed_receipt WHERE rows_in IS DISTINCT FROM rows_accepted + rows_quarantined")
    assert bad == []
    ((quarantined, received),) = rows(tiny_register, "SELECT (SELECT count(*) FROM quarantine), sum(rows_quarantined) FROM feed_receipt")
    assert quarantined == received > 0


def test_accepted_rows_are_person_records_answers_or_replaced(tiny_register):
    ((accepted, replaced, answers, linked),) = rows(
        tiny_register,
        "SELECT sum(rows_accepted), sum(rows_replaced), (SELECT sum(rows_accepted) FROM feed_receipt WHERE feed IN ('verification', 'resource')),"
        " (SELECT count(*) FROM person_record) FROM feed_receipt",
    )
    assert accepted == linked + replaced + answers
    assert linked > 0


def test_the_night_counts_open_overdue_and_urgent_alerts(tiny_register):
    ((counts,),) = rows(tiny_register, "SELECT counts FROM run")
    told = json.loads(counts)
    found = rows(tiny_register, "SELECT count(*), count(*) FILTER (state = 'overdue'), count(*) FILTER (severity = 'report') FROM alert WHERE state <> 'closed'")
    assert [(told["alert_open"], told["alert_overdue"], told["alert_report"])] == found
    assert told["alert_report"] == 1 and len(list((tiny_register.parent / f"{tiny_register.name}.d" / "out" / "mandatory_reports").glob("*.xlsx"))) == 1


def test_needs_have_their_nearest_place_or_say_why_not(tiny_register):
    found = rows(tiny_register, "SELECT need, status, resource_name IS NOT NULL, nearness, why FROM match_suggestion ORDER BY person_id, need")
    assert {status for _, status, *_ in found} == {"matched", "none_fits"}
    assert all(named == (status == "matched") == (near is not None) for _, status, named, near, _ in found)
    assert "中心城区的未成年人救助保护机构“市未成年人救助保护中心”提供临时监护，服务年龄相符；空余7个名额" in {why for *_, why in found}


def test_every_person_is_assessed_once_with_a_reason_of_the_contract(tiny_register):
    answers = rows(tiny_register, "SELECT p.person_id, a.outcome, a.reason FROM person p FULL JOIN assessment a USING (person_id)")
    assert len(answers) == len({a[0] for a in answers})
    assert all(OUTCOME_OF[reason] == outcome for _, outcome, reason in answers)


def test_no_person_has_two_valid_numbers_of_its_own(tiny_register):
    twice = rows(
        tiny_register,
        "SELECT person_id FROM person_record JOIN record USING (feed, source_file, source_row)"
        " WHERE id_number_status = 'valid' AND id_role = 'own' GROUP BY person_id HAVING count(DISTINCT id_number) > 1",
    )
    changed = rows(tiny_register, "SELECT person_id FROM person WHERE len(former_id_numbers) > 0")
    assert set(twice) <= set(changed)


def test_a_second_run_of_the_same_night_adds_nothing(tiny_register, tiny_as_of, tmp_path):
    register = tmp_path / "register.duckdb"
    shutil.copy(tiny_register.resolve(), register)
    before = tables(register)
    run(TINY / "inbox", register, tiny_as_of)
    after = tables(register)
    for name in sorted(set(before) - {"run"}):
        assert before[name].equals(after[name]), name
    assert after["run"].height == before["run"].height + 1


def test_two_fresh_runs_with_one_and_two_threads_are_equal(tiny_register, tiny_as_of, tmp_path):
    register = tmp_path / "register.duckdb"
    run(TINY / "inbox", register, tiny_as_of, POLARS_MAX_THREADS="1", CHILDFLOW_WORKERS="1")
    one, other = tables(register), tables(tiny_register)
    assert set(one) == set(other)
    for name in sorted(one):
        assert one[name].equals(other[name]), name


def test_files_and_rows_in_another_order_give_the_same_tables(tiny_register, tiny_as_of, tmp_path):
    assert shuffled(TINY / "inbox", tmp_path / "inbox", seed=5) > 400
    run(tmp_path / "inbox", tmp_path / "register.duckdb", tiny_as_of)
    one, other = by_content(tiny_register), by_content(tmp_path / "register.duckdb")
    assert set(one) == set(other)
    for name in sorted(one):
        assert one[name] == other[name], name


def test_the_register_opens_as_the_contract_says_and_says_what_to_do_next(tiny_register):
    assert tiny_register.is_symlink()
    done = childflow("explain", "--register", tiny_register, "NOBODY")
    assert done.code == 2
    assert "NOBODY" in done.err


def test_evaluate_reads_the_truth(tiny_register):
    done = childflow("evaluate", "--register", tiny_register, "--truth", TINY / "truth")
    assert done.code == 0, done.err
    assert done.out.strip().splitlines()[-1].startswith("Next: ")


def test_explain_tells_one_childs_whole_story(tiny_register):
    ((person,), *_) = rows(tiny_register, "SELECT person_id FROM flowing_child ORDER BY person_id LIMIT 1")
    for lang, typed in (("en", person), ("zh", f" {person[:4].lower()} {person[4:].lower()}　")):
        done = childflow("explain", "--register", tiny_register, "--lang", lang, typed)
        assert done.code == 0, done.err
        assert person in done.out and len(done.out.splitlines()) > 10


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "--inbox", "nowhere", "--register", "r.duckdb"], "there is no inbox folder nowhere"),
        (["run", "--inbox", str(ROOT / "docs"), "--register", "{tmp}/r.duckdb"], "no usable file in"),
        (["run", "--inbox", str(TINY / "inbox"), "--register", "{tmp}"], "is a folder: give the register's file name"),
        (["run", "--inbox", str(TINY / "inbox"), "--register", "{tmp}/r.duckdb", "--as-of", "tomorrow"], "--as-of takes a date such as 2026-11-24, not 'tomorrow'"),
        (["evaluate", "--register", "{tmp}/none.duckdb", "--truth", str(TINY / "truth")], "there is no file"),
        (["explain", "--register", "{tmp}/none.duckdb", "X"], "run 'childflow run' first"),
        (["sample", "--children", "0", "--out", "{tmp}/c"], "greater than or equal to 1"),
        (["explain", "--register", "{tmp}/r", "X", "--lang", "fr"], "is not one of 'en', 'zh'"),
        (["rosters", "--register", "r.duckdb", "--out", "{tmp}/there"], "Invalid value for '--out'"),
        (["sample", "--children", "1", "--out", "{tmp}/there"], "Invalid value for '--out'"),
        (["review", "export", "--register", "r.duckdb", "--out", "{tmp}"], "Invalid value for '--out'"),
        (["train", "--register", "r.duckdb", "--out", "{tmp}"], "Invalid value for '--out'"),
        (["review", "import", "{tmp}/none.xlsx", "--register", "{tmp}/there"], "give the workbook that 'childflow review export' wrote, filled in"),
        (["review", "export", "--register", "{tmp}/there", "--out", "{tmp}/there"], "is what was given to read, and is never written over"),
        (["pseudonymise", "--register", "{tmp}/there", "--out", "{tmp}/there", "--key-file", "{tmp}/there"], "is what was given to read"),
        (["nonsense"], "No such command"),
    ],
)
def test_bad_words_end_with_two_and_say_why(words, said, tmp_path):
    (tmp_path / "there").touch()
    done = childflow(*[w.replace("{tmp}", str(tmp_path)) for w in words])
    assert done.code == 2
    assert said in done.err


def test_killed_at_any_moment_the_last_register_stands_and_the_next_run_completes(tiny_register, tiny_as_of, tmp_path):
    register = tmp_path / "register.duckdb"
    start = time.monotonic()
    run(TINY / "inbox", register, tiny_as_of)
    whole = time.monotonic() - start
    good = tables(register)
    moments = random.Random(7)
    code = "from flows.cli import main; main()"
    call = [sys.executable, "-c", code, "run", "--inbox", str(TINY / "inbox"), "--register", str(register), "--as-of", tiny_as_of, "--anew"]
    for _ in range(10):
        dying = subprocess.Popen(call, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0.25, 0.98) * whole)
        dying.send_signal(signal.SIGKILL)
        dying.wait()
        assert rows(register, "SELECT count(*) FROM person")[0][0] == good["person"].height
    run(TINY / "inbox", register, tiny_as_of, "--anew")
    after = tables(register)
    for name in sorted(set(good) - {"run", "export_log"}):
        assert good[name].equals(after[name]), name
    left = [p.name for p in (tmp_path / "register.duckdb.d").rglob("*") if ".build" in p.name or "work" in p.parts[-2:-1]]
    assert left == []


def test_a_reader_sees_one_consistent_register_before_during_and_after_a_run(tiny_register, tiny_as_of, tmp_path):
    register = tmp_path / "register.duckdb"
    run(TINY / "inbox", register, tiny_as_of)
    with duckdb.connect(str(register.resolve()), read_only=True) as reader:
        before = reader.execute("SELECT count(*), (SELECT count(*) FROM run) FROM person").fetchall()
        run(TINY / "inbox", register, tiny_as_of, "--anew")
        assert reader.execute("SELECT count(*), (SELECT count(*) FROM run) FROM person").fetchall() == before
    ((_, runs),) = before
    assert rows(register.resolve(), "SELECT count(*) FROM run") == [(runs + 1,)]


def test_no_name_or_number_of_a_child_is_said_on_the_terminal(tiny_register, tiny_as_of, tmp_path):
    done = run(TINY / "inbox", tmp_path / "register.duckdb", tiny_as_of)
    said = done.out + done.err
    names = pl.Series([n for (n,) in rows(tiny_register, "SELECT name FROM person WHERE name IS NOT NULL")])
    numbers = [n for (n,) in rows(tiny_register, "SELECT id_number FROM person WHERE id_number IS NOT NULL")]
    assert names.len() > 50 and len(numbers) > 50
    assert [n for n in [*names.filter(names.str.len_chars() > 2), *numbers] if n in said] == []
