"""Rows that say something about a child, gathered into lists. Enters: facts and frames of single rows. Leaves: facts by feed, evidence lists, the newest answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from schemas.exports.feeds import FEEDS
from schemas.tables.facts import facts as facts_table

Facts = Mapping[str, pl.LazyFrame]

# what every frame of single rows carries beside its own columns
ROW = ("person_id", "feed", "source_file", "source_row", "record_hash")
# content first: an evidence list keeps its order when the same rows come in other files
_ORDER = ("feed", "record_hash", "says", "source_file", "source_row")
_PLACE_OF = {feed: place for place, feed in enumerate(sorted(FEEDS))}


def rows(facts: Facts, feed: str) -> pl.LazyFrame:
    """The facts of a feed; no rows where the feed never came."""
    return facts[feed] if feed in facts else facts_table(FEEDS[feed]).empty().lazy()


def newest(frame: pl.LazyFrame, answer: str, *by: pl.Expr) -> pl.LazyFrame:
    """For each child the newest row that answers a question; a row that leaves it blank says nothing and withdraws nothing.

    Args:
        frame: columns ROW, export_date, `answer` and what `by` needs.
        answer: the column that must have a value.
        by: what newest means, the greatest first, missing values last; then the export's date, then the row's content.
    """
    keys = [*by, pl.col("export_date")]
    order = [pl.col("record_hash"), pl.col("source_file"), pl.col("source_row")]
    return (
        frame.filter(pl.col(answer).is_not_null())
        .sort([*keys, *order], descending=[True] * len(keys) + [False] * len(order), nulls_last=True)
        .unique(subset="person_id", keep="first", maintain_order=True)
    )


def surveys(facts: Facts, as_of: date) -> pl.LazyFrame:
    """The survey's rows up to a day, with `seen_on`: 摸排日期, else the last day of 摸排季度, else the export's; never later than the export."""
    year, quarter = (pl.col("quarter").str.extract(r"^(\d{4})Q([1-4])$", group).cast(pl.Int32) for group in (1, 2))
    quarter_end = pl.date(year, quarter * 3, 1).dt.month_end()
    seen_on = pl.min_horizontal(pl.coalesce("surveyed_on", quarter_end), "export_date")
    return rows(facts, "survey").with_columns(seen_on.alias("seen_on")).filter(pl.col("seen_on") <= as_of)


def listed(frame: pl.LazyFrame, keys: Sequence[str], name: str, *extra: pl.Expr) -> pl.LazyFrame:
    """One row per `keys` with the rows that say so as an evidence list called `name`, ordered by content; `extra` are further aggregates."""
    evidence = pl.struct(pl.col("feed"), pl.col("source_file"), pl.col("source_row"), pl.col("says"))
    columns = dict.fromkeys([*keys, *_ORDER, *(root for e in extra for root in e.meta.root_names())])
    return frame.select(*columns).map_batches(lambda rows: _by_content(rows, keys), validate_output_schema=False).group_by(keys).agg(evidence.alias(name), *extra)


def _by_content(rows: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """The rows in the order of their content, each once for its keys. Only rows that share their content with another are compared text by text."""
    shared = rows.get_column("record_hash").is_duplicated()
    several = rows.filter(shared).unique(subset=[*keys, *_ORDER], keep="any").sort(_ORDER)
    place = pl.col("feed").replace_strict(_PLACE_OF, return_dtype=pl.UInt8)
    order = pl.concat([rows.filter(~shared), several]).with_columns(place.alias("_place"))
    return order.sort("_place", "record_hash", maintain_order=True).drop("_place")


def earliest(column: str) -> pl.Expr:
    """The first day that a date can mean: of a month or a year, whose last day stands there, its first."""
    precision, written = pl.col(f"{column}_precision"), pl.col(column)
    return pl.when(precision == "year").then(written.dt.truncate("1y")).when(precision == "month").then(written.dt.truncate("1mo")).otherwise(written)


def begun(as_of: date, start: str) -> pl.Expr:
    """Whether a date has come. One not written down has; of a month or a year its first day counts, for its last may lie ahead of the export."""
    return (earliest(start) <= as_of).fill_null(True)


def runs_on(as_of: date, start: str, *ends: str) -> pl.Expr:
    """Whether a span runs on a day: begun, and no end, or one after that day."""
    return pl.all_horizontal(begun(as_of, start), *(pl.col(end).is_null() | (pl.col(end) > as_of) for end in ends))


def aged(birth_date: str, months: int, as_of: date) -> pl.Expr:
    """Whether a child is at least so many months old on a day; null where the birth date is unknown."""
    return pl.col(birth_date).dt.offset_by(f"{months}mo") <= as_of
