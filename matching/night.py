"""One night's material: RECORD goes in; the distinct rows, whose numbers they hold, and the units that are compared come out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from matching import anchors, features
from matching.comparisons import Units
from matching.features import Records
from matching.frequencies import frequencies
from matching.model import Model

# parents are compared with their like; everybody else is just somebody near the child
_ROLES = {"father": 1, "mother": 2}


@dataclass(frozen=True)
class Night:
    """What one night's linkage works on.

    Attributes:
        records: the distinct rows. own: whose numbers they hold (`anchors.OWN_SCHEMA`). changed: old_id, new_id of one child.
        members: rec, unit. units: the units' values. trusted: for each unit, whether it has a number of its own.
    """

    records: Records
    own: pl.DataFrame
    changed: pl.DataFrame
    members: pl.DataFrame
    units: Units
    trusted: pl.Series


def prepare(record: pl.DataFrame, as_of: date, model: Model) -> Night:
    """The night of a RECORD frame; `as_of` is the day ages are counted on."""
    records = features.code_records(record)
    own = anchors.own_numbers(records, as_of)
    changed = anchors.changed_numbers(records, own)
    members = _members(records, own, changed)
    return Night(records, own, changed, members, *_units(records, own, members, model))


def prepare_rows(records: Records, model: Model) -> Units:
    """Every row as a unit of its own, with what it says itself and nothing of its number: what training compares."""
    members = records.rows.select("rec", unit="rec")
    return _units(records, anchors.OWN_SCHEMA.to_frame(), members, model)[0]


def _units(records: Records, own: pl.DataFrame, members: pl.DataFrame, model: Model) -> tuple[Units, pl.Series]:
    """The units' values, and which units have a number of their own."""
    count = members["unit"].n_unique()
    values = {name: features.lift(long, members) for name, long in features.attributes(records, own).items()}
    texts = features.id_texts(records, own)
    values |= {
        "id_number": features.lift(features.coded(texts.filter(~pl.col("text").str.contains("?", literal=True)), "text"), members),
    }
    units = Units(
        count=count,
        values=values,
        names=records.names,
        relatives=features.lift(_people_near(records), members),
        id_texts=features.lift(texts, members),
        frequencies=frequencies(values, records.names, count, model),
    )
    numbered = own.filter(pl.col("own_id").is_not_null()).join(members, on="rec")["unit"].unique()
    trusted = np.zeros(count, dtype=np.bool_)
    trusted[numbered.to_numpy()] = True
    return units, pl.Series("is_trusted", trusted)


def _members(records: Records, own: pl.DataFrame, changed: pl.DataFrame) -> pl.DataFrame:
    """rec, unit: rows with one number (or numbers that were changed into each other) are one unit, every other row its own."""
    numbers = own.filter(pl.col("own_id").is_not_null()).select("rec", "own_id")
    codes = numbers.select("own_id").unique().sort("own_id").with_row_index("code")
    ends = [changed.join(codes, left_on=side, right_on="own_id", maintain_order="left")["code"].to_numpy() for side in ("old_id", "new_id")]
    graph = coo_array((np.ones(changed.height, dtype=np.int8), (ends[0], ends[1])), shape=(codes.height, codes.height))
    child = connected_components(graph, directed=False)[1] if codes.height else np.empty(0, dtype=np.int32)
    codes = codes.with_columns(child=pl.Series(child, dtype=pl.Int64))
    grouped = numbers.join(codes, on="own_id").select("rec", "child")
    rows = records.rows.select("rec").join(grouped, on="rec", how="left", maintain_order="left")
    rows = rows.with_columns(head=pl.when(pl.col("child").is_not_null()).then(pl.col("rec").min().over("child")).otherwise("rec"))
    return rows.select("rec", unit=(pl.col("head").rank("dense") - 1).cast(pl.UInt32))


def _people_near(records: Records) -> pl.DataFrame:
    """rec, name_code, number, role of everybody a row names, the mother inside 某某之子 among them."""
    codes = records.relatives.select("id_number").drop_nulls().unique().sort("id_number").with_row_index("number")
    held = records.relatives.join(codes, on="id_number", how="left", maintain_order="left").select(
        "rec", "name_code", "number", role=pl.col("relation").replace_strict(_ROLES, default=0, return_dtype=pl.Int8)
    )
    inside = records.rows.filter(pl.col("mother_code").is_not_null()).select(
        "rec", name_code="mother_code", number=pl.lit(None, dtype=pl.UInt32), role=pl.lit(2, dtype=pl.Int8)
    )
    inside = inside.join(held, on=["rec", "name_code"], how="anti")
    return pl.concat([held, inside]).filter(pl.col("name_code").is_not_null() | pl.col("number").is_not_null())
