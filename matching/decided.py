"""What clerks decided, as it binds tonight. Enters: the last run's queue, tonight's rows, what was known of both sides. Leaves: pairs of units, and the queue with the rows decisions rest on by now.

A decision is kept with the rows it was made on. A row is known again by its content, and by its record key where its content changed, unless what stands under
that key is another child: keys are filled in where a form demands one, and lists are numbered anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from matching import identifiers, name_levels
from matching.again.source import Source
from matching.coding import UNINFORMATIVE
from matching.identity import remember
from schemas.tables.pair import REVIEW_QUEUE

BOUND_SCHEMA = pl.Schema({"pair_id": pl.String, "decision": pl.String, "l": pl.UInt32, "r": pl.UInt32})
_SIDES = ("left", "right")
_SIDE = ["pair_id", "side"]
_ROW = [*_SIDE, "record_hash"]
_HASH = [pl.col("pair_id"), pl.col("side"), pl.col("record_hashes").alias("record_hash")]


@dataclass(frozen=True)
class Decided:
    """What binds: `bound` (pair_id, decision, l, r: every pair of units that a decision is about), and `queue`, the last run's with the rows and keys by which it is known now."""

    bound: pl.DataFrame
    queue: pl.DataFrame


def queue_of(previous: Mapping[str, pl.LazyFrame]) -> pl.DataFrame:
    """The last run's review queue, of its tables by name."""
    return REVIEW_QUEUE.conform(previous["review_queue"].collect()) if "review_queue" in previous else REVIEW_QUEUE.empty()


def decisions(previous: Mapping[str, pl.LazyFrame], rows: pl.DataFrame, source: Source) -> Decided:
    """Earlier decisions as pairs of units.

    Args:
        previous: the last run's tables by name. rows: unit, record_hash, feed_key (hash of feed:record_key), own_id (packed) of this night's distinct rows.
        source: this night's RECORD, asked for what a changed row says.
    """
    queue = queue_of(previous)
    decided = queue.filter(pl.col("decision").is_not_null())
    if decided.is_empty():
        return Decided(BOUND_SCHEMA.to_frame(), queue)
    known = _known(decided, previous)
    said = _sides(decided, "records", "record_hash")
    # a decision that came without the rows it was made on is about those of the persons
    bare = known.join(said, on=_SIDE, how="anti").select(_HASH).explode("record_hash", empty_as_null=False, keep_nulls=False)
    own = pl.concat([said, bare])
    held = own.join(rows, on="record_hash")
    keys = _sides(decided, "keys", "key").with_columns(feed_key=pl.col("key").hash())
    under = keys.join(rows, on="feed_key").join(own, on=["pair_id", "record_hash"], how="anti")
    same = decided.filter(pl.col("decision") == "same")
    meant = _of_one_child(under, _of_both(known, same), _of_both(own, same), source)
    units = pl.concat([held.select(*_SIDE, "unit"), meant.select(*_SIDE, "unit")]).unique()
    left, right = (units.filter(pl.col("side") == side).drop("side") for side in _SIDES)
    both = decided.select("pair_id", "decision").join(left, on="pair_id").join(right, on="pair_id", suffix="_r")
    bound = both.select("pair_id", "decision", l=pl.min_horizontal("unit", "unit_r"), r=pl.max_horizontal("unit", "unit_r")).unique().sort("pair_id", "l", "r")
    lost = under.join(meant, on=[*_SIDE, "key"], how="anti").join(held, on=[*_SIDE, "feed_key"], how="anti")
    return Decided(bound, _kept(queue, pl.concat([bare, meant.select(_ROW)]), lost))


def _sides(decided: pl.DataFrame, what: str, name: str) -> pl.DataFrame:
    """pair_id, side, and each of the side's values under a name."""
    long = [decided.select("pair_id", pl.lit(side).alias("side"), pl.col(f"{side}_{what}").alias(name)) for side in _SIDES]
    return pl.concat(long).explode(name, empty_as_null=False, keep_nulls=False).unique()


def _known(decided: pl.DataFrame, previous: Mapping[str, pl.LazyFrame]) -> pl.DataFrame:
    """pair_id, side, record_hashes, id_numbers: what the last run knew of the person each side is by now."""
    identity = previous["identity"] if "identity" in previous else remember(previous).lazy()
    sides = pl.concat([decided.select("pair_id", pl.lit(side).alias("side"), pl.col(side).alias("person_id")) for side in _SIDES])
    while True:
        found = identity.filter(pl.col("person_id").is_in(sides["person_id"].unique().implode())).collect()
        now = sides.join(found, on="person_id", how="left", maintain_order="left")
        if now["merged_into"].null_count() == now.height:
            return now.filter(pl.col("state").is_not_null()).select(*_SIDE, "record_hashes", "id_numbers")
        sides = now.select(*_SIDE, person_id=pl.coalesce("merged_into", "person_id"))


def _of_both(told: pl.DataFrame, same: pl.DataFrame) -> pl.DataFrame:
    """What is told of sides; of two that are the same each is told of the other too."""
    other = told.join(same, on="pair_id", how="semi").with_columns(pl.col("side").replace(dict(zip(_SIDES, reversed(_SIDES), strict=True))))
    return pl.concat([told, other])


def _of_one_child(under: pl.DataFrame, known: pl.DataFrame, own: pl.DataFrame, source: Source) -> pl.DataFrame:
    """The rows under a side's keys that are its child's for all that is known.

    Two numbers are one child's only where name and birth date are the same. Else the name tells, and the birth date where one of the two has no name that says who. A
    side of which nothing is known is taken at its key's word.

    Args:
        under: pair_id, side, key, record_hash, own_id … of rows of another content. known: see `_known`. own: pair_id, side, record_hash of its child's rows.
    """
    if under.is_empty():
        return under
    others = pl.concat([own, known.select(_HASH).explode("record_hash", empty_as_null=False, keep_nulls=False)]).unique()
    told = _told(source, pl.concat([under["record_hash"], others["record_hash"]]).unique())
    numbers = known.select(*_SIDE, number="id_numbers").explode("number", empty_as_null=False, keep_nulls=False).with_columns(
        born=identifiers.birth_date(pl.col("number")), number=identifiers.packed(pl.col("number"))
    )
    rows = under.select(*_ROW, "own_id").unique().join(told, on="record_hash")
    theirs = others.join(told, on="record_hash")
    births = pl.concat([theirs.select(*_SIDE, other="birth_date"), numbers.select(*_SIDE, other="born")]).drop_nulls().unique()
    born = rows.drop_nulls("birth_date").join(births, on=_SIDE).group_by(_ROW).agg(is_born=(pl.col("birth_date") == pl.col("other")).any())
    numbered = rows.drop_nulls("own_id").join(numbers, on=_SIDE).group_by(_ROW).agg(has_number=(pl.col("own_id") == pl.col("number")).any())
    judged = rows.join(_best_names(rows, theirs), on=_ROW, how="left").join(born, on=_ROW, how="left").join(numbered, on=_ROW, how="left")
    is_born = pl.col("is_born").fill_null(True)
    by_name = pl.when(pl.col("level").is_null()).then(is_born).otherwise(pl.col("level") <= name_levels.SHORT)
    is_one = pl.when(pl.col("has_number").is_null()).then(by_name).otherwise(pl.col("has_number") | ((pl.col("level") == name_levels.SAME).fill_null(True) & is_born))
    return under.join(judged.filter(is_one), on=_ROW, how="semi")


def _told(source: Source, hashes: pl.Series) -> pl.DataFrame:
    """record_hash, names (those that say who) and birth_date of some rows of the night."""
    wanted = [frame.filter(pl.col("record_hash").is_in(hashes.implode())).select("record_hash", "name_folded", "name_kind", "former_name", "birth_date") for frame in source.frames]
    name = pl.when(~pl.col("name_kind").is_in(UNINFORMATIVE)).then("name_folded")
    return pl.concat(pl.collect_all(wanted)).select("record_hash", "birth_date", names=pl.concat_list(name, "former_name").list.drop_nulls()).unique("record_hash", keep="any")


def _best_names(rows: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    """pair_id, side, record_hash, level: how the best of a row's names agrees with one of its side's; no row where one of the two has none."""
    ours, others = (each.explode("names", empty_as_null=False, keep_nulls=False) for each in (rows.select(*_ROW, "names"), theirs.select(*_SIDE, "names")))
    table = name_levels.name_table(pl.concat([ours["names"], others["names"]]))
    coded = ours.join(others.unique(), on=_SIDE, suffix="_r").join(table.select(names="name", a="code"), on="names").join(table.select(names_r="name", b="code"), on="names_r")
    return coded.join(name_levels.compare_names(coded, table), on=["a", "b"]).group_by(_ROW).agg(pl.col("level").min())


def _kept(queue: pl.DataFrame, found: pl.DataFrame, lost: pl.DataFrame) -> pl.DataFrame:
    """The queue, each decision with the rows that it was found to be about too, and without the keys under which another child stands."""
    for side in _SIDES:
        more, less = (
            some.filter(pl.col("side") == side).group_by("pair_id").agg(pl.col(column).unique()) for some, column in ((found, "record_hash"), (lost, "key"))
        )
        records, keys = pl.col(f"{side}_records"), pl.col(f"{side}_keys")
        queue = queue.join(more, on="pair_id", how="left", maintain_order="left").join(less, on="pair_id", how="left", maintain_order="left").with_columns(
            pl.when(pl.col("record_hash").is_null()).then(records).otherwise(records.list.set_union("record_hash").list.sort()),
            pl.when(pl.col("key").is_null()).then(keys).otherwise(keys.list.set_difference("key").list.sort()),
        ).drop("record_hash", "key")  # fmt: skip
    return queue
