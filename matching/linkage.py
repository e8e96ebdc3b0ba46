"""The station link: this night's records and the last register's memory go in; persons, their records, identifiers and doubtful pairs come out.

Rows with a number of their own come together first (`anchors`); what is left is paired (`blocking`), compared (`comparisons`), weighed (`scoring`)
and clustered under constraints (`clustering`); clusters get lasting identifiers (`identity`), and what is in doubt goes to a clerk (`review`).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from matching.anchors import AGREES
from matching.blocking import block
from matching.clustering import Clustering, Constraints, cluster_units
from matching.comparisons import compare
from matching.identity import Named, name_clusters, remember
from matching.model import Model, load_model
from matching.name_levels import LEVELS
from matching.night import Night, prepare
from matching.people import people
from matching.review import build_queue, decisions, mark_contradictions, settle
from matching.scoring import weigh
from schemas.tables.pair import REVIEW_QUEUE
from schemas.tables.record import PERSON_RECORD, RECORD


@dataclass(frozen=True)
class Linked:
    """The tables of one run by name, and what blocking and clustering counted."""

    tables: dict[str, pl.DataFrame]
    report: dict[str, object]


def link(work: Path, as_of: date) -> None:
    """Links the records of `work/record/*.parquet` and writes person_record, person, review_queue, identity, identity_event and linkage.json.

    Args:
        work: the run's folder; `previous/` holds the last register's tables, where there is one. as_of: the day the run is for.
    """
    files = sorted((work / "record").glob("*.parquet"))
    record = pl.concat([RECORD.empty(), *(RECORD.conform(pl.read_parquet(f)) for f in files)])
    previous = {f.stem: pl.read_parquet(f) for f in sorted((work / "previous").glob("*.parquet"))}
    linked = link_records(record, previous, as_of)
    for name, table in linked.tables.items():
        table.write_parquet(work / f"{name}.parquet")
    (work / "linkage.json").write_text(json.dumps(linked.report, ensure_ascii=False, indent=1), encoding="utf-8")


def link_records(record: pl.DataFrame, previous: dict[str, pl.DataFrame], as_of: date, model: Model | None = None) -> Linked:
    """The same on frames: RECORD and the last run's tables in, this run's tables out."""
    model = model or load_model()
    found = resolve(record, previous, as_of, model)
    night, weighed, clustering, bound, rows = found.night, found.weighed, found.clustering, found.bound, found.rows
    queue = _queue(previous)
    memory = remember(previous.get("identity"), previous.get("person_record"), previous.get("person"))
    spans = record.group_by("record_hash").agg(first_seen=pl.col("export_date").min(), last_seen=pl.col("export_date").max())
    named = name_clusters(rows.join(spans, on="record_hash", how="left", maintain_order="left"), memory, as_of)
    rows = rows.join(named.person, on="cluster", how="left", maintain_order="left")
    person_record = _person_record(record, night, rows, _strongest(weighed, clustering, bound, rows, model), model)
    settled = settle(bound, rows)
    doubtful = _doubtful(weighed, clustering, rows, model).join(settled, on=["left", "right"], how="anti")
    tables = {
        "person_record": person_record,
        "person": _people(record, night, rows, named),
        "review_queue": build_queue(doubtful, _sides(rows), mark_contradictions(queue, settled), model),
        "identity": named.identity,
        "identity_event": named.events,
    }
    return Linked(tables, _report(night, found.blocks, weighed, clustering, tables))


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


def resolve(record: pl.DataFrame, previous: dict[str, pl.DataFrame], as_of: date, model: Model) -> Found:
    """From RECORD to clusters: the part that has nothing to do with what persons are called."""
    night = prepare(record, as_of, model)
    pairs, blocks = block(night.units.values, pl.DataFrame({"unit": range(night.units.count), "is_trusted": night.trusted}, schema_overrides={"unit": pl.UInt32}))
    flags = night.trusted.to_numpy()
    pairs = pairs.with_columns(both_trusted=pl.Series(flags[pairs["l"].to_numpy()] & flags[pairs["r"].to_numpy()]))
    weighed = weigh(compare(pairs, night.units, model), model)
    rows = _distinct_rows(night)
    bound = decisions(_queue(previous), rows, previous.get("person_record"))
    clustering = cluster_units(_links(weighed, model), _constraints(night, weighed, bound, model), model.margin)
    rows = rows.join(clustering.cluster, on="unit", how="left", maintain_order="left").with_columns(
        is_decided=pl.col("unit").is_in(pl.concat([bound["l"], bound["r"]]).unique().implode())
    )
    return Found(night, blocks, weighed, clustering, bound, rows)


def _queue(previous: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """The last run's review queue."""
    return REVIEW_QUEUE.conform(previous["review_queue"]) if "review_queue" in previous else REVIEW_QUEUE.empty()


def _distinct_rows(night: Night) -> pl.DataFrame:
    """rec, unit, record_hash, feed_key, own_id of the distinct rows."""
    rows = night.records.rows.select("rec", "record_hash", "feed", feed_key=pl.col("feed") + ":" + pl.col("record_key"))
    rows = rows.join(night.members, on="rec", how="left", maintain_order="left")
    return rows.join(night.own.select("rec", "own_id", "id_role"), on="rec", how="left", maintain_order="left")


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
    decided = bound.filter(pl.col("decision").is_in(["different", "unsure"]), pl.col("l") != pl.col("r")).select("l", "r", cause=pl.lit("decided"))
    same = bound.filter(pl.col("decision") == "same", pl.col("l") != pl.col("r")).select("l", "r").unique().sort("l", "r")
    apart = pl.concat([decided, against]).unique(["l", "r"], keep="first", maintain_order=True)
    return Constraints(night.trusted, apart, same, sources=_feeds(night))


def _feeds(night: Night) -> pl.Series:
    """The feeds of each unit, a bit for each."""
    rows = night.records.rows.select("feed").with_columns(unit=night.members["unit"])
    bits = np.zeros(night.units.count, dtype=np.int64)
    for i, feed in enumerate(rows["feed"].unique().sort()):
        bits[rows.filter(pl.col("feed") == feed)["unit"].to_numpy()] |= 1 << i
    return pl.Series(bits)


def _strongest(weighed: pl.DataFrame, clustering: Clustering, bound: pl.DataFrame, rows: pl.DataFrame, model: Model) -> pl.DataFrame:
    """For each unit its heaviest link inside its cluster: unit, other (unit), match_weight, match_probability, is_decided."""
    of = clustering.cluster
    decided = bound.filter(pl.col("decision") == "same").select("l", "r", is_decided=pl.lit(True)).unique()
    held = (
        pl.concat([weighed.filter(pl.col("match_probability") >= model.link).select("l", "r"), decided.select("l", "r")]).unique()
        .join(weighed.select("l", "r", "match_weight", "match_probability"), on=["l", "r"], how="left")
        .join(decided, on=["l", "r"], how="left")
        .join(of, left_on="l", right_on="unit").join(of, left_on="r", right_on="unit", suffix="_r")
        .filter(pl.col("cluster") == pl.col("cluster_r"), pl.col("l") != pl.col("r"))
    )  # fmt: skip
    columns = ["unit", "other", "match_weight", "match_probability", "is_decided"]
    ends = pl.concat([held.rename({here: "unit", there: "other"}).select(columns) for here, there in (("l", "r"), ("r", "l"))])
    best = ends.sort("unit", "match_weight", "other", descending=[False, True, False], nulls_last=True).unique("unit", keep="first", maintain_order=True)
    heads = rows.group_by("unit").agg(linked_to=pl.col("record_hash").min())
    return best.join(heads.rename({"unit": "other"}), on="other", how="left", maintain_order="left").with_columns(pl.col("is_decided").fill_null(False))


def _person_record(record: pl.DataFrame, night: Night, rows: pl.DataFrame, strongest: pl.DataFrame, model: Model) -> pl.DataFrame:
    """The PERSON_RECORD table: every row with its person, and the link that holds it there."""
    by_id = _by_id(night, rows, model)
    held = rows.join(by_id, on="rec", how="left", maintain_order="left").join(strongest, on="unit", how="left", suffix="_edge", maintain_order="left")
    copies = record.group_by("record_hash").agg(copies=pl.len())
    held = held.join(copies, on="record_hash", how="left", maintain_order="left").join(_by_repetition(model), how="cross", maintain_order="left")
    by_id_holds, edge_holds, repeated = pl.col("linked_to").is_not_null(), pl.col("other").is_not_null(), pl.col("copies") > 1
    held = held.select(
        "record_hash", "person_id", "id_role",
        link_method=pl.when(by_id_holds).then(pl.lit("id")).when(edge_holds & pl.col("is_decided_edge")).then(pl.lit("review"))
        .when(edge_holds | repeated).then(pl.lit("probabilistic")).otherwise(pl.lit("alone")),
        linked_to=pl.when(by_id_holds).then("linked_to").when(edge_holds).then("linked_to_edge").when(repeated).then("record_hash"),
        match_weight=pl.when(by_id_holds).then("match_weight").when(edge_holds).then("match_weight_edge").when(repeated).then("repeated_weight"),
        match_probability=pl.when(by_id_holds).then("match_probability").when(edge_holds).then("match_probability_edge").when(repeated).then("repeated_probability"),
    )  # fmt: skip
    out = record.drop("id_number").join(held, on="record_hash", how="left", maintain_order="left")
    return PERSON_RECORD.conform(out.sort(PERSON_RECORD.key))


def _odds(weight: pl.Expr, model: Model) -> pl.Expr:
    """The probability of a weight in bits."""
    return 1 / (1 + (-(weight + math.log2(model.prior / (1 - model.prior))).clip(-500, 500) * math.log(2)).exp())


def _by_repetition(model: Model) -> pl.DataFrame:
    """The weight of a row that came twice: same feed, same key, same everything."""
    same = model.comparison("record_key").levels[0].shares
    weight = pl.lit(math.log2(same["match"] / same["stranger"]))
    return pl.select(repeated_weight=weight, repeated_probability=_odds(weight, model))


def _by_id(night: Night, rows: pl.DataFrame, model: Model) -> pl.DataFrame:
    """Rows that share their own number with another: rec, linked_to, match_weight, match_probability.

    The row at the other end is the number's anchor row; the anchor's is the smallest other row. The weight is the number's, the name's and the date's.
    """
    own = night.own.filter(pl.col("own_id").is_not_null()).join(rows.select("rec", "unit", "record_hash"), on="rec")
    own = own.filter(pl.len().over("unit") > 1)
    anchor = own.sort("unit", pl.col("rec") != pl.col("anchor_rec"), "rec").unique("unit", keep="first", maintain_order=True).select("unit", head="rec", head_hash="record_hash")
    own = own.join(anchor, on="unit")
    second = own.filter(pl.col("rec") != pl.col("head")).group_by("unit").agg(second_hash=pl.col("record_hash").min())
    name, day = model.comparison("name"), model.comparison("birth_date")
    names = {i: _bits(name.levels[name.position(each)].shares, model.frequencies.get(each, model.frequencies["name"])) for i, each in enumerate(LEVELS)}
    dates = {AGREES: _bits(day.levels[day.position("same")].shares, model.frequencies["birth"])}
    number = model.comparison("id_number")
    weight = (
        pl.lit(_bits(number.levels[number.position("same")].shares))
        + pl.col("name_level").replace_strict(names, default=0.0, return_dtype=pl.Float64)
        + pl.col("date_level").replace_strict(dates, default=0.0, return_dtype=pl.Float64)
    )
    own = own.join(second, on="unit", how="left").with_columns(match_weight=weight)
    linked_to = pl.when(pl.col("rec") == pl.col("head")).then("second_hash").otherwise("head_hash")
    return own.select("rec", "match_weight", linked_to=linked_to, match_probability=_odds(pl.col("match_weight"), model)).sort("rec")


def _bits(shares: dict[str, float], frequency: float = 1.0) -> float:
    return math.log2(shares["match"] / shares.get("stranger", frequency))


def _people(record: pl.DataFrame, night: Night, rows: pl.DataFrame, named: Named) -> pl.DataFrame:
    """The PERSON table."""
    own = night.own.select("rec", "id_birth", "id_sex")
    told = rows.select("rec", "record_hash", "person_id", "own_id").join(own, on="rec", how="left", maintain_order="left").drop("rec")
    return people(record.join(told, on="record_hash", how="left", maintain_order="left"), named.identity, night.changed)


def _doubtful(weighed: pl.DataFrame, clustering: Clustering, rows: pl.DataFrame, model: Model) -> pl.DataFrame:
    """Pairs for a clerk: between the thresholds, of two numbers, refused in clustering, or with a number that was taken for a sibling's."""
    heads = rows.sort("unit", "record_hash").unique("unit", keep="first", maintain_order=True).select("unit", "record_hash", "person_id")
    doubtful = weighed.filter(pl.col("match_probability") >= model.review).join(clustering.refused, on=["l", "r"], how="left", maintain_order="left")
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


def _sides(rows: pl.DataFrame) -> pl.DataFrame:
    """person_id, records (record_hash), keys (feed:record_key) of each person."""
    return rows.group_by("person_id").agg(records=pl.col("record_hash").unique().sort(), keys=pl.col("feed_key").drop_nulls().unique().sort())


def _report(night: Night, blocks: pl.DataFrame, weighed: pl.DataFrame, clustering: Clustering, tables: dict[str, pl.DataFrame]) -> dict[str, object]:
    """Counts for the run record: nothing personal."""
    return {
        "distinct_rows": night.records.rows.height,
        "units": night.units.count,
        "units_with_number": int(night.trusted.sum()),
        "pairs_compared": weighed.height,
        "links_refused": dict(clustering.refused.group_by("cause").len().sort("cause").iter_rows()),
        "persons": tables["person"].height,
        "in_review": tables["review_queue"].height,
        "methods": dict(tables["person_record"].group_by("link_method").len().sort("link_method").iter_rows()),
        "number_roles": dict(night.own.group_by("id_role").len().sort("id_role").iter_rows()),
        "blocking": blocks.to_dicts(),
    }
