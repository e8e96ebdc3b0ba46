"""What many units have of one attribute, as two arrays: units and values go in; which values two units share, or all of them side by side, come out.

The values of a unit lie together, each once, so a pair is compared by looking at two places and no table is ever joined.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Whole = npt.NDArray[np.unsignedinteger]
Flags = npt.NDArray[np.bool_]
Place = npt.NDArray[np.int64]
_NARROW = (pl.Boolean, pl.UInt8, pl.UInt16, pl.UInt32, pl.Int8, pl.Int16, pl.Int32, pl.Date)
_NARROW_BITS = np.uint64(32)
# of a table of bits in which values are marked; the odd multiplier of splitmix64 spreads them
_MARKS = 22
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Sets:
    """The sets of `count` units: those of unit u are `value[start[u]:start[u + 1]]`. Values are UInt32 or UInt64."""

    start: npt.NDArray[np.uint32]
    value: Whole

    @classmethod
    def of(cls, table: pl.DataFrame, count: int, among: int | None = None) -> Sets:
        """The sets of a long table unit, value in any order, with repeats; `among`: how many units there are in all, where these are some of them.

        Whole numbers of 32 bits stay what they are (negative ones by their bits); of all others, and of texts, so many bits of a hash are kept as a unit's
        number leaves of 64: two of five million units would share a value that they do not have once in 10^12.
        """
        value = stored(table["value"], among or count)
        # in place, for the sets of a city's relatives are gigabytes
        bits = _NARROW_BITS if value.dtype == np.uint32 else bits_left(among or count)
        both = table["unit"].to_numpy().astype(np.uint64)
        both <<= bits
        both |= value
        both.sort()
        both = both[np.append(True, both[1:] != both[:-1])[: len(both)]]
        found = (both & ((np.uint64(1) << bits) - np.uint64(1))).astype(value.dtype)
        both >>= bits
        return cls._held(both.astype(np.uint32), found, count)

    @classmethod
    def exactly(cls, table: pl.DataFrame, count: int) -> Sets:
        """The same with every bit of the values, which are whole numbers."""
        unit, value = table["unit"].to_numpy(), _whole(table["value"])
        order = np.lexsort((value, unit))
        unit, value = unit[order], value[order]
        kept = np.append(True, (unit[1:] != unit[:-1]) | (value[1:] != value[:-1]))[: len(unit)]
        return cls._held(unit[kept], value[kept], count)

    @classmethod
    def again(cls, table: pl.DataFrame, count: int) -> Sets:
        """The sets of which `table` is all, or that of some units."""
        return cls._held(table["unit"].to_numpy(), table["value"].to_numpy(), count)

    @classmethod
    def _held(cls, unit: Whole, value: Whole, count: int) -> Sets:
        """From values in the order of their units."""
        start = np.zeros(count + 1, dtype=np.uint32)
        np.cumsum(np.bincount(unit, minlength=count), out=start[1:])
        return cls(start, value)

    def table(self) -> pl.DataFrame:
        """unit, value."""
        return pl.DataFrame({"unit": self.holders(), "value": self.value})

    @property
    def count(self) -> int:
        """How many units there are."""
        return len(self.start) - 1

    def sizes(self, unit: Whole | None = None) -> Place:
        """How many values some units have, or all."""
        sizes = np.diff(self.start) if unit is None else self.start[unit + unit.dtype.type(1)] - self.start[unit]
        return sizes.astype(np.int64)

    def holders(self) -> npt.NDArray[np.uint32]:
        """The unit of each value."""
        return np.repeat(np.arange(self.count, dtype=np.uint32), self.sizes())

    def of_units(self, unit: Whole) -> Whole:
        """The values of some units, one unit's behind another's."""
        return self.value[places(self.start[unit].astype(np.int64), self.sizes(unit))]

    def both(self, left: Whole, right: Whole) -> Flags:
        """Whether both units of each pair have a value."""
        return (self.sizes(left) > 0) & (self.sizes(right) > 0)

    def crossed(self, left: Whole, right: Whole) -> tuple[Place, Whole, Whole]:
        """Every value of one side beside every value of the other: the place of the pair, a value of its left, a value of its right."""
        here, there = self.sizes(left), self.sizes(right)
        size = here * there
        pair = np.repeat(np.arange(len(left)), size)
        first, second = self.start[left].astype(np.int64), self.start[right].astype(np.int64)
        if len(pair) == np.count_nonzero(size):
            # nearly always one beside one
            return pair, self.value[first[pair]], self.value[second[pair]]
        within = np.arange(len(pair)) - np.repeat(np.cumsum(size) - size, size)
        wide = there[pair]
        return pair, self.value[first[pair] + within // wide], self.value[second[pair] + within % wide]

    def common(self, left: Whole, right: Whole) -> Place:
        """How many values the two units of each pair share."""
        pair, a, b = self.crossed(left, right)
        return np.bincount(pair[a == b], minlength=len(left))

    def agreement(self, left: Whole, right: Whole) -> tuple[Flags, Flags]:
        """Whether both units of each pair have a value, and whether they share one."""
        here, there = self.sizes(left), self.sizes(right)
        both = (here > 0) & (there > 0)
        shared = np.zeros(len(left), dtype=np.bool_)
        single = np.flatnonzero((here == 1) & (there == 1))
        shared[single] = self.value[self.start[left[single]]] == self.value[self.start[right[single]]]
        several = np.flatnonzero(both & (here + there > 2))
        shared[several] = self.common(left[several], right[several]) > 0
        return both, shared

    def shared(self, left: Whole, right: Whole) -> Flags:
        """Whether the two units of each pair share a value."""
        return self.agreement(left, right)[1]


def places(start: Place, size: Place) -> Place:
    """The places of stretches one behind the other: start, start + 1 … for each."""
    found: Place = np.arange(int(size.sum()), dtype=np.int64) + np.repeat(start - (np.cumsum(size) - size), size)
    return found


def stored(values: pl.Series, count: int) -> Whole:
    """The values as the sets of `count` units hold them."""
    if values.dtype in _NARROW:
        return values.to_physical().to_numpy().astype(np.int64).astype(np.uint32)
    return mixed(_whole(values)) >> (np.uint64(64) - bits_left(count))


def bits_left(count: int) -> np.uint64:
    """How many bits a unit's number leaves of 64."""
    return np.uint64(64 - max(1, int(count).bit_length()))


def _whole(values: pl.Series) -> Whole:
    """The values as unsigned numbers, equal where the values are."""
    return values.hash().to_numpy() if values.dtype == pl.String else values.to_physical().to_numpy().astype(np.int64 if values.dtype.is_signed_integer() else np.uint64).view(np.uint64)


def mixed(value: Whole) -> npt.NDArray[np.uint64]:
    """Numbers spread over 64 bits (the finaliser of splitmix64: Steele, Lea and Flood, 2014), so that near ones lie far apart."""
    out = value.astype(np.uint64)
    with np.errstate(over="ignore"):
        out = (out ^ (out >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        out = (out ^ (out >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return out ^ (out >> np.uint64(31))


def marked(values: Whole, some: Whole) -> Flags:
    """Which values are among some, and a few more: by a table of bits, quicker than any that would be exact."""
    mark = np.zeros(2**_MARKS, dtype=np.bool_)
    mark[_spot(some)] = True
    found: Flags = mark[_spot(values)]
    return found


def _spot(values: Whole) -> npt.NDArray[np.uint64]:
    spot: npt.NDArray[np.uint64] = (values * _SPREAD) >> np.uint64(64 - _MARKS)
    return spot
