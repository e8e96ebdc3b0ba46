"""The comparisons of anybody's tables: pairs of units go in, the level of every comparison comes out.

Each distinct pair of values is looked at once: equal codes first, then the conditions in the model's order on those still open, so that the costly ones
see few. A pair where one side says nothing gets null, never a default.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA, Jaro, JaroWinkler, Levenshtein

from matching.tables.columns import Coded, Codes, Tables
from matching.tables.sounds import sounds
from matching.tables.spec import ComparisonSpec, Spec
from matching.tables.spec_levels import ELSE, LevelSpec

Flags = npt.NDArray[np.bool_]
# pairs that are looked at together: bounds memory
BATCH = 2_000_000
_NONE = 127
_SIMILARITIES: dict[str, Callable[..., float]] = {
    "jaro_winkler": JaroWinkler.similarity, "jaro": Jaro.similarity, "token_set": fuzz.token_set_ratio,
}  # fmt: skip
_DISTANCES: dict[str, Callable[..., int]] = {"levenshtein": Levenshtein.distance, "osa": OSA.distance}
_EPSILON = 1e-9


def compare(left: Codes, right: Codes, tables: Tables, spec: Spec) -> pl.DataFrame:
    """The levels of pairs.

    Args:
        left, right: units. tables: what they have. spec: whose comparisons are wanted.

    Returns:
        A row a pair, in their order: for each comparison its level (Int8, index into its levels, null where a side says nothing), and
        `<comparison>_frequency` (Float64) where a level goes by term frequency.
    """
    looks = {c.name: [_Look(tables.columns[name], [(i, x) for i, x in enumerate(c.levels) if x.column == name and x.kind != ELSE and not x.other]) for name in c.columns] for c in spec.comparisons}
    parts = []
    for start in range(0, max(len(left), 1), BATCH):
        a, b = left[start : start + BATCH], right[start : start + BATCH]
        columns = [each for c in spec.comparisons for each in _compared(a, b, tables, c, looks[c.name])]
        parts.append(pl.DataFrame(columns))
    return pl.concat(parts)


def _compared(left: Codes, right: Codes, tables: Tables, comparison: ComparisonSpec, looks: list[_Look]) -> list[pl.Series]:
    """The level, and the frequency where one is wanted, of one comparison."""
    level = np.full(len(left), _NONE, dtype=np.int64)
    comparable = np.zeros(len(left), dtype=np.bool_)
    frequency = np.full(len(left), np.nan)
    for look in looks:
        if not look.levels:
            continue
        comparable |= look.column.present[left] & look.column.present[right]
        found, often = look.at(left, right)
        frequency = np.where(found < level, often, frequency)
        level = np.minimum(level, found)
    for i, each in enumerate(comparison.levels):
        if each.other:
            swapped = _swapped(left, right, tables.columns[each.column], tables.columns[each.other])
            comparable |= tables.columns[each.column].present[left] & tables.columns[each.column].present[right]
            level = np.where(swapped & (level > i), i, level)
    last = len(comparison.levels) - 1
    level = np.where(level == _NONE, np.where(comparable, last, -1), level)
    named = pl.Series(comparison.name, level.astype(np.int8))
    out = [pl.select(pl.when(named >= 0).then(named)).to_series().alias(comparison.name)]
    if any(each.term_frequency for each in comparison.levels):
        out.append(pl.Series(f"{comparison.name}_frequency", frequency).fill_nan(None))
    return out


def _swapped(left: Codes, right: Codes, one: Coded, other: Coded) -> Flags:
    """Whether the left's first value is the right's second and the other way round."""
    place = {text: code for code, text in enumerate(other.texts)}
    to_other = np.array([*(place.get(text, -2) for text in one.texts), -2], dtype=np.int64)
    forth = to_other[one.codes[left]] == other.codes[right]
    back = to_other[one.codes[right]] == other.codes[left]
    return np.asarray(forth & back)


@dataclass
class _Look:
    """Looks at pairs of values of one column, by some levels of a comparison (their indices beside)."""

    column: Coded
    levels: list[tuple[int, LevelSpec]]
    _sounds: dict[str, tuple[pl.Series, npt.NDArray[np.float64]]] = field(default_factory=dict)

    def at(self, left: Codes, right: Codes) -> tuple[Codes, npt.NDArray[np.float64]]:
        """The first level of each pair of units that holds, and the frequency it goes by."""
        if self.column.spec.kind == "set":
            return self._at_sets(left, right)
        a, b = self.column.codes[left], self.column.codes[right]
        both = np.flatnonzero((a >= 0) & (b >= 0))
        level, often = np.full(len(left), _NONE, dtype=np.int64), np.full(len(left), np.nan)
        level[both], often[both] = self._of_values(a[both], b[both])
        return level, often

    def _at_sets(self, left: Codes, right: Codes) -> tuple[Codes, npt.NDArray[np.float64]]:
        """The same where units have several values: the best over all members, and what the sets have in common."""
        units = pl.DataFrame({"l": left, "r": right}, schema={"l": pl.UInt32, "r": pl.UInt32}).with_row_index("pair")
        held = self.column.held
        size = held.group_by("unit").len()
        crossed = units.join(held.rename({"code": "a"}), left_on="l", right_on="unit").join(held.rename({"code": "b"}), left_on="r", right_on="unit")
        found, frequency = self._of_values(crossed["a"].to_numpy().astype(np.int64), crossed["b"].to_numpy().astype(np.int64))
        crossed = crossed.with_columns(pl.Series("level", found), pl.Series("frequency", frequency).fill_nan(None))
        best = crossed.sort("pair", "level", "frequency", nulls_last=True).group_by("pair", maintain_order=True).agg(
            pl.col("l", "r", "level", "frequency").first(), common=pl.col("a").filter(pl.col("a") == pl.col("b")).n_unique()
        )
        best = best.join(size, left_on="l", right_on="unit").join(size, left_on="r", right_on="unit", suffix="_r")
        for i, level in reversed(self.levels):
            if level.kind in ("shared", "overlap"):
                union = pl.col("len") + pl.col("len_r") - pl.col("common")
                holds = pl.col("common") >= level.value if level.kind == "shared" else pl.col("common") / union >= level.value - _EPSILON
                best = best.with_columns(level=pl.when(holds & (pl.col("level") > i)).then(i).otherwise("level"))
        out, often = np.full(len(left), _NONE, dtype=np.int64), np.full(len(left), np.nan)
        at = best["pair"].to_numpy()
        out[at], often[at] = best["level"].to_numpy(), best["frequency"].to_numpy()
        return out, often

    def _of_values(self, a: Codes, b: Codes) -> tuple[Codes, npt.NDArray[np.float64]]:
        """The first level of each pair of values, and its frequency; each distinct pair is looked at once."""
        size = max(len(self.column.values), 1)
        key, back = np.unique(np.minimum(a, b) * size + np.maximum(a, b), return_inverse=True)
        level, often = self._distinct(key // size, key % size)
        return level[back], often[back]

    def _distinct(self, a: Codes, b: Codes) -> tuple[Codes, npt.NDArray[np.float64]]:
        """The same of distinct pairs."""
        level, often = np.full(len(a), _NONE, dtype=np.int64), np.full(len(a), np.nan)
        still = np.arange(len(a))
        measured: dict[str, npt.NDArray[np.float64]] = {}
        for i, each in self.levels:
            if each.kind in (*_SIMILARITIES, *_DISTANCES) and each.kind not in measured:
                measured[each.kind] = np.full(len(a), np.nan)
                measured[each.kind][still] = self._measure(each.kind, a[still], b[still])
            hit = self._holds(each, a[still], b[still], measured.get(each.kind, level)[still])
            if each.term_frequency:
                shares = self.column.shares if each.kind == "exact" else self._sounding(each.value)[1]
                often[still[hit]] = np.maximum(shares[a[still[hit]]], shares[b[still[hit]]])
            level[still[hit]] = i
            still = still[~hit]
        return level, often

    def _measure(self, kind: str, a: Codes, b: Codes) -> npt.NDArray[np.float64]:
        """Similarities (0 to 1), or distances, of pairs of texts; exact only as far as the loosest level of that kind asks."""
        values = [level.value for _, level in self.levels if level.kind == kind]
        texts = np.array(self.column.texts, dtype=object)
        words: tuple[Any, Any] = (texts[a].tolist(), texts[b].tolist())
        if kind in _DISTANCES:
            return np.asarray(process.cpdist(*words, scorer=_DISTANCES[kind], score_cutoff=max(values)), dtype=np.float64)
        scale = 100 if kind == "token_set" else 1
        return np.asarray(process.cpdist(*words, scorer=_SIMILARITIES[kind], score_cutoff=min(values) * scale - _EPSILON, dtype=np.float64)) / scale

    def _holds(self, level: LevelSpec, a: Codes, b: Codes, measured: npt.NDArray[Any]) -> Flags:
        """Whether the level's condition holds for pairs of values."""
        value: Any = level.value
        match level.kind:
            case "exact":
                return np.asarray(a == b)
            case "same_sound":
                said = self._sounding(value)[0]
                if said.dtype == pl.String:
                    codes = said.rank("dense").fill_null(0).to_numpy()
                    return np.asarray((codes[a] == codes[b]) & (codes[a] > 0))
                both = pl.DataFrame({"x": said[a], "y": said[b]})
                return both.select(pl.col("x").list.set_intersection("y").list.len() > 0).to_series().to_numpy()
            case "jaro_winkler" | "jaro" | "token_set":
                return np.asarray(measured >= value - _EPSILON)
            case "levenshtein" | "osa":
                return np.asarray(measured <= value)
            case "shared" | "overlap":
                return np.zeros(len(a), dtype=np.bool_)
            case _:
                return self._by_expression(level, a, b)

    def _by_expression(self, level: LevelSpec, a: Codes, b: Codes) -> Flags:
        """The conditions that polars can say on the two values."""
        frame = pl.DataFrame({"x": self.column.values[a], "y": self.column.values[b]})
        x, y, value = pl.col("x"), pl.col("y"), level.value
        match level.kind:
            case "prefix":
                holds = (x.str.len_chars() >= value) & (y.str.len_chars() >= value) & (x.str.head(value) == y.str.head(value))
            case "difference":
                holds = (x - y).abs() <= value + _EPSILON
            case "relative_difference":
                holds = (x - y).abs() <= value * pl.max_horizontal(x.abs(), y.abs()) + _EPSILON
            case "days":
                holds = (x - y).dt.total_days().abs() <= value
            case "day_month_swapped":
                holds = (x.dt.year() == y.dt.year()) & (x.dt.month() == y.dt.day()) & (x.dt.day() == y.dt.month()) & (x != y)
            case _:
                holds = (x.dt.year() == y.dt.year()) & ((x.dt.month() == y.dt.month()) | (value == "year"))
        return frame.select(holds.fill_null(False)).to_series().to_numpy()

    def _sounding(self, how: str) -> tuple[pl.Series, npt.NDArray[np.float64]]:
        """How each distinct value may sound (text where there is but one way, else lists), and the share of the units that sound like it."""
        if how not in self._sounds:
            said = sounds(self.column.texts, how)
            weight = pl.DataFrame({"sound": said, "share": self.column.shares}).with_row_index("code")
            each = (weight if said.dtype == pl.String else weight.explode("sound")).drop_nulls("sound").with_columns(pl.col("share").sum().over("sound"))
            most = weight.select("code").join(each.group_by("code").agg(pl.col("share").max()), on="code", how="left", maintain_order="left")
            self._sounds[how] = said, most["share"].fill_null(1.0).to_numpy()
        return self._sounds[how]
