"""Key care, visits and alerts as expressions over all children at once, against the same read plainly one child at a time, over random children and some nights."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from rules.alerts import raise_alerts
from rules.key_care import categories
from rules.remembered import taken_over
from schemas.tables.assessment import ALERT, KEY_CARE, RESIDENCE_EPISODE
from tests.rules.care_cases import CHILD, CHILDREN, LAW, assessment_frame, feed_frame
from tests.rules.plain_alerts import Key, Needs, Standing, go_on, next_visit
from tests.rules.random_needs import FIRST_NIGHTS, Kid

NO_STAYS = RESIDENCE_EPISODE.empty().lazy()
Differences = list[str]


@dataclass
class Town:
    """Random children, and what both sides said of them on the last night."""

    rng: random.Random
    kids: list[Kid]
    last_on: date | None = None
    alerts: pl.DataFrame = field(default_factory=ALERT.empty)
    care: pl.DataFrame = field(default_factory=KEY_CARE.empty)
    standing: dict[str, dict[Key, Standing]] = field(default_factory=lambda: defaultdict(dict))
    listed: dict[tuple[str, str], date] = field(default_factory=dict)

    def night(self, as_of: date, merged: dict[Kid, Kid]) -> Differences:
        """One night; `merged` are children that are another's from tonight on."""
        p = LAW.on(as_of)
        kinds = {row["kind"]: row for row in p["alerts/kinds"]}
        given = {kid.person_id: {**CHILD, **kid.child, "person_id": kid.person_id, "as_of": as_of} for kid in self.kids}
        feeds: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for kid in self.kids:
            for feed, rows in kid.rows.items():
                feeds[feed] += [{"person_id": kid.person_id} | row for row in rows]
        facts = {feed: feed_frame(feed, rows) for feed, rows in feeds.items()}
        known = pl.DataFrame([{name: child[name] for name in CHILDREN} for child in given.values()], schema=CHILDREN).lazy()
        assessed = assessment_frame([{k: v for k, v in child.items() if k != "outcome"} for child in given.values()])
        identity = pl.LazyFrame(
            {"person_id": [kid.person_id for kid in merged], "state": ["merged"] * len(merged), "merged_into": [kid.person_id for kid in merged.values()]},
            schema=dict.fromkeys(("person_id", "state", "merged_into"), pl.String),
        )
        before = {"alert": self.alerts.lazy(), "taken_over": taken_over(self.alerts.lazy(), identity).lazy()}
        self.care = categories(facts, assessed, as_of, p, self.care.lazy())
        self.alerts = raise_alerts(known, facts, NO_STAYS, assessed, self.care.lazy(), before, as_of, p, last_on=self.last_on)
        found = self._care(given, as_of) + self._alerts(given, kinds, as_of, merged, with_visits="visit" in facts)
        self.last_on = max(self.last_on or as_of, as_of)
        return found

    def _care(self, given: dict[str, dict[str, Any]], as_of: date) -> Differences:
        """Categories, the day first listed, and the next visit."""
        told = {(row["person_id"], row["category"]): (row["first_listed_on"], row["next_visit_due"]) for row in self.care.iter_rows(named=True)}
        plain, listed = {}, {}
        for kid in self.kids:
            needs = Needs(given[kid.person_id], kid.rows, as_of)
            for category in needs.categories():
                key = kid.person_id, category
                listed[key] = min(self.listed.get(key, as_of), as_of)
                plain[key] = listed[key], next_visit(category, listed[key], needs.met())
        self.listed = listed
        return [f"{as_of} {key}: {told.get(key)}, plainly {plain.get(key)}" for key in sorted(told.keys() | plain.keys()) if told.get(key) != plain.get(key)]

    def _alerts(self, given: dict[str, dict[str, Any]], kinds: dict[str, Any], as_of: date, merged: dict[Kid, Kid], *, with_visits: bool) -> Differences:
        late = set(self.care.filter(pl.col("visit_state") == "overdue")["person_id"])
        others = {kid.person_id: self.standing[gone.person_id] for gone, kid in merged.items()}
        for kid in self.kids:
            rows = {"visit": []} | kid.rows if with_visits else kid.rows
            needs = Needs(given[kid.person_id], rows, as_of).alerts(kinds, kid.person_id in late)
            was = self.standing[kid.person_id]
            self.standing[kid.person_id] = go_on(was, needs, given[kid.person_id], kinds, as_of, self.last_on, others.get(kid.person_id))
        for gone in merged:
            was = self.standing[gone.person_id]
            self.standing[gone.person_id] = {key: one if one.state == "closed" else Standing("closed", one.raised_on, one.due_on, one.district, one.times, max(one.raised_on, as_of)) for key, one in was.items()}
        plain = {}
        for person, alerts in self.standing.items():
            for (kind, apart), one in alerts.items():
                number = hashlib.md5(f"{person}|{kind}|{apart}".encode(), usedforsecurity=False).hexdigest()[:16]
                plain[f"A{number}"] = (person, kind, one.state, one.raised_on, one.due_on, one.district, one.times, one.closed_on)
        columns = ("person_id", "kind", "state", "raised_on", "due_on", "district", "times_raised", "closed_on")
        told = {row["alert_id"]: tuple(row[c] for c in columns) for row in self.alerts.iter_rows(named=True)}
        return [f"{as_of}: {told.get(key)}, plainly {plain.get(key)}" for key in sorted(told.keys() | plain.keys()) if told.get(key) != plain.get(key)]


def differences(seed: int, children: int, nights: int) -> Differences:
    """What the two say differently in some nights of a random town."""
    rng = random.Random(seed)
    as_of = rng.choice(FIRST_NIGHTS)
    town = Town(rng, [Kid(rng, number, as_of) for number in range(children)])
    found = town.night(as_of, {})
    for _ in range(nights - 1):
        assert town.last_on is not None
        as_of = town.last_on + timedelta(rng.choice((0, 1, 7, 30, 95, -5)))
        gone = rng.sample(town.kids, 6)
        merged = dict(zip(gone[:3], gone[3:], strict=True))
        town.kids = [kid for kid in town.kids if kid not in merged]
        for kid in town.kids:
            kid.change(as_of)
        found += town.night(as_of, merged)
    return found


def test_expressions_and_the_plain_reading_agree() -> None:
    found = differences(20261124, 250, 4)
    assert not found, f"{len(found)} differ; the first:\n" + "\n".join(found[:5])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_over_many_towns(seed: int) -> None:
    found = differences(seed, 600, 6)
    assert not found, f"{len(found)} differ; the first:\n" + "\n".join(found[:5])
