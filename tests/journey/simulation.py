"""Nights of a made-up city that moves, and beside the register one kept by brute force: a dictionary per night, looked up by hand."""

from __future__ import annotations

import json
import random
import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import openpyxl
import polars as pl

from flows import nightly
from flows.settings import THREADS, Night
from publish.handing import Sender
from publish.review import export_workbook, import_decisions
from publish.review_sheet import DECIDED_BY, DECIDED_ON, DECISION, DECISION_WORDS, PAIR
from publish.rosters import write_rosters
from sample_data.changes import move
from sample_data.city import write_city
from sample_data.moving import MovingCity
from schemas.tables.ledger import ENTRY_STATE
from tests.journey.departments import answer

ENTRY = [c.name for c in ENTRY_STATE]
Entries = dict[str, tuple[Any, ...]]
LEAVING = {"left", "returned", "turned_16", "merged"}


def run_night(city: Path, register: Path, as_of: date, number: int, evening: date) -> None:
    """All stations of one night but the hand-outs; it starts in the evening of that day (14:00 UTC is 22:00 in the city)."""
    started = datetime.combine(evening, time(14)) + timedelta(seconds=number)
    tonight = Night(
        run_id=f"night-{number:04d}", started_at=started, as_of=as_of, inbox=city / "inbox", register=register, workers=2, runner=THREADS, memory="4GB", spill=None, keep=2,
        keep_work=False,
    )  # fmt: skip
    tonight.work.mkdir(parents=True)
    try:
        with patch.object(nightly, "HAND_OUT", lambda *_: None):
            nightly.travel(tonight, nightly.look(tonight), nightly.last_run(register))
    finally:
        shutil.rmtree(tonight.work, ignore_errors=True)


def query(register: Path, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(register.resolve()), read_only=True) as con:
        return con.execute(sql, list(values)).fetchall()


@dataclass
class ByHand:
    """The ledger by brute force.

    Attributes:
        answers: by as-of date, each child's entry as that night knew it (a later night of the same date replaces it), under the identifiers of now.
        known: after each night, in order: (moment's day, a copy of `answers`).
    """

    answers: dict[date, Entries] = field(default_factory=dict)
    known: list[tuple[date, dict[date, Entries]]] = field(default_factory=list)

    def learn(self, as_of: date, entries: Entries, merged: dict[str, str], told_on: date) -> None:
        """Take a night in: identifiers that were merged first, then its own answer."""
        for day, held in self.answers.items():
            self.answers[day] = _renamed(held, merged)
        self.answers = dict(self.answers) | {as_of: entries}
        self.known.append((told_on, {day: dict(held) for day, held in self.answers.items()}))

    def on(self, day: date, known_on: date) -> Entries:
        """Who had an entry on a day, as known at the end of another."""
        answers = next((a for told_on, a in reversed(self.known) if told_on <= known_on), {})
        nights = [d for d in answers if d <= day]
        return answers[max(nights)] if nights else {}


def _renamed(held: Entries, merged: dict[str, str]) -> Entries:
    """Of several that are one child now: the entry as flowing, then the survivor's own, then the smallest identifier's."""
    together: dict[str, list[tuple[bool, bool, str]]] = defaultdict(list)
    for person, entry in held.items():
        now = merged.get(person, person)
        together[now].append((not entry[0], now != person, person))
    return {now: held[min(those)[2]] for now, those in together.items()}


def entries_of(register: Path) -> Entries:
    """Tonight's answer, read from assessment and key_care: who has an entry, and what it says."""
    columns = [c for c in ENTRY if c not in ("is_flowing", "categories")]
    care: dict[str, list[str]] = defaultdict(list)
    for person, category in query(register, "SELECT person_id, category FROM key_care"):
        care[person].append(category)
    found = query(register, f"SELECT person_id, outcome = 'flowing', {', '.join(columns)} FROM assessment")
    return {p: (flowing, *rest, tuple(sorted(care[p]))) for p, flowing, *rest in found if flowing or p in care}


def ledger_on(register: Path, day: date, known_on: date) -> Entries:
    """Who had an entry on a day as known at the end of another, by the register's own macro."""
    found = query(register, f"SELECT person_id, {', '.join(ENTRY)} FROM ledger_on(?, ?)", day, known_on)
    assert len(found) == len({p for p, *_ in found}), "a child with two entries on one day"
    return {p: (*rest[:-1], tuple(rest[-1])) for p, *rest in found}


@dataclass
class Simulation:
    """A city, its register, the register by hand, and the checks of every night."""

    folder: Path
    children: int
    seed: int
    pace: float
    by_hand: ByHand = field(default_factory=ByHand)
    nights: int = 0

    def __post_init__(self) -> None:
        write_city(self.children, self.seed, self.folder / "city")
        self.city = MovingCity.load(self.folder / "city")
        self.rng = random.Random(self.seed)
        self.told_on = date.min

    @property
    def register(self) -> Path:
        return self.folder / "register.duckdb"

    def night(self, as_of: date) -> list[tuple[Any, ...]]:
        """Run a night and check it; returns its events (person_id, kind, cause)."""
        number = self.nights = self.nights + 1
        before = ledger_on(self.register, as_of, date(9999, 1, 1)) if self.register.exists() else {}
        state = dict(query(self.register, "SELECT record_hash, state FROM verification_state")) if self.register.exists() else {}
        self.told_on = max(self.told_on, as_of)
        run_night(self.folder / "city", self.register, as_of, number, self.told_on)
        merged = self._merged()
        self.by_hand.learn(as_of, entries_of(self.register), merged, self.told_on)
        events = query(self.register, "SELECT person_id, kind, cause FROM ledger_event WHERE run_id = ?", f"night-{number:04d}")
        self._events_told(before, self.by_hand.answers[as_of], merged, events, state, as_of < max(self.by_hand.answers))
        assert ledger_on(self.register, as_of, date(9999, 1, 1)) == self.by_hand.answers[as_of]
        return events

    def _merged(self) -> dict[str, str]:
        into = dict(query(self.register, "SELECT person_id, merged_into FROM identity WHERE state = 'merged'"))
        out = {}
        for person in into:
            now = person
            while now in into:
                now = into[now]
            out[person] = now
        return out

    def _events_told(self, before: Entries, after: Entries, merged: dict[str, str], events: list[tuple[Any, ...]], state: dict[int, str], is_late: bool) -> None:
        """Every change has an event with a cause, every event a change, and nobody is lost in silence."""
        told: dict[str, set[str]] = defaultdict(set)
        for person, kind, cause in events:
            assert cause and cause.strip(), (person, kind)
            told[person].add(kind)
        was = _renamed(before, merged)
        for person in was.keys() | after.keys():
            b, a = was.get(person), after.get(person)
            if a == b:
                continue
            assert told[person], f"{person} changed without an event"
            if b and not a:
                ends = {"corrected"} if is_late else LEAVING if b[0] else {"key_care_ended"}
                assert told[person] & ends, (person, told[person])
        for person in before.keys() - after.keys() - {p for p in was if p in after}:
            assert told[person], f"{person} left the ledger without an event"
        answered = {p for p, h, s in query(self.register, "SELECT person_id, record_hash, state FROM verification_state WHERE state = 'applied'") if state.get(h) != "applied"}
        renamed = {p for (p,) in query(self.register, "SELECT person_id FROM identity_event UNION SELECT unnest(others) FROM identity_event")}
        for person, kinds in told.items():
            idle = was.get(person) == after.get(person) and person not in answered and person not in renamed
            assert not idle, f"{person}: {kinds} and nothing changed"

    def bitemporal(self, days: int) -> Iterator[tuple[date, date]]:
        """Compare the register's view with the one by hand on so many pairs of days; yields those compared."""
        moments = [told_on for told_on, _ in self.by_hand.known]
        valid = sorted(self.by_hand.answers)
        for _ in range(days):
            day = self.rng.choice(valid) + timedelta(days=self.rng.randint(-1, 6))
            known_on = self.rng.choice(moments) + timedelta(days=self.rng.randint(-1, 3))
            assert ledger_on(self.register, day, known_on) == self.by_hand.on(day, known_on), (day, known_on)
            yield day, known_on

    def move_to(self, day: date) -> None:
        move(self.city, day, self.pace)

    def verify(self, day: date, rosters: int, share: float = 0.8) -> None:
        """Departments answer some of tonight's rosters, most rows as they are, some with something to say."""
        out = self.folder / "rosters"
        shutil.rmtree(out, ignore_errors=True)
        write_rosters(self.register, out, Sender("simulation", datetime.combine(day, time(15))))
        files = sorted(out.glob("花名册_*.xlsx"))
        for roster in self.rng.sample(files, min(rosters, len(files))):
            answer(roster, self.folder / "city" / "inbox", day, lambda row: self._said(row, day, share), self.rng)

    def _said(self, row: dict[str, str | None], day: date, share: float) -> dict[str, str | None] | None:
        if self.rng.random() > share:
            return None
        roll = self.rng.random()
        told: dict[str, str | None] = {"核实结果": "属实", "核实人": "核实员", "核实日期": day.isoformat()}
        wrong = [("户籍地", "重庆市巫山县"), ("现居住地", "重庆市永川区"), ("姓名", "测更名"), ("来现住地日期", f"{day.year - 1}-09-01"), ("监护人电话", "13912345670")]
        if roll < 0.03:
            return told | {"核实结果": "已离开"}
        if roll < 0.05:
            return told | {"核实结果": self.rng.choice(["不属实", "查无此人"])}
        if roll < 0.10:
            item, value = self.rng.choice(wrong)
            return told | {"核实结果": "信息有误", "更正项目": item, "更正内容": value}
        if roll < 0.11:
            return told | {"核实结果": self.rng.choice(["在", "OK", "信息有误"])}
        return told

    def review(self, day: date, decide: int = 5) -> int:
        """A clerk decides some possible matches, by the truth."""
        book_path = self.folder / "review.xlsx"
        if not export_workbook(self.register, book_path, Sender("simulation", datetime.combine(day, time(15)))):
            return 0
        truth = {(r["feed"], r["source_file"], r["source_row"]): r["person"] for r in pl.read_parquet(self.folder / "city" / "truth" / "records.parquet").iter_rows(named=True)}
        sides = query(self.register, "SELECT q.pair_id, q.\"left\", q.\"right\" FROM review_queue q WHERE decision IS NULL ORDER BY pair_id LIMIT ?", decide)
        of: dict[str, set[str]] = defaultdict(set)
        for person, *place in query(self.register, "SELECT person_id, feed, source_file, source_row FROM person_record"):
            of[person].add(truth.get(tuple(place), "?"))
        decisions = {pair: "same" if of[left] == of[right] else "different" for pair, left, right in sides}
        words = {code: word for word, code in DECISION_WORDS.items()}
        book = openpyxl.load_workbook(book_path)
        for sheet in book.worksheets:
            at: dict[str, int] = {}
            for cells in sheet.iter_rows():
                values = ["".join(str(c.value or "").split()) for c in cells]
                if PAIR in values and DECISION in values:
                    at = {v: i for i, v in enumerate(values)}
                elif at and (pair := cells[at[PAIR]].value) in decisions:
                    cells[at[DECISION]].value, cells[at[DECIDED_BY]].value, cells[at[DECIDED_ON]].value = words[decisions.pop(pair)], "核对员", day.isoformat()
        book.save(book_path)
        return import_decisions(book_path, self.register).accepted

    def fresh(self, as_of: date) -> Path:
        """A register made from the last inbox alone, with the clerks' decisions and, under its own identifiers, the departments' answers."""
        there = self.folder / "fresh"
        shutil.rmtree(there, ignore_errors=True)
        shutil.copytree(self.folder / "city" / "inbox", there / "inbox", ignore=shutil.ignore_patterns("verification"))
        register = there / "register.duckdb"
        decisions = Path(f"{self.register}.d") / "decisions"
        if decisions.exists():
            shutil.copytree(decisions, Path(f"{register}.d") / "decisions")
        run_night(there, register, as_of, 1, as_of)
        now, then = (dict(query(r, "SELECT concat_ws('/', feed, source_file, source_row), person_id FROM person_record")) for r in (register, self.register))
        ids = {then[place]: now[place] for place in now if place in then}
        ids |= {old: ids[new] for old, new in self._merged().items() if new in ids}
        rows = query(self.register, "SELECT roster_id, person_id, department, result, field, value, verified_by, verified_on::VARCHAR, remark FROM verification_answer")
        heads = ("花名册编号", "人员编码", "核实部门", "核实结果", "更正项目", "更正内容", "核实人", "核实日期", "备注")
        told = pl.DataFrame([(r[0], ids.get(r[1], r[1]), *r[2:]) for r in rows], schema=dict.fromkeys(heads, pl.String), orient="row")
        (there / "inbox" / "verification").mkdir()
        told.write_csv(there / "inbox" / "verification" / f"verification_{as_of:%Y%m%d}.csv")
        run_night(there, register, as_of, 2, as_of)
        return register


def roster_of(register: Path) -> list[str]:
    """The roster without identifiers and what only a history knows: one text a child, under the first of its records."""
    with duckdb.connect(str(register.resolve()), read_only=True) as con:
        first = con.sql("SELECT person_id, min(concat_ws('/', feed, source_file, source_row)) AS place FROM person_record GROUP BY person_id").pl()
        roster = con.sql("SELECT * EXCLUDE (first_listed_on, verification) FROM flowing_child").pl()
    placed = roster.join(first, on="person_id", how="left").drop("person_id").sort("place")
    return [json.dumps(row, default=str, ensure_ascii=False) for row in placed.iter_rows(named=True)]
