"""Single values of a model file. Enters: the place in the file and what is written there. Leaves: the value, or a `LinkError` that says what was allowed."""

from __future__ import annotations

import math
from typing import Any

from matching.tables.spec_levels import LinkError


def listed(place: str, value: Any) -> list[Any]:
    """A list of at least one entry."""
    if not isinstance(value, list) or not value:
        raise LinkError(f"{place}: must be a list of at least one entry")
    return value


def words(place: str, value: Any) -> tuple[str, ...]:
    """The entries of a list that may be left out."""
    if value is not None and not isinstance(value, list):
        raise LinkError(f"{place} must be a list, such as [{value}]")
    return tuple(map(str, value or ()))


def number(place: str, value: Any) -> float:
    """A number from 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise LinkError(f"{place} must be a number from 0, not {value!r}")
    return float(value)


def share(place: str, value: Any) -> float:
    """A number above 0 and at most 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise LinkError(f"{place} must be a number above 0 and at most 1, not {value!r}")
    return float(value)


def prior_of(place: str, value: Any) -> float:
    """A share of matches among all pairs."""
    if share(place, value) == 1:
        raise LinkError(f"{place} must be below 1: not every pair is a match")
    return float(value)


def whole(place: str, value: Any) -> int:
    """A whole number from 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise LinkError(f"{place} must be a whole number from 1, not {value!r}")
    return value


def flag(place: str, value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise LinkError(f"{place} must be true or false, not {value!r}")
    return value
