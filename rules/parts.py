"""The children in parts that fit in memory. Enters: children and frames by person_id. Leaves: spans of identifiers, the rows of each, and what is made of them, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import polars as pl

# so many children in a part, and so many parts at once: their rows, evidence and lists fit in about two gigabytes
CHILDREN_AT_ONCE = 50_000
PARTS_AT_ONCE = 2

Span = tuple[str | None, str | None]
Made = TypeVar("Made")


def spans(children: pl.LazyFrame) -> Iterator[Span]:
    """The children cut by person_id: (first, first of the next); open at both ends, so that what belongs to no child of today falls somewhere too."""
    ids = children.select(pl.col("person_id").sort()).collect().get_column("person_id")
    starts = [None, *ids.gather_every(CHILDREN_AT_ONCE)[1:]]
    yield from zip(starts, [*starts[1:], None], strict=True)


def between(span: Span) -> pl.Expr:
    """Whether a row belongs to a child of the span."""
    first, last = span
    person = pl.col("person_id")
    return (pl.lit(True) if first is None else person >= first) & (pl.lit(True) if last is None else person < last)


def rows_of(frames: Mapping[str, pl.LazyFrame], span: Span) -> dict[str, pl.LazyFrame]:
    """The rows of the children of a span, read once: everything that is decided asks for them again."""
    return {name: frame.filter(between(span)).collect().lazy() for name, frame in frames.items()}


def in_order(make: Callable[[Span], Made], of: Iterable[Span]) -> Iterator[Made]:
    """What is made of each span, in the order of the spans; while one is taken the next are made."""
    with ThreadPoolExecutor(PARTS_AT_ONCE) as pool:
        running: deque[Future[Made]] = deque()
        for span in of:
            running.append(pool.submit(make, span))
            if len(running) > PARTS_AT_ONCE:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
