"""What was faulty in a row and done without. Enters: typed columns beside their raw text. Leaves: expressions that give a warning's code, or null."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import polars as pl

from matching import identifiers
from matching.digits import as_number
from schemas.exports.contract import Column, Feed, Kind

# a date before (or the same day as) another, in whatever feed has both
_IN_ORDER = (
    ("enrolled_on", "left_on"), ("arrived_on", "cancelled_on"), ("registered_on", "cancelled_on"), ("permit_issued_on", "permit_expires_on"),
    ("opened_on", "closed_on"), ("opened_on", "last_visit_on"), ("issued_on", "expires_on"), ("granted_on", "stopped_on"), ("arrived_on", "surveyed_on"),
    ("open_from", "open_until"),
)  # fmt: skip
# a start is never before birth (contracts/feeds.md, "nothing lost")
STARTS = ("enrolled_on", "hukou_since", "arrived_on", "registered_on", "permit_issued_on", "opened_on", "insured_on", "moved_in_on", "left_hukou_on")
_NO_DATE = r"^(?:0{8}|1900[-/.年]?0?1[-/.月]?0?1日?.*|1899[-/.年]?12[-/.月]?30日?.*)$"


def _when(fault: pl.Expr, code: str) -> pl.Expr:
    return pl.when(fault.fill_null(False)).then(pl.lit(code))


def column_warnings(column: Column) -> list[pl.Expr]:
    """The warnings that one column can give."""
    raw, name = pl.col(f"raw_{column.name}"), column.name
    match column.kind:
        case Kind.DATE:
            unread = pl.when(pl.col(name).is_null()).then(raw)
            return [_when(~unread.str.contains(_NO_DATE), f"date_unreadable:{name}")]
        case Kind.DIVISION:
            note = pl.col(f"note_{name}")
            return [pl.when(note.is_not_null()).then(pl.concat_str(note, pl.lit(f":{name}")))]
        case Kind.CODE if column.codes:
            return [_when(raw.is_not_null() & pl.col(name).is_null(), f"code_unknown:{name}")]
        case Kind.PHONE:
            return [_when(pl.col(name).list.len() == 0, f"phone_unusable:{name}")]
        case Kind.SEX | Kind.FLAG | Kind.YEAR | Kind.NUMBER:
            return [_when(raw.is_not_null() & pl.col(name).is_null() & ~raw.is_in(["0", "9", "未知", "未说明"]), f"code_unknown:{name}")]
        case Kind.ID if name == "id_number":
            status = pl.col("id_number_status")
            return [pl.when(~status.is_in(["valid", "absent", "other_document"])).then(pl.concat_str(pl.lit("id_unusable:"), status))]
        case Kind.ID:
            return [_when(pl.col(f"{name}_status").is_in(["wrong_length", "checksum_failed"]), f"id_unusable:{name}")]
        case Kind.NAME:
            return [_when(pl.col(name).str.contains(r"[?？□■〓\u{FFFD}\u{E000}-\u{F8FF}]"), f"name_unreadable_character:{name}")]
        case _:
            return []


def _before_birth(feed: Feed) -> pl.Expr:
    starts = [c.name for c in feed.columns if c.name in STARTS]
    return _first(_when(pl.col(s) < pl.col("birth_date"), f"start_before_birth:{s}") for s in starts)


def _contradicting(feed: Feed) -> pl.Expr:
    present = {c.name for c in feed.columns}
    pairs = [(a, b) for a, b in _IN_ORDER if a in present and b in present]
    return _first(_when(pl.col(b) < pl.col(a), f"dates_contradict:{a},{b}") for a, b in pairs)


def _sex_against_number(feed: Feed) -> pl.Expr:
    valid = pl.col("id_number_status") == "valid"
    return _when(valid & (identifiers.sex(pl.col("id_number")) != pl.col("sex")), "sex_contradicts_id")


def _birth_against_number(feed: Feed) -> pl.Expr:
    valid = pl.col("id_number_status") == "valid"
    born = pl.col("id_number").str.slice(6, 8).cast(pl.Int32, strict=False)
    return _when(valid & (born != as_number(pl.col("birth_date"))), "birth_date_contradicts_id")


def _first(found: Iterable[pl.Expr]) -> pl.Expr:
    several = list(found)
    return pl.coalesce(several) if several else pl.lit(None, dtype=pl.String)


def _needing(columns: tuple[str, ...], warning: Callable[[Feed], pl.Expr]) -> Callable[[Feed], pl.Expr]:
    """The warning for feeds that have those columns, null for others."""

    def guarded(feed: Feed) -> pl.Expr:
        return warning(feed) if set(columns) <= {c.name for c in feed.columns} else pl.lit(None, dtype=pl.String)

    return guarded


ROW_WARNINGS: tuple[Callable[[Feed], pl.Expr], ...] = (
    _needing(("birth_date",), _before_birth),
    _contradicting,
    _needing(("id_number", "sex"), _sex_against_number),
    _needing(("id_number", "birth_date"), _birth_against_number),
)
