"""Where the numbers of anybody's model come from: compared pairs go in, m and u of every level and the share of matches come out.

u is counted: equal values from how frequent each value is, the other levels from random pairs, both less the matches among them. m is found by
expectation maximisation on the pairs of one blocking rule at a time, of those comparisons only that the rule does not go by (pairs that a rule chose
agree on its columns whether they match or not). What the model file gives stays as it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from matching.expectation import maximise
from matching.model import Comparison, Level, Model
from matching.scoring import weigh
from matching.tables.columns import Tables
from matching.tables.levels import compare
from matching.tables.spec import ComparisonSpec, Spec

Shares = dict[str, npt.NDArray[np.float64]]
Bits = npt.NDArray[np.float64]
ROUNDS = 4
# fewer pairs than this teach nothing
_LEAST = 30
_SEED = 20241101


@dataclass(frozen=True)
class Estimated:
    """The model to weigh with, and `notes` for people on what could not be estimated."""

    model: Model
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Material:
    """What is estimated from: candidate pairs by level, which of them each rule found, random pairs by level, and of exact levels how many pairs agree."""

    candidates: pl.DataFrame
    by_rule: list[tuple[tuple[str, ...], pl.DataFrame]]
    random: pl.DataFrame
    agreeing: dict[str, tuple[int, float, float]]


def estimate(spec: Spec, tables: Tables, levels: pl.DataFrame, rules: list[npt.NDArray[np.int64]]) -> Estimated:
    """The model of the tables.

    Args:
        levels: the candidate pairs' levels (`matching.tables.levels.compare`). rules: for each blocking rule the positions of its pairs among them.
    """
    given = spec.prior is not None and all(x.m is not None and (x.u is not None or x.term_frequency) for c in spec.comparisons for x in c.levels)
    names = [c.name for c in spec.comparisons]
    m, u = ({c.name: _given(c, what) for c in spec.comparisons} for what in ("m", "u"))
    prior = spec.prior or max(1 / max(tables.possible, 2), 1e-12)
    notes: list[str] = []
    if not given:
        by_rule = [(tuple(k.column for k in rule), levels[at].select(names)) for rule, at in zip(spec.rules, rules, strict=True)]
        left, right = _random(tables, spec.sample)
        material = _Material(levels.select(names), by_rule, compare(left, right, tables, spec).select(names), _agreeing(spec, tables))
        u |= {c.name: _counted(c, material, None, None) for c in spec.comparisons if c.levels[-1].u is None}
        for _ in range(ROUNDS):
            notes = _learn(spec, material, m, u)
            prior, belief = _matches(spec, material, m, u, prior, tables.possible)
            there = _belief(spec, material.random, m, u, prior)
            u |= {c.name: _counted(c, material, belief, there) for c in spec.comparisons if c.levels[-1].u is None}
    return Estimated(model_of(spec, m, u, prior), tuple(notes))


def model_of(spec: Spec, m: Shares, u: Shares, prior: float, *, by_frequency: bool = True) -> Model:
    """The numbers as a model of the engine; levels that go by term frequency leave u to the value where `by_frequency`."""
    comparisons = []
    for c in spec.comparisons:
        levels = []
        for i, each in enumerate(c.levels):
            often = each.term_frequency and by_frequency
            shares = {"match": float(m[c.name][i])} | ({} if often else {"stranger": float(u[c.name][i])})
            levels.append(Level(each.name, each.phrase, shares, often, False))
        comparisons.append(Comparison(c.name, c.label, tuple(levels)))
    return Model(1, "", "", prior, {}, spec.link, spec.review, spec.margin, 0.0, 1.0, {}, tuple(comparisons))


def _given(comparison: ComparisonSpec, what: str) -> npt.NDArray[np.float64]:
    """What the model file says, or where to start: nearly all matches at the best level."""
    said = [getattr(level, what) for level in comparison.levels]
    if said[-1] is not None:
        return np.array([s if s is not None else 1e-4 for s in said])
    between = len(said) - 2
    return np.array([0.9, 0.1] if not between else [0.8, *[0.15 / between] * between, 0.05])


def _random(tables: Tables, sample: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Random pairs of units; all pairs where there are no more than wanted."""
    first = tables.across
    if tables.possible <= sample:
        if first is None:
            left, right = np.triu_indices(tables.count, 1)
            return left.astype(np.int64), right.astype(np.int64)
        return np.repeat(np.arange(first), tables.count - first), np.tile(np.arange(first, tables.count), first)
    rng = np.random.default_rng(_SEED)
    left = rng.integers(0, first or tables.count, sample)
    right = rng.integers(first or 0, tables.count, sample)
    return left[left != right], right[left != right]


def _agreeing(spec: Spec, tables: Tables) -> dict[str, tuple[int, float, float]]:
    """For comparisons whose first level is equality of one value: that level's index, the pairs that agree, the pairs that can be compared."""
    out = {}
    for c in spec.comparisons:
        column = tables.columns[c.levels[0].column]
        if c.levels[0].kind != "exact" or column.spec.kind == "set" or len(c.columns) > 1:
            continue
        if tables.across is None:
            n = np.bincount(column.codes[column.codes >= 0]).astype(np.float64)
            agree, whole = float((n * (n - 1) / 2).sum()), n.sum() * (n.sum() - 1) / 2
        else:
            sides = [side[side >= 0] for side in (column.codes[: tables.across], column.codes[tables.across :])]
            counts = [np.bincount(side, minlength=len(column.values)).astype(np.float64) for side in sides]
            agree, whole = float(counts[0] @ counts[1]), counts[0].sum() * counts[1].sum()
        out[c.name] = (0, agree, float(whole))
    return out


def _counted(comparison: ComparisonSpec, material: _Material, belief: Bits | None, there: Bits | None) -> npt.NDArray[np.float64]:
    """u of one comparison: what random pairs and value frequencies count, less the pairs believed to match (`belief`: candidates, `there`: random)."""
    size = len(comparison.levels)
    doubt = np.ones(material.random.height) if there is None else 1 - there
    seen = _tally(material.random, comparison.name, doubt, size) + 0.5 / size
    shares = seen / seen.sum()
    if comparison.name in material.agreeing:
        at, agree, whole = material.agreeing[comparison.name]
        if belief is not None:
            level = material.candidates[comparison.name].fill_null(size).to_numpy()
            equal = level == at
            agree = max(agree - float(belief[equal].sum()), float((1 - belief[equal]).sum()), 0.5)
        share = min(agree / max(whole, 1.0), 0.999)
        rest = np.delete(shares, at)
        shares = np.insert(rest / rest.sum() * (1 - share), at, share)
    return np.asarray(shares)


def _tally(levels: pl.DataFrame, name: str, weight: Bits, size: int) -> npt.NDArray[np.float64]:
    """The weight of the pairs at each level."""
    at = levels[name].fill_null(size).to_numpy().astype(np.int64)
    return np.asarray(np.bincount(at, weights=weight, minlength=size + 1)[:size], dtype=np.float64)


def _learn(spec: Spec, material: _Material, m: Shares, u: Shares) -> list[str]:
    """Puts what expectation maximisation finds into `m`; notes which comparisons it could not learn."""
    learned: dict[str, list[tuple[float, npt.NDArray[np.float64]]]] = {c.name: [] for c in spec.comparisons}
    wanted = {c.name for c in spec.comparisons if c.levels[0].m is None}
    for columns, pairs in material.by_rule:
        inside = [c for c in spec.comparisons if not set(c.columns) & set(columns)]
        if pairs.height < _LEAST or not any(c.name in wanted for c in inside):
            continue
        whole = model_of(spec, m, u, 0.5, by_frequency=False)
        part = replace(whole, comparisons=tuple(whole.comparison(c.name) for c in inside))
        patterns = pairs.group_by([c.name for c in inside]).agg(count=pl.len()).sort([c.name for c in inside], nulls_last=True)
        told = maximise(patterns, part, hold=("stranger",))
        for c in inside:
            learned[c.name].append((told.weights["match"] * pairs.height, told.shares["match"][c.name]))
    notes = []
    for name in sorted(wanted):
        if learned[name]:
            weights = np.array([w for w, _ in learned[name]])
            found = np.vstack([s for _, s in learned[name]])
            # half a match more at every level: one that was not seen is rare, not impossible
            seen = weights @ found + 0.5
            m[name] = seen / seen.sum()
        else:
            notes.append(f"m of {name} is a default: each blocking rule goes by its columns, or found under {_LEAST} pairs; add a rule without it, or give m")
    return notes


def _belief(spec: Spec, pairs: pl.DataFrame, m: Shares, u: Shares, prior: float) -> Bits:
    """The probability of each pair; patterns are weighed once."""
    patterns = pairs.unique(maintain_order=True)
    weighed = weigh(patterns, model_of(spec, m, u, prior, by_frequency=False)).select(*pairs.columns, "match_probability")
    return pairs.join(weighed, on=pairs.columns, how="left", nulls_equal=True, maintain_order="left")["match_probability"].to_numpy()


def _matches(spec: Spec, material: _Material, m: Shares, u: Shares, start: float, possible: int) -> tuple[float, Bits]:
    """The share of matches among all pairs at which the candidates' probabilities add up to it, and those probabilities."""
    names = material.candidates.columns
    patterns = material.candidates.group_by(names).agg(count=pl.len()).sort(names, nulls_last=True)
    weight = weigh(patterns, model_of(spec, m, u, 0.5, by_frequency=False))["match_weight"].to_numpy()
    count = patterns["count"].to_numpy().astype(np.float64)
    prior = spec.prior or start
    for _ in range(200 if spec.prior is None else 0):
        odds = np.exp2(np.clip(weight + math.log2(prior / (1 - prior)), -500, 500))
        better = min(max(float((count * odds / (1 + odds)).sum()) / max(possible, 1), 1e-12), 0.5)
        if abs(better - prior) < 1e-6 * prior:
            break
        prior = better
    return prior, _belief(spec, material.candidates, m, u, prior)
