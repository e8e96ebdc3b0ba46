"""Clusters under constraints, against brute force."""

from __future__ import annotations

import itertools

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.clustering import Constraints, cluster_units

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
