"""The children in parts that fit in memory. Enters: children and frames by person_id. Leaves: spans of identifiers, the rows of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

# so many children in a part: of two parts at once the rows, evidence and lists fit in about two gigabytes
CHILDREN_AT_ONCE = 50_000

Span = tuple[str | None, str | None]


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
