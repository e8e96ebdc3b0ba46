"""Decisions that cannot all hold: A is B, B is C, and A is not C. Enters: what clerks decided. Leaves: each "different" that others' "same" contradict, with the chain.

A side of a decision is a person with the rows it had at the time; two sides are one where they are the same person or have a row in common.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Torn:
    """A pair decided "different", and the pairs decided "same" that lead from one of its sides to the other."""

    pair_id: str
    chain: tuple[str, ...]

    @property
    def pairs(self) -> tuple[str, ...]:
        """Every pair whose decision would have to be looked at again."""
        return (self.pair_id, *self.chain)

    def says(self) -> str:
        """In words, for a clerk."""
        return f"{self.pair_id} 为“不同人”，而 {'、'.join(self.chain)} 为“同一人”，连起来双方就是同一人"


def torn(decided: pl.DataFrame) -> list[Torn]:
    """The contradictions among decisions, in the order of their pairs.

    Args:
        decided: pair_id, decision (same, different, unsure), left, right (person_id), left_records, right_records; each pair once.
    """
    sides = _sides(decided)
    ways: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for pair_id, decision in decided.select("pair_id", "decision").sort("pair_id").iter_rows():
        if decision == "same":
            left, right = sides[pair_id]
            ways[left].append((right, pair_id))
            ways[right].append((left, pair_id))
    found = []
    for pair_id in decided.filter(pl.col("decision") == "different")["pair_id"].sort():
        if chain := _chain(ways, *sides[pair_id]):
            found.append(Torn(pair_id, chain))
    return found


def _sides(decided: pl.DataFrame) -> dict[str, tuple[int, int]]:
    """For each pair which side is which: sides that share a person or a row have one number."""
    root: dict[object, object] = {}

    def find(token: object) -> object:
        while root.setdefault(token, token) != token:
            token = root[token]
        return token

    rows = decided.select("pair_id", "left", "right", "left_records", "right_records").rows()
    for _, left, right, left_records, right_records in rows:
        for person, records in ((left, left_records), (right, right_records)):
            for record in records or ():
                root[find(record)] = find(person)
    numbers: dict[object, int] = {}
    return {pair: (numbers.setdefault(find(left), len(numbers)), numbers.setdefault(find(right), len(numbers))) for pair, left, right, _, _ in rows}


def _chain(ways: dict[int, list[tuple[int, str]]], start: int, end: int) -> tuple[str, ...]:
    """The shortest way from one side to the other over pairs decided "same"; empty where there is none."""
    came: dict[int, tuple[int, str]] = {}
    waiting = deque([start])
    while waiting and end not in came:
        here = waiting.popleft()
        for there, pair_id in ways[here]:
            if there != start and there not in came:
                came[there] = (here, pair_id)
                waiting.append(there)
    chain: list[str] = []
    while end != start and end in came:
        end, pair_id = came[end]
        chain.append(pair_id)
    return tuple(reversed(chain))
