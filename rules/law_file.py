"""One parameter file to one `Parameter`. Enters: YAML of dated values. Leaves: the parameter, or a `LawError` naming file, key and what was allowed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from schemas.one_value import OneValueLoader
from schemas.reference import lists

KINDS = ("integer", "number", "flag", "text", "list", "mapping", "table")
# the unit of parameters that hold districts of the city: each must be one of today's or of former days
DISTRICTS = "division codes"
_FILE_KEYS = ("description", "unit", "kind", "alias", "minimum", "maximum", "allowed", "values")
_NEEDED_FILE_KEYS = ("description", "unit", "kind", "values")
_VALUE_KEYS = ("from", "to", "value", "article", "source", "checked_on", "silent", "reasoning")
_NEEDED_VALUE_KEYS = ("from", "value", "source", "checked_on")


class LawError(Exception):
    """A parameter file, or a question put to the law, is wrong. Names the file or parameter, the key, and what is allowed."""


@dataclass(frozen=True)
class DatedValue:
    """What a parameter is from one day on.

    Attributes:
        start, end: first and last day; end is None where it still holds.
        article: the paragraph it rests on; None only where the plan is silent, and then `reasoning` says why it is so.
    """

    start: date
    end: date | None
    value: Any
    article: str | None
    source: str
    checked_on: date
    silent: bool
    reasoning: str | None


@dataclass(frozen=True)
class Parameter:
    """One number or list of the law, over time. `values` are in the order of their days, without gap or overlap."""

    key: str
    description: str
    unit: str
    kind: str
    alias: str | None
    minimum: float | None
    maximum: float | None
    allowed: tuple[str, ...] | None
    values: tuple[DatedValue, ...]

    def on(self, day: date) -> DatedValue:
        """The value in force on that day; before the first one, the first.

        Raises:
            LawError: the last value ended before that day.
        """
        for dated in reversed(self.values):
            if dated.start <= day:
                if dated.end is not None and day > dated.end:
                    raise LawError(f"parameter {self.key}: no value on {day}, the last one ended on {dated.end}; add one that starts on {dated.end + timedelta(1)}")
                return dated
        return self.values[0]

    def checked(self, value: Any, where: str) -> Any:
        """The value, if it is of this parameter's kind and within its bounds.

        Raises:
            LawError: it is not; `where` names file and key.
        """
        _must(_is_kind(value, self.kind), f"{where}: {value!r} is not of kind {self.kind}")
        for number in _numbers(value):
            _must(self.minimum is None or number >= self.minimum, f"{where}: {number} is below the minimum {self.minimum}")
            _must(self.maximum is None or number <= self.maximum, f"{where}: {number} is above the maximum {self.maximum}")
        allowed = _districts() if self.unit == DISTRICTS else self.allowed
        if allowed is not None:
            for word in _words(value):
                _must(word in allowed, f"{where}: {word!r} is not allowed; allowed: {', '.join(allowed)}")
        return value


def read_parameter(path: Path, key: str) -> Parameter:
    """The parameter in one file.

    Args:
        path: a YAML file.
        key: `topic/parameter`, by which it is asked for.

    Raises:
        LawError: anything in it is not as it must be.
    """
    name = f"{key}.yaml"
    try:
        content = yaml.load(path.read_text("utf-8"), OneValueLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise LawError(f"{name}{line}: not readable as YAML: {getattr(error, 'problem', None) or 'not UTF-8'}") from None
    _must(isinstance(content, dict), f"{name}: expected keys {', '.join(_FILE_KEYS)}")
    _keys(content, _FILE_KEYS, _NEEDED_FILE_KEYS, name)
    _must(content["kind"] in KINDS, f"{name}: kind is {content['kind']!r}; allowed: {', '.join(KINDS)}")
    _must(isinstance(content["values"], list) and len(content["values"]) > 0, f"{name}: values must be a list with at least one dated value")
    shell = Parameter(
        key, str(content["description"]), str(content["unit"]), content["kind"], content.get("alias"), content.get("minimum"), content.get("maximum"),
        tuple(str(word) for word in content["allowed"]) if "allowed" in content else None, (),
    )  # fmt: skip
    values = tuple(_dated(entry, shell, f"{name}, value {number}") for number, entry in enumerate(content["values"], 1))
    return Parameter(**{**shell.__dict__, "values": _in_order(values, name)})


def _dated(entry: Any, shell: Parameter, where: str) -> DatedValue:
    _must(isinstance(entry, dict), f"{where}: expected keys {', '.join(_VALUE_KEYS)}")
    _keys(entry, _VALUE_KEYS, _NEEDED_VALUE_KEYS, where)
    for name in ("from", "to", "checked_on"):
        _must(entry.get(name) is None or type(entry[name]) is date, f"{where}, {name}: {entry.get(name)!r} is not a date; write it as 2024-11-19")
    silent = entry.get("silent", False)
    _must(isinstance(silent, bool), f"{where}, silent: {silent!r} is not true or false")
    if silent:
        _must(bool(entry.get("reasoning")), f"{where}, reasoning: missing; where the plan is silent (silent: true) say why the value is what it is")
    else:
        _must(bool(entry.get("article")), f"{where}, article: missing; name the paragraph, or say silent: true and give the reasoning")
    value = shell.checked(entry["value"], f"{where}, value")
    return DatedValue(
        entry["from"], entry.get("to"), value, entry.get("article"), str(entry["source"]), entry["checked_on"], silent, entry.get("reasoning")
    )


def _in_order(values: tuple[DatedValue, ...], name: str) -> tuple[DatedValue, ...]:
    """The values by day, each ending the day before the next starts."""
    ordered = sorted(values, key=lambda dated: dated.start)
    for dated in ordered:
        _must(dated.end is None or dated.end >= dated.start, f"{name}: the value from {dated.start} ends before it starts, on {dated.end}")
    closed = []
    for dated, following in pairwise(ordered):
        _must(dated.start != following.start, f"{name}: two values for {dated.start}; a day has one value")
        expected = following.start - timedelta(1)
        _must(dated.end is None or dated.end <= expected, f"{name}: two values for {following.start}; the one before ends on {dated.end}, expected {expected}")
        _must(dated.end is None or dated.end >= expected, f"{name}: no value from {_after(dated.end)} to {expected}; dates must leave no gap")
        closed.append(DatedValue(**{**dated.__dict__, "end": expected}))
    return (*closed, ordered[-1])


def _after(day: date | None) -> date | None:
    return None if day is None else day + timedelta(1)


def _keys(content: dict[Any, Any], allowed: tuple[str, ...], needed: tuple[str, ...], where: str) -> None:
    unknown = sorted(str(key) for key in content if key not in allowed)
    _must(not unknown, f"{where}: unknown key {', '.join(unknown)}; allowed: {', '.join(allowed)}")
    missing = [key for key in needed if content.get(key) is None]
    _must(not missing, f"{where}: missing {', '.join(missing)}; needed: {', '.join(needed)}")


def _must(holds: bool, message: str) -> None:
    if not holds:
        raise LawError(message)


def _is_kind(value: Any, kind: str) -> bool:
    match kind:
        case "integer":
            return type(value) is int
        case "number":
            return type(value) in (int, float)
        case "flag":
            return type(value) is bool
        case "text":
            return type(value) is str
        case "list":
            return isinstance(value, list) and all(type(item) is str for item in value) and len(set(value)) == len(value)
        case "mapping":
            return isinstance(value, dict) and all(type(name) is str for name in value)
        case _:
            return isinstance(value, list) and all(isinstance(row, dict) and row.keys() == value[0].keys() for row in value)


@cache
def _districts() -> tuple[str, ...]:
    """The city's district codes, of today and of former days, and 高新区."""
    today = {code for code, county in lists.counties().items() if county.province == lists.CITY}
    former = {code for code in lists.successors() if code.startswith("50") and code not in lists.CONTAINERS}
    return tuple(sorted(today | former | {lists.HIGH_TECH_ZONE}))


def _numbers(value: Any) -> list[float]:
    """The numbers to hold against minimum and maximum: the value itself, or those of a mapping."""
    candidates = list(value.values()) if isinstance(value, dict) else [value]
    return [item for item in candidates if type(item) in (int, float)]


def _words(value: Any) -> list[str]:
    """The words to hold against `allowed`: the value itself, those of a list, or the names of a mapping."""
    return [str(item) for item in value] if isinstance(value, list | dict) else [str(value)]
