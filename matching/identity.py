"""Identifiers that last: clusters of this night and the register's memory go in, person_ids, the identity table and its events come out.

A cluster keeps the identifier that most of its rows had: known by record_hash, then by feed and record key (where no number shows that a department put
another child under that key), then by the child's own number. A merge keeps the older (earlier first_seen, then smaller), a split leaves the identifier with the part that has the
person's number, else with that which has more of its rows as they were, else with the larger. None is ever given twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
from rapidfuzz import process
from rapidfuzz.distance import OSA

from matching import identifiers
from matching.sets import marked
from schemas.gathering import gathered
from schemas.tables.identity import IDENTITY, IDENTITY_EVENT

_ALPHABET = np.frombuffer(b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789", dtype=np.uint8)
_LENGTH = 12
_SALTS = 64
_NOBODY = -1
_NO_VOTES = pl.DataFrame(schema={"cluster": pl.UInt32, "person": pl.UInt32, "votes": pl.Int64, "unchanged": pl.Int64, "is_refuted": pl.Boolean, "is_stray": pl.Boolean})
_HALF = np.uint64(32)
# odd multipliers of splitmix64: spread the hash so that an identifier shows nothing of a record's hash
_SPREAD = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)


@dataclass(frozen=True)
class Named:
    """What clusters are called: `person` (cluster, person_id, first_seen, last_seen over all runs), the known persons that are no longer (IDENTITY), and the events."""

    person: pl.DataFrame
    former: pl.DataFrame
    events: pl.DataFrame


def short_code(prefix: str, hashes: pl.Series, salt: int = 0) -> pl.Series:
    """Twelve letters and digits (60 bits) behind a prefix for each UInt64, mixed with a salt; nothing can be read back from them."""
    mixed = hashes.to_numpy().astype(np.uint64)
    with np.errstate(over="ignore"):
        mixed = (mixed + np.uint64(salt + 1)) * _SPREAD[0]
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _SPREAD[1]
        mixed = mixed ^ (mixed >> np.uint64(27))
    letters = np.empty((len(mixed), len(prefix) + _LENGTH), dtype=np.uint8)
    letters[:, : len(prefix)] = np.frombuffer(prefix.encode("ascii"), dtype=np.uint8)
    for i in range(_LENGTH):
        letters[:, len(prefix) + i] = _ALPHABET[((mixed >> np.uint64(5 * i)) & np.uint64(31)).astype(np.intp)]
    ends = np.arange(len(mixed) + 1, dtype=np.int64) * letters.shape[1]
    return pl.Series("code", pa.LargeStringArray.from_buffers(len(mixed), pa.py_buffer(ends), pa.py_buffer(letters)), dtype=pl.String)


def name_clusters(rows: pl.DataFrame, memory: pl.DataFrame, as_of: date) -> Named:
    """Gives every cluster its identifier.

    Args:
        rows: cluster, record_hash, feed_key (hash of feed:record_key), own_id (packed), first_seen and last_seen (export dates), is_joined, is_parted (a
            reviewer said that it is one with another, or that it is not); one row a distinct record.
        memory: the identity table of the last run (IDENTITY).
        as_of: date of the events.
    """
    memory = memory.sort("person_id")
    votes = _votes(rows, memory)
    clusters = rows.group_by("cluster").agg(
        smallest=pl.col("record_hash").min(), first_seen=pl.col("first_seen").min(), last_seen=pl.col("last_seen").max(), is_joined=pl.col("is_joined").any(), is_parted=pl.col("is_parted").any(),
    ).sort("smallest")  # fmt: skip
    claims = _claims(votes, clusters, memory)
    is_first = claims["cluster"].is_first_distinct()
    kept = claims.filter(is_first)
    merged = claims.filter(~is_first).join(kept.select("cluster", into="person"), on="cluster", maintain_order="left")
    named = clusters.join(kept.select("cluster", "person"), on="cluster", how="left", maintain_order="left")
    named = _fresh(named.with_columns(memory["person_id"].gather(named["person"])), memory["person_id"])
    return Named(_seen(named, memory), _former(named, merged, memory), _events(named, merged, votes, memory, as_of))


def _votes(rows: pl.DataFrame, memory: pl.DataFrame) -> pl.DataFrame:
    """cluster, person (its place in memory), votes: how many rows of the cluster the person had, 0 where only the child's number says so; unchanged: how many of them as they are; is_stray, see `_strays`; and is_refuted: that, or see `_without_the_number`."""
    known = memory.with_row_index("person").filter(pl.col("state") != "merged")
    if known.is_empty():
        return _NO_VOTES
    cluster = rows["cluster"].to_numpy()
    voted = _owners(rows["record_hash"], _listed(known, "record_hashes"))
    rest = np.flatnonzero(voted == _NOBODY)
    if len(rest):
        voted[rest] = _owners(rows["feed_key"].gather(rest), _listed(known, "record_keys").with_columns(pl.col("value").hash()))
    spoke = voted != _NOBODY
    said = cluster.astype(np.uint64) << _HALF | np.where(spoke, voted, 0).astype(np.uint64)
    both, count = np.unique(said[spoke], return_counts=True)
    spoke[rest] = False
    same, many = np.unique(said[spoke], return_counts=True)
    unchanged = np.zeros(len(both), dtype=np.int64)
    unchanged[np.searchsorted(both, same)] = many
    counted = pl.DataFrame({"cluster": (both >> _HALF).astype(np.uint32), "person": both.astype(np.uint32), "votes": count.astype(np.int64), "unchanged": unchanged})
    counted = counted.with_columns(is_stray=_strays(counted, rows, known))
    counted = counted.select(pl.exclude("is_stray"), pl.col("is_stray").or_(_without_the_number(counted, rows, known)).alias("is_refuted"), "is_stray")
    standing = counted.filter(~pl.col("is_refuted"))
    is_silent = np.ones(int(cluster.max(initial=0)) + 1, dtype=np.bool_)
    is_silent[standing["cluster"].to_numpy()] = False
    numbered = rows.select("cluster", "own_id").filter(is_silent[cluster]).drop_nulls().unique()
    if numbered.is_empty():
        return counted
    texts = numbered.select(identifiers.unpacked(pl.col("own_id"))).to_series()
    held = _listed(known, "id_numbers").filter(pl.col("value").is_in(texts.implode())).with_columns(identifiers.packed(pl.col("value")))
    silent = numbered.select("cluster", person=pl.Series(_owners(numbered["own_id"], held))).filter(pl.col("person") != _NOBODY)
    silent = silent.unique().cast({"person": pl.UInt32}).join(standing, on="person", how="anti")
    told_by_number = {"votes": pl.lit(0, dtype=pl.Int64), "unchanged": pl.lit(0, dtype=pl.Int64), "is_refuted": pl.lit(False), "is_stray": pl.lit(False)}
    return pl.concat([counted, silent.with_columns(**told_by_number)]).sort("cluster", "person")


def _without_the_number(counted: pl.DataFrame, rows: pl.DataFrame, known: pl.DataFrame) -> pl.Series:
    """Which votes are for a part of a person that has not the person's number, while another part has: a child goes with its number, however many rows go elsewhere."""
    person = counted["person"].to_numpy()
    asked = counted.with_row_index("vote").filter((np.bincount(person) > 1)[person]).select("vote", "cluster", "person")
    if asked.is_empty():
        return pl.repeat(False, counted.height, eager=True)
    own = rows.select("cluster", "own_id").drop_nulls().join(asked, on="cluster", how="semi").unique()
    held = _listed(known.join(asked, on="person", how="semi"), "id_numbers").with_columns(identifiers.packed(pl.col("value")))
    has = asked.join(own, on="cluster").join(held, left_on=["person", "own_id"], right_on=["person", "value"], how="semi")
    against = asked.join(has, on="person", how="semi").join(has, on="vote", how="anti")["vote"]
    return pl.repeat(False, counted.height, eager=True).scatter(against, True)


def _strays(counted: pl.DataFrame, rows: pl.DataFrame, known: pl.DataFrame) -> pl.Series:
    """Which votes by record key alone are for another child, under whose key the department has put this one: no number in common, their birth dates no
    slip apart, and either number is another's: the person's stands in another cluster, or the cluster's is another known person's.
    """
    asked = counted.with_row_index("vote").filter(pl.col("unchanged") == 0).select("vote", "cluster", "person")
    own = rows.select("cluster", "own_id").drop_nulls().unique()
    held = _listed(known.join(asked, on="person", how="semi"), "id_numbers").with_columns(identifiers.packed(pl.col("value")))
    both = asked.join(own, on="cluster").join(held, on="person").filter((pl.col("own_id") != pl.col("value")).all().over("vote"))
    if both.is_empty():
        return pl.repeat(False, counted.height, eager=True)
    names = _listed(known, "id_numbers").with_columns(identifiers.packed(pl.col("value")))
    elsewhere = pl.col("value").is_in(own["own_id"].implode()) | pl.col("own_id").is_in(names["value"].implode())
    days = both.select(identifiers.packed_day(pl.col(c)).cast(pl.String) for c in ("own_id", "value"))
    edits = process.cpdist(days["own_id"].to_list(), days["value"].to_list(), scorer=OSA.distance, score_cutoff=2)
    told = both.with_columns(is_other=elsewhere, is_like=pl.Series(edits, dtype=pl.Int32) <= 1)
    against = told.group_by("vote").agg(pl.col("is_other").any() & ~pl.col("is_like").any()).filter("is_other")["vote"]
    return pl.repeat(False, counted.height, eager=True).scatter(against, True)


def _listed(memory: pl.DataFrame, column: str) -> pl.DataFrame:
    """person and each value of a column of lists."""
    return memory.select("person", value=column).explode("value", empty_as_null=False, keep_nulls=False)


def _owners(values: pl.Series, held: pl.DataFrame) -> npt.NDArray[np.int64]:
    """The one person who has each value, -1 where nobody has it or several do; `held`: person, value (UInt64)."""
    wanted = values.fill_null(0).to_numpy()
    has = held["value"].to_numpy()
    near = marked(has, wanted)
    has, person = has[near], held["person"].to_numpy()[near].astype(np.int64)
    order = np.argsort(has)
    has, person = has[order], person[order]
    start = np.flatnonzero(np.append(True, has[1:] != has[:-1])[: len(has)])
    out = np.full(len(wanted), _NOBODY)
    if len(start):
        least, most = np.minimum.reduceat(person, start), np.maximum.reduceat(person, start)
        at = np.minimum(np.searchsorted(has[start], wanted), len(start) - 1)
        found = (has[start][at] == wanted) & (least == most)[at] & values.is_not_null().to_numpy()
        out[found] = least[at[found]]
    return out


def _claims(votes: pl.DataFrame, clusters: pl.DataFrame, memory: pl.DataFrame) -> pl.DataFrame:
    """cluster, person: each known person with the one cluster it goes to, the oldest person of a cluster first."""
    aged = votes.join(clusters.select("cluster", "smallest"), on="cluster", maintain_order="left")
    aged = aged.with_columns(memory["first_seen"].gather(aged["person"]))
    one = aged.filter(~pl.col("is_refuted")).sort("person", pl.col("unchanged") * -1, pl.col("votes") * -1, "smallest").unique("person", keep="first", maintain_order=True)
    return one.sort("cluster", "first_seen", "person").select("cluster", "person")


def _fresh(named: pl.DataFrame, taken: pl.Series) -> pl.DataFrame:
    """Fills in identifiers for clusters that have none, from their smallest record_hash, salted until nobody has them."""
    is_open = named["person_id"].is_null()
    for salt in range(_SALTS):
        open_ = named.filter(pl.col("person_id").is_null()).sort("smallest")
        if open_.is_empty():
            return named
        made = open_.select("cluster", made=short_code("C", open_["smallest"], salt))
        given = named.filter(is_open)["person_id"].drop_nulls()
        made = made.filter(~pl.col("made").is_in(taken.implode()), ~pl.col("made").is_in(given.implode())).unique("made", keep="first", maintain_order=True)
        named = named.join(made, on="cluster", how="left", maintain_order="left")
        named = named.with_columns(person_id=pl.coalesce("person_id", "made")).drop("made")
    raise RuntimeError(f"no free identifier found in {_SALTS} attempts: two clusters have the same smallest record")


def _seen(named: pl.DataFrame, memory: pl.DataFrame) -> pl.DataFrame:
    """cluster, person_id, first_seen, last_seen: over all runs."""
    first, last = (memory[name].gather(named["person"]) for name in ("first_seen", "last_seen"))
    return named.select(
        "cluster", "person_id", first_seen=pl.min_horizontal("first_seen", pl.lit(first)), last_seen=pl.max_horizontal("last_seen", pl.lit(last))
    )  # fmt: skip


def _former(named: pl.DataFrame, merged: pl.DataFrame, memory: pl.DataFrame) -> pl.DataFrame:
    """The known persons that no cluster is called, as they stand after this run (IDENTITY)."""
    is_gone = np.ones(memory.height, dtype=np.bool_)
    is_gone[named["person"].drop_nulls().to_numpy()] = False
    now = merged.select("person", now=memory["person_id"].gather(merged["into"]))
    rest = memory.with_row_index("person").filter(is_gone).join(now, on="person", how="left", maintain_order="left")
    rest = rest.with_columns(
        state=pl.when(pl.col("now").is_not_null() | (pl.col("state") == "merged")).then(pl.lit("merged")).otherwise(pl.lit("gone")),
        merged_into=pl.coalesce("now", "merged_into"),
    )
    return IDENTITY.conform(rest)


def living(rows: pl.DataFrame, seen: pl.DataFrame) -> pl.DataFrame:
    """The IDENTITY rows of persons who have rows.

    Args:
        rows: person (its place in `seen`), record_hash, feed_key (text), own_id (text); one row or more a record. seen: person_id, first_seen, last_seen.
    """
    lists = {"record_hashes": ("record_hash", pl.UInt64), "record_keys": ("feed_key", pl.String), "id_numbers": ("own_id", pl.String)}
    held = []
    for name, (column, dtype) in lists.items():
        long = rows.select(row="person", value=column).drop_nulls().sort("row", "value")
        once = long.filter((pl.col("row") != pl.col("row").shift()).fill_null(True) | (pl.col("value") != pl.col("value").shift()))
        held.append(gathered(once, seen.height, dtype).alias(name))
    return IDENTITY.conform(seen.with_columns(*held, state=pl.lit("live"), merged_into=pl.lit(None, dtype=pl.String)))


def _events(named: pl.DataFrame, merged: pl.DataFrame, votes: pl.DataFrame, memory: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Merges and splits of this run."""
    by_joining, by_parting = (pl.when(pl.col(said).any()).then(pl.lit("review")).otherwise(pl.lit("records")).alias("cause") for said in ("is_joined", "is_parted"))
    called = memory["person_id"]
    merges = merged.join(named.select("cluster", "is_joined"), on="cluster", maintain_order="left")
    merges = merges.with_columns(others=called.gather(merges["person"]), person_id=called.gather(merges["into"]))
    merges = merges.group_by("person_id").agg(by_joining, others=pl.col("others").sort()).select("person_id", kind=pl.lit("merged"), others="others", cause="cause")
    now = named.select("cluster", "is_parted", now="person_id", now_person="person")
    parts = votes.filter(pl.col("votes") > 0).join(now, on="cluster").filter(pl.col("now_person").ne_missing(pl.col("person")))
    parts = parts.filter(~pl.col("is_stray") | pl.col("now_person").is_null())
    parts = parts.join(merged.select("person", now_person="into"), on=["person", "now_person"], how="anti")
    splits = parts.join(named.select("person").drop_nulls(), on="person", how="semi")
    splits = splits.with_columns(called.gather(splits["person"])).group_by("person_id").agg(by_parting, others=pl.col("now").unique().sort())
    both = pl.concat([merges, splits.select("person_id", kind=pl.lit("split"), others="others", cause="cause")]).with_columns(on_date=pl.lit(as_of))
    return IDENTITY_EVENT.conform(both.sort("person_id", "kind"))


def remember(previous: Mapping[str, pl.LazyFrame]) -> pl.DataFrame:
    """The identity table of the last run, of its tables by name; made from its person and person_record where a register has none."""
    identity = previous["identity"].collect() if "identity" in previous else IDENTITY.empty()
    if identity.height or not {"person", "person_record"} <= set(previous):
        return IDENTITY.conform(identity)
    rows = previous["person_record"].group_by("person_id").agg(
        record_hashes=pl.col("record_hash").unique().sort(),
        record_keys=(pl.col("feed") + ":" + pl.col("record_key")).drop_nulls().unique().sort(),
    )
    valid = pl.when(pl.col("id_number_status") == "valid").then("id_number")
    out = previous["person"].join(rows, on="person_id", how="left").select(
        "person_id", "first_seen", "last_seen", state=pl.lit("live"), merged_into=pl.lit(None, dtype=pl.String),
        record_hashes=pl.col("record_hashes").fill_null([]), record_keys=pl.col("record_keys").fill_null([]),
        id_numbers=pl.concat_list(valid).list.drop_nulls(),
    )  # fmt: skip
    return IDENTITY.conform(out.sort("person_id").collect())
