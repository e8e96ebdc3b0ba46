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
    if day >= lists.changes()[0].on:
        return code
    places = pl.struct(code.alias("code"), township.alias("township"), written.alias("written"))
    return places.map_batches(lambda cells: _back_to(day, cells), return_dtype=pl.String, is_elementwise=True)


def _back_to(day: date, places: pl.Series) -> pl.Series:
    """The district on the day of each struct of code, township, written; each distinct place once, a change at a time."""
    asked = places.struct.unnest().cast(pl.String)
    known = asked.unique().with_columns(found=pl.col("code"))
    for change in lists.changes():
        if change.on > day:
            known = known.with_columns(found=pl.when(_moved(change).fill_null(False)).then(pl.lit(change.before)).otherwise("found"))
    return asked.join(known, on=["code", "township", "written"], how="left", nulls_equal=True, maintain_order="left").get_column("found")


def _moved(change: lists.Change) -> pl.Expr:
    """Whether a place, by `found`, `township` and `written`, lay in the district that the change ended."""
    here, township, written = pl.col("found") == change.code, pl.col("township"), pl.col("written")
    if change.townships:
        unsaid = township.is_null() & (written == change.before)
        return here & (township.is_in(change.townships) | unsaid | written.is_in(_ZONE_OF.get(change.code, [])))
    if change.code in _ZONE_OF:
        kept = township.is_in(_townships_kept(change)).fill_null(False) | written.is_in(_ZONE_OF[change.code])
        return here & ~kept.fill_null(False)
    return here


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
