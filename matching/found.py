"""Who belongs together: what linkage knows when pairs are clustered, and what is made of it."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from matching.clustering import Clustering
from matching.decided import Decided
from matching.features import Members


@dataclass(frozen=True)
class Found:
    """From records to clusters.

    Attributes:
        own: whose numbers the rows hold (`matching.anchors.OWN_SCHEMA`). changed: old_id, new_id of one child. members: which rows make which unit.
        units_with_number: how many units have a number of their own. blocks: the report of blocking. weighed: the pairs, without the weight of each comparison; shown: those that may come before a clerk, with it. decided: what clerks decided.
        rows: the distinct rows, in the order of record_hash: record_hash, feed_key, first_seen, last_seen, unit, own_id (packed), cluster, is_joined, is_parted.
    """

    own: pl.DataFrame
    changed: pl.DataFrame
    members: Members
    units_with_number: int
    blocks: pl.DataFrame
    weighed: pl.DataFrame
    shown: pl.DataFrame
    clustering: Clustering
    decided: Decided
    rows: pl.DataFrame
