"""Which pairs are compared at all: values of units go in, candidate pairs and a count for every rule come out.

A rule is a set of attributes whose values two units must share. Rules are many and narrow; the first rule that finds a pair has it. Pairs are
counted before any is made: a block over the cap must agree on a further attribute, and what is left over the cap is dropped and reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

# a block that would make more pairs than this must agree on a further attribute
BLOCK_CAP = 20_000
FURTHER = ("sex", "district")

REPORT_SCHEMA = pl.Schema({"rule": pl.String, "pairs_possible": pl.Int64, "pairs_new": pl.Int64, "blocks_over_cap": pl.Int64, "pairs_dropped": pl.Int64})


@dataclass(frozen=True)
class Rule:
    """A blocking rule: attributes that two units must share. `trusted_too`: also pairs of two units that each have their own number."""

    attributes: tuple[str, ...]
    trusted_too: bool = False

    @property
    def name(self) -> str:
        """What the rule is called in reports."""
        return "+".join(self.attributes)


CHILD_RULES = (
    Rule(("feed_key",)),
    Rule(("certificate",), trusted_too=True),
    Rule(("document",), trusted_too=True),
    Rule(("id_number",), trusted_too=True),
    Rule(("name", "birth", "relative"), trusted_too=True),
    Rule(("name", "birth", "phone"), trusted_too=True),
    Rule(("name", "birth")),
    Rule(("sound", "birth")),
    Rule(("id_front",)),
    Rule(("name", "phone")),
    Rule(("name", "relative")),
    Rule(("name", "relative_id")),
    Rule(("sound", "relative")),
    Rule(("birth", "relative")),
    Rule(("birth", "phone")),
    Rule(("birth", "relative_id")),
    Rule(("birth", "address")),
    Rule(("given", "birth")),
    Rule(("birth_swapped", "name")),
    Rule(("name", "birth_month")),
    Rule(("name", "birth_anniversary")),
    Rule(("name", "id_tail")),
    Rule(("name", "sex", "district")),
    Rule(("sound", "birth_month", "district")),
    Rule(("relative_id", "birth_year")),
    Rule(("relative", "birth_year", "sex", "district")),
    Rule(("phone", "birth_year", "sex")),
    Rule(("birth", "sex", "surname", "district")),
    Rule(("birth", "sex", "place_town")),
    Rule(("birth", "sex", "hukou_town")),
)


@dataclass(frozen=True)
class Bounds:
    """What holds of all rules.

    Attributes:
        cap: pairs that one block may make. further: attributes on which a block over the cap must agree besides.
        across: units below it are one table's, the others another's, and only pairs across are wanted; None where all are one table's.
    """

    cap: int = BLOCK_CAP
    further: tuple[str, ...] = FURTHER
    across: int | None = None


def block(
    values: dict[str, pl.DataFrame], trusted: pl.DataFrame, rules: tuple[Rule, ...] = CHILD_RULES, bounds: Bounds | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The candidate pairs.

    Args:
        values: long tables unit, value by attribute; `trusted`: unit, is_trusted for every unit.
        rules: in the order in which they claim pairs. bounds: the children's where none are given.

    Returns:
        The pairs l < r (units) with `rule` (index), each once, sorted; and the report (REPORT_SCHEMA), one row a rule.
    """
    bounds = bounds or Bounds()
    loose = trusted.filter(~pl.col("is_trusted")).select("unit")
    found: list[pl.DataFrame] = []
    report: list[dict[str, object]] = []
    for i, rule in enumerate(rules):
        pairs, counts = _pairs_of(rule, values, None if rule.trusted_too else loose, bounds)
        found.append(pairs.with_columns(rule=pl.lit(i, dtype=pl.UInt8)))
        report.append({"rule": rule.name, **counts})
    pairs = pl.concat(found).group_by("l", "r").agg(pl.col("rule").min()).sort("l", "r")
    new = pairs.group_by("rule").agg(pairs_new=pl.len().cast(pl.Int64))
    table = pl.DataFrame(report).with_row_index("i").with_columns(pl.col("i").cast(pl.UInt8)).join(new, left_on="i", right_on="rule", how="left")
    return pairs, table.sort("i").with_columns(pl.col("pairs_new").fill_null(0)).match_to_schema(REPORT_SCHEMA, extra_columns="ignore", integer_cast="upcast")


def _pairs_of(rule: Rule, values: dict[str, pl.DataFrame], loose: pl.DataFrame | None, bounds: Bounds) -> tuple[pl.DataFrame, dict[str, int]]:
    """The pairs of one rule, and its counts; `loose`: units of which every pair must have one."""
    keys, columns = _keys(values, rule.attributes)
    counted = _count(keys, columns, loose, bounds.across)
    over = counted.filter(pl.col("pairs") > bounds.cap)
    fine = _join(keys.join(over.select(columns), on=columns, how="anti"), columns, loose, bounds.across)
    dropped = 0
    if over.height:
        extra = tuple(a for a in bounds.further if a not in rule.attributes)
        narrow, narrow_columns = _keys(values, (*rule.attributes, *extra))
        narrow = narrow.join(over.select(columns), on=columns, how="semi")
        still = _count(narrow, narrow_columns, loose, bounds.across).filter(pl.col("pairs") > bounds.cap)
        dropped = int(still["pairs"].sum())
        fine = pl.concat([fine, _join(narrow.join(still.select(narrow_columns), on=narrow_columns, how="anti"), narrow_columns, loose, bounds.across)])
    return fine.unique(), {"pairs_possible": int(counted["pairs"].sum()), "blocks_over_cap": over.height, "pairs_dropped": dropped}


def _keys(values: dict[str, pl.DataFrame], attributes: tuple[str, ...]) -> tuple[pl.DataFrame, list[str]]:
    """unit with one column of values for each attribute, all combinations."""
    keys = values[attributes[0]].select("unit", k0="value")
    for i, attribute in enumerate(attributes[1:], start=1):
        keys = keys.join(values[attribute].select("unit", pl.col("value").alias(f"k{i}")), on="unit")
    return keys.unique(), [f"k{i}" for i in range(len(attributes))]


def _count(keys: pl.DataFrame, columns: list[str], loose: pl.DataFrame | None, across: int | None) -> pl.DataFrame:
    """Pairs that each block makes: the columns and `pairs`."""
    if across is not None:
        first = (pl.col("unit") < across).sum().cast(pl.Int64)
        return keys.group_by(columns).agg(pairs=first * (pl.len().cast(pl.Int64) - first))
    marked = keys.with_columns(is_loose=True) if loose is None else keys.join(loose.with_columns(is_loose=True), on="unit", how="left")
    size, free = pl.len().cast(pl.Int64), pl.col("is_loose").sum().cast(pl.Int64)
    counted = marked.group_by(columns).agg(size=size, free=free)
    return counted.with_columns(pairs=pl.col("free") * (pl.col("size") - pl.col("free")) + pl.col("free") * (pl.col("free") - 1) // 2)


def _join(keys: pl.DataFrame, columns: list[str], loose: pl.DataFrame | None, across: int | None) -> pl.DataFrame:
    """The pairs l < r of units with equal columns, one of them loose, or of two tables."""
    if across is not None:
        first, second = keys.filter(pl.col("unit") < across), keys.filter(pl.col("unit") >= across)
        return first.join(second, on=columns, suffix="_b").select(l="unit", r="unit_b").unique()
    left = keys if loose is None else keys.join(loose, on="unit", how="semi")
    both = left.join(keys, on=columns, suffix="_b").filter(pl.col("unit") != pl.col("unit_b"))
    return both.select(l=pl.min_horizontal("unit", "unit_b"), r=pl.max_horizontal("unit", "unit_b")).unique()
