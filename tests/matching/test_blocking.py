"""Pairs that blocking finds, against brute force; and blocks over the cap."""

from __future__ import annotations

import itertools
import random

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import blocking
from matching.blocking import BLOCK_CAP, Bounds, Rule, block
from tests.matching.linkage_city import sets


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.booleans()), min_size=2, max_size=14))
def test_blocking_finds_what_brute_force_finds(units: list[tuple[int, int, bool]]) -> None:
    values = {
        "x": sets({"unit": range(len(units)), "value": [u[0] for u in units]}),
        "y": sets({"unit": range(len(units)), "value": [u[1] for u in units]}),
    }
    trusted = np.array([u[2] for u in units])
    found = block(values, trusted, (Rule(("x", "y")), Rule(("x",))))
    pairs, report = found.pairs, found.report
    expected = {
        (i, j): 0 if units[i][1] == units[j][1] else 1
        for i, j in itertools.combinations(range(len(units)), 2)
        if units[i][0] == units[j][0] and not (units[i][2] and units[j][2])
    }
    assert {(a, b): rule for a, b, rule in pairs.select("l", "r", "rule").iter_rows()} == expected
    assert report["pairs_new"].sum() == len(expected)
    assert report["pairs_possible"].to_list() == [sum(r == 0 for r in expected.values()), len(expected)]


@pytest.mark.parametrize("cap", [BLOCK_CAP, 20])
@pytest.mark.parametrize("rule", [("x", "y"), ("x",)])
@pytest.mark.parametrize("asked", [1.0, 0.5])
def test_values_that_meet_in_one_key_make_no_pair(monkeypatch: pytest.MonkeyPatch, rule: tuple[str, ...], asked: float, cap: int) -> None:
    monkeypatch.setattr(blocking, "mixed", lambda value: (value.astype(np.uint64) % np.uint64(2)) << np.uint64(40))
    rng = np.random.default_rng(6)
    values = {name: sets({"unit": np.repeat(np.arange(40), 2), "value": rng.integers(0, most, 80)}) for name, most in (("x", 9), ("y", 6), ("sex", 4))}
    touched = rng.random(40) < asked
    found = block(values, np.zeros(40, dtype=np.bool_), (Rule(rule),), Bounds(cap=cap, further=("sex",)), None if asked == 1 else touched).pairs
    sharing = {
        (i, j) for i, j in itertools.combinations(range(40), 2)
        if all(values[name].common(np.array([i]), np.array([j])).item() for name in rule) and (touched[i] or touched[j])
    }  # fmt: skip
    assert set(found.select("l", "r").iter_rows()) == sharing if cap == BLOCK_CAP else set(found.select("l", "r").iter_rows()) < sharing


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 1), st.booleans(), st.booleans()), min_size=2, max_size=18), st.integers(2, 12))
def test_blocking_of_some_units_finds_their_pairs_and_no_others(units: list[tuple[int, int, int, bool, bool]], cap: int) -> None:
    values = {name: sets({"unit": range(len(units)), "value": [u[i] for u in units]}) for i, name in enumerate(("x", "y", "sex"))}
    trusted, touched = (np.array([u[i] for u in units]) for i in (3, 4))
    rules, bounds = (Rule(("x", "y")), Rule(("x",), trusted_too=True), Rule(("y", "sex"))), Bounds(cap=cap, further=("sex",))
    whole, some = block(values, trusted, rules, bounds), block(values, trusted, rules, bounds, touched)
    concerned = whole.pairs.filter(pl.Series(touched[whole.pairs["l"].to_numpy()] | touched[whole.pairs["r"].to_numpy()]))
    assert some.pairs.equals(concerned)
    assert set(some.over.tolist()) <= set(whole.over.tolist())
    assert {u for u in whole.over.tolist() if touched[u]} <= set(some.over.tolist())


def test_a_runaway_block_takes_a_further_key_and_says_so() -> None:
    size = 300
    every = {"unit": range(size)}
    values = {
        name: sets(every | {"value": [i % parts for i in range(size)]})
        for name, parts in (("x", 1), ("sex", 2), ("district", 5))
    }
    trusted = np.zeros(size, dtype=np.bool_)
    assert size * (size - 1) // 2 > BLOCK_CAP
    found = block(values, trusted, (Rule(("x",)),))
    pairs, report = found.pairs, found.report
    assert pairs.height == 10 * (30 * 29 // 2)
    assert report.select("pairs_possible", "pairs_new", "blocks_over_cap", "pairs_dropped").row(0) == (44850, 4350, 1, 0)
    values["district"] = values["sex"]
    found = block({**values, "sex": values["x"], "district": values["x"]}, trusted, (Rule(("x",)),))
    bare, told = found.pairs, found.report
    assert bare.is_empty()
    assert told["pairs_dropped"].item() == 44850


def test_blocking_across_two_tables_finds_no_pair_within_one() -> None:
    rng = random.Random(5)
    first, units = 9, [rng.randrange(4) for _ in range(21)]
    values = {"x": sets({"unit": range(21), "value": units})}
    trusted = np.zeros(21, dtype=np.bool_)
    expected = {(i, j) for i in range(first) for j in range(first, 21) if units[i] == units[j]}
    found = block(values, trusted, (Rule(("x",)),), Bounds(further=(), across=first))
    pairs, report = found.pairs, found.report
    assert set(pairs.select("l", "r").iter_rows()) == expected
    assert report["pairs_possible"].item() == len(expected)
    most = max(sum(u == v for u in units[:first]) * sum(u == v for u in units[first:]) for v in range(4))
    assert block(values, trusted, (Rule(("x",)),), Bounds(cap=most - 1, further=(), across=first)).report["pairs_dropped"].item() >= most
