"""Where the model's numbers come from: a night's records go in, a re-estimated model and what changed come out.

Rows that carry one number of their own are known to be one child, rows with two numbers two: they give the shares of every class directly
(siblings: a parent's number in common; twins: born the same day besides). Where no pair is labelled, expectation maximisation on the counts of
agreement patterns does it (Dempster, Laird, Rubin 1977; Winkler 1988). Pairs are never drawn by what families share, but for siblings and twins.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import yaml

from matching import anchors, features
from matching.comparisons import compare
from matching.model import FREQUENCY, Comparison, Level, Model
from matching.night import prepare_rows

# comparisons that labelled pairs cannot teach: the label is the number, and feeds repeat keys only by accident
_UNTAUGHT = ("id_number", "record_key", "document")
# siblings and twins were found by what they share, so they do not teach how often they share it
_KIN = ("relatives",)
_SAMPLE = 300_000
# how many pairs the present numbers are worth, so that a rare level is not lost with a small night
_PSEUDO = 200.0
_FLOOR = 1e-9


@dataclass(frozen=True)
class Trained:
    """A re-estimated model, and `changes`: comparison, level, class, before, after, pairs (that the share rests on)."""

    model: Model
    changes: pl.DataFrame


@dataclass(frozen=True)
class Mixture:
    """What expectation maximisation found: shares[class][comparison] (an array over levels), weights of the classes, rounds, and the log-likelihoods."""

    shares: dict[str, dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]]
    weights: dict[str, float]
    likelihoods: list[float]


def train(record: pl.DataFrame, as_of: date, model: Model) -> Trained:
    """Re-estimates the shares of every comparison from pairs whose numbers tell what they are.

    Args:
        record: RECORD of a night large enough to have thousands of numbered rows; a small one moves the model little. as_of: the day ages are counted on.
    """
    records = features.code_records(record)
    own = anchors.own_numbers(records, as_of)
    units = prepare_rows(records, model)
    counts: dict[tuple[str, str], np.ndarray[tuple[int], np.dtype[np.float64]]] = {}
    for name, pairs in labelled_pairs(records, own).items():
        levels = compare(pairs, units, model)
        for comparison in model.comparisons:
            if comparison.name not in (*_UNTAUGHT, *(_KIN if name in model.classes else ())):
                seen = levels[comparison.name].drop_nulls().to_numpy().astype(np.int64)
                counts[name, comparison.name] = np.bincount(seen, minlength=len(comparison.levels)).astype(np.float64)
    return _renewed(model, counts)


def labelled_pairs(records: features.Records, own: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Pairs of rows l, r (rec) of each class, as their numbers tell, at most `_SAMPLE` each."""
    held = own.filter(pl.col("own_id").is_not_null()).select("rec", "own_id", "id_birth").sort("own_id", "rec")
    match = held.with_columns(l=pl.col("rec").shift(1), before=pl.col("own_id").shift(1)).filter(pl.col("own_id") == pl.col("before"))
    rng = np.random.default_rng(20241101)
    size = _SAMPLE if held.height else 0
    drawn = {end: rng.integers(0, max(held.height, 1), size) for end in ("l", "r")}
    numbered = held.with_row_index("at")
    random = pl.DataFrame(drawn, schema={"l": pl.UInt32, "r": pl.UInt32})
    random = random.join(numbered, left_on="l", right_on="at").join(numbered, left_on="r", right_on="at", suffix="_r").filter(pl.col("own_id") != pl.col("own_id_r"))
    parents = records.relatives.filter(pl.col("relation").is_in(["father", "mother"]), pl.col("id_number").is_not_null()).select("rec", "id_number")
    near = held.join(parents, on="rec")
    kin = near.join(near, on="id_number", suffix="_r").filter(pl.col("own_id") < pl.col("own_id_r"))
    born = pl.col("id_birth") == pl.col("id_birth_r")
    ends = [pl.col("rec").alias("l"), pl.col("rec_r").alias("r")]
    found = {
        "match": match.select("l", r="rec"),
        "stranger": random.select(ends),
        "sibling": kin.filter(~born).select(ends),
        "twin": kin.filter(born).select(ends),
    }
    return {name: pairs.unique().sort("l", "r").head(_SAMPLE) for name, pairs in found.items()}


def _renewed(model: Model, counts: dict[tuple[str, str], np.ndarray[tuple[int], np.dtype[np.float64]]]) -> Trained:
    """The model with the shares that the counts give, the present ones counting as `_PSEUDO` pairs."""
    changes: list[tuple[str, str, str, float, float, int]] = []
    comparisons = []
    for comparison in model.comparisons:
        taught = {name: counts[name, comparison.name] for name in ("match", "stranger", *model.classes) if (name, comparison.name) in counts}
        levels = []
        for i, level in enumerate(comparison.levels):
            shares = dict(level.shares)
            for name, seen in taught.items():
                if name in shares and not level.aside:
                    shares[name] = max(float((seen[i] + _PSEUDO * shares[name]) / (seen.sum() + _PSEUDO)), _FLOOR)
                    changes.append((comparison.name, level.name, name, level.shares[name], shares[name], int(seen.sum())))
            levels.append(replace(level, shares=shares))
        comparisons.append(replace(comparison, levels=tuple(levels)))
    schema = ["comparison", "level", "class", "before", "after", "pairs"]
    return Trained(replace(model, comparisons=tuple(comparisons)), pl.DataFrame(changes, schema=schema, orient="row"))


def maximise(patterns: pl.DataFrame, model: Model, *, hold: tuple[str, ...] = (), rounds: int = 200, tolerance: float = 1e-9) -> Mixture:
    """Expectation maximisation on the counts of agreement patterns.

    Args:
        patterns: a column of levels (Int8, null where not compared) for each comparison of the model, and `count`.
        model: where to start. hold: classes whose shares stay as they are (strangers, when random pairs gave them).
        rounds, tolerance: stop after so many rounds, or when the log-likelihood per pair gains less.
    """
    count = patterns["count"].to_numpy().astype(np.float64)
    levels = {c.name: patterns[c.name].fill_null(len(c.levels)).to_numpy().astype(np.int64) for c in model.comparisons}
    names = ("match", "stranger", *model.classes)
    shares = {n: {c.name: _start(c, n) for c in model.comparisons} for n in names}
    weights = {n: 1 / len(names) for n in names}
    likelihoods: list[float] = []
    for _ in range(rounds):
        logs = np.vstack([math.log(weights[n]) + sum(np.append(np.log(shares[n][c]), 0.0)[at] for c, at in levels.items()) for n in names])
        total = np.logaddexp.reduce(logs, axis=0)
        likelihoods.append(float((count * total).sum() / count.sum()))
        belief = np.exp(logs - total) * count
        weights = {n: max(float(belief[i].sum() / count.sum()), _FLOOR) for i, n in enumerate(names)}
        for i, n in enumerate(names):
            if n not in hold:
                shares[n] = {c.name: _fitted(levels[c.name], belief[i], len(c.levels)) for c in model.comparisons}
        if len(likelihoods) > 1 and likelihoods[-1] - likelihoods[-2] < tolerance:
            break
    return Mixture(shares, weights, likelihoods)


def _start(comparison: Comparison, name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The model's shares of one class, made to sum to one."""
    shares = np.array([level.shares.get(name, 1e-4) for level in comparison.levels])
    return np.asarray(shares / shares.sum())


def _fitted(level: np.ndarray[tuple[int], np.dtype[np.int64]], belief: np.ndarray[tuple[int], np.dtype[np.float64]], size: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The share of each level among pairs believed to be of a class; uncompared ones do not count."""
    seen = np.bincount(level, weights=belief, minlength=size + 1)[:size] + _FLOOR
    return np.asarray(seen / seen.sum())


def write_model(model: Model, path: Path, *, trained_on: str, trained_at: date) -> None:
    """Writes a model file that `load_model` reads back; says what it was trained on and when."""
    body = {
        "version": model.version + 1,
        "trained_on": trained_on,
        "trained_at": trained_at,
        "prior": model.prior,
        "classes": model.classes,
        "unseen": model.unseen,
        "thresholds": {"link": model.link, "review": model.review, "margin": model.margin, "apart": model.apart},
        "frequencies": model.frequencies,
        "comparisons": {c.name: {"label": c.label, "levels": {level.name: _level_body(level, model) for level in c.levels}} for c in model.comparisons},
    }
    path.write_text(yaml.safe_dump(body, allow_unicode=True, sort_keys=False, width=160, default_flow_style=None), encoding="utf-8")


def _level_body(level: Level, model: Model) -> dict[str, object]:
    shares = {name: float(f"{level.shares[name]:.3g}") for name in ("match", "stranger", *model.classes) if name in level.shares}
    flags: dict[str, object] = {"aside": True} if level.aside else {}
    return {"phrase": level.phrase, **flags, **shares} | ({"stranger": FREQUENCY} if level.by_frequency else {})
