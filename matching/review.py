"""What a person has to look at: doubtful links and earlier decisions go in; whom decisions are about today, and the review queue, come out."""

from __future__ import annotations

from hashlib import blake2b

import polars as pl

from matching.identity import short_code
from matching.model import Model
from matching.scoring import FAMILY
from schemas.tables.pair import COMPARISON, REVIEW_QUEUE

FAMILY_PHRASE = "可能是兄弟姐妹或双胞胎"
FAMILY_LABEL = "家庭"


def settle(bound: pl.DataFrame, of: pl.DataFrame) -> pl.DataFrame:
    """The persons that decisions are about today: pair_id, decision, left <= right (person_id). `of` has unit, person_id, a row a unit."""
    held = bound.join(of, left_on="l", right_on="unit").join(of, left_on="r", right_on="unit", suffix="_r")
    return held.select(
        "pair_id", "decision", left=pl.min_horizontal("person_id", "person_id_r"), right=pl.max_horizontal("person_id", "person_id_r")
    ).unique().sort("pair_id", "left", "right")  # fmt: skip


def mark_contradictions(queue: pl.DataFrame, settled: pl.DataFrame) -> pl.DataFrame:
    """The queue with the cause of every decision that could not be kept: joined though different, or apart though the same."""
    joined = pl.col("left") == pl.col("right")
    broken = settled.group_by("pair_id", "decision").agg(all_joined=joined.all(), any_joined=joined.any())
    broken = broken.filter(((pl.col("decision") == "same") & ~pl.col("all_joined")) | ((pl.col("decision") == "different") & pl.col("any_joined")))
    return queue.with_columns(
        cause=pl.when(pl.col("pair_id").is_in(broken["pair_id"].implode())).then(pl.lit("contradiction"))
        .when(pl.col("decision").is_not_null()).then(pl.lit("decided")).otherwise("cause")
    )  # fmt: skip


def waterfall(pairs: pl.DataFrame, model: Model) -> pl.Expr:
    """The comparisons of weighed pairs as a list, in the order of the model, leaving out what could not be compared."""
    lines = []
    for comparison in model.comparisons:
        level = pl.col(comparison.name).cast(pl.Int64)
        names = {i: each.name for i, each in enumerate(comparison.levels)}
        phrases = {i: each.phrase for i, each in enumerate(comparison.levels)}
        lines.append(pl.when(level.is_not_null()).then(pl.struct(
            comparison=pl.lit(comparison.label),
            level=level.replace_strict(names, default=None, return_dtype=pl.String),
            phrase=level.replace_strict(phrases, default=None, return_dtype=pl.String),
            weight=pl.col(f"w_{comparison.name}").round(2),
        )))  # fmt: skip
    family = pl.struct(comparison=pl.lit(FAMILY_LABEL), level=pl.lit(FAMILY), phrase=pl.lit(FAMILY_PHRASE), weight=pl.col(f"w_{FAMILY}").round(2))
    lines.append(pl.when(pl.col(f"w_{FAMILY}") <= -0.05).then(family))
    return pl.concat_list(lines).list.drop_nulls().cast(pl.List(COMPARISON))


def build_queue(doubtful: pl.DataFrame, people: pl.DataFrame, before: pl.DataFrame, model: Model) -> pl.DataFrame:
    """The review queue of this run.

    Args:
        doubtful: weighed pairs with `cause`, left_record, right_record (record_hash at either end), left < right (person_id).
        people: person_id, records, keys (all rows of each person). before: the queue of the last run, whose decisions are kept.

    Returns:
        REVIEW_QUEUE, one row for two persons, ordered by pair_id.
    """
    best = doubtful.sort("left", "right", pl.col("match_weight") * -1, "left_record", "right_record").unique(["left", "right"], keep="first", maintain_order=True)
    for side in ("left", "right"):
        sided = people.select(pl.col("person_id").alias(side), pl.col("records").alias(f"{side}_records"), pl.col("keys").alias(f"{side}_keys"))
        best = best.join(sided, on=side, how="left", maintain_order="left")
    best = best.with_columns(
        pair_id=_pair_ids(best),
        gain=pl.col("left_records").list.len().cast(pl.Float64) * pl.col("right_records").list.len(),
        comparisons=waterfall(best, model),
        decision=pl.lit(None, dtype=pl.String), decided_by=pl.lit(None, dtype=pl.String), decided_on=pl.lit(None, dtype=pl.Date),
    )  # fmt: skip
    kept = before.filter(pl.col("decision").is_not_null())
    fresh = REVIEW_QUEUE.conform(best).join(kept.select("pair_id"), on="pair_id", how="anti").join(kept.select("left", "right"), on=["left", "right"], how="anti")
    return REVIEW_QUEUE.conform(pl.concat([fresh, REVIEW_QUEUE.conform(kept)]).sort("pair_id"))


def _pair_ids(pairs: pl.DataFrame) -> pl.Series:
    """A stable name for two persons, from their identifiers."""
    hashes = [int.from_bytes(blake2b(f"{a}|{b}".encode(), digest_size=8).digest(), "big") for a, b in pairs.select("left", "right").iter_rows()]
    return short_code("R", pl.Series(hashes, dtype=pl.UInt64))
