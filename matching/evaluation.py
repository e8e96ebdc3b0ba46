"""How good the linkage is: person_record and the truth go in; precision, recall and F1 over all pairs of rows, by feed and by damage, come out.

Pairs are counted from contingency tables (how many rows of one true child lie in one person), never listed, so the work follows the rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

NO_NUMBER = "no_number"
UNDAMAGED = "undamaged"
_ROW = ("feed", "source_file", "source_row")


@dataclass(frozen=True)
class Pairs:
    """Counts of pairs: joined rightly (both), joined, and true; with precision, recall and F1."""

    both: int
    joined: int
    true: int

    @property
    def precision(self) -> float:
        """Share of the joined pairs that are true; 1 where nothing was joined."""
        return self.both / self.joined if self.joined else 1.0

    @property
    def recall(self) -> float:
        """Share of the true pairs that were joined; 1 where there are none."""
        return self.both / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.joined + self.true
        return 2 * self.both / total if total else 1.0


@dataclass(frozen=True)
class Result:
    """What an evaluation says.

    Attributes:
        overall: all pairs. rows, persons, children: how many there are of each.
        by_feed_pair: feed, feed_r, both, joined, true, precision, recall, f1.
        by_damage: damage, rows, and the same of all pairs with at least one row so damaged; `no_number`: rows without a usable number of their own.
        persons_mixed: persons with rows of several children; children_split: children in several persons.
        twins_apart: share of twin pairs no person mixes; null where the truth does not tell twins.
        calibration: link probabilities in steps: from, rows, mean_probability, right (share of links that are true).
        worst: rows in mixed persons or split children that are not of the larger part: kind, person_id, feed, source_file, source_row, damage, pairs.
    """

    overall: Pairs
    rows: int
    persons: int
    children: int
    by_feed_pair: pl.DataFrame
    by_damage: pl.DataFrame
    persons_mixed: int
    children_split: int
    twins_apart: float | None
    calibration: pl.DataFrame
    worst: pl.DataFrame


class TruthMismatchError(Exception):
    """The truth does not belong to this register: rows of one are missing in the other."""


def evaluate(person_record: pl.DataFrame, truth_records: pl.DataFrame, twins: pl.DataFrame | None = None) -> Result:
    """Compares a linkage with the truth.

    Args:
        person_record: PERSON_RECORD. truth_records: feed, source_file, source_row, person, damage (list of codes, or text with ; between them).
        twins: person, twin: true children who are twins, each pair once, where the truth knows them.

    Raises:
        TruthMismatchError: a row of person_record is not in the truth.
    """
    known = truth_records.with_columns(pl.col("source_row").cast(pl.UInt32), damage=_damage_list(truth_records))
    rows = person_record.join(known.select(*_ROW, "person", "damage"), on=list(_ROW), how="left")
    if lost := rows["person"].null_count():
        raise TruthMismatchError(f"truth: {lost} of {rows.height} linked rows are not in the truth records; is this the truth of another city?")
    mixed = rows.group_by("person_id").agg(pl.col("person").n_unique()).filter(pl.col("person") > 1)
    split = rows.group_by("person").agg(pl.col("person_id").n_unique()).filter(pl.col("person_id") > 1)
    return Result(
        overall=count_pairs(rows),
        rows=rows.height,
        persons=rows["person_id"].n_unique(),
        children=rows["person"].n_unique(),
        by_feed_pair=_by_feed_pair(rows),
        by_damage=_by_damage(rows),
        persons_mixed=mixed.height,
        children_split=split.height,
        twins_apart=None if twins is None else _twins_apart(rows, twins),
        calibration=_calibration(rows),
        worst=_worst(rows),
    )


def count_pairs(rows: pl.DataFrame) -> Pairs:
    """The counts over all pairs of rows; `rows` has person_id and person."""
    return Pairs(_within(rows, "person_id", "person"), _within(rows, "person_id"), _within(rows, "person"))


def _within(rows: pl.DataFrame, *keys: str) -> int:
    """How many pairs of rows agree on the keys."""
    sizes = rows.group_by(*keys).len()["len"].cast(pl.Int64)
    return int((sizes * (sizes - 1) // 2).sum())


def _damage_list(truth: pl.DataFrame) -> pl.Expr:
    """The damage codes as a list, however they were written."""
    if truth.schema["damage"] == pl.String:
        return pl.col("damage").fill_null("").str.split(";").list.filter(pl.element() != "")
    return pl.col("damage").fill_null([])


def _by_feed_pair(rows: pl.DataFrame) -> pl.DataFrame:
    """The counts for every two feeds."""
    counts = {name: _across(rows, keys) for name, keys in (("both", ["person_id", "person"]), ("joined", ["person_id"]), ("true", ["person"]))}
    out = counts["joined"].rename({"pairs": "joined"})
    for name in ("both", "true"):
        out = out.join(counts[name].rename({"pairs": name}), on=["feed", "feed_r"], how="full", coalesce=True)
    out = out.with_columns(pl.col("both", "joined", "true").fill_null(0)).filter(pl.col("joined") + pl.col("true") > 0)
    return _with_rates(out).sort("feed", "feed_r")


def _across(rows: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """feed, feed_r, pairs: pairs of rows of two feeds that agree on the keys."""
    cells = rows.group_by(*keys, "feed").agg(n=pl.len().cast(pl.Int64))
    both = cells.join(cells, on=keys, suffix="_r").filter(pl.col("feed") <= pl.col("feed_r"))
    pairs = pl.when(pl.col("feed") == pl.col("feed_r")).then(pl.col("n") * (pl.col("n") - 1) // 2).otherwise(pl.col("n") * pl.col("n_r"))
    return both.group_by("feed", "feed_r").agg(pairs=pairs.sum())


def _by_damage(rows: pl.DataFrame) -> pl.DataFrame:
    """The counts over pairs with at least one row of each kind of damage: all pairs less those between rows without it."""
    whole = count_pairs(rows)
    told = pl.col("damage").list.concat(pl.when(pl.col("id_role").fill_null("") == "own").then(pl.lit([], dtype=pl.List(pl.String))).otherwise(pl.lit([NO_NUMBER])))
    rows = rows.with_columns(damage=told)
    lines = []
    for code in rows["damage"].explode(empty_as_null=False).drop_nulls().unique().sort():
        rest = rows.filter(~pl.col("damage").list.contains(code))
        less = count_pairs(rest)
        lines.append((code, rows.height - rest.height, whole.both - less.both, whole.joined - less.joined, whole.true - less.true))
    clean = rows.filter(pl.col("damage").list.len() == 0)
    pure = count_pairs(clean)
    lines.append((UNDAMAGED, clean.height, pure.both, pure.joined, pure.true))
    schema = {"damage": pl.String, "rows": pl.Int64, "both": pl.Int64, "joined": pl.Int64, "true": pl.Int64}
    return _with_rates(pl.DataFrame(lines, schema=schema, orient="row"))


def _with_rates(counts: pl.DataFrame) -> pl.DataFrame:
    """The counts with precision, recall and F1, as in `Pairs`."""
    both, joined, true = pl.col("both"), pl.col("joined"), pl.col("true")
    return counts.with_columns(precision=_share(both, joined), recall=_share(both, true), f1=_share(2 * both, joined + true))


def _share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """part / whole; 1 where there is no whole."""
    return pl.when(whole > 0).then(part / whole).otherwise(1.0)


def _twins_apart(rows: pl.DataFrame, twins: pl.DataFrame) -> float | None:
    """The share of twin pairs, both of whom have rows, of whom no person mixes."""
    held = rows.select("person", "person_id").unique()
    seen = twins.select("person", "twin").join(held.select("person").unique(), on="person").join(held.select(twin="person").unique(), on="twin")
    if not seen.height:
        return None
    mixed = seen.join(held, on="person").join(held.rename({"person": "twin"}), on=["twin", "person_id"]).select("person", "twin").unique().height
    return 1 - mixed / seen.height


def _calibration(rows: pl.DataFrame) -> pl.DataFrame:
    """How often links of a probability are right: a link is right where the row at its other end is of the same child."""
    ends = rows.group_by("record_hash").agg(other=pl.col("person").first())
    linked = rows.filter(pl.col("linked_to").is_not_null(), pl.col("match_probability").is_not_null())
    linked = linked.join(ends, left_on="linked_to", right_on="record_hash", how="left")
    step = (pl.col("match_probability") * 20).floor() / 20
    return linked.group_by(pl.col("link_method"), step.alias("from")).agg(
        rows=pl.len(), mean_probability=pl.col("match_probability").mean(), right=(pl.col("person") == pl.col("other")).mean()
    ).sort("link_method", "from")  # fmt: skip


def _worst(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows on the wrong side, those that cost most pairs first."""
    cells = rows.group_by("person_id", "person").agg(n=pl.len().cast(pl.Int64))
    cells = cells.with_columns(in_person=pl.col("n").sum().over("person_id"), of_child=pl.col("n").sum().over("person"))
    order = ["person_id", "person"]
    joined = cells.filter(pl.col("in_person") > pl.col("n")).sort("person_id", "n", "person", descending=[False, True, False])
    joined = joined.filter(pl.int_range(pl.len()).over("person_id") > 0)
    missed = cells.filter(pl.col("of_child") > pl.col("n")).sort("person", "n", "person_id", descending=[False, True, False])
    missed = missed.filter(pl.int_range(pl.len()).over("person") > 0)
    both = pl.concat([
        joined.select(*order, kind=pl.lit("wrongly_joined"), pairs=pl.col("in_person") - pl.col("n")),
        missed.select(*order, kind=pl.lit("missed"), pairs=pl.col("of_child") - pl.col("n")),
    ])  # fmt: skip
    out = both.join(rows.select(*order, *_ROW, "damage"), on=order)
    return out.sort("pairs", "kind", *_ROW, descending=[True, False, False, False, False]).select("kind", "pairs", *order, *_ROW, "damage")


def blocking_recall(pairs: pl.DataFrame, members: pl.DataFrame, rows: pl.DataFrame) -> float:
    """The share of true pairs of distinct rows that lie in one unit or are candidates.

    Args:
        pairs: l, r (units) from blocking. members: rec, unit. rows: rec, person.
    """
    held = members.join(rows.select("rec", "person"), on="rec").group_by("unit", "person").agg(n=pl.len().cast(pl.Int64))
    inside = int((held["n"] * (held["n"] - 1) // 2).sum())
    between = pairs.join(held, left_on="l", right_on="unit").join(held, left_on=["r", "person"], right_on=["unit", "person"], suffix="_r")
    found = inside + int((between["n"] * between["n_r"]).sum())
    true = _within(members.join(rows.select("rec", "person"), on="rec"), "person")
    return found / true if true else 1.0
