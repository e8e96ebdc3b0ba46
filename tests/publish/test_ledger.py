"""The ledger carried on by any nights whatever, against one kept as a dictionary per night; and what is said of odd nights."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publish.build import MACROS
from publish.comments import create
from publish.ledger import FOREVER, SQL, carry_on, night_among, parameters, statements
from publish.views import create_view
from schemas.tables.assessment import ASSESSMENT, KEY_CARE
from schemas.tables.identity import IDENTITY, IDENTITY_EVENT
from schemas.tables.ledger import LEDGER, LEDGER_EVENT
from schemas.tables.register import DIVISION
from schemas.tables.table import Table
from schemas.tables.verification import VERIFICATION_ANSWER, VERIFICATION_STATE
from tests.journey.simulation import ENTRY, ByHand, Entries
from tests.publish.register_city import child, rows

DAY = date(2027, 1, 1)
PEOPLE = ("C1", "C2", "C3", "C4")
_NEEDED: tuple[Table, ...] = (ASSESSMENT, KEY_CARE, IDENTITY, IDENTITY_EVENT, DIVISION, VERIFICATION_ANSWER, VERIFICATION_STATE, LEDGER, LEDGER_EVENT)
_BEFORE: tuple[Table, ...] = (LEDGER, LEDGER_EVENT, ASSESSMENT, VERIFICATION_STATE)


class Ledger:
    """The ledger tables alone, in memory, carried on night by night as the register would."""

    def __init__(self) -> None:
        self.held: dict[str, list] = {}
        self.nights: list[date] = []
        self.merged: dict[str, str] = {}

    def night(self, number: int, as_of: date, children: dict[str, dict], merged: dict[str, str] | None = None, answers: dict[int, str] | None = None) -> tuple[str, ...]:
        """One night; returns its remarks. `answers`: the state of each answer on C1 by its record_hash."""
        merged, answers = merged or {}, answers or {}
        self.merged |= merged
        told = [child(p, **said) | {"as_of": as_of} for p, said in children.items()]
        tables = {
            "assessment": rows(ASSESSMENT, [{k: v for k, v in c.items() if k in ASSESSMENT.names} for c in told]),
            "key_care": rows(KEY_CARE, [{"person_id": c["person_id"], "category": k, "basis": [{"feed": "survey", "says": "x"}]} for c in told for k in c["categories"]]),
            "identity": rows(IDENTITY, [{"person_id": p, "state": "live"} for p in children] + [{"person_id": o, "state": "merged", "merged_into": n} for o, n in self.merged.items()]),
            "identity_event": rows(IDENTITY_EVENT, [{"person_id": n, "kind": "merged", "others": [o], "on_date": as_of, "cause": "records"} for o, n in merged.items()]),
            "verification_answer": rows(VERIFICATION_ANSWER, [{"record_hash": h, "roster_id": "HMC-1", "person_id": "C1", "result": "已离开"} for h in answers]),
            "verification_state": rows(
                VERIFICATION_STATE, [{"record_hash": h, "person_id": "C1", "department": "公安", "question": "presence", "state": s, "verified_on": DAY} for h, s in answers.items()]
            ),
        }
        con = duckdb.connect()
        for table in _NEEDED:
            con.execute(create(table))
            if table.name in tables:
                con.register("given", tables[table.name].to_arrow())
                con.execute(f"INSERT INTO {table.name} SELECT * FROM given")
        con.execute(create_view("v_merged_person"))
        for table in _BEFORE:
            con.execute(create(Table(f"previous_{table.name}", table.zh, table.en, table.columns, table.key), temporary=True))
            if table.name in self.held:
                con.register("held", self.held[table.name])
                con.execute(f"INSERT INTO previous_{table.name} SELECT * FROM held")
        newest = con.execute("SELECT greatest(max(recorded_at), max(superseded_at)) FROM previous_ledger").fetchall()[0][0]
        night = night_among(as_of, datetime(2027, 2, 1, 12) + timedelta(days=number), self.nights, newest)  # noqa: DTZ001 - the register keeps UTC without a zone mark
        carry_on(con, night, f"run-{number}")
        self.nights.append(as_of)
        for statement in statements(SQL / "register" / "listed_on.sql"):
            con.execute(statement, parameters(statement, {}))
        self.held = {t.name: con.sql(f"SELECT * FROM {t.name}").to_arrow_table() for t in _BEFORE}
        self.con = con
        return night.remarks

    def on(self, day: date, known_on: date) -> Entries:
        found = self.con.execute(f"SELECT person_id, {', '.join(ENTRY)} FROM ledger_on(?, ?)", [day, known_on]).fetchall()
        assert len(found) == len({p for p, *_ in found})
        return {p: (*rest[:-1], tuple(rest[-1])) for p, *rest in found}

    def events(self, number: int) -> list[tuple]:
        return self.con.execute("SELECT person_id, kind, cause FROM ledger_event WHERE run_id = ? ORDER BY ALL", [f"run-{number}"]).fetchall()


def entry(said: dict) -> tuple:
    told = child("x", **said)
    return (told["outcome"] == "flowing", *(told.get(c) for c in ENTRY[1:-1]), tuple(sorted(told["categories"])))


SAID = st.one_of(
    st.just({}), st.just({"residence_district": "500116", "hukou_district": "500109"}), st.just({"categories": ("family_hardship",)}),
    st.just({"outcome": "not_flowing", "reason": "returned"}), st.just({"outcome": "not_flowing", "reason": "same_district", "categories": ("self_requested_aid",)}),
    st.just({"accompanied": "one"}), st.none(),
)  # fmt: skip
NIGHT = st.tuples(st.integers(0, 12), st.fixed_dictionaries(dict.fromkeys(PEOPLE, SAID)), st.sampled_from([None, None, None, ("C1", "C2"), ("C3", "C4"), ("C2", "C3")]))


@settings(max_examples=8, deadline=None)
@given(st.lists(NIGHT, min_size=2, max_size=6))
def test_any_nights_in_any_order_leave_what_a_register_by_hand_holds(nights):
    ledger, by_hand = Ledger(), ByHand()
    for number, (offset, said, merge) in enumerate(nights, 1):
        as_of = DAY + timedelta(days=offset)
        merged = {}
        if merge and not {*merge} & set(ledger.merged):
            merged = {merge[1]: merge[0]}
        gone = {*ledger.merged, *merged}
        children = {p: s for p, s in said.items() if s is not None and p not in gone}
        before = ledger.on(as_of, FOREVER - timedelta(days=1)) if number > 1 else {}
        ledger.night(number, as_of, children, merged)
        root = dict(ledger.merged)
        for old in root:
            while root[old] in root:
                root[old] = root[root[old]]
        entries = {p: e for p, s in children.items() if (e := entry(s))[0] or e[-1]}
        by_hand.learn(as_of, entries, root, date(2027, 2, 1) + timedelta(days=number))
        told = {p for p, _, cause in ledger.events(number) if cause}
        changed = {p for p in before.keys() | entries.keys() if before.get(p) != entries.get(p)}
        assert changed - set(merged) <= told | set(merged.values()) | {p for p in changed if root.get(p) in told}
        assert set(merged) <= told
    for known in range(len(nights) + 1):
        for day in range(-1, 14):
            day_, known_on = DAY + timedelta(days=day), date(2027, 2, 1) + timedelta(days=known)
            assert ledger.on(day_, known_on) == by_hand.on(day_, known_on), (day_, known_on)
    spans = ledger.con.execute("SELECT person_id, valid_from, coalesce(valid_to, DATE '9999-12-31') FROM ledger WHERE superseded_at IS NULL ORDER BY ALL").fetchall()
    assert all(a[0] != b[0] or a[2] <= b[1] for a, b in pairwise(spans)), "two entries of one child hold on one day"


def test_the_same_night_again_adds_nothing_and_says_so():
    ledger = Ledger()
    assert ledger.night(1, DAY, {"C1": {}, "C2": {"categories": ("vagrancy",)}}) == ()
    held = ledger.con.execute("SELECT * FROM ledger ORDER BY ALL").fetchall()
    (remark,) = ledger.night(2, DAY, {"C1": {}, "C2": {"categories": ("vagrancy",)}})
    assert remark == "认定日 2027-01-01 已经运行过：台账只记与上次结果不同之处"
    assert ledger.con.execute("SELECT * FROM ledger ORDER BY ALL").fetchall() == held
    assert ledger.events(2) == []


def test_a_night_run_late_changes_its_own_days_alone_and_says_so():
    ledger = Ledger()
    ledger.night(1, DAY, {"C1": {}})
    ledger.night(2, DAY + timedelta(days=10), {"C1": {}})
    (remark,) = ledger.night(3, DAY + timedelta(days=4), {"C1": {"accompanied": "one"}})
    assert remark == "认定日 2027-01-05 早于已发布的 2027-01-11：只更正台账中 2027-01-05 至 2027-01-10 的登记，此后的登记不变"
    with_whom = {d: ledger.on(DAY + timedelta(days=d), date(2028, 1, 1))["C1"][ENTRY.index("accompanied")] for d in (3, 4, 9, 10)}
    assert with_whom == {3: "both", 4: "one", 9: "one", 10: "both"}
    assert [kind for _, kind, _ in ledger.events(3)] == ["corrected"]


def test_an_answer_is_told_when_it_begins_to_count_and_not_again_after_a_night_for_an_earlier_day():
    told = [("C1", "corrected", "公安部门2027-01-01核实（HMC-1）：已离开")]
    ledger = Ledger()
    states = [(10, "waiting", []), (11, "applied", told), (5, "waiting", []), (12, "applied", []), (13, "contradicted", []), (14, "applied", told)]
    for number, (day, state, events) in enumerate(states, 1):
        ledger.night(number, DAY + timedelta(days=day), {"C0": {}}, answers={7: state})
        assert [event for event in ledger.events(number) if event[0] == "C1"] == events, (day, state)


def test_a_clock_put_back_is_said_and_what_is_known_still_comes_after_what_was_known():
    newest = datetime(2027, 3, 1)  # noqa: DTZ001 - the register keeps UTC without a zone mark
    night = night_among(DAY, datetime(2027, 2, 1), [], newest)  # noqa: DTZ001
    assert night.recorded_at > newest
    assert night.remarks == (f"本机时钟不晚于台账中最新的记入时间 {newest}：记入时间顺延，请检查时钟",)


@pytest.mark.parametrize(
    ("then", "now", "kind", "cause"),
    [
        (None, {}, "listed", "首次认定为流动儿童：户籍500116，居住500157人和街道"),
        ({"outcome": "not_flowing", "reason": "under_six_months"}, {}, "listed", "离开户籍地满6个月"),
        ({}, None, "left", "各部门的最新数据中均不再有该儿童的记录"),
        ({}, {"outcome": "not_flowing", "reason": "age_16_or_over", "turns_16_on": date(2026, 12, 31)}, "turned_16", "已于2026-12-31年满16周岁"),
        ({}, {"outcome": "not_flowing", "reason": "returned", "residence_district": "500116"}, "returned", "已返回户籍地500116"),
        ({}, {"outcome": "not_flowing", "reason": "same_district", "hukou_district": "500157"}, "left", "户籍由500116迁至居住地500157"),
        ({}, {"outcome": "undetermined", "reason": "residence_unknown", "residence_district": None}, "left", "认定由「符合流动儿童标准」变为「居住地不明」"),
        ({}, {"residence_district": "500109", "residence_township": None}, "moved", "居住地由500157人和街道变为500109"),
        ({}, {"away_since": date(2025, 1, 1)}, "corrected", "各部门数据更正或变动：离开户籍地日期"),
        ({}, {"categories": ("vagrancy",)}, "key_care_added", "列入重点关爱服务对象：流浪，依据民政季度摸排数据"),
        ({"categories": ("vagrancy",)}, {}, "key_care_ended", "各部门数据中已无「流浪」的依据"),
    ],
)  # fmt: skip
def test_every_change_has_its_kind_and_cause(then, now, kind, cause):
    ledger = Ledger()
    ledger.night(1, DAY, {"C0": {}} | ({"C1": then} if then is not None else {}))
    ledger.night(2, DAY + timedelta(days=1), {"C0": {}} | ({"C1": now} if now is not None else {}))
    assert ledger.events(2) == [("C1", kind, cause)]


def test_a_child_whose_records_come_back_is_not_listed_for_the_first_time():
    ledger = Ledger()
    for number, children in enumerate(({"C0": {}, "C1": {}}, {"C0": {}}, {"C0": {}, "C1": {}}), 1):
        ledger.night(number, DAY + timedelta(days=number), children)
    assert ledger.events(3) == [("C1", "listed", "各部门数据中再次有该儿童的记录，重新认定为流动儿童：户籍500116，居住500157人和街道")]


@pytest.mark.parametrize(
    ("then", "now", "cause"),
    [
        ({"residence_district": "500112"}, {"residence_district": "500157"}, "行政区划调整：居住区县"),
        ({"hukou_district": "500112"}, {"hukou_district": "500157"}, "行政区划调整：户籍区县"),
        ({"hukou_district": "500112"}, {"hukou_district": "500157", "away_since": date(2025, 1, 1)}, "行政区划调整：户籍区县；各部门数据更正或变动：离开户籍地日期"),
        ({"hukou_district": "500116"}, {"hukou_district": "500157"}, "各部门数据更正或变动：户籍区县"),
    ],
)
def test_a_district_that_was_abolished_is_no_correction_of_the_departments(then, now, cause):
    ledger = Ledger()
    ledger.night(1, date(2025, 11, 5), {"C1": {"residence_district": "500120"} | then})
    ledger.night(2, date(2025, 11, 6), {"C1": {"residence_district": "500120"} | now})
    assert ledger.events(2) == [("C1", "corrected", cause)]


def test_the_macros_are_told_what_they_answer():
    assert set(MACROS) == {"ledger_on", "listed_on"}
