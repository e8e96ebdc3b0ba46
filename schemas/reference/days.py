"""Which district a place lay in on a day, and what it was called. Enters: places as `divisions` gives them, and a day. Leaves: expressions and names."""

from __future__ import annotations

from datetime import date

import polars as pl

from schemas.reference import lists


def district_on(day: date, code: pl.Expr, township: pl.Expr, written: pl.Expr) -> pl.Expr:
    """The code of the district in force on the day.

    Changes after the day are undone, newest first: by township where only some moved, by the old code as written where the township is not known,
    and else the code of today stands (500157 without township, written so before 2025-11-06: the functional zone of that name).

    Args:
        code, township, written: as in the standardised division columns; null code gives null.
    """
    found = code
    for change in lists.changes():
        if change.on <= day:
            continue
        moved = (found == change.code) & (written == change.before)
        if change.townships:
            zone = change.before
            moved = (found == change.code) & (township.is_in(change.townships) | (township.is_null() & (written == zone)) | written.is_in(_ZONE_OF.get(change.code, [])))
        elif change.code in _ZONE_OF:
            moved = (found == change.code) & ~(township.is_in(_townships_kept(change)).fill_null(False) | written.is_in(_ZONE_OF[change.code]))
        else:
            moved = found == change.code
        found = pl.when(moved.fill_null(False)).then(pl.lit(change.before)).otherwise(found)
    return found


# districts whose code was that of a smaller district before 2011: what is written where that one is meant
_ZONE_OF = {"500110": ["万盛经开区"], "500111": ["双桥经开区"]}


def _townships_kept(change: lists.Change) -> list[str]:
    """The townships that had the code already before the change."""
    return [t for other in lists.changes() if other.on == change.on and other.code == change.code == other.before for t in other.townships]


def name_of(code: str, day: date | None = None) -> str:
    """The Chinese name of a district, zone, prefecture or province; outside the city with its province and prefecture before it. The code itself where unknown.

    Args:
        day: for a code of the city that was in use twice (500110, 500111 before 2011-10-22); today's name without it.
    """
    if code == lists.HIGH_TECH_ZONE:
        return "高新区"
    for change in lists.changes():
        if day is not None and day < change.on and change.before == change.code == code:
            return {"500110": "万盛区", "500111": "双桥区"}[code]
    county = lists.counties().get(code)
    if county is not None:
        return county.name if county.province == lists.CITY else f"{county.province}{county.city}{county.name}"
    if code[2:] == "0000" and code[:2] in lists.provinces():
        return lists.provinces()[code[:2]]
    if code[4:] == "00" and code[:4] in lists.prefectures():
        city, province = lists.prefectures()[code[:4]]
        return f"{province}{city}"
    return lists.former_names().get(code, code)


def is_city(code: pl.Expr) -> pl.Expr:
    """Whether the code lies in Chongqing; null for null."""
    return code.str.starts_with("50")
