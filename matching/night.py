"""One night's material: RECORD goes in; the distinct rows, whose numbers they hold, and the units that are compared come out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from matching import anchors, features
from matching.comparisons import Units
from matching.features import Members, Records
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
    members = members_of(records.rows.height, own, changed)
    return Night(records, own, changed, members.table(), *_units(records, own, members, model))


def prepare_rows(records: Records, model: Model) -> Units:
    """Every row as a unit of its own, with what it says itself and nothing of its number: what training compares."""
    each = np.arange(records.rows.height, dtype=np.uint32)
    return _units(records, anchors.OWN_SCHEMA.to_frame(), Members(each, each), model)[0]


def _units(records: Records, own: pl.DataFrame, members: Members, model: Model) -> tuple[Units, pl.Series]:
    """The units' values, and which units have a number of their own."""
    texts = features.id_texts(records, own, members)
    whole = texts.filter(~pl.col("text").str.contains("?", literal=True)).select("unit", value=pl.col("text").hash())
    values = features.attributes(records, own, members) | {"id_number": whole}
    units = Units(
        count=members.count,
        values=values,
        names=records.names,
        relatives=_people_near(records, members),
        id_texts=texts,
        frequencies=frequencies(values, records.names, members.count, model),
    )
    trusted = np.zeros(members.count, dtype=np.bool_)
    trusted[members.unit[own.filter(pl.col("own_id").is_not_null())["rec"].to_numpy()]] = True
    return units, pl.Series("is_trusted", trusted)


def members_of(count: int, own: pl.DataFrame, changed: pl.DataFrame) -> Members:
    """The units of `count` rows: rows with one number (or numbers that were changed into each other) are one unit, every other row its own."""
    numbers = own.filter(pl.col("own_id").is_not_null()).select("rec", "own_id")
    codes = numbers.select("own_id").unique().sort("own_id").with_row_index("code")
    ends = [changed.join(codes, left_on=side, right_on="own_id", maintain_order="left")["code"].to_numpy() for side in ("old_id", "new_id")]
    graph = coo_array((np.ones(changed.height, dtype=np.int8), (ends[0], ends[1])), shape=(codes.height, codes.height))
    child = connected_components(graph, directed=False)[1] if codes.height else np.empty(0, dtype=np.int32)
    held = numbers.join(codes, on="own_id").sort("rec", descending=True)
    of = child[held["code"].to_numpy()]
    # the smallest rec of each child is written last
    first: npt.NDArray[np.uint32] = np.zeros(codes.height, dtype=np.uint32)
    first[of] = held["rec"].to_numpy()
    head = np.arange(count, dtype=np.uint32)
    head[held["rec"].to_numpy()] = first[of]
    is_head = head == np.arange(count)
    return Members((np.cumsum(is_head) - 1)[head].astype(np.uint32), head)


def _people_near(records: Records, members: Members) -> pl.DataFrame:
    """unit, name_code, number, role of everybody a unit's rows name, the mother inside 某某之子 among them."""
    held = records.relatives.select(
        "rec", "name_code", number="id_number", role=pl.col("relation").replace_strict(_ROLES, default=0, return_dtype=pl.Int8)
    ).filter(pl.col("name_code").is_not_null() | pl.col("number").is_not_null())
    inside = records.rows.filter(pl.col("mother_code").is_not_null()).select(
        "rec", name_code="mother_code", number=pl.lit(None, dtype=pl.UInt64), role=pl.lit(2, dtype=pl.Int8)
    )
    inside = inside.join(held, on=["rec", "name_code"], how="anti")
    return members.lifted(pl.concat([held, inside]))
