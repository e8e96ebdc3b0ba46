"""What settles a child's answer before any place is looked at. Enters: facts as of a day. Leaves: the rows that say the child is dead, in a welfare institution, or of no mainland hukou."""

from __future__ import annotations

from datetime import date

import polars as pl

from rules.basis import ROW, Facts, rows, runs_on
from rules.evidence import day
from rules.hukou import NOT_MAINLAND, register_rows
from schemas.exports.feeds import CHILD_FEEDS


def deaths(facts: Facts, as_of: date) -> pl.LazyFrame:
    """Rows that say the child is dead (decision 19): ROW, says. Another cancellation than 死亡注销 is no death."""
    register = register_rows(facts, as_of).filter(pl.col("standing") == "死亡注销").select(*ROW, pl.lit("户口状态死亡注销").alias("says"))
    cancelled = rows(facts, "residence").filter((pl.col("cancel_reason") == "死亡") & _come("cancelled_on", as_of))
    closed = rows(facts, "health").filter(pl.col("close_reason").str.contains("死亡") & _come("closed_on", as_of))
    card = rows(facts, "disease_control").filter(pl.col("status") == "死亡")
    said = ((cancelled, "流动人口登记注销原因死亡"), (closed, "儿童健康档案结案原因死亡"), (card, "预防接种在册状态死亡"))
    return pl.concat([register, *(frame.select(*ROW, pl.lit(says).alias("says")) for frame, says in said)])


def institutions(facts: Facts, as_of: date) -> pl.LazyFrame:
    """Rows still running whose address or guardian is a welfare institution (decision 16): ROW, says."""
    ends = {
        "household": pl.col("hukou_status").fill_null("正常") == "正常",
        "residence": _runs("cancelled_on", as_of) & (pl.col("cancel_reason").is_null() | pl.col("cancelled_on").is_not_null()),
        "education": _runs("left_on", as_of) & (pl.col("status").is_null() | pl.col("status").is_in(["在读", "休学"])),
        "health": _runs("closed_on", as_of),
        "medical_insurance": pl.col("status").is_null() | (pl.col("status") != "终止参保"),
        "disease_control": pl.col("status").is_null() | (pl.col("status") == "在册"),
        "disability": pl.col("status").is_null() | (pl.col("status") != "注销"),
        "survey": pl.col("presence").is_null() | (pl.col("presence") != "已返回户籍地"),
        "assistance": runs_on(as_of, "granted_on", "stopped_on", "left_station_on"),
    }
    return pl.concat([rows(facts, feed).filter(pl.col("in_institution") & ends[feed]).select(*ROW, pl.lit("住址或监护人为福利机构").alias("says")) for feed in CHILD_FEEDS])


def outside_mainland(facts: Facts) -> pl.LazyFrame:
    """Rows that show a document of Hong Kong, Macau, Taiwan or a foreign state, or name a hukou place there (decision 14): ROW, says."""
    parts = []
    for feed, contract in CHILD_FEEDS.items():
        named = pl.col("hukou_code").str.contains(NOT_MAINLAND).fill_null(False) if "hukou_code" in contract.fact_columns else pl.lit(False)
        parts.append(rows(facts, feed).filter(pl.col("document_type").is_in(["hmt", "foreign"]).fill_null(False) | named).select(*ROW, pl.lit("港澳台或外国证件").alias("says")))
    return pl.concat(parts)


def _come(column: str, as_of: date) -> pl.Expr:
    """The day has come, or is not given."""
    return pl.col(column).is_null() | day(column, as_of).is_not_null() | (pl.col(column) > pl.col("export_date"))


def _runs(column: str, as_of: date) -> pl.Expr:
    return pl.col(column).is_null() | (pl.col(column) > as_of)
