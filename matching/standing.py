"""Linkage that stands. Enters: records that are those of the last night, and the last register's tables. Leaves: the tables of the station link, as they were.

Linkage rests on the records, the clerks' decisions and the model; of the day it takes one thing alone, whether the holder of a number is grown up on it.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from matching import identifiers
from matching.anchors import ADULT_YEARS
from schemas.tables.identity import IDENTITY, IDENTITY_EVENT
from schemas.tables.pair import REVIEW_QUEUE
from schemas.tables.record import PERSON, PERSON_RECORD

_QUEUE = Path("standing") / "review_queue.parquet"


def keep_queue(work: Path) -> None:
    """Keep the last register's queue as it was published, before decisions are entered into `previous/review_queue`."""
    target = work / _QUEUE
    target.parent.mkdir(exist_ok=True)
    target.write_bytes((work / "previous" / "review_queue.parquet").read_bytes())


def knows_identifiers(work: Path) -> bool:
    """Whether the last register tells which identifiers there are; an older one has them in its persons alone."""
    return bool(pl.scan_parquet(work / "previous" / f"{IDENTITY.name}.parquet").select(pl.len()).collect().item())


def same_on_both_days(work: Path, one: date, other: date) -> bool:
    """Whether no number of `record/*` has a holder who grew up between the two days: then linkage is the same on both."""
    first, last = sorted((one, other))
    for file in sorted((work / "record").glob("*.parquet")):
        records = pl.scan_parquet(file)
        for column in ("id_number", "key_id_number"):
            grown = identifiers.birth_date(pl.col(column)).dt.offset_by(f"{ADULT_YEARS}y")
            if records.select(((grown > first) & (grown <= last)).any()).collect().item():
                return False
    return True


def carry_over(work: Path) -> None:
    """Write person_record, person, review_queue, identity and identity_event as the last register has them; nobody was merged or split."""
    for table in (PERSON_RECORD, PERSON, IDENTITY):
        table.conform(pl.read_parquet(work / "previous" / f"{table.name}.parquet")).write_parquet(work / f"{table.name}.parquet")
    REVIEW_QUEUE.conform(pl.read_parquet(work / _QUEUE)).write_parquet(work / "review_queue.parquet")
    IDENTITY_EVENT.empty().write_parquet(work / "identity_event.parquet")
