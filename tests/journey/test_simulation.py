"""Nights of a made-up city that moves: every change has a cause, nobody is lost, the register says what a register kept by hand says, and a fresh one agrees."""

from __future__ import annotations

import os
from collections import Counter
from datetime import date, timedelta

import pytest

from tests.journey.simulation import Simulation, ledger_on, query, roster_of

FIRST = date(2026, 11, 24)
LATE = "只更正台账中"


def remarks(simulation: Simulation) -> str:
    return "".join(query(simulation.register, "SELECT max_by(remarks, started_at) FROM run")[0][0])


def test_a_few_hundred_children_over_three_quarters(tmp_path):
    simulation = Simulation(tmp_path, children=220, seed=11, pace=12.0)
    kinds: Counter[str] = Counter()
    days = [FIRST + timedelta(days=n) for n in (0, 60, 130, 260)]
    for number, day in enumerate(days):
        if number:
            simulation.move_to(day)
        if day == days[-1]:
            # a night run late speaks for its own days alone, and says so
            late = simulation.night(FIRST + timedelta(days=100))
            assert {kind for _, kind, _ in late} <= {"corrected"}
            assert LATE in remarks(simulation)
        kinds.update(kind for _, kind, _ in simulation.night(day))
        if number in (0, 2):
            simulation.verify(day, rosters=8)
            simulation.review(day)
    assert {"listed", "left", "returned", "turned_16", "moved", "corrected", "key_care_added", "key_care_ended"} <= set(kinds)
    assert len(set(simulation.bitemporal(60))) > 40
    # what was known on the first evening stays what it was
    assert ledger_on(simulation.register, FIRST, FIRST) == simulation.by_hand.known[0][1][FIRST]
    assert roster_of(simulation.register) == roster_of(simulation.fresh(days[-1]))


@pytest.mark.slow
def test_twenty_thousand_children_over_four_quarters(tmp_path):
    """`make simulate`: SIMULATE_CHILDREN and SIMULATE_STEP (days between nights) change its size."""
    children, step = int(os.environ.get("SIMULATE_CHILDREN", "20000")), int(os.environ.get("SIMULATE_STEP", "7"))
    simulation = Simulation(tmp_path, children=children, seed=20241101, pace=1.0)
    days = [FIRST + timedelta(days=n) for n in range(0, 366, step)]
    quarter = None
    for number, day in enumerate(days):
        if number:
            simulation.move_to(day)
        kinds = Counter(kind for _, kind, _ in simulation.night(day))
        print(day, dict(sorted(kinds.items())), flush=True)
        if (now := (day.year, (day.month - 1) // 3)) != quarter:
            quarter = now
            simulation.verify(day, rosters=40)
            print("decided by clerks:", simulation.review(day, decide=20), flush=True)
    assert len(set(simulation.bitemporal(200))) > 100
    assert roster_of(simulation.register) == roster_of(simulation.fresh(days[-1]))
