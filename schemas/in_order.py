"""Work on many things, some at once. Enters: things, and what makes something of one. Leaves: what is made, in the order of the things; memory holds a few."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

# polars, numpy, DuckDB and rapidfuzz let go of the interpreter while they work
AT_ONCE = 2

Thing = TypeVar("Thing")
Made = TypeVar("Made")


def in_order(make: Callable[[Thing], Made], of: Iterable[Thing], at_once: int = AT_ONCE) -> Iterator[Made]:
    """What is made of each thing, in the order of the things; while one is taken the next are made."""
    with ThreadPoolExecutor(at_once) as pool:
        running: deque[Future[Made]] = deque()
        for thing in of:
            running.append(pool.submit(make, thing))
            if len(running) > at_once:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
