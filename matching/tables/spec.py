"""A model for anybody's tables: a YAML file goes in; which columns, blocking rules, comparisons and limits it names come out, checked.

Nothing here looks at data. Every fault names the file, the place in it, what was found and what was allowed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import polars as pl

from matching.tables.spec_file import read_body
from matching.tables.spec_levels import ELSE, LevelSpec, LinkError, levels_of
from matching.tables.spec_values import flag, listed, number, prior_of, share, whole, words

COLUMN_KINDS = ("text", "name", "number", "date", "set")
# what a key may take of a column, and of which kinds
TAKES = {
    "first": ("text", "name"), "year": ("date",), "month": ("date",), "surname": ("name",), "given": ("name",), "letters": ("text", "name"),
    "pinyin": ("text", "name"), "soundex": ("text", "name"), "metaphone": ("text", "name"), "nysiis": ("text", "name"), "match_rating": ("text", "name"),
}  # fmt: skip
_KEY = re.compile(r"^(?P<take>[a-z_]+?)(?P<size>\d*)\((?P<column>[^()]+)\)$")
_PARTS = ("id", "columns", "blocking", "further", "block_cap", "comparisons", "thresholds", "must_not_link", "one_to_one", "prior", "sample", "description")
_COLUMN_PARTS = ("kind", "column", "format", "separator", "missing", "strip")
_LIMITS = ("link", "review", "margin", "largest_cluster")
# what the engine calls its own columns beside those of the comparisons
_TAKEN = (
    "l", "r", "rule", "id_l", "id_r", "cluster_l", "cluster_r", "status", "cause", "count", "family",
    "match_weight", "match_probability", "pair_probability", "least_weight",
)  # fmt: skip


@dataclass(frozen=True)
class ColumnSpec:
    """A column: its name in the model, its heading in the files, and how its cells are read.

    Attributes:
        kind: text, name (Chinese names are folded), number, date, set. formats: of dates. separator: between the members of a set.
        missing: texts that mean nothing was filled in. strip: characters (a regular expression) left out before comparing.
    """

    name: str
    heading: str
    kind: str = "text"
    formats: tuple[str, ...] = ("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d")
    separator: str = ";"
    missing: tuple[str, ...] = ()
    strip: str = ""


@dataclass(frozen=True)
class Key:
    """What a blocking rule goes by: a column, or what is taken of it, such as `soundex(surname)` or `first3(surname)`."""

    column: str
    take: str | None = None
    size: int = 0

    @property
    def name(self) -> str:
        """As the model writes it."""
        return self.column if self.take is None else f"{self.take}{self.size or ''}({self.column})"


@dataclass(frozen=True)
class ComparisonSpec:
    """A comparison: its levels from best to worst, the last one `else`; each level goes by a column of its own."""

    name: str
    label: str
    levels: tuple[LevelSpec, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns the levels go by, in order."""
        return tuple(dict.fromkeys(c for level in self.levels for c in (level.column, level.other) if c))


@dataclass(frozen=True)
class Spec:
    """A model for anybody's tables.

    Attributes:
        link, review: probabilities from which a pair is linked, and shown; margin: lead in bits a link needs over rivals that exclude it.
        giant: most rows of one cluster. must_not_link: columns in which one cluster never holds two values.
        prior: share of matches among all pairs; None to estimate it. sample: random pairs that u is estimated from.
    """

    file: str
    id_column: str
    columns: dict[str, ColumnSpec]
    rules: tuple[tuple[Key, ...], ...]
    further: tuple[Key, ...]
    cap: int
    comparisons: tuple[ComparisonSpec, ...]
    must_not_link: tuple[str, ...]
    one_to_one: bool
    link: float
    review: float
    margin: float
    giant: int
    prior: float | None
    sample: int
    body: Mapping[str, Any]


def load_spec(path: Path) -> Spec:
    """Reads and checks a model file.

    Raises:
        LinkError: the file is not there or no YAML mapping, a part is missing, unknown or out of range.
    """
    body = read_body(path)
    file = path.name
    only(file, body, _PARTS)
    for part in ("id", "blocking", "comparisons"):
        if part not in body:
            raise LinkError(f"{file}: needs {part}; it has: {', '.join(map(str, body))}")
    columns = _columns(file, body.get("columns") or {})
    comparisons = _comparisons(file, body["comparisons"], columns)
    rules = tuple(_rule(f"{file}: blocking rule {i}", rule, columns) for i, rule in enumerate(listed(f"{file}: blocking", body["blocking"]), start=1))
    further = tuple(_key(f"{file}: further", key, columns) for key in words(f"{file}: further", body.get("further")))
    must_not = tuple(_column(name, columns).name for name in words(f"{file}: must_not_link", body.get("must_not_link")))
    for name in must_not:
        if columns[name].kind == "set":
            raise LinkError(f"{file}: must_not_link goes by columns of one value, and '{name}' is a set")
    limits = body.get("thresholds") or {}
    only(f"{file}: thresholds", limits, _LIMITS)
    link, review = (share(f"{file}: thresholds.{name}", limits.get(name, default)) for name, default in (("link", 0.9), ("review", 0.1)))
    if review > link:
        raise LinkError(f"{file}: thresholds are reversed: review ({review}) must not be above link ({link})")
    return Spec(
        file=file, id_column=str(body["id"]), columns=columns, rules=rules, further=further,
        cap=whole(f"{file}: block_cap", body.get("block_cap", 200_000)), comparisons=comparisons, must_not_link=must_not,
        one_to_one=flag(f"{file}: one_to_one", body.get("one_to_one", False)), link=link, review=review,
        margin=number(f"{file}: thresholds.margin", limits.get("margin", 0)), giant=whole(f"{file}: thresholds.largest_cluster", limits.get("largest_cluster", 40)),
        prior=None if body.get("prior") is None else prior_of(f"{file}: prior", body["prior"]),
        sample=whole(f"{file}: sample", body.get("sample", 1_000_000)), body=body,
    )  # fmt: skip


def only(place: str, given: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
    """Refuses words that are not known, naming the nearest that is.

    Raises:
        LinkError: a key is not among those allowed, or there is no mapping.
    """
    if not isinstance(given, Mapping):
        raise LinkError(f"{place}: must be a mapping with some of: {', '.join(allowed)}")
    for word in given:
        if word not in allowed:
            near = get_close_matches(str(word), allowed, 1)
            raise LinkError(f"{place}: does not know '{word}'{f', did you mean {near[0]}?' if near else ''}; it takes: {', '.join(allowed)}")


def _columns(file: str, body: Any) -> dict[str, ColumnSpec]:
    if not isinstance(body, dict):
        raise LinkError(f"{file}: columns must be a mapping, such as {{born: date}}, not a {type(body).__name__}")
    columns = {}
    for name, parts in body.items():
        place = f"{file}: columns.{name}"
        parts = {"kind": parts} if isinstance(parts, str) else parts
        only(place, parts, _COLUMN_PARTS)
        kind = parts.get("kind", "text")
        if kind not in COLUMN_KINDS:
            raise LinkError(f"{place}: kind must be one of {', '.join(COLUMN_KINDS)}, not '{kind}'")
        formats = parts.get("format") or list(ColumnSpec.formats)
        strip = str(parts.get("strip") or "")
        try:
            pl.select(pl.lit("").str.contains(strip))
        except pl.exceptions.ComputeError:
            raise LinkError(f"{place}: strip is no regular expression: {strip}") from None
        columns[str(name)] = ColumnSpec(
            str(name), str(parts.get("column") or name), kind, words(f"{place}.format", [formats] if isinstance(formats, str) else formats), str(parts.get("separator") or ";"),
            words(f"{place}.missing", parts.get("missing")), strip,
        )  # fmt: skip
    return columns


def _column(name: Any, columns: dict[str, ColumnSpec]) -> ColumnSpec:
    """The column of that name; one that the model does not describe is text under that heading."""
    return columns.setdefault(str(name), ColumnSpec(str(name), str(name)))


def _comparisons(file: str, body: Any, columns: dict[str, ColumnSpec]) -> tuple[ComparisonSpec, ...]:
    if not isinstance(body, dict) or not body:
        raise LinkError(f"{file}: comparisons must name at least one comparison")
    out = []
    for name, parts in body.items():
        place = f"{file}: comparisons.{name}"
        only(place, parts, ("column", "label", "levels"))
        levels = levels_of(place, str(parts.get("column", name)), listed(f"{place}.levels", parts.get("levels")))
        for level in levels:
            for each in (level.column, level.other):
                kind = _column(each, columns).kind if each else ""
                if each and level.kind != ELSE and kind not in level.takes:
                    raise LinkError(f"{place}: {level.kind} goes by columns of kind {' or '.join(level.takes)}, and '{each}' is {kind}; set columns.{each}.kind")
        out.append(ComparisonSpec(str(name), str(parts.get("label", name)), levels))
    made = {*_TAKEN, *(column for c in out for column in (f"w_{c.name}", f"{c.name}_frequency"))}
    for name in (c.name for c in out if c.name in made):
        raise LinkError(f"{file}: comparisons.{name}: that is what a column of the engine's own is called; call the comparison otherwise, and say by 'column' what it goes by")
    return tuple(out)


def _rule(place: str, rule: Any, columns: dict[str, ColumnSpec]) -> tuple[Key, ...]:
    keys = [rule] if isinstance(rule, str) else rule
    if not isinstance(keys, list) or not keys:
        raise LinkError(f"{place}: must be a list of columns, such as [surname, year(birth_date)]")
    return tuple(_key(place, key, columns) for key in keys)


def _key(place: str, key: Any, columns: dict[str, ColumnSpec]) -> Key:
    found = _KEY.match(str(key))
    if found is None:
        return Key(_column(key, columns).name)
    take, size, column = found["take"], int(found["size"] or 0), _column(found["column"].strip(), columns)
    if take not in TAKES:
        raise LinkError(f"{place}: does not know '{take}(...)'; it knows: {', '.join(TAKES)}")
    if column.kind not in TAKES[take]:
        raise LinkError(f"{place}: {take}(...) goes by columns of kind {' or '.join(TAKES[take])}, and '{column.name}' is {column.kind}; set columns.{column.name}.kind")
    if (take == "first") != bool(size):
        raise LinkError(f"{place}: '{key}': first takes a number of characters, such as first3({column.name}), and nothing else does")
    return Key(column.name, take, size)
