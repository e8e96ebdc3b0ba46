"""One night's material: RECORD goes in; the distinct rows, whose numbers they hold, and the units that are compared come out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from matching import anchors, features
from matching.coding import Records, code_records
from matching.comparisons import Units
from matching.features import Members
from matching.frequencies import common, frequencies
from matching.model import Model
from matching.sets import Sets


@dataclass
class Night:
    """What one night's linkage works on.

    Attributes:
        records: the distinct rows. own: whose numbers they hold (`anchors.OWN_SCHEMA`). changed: old_id, new_id of one child.
        held: which rows make which unit. units: the units' values. trusted: for each unit, whether it has a number of its own.
    """

    records: Records
    own: pl.DataFrame
    changed: pl.DataFrame
    held: Members
    units: Units
    trusted: npt.NDArray[np.bool_]

    def shed(self) -> None:
        """Let go of what pairs are made of, when they are made; how many units there are stays."""
        self.records.names = self.records.names.clear()
        self.units = replace(self.units, values={}, names=self.records.names, partial=self.units.partial.clear(), frequencies={}, common={})

    @property
    def trust(self) -> pl.DataFrame:
        """unit, is_trusted."""
        return pl.DataFrame({"is_trusted": self.trusted}).with_row_index("unit")

    @property
    def members(self) -> pl.DataFrame:
        """rec, unit."""
        return self.held.table()


def prepare(record: pl.DataFrame, as_of: date, model: Model) -> Night:
    """The night of a RECORD frame; `as_of` is the day ages are counted on."""
    return prepare_records(code_records(record), as_of, model)


def prepare_records(records: Records, as_of: date, model: Model) -> Night:
    """The night of coded records."""
    own = anchors.own_numbers(records, as_of)
    changed = anchors.changed_numbers(records, own)
    members = members_of(records.count, own, changed)
    return night_of(records, own, changed, members, features.attributes(records, own, members), model)


def night_of(records: Records, own: pl.DataFrame, changed: pl.DataFrame, members: Members, values: dict[str, Sets], model: Model) -> Night:
    """The night of what was found out; `values`: every attribute of the units."""
    trusted = np.zeros(members.count, dtype=np.bool_)
    trusted[members.unit[own.filter(pl.col("own_id").is_not_null())["rec"].to_numpy()]] = True
    return Night(records, own, changed, members, _units(records, values, model), trusted)


def prepare_rows(records: Records, model: Model) -> Units:
    """Every row as a unit of its own, with what it says itself and nothing of its number: what training compares."""
    each = np.arange(records.count, dtype=np.uint32)
    return _units(records, features.attributes(records, anchors.OWN_SCHEMA.to_frame(), Members(each, each)), model)


def _units(records: Records, values: dict[str, Sets], model: Model) -> Units:
    """The units' values, and what they stand for."""
    partial = records.partial.select("code", "text").unique(maintain_order=True)
    return Units(values["name"].count, values, records.names, partial, frequencies(values, records.names, model), common(values))


def members_of(count: int, own: pl.DataFrame, changed: pl.DataFrame) -> Members:
    """The units of `count` rows: rows with one number (or numbers that were changed into each other) are one unit, every other row its own.

    Args:
        own: OWN_SCHEMA, in the order of rec. changed: old_id, new_id.
    """
    held = own.select("rec", "own_id").drop_nulls().sort("own_id", maintain_order=True)
    rec, number = held["rec"].to_numpy(), held["own_id"].to_numpy()
    is_first = np.append(True, number[1:] != number[:-1])[: len(number)]
    codes, first = number[is_first], rec[is_first]
    ends = [np.searchsorted(codes, changed[side].to_numpy()) for side in ("old_id", "new_id")]
    graph = coo_array((np.ones(changed.height, dtype=np.int8), (ends[0], ends[1])), shape=(len(codes), len(codes)))
    child = connected_components(graph, directed=False)[1] if changed.height else np.arange(len(codes))
    smallest = np.full(len(codes), count, dtype=np.uint32)
    np.minimum.at(smallest, child, first)
    head = np.arange(count, dtype=np.uint32)
    head[rec] = smallest[child][np.cumsum(is_first) - 1]
    is_head = head == np.arange(count, dtype=np.uint32)
    return Members((np.cumsum(is_head) - 1)[head].astype(np.uint32), head)
