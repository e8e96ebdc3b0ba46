"""Where the model's numbers come from: a night's records, decisions and perhaps a truth go in; a re-estimated model and what changed come out.

Labelled pairs (`matching.labels`) give the shares of every class directly. Where no truth labels the pairs without a number, expectation maximisation on
the counts of their agreement patterns learns what matches look like among them, from one blocking rule at a time and for the comparisons that rule does
not go by. Pairs are never drawn by what families share, but for siblings and twins.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import yaml

from matching.blocking import CHILD_RULES, Rule, block
from matching.comparisons import compare
from matching.expectation import maximise
from matching.labels import Labels, by_decision, by_number, by_truth
from matching.model import FREQUENCY, Level, Model
from matching.night import Night, prepare

Tally = dict[tuple[str, str], npt.NDArray[np.float64]]
# how many pairs the present numbers are worth, so that a rare level is not lost with a small night
WEIGHT = 5000.0
_FLOOR = 1e-9
# what a rule goes by teaches nothing of the comparison it belongs to; rules that go by what families share teach nothing at all
_OF = {
    "name": "name", "sound": "name", "given": "name", "surname": "name", "birth": "birth_date", "birth_swapped": "birth_date", "birth_month": "birth_date",
    "birth_year": "birth_date", "birth_anniversary": "birth_date", "sex": "sex", "id_number": "id_number", "id_front": "id_number", "id_tail": "id_number",
    "place_town": "place", "hukou_town": "hukou", "district": "place", "town": "place", "certificate": "certificate", "document": "document", "feed_key": "record_key",
}  # fmt: skip
_UNTAUGHT = ("id_number", "record_key", "document")
# fewer pairs than this teach nothing
_LEAST = 100


@dataclass(frozen=True)
class Truth:
    """Whose each row is: `rows` (feed, source_file, source_row, person) and `children` (person, family, twin_of)."""

    rows: pl.DataFrame
    children: pl.DataFrame


@dataclass(frozen=True)
class Trained:
    """A re-estimated model.

    Attributes:
        changes: comparison, level, class, before, after, pairs (that the share rests on).
        labelled: labelled pairs by class. learned: of each rule that taught by expectation maximisation its pairs, share of matches, and log-likelihood a pair.
    """

    model: Model
    changes: pl.DataFrame
    labelled: dict[str, int]
    learned: pl.DataFrame


def train(record: pl.DataFrame, as_of: date, model: Model, *, queue: pl.DataFrame | None = None, truth: Truth | None = None, weight: float = WEIGHT) -> Trained:
    """Re-estimates the shares of every comparison.

    Args:
        record: RECORD of a night; a small one moves the model little. as_of: the day ages are counted on.
        queue: REVIEW_QUEUE with clerks' decisions. truth: of a made-up city; without one the numbers and expectation maximisation teach.
        weight: pairs that the present shares of each class and comparison are worth.
    """
    night = prepare(record, as_of, model)
    labels = by_number(night, model) if truth is None else by_truth(night, record, truth.rows, truth.children)
    counts = _counted(labels, model)
    labelled = {name: pairs.height for name, pairs in labels.pairs.items()}
    if queue is not None:
        said = by_decision(night, queue)
        _add(counts, _decided(said, model))
        labelled |= {f"decided {name}": pairs.height for name, pairs in said.pairs.items()}
    learned = _LEARNED.to_frame()
    if truth is None:
        found, learned = _learned(night, _frequent(model, counts))
        _add(counts, found)
    return Trained(*_renewed(model, counts, weight), labelled, learned)


def _counted(labels: Labels, model: Model) -> Tally:
    """How many labelled pairs of each class are at each level."""
    counts: Tally = {}
    for name, pairs in labels.pairs.items():
        levels = compare(pairs, labels.units, model)
        for comparison in model.comparisons:
            if comparison.name not in labels.taught_by.get(name, _UNTAUGHT):
                seen = levels[comparison.name].drop_nulls().to_numpy().astype(np.int64)
                counts[name, comparison.name] = np.bincount(seen, minlength=len(comparison.levels)).astype(np.float64)
    return counts


def _decided(labels: Labels, model: Model) -> Tally:
    """The same of clerks' decisions; what is different is shared out among the other classes as the model's shares have it."""
    counts = _counted(labels, model)
    out: Tally = {}
    others = ("stranger", *model.classes)
    for (name, comparison), seen in counts.items():
        if name == "match":
            out[name, comparison] = seen
            continue
        levels = model.comparison(comparison).levels
        shares = np.array([[level.shares.get(c, 1e-4) for level in levels] for c in others])
        for i, c in enumerate(others):
            out[c, comparison] = seen * shares[i] / shares.sum(axis=0)
    return out


def _add(counts: Tally, more: Tally) -> None:
    for key, seen in more.items():
        counts[key] = counts[key] + seen if key in counts else seen


def _frequent(model: Model, counts: Tally) -> Model:
    """The model with a stranger's share for the levels that go by frequency too: the share random pairs show, or the frequency's base."""
    comparisons = []
    for c in model.comparisons:
        seen = counts.get(("stranger", c.name), np.zeros(len(c.levels)))
        shown = [max(float(seen[i] / max(seen.sum(), 1.0)), model.frequencies.get(level.name, model.frequencies.get(c.name, _FLOOR))) for i, level in enumerate(c.levels)]
        levels = [replace(level, shares={"stranger": shown[i], **level.shares}) if level.by_frequency else level for i, level in enumerate(c.levels)]
        comparisons.append(replace(c, levels=tuple(levels)))
    return replace(model, comparisons=tuple(comparisons))


_LEARNED = pl.Schema({"rule": pl.String, "pairs": pl.Int64, "matches": pl.Float64, "rounds": pl.Int64, "likelihood_first": pl.Float64, "likelihood_last": pl.Float64})


def _learned(night: Night, model: Model) -> tuple[Tally, pl.DataFrame]:
    """What expectation maximisation finds of matches among pairs with a side that has no number, rule by rule."""
    parts: dict[str, list[npt.NDArray[np.float64]]] = {}
    told = []
    for rule in CHILD_RULES:
        if not set(rule.attributes) <= set(_OF):
            continue
        pairs = block(night.units.values, night.trusted, (Rule(rule.attributes),)).pairs
        inside = [c for c in model.comparisons if c.name not in (*_UNTAUGHT, *(_OF[a] for a in rule.attributes))]
        if pairs.height < _LEAST:
            continue
        levels = compare(pairs, night.units, model).select(c.name for c in inside)
        patterns = levels.group_by(levels.columns).agg(count=pl.len()).sort(levels.columns, nulls_last=True)
        found = maximise(patterns, replace(model, comparisons=tuple(inside)), hold=("stranger", *model.classes))
        matches = found.weights["match"] * pairs.height
        for c in inside:
            parts.setdefault(c.name, []).append(found.shares["match"][c.name] * matches * levels[c.name].count() / levels.height)
        told.append((rule.name, pairs.height, matches, len(found.likelihoods), found.likelihoods[0], found.likelihoods[-1]))
    # a pair that several rules find counts once: the rules are averaged
    means: Tally = {("match", name): np.asarray(np.mean(np.vstack(each), axis=0)) for name, each in parts.items()}
    return means, pl.DataFrame(told, schema=_LEARNED, orient="row")


def _renewed(model: Model, counts: Tally, weight: float) -> tuple[Model, pl.DataFrame]:
    """The model with the shares that the counts give, the present ones counting as `weight` pairs or more; and what changed."""
    changes: list[tuple[str, str, str, float, float, int]] = []
    comparisons = []
    for comparison in model.comparisons:
        taught = {name: counts[name, comparison.name] for name in ("match", "stranger", *model.classes) if (name, comparison.name) in counts}
        levels = []
        for i, level in enumerate(comparison.levels):
            shares = dict(level.shares)
            for name, seen in taught.items():
                if name in shares and not level.aside:
                    # a level so rare that the pairs at hand could not show it is worth the one pair it takes to be seen
                    worth = max(weight, 1 / shares[name])
                    shares[name] = max(float((seen[i] + worth * shares[name]) / (seen.sum() + worth)), _FLOOR)
                    changes.append((comparison.name, level.name, name, level.shares[name], shares[name], round(seen.sum())))
            levels.append(replace(level, shares=shares))
        comparisons.append(replace(comparison, levels=tuple(levels)))
    schema = ["comparison", "level", "class", "before", "after", "pairs"]
    return replace(model, comparisons=tuple(comparisons)), pl.DataFrame(changes, schema=schema, orient="row")


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
