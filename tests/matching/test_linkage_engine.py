"""The engine's parts against what is known: brute force, known parameters, listed pairs, and the texts of its errors."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import blocking, name_levels
from matching.blocking import BLOCK_CAP, Bounds, Rule, block
from matching.clustering import Constraints, cluster_units
from matching.evaluation import TruthMismatchError, evaluate
from matching.expectation import maximise
from matching.model import CHILDREN, Comparison, Level, Model, ModelError, load_model
from matching.name_levels import LEVELS, compare_names, name_table, near_sound
from matching.scoring import weigh
from tests.matching.linkage_city import sets

AS_OF = date(2026, 11, 24)


# --- names

NAMES = [
    ("张浩宇", "张浩宇", "same"), ("张昊宇", "张浩宇", "same_sound"), ("覃伟", "秦伟", "same_sound"), ("张?宇", "张浩宇", "unreadable"),
    ("刘浩宇", "张浩宇", "other_surname"), ("阿迪力", "阿迪力买买提", "shortened"), ("张宇浩", "张浩宇", "order"), ("张浩雨桐", "张浩雨", "dropped"),
    ("张浩明", "张浩宇", "one_character"), ("张金", "张静", "one_character"), ("张伟", "张浩宇", "surname_only"), ("王芳", "张浩宇", "different"),
    ("ZHANGHAOYU", "张浩宇", "same_sound"), ("张WEI", "张伟", "unreadable"), ("?", "张", "different"), ("张?", "张?", "same"),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b", "level"), NAMES)
def test_two_names_compare_at_the_level(a: str, b: str, level: str) -> None:
    table = name_table(pl.Series([a, b]))
    code = dict(table.select("name", "code").iter_rows())
    for left, right in ((a, b), (b, a)):
        found = compare_names(pl.DataFrame({"a": [code[left]], "b": [code[right]]}, schema={"a": pl.UInt32, "b": pl.UInt32}), table)
        assert LEVELS[found["level"].item()] == level


def test_levels_of_names_are_those_of_the_model() -> None:
    assert tuple(level.name for level in load_model().comparison("name").levels) == (*LEVELS, "newborn")
    assert LEVELS[name_levels.SURNAME] == "surname_only"


@pytest.mark.parametrize(("a", "b"), [("zhang", "zan"), ("lin", "ning"), ("hui", "fui"), ("cheng", "chen")])
def test_dictation_confuses_sounds(a: str, b: str) -> None:
    assert near_sound(a) == near_sound(b)


# --- blocking

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


# --- clusters

Edge = tuple[int, int, float]


def _brute(count: int, edges: list[Edge], trusted: list[bool], apart: set[tuple[int, int]]) -> list[set[int]]:
    """Best edge first, said plainly: no margin, no giants."""
    groups = [{i} for i in range(count)]
    for a, b, _ in sorted(edges, key=lambda e: (-e[2], e[0], e[1])):
        x, y = (next(g for g in groups if u in g) for u in (a, b))
        two = sum(trusted[u] for u in x | y) > 1
        if x is not y and not two and not any((min(i, j), max(i, j)) in apart for i in x for j in y):
            groups = [g for g in groups if g is not x and g is not y] + [x | y]
    return groups


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_clusters_are_those_of_brute_force(data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 9))
    couples = list(itertools.combinations(range(count), 2))
    chosen = data.draw(st.lists(st.sampled_from(couples), unique=True, max_size=14))
    edges = [(a, b, float(w)) for (a, b), w in zip(chosen, data.draw(st.permutations(range(len(chosen)))), strict=True)]
    trusted = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    apart = set(data.draw(st.lists(st.sampled_from(couples), unique=True, max_size=4)))
    schema = {"l": pl.UInt32, "r": pl.UInt32}
    limits = Constraints(
        pl.Series(trusted),
        pl.DataFrame(sorted(apart), schema=schema, orient="row").with_columns(cause=pl.lit("twins")),
        pl.DataFrame(schema=schema),
    )
    frame = pl.DataFrame(edges, schema=schema | {"match_weight": pl.Float64}, orient="row").filter(~pl.Series([trusted[a] and trusted[b] for a, b, _ in edges], dtype=pl.Boolean))
    found = cluster_units(frame, limits, margin=0.0)
    groups = {frozenset(g) for g in found.cluster.group_by("cluster").agg("unit")["unit"].to_list()}
    legal = [e for e in edges if not (trusted[e[0]] and trusted[e[1]])]
    assert groups == {frozenset(g) for g in _brute(count, legal, trusted, apart)}
    for group in groups:
        assert sum(trusted[u] for u in group) <= 1
        assert not any(p in apart for p in itertools.combinations(sorted(group), 2))


def test_one_row_that_two_children_claim_goes_to_neither() -> None:
    schema = {"l": pl.UInt32, "r": pl.UInt32}
    limits = Constraints(pl.Series([True, True, False]), pl.DataFrame(schema=schema | {"cause": pl.String}), pl.DataFrame(schema=schema))
    edges = pl.DataFrame([(0, 2, 30.0), (1, 2, 28.0)], schema=schema | {"match_weight": pl.Float64}, orient="row")
    torn = cluster_units(edges, limits, margin=4.0)
    assert torn.cluster["cluster"].to_list() == [0, 1, 2]
    assert set(torn.refused["cause"]) == {"ambiguous"}
    clear = cluster_units(edges, limits, margin=1.0)
    assert clear.cluster["cluster"].to_list() == [0, 1, 0]
    assert clear.refused["cause"].to_list() == ["two_numbers"]


def test_a_giant_is_not_built() -> None:
    schema = {"l": pl.UInt32, "r": pl.UInt32}
    limits = Constraints(pl.Series([False] * 60), pl.DataFrame(schema=schema | {"cause": pl.String}), pl.DataFrame(schema=schema))
    chain = pl.DataFrame([(i, i + 1, 20.0) for i in range(59)], schema=schema | {"match_weight": pl.Float64}, orient="row")
    found = cluster_units(chain, limits, margin=0.0)
    assert found.cluster.group_by("cluster").len()["len"].max() == 40
    assert "giant" in set(found.refused["cause"])


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_values_that_exclude_each_other_never_meet(data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 9))
    couples = list(itertools.combinations(range(count), 2))
    chosen = data.draw(st.lists(st.sampled_from(couples), unique=True, max_size=14))
    columns = [data.draw(st.lists(st.sampled_from([None, 0, 1]), min_size=count, max_size=count)) for _ in range(2)]
    schema = {"l": pl.UInt32, "r": pl.UInt32}
    limits = Constraints(
        pl.Series([False] * count), pl.DataFrame(schema=schema | {"cause": pl.String}), pl.DataFrame(schema=schema),
        exclusive=tuple(pl.Series(c, dtype=pl.Int64) for c in columns),
    )  # fmt: skip
    edges = pl.DataFrame([(a, b, float(i)) for i, (a, b) in enumerate(chosen)], schema=schema | {"match_weight": pl.Float64}, orient="row")
    found = cluster_units(edges, limits, margin=0.0)
    group = dict(found.cluster.iter_rows())
    clash = {(a, b) for a, b in couples if any(None not in (c[a], c[b]) and c[a] != c[b] for c in columns)}
    assert not any(group[a] == group[b] for a, b in clash)
    assert set(found.refused["cause"]) <= {"exclusive"}
    if not clash:
        assert all(group[a] == group[b] for a, b in chosen)


# --- weights

def _two_levels() -> Model:
    """A model of three yes-or-no comparisons and two classes."""
    shares = (("a", 0.95, 0.02), ("b", 0.9, 0.1), ("c", 0.8, 0.3))
    comparisons = tuple(
        Comparison(name, name, (Level("same", "same", {"match": m, "stranger": u}, False, False), Level("other", "other", {"match": 1 - m, "stranger": 1 - u}, False, False)))
        for name, m, u in shares
    )  # fmt: skip
    return replace(load_model(), comparisons=comparisons, classes={}, prior=0.2)


def test_a_weight_is_the_log_of_the_ratio() -> None:
    pairs = pl.DataFrame({"a": [0, 1, None], "b": [0, 0, None], "c": [1, None, None]}, schema=dict.fromkeys("abc", pl.Int8))
    weighed = weigh(pairs, _two_levels())
    first = math.log2(0.95 / 0.02) + math.log2(0.9 / 0.1) + math.log2(0.2 / 0.7)
    assert weighed["match_weight"].to_list() == pytest.approx([first, math.log2(0.05 / 0.98) + math.log2(9), 0.0])
    assert weighed["match_probability"][2] == pytest.approx(0.2)
    odds = 2**first * 0.25
    assert weighed["match_probability"][0] == pytest.approx(odds / (1 + odds))


def test_what_families_share_weighs_nothing_against_a_twin() -> None:
    model = load_model()
    base = {c.name: [None] * 2 for c in model.comparisons}
    level = lambda name, of: model.comparison(name).position(of)  # noqa: E731
    twins = base | {"name": [level("name", "surname_only")] * 2, "birth_date": [level("birth_date", "same")] * 2, "sex": [0, 0]}
    twins |= {"relatives": [None, level("relatives", "two_same")], "phone": [None, level("phone", "same")]}
    frame = pl.DataFrame(twins, schema=dict.fromkeys(base, pl.Int8)).with_columns(name_frequency=pl.lit(None, dtype=pl.Float64), birth_date_frequency=pl.lit(1.7e-4))
    weighed = weigh(frame, model)
    assert weighed["match_probability"].max() < 0.9
    assert weighed["pair_probability"][1] < model.apart
    assert weighed["w_family"][1] < -20


# --- training

def test_maximisation_recovers_what_made_the_pairs() -> None:
    model, rng = _two_levels(), np.random.default_rng(8)
    truth = {"match": (0.95, 0.9, 0.8), "stranger": (0.02, 0.1, 0.3)}
    drawn = []
    for name, size in (("match", 6000), ("stranger", 24000)):
        drawn.append(np.column_stack([(rng.random(size) >= p).astype(np.int8) for p in truth[name]]))
    patterns = pl.DataFrame(np.vstack(drawn), schema=dict.fromkeys("abc", pl.Int8)).group_by("a", "b", "c").agg(count=pl.len()).sort("a", "b", "c")
    found = maximise(patterns, replace(model, comparisons=tuple(_blunted(c) for c in model.comparisons)))
    assert found.weights["match"] == pytest.approx(0.2, abs=0.03)
    for name, shares in truth.items():
        for comparison, share in zip("abc", shares, strict=True):
            assert found.shares[name][comparison][0] == pytest.approx(share, abs=0.04)
    gains = np.diff(found.likelihoods)
    assert (gains > -1e-12).all()
    assert len(found.likelihoods) < 200


def _blunted(comparison: Comparison) -> Comparison:
    """A start far from the truth."""
    same, other = comparison.levels
    return replace(comparison, levels=(replace(same, shares={"match": 0.7, "stranger": 0.3}), replace(other, shares={"match": 0.3, "stranger": 0.7})))


def test_held_classes_stay_as_they_are() -> None:
    patterns = pl.DataFrame({"a": [0, 1], "b": [0, 1], "c": [0, 1], "count": [30, 70]}, schema_overrides=dict.fromkeys("abc", pl.Int8))
    found = maximise(patterns, _two_levels(), hold=("stranger",))
    assert found.shares["stranger"]["a"].tolist() == pytest.approx([0.02, 0.98])


# --- the model file

WRONG = [
    (lambda m: m.pop("prior"), r"model.yaml: needs prior; it has: version"),
    (lambda m: m.update(prior=0), r"model.yaml: prior must be a number above 0 and at most 1, not 0"),
    (lambda m: m["comparisons"]["sex"]["levels"]["same"].pop("twin"), r"model.yaml: comparisons.sex.same: needs a share for twin"),
    (lambda m: m["comparisons"]["sex"]["levels"]["same"].update(match="often"), r"comparisons.sex.same: match must be a number above 0 and at most 1, not 'often'"),
    (lambda m: m["comparisons"]["sex"]["levels"]["different"].update(match=0.5), r"comparisons.sex: the shares of match come to 1.495; they must not exceed 1"),
]


@pytest.mark.parametrize(("spoil", "message"), WRONG, ids=[m[:40] for _, m in WRONG])
def test_a_wrong_model_file_says_what_is_wrong(spoil: object, message: str, tmp_path: Path) -> None:
    body = yaml.safe_load(CHILDREN.read_text(encoding="utf-8"))
    spoil(body)  # type: ignore[operator]
    (tmp_path / "model.yaml").write_text(yaml.safe_dump(body, allow_unicode=True, sort_keys=False), encoding="utf-8")
    with pytest.raises(ModelError, match=message):
        load_model(tmp_path / "model.yaml")


# --- evaluation

def _rows(people: list[tuple[str, str, str]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """person_record and truth of rows (feed, person_id, true child)."""
    base = [{"feed": f, "source_file": f"{f}.csv", "source_row": i + 1, "person_id": p, "person": t} for i, (f, p, t) in enumerate(people)]
    frame = pl.DataFrame(base, schema_overrides={"source_row": pl.UInt32})
    null = {"link_method": pl.lit("id"), "linked_to": pl.lit(None, dtype=pl.UInt64), "match_probability": pl.lit(None, dtype=pl.Float64), "id_role": pl.lit("own")}
    return frame.drop("person").with_row_index("record_hash").with_columns(**null), frame.drop("person_id").with_columns(damage=pl.lit("name_wrong;id_missing"))


def test_evaluation_counts_what_listing_pairs_counts() -> None:
    rng = random.Random(2)
    people = [(rng.choice(["health", "survey", "education"]), f"C{rng.randrange(6)}", f"P{rng.randrange(6)}") for _ in range(40)]
    result = evaluate(*_rows(people))
    listed = list(itertools.combinations(people, 2))
    both = sum(a[1] == b[1] and a[2] == b[2] for a, b in listed)
    joined, true = sum(a[1] == b[1] for a, b in listed), sum(a[2] == b[2] for a, b in listed)
    assert (result.overall.both, result.overall.joined, result.overall.true) == (both, joined, true)
    assert result.by_feed_pair["joined"].sum() == joined
    assert result.by_feed_pair["both"].sum() == both
    line = result.by_feed_pair.filter(pl.col("feed") == "health", pl.col("feed_r") == "survey").row(0, named=True)
    assert line["true"] == sum(a[2] == b[2] and {a[0], b[0]} == {"health", "survey"} for a, b in listed)
    assert result.by_damage.filter(pl.col("damage") == "id_missing")["true"].item() == true


def test_evaluation_names_the_rows_on_the_wrong_side_and_no_person() -> None:
    held, truth = _rows([("health", "C1", "P1"), ("survey", "C1", "P1"), ("survey", "C1", "P2"), ("education", "C2", "P1")])
    result = evaluate(held, truth, pl.DataFrame({"person": ["P1"], "twin": ["P2"]}))
    assert (result.persons_mixed, result.children_split, result.twins_apart) == (1, 1, 0.0)
    assert result.worst.select("kind", "feed", "source_row", "pairs").rows() == [("missed", "education", 4, 2), ("wrongly_joined", "survey", 3, 2)]
    assert "name" not in result.worst.columns


def test_the_truth_of_another_city_is_refused() -> None:
    held, truth = _rows([("health", "C1", "P1"), ("survey", "C1", "P1")])
    with pytest.raises(TruthMismatchError, match="1 of 2 linked rows are not in the truth records"):
        evaluate(held, truth.head(1))
