"""Identifiers that last: clusters of this night and the register's memory go in, person_ids, the identity table and its events come out.

A cluster keeps the identifier that most of its rows had: known by record_hash, then by feed and record key, then by the child's own number. A merge
keeps the older (earlier first_seen, then smaller), a split leaves the identifier with the larger part. None is ever given twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
import pyarrow as pa

from matching import identifiers
from schemas.gathering import gathered
from schemas.tables.identity import IDENTITY, IDENTITY_EVENT

_ALPHABET = np.frombuffer(b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789", dtype=np.uint8)
_LENGTH = 12
_SALTS = 64
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
        rows: cluster, record_hash, feed_key (hash of feed:record_key), own_id (packed), first_seen and last_seen (export dates), is_decided (a reviewer
            joined something in the cluster); one row a distinct record.
        memory: the identity table of the last run (IDENTITY).
        as_of: date of the events.
    """
    votes = _votes(rows, memory)
    clusters = rows.group_by("cluster").agg(
        smallest=pl.col("record_hash").min(), first_seen=pl.col("first_seen").min(), last_seen=pl.col("last_seen").max(), is_decided=pl.col("is_decided").any()
    ).sort("smallest")  # fmt: skip
    claims = _claims(votes, clusters, memory)
    kept = claims.unique("cluster", keep="first", maintain_order=True).select("cluster", "person_id")
    merged = claims.join(kept, on=["cluster", "person_id"], how="anti").join(kept.rename({"person_id": "merged_into"}), on="cluster")
    named = clusters.join(kept, on="cluster", how="left", maintain_order="left")
    named = _fresh(named, memory["person_id"])
    return Named(_seen(named, memory), _former(named, merged, memory), _events(named, merged, votes, memory, as_of))


def _votes(rows: pl.DataFrame, memory: pl.DataFrame) -> pl.DataFrame:
    """cluster, person_id, votes: how many rows of the cluster the person had; 0 where only the child's number says so."""
    known = memory.filter(pl.col("state") != "merged")
    by_hash = _only_one(_listed(known, "record_hashes", "record_hash"), "record_hash")
    by_key = _only_one(_listed(known, "record_keys", "feed_key").with_columns(pl.col("feed_key").hash()), "feed_key")
    by_number = _only_one(_listed(known, "id_numbers", "own_id").with_columns(identifiers.packed(pl.col("own_id"))), "own_id")
    hashed = rows.join(by_hash, on="record_hash", how="inner").select("record_hash", "cluster", "person_id")
    rest = rows.join(hashed, on="record_hash", how="anti")
    keyed = rest.join(by_key, on="feed_key").select("record_hash", "cluster", "person_id")
    counted = pl.concat([hashed, keyed]).group_by("cluster", "person_id").agg(votes=pl.len().cast(pl.Int64))
    numbered = rows.select("cluster", "own_id").drop_nulls().unique().join(by_number, on="own_id").select("cluster", "person_id").unique()
    silent = numbered.join(counted, on="cluster", how="anti").join(counted, on="person_id", how="anti")
    return pl.concat([counted, silent.with_columns(votes=pl.lit(0, dtype=pl.Int64))]).sort("cluster", "person_id")


def _listed(memory: pl.DataFrame, column: str, of: str) -> pl.DataFrame:
    """person_id and each item of a column of lists."""
    return memory.select("person_id", pl.col(column).alias(of)).explode(of, empty_as_null=False, keep_nulls=False)


def _only_one(frame: pl.DataFrame, key: str) -> pl.DataFrame:
    """The rows whose key belongs to one person only."""
    return frame.unique().filter(pl.col(key).is_unique())


def _claims(votes: pl.DataFrame, clusters: pl.DataFrame, memory: pl.DataFrame) -> pl.DataFrame:
    """Each known person with the one cluster it goes to, the oldest person of a cluster first."""
    aged = votes.join(clusters.select("cluster", "smallest"), on="cluster").join(memory.select("person_id", "first_seen"), on="person_id")
    one = aged.sort("person_id", pl.col("votes") * -1, "smallest").unique("person_id", keep="first", maintain_order=True)
    return one.sort("cluster", "first_seen", "person_id")


def _fresh(named: pl.DataFrame, taken: pl.Series) -> pl.DataFrame:
    """Fills in identifiers for clusters that have none, from their smallest record_hash, salted until nobody has them."""
    for salt in range(_SALTS):
        open_ = named.filter(pl.col("person_id").is_null()).sort("smallest")
        if open_.is_empty():
            return named
        made = open_.select("cluster", made=short_code("C", open_["smallest"], salt))
        used = pl.concat([taken, named["person_id"].drop_nulls()]).unique()
        made = made.filter(~pl.col("made").is_in(used.implode())).unique("made", keep="first", maintain_order=True)
        named = named.join(made, on="cluster", how="left", maintain_order="left")
        named = named.with_columns(person_id=pl.coalesce("person_id", "made")).drop("made")
    raise RuntimeError(f"no free identifier found in {_SALTS} attempts: two clusters have the same smallest record")


def _seen(named: pl.DataFrame, memory: pl.DataFrame) -> pl.DataFrame:
    """cluster, person_id, first_seen, last_seen: over all runs."""
    before = memory.select("person_id", first_before="first_seen", last_before="last_seen")
    return named.join(before, on="person_id", how="left", maintain_order="left").select(
        "cluster",
        "person_id",
        first_seen=pl.min_horizontal("first_seen", "first_before"),
        last_seen=pl.max_horizontal("last_seen", "last_before"),
    )


def _former(named: pl.DataFrame, merged: pl.DataFrame, memory: pl.DataFrame) -> pl.DataFrame:
    """The known persons that no cluster is called, as they stand after this run (IDENTITY)."""
    rest = memory.join(named, on="person_id", how="anti").join(merged.select("person_id", now="merged_into"), on="person_id", how="left")
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
    cause = pl.when(pl.col("is_decided").any()).then(pl.lit("review")).otherwise(pl.lit("records"))
    flags = named.select("cluster", "is_decided")
    merges = (
        merged.join(flags, on="cluster").group_by("merged_into").agg(others=pl.col("person_id").sort(), cause=cause)
        .select(person_id="merged_into", kind=pl.lit("merged"), others="others", cause="cause")
    )  # fmt: skip
    parts = (
        votes.filter(pl.col("votes") > 0)
        .join(named.select("cluster", "is_decided", now="person_id"), on="cluster")
        .filter(pl.col("now") != pl.col("person_id"))
    )
    parts = parts.join(merged.select("person_id", now="merged_into"), on=["person_id", "now"], how="anti")
    splits = (
        parts.join(named.select("person_id"), on="person_id", how="semi").group_by("person_id").agg(others=pl.col("now").unique().sort(), cause=cause)
        .select("person_id", kind=pl.lit("split"), others="others", cause="cause")
    )  # fmt: skip
    both = pl.concat([merges, splits]).with_columns(on_date=pl.lit(as_of))
    return IDENTITY_EVENT.conform(both.sort("person_id", "kind"))


def remember(identity: pl.DataFrame | None, person_record: pl.DataFrame | None, person: pl.DataFrame | None) -> pl.DataFrame:
    """The identity table of the last run; made from its person and person_record where a register has none."""
    if identity is not None and identity.height:
        return IDENTITY.conform(identity)
    if person_record is None or person is None or not person.height:
        return IDENTITY.empty()
    rows = person_record.group_by("person_id").agg(
        record_hashes=pl.col("record_hash").unique().sort(),
        record_keys=(pl.col("feed") + ":" + pl.col("record_key")).drop_nulls().unique().sort(),
    )
    valid = pl.when(pl.col("id_number_status") == "valid").then("id_number")
    out = person.join(rows, on="person_id", how="left").select(
        "person_id", "first_seen", "last_seen", state=pl.lit("live"), merged_into=pl.lit(None, dtype=pl.String),
        record_hashes=pl.col("record_hashes").fill_null([]), record_keys=pl.col("record_keys").fill_null([]),
        id_numbers=pl.concat_list(valid).list.drop_nulls(),
    )  # fmt: skip
    return IDENTITY.conform(out.sort("person_id"))
