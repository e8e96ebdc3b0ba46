"""rules/decisions.md through the whole program: one inbox with every case of decisions.yaml, one run, one answer per child."""

import csv
import datetime as dt
from pathlib import Path

import duckdb
import pytest
import yaml

from schemas.exports.feeds import FEEDS
from tests.journey.conftest import run

CASES = yaml.safe_load((Path(__file__).parent / "decisions.yaml").read_text("utf-8"))
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许"
GIVEN = ["梓墨", "若溪", "嘉禾", "云舒", "知远"]
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
DEFAULTS = {
    "survey": {"presence": "在住", "guardianship": "父母双方", "surveyed_on": "2026-10-15", "quarter": "2026Q4"},
    "household": {"hukou_status": "正常"},
    "disability": {},
}


def id_number(prefix: str, born: str, sequence: int) -> str:
    body = f"{prefix}{born.replace('-', '')}{sequence:03d}"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, WEIGHTS, strict=True)) % 11]


def name_of(case: int) -> str:
    return SURNAMES[case % 20] + GIVEN[case // 20]


def row_of(case: int, told: dict, feed: str, n: int, cells: dict) -> dict:
    born = str(told.get("born", "2016-03-05"))
    number = id_number(told.get("id_prefix", "500101"), born, 100 + case * 2)
    row = {"name": name_of(case), "sex": "女", "birth_date": None if told.get("no_birth_date") else born, "id_number": None if told.get("no_id") else number}
    key = {"education": f"J{case:09d}{n:09d}", "disability": f"{number}42", "health": f"{case:012d}{n:05d}", "disease_control": f"{case:09d}{n:09d}"}
    row |= {"record_key": key.get(feed, f"{feed[:2].upper()}{case:05d}{n:03d}")}
    row |= DEFAULTS.get(feed, {}) | cells
    return {k: None if v is None else str(v) for k, v in row.items()}


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """name -> (assessment row, key-care categories, alert kinds)"""
    folder = tmp_path_factory.mktemp("decisions")
    written: dict[str, list[dict]] = {}
    for case, told in enumerate(CASES):
        for n, row in enumerate(told["rows"]):
            ((feed, cells),) = row.items()
            written.setdefault(feed, []).append(row_of(case, told, feed, n, cells))
    for feed, rows in written.items():
        (folder / "inbox" / feed).mkdir(parents=True)
        columns = FEEDS[feed].columns
        with (folder / "inbox" / feed / f"{feed}_20261120.csv").open("w", encoding="gb18030", newline="") as out:
            sheet = csv.writer(out)
            sheet.writerow([c.heading for c in columns])
            sheet.writerows([[row.get(c.name) or "" for c in columns] for row in rows])
    register = folder / "register.duckdb"
    run(folder / "inbox", register, "2026-11-24")
    with duckdb.connect(str(register), read_only=True) as con:
        found = con.execute("SELECT p.name, a.* FROM assessment a JOIN person p USING (person_id)")
        heads = [d[0] for d in found.description]
        assessed = [dict(zip(heads, values, strict=True)) for values in found.fetchall()]
        care = con.execute("SELECT person_id, category FROM key_care").fetchall()
        alerts = con.execute("SELECT person_id, kind FROM alert WHERE state = 'open'").fetchall()
    by_name: dict[str, list] = {}
    for row in assessed:
        mine = row["person_id"]
        by_name.setdefault(row["name"], []).append((row, {c for p, c in care if p == mine}, {k for p, k in alerts if p == mine}))
    return by_name


@pytest.mark.parametrize("case", range(len(CASES)), ids=[c["case"] for c in CASES])
def test_the_register_answers_as_decided(answers, case):
    told = CASES[case]
    found = answers[name_of(case)]
    assert len(found) == 1, "the rows of one child were not joined"
    row, care, alerts = found[0]
    got = {column: row[column] for column in told["expect"]}
    want = {k: dt.date.fromisoformat(v) if isinstance(v, str) and v[:2] == "20" and "-" in v else v for k, v in told["expect"].items()}
    assert got == want, (row["reason"], row["conditions"])
    assert set(told.get("care", [])) <= care
    assert set(told.get("alerts", [])) <= alerts
