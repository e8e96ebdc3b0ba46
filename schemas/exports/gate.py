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
from schemas.gathering import gathered, long_of
from schemas.reference import divisions
from schemas.tables.intake import CELL, QUARANTINE

# a child's birth can't lie behind the day its department looked it up; other dates of a form may
_NOT_AFTER_EXPORT = "birth_date"
# a row that could not be parted into its columns has no cells to find further reasons in
_UNPARTED = ("ragged_row", "broken_quotes")
# a number of which a spreadsheet kept the first digits only
SHORTENED = r"[0-9](?:\.[0-9]+)?E\+[0-9]+"


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
    turned_away = _reasons(rows, feed, layout)
    bad = turned_away.get_column("index")
    good = rows.filter(_all_but(rows.height, bad)) if len(bad) else rows
    accepted = good.with_columns(_warnings(good, feed, layout)).select(accepted_schema(feed).keys())
    quarantined = (
        records[bad]
        .with_columns(turned_away.get_column("reasons"), feed=pl.lit(feed.name), source_file=pl.lit(source_file), original=_original(layout))
        .with_columns(reasons_zh=pl.col("reasons").list.eval(pl.element().replace_strict(_sentences(feed), return_dtype=pl.String)))
    )
    return Judged(accepted, QUARANTINE.conform(quarantined), int(total.sum()), int(blank.sum()))


def _all_but(height: int, left_out: pl.Series) -> pl.Series:
    """A mask over so many rows."""
    return pl.repeat(True, height, eager=True).scatter(left_out, False)


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
    text = cells.clean_date(written) if column.kind is Kind.DATE else cells.clean_text(written)
    kept = [w for w in column.codes if w in cells.PLACEHOLDERS]
    if kept:
        text = cells.once(written, lambda word: _kept(word, kept), pl.String)
    if column.is_number and is_rounded:
        text = pl.when(~pl.col("rounded").list.contains(position)).then(text)
    return text.alias(column.name)


def _kept(written: pl.Expr, kept: list[str]) -> pl.Expr:
    """The cleaned text, the placeholders that are words of the column left standing."""
    bare = cells.clean_code(written)
    return pl.when(bare.is_in(kept)).then(bare).otherwise(cells.clean_text(written))


@cache
def acceptance(feed: Feed) -> pa.DataFrameSchema:
    """The key and need columns of the feed's Pandera model with their checks, each named by its reason code; of the others nothing is asked."""
    schema = feed.model.to_schema().remove_columns([c.name for c in feed.columns if not c.need])
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


def _reasons(rows: pl.DataFrame, feed: Feed, layout: Layout) -> pl.DataFrame:
    """index and reasons of each row that is not accepted: in the order of the contract's columns, the reader's fault first."""
    faults = rows.lazy().select("fault").with_row_index("index").filter(pl.col("fault").is_not_null())
    return (
        faults.join(_failures(rows, feed, layout).lazy(), on="index", how="full", coalesce=True)
        .select(
            "index",
            reasons=pl.when(pl.col("fault").is_in(_UNPARTED))
            .then(pl.concat_list("fault"))
            .otherwise(pl.concat_list(pl.concat_list("fault").list.drop_nulls(), pl.col("codes").fill_null(pl.lit([], dtype=pl.List(pl.String))))),
        )
        .sort("index")
        .collect()
    )


def _failures(rows: pl.DataFrame, feed: Feed, layout: Layout) -> pl.DataFrame:
    """index and codes of each row that the model turns away, in the order of the contract's columns."""
    asked = [c.name for c in feed.columns if c.need]
    try:
        acceptance(feed).validate(rows.select(*asked, "export_date"), lazy=True)
    except SchemaErrors as e:
        found = e.failure_cases
    else:
        return pl.DataFrame(schema={"index": pl.UInt32, "codes": pl.List(pl.String)})
    if found.get_column("index").null_count():
        raise AssertionError(f"the rows of {feed.name} don't fit its model: {found.get_column('check').unique().to_list()}") from None
    index = found.get_column("index").cast(pl.UInt32)
    rounded = pl.lit(False)
    for name in feed.key_columns:
        if feed.column(name).is_number:
            rounded |= (pl.col("column") == name) & pl.col("rounded").list.contains(layout.positions[name])
    judged: pl.DataFrame = (
        found.lazy()
        .select(index, "column", "check", rows.get_column("rounded").gather(index))
        .with_columns(
            reason=pl.when(pl.col("check") != "not_nullable")
            .then("check")
            .when(rounded)
            .then(pl.lit("key_stored_as_number"))
            .otherwise(pl.lit("missing_") + pl.col("column").replace_strict({c.name: c.need for c in feed.columns if c.need}, return_dtype=pl.String))
        )
        .sort("index", pl.col("column").replace_strict(asked, list(range(len(asked))), return_dtype=pl.UInt32), "reason")
        .group_by("index", maintain_order=True)
        .agg(codes=pl.concat_str("reason", pl.lit(":"), "column"))
        .collect()
    )
    return judged


def _warnings(accepted: pl.DataFrame, feed: Feed, layout: Layout) -> pl.Series:
    """What is faulty in an accepted row and can be done without, as codes in the order of the contract."""
    found: dict[str, pl.Series] = {}
    if _has_rounded(accepted):
        for column in feed.columns:
            if column.is_number and column.name in layout.positions:
                found[f"id_stored_as_number:{column.name}"] = accepted.get_column("rounded").list.contains(layout.positions[column.name])
    for column in feed.columns:
        if column.form:
            found[f"odd_key:{column.name}"] = _is_odd(accepted.get_column(column.name), f"^(?:{column.form})$")
        elif column.need == "key":
            found[f"odd_key:{column.name}"] = accepted.get_column(column.name).str.contains(f"^{SHORTENED}$")
    return gathered(long_of(pl.DataFrame(found), [(pl.col(code), pl.lit(code)) for code in found]), accepted.height, pl.String).alias("warnings")


def _is_odd(keys: pl.Series, form: str) -> pl.Series:
    """Which keys are not in their form, however wide their characters; null for null."""
    # the digits of every script are many: the bulk, whose digits are the usual ones, is told apart without them
    odd = ~keys.str.contains(form.replace(r"\d", "[0-9]"))
    at = odd.arg_true()
    rest = keys.gather(at)
    in_form = rest.str.contains(form) | rest.str.normalize("NFKC").str.to_uppercase().str.contains(form)
    return odd.scatter(at, ~in_form)


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
