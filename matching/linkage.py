"""The station link: this night's records and the last register's memory go in; persons, their records, identifiers and doubtful pairs come out.

Rows with a number of their own come together first (`anchors`); what is left is paired (`blocking`), compared (`comparisons`), weighed (`scoring`)
and clustered under constraints (`clustering`); clusters get lasting identifiers (`identity`), and what is in doubt goes to a clerk (`review`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from matching import apart
from matching.again.base import Keeping, read_base
from matching.again.night import Begun, go_on
from matching.again.source import Source
from matching.clustering import Constraints, cluster_units
from matching.coding import code_parts
from matching.decided import decisions
from matching.found import Found
from matching.model import Model, load_model
from matching.night import Night, prepare_records
from matching.pairs import Pairing, Shed, pair_up
from matching.persons import TOLD
from matching.run import Run
from schemas.growing import GrowingParquet
from schemas.tables.identity import IDENTITY
from schemas.tables.record import PERSON, PERSON_RECORD, RECORD

# the comparisons by which pairs contradict themselves
_TELLING = ("name", "birth_date", "id_number", "relatives", "certificate", "document", "record_key")


@dataclass(frozen=True)
class Linked:
    """The tables of one run by name, and what blocking and clustering counted."""

    tables: dict[str, pl.DataFrame]
    report: dict[str, object]


def link(work: Path, as_of: date, pairing: Pairing = pair_up, shelf: Path | None = None) -> None:
    """Links the records of `work/record/*.parquet` and writes person_record, person, review_queue, identity, identity_event and linkage.json.

    Args:
        work: the run's folder; `previous/` holds the last register's tables, where there is one. as_of: the day the run is for.
        pairing: how pairs are found and weighed: here, or part by part elsewhere.
        shelf: a folder in which what is worked out is kept, and which is gone on from where it holds another night's; nothing is where none is given.
    """
    source = Source.of_files(sorted((work / "record").glob("*.parquet")))
    previous = {f.stem: pl.scan_parquet(f) for f in sorted((work / "previous").glob("*.parquet"))}
    run = _run(source, previous, as_of, load_model(), pairing, shelf)
    gathering = run.gathering(partial(source.parts, TOLD), work / "linkage_rows")
    with GrowingParquet(work / "person_record.parquet") as out:
        out.write(PERSON_RECORD.empty())
        for part in run.counted(gathering.person_record()):
            out.write(part)
    with GrowingParquet(work / "person.parquet") as persons, GrowingParquet(work / "identity.parquet") as identity:
        persons.write(PERSON.empty())
        identity.write(IDENTITY.empty())
        for person, living in gathering.persons():
            persons.write(person)
            identity.write(run.identity(living))
        rest = run.rest()
        identity.write(rest.pop("identity"))
    shutil.rmtree(work / "linkage_rows")
    for name, table in rest.items():
        table.write_parquet(work / f"{name}.parquet")
    (work / "linkage.json").write_text(json.dumps(run.report(rest["review_queue"].height), ensure_ascii=False, indent=1), encoding="utf-8")


def link_records(record: pl.DataFrame, previous: dict[str, pl.DataFrame], as_of: date, model: Model | None = None, shelf: Path | None = None) -> Linked:
    """The same on frames: RECORD and the last run's tables in, this run's tables out."""
    record = RECORD.conform(record)
    known = {name: table.lazy() for name, table in previous.items()}
    run = _run(Source((record.lazy(),)), known, as_of, model or load_model(), pair_up, shelf)
    gathering = run.gathering(lambda: iter([record]), None)
    person_record = pl.concat(run.counted(gathering.person_record())).sort(PERSON_RECORD.key)
    made = [(person, run.identity(living)) for person, living in gathering.persons()]
    tables = {"person_record": person_record, "person": pl.concat([PERSON.empty(), *(person for person, _ in made)])} | run.rest()
    tables["identity"] = pl.concat([IDENTITY.empty(), *(identity for _, identity in made), tables["identity"]])
    return Linked(tables, run.report(tables["review_queue"].height))


def _run(source: Source, previous: Mapping[str, pl.LazyFrame], as_of: date, model: Model, pairing: Pairing, shelf: Path | None) -> Run:
    night, paired = tonight(source, as_of, model, pairing, shelf)
    return Run(clustered(night, paired, previous, model, source), night.records.of_row, previous, as_of, model)


def tonight(source: Source, as_of: date, model: Model, pairing: Pairing = pair_up, shelf: Path | None = None) -> tuple[Night, Shed]:
    """From records to weighed pairs, going on from what the shelf has; see `link`."""
    begun = None if shelf is None else _begun(shelf, source, as_of, model)
    night = prepare_records(code_parts(source.parts()), as_of, model) if begun is None else begun.night
    keeping = None if shelf is None else Keeping(shelf, night)
    if begun is not None:
        paired = begun.paired(model)
    else:
        # a large night has no room for what units are made of and for what pairs are
        if keeping is None:
            night.records.shed()
        else:
            keeping.when_rows_are_written(night.records.shed)
        paired = pairing(night, model)
    if keeping is not None and paired.over is not None:
        keeping.finish(paired, as_of, model)
    night.records.shed()
    night.shed()
    return night, paired.shed(model)


def _begun(shelf: Path, source: Source, as_of: date, model: Model) -> Begun | None:
    """The night gone on from what the shelf has; none where it has none, or all is better done anew."""
    base = read_base(shelf)
    return None if base is None else go_on(base, source, as_of, model)


def clustered(night: Night, paired: Shed, previous: Mapping[str, pl.LazyFrame], model: Model, source: Source) -> Found:
    """From weighed pairs to clusters: the part that has nothing to do with what persons are called."""
    records, weighed = night.records, paired.weighed
    rows = records.rows.select("record_hash", "feed_key", "first_seen", "last_seen").with_columns(
        night.members["unit"], own_id=_own_ids(night)
    )
    decided = decisions(previous, rows, source)
    bound = decided.bound
    links = _links(weighed, model)
    clustering = cluster_units(links, _constraints(night, weighed, bound, links, model), model.margin)
    same = pl.col("decision") == "same"
    rows = rows.with_columns(
        clustering.cluster["cluster"].gather(rows["unit"]), is_joined=_is_either(bound.filter(same)), is_parted=_is_either(bound.filter(~same))
    )
    return Found(night.own, night.changed, night.held, int(night.trusted.sum()), paired.report, weighed, paired.shown, clustering, decided, rows)


def _is_either(pairs: pl.DataFrame) -> pl.Expr:
    """Whether `unit` is an end of one of some pairs."""
    return pl.col("unit").is_in(pl.concat([pairs["l"], pairs["r"]]).unique().implode())


def _own_ids(night: Night) -> pl.Series:
    """The own number of each distinct row, packed; null where it has none."""
    return pl.repeat(None, night.records.count, dtype=pl.UInt64, eager=True).scatter(night.own["rec"], night.own["own_id"])


def _links(weighed: pl.DataFrame, model: Model) -> pl.DataFrame:
    """The pairs heavy enough to link, but those of two numbers: l, r, match_weight, and is_firm: see `_is_firm`."""
    heavy = weighed.filter(pl.col("match_probability") >= model.link, ~pl.col("both_trusted"))
    return heavy.select("l", "r", "match_weight", is_firm=_is_firm(model))


def _is_firm(model: Model) -> pl.Expr:
    """Whether the two of a pair share what only one child would: a number, or the key of a row."""
    by_number = (pl.col("id_number") <= model.comparison("id_number").position("one_digit")).fill_null(False)
    return by_number | pl.any_horizontal((pl.col(c) == 0).fill_null(False) for c in ("certificate", "document", "record_key"))


def _wavers(model: Model) -> pl.Expr:
    """What the two of a pair may be instead of one, where name and birth date do not both agree and nothing but the family does besides; null of others."""
    name, birth = model.comparison("name"), model.comparison("birth_date")
    other_name = pl.col("name").is_between(name.position("order"), name.position("different"))
    differs = other_name | pl.col("name").is_in([name.position("same_sound"), name.position("other_surname")])
    apart = differs & pl.col("birth_date").is_between(birth.position("swapped"), birth.position("different"))
    return (
        pl.when(_is_firm(model)).then(None)
        .when(other_name & (pl.col("birth_date") == birth.position("same"))).then(pl.lit("twins"))
        .when(apart).then(pl.lit("contradiction"))
    )  # fmt: skip


def _constraints(night: Night, weighed: pl.DataFrame, bound: pl.DataFrame, links: pl.DataFrame, model: Model) -> Constraints:
    """What keeps units apart or together: decisions, and pairs that were compared and contradict each other, of units that anything links."""
    same = bound.filter(pl.col("decision") == "same", pl.col("l") != pl.col("r")).select("l", "r").unique().sort("l", "r")
    is_linked = np.zeros(night.units.count, dtype=np.bool_)
    for pairs in (links, same):
        for side in ("l", "r"):
            is_linked[pairs[side].to_numpy()] = True
    told = weighed.select("l", "r", *_TELLING, "pair_probability", "least_weight", "both_trusted")
    told = told.filter(is_linked[told["l"].to_numpy()] & is_linked[told["r"].to_numpy()])
    against = told.select("l", "r", cause=apart.cause(model)).drop_nulls("cause")
    wavering = told.filter(~pl.col("both_trusted")).select("l", "r", cause=_wavers(model)).drop_nulls("cause").join(against, on=["l", "r"], how="anti")
    decided = bound.filter(pl.col("decision").is_in(["different", "unsure"]), pl.col("l") != pl.col("r")).select(
        "l", "r", cause=pl.lit("decided")
    )
    never = pl.concat([decided, against]).unique(["l", "r"], keep="first", maintain_order=True)
    return Constraints(pl.Series(night.trusted), never, same, sources=_feeds(night), wavering=wavering)


def _feeds(night: Night) -> pl.Series:
    """The feeds of each unit, a bit for each."""
    unit, feed = night.held.unit, night.records.rows["feed"].to_physical().to_numpy()
    bits = np.zeros(night.units.count, dtype=np.int64)
    for each in np.unique(feed):
        bits[unit[feed == each]] |= 1 << int(each)
    return pl.Series(bits)
