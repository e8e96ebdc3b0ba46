"""The gate: each row of a batch is accepted, or quarantined with all its reasons and its original cells; total and blank rows are no records.

Enters: a batch (reading.py) with its layout. Leaves: `Judged`. What an accepted row is, says the feed's Pandera model, with the checks that
`acceptance` makes from the contract: nothing needed is missing, a needed date is a date, a needed division is at least in a known province,
a needed word is one of the words. Pandera names the failing rows (eager, lazy=True); its error texts quote values and go no further.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData
from pandera.errors import SchemaErrors

from schemas import cells
from schemas.exports.contract import Column, Feed, Kind
from schemas.exports.faults import say
from schemas.exports.headings import Layout
from schemas.exports.reading import cell
from schemas.exports.sift import sift
from schemas.reference import divisions
from schemas.tables.intake import CELL, QUARANTINE

# a child's birth can't lie behind the day its department looked it up; other dates of a form may
_NOT_AFTER_EXPORT = "birth_date"
# a row that could not be parted into its columns has no cells to find further reasons in
_UNPARTED = ("ragged_row", "broken_quotes")
# what spreadsheets and databases put where there is no date; missing, and not unreadable
_NO_DATE = r"^(?:1900[-/.年]?0?1[-/.月]?0?1日?|1899[-/.年]?12[-/.月]?3[01]日?|0+(?:[-/.年]0+[-/.月]0+日?)?)(?:[ T].*)?$"


@dataclass(frozen=True)
class Judged:
    """One batch behind the gate: accepted rows, quarantined rows, and how many rows were no records."""

    accepted: pl.DataFrame
    quarantined: pl.DataFrame
    total: int
    blank: int


def accepted_schema(feed: Feed) -> dict[str, pl.DataType | type[pl.DataType]]:
    """The columns of accepted rows: provenance, then the feed's columns as text."""
    return {
        "feed": pl.String,
        "source_file": pl.String,
        "source_row": pl.UInt32,
        "export_date": pl.Date,
        "warnings": pl.List(pl.String),
        **{c.name: pl.String for c in feed.columns},
    }


def judge(batch: pl.DataFrame, layout: Layout, feed: Feed, source_file: str, export_date: date) -> Judged:
    """Parts a batch into accepted and quarantined rows, in the order they came."""
    blank, total = sift(batch, feed, layout)
    records = batch.filter(~(blank | total))
    rows = _named(records, layout, feed).with_columns(feed=pl.lit(feed.name), source_file=pl.lit(source_file), export_date=pl.lit(export_date))
    reasons = _reasons(rows, feed, layout)
    bad = reasons.list.len() > 0
    good = rows.filter(~bad)
    accepted = good.with_columns(warnings=_warnings(good, feed, layout)).select(accepted_schema(feed).keys())
    quarantined = (
        records.filter(bad)
        .with_columns(reasons.filter(bad).alias("reasons"), feed=pl.lit(feed.name), source_file=pl.lit(source_file), original=_original(layout))
        .with_columns(reasons_zh=pl.col("reasons").list.eval(pl.element().replace_strict(_sentences(feed), return_dtype=pl.String)))
    )
    return Judged(accepted, QUARANTINE.conform(quarantined), int(total.sum()), int(blank.sum()))


def _named(records: pl.DataFrame, layout: Layout, feed: Feed) -> pl.DataFrame:
    """The records by our column names, cells cleaned; a number that lost its digits is null."""
    is_rounded = _has_rounded(records)
    return records.select(
        "source_row",
        "fault",
        "rounded",
        *(
            _cleaned(c, layout.positions[c.name], is_rounded) if c.name in layout.positions else pl.lit(None, dtype=pl.String).alias(c.name)
            for c in feed.columns
        ),
    )


def _cleaned(column: Column, position: int, is_rounded: bool) -> pl.Expr:
    """A cell's text: stripped, placeholders null (but where the placeholder is one of the column's words); a rounded number null."""
    written = pl.col(cell(position))
    text = cells.clean_text(written)
    kept = [w for w in column.codes if w in cells.PLACEHOLDERS]
    if kept:
        bare = cells.clean_code(written)
        text = pl.when(bare.is_in(kept)).then(bare).otherwise(text)
    if column.kind is Kind.DATE:
        text = pl.when(~text.str.contains(_NO_DATE)).then(text)
    if column.is_number and is_rounded:
        text = pl.when(~pl.col("rounded").list.contains(position)).then(text)
    return text.alias(column.name)


@cache
def acceptance(feed: Feed) -> pa.DataFrameSchema:
    """The feed's Pandera model with the checks of its key and need columns, each named by its reason code."""
    schema = feed.model.to_schema()
    for column in feed.columns:
        if column.need:
            checks = [pa.Check(check, name=code, ignore_na=True) for code, check in _checks(column)]
            schema = schema.update_column(column.name, checks=checks)
    return schema


def _checks(column: Column) -> list[tuple[str, Callable[[PolarsData], pl.LazyFrame]]]:
    """Reason code and check of each thing that the text of a needed column must be."""
    checks: list[tuple[str, Callable[[PolarsData], pl.LazyFrame]]] = []
    match column.kind:
        case Kind.DATE:
            checks.append(("unreadable_need", _verdict(lambda key: cells.date(pl.col(key)).is_not_null())))
            if column.name == _NOT_AFTER_EXPORT:
                checks.append(("impossible_need", _verdict(lambda key: (cells.date(pl.col(key)) <= pl.col("export_date")).fill_null(True))))
        case Kind.DIVISION:
            checks.append(("unreadable_need", _in_known_province))
        case Kind.CODE if column.codes:
            checks.append(("unreadable_need", _verdict(lambda key: pl.col(key).is_in(column.codes))))
    return checks


def _verdict(expression: Callable[[str], pl.Expr]) -> Callable[[PolarsData], pl.LazyFrame]:
    """A Pandera check from an expression over the column; a null cell is `missing`, and no other reason."""
    return lambda frame: frame.lazyframe.select(expression(frame.key) | pl.col(frame.key).is_null())


def _in_known_province(frame: PolarsData) -> pl.LazyFrame:
    """Whether each division is known at least to its province; judged once per distinct text."""
    texts = frame.lazyframe.select(pl.col(frame.key).drop_nulls().unique()).collect().to_series()
    known = divisions.resolve(texts).filter(pl.col("level").is_not_null()).get_column("text")
    return frame.lazyframe.select(pl.col(frame.key).is_in(known.implode()) | pl.col(frame.key).is_null())


def _reasons(rows: pl.DataFrame, feed: Feed, layout: Layout) -> pl.Series:
    """All reasons of each row, in the order of the contract's columns, the reader's fault first."""
    found = pl.DataFrame(schema={"index": pl.UInt32, "column": pl.String, "check": pl.String})
    try:
        acceptance(feed).validate(rows, lazy=True)
    except SchemaErrors as e:
        if e.failure_cases.get_column("index").null_count():
            raise AssertionError(f"the rows of {feed.name} don't fit its model: {e.failure_cases.get_column('check').unique().to_list()}") from None
        found = e.failure_cases.select(pl.col("index").cast(pl.UInt32), "column", "check")
    need = {c.name: c.need for c in feed.columns if c.need}
    rounded = pl.lit(False)
    for name in feed.key_columns:
        if feed.column(name).is_number:
            rounded |= (pl.col("column") == name) & pl.col("rounded").list.contains(layout.positions[name])
    order = [c.name for c in feed.columns]
    codes = (
        found.join(rows.select("rounded").with_row_index("index"), on="index")
        .with_columns(
            reason=pl.when(pl.col("check") != "not_nullable")
            .then("check")
            .when(rounded)
            .then(pl.lit("key_stored_as_number"))
            .otherwise(pl.lit("missing_") + pl.col("column").replace_strict(need, return_dtype=pl.String))
        )
        .sort("index", pl.col("column").replace_strict(order, list(range(len(order))), return_dtype=pl.UInt32), "reason")
        .group_by("index", maintain_order=True)
        .agg(codes=pl.concat_str("reason", pl.lit(":"), "column"))
    )
    return (
        rows.select("fault")
        .with_row_index("index")
        .join(codes, on="index", how="left", maintain_order="left")
        .select(
            pl.when(pl.col("fault").is_in(_UNPARTED))
            .then(pl.concat_list("fault"))
            .otherwise(pl.concat_list(pl.concat_list("fault").list.drop_nulls(), pl.col("codes").fill_null(pl.lit([], dtype=pl.List(pl.String)))))
        )
        .to_series()
    )


def _warnings(accepted: pl.DataFrame, feed: Feed, layout: Layout) -> pl.Expr:
    """What is faulty in an accepted row and can be done without, as codes in the order of the contract."""
    codes = [
        pl.when(pl.col("rounded").list.contains(layout.positions[c.name])).then(pl.lit(f"id_stored_as_number:{c.name}"))
        for c in feed.columns
        if c.is_number and c.name in layout.positions and _has_rounded(accepted)
    ]
    for column in feed.columns:
        if column.form:
            form = f"^(?:{column.form})$"
            written = cells.unless(form, pl.col(column.name), lambda text: text.str.normalize("NFKC").str.to_uppercase())
            codes.append(pl.when(~written.str.contains(form)).then(pl.lit(f"odd_key:{column.name}")))
    found = accepted.select(code.alias(f"code_{i}") for i, code in enumerate(codes))
    said = [pl.lit(s) for s in found.iter_columns() if s.null_count() < s.len()]
    return pl.concat_list(said).list.drop_nulls() if said else pl.lit([], dtype=pl.List(pl.String))


def _has_rounded(rows: pl.DataFrame) -> bool:
    """Whether any row has a number that lost digits: no row of a text file has."""
    return bool(rows.get_column("rounded").explode().count())


def _original(layout: Layout) -> pl.Expr:
    """The cells as they came, under their headings, and the cells behind the last heading."""
    headings = [h or f"（第{i + 1}列，无表头）" for i, h in enumerate(layout.headings)]
    named = pl.concat_list(pl.struct(pl.lit(h).alias("heading"), pl.col(cell(i)).alias("value")) for i, h in enumerate(headings))
    beyond = pl.col("beyond").list.eval(pl.struct(pl.lit("（无表头）").alias("heading"), pl.element().alias("value"))).cast(pl.List(CELL))
    whole = pl.col("beyond").list.eval(pl.struct(pl.lit("（整行）").alias("heading"), pl.element().alias("value"))).cast(pl.List(CELL))
    return pl.when(pl.col("fault") == "broken_quotes").then(whole).otherwise(pl.concat_list(named, beyond))


@cache
def _sentences(feed: Feed) -> dict[str, str]:
    """Every reason a row of the feed can have, and its sentence."""
    by_column = ("missing_key", "missing_need", "unreadable_need", "impossible_need", "key_stored_as_number")
    codes = [*_UNPARTED, "undecodable_bytes", *(f"{r}:{c.name}" for r in by_column for c in feed.columns if c.need)]
    return {code: say(code, feed) for code in codes}
