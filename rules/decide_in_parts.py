"""The rule, some of the children at a time: each step goes from files to files and looks at nothing else, so that any worker may do it, and do it again.

Enters: what `rules.decide.decide` reads. Leaves: its tables, row by row. The files lie in the order of person_id, so a span of identifiers is a stretch of each.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl

from rules.decide import OUTPUTS, Frames, children_of, deciding, finish
from rules.law import Law
from rules.parts import spans
from schemas.buckets import buckets, write_bucket


def cut(work: Path, _: date) -> list[int]:
    """Write the spans of the children, whose identifiers no task may carry; their numbers."""
    found = pl.DataFrame(list(spans(children_of(work))), schema={"first": pl.String, "next": pl.String}, orient="row")
    _folder(work).mkdir(parents=True, exist_ok=True)
    found.write_parquet(_folder(work) / "spans.parquet")
    return list(range(found.height))


def decide_part(number: int, work: Path, as_of: date) -> None:
    """Apply the rule to the children of a span, into bucket files."""
    span = pl.read_parquet(_folder(work) / "spans.parquet").row(number)
    for name, frame in deciding(work, as_of, Law.load())(span).items():
        write_bucket(frame, _folder(work) / name, number)


def join_parts(numbers: list[int], work: Path, as_of: date) -> None:
    """Make the tables of their parts, which are removed, and what only all children together give."""
    finish(_parts(len(numbers), work), work, as_of, Law.load())
    shutil.rmtree(_folder(work))


def _parts(count: int, work: Path) -> Iterator[Frames]:
    names = [table.name for table in OUTPUTS]
    held = (buckets(_folder(work) / name, count) for name in names)
    return (dict(zip(names, frames, strict=True)) for frames in zip(*held, strict=True))


def _folder(work: Path) -> Path:
    return work / "parts" / "decide"
