"""Which pairs are compared at all: values of units go in, candidate pairs and a count for every rule come out.

A rule is a set of attributes whose values two units must share. Rules are many and narrow; the first rule that finds a pair has it. Pairs are
counted before any is made: a block over the cap must agree on a further attribute, and what is left over the cap is dropped and reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from matching.sets import Flags, Sets, marked, mixed, places
from schemas.in_order import in_order

# a block that would make more pairs than this must agree on a further attribute
BLOCK_CAP = 20_000
FURTHER = ("sex", "district")
Whole = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.unsignedinteger]
Place = npt.NDArray[np.int64]
# two units of 28 bits and a rule of 8 make 64; the odd multiplier of splitmix64 keeps mixed keys apart
_SPAN = np.uint64(2**28)
_RULES = np.uint64(2**8)
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


@dataclass(frozen=True)
class Blocked:
    """What blocking found.

    Attributes:
        pairs: l < r (units) with `rule` (index), each once, sorted. report: REPORT_SCHEMA, one row a rule.
        over: the units of blocks over the cap.
    """

    pairs: pl.DataFrame
    report: pl.DataFrame
    over: Whole


def block(
    values: dict[str, Sets],
    trusted: Flags,
    rules: tuple[Rule, ...] = CHILD_RULES,
    bounds: Bounds | None = None,
    touched: Flags | None = None,
) -> Blocked:
    """The candidate pairs.

    Args:
        values: what the units have, by attribute. trusted: for each unit, whether it has a number of its own.
        rules: in the order in which they claim pairs. bounds: the children's where none are given.
        touched: the units of which a pair must have one, where not all pairs are wanted; the blocks that hold one are counted then.
    """
    keys = _Keys(values, ~trusted, bounds or Bounds(), touched)
    found: list[Whole] = []
    report: list[dict[str, object]] = []
    over: list[Whole] = []
    # two rules at once may work out the same keys, and get the same
    for i, (pairs, units, counts) in enumerate(in_order(keys.pairs, rules)):
        pairs *= _RULES
        pairs += np.uint64(i)
        found.append(pairs)
        report.append({"rule": rules[i].name, **counts})
        over.append(units)
        keys.keep(rules[i + 1 :])
    together = pl.Series(np.concatenate(found))
    found.clear()
    pair, by = _first(together.sort().to_numpy(), values, rules)
    new = np.bincount(by, minlength=len(rules))
    table = pl.DataFrame(report).with_columns(pairs_new=pl.Series(new))
    pairs_table = pl.DataFrame({"l": (pair // _SPAN).astype(np.uint32), "r": (pair % _SPAN).astype(np.uint32), "rule": by})
    told = table.match_to_schema(REPORT_SCHEMA, extra_columns="ignore", integer_cast="upcast")
    return Blocked(pairs_table, told, np.unique(np.concatenate(over)))


@dataclass(frozen=True)
class _Blocks:
    """Units in the order of their keys: `key` and `unit` of each place, and of each block where it starts, its size, and how many pairs it makes."""

    key: Whole
    unit: Whole
    start: Place
    size: Place
    pairs: Place

    def keys(self) -> Whole:
        """The key of each block."""
        return self.key[self.start]

    def chosen(self, which: Flags) -> _Blocks:
        """Some of the blocks."""
        at = places(self.start[which], self.size[which])
        return _Blocks(self.key[at], self.unit[at], np.cumsum(self.size[which]) - self.size[which], self.size[which], self.pairs[which])


class _Keys:
    """The keys of units under lists of attributes, each list worked out once and thinned at once: rules that begin alike share the work.

    A key is a mix of the values in the bits that the unit's number leaves of 64, so one sort brings blocks together and drops repeats. Among millions some lists of
    values meet in one key, others each night: what a pair shares is looked up before it is compared.
    """

    def __init__(self, values: dict[str, Sets], loose: Flags, bounds: Bounds, touched: Flags | None) -> None:
        self._values = values
        self._loose = loose
        self._bounds = bounds
        self._touched = touched
        self._units = np.uint64(2 ** max(int(loose.size).bit_length(), 1))
        self._known: dict[tuple[tuple[str, ...], bool], tuple[Whole, Whole]] = {}

    def pairs(self, rule: Rule) -> tuple[Whole, Whole, dict[str, int]]:
        """The pairs of one rule as l x 2^28 + r, the units of blocks over the cap, and its counts."""
        blocks = self._of(rule.attributes, rule.trusted_too)
        over = blocks.pairs > self._bounds.cap
        made = [self._joined(blocks.chosen(~over) if over.any() else blocks, rule.trusted_too)]
        large, dropped = blocks.chosen(over), 0
        if over.any():
            key, unit = large.key, large.unit
            for attribute in (a for a in self._bounds.further if a not in rule.attributes):
                key, unit = self._narrowed(key, unit, attribute)
            narrow = self._thinned(key, unit, rule.trusted_too)
            still = narrow.pairs > self._bounds.cap
            dropped = int(narrow.pairs[still].sum())
            made.append(self._joined(narrow.chosen(~still), rule.trusted_too))
        counts = {"pairs_possible": int(blocks.pairs.sum()), "blocks_over_cap": int(over.sum()), "pairs_dropped": dropped}
        return _distinct(np.concatenate(made)), large.unit, counts

    def keep(self, rules: tuple[Rule, ...]) -> None:
        """Let go of keys that none of these rules begins with."""
        wanted = {(rule.attributes[:size], rule.trusted_too) for rule in rules for size in range(1, len(rule.attributes))}
        for key in [key for key in tuple(self._known) if key not in wanted]:
            self._known.pop(key, None)

    def _of(self, attributes: tuple[str, ...], trusted_too: bool) -> _Blocks:
        """The blocks that make a pair under these attributes."""
        return self._thinned(*self._keyed(attributes, trusted_too), trusted_too)

    def _keyed(self, attributes: tuple[str, ...], trusted_too: bool) -> tuple[Whole, Whole]:
        """The keys under these attributes, and their units."""
        if len(attributes) == 1:
            value, unit = self._first(self._values[attributes[0]])
            value, unit = self._sieved(value, unit, trusted_too)
            return mixed(value), unit.astype(np.uint64)
        return self._narrowed(*self._begun(attributes[:-1], trusted_too), attributes[-1])

    def _begun(self, attributes: tuple[str, ...], trusted_too: bool) -> tuple[Whole, Whole]:
        """The same of attributes with which a rule begins, without those that make no pair. Of some units a sieve leaves few, that are not worth sorting."""
        known = self._known.get((attributes, trusted_too))
        if known is None:
            if self._touched is None:
                blocks = self._of(attributes, trusted_too)
                known = blocks.key, blocks.unit
            else:
                known = self._sieved(*self._keyed(attributes, trusted_too), trusted_too)
            known = self._known.setdefault((attributes, trusted_too), known)
        return known

    def _narrowed(self, key: Whole, unit: Whole, attribute: str) -> tuple[Whole, Whole]:
        """The keys with the values of a further attribute mixed in: one for each value the unit has."""
        sets = self._values[attribute]
        size = sets.sizes(unit)
        return np.repeat(key, size) * _MIX + mixed(sets.of_units(unit)), np.repeat(unit, size)

    def _first(self, sets: Sets) -> tuple[Numbers, Numbers]:
        """Values and their units; where some units are asked about, hardly more than the values that one of them has."""
        if self._touched is None:
            return sets.value, sets.holders()
        asked = np.flatnonzero(self._touched).astype(np.uint32)
        near = np.flatnonzero(marked(sets.value, sets.of_units(asked)))
        return sets.value[near], (np.searchsorted(sets.start, near, side="right") - 1).astype(np.uint32)

    def _sieved(self, key: Numbers, unit: Numbers, trusted_too: bool) -> tuple[Numbers, Numbers]:
        """Keys and units without nearly all whose block makes no pair that is wanted: tables of bits tell them, before anything is sorted."""
        if self._bounds.across is None:
            wanted = [] if self._touched is None else [self._touched]
            for some in [*wanted, *([] if trusted_too else [self._loose])]:
                near = marked(key, key[some[unit]])
                key, unit = key[near], unit[near]
        return key, unit

    def _thinned(self, key: Whole, unit: Whole, trusted_too: bool) -> _Blocks:
        """The blocks of distinct units that make a pair."""
        across = self._bounds.across
        key, unit = self._sieved(key, unit, trusted_too)
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
        wanted = pairs > 0
        if self._touched is not None:
            wanted &= _summed(self._touched[unit], start) > 0
        return _Blocks(key, unit, start, size, pairs).chosen(wanted)

    def _joined(self, blocks: _Blocks, trusted_too: bool) -> Whole:
        """The pairs of units of one block, one of them loose and one of them changed, or of two tables."""
        across, looks = self._bounds.across, np.ones(len(blocks.unit), dtype=np.bool_) if trusted_too else self._loose[blocks.unit]
        start, size = np.repeat(blocks.start, blocks.size), np.repeat(blocks.size, blocks.size)
        left = looks
        if across is not None:
            left = blocks.unit < np.uint64(across)
        elif self._touched is not None:
            left = self._touched[blocks.unit]
        here = np.repeat(blocks.unit[left], size[left])
        at = places(start[left], size[left])
        there = blocks.unit[at]
        if across is not None:
            wanted = there >= np.uint64(across)
        else:
            # of two units that both look for others the smaller finds the larger
            wanted = (here < there) | ~left[at]
            if self._touched is not None:
                wanted &= (looks[at] | np.repeat(looks[left], size[left])) & (here != there)
        here, there = here[wanted], there[wanted]
        return np.minimum(here, there) * _SPAN + np.maximum(here, there)


def _first(found: Whole, values: dict[str, Sets], rules: tuple[Rule, ...]) -> tuple[Whole, npt.NDArray[np.uint8]]:
    """Each pair once, and the first rule whose attributes its units share; `found`: pairs with the rules that found them, sorted."""
    while True:
        first = np.flatnonzero(_starts(found // _RULES))
        pair, by = found[first] // _RULES, (found[first] % _RULES).astype(np.uint8)
        agrees = _agreeing(pair, by, values, rules)
        if agrees.all():
            return pair, by
        found = np.delete(found, first[~agrees])


def _agreeing(pair: Whole, by: npt.NDArray[np.uint8], values: dict[str, Sets], rules: tuple[Rule, ...]) -> Flags:
    """Whether the units of each pair share what the rule asks for that found it."""

    def of(rule: int) -> tuple[Place, Flags]:
        at = np.flatnonzero(by == rule)
        left, right = pair[at] // _SPAN, pair[at] % _SPAN
        return at, np.all([values[attribute].shared(left, right) for attribute in rules[rule].attributes], axis=0)

    agrees = np.ones(len(pair), dtype=np.bool_)
    for at, shared in in_order(of, range(len(rules))):
        agrees[at] = shared
    return agrees


def _starts(ordered: Whole) -> Flags:
    """Whether each of some sorted numbers differs from the one before it."""
    return np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]


def _distinct(numbers: Whole) -> Whole:
    """The different numbers, sorted; the array is sorted too."""
    numbers.sort()
    return numbers[_starts(numbers)]


def _summed(flags: Flags, start: Place) -> Place:
    """How many flags each block has."""
    sums: Place = np.add.reduceat(flags.astype(np.int64), start) if len(start) else start
    return sums
