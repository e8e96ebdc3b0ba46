"""How often what goes wrong. Enters: rates.yaml or a file that overrides some of it. Leaves: `Rates`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

_DEFAULTS = Path(__file__).parent / "rates.yaml"


class CityError(ValueError):
    """No such city can be written: what was asked for, and what to ask for instead."""


class RatesError(CityError):
    """The rates can't be used: what was given, and what may be."""


@dataclass(frozen=True)
class Rates:
    """The shares by which a city is made and its records damaged (0 to 1).

    Attributes:
        siblings: children with a brother or sister. twins: children who are a twin. rare_character: given names with a character many systems lack.
        stories: share of families (`family`) and children (`child`) by what happened to them.
        per_feed: fault -> feed -> share of its rows. mix: fault -> its kinds with weights. forms: harmless ways of writing -> share of the cells.
        rows: faults of whole rows -> share of the rows.
    """

    siblings: float
    twins: float
    rare_character: float
    stories: dict[str, dict[str, float]]
    per_feed: dict[str, dict[str, float]]
    mix: dict[str, dict[str, float]]
    forms: dict[str, float]
    rows: dict[str, float]

    def scaled(self, factor: float) -> Rates:
        """All damage `factor` times as frequent; people and their stories as they are.

        Raises:
            RatesError: a rate would exceed 1.
        """
        per_feed = {fault: {feed: rate * factor for feed, rate in feeds.items()} for fault, feeds in self.per_feed.items()}
        forms = {form: rate * factor for form, rate in self.forms.items()}
        rows = {fault: rate * factor for fault, rate in self.rows.items()}
        return _checked(replace(self, per_feed=per_feed, forms=forms, rows=rows))


def rates(given: Path | Rates | None = None) -> Rates:
    """The rates to use: the defaults, with what the file says otherwise. A file may also say `scale: 2` for damage twice as frequent.

    Raises:
        RatesError: a file that cannot be read, unknown names, or shares outside 0 to 1.
    """
    if isinstance(given, Rates):
        return given
    stated: dict[str, Any] = yaml.safe_load(_DEFAULTS.read_text("utf-8"))
    other = _read(given) if given else {}
    factor = other.pop("scale", 1.0)
    if not isinstance(factor, int | float) or factor < 0:
        raise RatesError(f"rates: scale is {factor!r}; expected a number from 0")
    made = _checked(Rates(**_overridden(stated, other, "")))
    return made.scaled(factor) if factor != 1.0 else made


def _read(file: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(file.read_text("utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RatesError(f"rates: {file} cannot be read as YAML ({type(error).__name__}): give a file such as sample_data/rates.yaml") from None
    if not isinstance(found, dict):
        raise RatesError(f"rates: {file} holds no names with shares: give a file such as sample_data/rates.yaml")
    return found


def _overridden(stated: dict[str, Any], other: Any, at: str) -> dict[str, Any]:
    if not isinstance(other, dict):
        raise RatesError(f"rates: '{at or 'the file'}' holds {other!r}; expected names with shares, as in sample_data/rates.yaml")
    unknown = sorted(set(other) - set(stated))
    if unknown:
        raise RatesError(f"rates: unknown: {', '.join(f'{at}{name}' for name in unknown)}; there are: {', '.join(f'{at}{name}' for name in stated)}")
    return {name: _overridden(value, other.get(name, {}), f"{at}{name}.") if isinstance(value, dict) else other.get(name, value) for name, value in stated.items()}


def _checked(made: Rates) -> Rates:
    groups = {"stories": made.stories, "per_feed": made.per_feed}
    shares = {f"{group}.{a}.{b}": v for group, tree in groups.items() for a, leaf in tree.items() for b, v in leaf.items()}
    shares |= {f"forms.{a}": v for a, v in made.forms.items()} | {f"rows.{a}": v for a, v in made.rows.items()}
    shares |= {"siblings": made.siblings, "twins": made.twins, "rare_character": made.rare_character}
    for name, share in shares.items():
        if not isinstance(share, int | float) or not 0 <= share <= 1:
            raise RatesError(f"rates: {name} is {share!r}; expected a share from 0 to 1")
    return made
