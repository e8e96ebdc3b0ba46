"""Counts that are published together, with the small ones hidden. Enters: counts and what adds up to what. Leaves: for each count what may be shown of it.

A count of 1 to 4 could point at a child whom a neighbour knows. It is hidden, and with it whatever would let it be computed: a reader is taken to know every
count that is shown, every sum, and that `<5` stands for 1 to 4 and `—` for 5 or more (Hundepool et al., Statistical Disclosure Control, 2012, ch. 4).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

SMALL = 5
HIDDEN = f"<{SMALL}"
COMPLEMENT = "—"  # not small, but with it a small one could be computed
_WIDTH = 2  # a hidden small count could still be at least three values
_MANY = 10**7  # more children than the city has

Key = tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """What may be shown of each count. A key nobody counted is zero."""

    counts: Mapping[Key, int]
    hidden: frozenset[Key]

    def value(self, *key: str) -> int | None:
        """The count; null where it is hidden."""
        return None if key in self.hidden else self.counts.get(key, 0)

    def text(self, *key: str) -> str:
        """The count as it is printed: `1,234`, `<5` or `—`."""
        count = self.counts.get(key, 0)
        if key not in self.hidden:
            return f"{count:,}"
        return HIDDEN if count < SMALL else COMPLEMENT


@dataclass
class Counts:
    """Counts by key, and the sums between them that a reader knows."""

    counts: dict[Key, int] = field(default_factory=dict)
    unprinted: set[Key] = field(default_factory=set)
    sums: list[tuple[Key, tuple[Key, ...]]] = field(default_factory=list)
    expendable: set[Key] = field(default_factory=set)

    def add(self, key: Key, count: int, *, printed: bool = True, expendable: bool = False) -> None:
        """A count; `printed=False` for one that is not shown but could be computed, as the rest of a sum; `expendable` for one hidden before others."""
        self.counts[key] = int(count)
        if expendable:
            self.expendable.add(key)
        if not printed:
            self.unprinted.add(key)

    def sum(self, whole: Key, parts: Iterable[Key], rest: Key | None = None) -> None:
        """The whole is the sum of its parts, all of them counted before, and of a rest nobody prints if it is given.

        Raises:
            ValueError: it is not; what a reader could compute would be judged wrongly.
        """
        parts = tuple(parts)
        left = self.counts[whole] - sum(self.counts[p] for p in parts)
        if rest is not None and left >= 0:
            self.add(rest, left, printed=False)
            parts, left = (*parts, rest), 0
        if left:
            raise ValueError(f"the parts of {whole} do not add up to it: {left} over")
        self.sums.append((whole, parts))

    def settle(self) -> Shown:
        """Hide the small counts, and further ones until no small one can be computed.

        Where a small count could be told, the an expendable count of its sums is hidden too, else the smallest shown part of a sum that tells a count, else of others, else the whole. Each group of hidden counts that hang
        together by sums is judged by integer programming: the least and the most each small one could be.
        """
        hidden = {k for k, n in self.counts.items() if 0 < n < SMALL} | self.unprinted
        safe: set[frozenset[Key]] = set()
        while True:
            groups = [g for g in self._groups(hidden) if g not in safe]
            if not groups:
                return Shown(self.counts, frozenset(hidden))
            for group in groups:
                further = self._further(group, hidden)
                if further is None:
                    safe.add(group)
                else:
                    hidden.add(further)

    def _groups(self, hidden: set[Key]) -> list[frozenset[Key]]:
        """Hidden counts that hang together by sums; those in no sum are judged by nobody."""
        parent: dict[Key, Key] = {}

        def root(key: Key) -> Key:
            while parent.setdefault(key, key) != key:
                key = parent[key]
            return key

        for whole, parts in self.sums:
            mine = [k for k in (whole, *parts) if k in hidden]
            for one in mine:
                parent[root(one)] = root(mine[0])
        groups: dict[Key, set[Key]] = defaultdict(set)
        for key in sorted(parent):
            groups[root(key)].add(key)
        return [frozenset(g) for g in groups.values()]

    def _further(self, group: frozenset[Key], hidden: set[Key]) -> Key | None:
        """The next count to hide for the group's sake; none where all its small counts are safe, or nothing is left to hide."""
        sums = [s for s in self.sums if s[0] in group or any(p in group for p in s[1])]
        told = self._told(group, sums)
        if told is None:
            return None
        lonely = [s for s in sums if sum(k in hidden for k in (s[0], *s[1])) == 1]
        near = [s for s in sums if told == s[0] or told in s[1]]
        pools = [{k for s in near for k in (s[0], *s[1])} & self.expendable]
        for some in (lonely, near, sums):
            pools += [{p for s in some for p in s[1]}, {s[0] for s in some}]
        for pool in pools:
            if shown := [k for k in pool if k not in hidden and self.counts[k] > 0]:
                return min(shown, key=lambda k: (self.counts[k], k))
        return None

    def _told(self, group: frozenset[Key], sums: list[tuple[Key, tuple[Key, ...]]]) -> Key | None:
        """The first small count of the group that could be fewer than three values."""
        keys = sorted(group)
        at = {k: i for i, k in enumerate(keys)}
        matrix, constant = np.zeros((len(sums), len(keys))), np.zeros(len(sums))
        for row, (whole, parts) in enumerate(sums):
            for key, sign in ((whole, -1), *((p, 1) for p in parts)):
                if key in at:
                    matrix[row, at[key]] += sign
                else:
                    constant[row] -= sign * self.counts[key]
        low, high = np.array([self._bounds(k) for k in keys], dtype=float).T
        system = {"constraints": LinearConstraint(matrix, constant, constant), "bounds": Bounds(low, high), "integrality": np.ones(len(keys))}
        for key in keys:
            if 0 < self.counts[key] < SMALL:
                aim = np.zeros(len(keys))
                aim[at[key]] = 1
                if -milp(-aim, **system).fun - milp(aim, **system).fun < _WIDTH:
                    return key
        return None

    def _bounds(self, key: Key) -> tuple[int, int]:
        """What a reader knows of a hidden count by itself."""
        if key in self.unprinted:
            return 0, _MANY
        return (1, SMALL - 1) if self.counts[key] < SMALL else (SMALL, _MANY)
