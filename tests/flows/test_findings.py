"""What the terminal says of a night."""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.findings import _ahead, _review, _visits, lines, notes
from schemas.exports.feeds import CHILD_FEEDS
from schemas.exports.inbox import write_strays
from schemas.exports.receipts import receipt, receipts
from schemas.tables.pair import REVIEW_QUEUE

COUNTS = {
    "rows_in": 10, "files": 2, "rows_accepted": 9, "rows_quarantined": 1, "files_rejected": 0, "person": 3, "outcome_flowing": 1, "outcome_not_flowing": 1,
    "outcome_undetermined": 1, "key_care": 0, "service_gap": 0, "review_queue": 5, "alert_open": 0, "alert_overdue": 0, "alert_report": 0,
}  # fmt: skip


def said(**counts: int) -> list[str]:
    result: dict[str, Any] = {
        "counts": COUNTS | counts, "seconds": {"link": 1.0}, "peak_mib": {"link": 300.0}, "remarks": [], "as_of": "2026-11-24", "register": "/r/register.duckdb",
        "rosters": "/r/register.duckdb.d/out/rosters", "report": "/r/register.duckdb.d/out/report.html",
    }  # fmt: skip
    return lines(result)


def test_a_decided_pair_waits_no_longer_and_a_decision_that_cannot_be_kept_is_told() -> None:
    told = said(review_open=2, review_broken=1)
    assert any(line.endswith(" 2 possible matches to decide") for line in told)
    assert "  1 decisions of clerks contradict each other or cannot be kept; which and why: /r/register.duckdb.d/out/review.xlsx" in told


def test_a_run_of_a_program_that_did_not_count_them_tells_what_it_has() -> None:
    told = said()
    assert any(line.endswith(" 5 possible matches to decide") for line in told)
    assert not any("decisions of clerks" in line for line in told)


def test_visits_to_a_code_that_nobody_ever_had_are_told_and_where_they_are_listed() -> None:
    assert "  2 visits name a person code that nobody ever had; which: /r/register.duckdb.d/out/verification" in said(visits_unknown=2)
    assert not any("visits name" in line for line in said(visits_unknown=0))


@pytest.mark.parametrize("there", [True, False])
def test_visits_to_nobody_are_counted_and_those_to_merged_and_gone_children_are_not(tmp_path: Path, there: bool) -> None:
    pl.DataFrame({"person_id": ["A", "B", "C"], "state": ["live", "merged", "gone"]}).write_parquet(tmp_path / "identity.parquet")
    (tmp_path / "standard").mkdir()
    if there:
        pl.DataFrame({"person_id": ["A", "B", "C", "D", "D"]}).write_parquet(tmp_path / "standard" / "visit.parquet")
    assert _visits(tmp_path) == {"visits_unknown": 2 if there else 0}


@pytest.mark.parametrize(("as_of", "told"), [(date(2026, 11, 24), []), (date(2026, 11, 23), []), (date(2062, 11, 24), ["the as-of date 2062-11-24 lies 13,149 days ahead of today, 2026-11-24"])])
def test_an_as_of_date_that_has_not_come_is_noted(as_of: date, told: list[str]) -> None:
    assert [line.partition(";")[0] for line in _ahead(as_of, date(2026, 11, 24))] == told


@pytest.mark.parametrize(
    ("rows", "waiting", "broken"),
    [
        ([], 0, 0),
        ([(None, "twins"), ("same", "contradiction"), ("different", "decided"), (None, "doubtful"), ("unsure", "decided"), (None, "contradiction")], 4, 1),
    ],
)
def test_decisions_are_counted_from_the_queue(tmp_path: Path, rows: list[tuple[str | None, str]], waiting: int, broken: int) -> None:
    queue = pl.DataFrame(rows, schema={"decision": pl.String, "cause": pl.String}, orient="row")
    missing = [pl.lit(None, dtype=c.dtype).alias(c.name) for c in REVIEW_QUEUE.columns if c.name not in queue.columns]
    queue.with_columns(missing).write_parquet(tmp_path / "review_queue.parquet")
    assert _review(tmp_path) == {"review_open": waiting, "review_broken": broken}


def test_a_file_outside_the_feeds_folders_is_named_by_where_it_lies(tmp_path: Path) -> None:
    inbox, work = tmp_path / "inbox", tmp_path / "work"
    (inbox / "health2").mkdir(parents=True)
    for path in (inbox / "stray.csv", inbox / "health2" / "a.csv"):
        path.touch()
    write_strays(inbox, work)
    assert [told.split(":")[0] for told in notes(work)] == ["stray.csv was not taken in", "health2/a.csv was not taken in", "never received"]


def test_a_feed_that_did_not_come_is_told_with_its_age_and_one_that_never_came_by_name(tmp_path: Path) -> None:
    rows = [
        receipt(feed, f"{feed}_{number}.csv", "", state, export_date=date(2026, 11, 10 - number), age_days=number)
        for feed in [*CHILD_FEEDS, "verification"]
        if feed not in ("health", "disability")
        for number, state in enumerate(("accepted", "kept", "kept", "superseded") if feed == "education" else ("kept",) if feed == "verification" else ("accepted",))
    ]
    (tmp_path / "receipt").mkdir()
    receipts(rows).write_parquet(tmp_path / "receipt" / "all.parquet")
    assert notes(tmp_path) == [
        "education: 2 of 3 exports did not come; the last ones stand, the oldest of 2026-11-08, 2 days old",
        "never received: health, disability",
    ]


@pytest.mark.parametrize("said", ["另有工作表“二街道”带有同样的表头和数据，未读取", "文件名中的“delta”不在末尾，按单独的整表读取", "同一日期、同一分片另有文件“survey_20261120.csv”，未采用；请勿重复报送"])
def test_what_was_not_read_as_it_was_meant_is_something_to_ask_about(said: str, tmp_path: Path) -> None:
    (tmp_path / "receipt").mkdir()
    warnings = ["跳过2行合计、填表人等非数据行", said]
    receipts([receipt("survey", "survey_20261120.xlsx", "1", "accepted", age_days=2, warnings=warnings)]).write_parquet(tmp_path / "receipt" / "survey.parquet")
    assert notes(tmp_path)[0] == f"survey/survey_20261120.xlsx: {said}"


@pytest.mark.parametrize(("day", "told"), [("2026-11-20", True), ("2062-11-20", False)])
def test_an_export_of_a_day_to_come_is_something_to_ask_about_for_it_stands_in_the_way_of_every_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, day: str, told: bool) -> None:
    monkeypatch.setattr("flows.findings.today", lambda: date.fromisoformat(day))
    (tmp_path / "receipt").mkdir()
    warnings = ["导出日期2062-11-01晚于统计日2026-11-20，请核对文件名中的日期"]
    ahead = receipt("survey", "survey_20621101.csv", "1", "accepted", export_date=date(2062, 11, 1), age_days=-12_000, warnings=warnings)
    receipts([ahead]).write_parquet(tmp_path / "receipt" / "survey.parquet")
    assert (f"survey/survey_20621101.csv: {warnings[0]}" in notes(tmp_path)) == told
