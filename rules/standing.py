"""What settles a child's answer before any place is looked at. Enters: facts as of a day. Leaves: the rows that say the child is dead, in a welfare institution, or of no mainland hukou."""

from __future__ import annotations

from datetime import date

import polars as pl

from rules.basis import ROW, Facts, rows, runs_on, surveys
from rules.evidence import day
from rules.hukou import NOT_MAINLAND, register_rows
from schemas.exports.feeds import CHILD_FEEDS

_CARED_FOR = ("父母双方", "父母一方", "祖辈", "其他亲属")


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
        "health": _runs("closed_on", as_of) & (pl.col("close_reason").is_null() | pl.col("closed_on").is_not_null()),
        "medical_insurance": pl.col("status").is_null() | (pl.col("status") != "终止参保"),
        "disease_control": pl.col("status").is_null() | (pl.col("status") == "在册"),
        "disability": pl.col("status").is_null() | (pl.col("status") != "注销"),
        "survey": pl.lit(True),
        "assistance": runs_on(as_of, "granted_on", "stopped_on", "left_station_on"),
    }
    told = {feed: _surveyed_there(facts, as_of) if feed == "survey" else rows(facts, feed) for feed in CHILD_FEEDS}
    return pl.concat([told[feed].filter(pl.col("in_institution") & ends[feed]).select(*ROW, pl.lit("住址或监护人为福利机构").alias("says")) for feed in CHILD_FEEDS])


def _surveyed_there(facts: Facts, as_of: date) -> pl.LazyFrame:
    """The surveys that found a child in an institution, and no newer one found it gone: in another place, gone back, or with somebody who cares for it."""
    seen = surveys(facts, as_of)
    gone_back = (pl.col("presence") == "已返回户籍地").fill_null(False)
    found = seen.filter(pl.col("in_institution") & ~gone_back)
    newer = seen.filter(~pl.col("in_institution") | gone_back).select("person_id", "seen_on", "residence_code", pl.col("guardianship").is_in(_CARED_FOR).alias("cared_for"), gone_back.alias("gone_back"))
    elsewhere = pl.col("residence_code") != pl.col("residence_code_newer")
    left = found.join(newer, on="person_id", suffix="_newer").filter((pl.col("seen_on_newer") > pl.col("seen_on")) & pl.any_horizontal("cared_for", "gone_back", elsewhere).fill_null(False))
    return found.join(left.select(ROW).unique(), on=list(ROW), how="anti")


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
