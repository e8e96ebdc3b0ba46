"""The levels of a comparison as a model file writes them: one mapping a level goes in, the checked condition comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ELSE = "else"
SOUNDS = ("pinyin", "soundex", "metaphone", "nysiis", "match_rating")
_TEXTS = ("text", "name", "set")
# condition -> what it takes beside it (flag, share, whole, number, sound, part, column), and the kinds of column it goes by
CONDITIONS = {
    "exact": ("flag", ("text", "name", "number", "date", "set")),
    "same_sound": ("sound", _TEXTS),
    "jaro_winkler": ("share", _TEXTS), "jaro": ("share", _TEXTS), "token_set": ("share", _TEXTS),
    "levenshtein": ("whole", (*_TEXTS, "date")), "osa": ("whole", (*_TEXTS, "date")),
    "prefix": ("whole", ("text", "name")),
    "difference": ("number", ("number",)), "relative_difference": ("share", ("number",)),
    "days": ("whole", ("date",)), "day_month_swapped": ("flag", ("date",)), "same_part": ("part", ("date",)),
    "shared": ("whole", ("set",)), "overlap": ("share", ("set",)),
    "swapped_with": ("column", ("text", "name")),
    ELSE: ("flag", ()),
}  # fmt: skip
_BESIDE = ("name", "phrase", "column", "term_frequency", "m", "u")
_EXPECTED = {
    "flag": "true", "share": "a number above 0 and at most 1", "whole": "a whole number from 1", "number": "a number above 0",
    "sound": f"one of {', '.join(SOUNDS)}", "part": "year or month", "column": "the name of a column",
}  # fmt: skip


class LinkError(Exception):
    """A model for anybody's tables, or a table, cannot be used: names the file, the place in it, what was found and what was expected."""


@dataclass(frozen=True)
class LevelSpec:
    """One level: its condition (`kind` and `value`), the column it goes by (`other` beside it for swapped_with), and its m and u where given."""

    name: str
    phrase: str
    kind: str
    value: Any
    column: str
    other: str | None
    term_frequency: bool
    m: float | None
    u: float | None

    @property
    def takes(self) -> tuple[str, ...]:
        """The kinds of column the condition goes by."""
        return CONDITIONS[self.kind][1]


def levels_of(place: str, column: str, body: list[Any]) -> tuple[LevelSpec, ...]:
    """The levels of one comparison, `else` added where the model leaves it out.

    Raises:
        LinkError: an unknown condition, a value it cannot take, m or u for some levels only, or sums above 1.
    """
    levels = [_level(f"{place}: level {i}", column, parts) for i, parts in enumerate(body, start=1)]
    for at, level in enumerate(levels, start=1):
        if level.kind == ELSE and at < len(levels):
            raise LinkError(f"{place}: else must be the last level, not level {at} of {len(levels)}")
    if levels[-1].kind != ELSE:
        levels.append(LevelSpec("different", "different", ELSE, True, column, None, False, None, None))
    for what in ("m", "u"):
        given = [getattr(level, what) for level in levels if not (what == "u" and level.term_frequency)]
        if any(g is not None for g in given) and any(g is None for g in given):
            raise LinkError(f"{place}: {what} must be given for every level, else included, or for none")
        if sum(g or 0.0 for g in given) > 1.02:
            raise LinkError(f"{place}: the {what} of the levels come to {sum(given):.3f}; they must not exceed 1")
    names = [level.name for level in levels]
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise LinkError(f"{place}: two levels are called '{twice[0]}'; give one of them a name")
    return tuple(levels)


def _level(place: str, column: str, parts: Any) -> LevelSpec:
    if not isinstance(parts, Mapping):
        raise LinkError(f"{place}: must be a mapping such as {{jaro_winkler: 0.9}}, not {parts!r}")
    conditions = [word for word in parts if word not in _BESIDE]
    for word in conditions:
        if word not in CONDITIONS:
            raise LinkError(f"{place}: unknown comparison '{word}'; it takes one of: {', '.join(CONDITIONS)}; and beside it: {', '.join(_BESIDE)}")
    if len(conditions) != 1:
        raise LinkError(f"{place}: must have exactly one condition ({', '.join(CONDITIONS)}), not {len(conditions)}")
    kind = str(conditions[0])
    value = parts[kind]
    if not _fits(CONDITIONS[kind][0], value):
        raise LinkError(f"{place}: {kind} takes {_EXPECTED[CONDITIONS[kind][0]]}, not {value!r}")
    by_frequency = parts.get("term_frequency", False)
    if not isinstance(by_frequency, bool):
        raise LinkError(f"{place}: term_frequency must be true or false, not {by_frequency!r}")
    if by_frequency and kind not in ("exact", "same_sound"):
        raise LinkError(f"{place}: term_frequency goes with exact or same_sound, not with {kind}")
    name = str(parts.get("name", {ELSE: "different", "exact": "same"}.get(kind, kind if value is True else f"{kind} {value}")))
    shares = [_share(f"{place}: {what}", parts.get(what)) for what in ("m", "u")]
    other = str(value) if kind == "swapped_with" else None
    return LevelSpec(name, str(parts.get("phrase", name)), kind, value, str(parts.get("column", column)), other, by_frequency, shares[0], shares[1])


def _share(place: str, value: Any) -> float | None:
    if value is None:
        return None
    if not _fits("share", value):
        raise LinkError(f"{place} must be a number above 0 and at most 1, not {value!r}")
    return float(value)


def _fits(what: str, value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match what:
        case "flag":
            return value is True
        case "share":
            return number and 0 < value <= 1
        case "whole":
            return isinstance(value, int) and number and value >= 1
        case "number":
            return number and value > 0
        case "sound":
            return value in SOUNDS
        case "part":
            return value in ("year", "month")
        case _:
            return isinstance(value, str)
