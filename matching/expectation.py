"""Expectation maximisation: counts of agreement patterns go in; how often each class has each level comes out (Dempster, Laird, Rubin 1977; Winkler 1988)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from matching.model import Comparison, Model

_FLOOR = 1e-9


@dataclass(frozen=True)
class Mixture:
    """What expectation maximisation found: shares[class][comparison] (an array over levels), weights of the classes, rounds, and the log-likelihoods."""

    shares: dict[str, dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]]
    weights: dict[str, float]
    likelihoods: list[float]


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
