"""The linkage model: model.yaml goes in, the comparisons with their levels, phrases and probabilities come out.

Fellegi and Sunter (1969) weigh a pair by P(levels | one child) against P(levels | two). Here "two" is a mixture of strangers, siblings and twins, so
evidence that families share (parents, phones, addresses) counts fully against strangers and not at all against a brother.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHILDREN = Path(__file__).with_name("model.yaml")
FREQUENCY = "frequency"
# shares are written with three digits, so their sum may be a little over one
_MOST = 1.02


class ModelError(Exception):
    """A model file does not say what it must: names the file, the place in it and what was expected."""


@dataclass(frozen=True)
class Level:
    """One outcome of a comparison: its name, the phrase a clerk reads, and its share among the pairs of each class.

    `by_frequency`: the strangers' share is the frequency of the value itself, and `shares` has none for them. `aside`: the level is reached only where
    less than usual could be compared, so it stands outside the sum of the shares, and training leaves it alone.
    """

    name: str
    phrase: str
    shares: dict[str, float]
    by_frequency: bool
    aside: bool


@dataclass(frozen=True)
class Comparison:
    """One comparison: name, label for people, and its levels from best to worst."""

    name: str
    label: str
    levels: tuple[Level, ...]

    def position(self, level: str) -> int:
        """The index of a level; KeyError when there is none of that name."""
        for i, each in enumerate(self.levels):
            if each.name == level:
                return i
        raise KeyError(f"comparison {self.name} has no level {level}")


@dataclass(frozen=True)
class Model:
    """A linkage model.

    Attributes:
        prior: share of matches among the pairs.
        classes: pairs of each further class of non-matches (sibling, twin) for one match; strangers are the rest.
        unseen: share of those classes that competes with a link unseen, because the rival has no other row.
        link, review: probabilities from which a pair is linked, and put before a clerk (there every sibling and twin counts); `margin`: lead in bits a link needs over its rivals.
        apart: a compared pair less likely than this, with every sibling and twin counted, keeps two clusters apart.
        frequencies: starting frequencies by level or comparison name, and `pseudo_count`.
    """

    version: int
    trained_on: str
    trained_at: str
    prior: float
    classes: dict[str, float]
    link: float
    review: float
    margin: float
    apart: float
    unseen: float
    frequencies: dict[str, float]
    comparisons: tuple[Comparison, ...]

    def comparison(self, name: str) -> Comparison:
        """The comparison of that name; KeyError when there is none."""
        for each in self.comparisons:
            if each.name == name:
                return each
        raise KeyError(f"the model has no comparison {name}")


def load_model(path: Path = CHILDREN) -> Model:
    """Reads and checks a model file.

    Raises:
        ModelError: a part is missing, a share is not in (0, 1], or the shares of a class come to more than one and a fiftieth.
    """
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    for part in ("prior", "thresholds", "comparisons"):
        if part not in raw:
            raise ModelError(f"{path.name}: needs {part}; it has: {', '.join(map(str, raw))}")
    classes = {str(k): float(v) for k, v in raw.get("classes", {}).items()}
    comparisons = tuple(_comparison(path.name, name, body, ("match", "stranger", *classes)) for name, body in raw["comparisons"].items())
    limits = raw["thresholds"]
    return Model(
        version=int(raw.get("version", 1)),
        trained_on=str(raw.get("trained_on", "")),
        trained_at=str(raw.get("trained_at", "")),
        prior=_share(path.name, "prior", raw["prior"]),
        classes=classes,
        link=_share(path.name, "thresholds.link", limits["link"]),
        review=_share(path.name, "thresholds.review", limits["review"]),
        margin=float(limits.get("margin", 0.0)),
        apart=float(limits.get("apart", 0.0)),
        unseen=float(raw.get("unseen", 1.0)),
        frequencies={k: float(v) for k, v in raw.get("frequencies", {}).items()},
        comparisons=comparisons,
    )


def _comparison(file: str, name: str, body: dict[str, Any], classes: tuple[str, ...]) -> Comparison:
    levels = tuple(_level(f"{file}: comparisons.{name}.{level}", level, parts, classes) for level, parts in body["levels"].items())
    for each in classes:
        total = sum(level.shares.get(each, 0.0) for level in levels if not level.aside)
        if total > _MOST:
            raise ModelError(f"{file}: comparisons.{name}: the shares of {each} come to {total:.3f}; they must not exceed 1")
    return Comparison(name, str(body.get("label", name)), levels)


def _level(place: str, name: str, parts: dict[str, Any], classes: tuple[str, ...]) -> Level:
    missing = [c for c in classes if c not in parts]
    if missing:
        raise ModelError(f"{place}: needs a share for {', '.join(missing)}")
    by_frequency = parts["stranger"] == FREQUENCY
    shares = {c: _share(place, c, parts[c]) for c in classes if not (c == "stranger" and by_frequency)}
    return Level(name, str(parts.get("phrase", name)), shares, by_frequency, bool(parts.get("aside", False)))


def _share(place: str, what: str, value: Any) -> float:
    """A number above zero and at most one."""
    if not isinstance(value, int | float) or not 0 < float(value) <= 1:
        raise ModelError(f"{place}: {what} must be a number above 0 and at most 1, not {value!r}")
    return float(value)
