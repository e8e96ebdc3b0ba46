"""The engine on anybody's tables: a model and one or two files go in; weighed pairs, clusters and what was counted come out.

One table is deduplicated, two are linked. Blocking, weights and clustering are those of the children's linkage (`matching.blocking`, `matching.scoring`,
`matching.clustering`); only what is compared comes from the model file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from matching.blocking import Bounds, Rule, block
from matching.clustering import Clustering, Constraints, cluster_units
from matching.model import Model
from matching.scoring import weigh
from matching.sets import Sets
from matching.tables.columns import Tables, key_values, prepare
from matching.tables.estimate import estimate
from matching.tables.levels import compare
from matching.tables.spec import Key, Spec
from matching.tables.spec_levels import LinkError


@dataclass(frozen=True)
class Linkage:
    """What came out.

    Attributes:
        pairs: id_l, id_r, match_weight, match_probability, status (link, review, refused), cause (of a refusal), rule, and for each comparison its level
            and `w_<comparison>` (bits); those at or above the review threshold, heaviest first.
        clusters: cluster, table, id; every row of every table. blocking: rule, pairs_possible, pairs_new, blocks_over_cap, pairs_dropped.
        model: the numbers used. notes: for people. compared: pairs compared.
    """

    pairs: pl.DataFrame
    clusters: pl.DataFrame
    blocking: pl.DataFrame
    model: Model
    notes: tuple[str, ...]
    compared: int


def link_tables(spec: Spec, files: list[Path]) -> Linkage:
    """Links two tables, or finds the duplicates of one.

    Raises:
        LinkError: a table cannot be used, or no pair is left to compare.
    """
    tables = prepare(spec, files)
    pairs, found, blocking = _candidates(spec, tables)
    left, right = pairs["l"].to_numpy().astype(np.int64), pairs["r"].to_numpy().astype(np.int64)
    levels = compare(left, right, tables, spec)
    estimated = estimate(spec, tables, levels, found)
    weighed = weigh(pairs.hstack(levels), estimated.model)
    links = weighed.filter(pl.col("match_probability") >= spec.link).select("l", "r", "match_weight")
    clustering = cluster_units(links, _constraints(spec, tables), spec.margin)
    notes = (*tables.notes, *_over_cap(spec, blocking), *estimated.notes)
    return Linkage(_pairs(spec, tables, weighed, clustering), _clusters(tables, clustering), blocking, estimated.model, notes, pairs.height)


def _candidates(spec: Spec, tables: Tables) -> tuple[pl.DataFrame, list[np.ndarray[tuple[int], np.dtype[np.int64]]], pl.DataFrame]:
    """The pairs l, r, rule; for each rule the positions of all its pairs; and the report of blocking."""
    keys: dict[str, Key] = {key.name: key for rule in (*spec.rules, spec.further) for key in rule}
    values = {name: Sets.of(key_values(tables, key), tables.count) for name, key in keys.items()}
    nobody = np.zeros(tables.count, dtype=np.bool_)
    bounds = Bounds(spec.cap, tuple(key.name for key in spec.further), tables.across)
    parts = [block(values, nobody, (Rule(tuple(key.name for key in rule), trusted_too=True),), bounds) for rule in spec.rules]
    whole = pl.concat([found.pairs.with_columns(rule=pl.lit(i, dtype=pl.UInt8)) for i, found in enumerate(parts)])
    pairs = whole.group_by("l", "r").agg(pl.col("rule").min()).sort("l", "r")
    # beside what is over the cap still: what a further key parted
    lost = pl.when(pl.col("blocks_over_cap") > 0).then(pl.col("pairs_possible") - pl.col("pairs_new")).otherwise("pairs_dropped")
    report = pl.concat([found.report for found in parts]).with_columns(pairs_dropped=lost)
    report = report.with_columns(pairs_new=pl.Series([(pairs["rule"] == i).sum() for i in range(len(parts))], dtype=pl.Int64))
    if not pairs.height:
        raise LinkError("; ".join((f"{spec.file}: no two rows agree on a blocking rule, so there is nothing to compare; loosen the rules", *_over_cap(spec, report))))
    numbered = pairs.with_row_index("at").select("l", "r", "at")
    positions = [numbered.join(found.pairs, on=["l", "r"], how="semi", maintain_order="left")["at"].to_numpy().astype(np.int64) for found in parts]
    return pairs, positions, report


def _over_cap(spec: Spec, blocking: pl.DataFrame) -> list[str]:
    """What the cap kept from being compared, rule by rule."""
    return [
        f"rule {rule}: {blocks} blocks would make more than {spec.cap:,} pairs each; they had to agree on {' and '.join(k.name for k in spec.further) or 'nothing further'}, "
        f"so {dropped:,} pairs were not compared by it; narrow the rule, name 'further' columns, or raise block_cap"
        for rule, blocks, dropped in blocking.filter(pl.col("blocks_over_cap") > 0).select("rule", "blocks_over_cap", "pairs_dropped").iter_rows()
    ]


def _constraints(spec: Spec, tables: Tables) -> Constraints:
    """What keeps units apart: other values in a must_not_link column, and one row a table where links are one to one."""
    exclusive = [pl.Series(np.where((codes := tables.columns[name].codes) >= 0, codes, -1)).replace(-1, None) for name in spec.must_not_link]
    if spec.one_to_one and tables.across is not None:
        unit = pl.Series(np.arange(tables.count, dtype=np.int64))
        first = unit < tables.across
        sides = pl.select(a=pl.when(first).then(unit), b=pl.when(~first).then(unit))
        exclusive += [sides["a"], sides["b"]]
    nothing = pl.DataFrame(schema={"l": pl.UInt32, "r": pl.UInt32})
    free = pl.Series("trusted", np.zeros(tables.count, dtype=np.bool_))
    return Constraints(free, nothing.with_columns(cause=pl.lit("", dtype=pl.String)), nothing, tuple(exclusive), spec.giant)


def _pairs(spec: Spec, tables: Tables, weighed: pl.DataFrame, clustering: Clustering) -> pl.DataFrame:
    """The pairs for people: ids, weight, probability, what became of them, and why."""
    shown = weighed.filter(pl.col("match_probability") >= spec.review)
    for end in ("l", "r"):
        ids = tables.units.select(pl.col("unit").alias(end), pl.col("id").alias(f"id_{end}"))
        shown = shown.join(ids, on=end, how="left", maintain_order="left").join(
            clustering.cluster.rename({"unit": end, "cluster": f"cluster_{end}"}), on=end, how="left", maintain_order="left"
        )
    shown = shown.join(clustering.refused, on=["l", "r"], how="left", maintain_order="left")
    together, sure = pl.col("cluster_l") == pl.col("cluster_r"), pl.col("match_probability") >= spec.link
    rules = {i: "+".join(key.name for key in rule) for i, rule in enumerate(spec.rules)}
    columns = [
        each
        for c in spec.comparisons
        for each in (pl.col(c.name).cast(pl.Int64).replace_strict({i: x.name for i, x in enumerate(c.levels)}, default=None, return_dtype=pl.String), pl.col(f"w_{c.name}").round(3))
    ]
    return shown.sort("match_weight", "id_l", "id_r", descending=[True, False, False]).select(
        "id_l", "id_r", pl.col("match_weight").round(3), "match_probability",
        pl.when(sure & together).then(pl.lit("link")).when(sure).then(pl.lit("refused")).otherwise(pl.lit("review")).alias("status"),
        pl.when(sure & ~together).then("cause").alias("cause"),
        pl.col("rule").cast(pl.Int64).replace_strict(rules, return_dtype=pl.String).alias("rule"), *columns,
    )  # fmt: skip


def _clusters(tables: Tables, clustering: Clustering) -> pl.DataFrame:
    """cluster (a number), table, id of every row."""
    held = tables.units.join(clustering.cluster, on="unit", how="left", maintain_order="left")
    return held.select(cluster=pl.col("cluster").rank("dense").cast(pl.UInt32), table="table", id="id").sort("cluster", "table", "id")
