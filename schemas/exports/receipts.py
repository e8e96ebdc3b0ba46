"""Receipts: one row of `feed_receipt` per file, with nothing left out.

Enters: what is known of a file. Leaves: rows, and the conformed frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from schemas.tables.intake import FEED_RECEIPT, STATES

_COUNTS = ("rows_in", "rows_accepted", "rows_quarantined", "rows_replaced", "rows_total", "rows_blank")


def receipt(feed: str, source_file: str, sha256: str, state: str, **known: object) -> dict[str, object]:
    """One receipt; counts that are not given are zero, lists empty, the rest null.

    Raises:
        ValueError: a state or column that does not exist.
    """
    unknown = set(known) - set(FEED_RECEIPT.names)
    if state not in STATES or unknown:
        raise ValueError(f"no such state or columns: {state}, {sorted(unknown)}")
    empty = dict.fromkeys(FEED_RECEIPT.names) | dict.fromkeys(_COUNTS, 0) | {"unknown_columns": [], "warnings": []}
    return empty | known | {"feed": feed, "source_file": source_file, "sha256": sha256, "state": state}


def receipts(rows: Iterable[Mapping[str, object]]) -> pl.DataFrame:
    """The receipts as a frame of FEED_RECEIPT, in its order."""
    frame = pl.DataFrame(list(rows), schema=FEED_RECEIPT.schema)
    return FEED_RECEIPT.conform(frame).sort(FEED_RECEIPT.key)
