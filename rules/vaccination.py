"""Doses that are really overdue. Enters: immunisation cards with 应种未种, birth dates. Leaves: the doses past their time in the national schedule of the day."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

import schemas.reference
from rules.basis import ROW
from rules.law import Parameters
from schemas.filled import filled

SCHEDULE = Path(schemas.reference.__file__).parent / "immunisation_schedule.csv"


def schedule(as_of: date, p: Parameters) -> pl.DataFrame:
    """The national schedule in force on a day (国家免疫规划疫苗儿童免疫程序): one row a dose.

    Returns:
        series, dose, deadline_months (the age from which the dose is overdue: 最迟完成月龄, else the recommended age and a grace).
    """
    effective = pl.col("effective")
    begins = pl.when(effective.str.ends_with("前")).then(None).otherwise(_first_day(effective.str.strip_chars_end("起")))
    ends = pl.when(effective.str.ends_with("前")).then(effective.str.strip_chars_end("前").str.to_date("%Y-%m-%d", strict=False))
    recommended, complete = (pl.col(name).cast(pl.Int32) for name in ("recommended_age_months", "complete_before_months"))
    return (
        pl.read_csv(SCHEDULE, infer_schema=False)
        .with_columns(begins.alias("begins"), ends.alias("ends"))
        .filter((pl.col("begins").is_null() | (pl.col("begins") <= as_of)) & (pl.col("ends").is_null() | (pl.col("ends") >= as_of)))
        .select(
            _plain(pl.col("vaccine")).replace_strict(p["vaccination/names"], return_dtype=pl.String).alias("series"),
            pl.col("dose").cast(pl.Int32),
            pl.coalesce(complete, recommended + p["vaccination/grace_months"]).alias("deadline_months"),
        )
        .sort("series", "dose")
    )


def overdue(cards: pl.LazyFrame, as_of: date, p: Parameters) -> pl.LazyFrame:
    """The doses of each card that are past their time.

    A dose that the schedule does not know, or a child without a birth date, is taken at the clinic's word. A dose that
    this child is not due (HPV for a boy) is no alarm.

    Args:
        cards: ROW, birth_date, sex, doses_overdue (what the clinic lists as 应种未种).

    Returns:
        ROW, doses (sorted texts, as the clinic wrote them); cards without an overdue dose are left out.
    """
    written = _plain(pl.col("doses_overdue"))
    listed = (
        cards.select(*ROW, "birth_date", "sex", "doses_overdue")
        .explode("doses_overdue", empty_as_null=True)
        .filter(pl.col("doses_overdue").is_not_null())
        .with_columns(
            written.str.extract(r"^(.*?)\d*$").replace_strict(p["vaccination/names"], default=None, return_dtype=pl.String).alias("series"),
            written.str.extract(r"(\d+)$").cast(pl.Int32, strict=False).alias("dose"),
        )
        .join(schedule(as_of, p).lazy(), on=["series", "dose"], how="left")
        .join(_only_for(p), on="series", how="left")
    )
    past = pl.col("birth_date").dt.offset_by(filled("{}mo", "deadline_months")) <= as_of
    not_due = (pl.col("sex") != pl.col("due_sex")) | (pl.col("birth_date") < pl.col("born_from"))
    return (
        listed.filter(past.fill_null(True) & ~not_due.fill_null(False))
        .group_by(ROW)
        .agg(pl.col("doses_overdue").unique().sort().alias("doses"))
    )


def _plain(text: pl.Expr) -> pl.Expr:
    """A vaccine's name without blanks and 疫苗, 第, 剂, 次, marks half-width, in capitals."""
    return text.str.replace_all(r"疫苗|[第剂次\s　]", "").str.replace_many({"（": "(", "）": ")", "＋": "+"}).str.to_uppercase()


def _first_day(text: pl.Expr) -> pl.Expr:
    """`2021`, `2020-06` or `2025-01-01` as its first day."""
    return (
        text
        + pl.when(text.str.len_chars() == 4)
        .then(pl.lit("-01-01"))
        .when(text.str.len_chars() == 7)
        .then(pl.lit("-01"))
        .otherwise(pl.lit(""))
    ).str.to_date("%Y-%m-%d", strict=False)


def _only_for(p: Parameters) -> pl.LazyFrame:
    schema = {"series": pl.String, "due_sex": pl.String, "born_from": pl.Date}
    return pl.LazyFrame([(row["series"], row["sex"], row["born_from"]) for row in p["vaccination/only_for"]], schema=schema, orient="row")
