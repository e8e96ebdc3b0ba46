"""The station link: this night's records and the last register's memory go in; persons, their records, identifiers and doubtful pairs come out.

Rows with a number of their own come together first (`anchors`); what is left is paired (`blocking`), compared (`comparisons`), weighed (`scoring`)
and clustered under constraints (`clustering`); clusters get lasting identifiers (`identity`), and what is in doubt goes to a clerk (`review`).
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from matching.clustering import Clustering, Constraints, cluster_units
from matching.coding import READ, Records, code_parts
from matching.holding import holding, strongest_links
from matching.identity import name_clusters, remember
from matching.model import Model, load_model
from matching.night import Night, prepare_records
from matching.pairs import Pairing, pair_up
from matching.persons import TOLD, Gathering, Outcome, Source, roles
from matching.review import build_queue, decisions, mark_contradictions, settle
from schemas.growing import GrowingParquet
from schemas.tables.identity import IDENTITY
from schemas.tables.pair import REVIEW_QUEUE
from schemas.tables.record import PERSON, PERSON_RECORD, RECORD

# rows that are read at once
_PART_ROWS = 2**19


@dataclass(frozen=True)
class Linked:
    """The tables of one run by name, and what blocking and clustering counted."""

    tables: dict[str, pl.DataFrame]
    report: dict[str, object]


def link(work: Path, as_of: date, pairing: Pairing = pair_up) -> None:
    """Links the records of `work/record/*.parquet` and writes person_record, person, review_queue, identity, identity_event and linkage.json.

    Args:
        work: the run's folder; `previous/` holds the last register's tables, where there is one. as_of: the day the run is for.
        pairing: how pairs are found and weighed: here, or part by part elsewhere.
    """
    files = sorted((work / "record").glob("*.parquet"))

    previous = {f.stem: pl.read_parquet(f) for f in sorted((work / "previous").glob("*.parquet"))}
    run = _Run(partial(_all_parts, files, TOLD), code_parts(_all_parts(files, READ)), previous, as_of, load_model(), pairing)
    gathering = run.gathering(work / "linkage_rows")
    with GrowingParquet(work / "person_record.parquet") as out:
        out.write(PERSON_RECORD.empty())
        for part in run.counted(gathering.person_record()):
            out.write(part)
    identity = []
    with GrowingParquet(work / "person.parquet") as out:
        out.write(PERSON.empty())
        for person, living in gathering.persons():
            out.write(person)
            identity.append(living)
    shutil.rmtree(work / "linkage_rows")
    tables = run.rest(identity)
    for name, table in tables.items():
        table.write_parquet(work / f"{name}.parquet")
    (work / "linkage.json").write_text(json.dumps(run.report(tables), ensure_ascii=False, indent=1), encoding="utf-8")


def parts(file: Path, columns: Iterable[str]) -> Iterator[pl.DataFrame]:
    """Some columns of a Parquet file, part by part."""
    rows = pl.scan_parquet(file).select(columns)
    for first in range(0, rows.select(pl.len()).collect().item(), _PART_ROWS):
        yield rows.slice(first, _PART_ROWS).collect()


def _all_parts(files: list[Path], columns: Iterable[str]) -> Iterator[pl.DataFrame]:
    return chain.from_iterable(parts(file, columns) for file in files)


def link_records(record: pl.DataFrame, previous: dict[str, pl.DataFrame], as_of: date, model: Model | None = None) -> Linked:
    """The same on frames: RECORD and the last run's tables in, this run's tables out."""
    record = RECORD.conform(record)
    run = _Run(lambda: iter([record]), code_parts([record]), previous, as_of, model or load_model())
    gathering = run.gathering(None)
    person_record = pl.concat(run.counted(gathering.person_record())).sort(PERSON_RECORD.key)
    made = list(gathering.persons())
    tables = {"person_record": person_record, "person": pl.concat([PERSON.empty(), *(person for person, _ in made)])} | run.rest(
        [living for _, living in made]
    )
    return Linked(tables, run.report(tables))


@dataclass(frozen=True)
class Found:
    """Who belongs together: the night, the report of blocking, the weighed pairs, the clusters; `bound`, the decisions that bind; and `rows`, the distinct
    rows with their clusters."""

    night: Night
    blocks: pl.DataFrame
    weighed: pl.DataFrame
    clustering: Clustering
    bound: pl.DataFrame
    rows: pl.DataFrame


def resolve(records: Records, previous: dict[str, pl.DataFrame], as_of: date, model: Model, pairing: Pairing = pair_up) -> Found:
    """From coded records to clusters: the part that has nothing to do with what persons are called."""
    night = prepare_records(records, as_of, model)
    records.shed()
    weighed, blocks = pairing(night, model)
    night.shed()
    rows = records.rows.select("record_hash", "feed_key", "first_seen", "last_seen").with_columns(
        night.members["unit"], own_id=_own_ids(night)
    )
    bound = decisions(_queue(previous), rows, previous.get("person_record"))
    clustering = cluster_units(_links(weighed, model), _constraints(night, weighed, bound, model), model.margin)
    decided = pl.concat([bound["l"], bound["r"]]).unique()
    rows = rows.with_columns(clustering.cluster["cluster"].gather(rows["unit"]), is_decided=pl.col("unit").is_in(decided.implode()))
    return Found(night, blocks, weighed, clustering, bound, rows)


def _own_ids(night: Night) -> pl.Series:
    """The own number of each distinct row, packed; null where it has none."""
    return pl.repeat(None, night.records.count, dtype=pl.UInt64, eager=True).scatter(night.own["rec"], night.own["own_id"])


class _Run:
    """One run: what was found, what persons are called, and the tables that come of it."""

    def __init__(
        self, source: Source, records: Records, previous: dict[str, pl.DataFrame], as_of: date, model: Model, pairing: Pairing = pair_up
    ) -> None:
        self._source, self._model = source, model
        self._of_row = records.of_row
        self._queue = _queue(previous)
        self._found = resolve(records, previous, as_of, model, pairing)
        memory = remember(previous.get("identity"), previous.get("person_record"), previous.get("person"))
        self._named = name_clusters(self._found.rows, memory, as_of)
        self._methods: Counter[str] = Counter()
        self._seen = self._named.person.sort("person_id")

    def gathering(self, folder: Path | None) -> Gathering:
        """The tables of persons; `folder`: where rows may wait on the disk."""
        found, seen = self._found, self._seen
        place = np.zeros(found.night.units.count, dtype=np.uint32)
        place[seen["cluster"].to_numpy()] = np.arange(seen.height, dtype=np.uint32)
        unit, hashes = found.rows["unit"].to_numpy(), found.rows["record_hash"].to_numpy()
        strongest = strongest_links(
            found.weighed, found.clustering.cluster, found.bound, _heads(unit, hashes, found.night.units.count), self._model
        )
        copies = np.bincount(self._of_row, minlength=len(hashes))
        outcome = Outcome(
            of_row=self._of_row,
            person=place[found.rows["cluster"].to_numpy()],
            role=roles(found.night.own, len(hashes)),
            holding=holding(found.night.own, found.night.held, hashes, copies, strongest, self._model),
            seen=seen.select("person_id", "first_seen", "last_seen"),
            changed=pl.concat([found.night.changed["old_id"], found.night.changed["new_id"]]).unique(),
        )
        return Gathering(self._source, outcome, folder)

    def counted(self, parts: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """The parts of person_record, their methods counted as they pass."""
        for part in parts:
            self._methods.update(dict(part.group_by("link_method").len().iter_rows()))
            yield part

    def rest(self, living: list[pl.DataFrame]) -> dict[str, pl.DataFrame]:
        """review_queue, identity and identity_event, when the living are known."""
        found = self._found
        identity = pl.concat([IDENTITY.empty(), *living, self._named.former]).sort("person_id")
        persons = (
            found.rows.select("unit", "cluster")
            .unique("unit")
            .join(self._seen.select("cluster", "person_id"), on="cluster")
            .select("unit", "person_id")
        )
        settled = settle(found.bound, persons)
        heads = persons.with_columns(
            record_hash=_heads(found.rows["unit"].to_numpy(), found.rows["record_hash"].to_numpy(), found.night.units.count)[
                persons["unit"].to_numpy()
            ]
        )
        doubtful = _doubtful(found.weighed, found.clustering, heads, self._model).join(settled, on=["left", "right"], how="anti")
        sides = identity.filter(pl.col("person_id").is_in(pl.concat([doubtful["left"], doubtful["right"]]).unique().implode()))
        sides = sides.select("person_id", records="record_hashes", keys="record_keys")
        queue = build_queue(doubtful, sides, mark_contradictions(self._queue, settled), self._model)
        return {"review_queue": queue, "identity": identity, "identity_event": self._named.events}

    def report(self, tables: dict[str, pl.DataFrame]) -> dict[str, object]:
        """Counts for the run record: nothing personal."""
        found = self._found
        return {
            "distinct_rows": found.rows.height,
            "units": found.night.units.count,
            "units_with_number": int(found.night.trusted.sum()),
            "pairs_compared": found.weighed.height,
            "links_refused": dict(found.clustering.refused.group_by("cause").len().sort("cause").iter_rows()),
            "persons": self._seen.height,
            "in_review": tables["review_queue"].height,
            "methods": dict(sorted(self._methods.items())),
            "number_roles": dict(found.night.own.group_by(pl.col("id_role").cast(pl.String)).len().sort("id_role").iter_rows()),
            "blocking": found.blocks.to_dicts(),
        }


def _queue(previous: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """The last run's review queue."""
    return REVIEW_QUEUE.conform(previous["review_queue"]) if "review_queue" in previous else REVIEW_QUEUE.empty()


def _heads(unit: npt.NDArray[np.uint32], hashes: npt.NDArray[np.uint64], count: int) -> npt.NDArray[np.uint64]:
    """The smallest record_hash of each unit; rows lie in the order of their hashes."""
    heads = np.zeros(count, dtype=np.uint64)
    heads[unit[::-1]] = hashes[::-1]
    return heads


def _links(weighed: pl.DataFrame, model: Model) -> pl.DataFrame:
    """The pairs heavy enough to link, but those of two numbers: l, r, match_weight, and `wavering`, where nothing but the family and the day agree."""
    name, birth = model.comparison("name"), model.comparison("birth_date")
    other_name = pl.col("name").is_between(name.position("order"), name.position("different"))
    by_number = (pl.col("id_number") <= model.comparison("id_number").position("one_digit")).fill_null(False)
    by_key = pl.any_horizontal((pl.col(c) == 0).fill_null(False) for c in ("certificate", "document", "record_key"))
    wavering = other_name & (pl.col("birth_date") == birth.position("same")) & ~by_number & ~by_key
    links = weighed.filter(pl.col("match_probability") >= model.link, ~pl.col("both_trusted"))
    return links.select("l", "r", "match_weight", wavering=wavering.fill_null(False))


def _constraints(night: Night, weighed: pl.DataFrame, bound: pl.DataFrame, model: Model) -> Constraints:
    """What keeps units apart or together: decisions, and pairs that were compared and contradict each other."""
    birth = model.comparison("birth_date").position("same")
    against = weighed.filter(pl.col("pair_probability") < model.apart, pl.col("least_weight") < 0, ~pl.col("both_trusted")).select(
        "l", "r", cause=pl.when(pl.col("birth_date") == birth).then(pl.lit("twins")).otherwise(pl.lit("contradiction"))
    )
    decided = bound.filter(pl.col("decision").is_in(["different", "unsure"]), pl.col("l") != pl.col("r")).select(
        "l", "r", cause=pl.lit("decided")
    )
    same = bound.filter(pl.col("decision") == "same", pl.col("l") != pl.col("r")).select("l", "r").unique().sort("l", "r")
    apart = pl.concat([decided, against]).unique(["l", "r"], keep="first", maintain_order=True)
    return Constraints(pl.Series(night.trusted), apart, same, sources=_feeds(night))


def _feeds(night: Night) -> pl.Series:
    """The feeds of each unit, a bit for each."""
    unit, feed = night.held.unit, night.records.rows["feed"].to_physical().to_numpy()
    bits = np.zeros(night.units.count, dtype=np.int64)
    for each in np.unique(feed):
        bits[unit[feed == each]] |= 1 << int(each)
    return pl.Series(bits)


def _doubtful(weighed: pl.DataFrame, clustering: Clustering, heads: pl.DataFrame, model: Model) -> pl.DataFrame:
    """Pairs for a clerk: between the thresholds, of two numbers, refused in clustering, or with a number that was taken for a sibling's.

    Args:
        heads: unit, record_hash (its smallest), person_id.
    """
    doubtful = weighed.filter(pl.col("match_probability") >= model.review).join(
        clustering.refused, on=["l", "r"], how="left", maintain_order="left"
    )
    doubtful = (
        doubtful.join(heads.select(l="unit", left_record="record_hash", left="person_id"), on="l", how="left", maintain_order="left")
        .join(heads.select(r="unit", right_record="record_hash", right="person_id"), on="r", how="left", maintain_order="left")
        .filter(pl.col("left") != pl.col("right"))
    )
    swap = pl.col("left") > pl.col("right")
    doubtful = doubtful.with_columns(
        pl.when(swap).then(pl.col(there)).otherwise(pl.col(here)).alias(here)
        for here, there in (("left", "right"), ("right", "left"), ("left_record", "right_record"), ("right_record", "left_record"))
    )
    return doubtful.with_columns(cause=pl.when("both_trusted").then(pl.lit("two_numbers")).otherwise(pl.col("cause").fill_null("doubtful")))
