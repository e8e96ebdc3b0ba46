"""The report says what the register holds, no small count, nobody's name, and needs nothing from outside."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from publish.reading import reading
from publish.report import Report, contents, figures_of, write_report
from publish.report_blocks import NUMBER, Chart, Section, Table, change
from publish.report_counts import every_count, regions, shown_before
from publish.report_effect import _points
from publish.report_map import maps, short
from tests.publish.handouts_city import AS_OF, child, run, tables, write_register

SENTINEL = "哨兵𬱖"
SENTINEL_ID = "500116201503019990"
EARLIER = date(2026, 8, 1)
DISTRICTS = sorted(set(regions()) - {"500105", "500112"})
ROWS_NOT_CHILDREN = ("数据质量",)


def city(seed: int, size: int = 400) -> dict[str, Any]:
    """A register's tables: children over all districts, most in few; key care, alerts, services, answers; one earlier night."""
    at = random.Random(seed)
    places = [at.choice(DISTRICTS) for _ in range(6)]
    children, care, alerts, services = [], [], [], []
    for n in range(size):
        flowing = at.random() < 0.8
        home = at.choice(places) if at.random() < 0.9 else at.choice(DISTRICTS)
        origin = at.choice([*places, "511623", "520302", "420100"]) if at.random() < 0.9 else at.choice(DISTRICTS)
        answer = at.choice([None, "属实", "已离开"]) if flowing else None
        children.append(
            child(
                f"P{n}", name=SENTINEL, id_number=SENTINEL_ID, outcome="flowing" if flowing else "undetermined", verification=answer,
                reason="flowing" if flowing else at.choice(["hukou_unknown", "residence_unknown"]), hukou_district=origin, residence_district=home,
                birth_date=date(at.randint(2011, 2025), 3, 1), accompanied=at.choice(["both", "one", "none"]),
            )
        )  # fmt: skip
        if flowing and at.random() < 0.05:
            care.append({"person_id": f"P{n}", "category": at.choice(["disability", "vagrancy"]), "is_flowing": True, "next_visit_due": at.choice([AS_OF, EARLIER])})
        if at.random() < 0.2:
            state = at.choice(["open", "overdue", "closed"])
            kind = at.choice(["unseen", "vaccination_overdue"])
            alerts.append({"alert_id": f"A{n}", "person_id": f"P{n}", "kind": kind, "title": kind, "state": state, "department": at.choice(["民政", "疾控"]), "district": home})
        if flowing:
            for item in ("预防接种", "义务教育")[: at.randint(1, 2)]:
                services.append({"person_id": f"P{n}", "aspect": "幼有所育", "item": item, "status": at.choice(["has", "has", "missing"]), "department": "疾控"})
    before = Counter(("outcome", c["assessment"]["reason"], c["assessment"]["outcome"]) for c in children[: size // 2])
    history = [{"as_of": EARLIER, "topic": t, "item": i, "state": s, "district": places[0], "figure": n} for (t, i, s), n in before.items()]
    history += [{"as_of": EARLIER, "topic": "service", "item": "预防接种", "state": s, "district": places[0], "figure": n} for s, n in (("has", 60), ("missing", 40))]
    history += [{"as_of": day, "topic": "rows", "item": "survey", "state": "accepted", "figure": 9} for day in (EARLIER, AS_OF)]
    history += [{"as_of": AS_OF, "topic": "outcome", "item": "flowing", "state": "flowing", "figure": 300}]
    events = [
        {"event_id": f"E{n}", "person_id": f"P{n}", "kind": at.choice(["listed", "moved"]), "on_date": at.choice([AS_OF, AS_OF, EARLIER, date(2026, 9, 1)])}
        for n in range(size // 8)
    ]  # fmt: skip
    more = {"ledger_event": events, "key_care": care, "alert": alerts, "service_gap": services, "indicator": history}
    return {k: list(v) for k, v in tables(children, **more).items()} | {"run": [run(1, as_of=EARLIER), run(2)]}


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_register(tmp_path_factory.mktemp("report") / "register.duckdb", city(1, 2500))


def report_of(register: Path, boundaries: Path | None = None) -> Report:
    with reading(register) as con:
        return contents(con, boundaries) if boundaries else contents(con)


@pytest.fixture(scope="module")
def report(register: Path) -> Report:
    return report_of(register)


def blocks(sections: tuple[Section, ...]) -> Iterator[tuple[Section, Any]]:
    def inside(some: Any) -> Iterator[Any]:
        for block in some:
            if block.block == "columns":
                for column in block.blocks:
                    yield from inside(column)
            else:
                yield block

    for section in sections:
        for block in inside(section.blocks):
            yield section, block


def table(report: Report, title: str, section: str = "") -> Table:
    (found,) = [b for s, b in blocks(report.sections) if isinstance(b, Table) and b.title == title and (not section or s.title == section)]
    return found


def as_printed(count: int) -> set[str]:
    """A count may be printed, or hidden: a small one as such, a larger one for its sake."""
    return {"<5"} if 0 < count < 5 else {f"{count:,}", "—"} if count else {"0"}


FIGURES = {
    ("台账变动", "", 2): "SELECT if(kind = 'listed', '列入台账', '迁移'), count(*) FILTER (on_date > '2026-08-24') FROM ledger_event GROUP BY ALL",
    ("台账变动", "", 1): "SELECT if(kind = 'listed', '列入台账', '迁移'), count(*) FILTER (on_date = '2026-11-24') FROM ledger_event GROUP BY ALL",
    ("", "在哪里", 2): "SELECT d.name, count(*) FILTER (outcome = 'flowing') FROM assessment a LEFT JOIN division d ON d.code = residence_district GROUP BY ALL",
    ("户籍所在地", "", 1): "SELECT coalesce(d.name, c), count(*) FROM (SELECT if(hukou_district LIKE '50%', hukou_district, left(hukou_district, 2) || '0000') AS c FROM flowing_child) "
    "LEFT JOIN division d ON d.code = c GROUP BY ALL",
    ("与谁同住", "", 1): "SELECT CASE accompanied WHEN 'both' THEN '父母双方' WHEN 'one' THEN '父母一方' ELSE '无人同住' END, count(*) FROM flowing_child GROUP BY ALL",
    ("最近一次反馈的结果", "", 1): "SELECT verification, count(*) FROM flowing_child WHERE verification IS NOT NULL GROUP BY ALL",
    ("", "重点关爱服务对象", 1): "SELECT if(category = 'disability', '自身残疾', '流浪'), count(*) FROM key_care GROUP BY ALL",
    ("按责任部门", "", 2): "SELECT department, count(*) FILTER (state = 'overdue') FROM alert GROUP BY ALL",
    ("结果、理由及变化", "", 1): "SELECT CASE reason WHEN 'flowing' THEN '流动儿童' WHEN 'hukou_unknown' THEN '户籍地不明' ELSE '居住地不明' END, count(*) FROM assessment GROUP BY ALL",
}  # fmt: skip


@pytest.mark.parametrize(("where", "query"), FIGURES.items(), ids=lambda v: str(v)[:30])
def test_a_table_says_what_the_register_holds(register: Path, report: Report, where: tuple[str, str, int], query: str) -> None:
    title, section, column = where
    with reading(register) as con:
        expected = {name: n for name, n in con.sql(query).fetchall() if name}
    printed = {row.cells[0]: row.cells[column] for row in table(report, title, section).rows}
    common = printed.keys() & expected.keys()
    assert len(common) >= 2
    wrong = {name: (printed[name], expected[name]) for name in common if printed[name] not in as_printed(expected[name])}
    assert not wrong
    assert any(text not in ("<5", "—", "0") for text in printed.values())


def test_services_are_counted_by_status(register: Path, report: Report) -> None:
    with reading(register) as con:
        expected = {(i, s): n for i, s, n in con.sql("SELECT item, status, count(*) FROM service_gap GROUP BY ALL").fetchall()}
    for row in table(report, "", "关爱服务清单落实情况").rows:
        assert row.cells[4] in as_printed(expected[str(row.cells[1]), "has"]) and row.cells[5] in as_printed(expected[str(row.cells[1]), "missing"])


def test_before_and_after_is_the_share_among_those_a_record_can_tell_of(register: Path, report: Report) -> None:
    with reading(register) as con:
        ((has, told),) = con.sql("SELECT count(*) FILTER (status = 'has'), count(*) FROM service_gap WHERE item = '预防接种'").fetchall()
    (row,) = [r for r in table(report, "各项需求的前后变化").rows if r.cells[0] == "预防接种"]
    assert row.cells[4:] == [f"{100 * has / told:.1f}%", "60.0%", f"{100 * has / told - 60:+.1f}"]


SMALL = {"1", "2", "3", "4"}


def small_numbers(report: Report) -> list[str]:
    """Every printed 1 to 4 in a column of numbers, a tile, or a picture of children."""
    found = [f"{label}: {figure}" for label, figure, _ in report.tiles if figure.split()[0] in SMALL]
    for section, block in blocks(report.sections):
        if section.title in ROWS_NOT_CHILDREN:
            continue
        if isinstance(block, Table):
            for row in block.rows:
                cells = zip(row.cells, block.columns, strict=True)
                found += [f"{section.title} {row.cells[0]}: {c}" for c, (_, kind) in cells if kind == NUMBER and isinstance(c, str) and c in SMALL]
        if isinstance(block, Chart):
            found += [f"{block.words}: {n}" for n in re.findall(r"<text[^>]*>(?:[^<]* )?([1-4])(?: [^<]*)?</text>", block.svg)]
    return found


@settings(max_examples=3, deadline=None)
@given(st.integers(2, 10_000), st.sampled_from([25, 90, 300]))
def test_no_small_count_is_printed_whatever_the_city(tmp_path_factory: pytest.TempPathFactory, seed: int, size: int) -> None:
    register = write_register(tmp_path_factory.mktemp("small") / "register.duckdb", city(seed, size))
    assert small_numbers(report_of(register)) == []


@pytest.mark.parametrize("seed", [5, 6])
def test_no_small_count_can_be_computed_from_the_whole_report(tmp_path: Path, seed: int) -> None:
    """A reader who knows every shown count, every sum and what the signs stand for; linear programming over all sums at once."""
    with reading(write_register(tmp_path / "register.duckdb", city(seed, 120))) as con:
        counts = every_count(figures_of(con))
    shown = counts.settle()
    keys = sorted(shown.hidden)
    at = {key: n for n, key in enumerate(keys)}
    matrix, right = np.zeros((len(counts.sums), len(keys))), np.zeros(len(counts.sums))
    for row, (whole, parts) in enumerate(counts.sums):
        for key, sign in ((whole, -1), *((part, 1) for part in parts)):
            if key in at:
                matrix[row, at[key]] += sign
            else:
                right[row] -= sign * counts.counts[key]
    bounds = [(0, None) if k in counts.unprinted else (1, 4) if shown.text(*k) == "<5" else (5, None) for k in keys]
    told = []
    for key in (k for k in keys if 0 < counts.counts[k] < 5):
        aim = np.eye(len(keys))[at[key]]
        ends = [linprog(sign * aim, A_eq=matrix, b_eq=right, bounds=bounds) for sign in (1, -1)]
        if all(end.status == 0 for end in ends) and -ends[1].fun - ends[0].fun < 2 - 1e-6:
            told.append(key)
    assert len(keys) > 100
    nothing_left = [k for k in told if not [p for s in counts.sums if k in (s[0], *s[1]) for p in (s[0], *s[1]) if p not in shown.hidden and counts.counts[p] > 0]]
    assert told == nothing_left


def test_two_items_for_the_same_children_do_not_tell_of_one_what_is_hidden_of_the_other() -> None:
    """Of eighteen children in hardship seven have relief; seventeen of whom nobody knows whether they were helped, and the eighteenth would be the one."""
    told = [("outcome", "flowing", "flowing", 60), ("service", "低保特困等协助申请", "has", 7), ("service", "低保特困等协助申请", "missing", 11), ("service", "临时救助", "has", 1), ("service", "临时救助", "unknown", 17)]
    history = pl.DataFrame([{"topic": topic, "item": item, "state": state, "district": "500157", "figure": n} for topic, item, state, n in told])
    shown = shown_before(history)
    assert None in (shown.value("service", "低保特困等协助申请"), shown.value("service", "临时救助", "unknown"))
    assert shown.text("service", "临时救助", "has") == "<5"


def test_a_first_night_does_not_tell_by_its_ledger_how_many_flow(tmp_path: Path) -> None:
    """All who flow are listed then: where their number is hidden, that of the listed is too."""
    hidden = 0
    for seed in range(4):
        given = city(seed, 14)
        flowing = [row["person_id"] for row in given["assessment"] if row["outcome"] == "flowing"]
        listed = [{"event_id": f"E{person}", "person_id": person, "kind": "listed", "on_date": AS_OF} for person in flowing]
        with reading(write_register(tmp_path / f"{seed}.duckdb", given | {"ledger_event": listed, "indicator": [], "run": [run(1)]})) as con:
            shown = every_count(figures_of(con)).settle()
        told = shown.value("flowing"), shown.value("event", "listed", "night"), shown.value("event", "listed", "quarter")
        hidden += told[0] is None
        assert told in ((None, None, None), (len(flowing),) * 3), seed
    assert hidden


def test_a_hidden_count_has_no_bar(report: Report) -> None:
    for _, block in blocks(report.sections):
        for row in block.rows if isinstance(block, Table) else ():
            kinds = [kind for _, kind in block.columns]
            if "bar" in kinds and len(block.columns) == 3 and row.cells[1] in ("<5", "—"):
                assert row.cells[kinds.index("bar")] == ()


@pytest.mark.parametrize(
    ("now", "before", "text"), [(10, 10, "0"), (14, 10, "±<5"), (6, 10, "±<5"), (15, 10, "+5"), (5, 1005, "-1,000"), (None, 10, "—"), (10, None, "—")]
)
def test_a_net_change_in_words(now: int | None, before: int | None, text: str) -> None:
    assert change(now, before) == text


@pytest.mark.parametrize(("difference", "digits", "text"), [(-0.04, 1, "0.0"), (0.4, 0, "0"), (2.25, 1, "+2.2"), (-14.3, 0, "-14")])
def test_a_difference_in_points(difference: float, digits: int, text: str) -> None:
    assert _points(difference, digits) == text


@pytest.mark.parametrize(("name", "said"), [("酉阳土家族苗族自治县", "酉阳"), ("两江新区", "两江"), ("忠县", "忠县"), ("九龙坡区", "九龙坡")])
def test_a_district_as_the_map_names_it(name: str, said: str) -> None:
    assert short(name) == said


def test_the_map_draws_the_districts_of_its_day_and_leaves_hidden_ones_uncoloured() -> None:
    drawn = maps({"500157": 40, "500116": None, "500108": 7}, {"500157": "两江新区", "500116": "江津区"}, regions())
    assert drawn is not None
    assert "两江" in drawn[0] + drawn[1] and "未列出" in drawn[0] and "渝北" not in drawn[1]
    old = maps({"500105": 8, "500112": 9}, {"500105": "江北区", "500112": "渝北区"}, regions())
    assert old is not None and "渝北" in old[1] and "两江" not in old[1]


def written(register: Path, folder: Path, **more: Any) -> tuple[str, bytes]:
    out = write_report(register, folder / "report.html", **more)
    return out.read_text("utf-8"), out.with_suffix(".pdf").read_bytes()


@pytest.fixture(scope="module")
def handed(register: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes]:
    return written(register, tmp_path_factory.mktemp("handed"))


def test_the_same_register_gives_the_same_bytes(register: Path, handed: tuple[str, bytes], tmp_path: Path) -> None:
    assert handed == written(register, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.html", "report.pdf"]
    assert handed[1].startswith(b"%PDF") and b"NotoSansSC" in handed[1]


def test_the_page_loads_nothing_and_names_nobody(report: Report, handed: tuple[str, bytes]) -> None:
    page, _ = handed
    assert "default-src 'none'" in page
    assert set(re.findall(r"https?://[^\"' <)]+", page)) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert all(link.startswith("#") for link in re.findall(r"(?:href|src)=\"([^\"]*)\"", page))
    assert all(target.startswith("#") for target in re.findall(r"url\(['\"]?([^)'\"]+)", page))
    assert "<script" not in page and "@import" not in page
    for text in (page, str(asdict(report))):
        assert SENTINEL not in text and SENTINEL_ID not in text and "哨兵" not in text


def test_an_empty_register_has_a_report(tmp_path: Path) -> None:
    page, pdf = written(write_register(tmp_path / "register.duckdb", {}), tmp_path)
    for words in ("没有居住在本市的流动儿童或待核实儿童。", "没有流动儿童。", "没有未办结的预警。", "还没有部门反馈。", "这是第一次运行，尚无可比较的日期。", "没有足够的数据计算服务覆盖比例。"):
        assert words in page
    assert pdf.startswith(b"%PDF")


def test_whatever_a_file_is_called_there_is_a_report_and_the_name_is_text(tmp_path: Path) -> None:
    name = "导出😀ཀ𬱖\ue815\x07<i>#strong[x]</i> $x$ \\.csv"
    page, pdf = written(
        write_register(tmp_path / "register.duckdb", {"feed_receipt": [{"feed": "数😀", "source_file": name, "state": "rejected", "message": "读不了"}]}), tmp_path
    )
    assert pdf.startswith(b"%PDF") and "<i>" not in page and "&lt;i&gt;#strong[x]" in page


def test_one_night_is_compared_with_nothing(tmp_path: Path) -> None:
    given = city(3)
    report = report_of(write_register(tmp_path / "register.duckdb", given | {"indicator": [], "run": [run(1)]}))
    assert [heading for heading, _ in table(report, "结果、理由及变化").columns] == ["结果和理由", "人数"]
    assert {note for label, _, note in report.tiles if label == "流动儿童"} == {""}
    assert not any(isinstance(b, Chart) and b.title in ("人数变化", "前后对比", "退回率的变化（%）") for _, b in blocks(report.sections))


def test_without_boundaries_there_is_no_map_and_the_table_stands(register: Path, report: Report, tmp_path: Path) -> None:
    bare = report_of(register, tmp_path / "nowhere.geojson")
    assert not any(isinstance(b, Chart) for b in bare.sections[0].blocks)
    assert "没有区县边界数据，不绘制地图；各区县人数见下表。" in str(asdict(bare))
    assert table(bare, "", "在哪里") == table(report, "", "在哪里")


def test_the_course_of_the_counts_shows_none_that_the_table_hides(tmp_path: Path) -> None:
    """Three are undetermined: how many flow is hidden, since it would tell them, tonight and on the nights before."""
    many = {"flowing": 47, "residence_unknown": 3, "same_district": 90}
    outcome = {"flowing": "flowing", "residence_unknown": "undetermined", "same_district": "not_flowing"}
    children = [child(f"{reason}{n}", outcome=outcome[reason], reason=reason) for reason, count in many.items() for n in range(count)]
    history = [
        {"as_of": date(2026, 11, day), "topic": "outcome", "item": reason, "state": outcome[reason], "district": "500157", "figure": count}
        for day in (21, 22, 24)
        for reason, count in many.items()
    ]
    nights = [run(1, as_of=date(2026, 11, 21)), run(2, as_of=date(2026, 11, 22)), run(3)]
    report = report_of(write_register(tmp_path / "register.duckdb", tables(children, indicator=history) | {"run": nights}))
    assert [row.cells[1] for row in table(report, "结果、理由及变化").rows if row.cells[0] in ("流动儿童", "待核实")] == ["—", "<5"]
    (course,) = [block for _, block in blocks(report.sections) if isinstance(block, Chart) and block.title == "人数变化"]
    assert "47" not in re.sub(r"[\d.]+[,.][\d.]+", "", course.svg)
