"""Which pairs are compared at all: values of units go in, candidate pairs and a count for every rule come out.

A rule is a set of attributes whose values two units must share. Rules are many and narrow; the first rule that finds a pair has it. Pairs are
counted before any is made: a block over the cap must agree on a further attribute, and what is left over the cap is dropped and reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from matching.sets import Sets, mixed
from schemas.in_order import in_order

# a block that would make more pairs than this must agree on a further attribute
BLOCK_CAP = 20_000
FURTHER = ("sex", "district")
Whole = npt.NDArray[np.uint64]
Place = npt.NDArray[np.int64]
# two units of 28 bits and a rule of 8 make 64; the odd multiplier of splitmix64 keeps mixed keys apart
_SPAN = np.uint64(2**28)
_RULES = np.uint64(2**8)
_BITS = 22
_MIX = np.uint64(0x9E3779B97F4A7C15)

REPORT_SCHEMA = pl.Schema({"rule": pl.String, "pairs_possible": pl.Int64, "pairs_new": pl.Int64, "blocks_over_cap": pl.Int64, "pairs_dropped": pl.Int64})


@dataclass(frozen=True)
class Rule:
    """A blocking rule: attributes that two units must share. `trusted_too`: also pairs of two units that each have their own number."""

    attributes: tuple[str, ...]
    trusted_too: bool = False

    @property
    def name(self) -> str:
        """What the rule is called in reports."""
        return "+".join(self.attributes)


# within a rule the attribute with the most different values comes first, and rules that can begin alike do
CHILD_RULES = (
    Rule(("feed_key",)),
    Rule(("certificate",), trusted_too=True),
    Rule(("document",), trusted_too=True),
    Rule(("id_number",), trusted_too=True),
    Rule(("name", "birth", "relative"), trusted_too=True),
    Rule(("name", "birth", "phone"), trusted_too=True),
    Rule(("sound", "birth")),
    Rule(("id_front", "surname")),
    Rule(("name", "phone")),
    Rule(("name", "relative_id")),
    Rule(("relative", "sound")),
    Rule(("relative", "birth")),
    Rule(("phone", "birth")),
    Rule(("address", "birth")),
    Rule(("given", "birth", "district")),
    Rule(("name", "birth_swapped")),
    Rule(("name", "birth_month")),
    Rule(("name", "birth_anniversary")),
    Rule(("name", "id_tail")),
    Rule(("name", "birth_year", "district")),
    Rule(("name", "town")),
    Rule(("sound", "birth_month", "district")),
    Rule(("relative_id", "birth_year")),
    Rule(("relative", "birth_year", "sex", "town")),
    Rule(("phone", "birth_year", "sex", "district")),
    Rule(("birth", "surname", "sex", "district")),
    Rule(("place_town", "birth", "sex")),
    Rule(("hukou_town", "birth", "sex")),
)


@dataclass(frozen=True)
class Bounds:
    """What holds of all rules.

    Attributes:
        cap: pairs that one block may make. further: attributes on which a block over the cap must agree besides.
        across: units below it are one table's, the others another's, and only pairs across are wanted; None where all are one table's.
    """

    cap: int = BLOCK_CAP
    further: tuple[str, ...] = FURTHER
    across: int | None = None


def block(
    values: dict[str, Sets], trusted: npt.NDArray[np.bool_], rules: tuple[Rule, ...] = CHILD_RULES, bounds: Bounds | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The candidate pairs.

    Args:
        values: what the units have, by attribute. trusted: for each unit, whether it has a number of its own.
        rules: in the order in which they claim pairs. bounds: the children's where none are given.

    Returns:
        The pairs l < r (units) with `rule` (index), each once, sorted; and the report (REPORT_SCHEMA), one row a rule.
    """
    keys = _Keys(values, ~trusted, bounds or Bounds())
    found: list[Whole] = []
    report: list[dict[str, object]] = []
    # two rules at once may work out the same keys, and get the same
    for i, (pairs, counts) in enumerate(in_order(keys.pairs, rules)):
        pairs *= _RULES
        pairs += np.uint64(i)
        found.append(pairs)
        report.append({"rule": rules[i].name, **counts})
        keys.keep(rules[i + 1 :])
    both = np.concatenate(found)
    found.clear()
    both.sort()
    both = both[_starts(both // _RULES)]
    pair, by = both // _RULES, (both % _RULES).astype(np.uint8)
    new = np.bincount(by, minlength=len(rules))
    table = pl.DataFrame(report).with_columns(pairs_new=pl.Series(new))
    pairs_table = pl.DataFrame({"l": (pair // _SPAN).astype(np.uint32), "r": (pair % _SPAN).astype(np.uint32), "rule": by})
    return pairs_table, table.match_to_schema(REPORT_SCHEMA, extra_columns="ignore", integer_cast="upcast")


@dataclass(frozen=True)
class _Blocks:
    """Units in the order of their keys: `key` and `unit` of each place, and of each block where it starts, its size, and how many pairs it makes."""

    key: Whole
    unit: Whole
    start: Place
    size: Place
    pairs: Place

    def chosen(self, which: npt.NDArray[np.bool_]) -> _Blocks:
        """Some of the blocks."""
        at = _places(self.start[which], self.size[which])
        return _Blocks(self.key[at], self.unit[at], np.cumsum(self.size[which]) - self.size[which], self.size[which], self.pairs[which])


class _Keys:
    """The keys of units under lists of attributes, each list worked out once and thinned at once: rules that begin alike share the work.

    A key is a mix of the values in the bits that the unit's number leaves of 64, so one sort brings blocks together and drops repeats. Should two
    lists of values ever meet in one key, a needless pair is compared; none is lost.
    """

    def __init__(self, values: dict[str, Sets], loose: npt.NDArray[np.bool_], bounds: Bounds) -> None:
        self._values = values
        self._loose = loose
        self._bounds = bounds
        self._units = np.uint64(2 ** max(int(loose.size).bit_length(), 1))
        self._known: dict[tuple[tuple[str, ...], bool], _Blocks] = {}

    def pairs(self, rule: Rule) -> tuple[Whole, dict[str, int]]:
        """The pairs of one rule as l x 2^28 + r, and its counts."""
        blocks = self._of(rule.attributes, rule.trusted_too)
        over = blocks.pairs > self._bounds.cap
        made = [self._joined(blocks.chosen(~over) if over.any() else blocks, rule.trusted_too)]
        dropped = 0
        if over.any():
            narrow = blocks.chosen(over)
            key, unit = narrow.key, narrow.unit
            for attribute in (a for a in self._bounds.further if a not in rule.attributes):
                key, unit = self._narrowed(key, unit, attribute)
            narrow = self._thinned(key, unit, rule.trusted_too)
            still = narrow.pairs > self._bounds.cap
            dropped = int(narrow.pairs[still].sum())
            made.append(self._joined(narrow.chosen(~still), rule.trusted_too))
        return _distinct(np.concatenate(made)), {"pairs_possible": int(blocks.pairs.sum()), "blocks_over_cap": int(over.sum()), "pairs_dropped": dropped}

    def keep(self, rules: tuple[Rule, ...]) -> None:
        """Let go of keys that none of these rules begins with."""
        wanted = {(rule.attributes[:size], rule.trusted_too) for rule in rules for size in range(1, len(rule.attributes) + 1)}
        for key in [key for key in tuple(self._known) if key not in wanted]:
            self._known.pop(key, None)

    def _of(self, attributes: tuple[str, ...], trusted_too: bool) -> _Blocks:
        """The blocks that make a pair under these attributes."""
        known = self._known.get((attributes, trusted_too))
        if known is not None:
            return known
        if len(attributes) == 1:
            sets = self._values[attributes[0]]
            key, unit = mixed(sets.value), sets.holders().astype(np.uint64)
        else:
            shorter = self._of(attributes[:-1], trusted_too)
            key, unit = self._narrowed(shorter.key, shorter.unit, attributes[-1])
        return self._known.setdefault((attributes, trusted_too), self._thinned(key, unit, trusted_too))

    def _narrowed(self, key: Whole, unit: Whole, attribute: str) -> tuple[Whole, Whole]:
        """The keys with the values of a further attribute mixed in: one for each value the unit has."""
        sets = self._values[attribute]
        size = sets.sizes(unit)
        value = sets.value[_places(sets.start[unit].astype(np.int64), size)]
        return np.repeat(key, size) * _MIX + mixed(value), np.repeat(unit, size)

    def _thinned(self, key: Whole, unit: Whole, trusted_too: bool) -> _Blocks:
        """The blocks of distinct units that make a pair."""
        across = self._bounds.across
        if across is None and not trusted_too:
            # most keys belong to no loose unit: a table of bits tells nearly all of them, before anything is sorted
            mark = np.zeros(2**_BITS, dtype=np.bool_)
            place = key >> np.uint64(64 - _BITS)
            mark[place[self._loose[unit]]] = True
            wanted = mark[place]
            key, unit = key[wanted], unit[wanted]
        both = _distinct(key // self._units * self._units + unit)
        key, unit = both // self._units, both % self._units
        start = np.flatnonzero(_starts(key))
        size = np.diff(np.append(start, len(key)))
        if across is None:
            free = size if trusted_too else _summed(self._loose[unit], start)
            pairs = free * (size - free) + free * (free - 1) // 2
        else:
            first = _summed(unit < np.uint64(across), start)
            pairs = first * (size - first)
        return _Blocks(key, unit, start, size, pairs).chosen(pairs > 0)

    def _joined(self, blocks: _Blocks, trusted_too: bool) -> Whole:
        """The pairs of units of one block, one of them loose, or of two tables."""
        across = self._bounds.across
        start, size = np.repeat(blocks.start, blocks.size), np.repeat(blocks.size, blocks.size)
        left = np.ones(len(blocks.unit), dtype=np.bool_) if trusted_too else self._loose[blocks.unit]
        left = blocks.unit < np.uint64(across) if across is not None else left
        here = np.repeat(blocks.unit[left], size[left])
        there = blocks.unit[_places(start[left], size[left])]
        if across is not None:
            wanted = there >= np.uint64(across)
        else:
            # of two units that both look for others the smaller finds the larger
            wanted = (here < there) | (np.zeros(len(there), dtype=np.bool_) if trusted_too else ~self._loose[there])
        here, there = here[wanted], there[wanted]
        return np.minimum(here, there) * _SPAN + np.maximum(here, there)


def _places(start: Place, size: Place) -> Place:
    """The places of blocks one behind the other: start, start + 1 … for each."""
    places: Place = np.arange(int(size.sum()), dtype=np.int64) + np.repeat(start - (np.cumsum(size) - size), size)
    return places


def _starts(ordered: Whole) -> npt.NDArray[np.bool_]:
    """Whether each of some sorted numbers differs from the one before it."""
    return np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]


def _distinct(numbers: Whole) -> Whole:
    """The different numbers, sorted; the array is sorted too."""
    numbers.sort()
    return numbers[_starts(numbers)]


def _summed(flags: npt.NDArray[np.bool_], start: Place) -> Place:
    """How many flags each block has."""
    sums: Place = np.add.reduceat(flags.astype(np.int64), start) if len(start) else start
    return sums
