"""What a run leaves. Enters: who belongs together, and the last register's memory. Leaves: persons with lasting identifiers, what holds each row, doubtful pairs; and
the tables, part by part.

All that pairs were needed for is worked out first, so that a large night need not hold them while the tables of persons are made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from matching.clustering import Clustering
from matching.found import Found
from matching.holding import Holding, holding, strongest_links
from matching.identity import name_clusters, remember
from matching.model import Model
from matching.persons import Gathering, Outcome, Source, roles
from matching.review import build_queue, mark_contradictions, settle


class Run:
    """One run's tables: `person_record` first, then `persons`, then what is left."""

    def __init__(self, found: Found, of_row: npt.NDArray[np.uint32], previous: Mapping[str, pl.LazyFrame], as_of: date, model: Model) -> None:
        """`of_row`: the rec of each row of the source."""
        self._model = model
        # what holds a row has nothing to do with what persons are called: each keeps one core busy
        first = _first_hashes(found)
        with ThreadPoolExecutor(1) as beside:
            held = beside.submit(_held, found, of_row, first, model)
            named = name_clusters(found.rows, remember(previous), as_of)
            seen = named.person.sort("person_id")
            heads = _heads(found, first, seen)
            self._outcome = _outcome(found, of_row, seen, held.result())
        self._former, self._events = named.former, named.events
        settled = settle(found.decided.bound, heads)
        self._queue = mark_contradictions(found.decided.queue, settled)
        self._doubtful = _doubtful(found.shown, found.clustering, heads, model).join(settled, on=["left", "right"], how="anti")
        self._sides: list[pl.DataFrame] = []
        self._methods: Counter[str] = Counter()
        self._counts = _counts(found, seen)

    def gathering(self, source: Source, folder: Path | None) -> Gathering:
        """The tables of persons; `folder`: where rows may wait on the disk."""
        return Gathering(source, self._outcome, folder)

    def counted(self, parts: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """The parts of person_record, their methods counted as they pass."""
        for part in parts:
            self._methods.update(dict(part.group_by("link_method").len().iter_rows()))
            yield part

    def identity(self, living: pl.DataFrame) -> pl.DataFrame:
        """A part of identity: the living, and the former who stand among them; what a clerk is shown of them is kept."""
        last = pl.col("person_id") <= living["person_id"].max()
        among, self._former = self._former.filter(last), self._former.filter(~last)
        self._sides.append(living.join(self._asked(), on="person_id", how="semi").select("person_id", records="record_hashes", keys="record_keys"))
        return pl.concat([living, among]).sort("person_id")

    def rest(self) -> dict[str, pl.DataFrame]:
        """review_queue, identity_event, and the former who stand behind all living, when all parts were made."""
        sides = pl.concat(self._sides) if self._sides else pl.DataFrame(schema={"person_id": pl.String, "records": pl.List(pl.UInt64), "keys": pl.List(pl.String)})
        return {"review_queue": build_queue(self._doubtful, sides, self._queue, self._model), "identity_event": self._events, "identity": self._former}

    def report(self, in_review: int) -> dict[str, object]:
        """Counts for the run record: nothing personal."""
        return self._counts | {"in_review": in_review, "methods": dict(sorted(self._methods.items()))}

    def _asked(self) -> pl.DataFrame:
        """The persons of doubtful pairs."""
        return pl.concat([self._doubtful["left"], self._doubtful["right"]]).unique().rename("person_id").to_frame()


def _held(found: Found, of_row: npt.NDArray[np.uint32], first: npt.NDArray[np.uint64], model: Model) -> Holding:
    """What holds each row; `first`: the smallest record_hash of every unit."""
    hashes = found.rows["record_hash"].to_numpy()
    strongest = strongest_links(found.weighed, found.clustering.cluster, found.decided.bound, first, model)
    return holding(found.own, found.members, hashes, np.bincount(of_row, minlength=len(hashes)), strongest, model)


def _outcome(found: Found, of_row: npt.NDArray[np.uint32], seen: pl.DataFrame, held: Holding) -> Outcome:
    """What the tables of persons are made from."""
    place = np.zeros(found.members.count, dtype=np.uint32)
    place[seen["cluster"].to_numpy()] = np.arange(seen.height, dtype=np.uint32)
    return Outcome(
        of_row=of_row,
        person=place[found.rows["cluster"].to_numpy()],
        role=roles(found.own, found.rows.height),
        holding=held,
        seen=seen.select("person_id", "first_seen", "last_seen"),
        changed=pl.concat([found.changed["old_id"], found.changed["new_id"]]).unique(),
    )


def _counts(found: Found, seen: pl.DataFrame) -> dict[str, object]:
    return {
        "distinct_rows": found.rows.height,
        "units": found.members.count,
        "units_with_number": found.units_with_number,
        "pairs_compared": found.weighed.height,
        "links_refused": dict(found.clustering.refused.group_by("cause").len().sort("cause").iter_rows()),
        "persons": seen.height,
        "number_roles": dict(found.own.group_by(pl.col("id_role").cast(pl.String)).len().sort("id_role").iter_rows()),
        "blocking": found.blocks.to_dicts(),
    }


def _first_hashes(found: Found) -> npt.NDArray[np.uint64]:
    """The smallest record_hash of every unit: rows lie in the order of their hashes."""
    hashes = np.zeros(found.members.count, dtype=np.uint64)
    hashes[found.rows["unit"].to_numpy()[::-1]] = found.rows["record_hash"].to_numpy()[::-1]
    return hashes


def _heads(found: Found, first: npt.NDArray[np.uint64], seen: pl.DataFrame) -> pl.DataFrame:
    """unit, record_hash (its smallest, `first`), person_id, and whether the person has a number of its own, of every unit, in order."""
    count = found.members.count
    cluster = np.zeros(count, dtype=np.uint32)
    cluster[found.rows["unit"].to_numpy()] = found.rows["cluster"].to_numpy()
    numbered = np.zeros(count, dtype=np.bool_)
    numbered[found.rows.filter(pl.col("own_id").is_not_null())["cluster"].to_numpy()] = True
    heads = pl.DataFrame({"unit": np.arange(count, dtype=np.uint32), "record_hash": first, "cluster": cluster, "is_numbered": numbered[cluster]})
    return heads.join(seen.select("cluster", "person_id"), on="cluster", how="left", maintain_order="left").drop("cluster")


def _doubtful(shown: pl.DataFrame, clustering: Clustering, heads: pl.DataFrame, model: Model) -> pl.DataFrame:
    """Pairs for a clerk: of two numbers; and where not both persons have a number of their own those refused in clustering, with a number that was taken for a
    sibling's, or between the thresholds, though every sibling and twin be counted, whether or not they have rows of their own.

    Args:
        heads: unit, record_hash (its smallest), person_id, is_numbered.
    """
    doubtful = shown.join(clustering.refused, on=["l", "r"], how="left", maintain_order="left")
    doubtful = (
        doubtful.join(heads.select(l="unit", left_record="record_hash", left="person_id", left_numbered="is_numbered"), on="l", how="left", maintain_order="left")
        .join(heads.select(r="unit", right_record="record_hash", right="person_id", right_numbered="is_numbered"), on="r", how="left", maintain_order="left")
        .filter(pl.col("left") != pl.col("right"))
    )
    swap = pl.col("left") > pl.col("right")
    doubtful = doubtful.with_columns(
        pl.when(swap).then(pl.col(there)).otherwise(pl.col(here)).alias(here)
        for here, there in (("left", "right"), ("right", "left"), ("left_record", "right_record"), ("right_record", "left_record"))
    )
    doubtful = doubtful.with_columns(cause=pl.when("both_trusted").then(pl.lit("two_numbers")).otherwise(pl.col("cause").fill_null("doubtful")))
    known_apart = ~pl.col("both_trusted") & pl.col("left_numbered") & pl.col("right_numbered")
    carried = (pl.col("id_number") == model.comparison("id_number").position("carried")).fill_null(False)
    likely = (pl.col("cause") != "doubtful") | carried | (pl.col("pair_probability") >= model.review)
    return doubtful.filter(~known_apart & likely).drop("left_numbered", "right_numbered")
