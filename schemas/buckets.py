"""Bucket files: a table in parts, on a path that every worker sees. Enters: frames. Leaves: one Parquet file a part, whole or not there, and one file of all parts in order."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from schemas.growing import GrowingParquet


def bucket(folder: Path, number: int) -> Path:
    """Where a part of the table that `folder` is named after lies."""
    return folder / f"{number:05}.parquet"


def write_bucket(frame: pl.DataFrame, folder: Path, number: int) -> None:
    """Write a part of a table."""
    write_whole(frame, bucket(folder, number))


def write_whole(frame: pl.DataFrame, target: Path) -> None:
    """Write a file in one step: a worker that dies leaves none, and one that does the same again replaces it by the same."""
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(f".{target.name}-{uuid.uuid4().hex}")
    try:
        with GrowingParquet(half) as out:
            out.write(frame)
        half.replace(target)
    finally:
        half.unlink(missing_ok=True)


def buckets(folder: Path, count: int) -> Iterator[pl.DataFrame]:
    """The parts of a table in their order, one after the other."""
    return (pl.read_parquet(bucket(folder, number)) for number in range(count))


def join_buckets(folder: Path, count: int, target: Path) -> None:
    """One file of all parts, in their order; memory holds little more than one."""
    with GrowingParquet(target) as out:
        for part in buckets(folder, count):
            out.write(part)
