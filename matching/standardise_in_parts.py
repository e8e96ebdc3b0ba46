"""The station standardise, a part at a time: each step goes from files to files and looks at nothing else, so that any worker may do it, and do it again.

Enters: work/accepted/<feed>. Leaves: work/standard/<feed> and work/record/<feed>, row by row those of `matching.standardise.standardise`.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from matching.standardise import Part, standardised
from schemas.buckets import join_buckets, write_bucket
from schemas.exports.feeds import CHILD_FEEDS, FEEDS


def standardise_part(feed_name: str, number: int, part: Part, work: Path) -> None:
    """Standardise one part of a feed into bucket files."""
    standard, record = standardised(FEEDS[feed_name], work, part)
    write_bucket(standard, _folder(work, "standard", feed_name), number)
    if record is not None:
        write_bucket(record, _folder(work, "record", feed_name), number)


def join_parts(feed_name: str, count: int, work: Path) -> None:
    """Make the feed's tables of its parts, which are removed."""
    for kind in ("standard", "record") if feed_name in CHILD_FEEDS else ("standard",):
        join_buckets(_folder(work, kind, feed_name), count, work / kind / f"{feed_name}.parquet")
        shutil.rmtree(_folder(work, kind, feed_name))


def _folder(work: Path, kind: str, feed_name: str) -> Path:
    return work / "parts" / kind / feed_name
