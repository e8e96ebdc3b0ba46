"""What a night uses again of the one before. Enters: what intake took in, and what the last run left. Leaves: standardised feeds and linkage, made or as they were.

A feed's standardised rows lie on a shelf beside the register under a fingerprint of the files in use and the program; a feed whose files are the same is not
standardised again. Where no feed that sees children changed, and no decision, the linkage of the last run stands on another day too (matching/standing.py).
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

import polars as pl

from flows.cluster import opened
from flows.track import Station
from flows.unchanged import LastRun, Seen
from matching.answers import same_corrections
from matching.linkage import link
from matching.pairs_in_parts import block_part, compare_part, pairing_in_parts
from matching.standardise import Part, parts, standardise
from matching.standardise_in_parts import join_parts, standardise_part
from matching.standing import carry_over, same_on_both_days
from publish.register import recall
from schemas.exports.feeds import CHILD_FEEDS
from schemas.exports.inbox import sha256
from schemas.growing import same_file
from schemas.tables.register import LINKED_TABLES

_KINDS = ("standard", "record")
_WHOLE = "whole"


def feed_hash(feed: str, work: Path, program: str) -> str:
    """A fingerprint of the rows a feed has tonight: its files in use, by name and content, and the program."""
    live = pl.read_parquet(work / "receipt" / f"{feed}.parquet").filter(pl.col("state").is_in(["accepted", "kept"]))
    files = live.select("source_file", "sha256", pl.col("export_date").cast(pl.String), pl.col("rows_replaced").cast(pl.String)).sort("source_file", "sha256")
    return hashlib.sha256("\n".join([program, feed, *("|".join(row) for row in files.iter_rows())]).encode()).hexdigest()


def linkage_hash(work: Path, seen: Seen) -> str:
    """A fingerprint of what linkage rests on beside the day: the rows of all feeds that see children, the decisions, the program."""
    return hashlib.sha256("\n".join([seen.decisions, *(feed_hash(feed, work, seen.program) for feed in CHILD_FEEDS)]).encode()).hexdigest()


def standardise_or_reuse(feed: str, work: Path, shelf: Path, program: str, anew: bool) -> None:
    """The station standardise, or what it left when the feed's files were the same.

    Args:
        shelf: the folder where standardised feeds are kept, each as it was last. anew: standardise whatever the shelf has.
    """
    if not stands(feed, work, shelf, program, anew):
        standardise(feed, work)
        _shelve(feed, work, shelf, program)


def feed_parts(feed: str, work: Path, shelf: Path, program: str, anew: bool) -> list[tuple[int, Part]]:
    """The parts in which a feed is to be standardised, numbered; none where what the shelf has was taken."""
    return [] if stands(feed, work, shelf, program, anew) else list(enumerate(parts(feed, work)))


def feed_part(part: tuple[int, Part], feed: str, work: Path, *_: object) -> None:
    """One part of the station standardise."""
    standardise_part(feed, part[0], part[1], work)


def feed_joined(made: list[tuple[int, Part]], feed: str, work: Path, shelf: Path, program: str, _: bool) -> None:
    """The feed's tables of the parts that were made, kept on the shelf."""
    if made:
        join_parts(feed, len(made), work)
        _shelve(feed, work, shelf, program)


def stands(feed: str, work: Path, shelf: Path, program: str, anew: bool) -> bool:
    """Whether what the shelf has of a feed is tonight's; it is then taken into the work folder."""
    place = shelf / feed / feed_hash(feed, work, program)
    if anew or not _is_whole(place):
        return False
    for kind in _present(place):
        (work / kind).mkdir(exist_ok=True)
        same_file(place / f"{kind}.parquet", work / kind / f"{feed}.parquet")
    return True


def _shelve(feed: str, work: Path, shelf: Path, program: str) -> None:
    """Keep what was standardised for the nights to come, in place of what lay there of the feed."""
    place = shelf / feed / feed_hash(feed, work, program)
    shutil.rmtree(shelf / feed, ignore_errors=True)
    place.mkdir(parents=True, mode=0o700)
    for kind in _KINDS:
        if (work / kind / f"{feed}.parquet").exists():
            same_file(work / kind / f"{feed}.parquet", place / f"{kind}.parquet")
    (place / _WHOLE).write_text(_fingerprints(place), "ascii")


def link_or_stand(work: Path, as_of: date, last: LastRun | None, hash_tonight: str, shelf: Path, program: str, register: Path) -> None:
    """The station link, or the last run's linkage where it rests on the same.

    Args:
        last: null where nothing may be used again. shelf: the folder where linkage keeps what the next night may go on from, under the program's fingerprint.
        register: the last one.
    """
    if last is not None and last.linkage_hash == hash_tonight and same_on_both_days(work, last.as_of, as_of) and _same_persons(work, as_of, register):
        carry_over(work)
    elif opened() is not None:
        link(work, as_of, pairing_in_parts(work / "parts" / "link", _on_workers))
    else:
        _clear(shelf, None if last is None else program)
        link(work, as_of, shelf=shelf / program)


def _same_persons(work: Path, as_of: date, register: Path) -> bool:
    """Whether the last register's persons, recalled with what else linkage left, are tonight's: what departments corrected in them cannot be taken out again."""
    recall(register, work, LINKED_TABLES)
    return same_corrections(work, as_of)


def _clear(shelf: Path, name: str | None) -> None:
    """Removes all that lies on a shelf but what is called so."""
    for place in shelf.glob("*"):
        if place.name != name:
            shutil.rmtree(place)


_STEPS = {step: Station(step, name) for step, name in ((block_part, "block"), (compare_part, "compare"))}


def _on_workers(step: Callable[..., None], parts: Iterable[object], folder: Path) -> None:
    """A step of the linkage for each of its parts."""
    _STEPS[step].on_workers(parts, folder)


def _present(place: Path) -> list[str]:
    return [kind for kind in _KINDS if (place / f"{kind}.parquet").exists()]


def _is_whole(place: Path) -> bool:
    """Whether what lies there is what was put there; a damaged shelf counts as none."""
    mark = place / _WHOLE
    return mark.exists() and mark.read_text("ascii", "replace") == _fingerprints(place)


def _fingerprints(place: Path) -> str:
    return "\n".join(f"{kind} {sha256(place / f'{kind}.parquet')}" for kind in _present(place))
