"""Parameters as law. Enters: rules/parameters/<topic>/<parameter>.yaml. Leaves: `Law`, which gives the `Parameters` in force on a day.

    law = Law.load()
    p = law.on(as_of)
    p["residence/months_required"]      # 6, of the kind the file declares
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from rules.law_file import DatedValue, LawError, Parameter, read_parameter

PARAMETERS = Path(__file__).parent / "parameters"


@dataclass(frozen=True)
class Parameters:
    """The law as it stands on one day."""

    day: date
    dated: Mapping[str, DatedValue]

    def __getitem__(self, key: str) -> Any:
        """The value of `topic/parameter`: int, float, bool, str, list or dict, as its file declares.

        Raises:
            LawError: there is no such parameter.
        """
        return self._entry(key).value

    def article(self, key: str) -> str:
        """What the value rests on: the paragraph, or why it is so where the plan is silent."""
        entry = self._entry(key)
        return entry.article or f"方案未规定：{entry.reasoning}"

    def is_silent(self, key: str) -> bool:
        """Whether the plan says nothing and the value is a default of ours."""
        return self._entry(key).silent

    @property
    def backdated(self) -> list[str]:
        """The parameters whose first value starts only after this day, and was used all the same."""
        return sorted(key for key, entry in self.dated.items() if entry.start > self.day)

    def _entry(self, key: str) -> DatedValue:
        if key not in self.dated:
            topic = key.split("/")[0]
            near = sorted(name for name in self.dated if name.startswith(f"{topic}/")) or sorted(self.dated)
            raise LawError(f"no parameter {key}; there are: {', '.join(near)}")
        return self.dated[key]


@dataclass(frozen=True)
class Law:
    """All parameters over time."""

    parameters: Mapping[str, Parameter]

    @classmethod
    def load(cls, directory: Path = PARAMETERS) -> Law:
        """The parameters of a directory, `<topic>/<parameter>.yaml` each.

        Raises:
            LawError: a file is wrong, two share an alias, or there is none.
        """
        files = {path.relative_to(directory).with_suffix("").as_posix(): path for path in sorted(directory.glob("*/*.yaml"))}
        if not files:
            raise LawError(f"no parameter files in {directory.name}; expected {directory.name}/<topic>/<parameter>.yaml")
        parameters = {key: read_parameter(path, key) for key, path in files.items()}
        aliases: dict[str, str] = {}
        for key, parameter in parameters.items():
            if parameter.alias is not None and parameter.alias in aliases:
                raise LawError(f"{key}.yaml: alias {parameter.alias} is already that of {aliases[parameter.alias]}")
            if parameter.alias is not None:
                aliases[parameter.alias] = key
        return cls(parameters)

    def on(self, day: date) -> Parameters:
        """The law as it stands on that day. Before a parameter's first value its first value holds (`Parameters.backdated` names it)."""
        return Parameters(day, {key: parameter.on(day) for key, parameter in self.parameters.items()})

    @cached_property
    def version(self) -> str:
        """A hash over everything the files say, 12 hexadecimal digits; equal content, equal version."""
        content = {key: parameter.__dict__ | {"values": [value.__dict__ for value in parameter.values]} for key, parameter in self.parameters.items()}
        canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, default=str)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    def with_overrides(self, overrides: Mapping[str, Any]) -> Law:
        """The law as it would be with other values on every day.

        Args:
            overrides: by parameter or alias, the value; a text is read as the parameter's kind, and for a list `+x,-y` adds and takes away.

        Raises:
            LawError: there is no such parameter, or the value is not one it allows.
        """
        aliases = {parameter.alias: key for key, parameter in self.parameters.items() if parameter.alias is not None}
        changed = dict(self.parameters)
        for name, wanted in overrides.items():
            key = aliases.get(name, name)
            if key not in changed:
                raise LawError(f"no parameter {name}; short names: {', '.join(sorted(aliases))}; all: {', '.join(sorted(changed))}")
            parameter = changed[key]
            values = tuple(
                DatedValue(**{**dated.__dict__, "value": parameter.checked(_wanted(wanted, dated.value, parameter, name), f"override {name}")})
                for dated in parameter.values
            )
            changed[key] = Parameter(**{**parameter.__dict__, "values": values})
        return Law(changed)


def _wanted(wanted: Any, now: Any, parameter: Parameter, name: str) -> Any:
    """The value that an override means, given the value it replaces."""
    if not isinstance(wanted, str):
        return wanted
    try:
        match parameter.kind:
            case "integer":
                return int(wanted)
            case "number":
                return float(wanted)
            case "flag":
                return {"true": True, "false": False}[wanted]
            case "list":
                return _list(wanted, now, parameter, name)
            case "text":
                return wanted
    except (ValueError, KeyError):
        raise LawError(f"override {name}: {wanted!r} is not of kind {parameter.kind}") from None
    raise LawError(f"override {name}: a {parameter.kind} cannot be given as text; edit its file instead")


def _list(wanted: str, now: list[str], parameter: Parameter, name: str) -> list[str]:
    """`+a,-b` changes the list, `a,b` replaces it."""
    parts = [part.strip() for part in wanted.split(",") if part.strip()]
    signed = [part for part in parts if part[0] in "+-"]
    if not signed:
        return parts
    if len(signed) < len(parts):
        raise LawError(f"override {name}: {wanted!r} mixes changes with a whole list; write either +a,-b or a,b")
    taken = [part[1:] for part in parts if part[0] == "-"]
    ever = {item for dated in parameter.values for item in dated.value}
    absent = [item for item in taken if item not in ever]
    if absent:
        raise LawError(f"override {name}: {', '.join(absent)} cannot be taken away, for it is not there; there are: {', '.join(sorted(ever))}")
    added = [part[1:] for part in parts if part[0] == "+" and part[1:] not in now]
    return [item for item in now if item not in taken] + added
