"""Pairs that are known for what they are: a night's records, clerks' decisions or a truth go in; pairs of one child, of strangers, siblings and twins come out.

Numbers know much of it for nothing: rows that carry one number of their own are one child, rows with two numbers two, siblings where a parent's number is
the same, and twins where they were born the same day besides. A truth knows it of the pairs linkage has to decide: those with a side that has no number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from matching.comparisons import Units
from matching.model import Model
from matching.night import Night, prepare_rows

SAMPLE = 300_000
CLASSES = ("match", "stranger", "sibling", "twin")
_SEED = 20241101
_ROW = ("feed", "source_file", "source_row")


@dataclass(frozen=True)
class Labels:
    """Pairs l, r of units by class, and what the units have. `taught_by`: comparisons that the labels themselves rest on, by class: they teach nothing of those."""

    units: Units
    pairs: dict[str, pl.DataFrame]
    taught_by: dict[str, tuple[str, ...]]


def by_number(night: Night, model: Model) -> Labels:
    """What the rows' own numbers tell, of pairs of rows; numbers that were changed into each other tell nothing."""
    shown = pl.concat([night.changed["old_id"], night.changed["new_id"]]).unique()
    held = night.own.filter(pl.col("own_id").is_not_null(), ~pl.col("own_id").is_in(shown.implode())).select("rec", "own_id", "id_birth").sort("own_id", "rec")
    before = held.select(l=pl.col("rec").shift(1), r="rec", same=pl.col("own_id") == pl.col("own_id").shift(1))
    random = _random(held).filter(pl.col("own_id") != pl.col("own_id_r"))
    parents = night.records.relatives.filter(pl.col("relation").is_in(["father", "mother"]), pl.col("number").is_not_null()).select("rec", parent="number")
    near = held.join(parents, on="rec")
    kin = near.join(near, on="parent", suffix="_r").filter(pl.col("own_id") < pl.col("own_id_r"))
    born = pl.col("id_birth") == pl.col("id_birth_r")
    ends = [pl.min_horizontal("rec", "rec_r").alias("l"), pl.max_horizontal("rec", "rec_r").alias("r")]
    found = {
        "match": before.filter("same").select("l", "r"),
        "stranger": random.select(ends).join(kin.select(ends), on=["l", "r"], how="anti"),
        "sibling": kin.filter(~born).select(ends),
        "twin": kin.filter(born).select(ends),
    }
    rests = ("id_number", "record_key", "document")
    return Labels(prepare_rows(night.records, model), _sampled(found), {c: (*rests, "relatives") if c in ("sibling", "twin") else rests for c in CLASSES})


def by_truth(night: Night, record: pl.DataFrame, rows: pl.DataFrame, children: pl.DataFrame) -> Labels:
    """What a truth tells of pairs of units of which one at least has no number.

    Args:
        rows: feed, source_file, source_row, person. children: person, family, twin_of.
    """
    known = rows.select(pl.col("source_row").cast(pl.UInt32), "feed", "source_file", "person")
    told = record.join(known, on=list(_ROW)).group_by("record_hash").agg(pl.col("person").min())
    units = night.records.recs.join(night.members, on="rec").join(told, on="record_hash")
    units = units.group_by("unit").agg(pl.col("person").min(), several=pl.col("person").n_unique() > 1).filter(~pl.col("several")).drop("several")
    units = units.join(children.select("person", "family", "twin_of"), on="person", how="left").join(night.trust, on="unit").sort("unit")
    loose = ~(pl.col("is_trusted") & pl.col("is_trusted_r"))
    ends = [pl.min_horizontal("unit", "unit_r").alias("l"), pl.max_horizontal("unit", "unit_r").alias("r")]
    same = units.join(units, on="person", suffix="_r").filter(pl.col("unit") < pl.col("unit_r"), loose)
    kin = units.join(units, on="family", suffix="_r").filter(pl.col("unit") < pl.col("unit_r"), pl.col("person") != pl.col("person_r"), loose)
    twins = (pl.col("twin_of") == pl.col("person_r")).fill_null(False) | (pl.col("twin_of_r") == pl.col("person")).fill_null(False)
    random = _random(units).filter(loose, pl.col("person") != pl.col("person_r"), pl.col("family").ne_missing(pl.col("family_r")))
    found = {"match": same.select(ends), "stranger": random.select(ends), "sibling": kin.filter(~twins).select(ends), "twin": kin.filter(twins).select(ends)}
    rests = ("id_number", "record_key", "document")
    return Labels(night.units, _sampled(found), dict.fromkeys(CLASSES, rests))


def by_decision(night: Night, queue: pl.DataFrame) -> Labels:
    """What clerks decided: `match`, and `other` (different, of a class that nobody told)."""
    rows = night.records.recs.join(night.members, on="rec").select("record_hash", "unit")
    decided = queue.filter(pl.col("decision").is_in(["same", "different"])).select("decision", "left_record", "right_record")
    both = decided.join(rows.rename({"unit": "a"}), left_on="left_record", right_on="record_hash").join(rows.rename({"unit": "b"}), left_on="right_record", right_on="record_hash")
    both = both.filter(pl.col("a") != pl.col("b")).select("decision", l=pl.min_horizontal("a", "b"), r=pl.max_horizontal("a", "b"))
    found = {name: both.filter(pl.col("decision") == said).select("l", "r") for name, said in (("match", "same"), ("other", "different"))}
    return Labels(night.units, _sampled(found), {})


def _random(held: pl.DataFrame) -> pl.DataFrame:
    """Random pairs of rows of a frame: its columns, and those of the other end with `_r`."""
    rng = np.random.default_rng(_SEED)
    size = 2 * SAMPLE if held.height else 0
    left, right = (held[rng.integers(0, max(held.height, 1), size)] for _ in "lr")
    return left.hstack(right.rename({c: f"{c}_r" for c in right.columns}))


def _sampled(found: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Each pair once, in order, at most SAMPLE of a class."""
    return {name: pairs.unique().sort("l", "r").sample(min(SAMPLE, pairs.unique().height), seed=_SEED).sort("l", "r") for name, pairs in found.items()}
