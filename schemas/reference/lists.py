"""The reference lists as frames and dictionaries, read once. Enters: the CSV files of this folder. Leaves: counties, townships, code history, changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import polars as pl

HERE = Path(__file__).parent
CITY = "重庆市"
CITY_CODE = "500000"
HIGH_TECH_ZONE = "5001GX"  # 高新区: no national code
# national codes that hold districts and are none
CONTAINERS = frozenset({"500000", "500100", "500200", "500300"})


def read(name: str) -> pl.DataFrame:
    """A list of this folder, all text."""
    return pl.read_csv(HERE / name, infer_schema=False)


@dataclass(frozen=True)
class County:
    """A county-level unit as it stands today: six-digit code, name, prefecture (empty where the province holds it directly), province."""

    code: str
    name: str
    city: str
    province: str


@dataclass(frozen=True)
class Change:
    """One change of district: on that day `before` (where `townships` are given, only those; all where empty) became `code`."""

    on: date
    code: str
    before: str
    townships: tuple[str, ...]


@cache
def counties() -> dict[str, County]:
    """Today's county-level units of the country by code."""
    rows = read("cn_counties_2026.csv").fill_null("").iter_rows()
    return {code: County(code, name, city, province) for code, name, city, province in rows if province}


@cache
def provinces() -> dict[str, str]:
    """Two-digit prefix -> province; Taiwan, Hong Kong and Macau, whose counties no list here has, as wholes."""
    beyond = {"71": "台湾省", "81": "香港特别行政区", "82": "澳门特别行政区"}
    return {code[:2]: county.province for code, county in counties().items()} | beyond


@cache
def prefectures() -> dict[str, tuple[str, str]]:
    """Four-digit prefix -> (prefecture, province), outside the city."""
    return {code[:4]: (c.city, c.province) for code, c in counties().items() if c.city and not code.startswith("50")}


@cache
def former_names() -> dict[str, str]:
    """Codes of the country that were once in force and their last names (GB/T 2260, 1980-2019)."""
    timeline = read("gb2260_timeline_1980_2019.csv").sort("code6", "last_revision_yyyymm")
    return dict(timeline.select("code6", "name").iter_rows())


@cache
def successors() -> dict[str, str]:
    """Old codes of the city's districts, of any age, to the code in force today; where a district was divided, the larger part's."""
    history = read("cq_code_history.csv").filter(pl.col("old_code6") != pl.col("new_code6")).filter(pl.col("old_code6") != "500109")
    step: dict[str, str] = dict(history.select("old_code6", "new_code6").iter_rows())
    step |= {"500105": "500157", "500112": "500157", "500181": "500116", "500182": "500117", "500183": "500118", "500184": "500119"}

    def last(code: str) -> str:
        while code in step:
            code = step[code]
        return code

    return {old: last(old) for old in step}


@cache
def old_district_names() -> dict[str, str]:
    """Names of districts that no longer exist -> their last code (开县 -> 500234)."""
    history = read("cq_code_history.csv").filter(pl.col("old_code6").str.starts_with("500") & ~pl.col("old_code6").is_in(["500109", "500110", "500111"]))
    return {name: code for code, name in history.select("old_code6", "old_name").iter_rows()}


@cache
def moved_townships() -> dict[tuple[str, str], str]:
    """(district before 2025-11-06, township) -> district since."""
    names = {"江北区": "500105", "渝北区": "500112", "北碚区": "500109"}
    rows = read("cq_township_crosswalk_2025.csv").select("old_county", "name", "new_county6").iter_rows()
    return {(names[old], name): new for old, name, new in rows}


@cache
def zone_townships(zone: str) -> tuple[str, ...]:
    """The townships of a functional zone."""
    return tuple(read("cq_functional_zones.csv").filter(pl.col("zone") == zone).get_column("township").to_list())


@cache
def zone_hosts(zone: str) -> frozenset[str]:
    """The districts on whose ground a functional zone lies."""
    return frozenset(read("cq_functional_zones.csv").filter(pl.col("zone") == zone).get_column("host_county6"))


@cache
def township_places() -> dict[tuple[str, str], str]:
    """(district, township) -> district in force today; the district by its code of today or by one it had before 2025-11-06."""
    today = read("cq_townships_2026.csv").filter(pl.col("stale_duplicate_since_2025_11") == "0")
    older = read("cq_townships_2023_nbs.csv").filter(~pl.col("county_code6").is_in(["500105", "500112", "500109"]))
    found = {(county, name): county for frame in (older, today) for name, county in frame.select("name", "county_code6").iter_rows()}
    return found | moved_townships()


@cache
def township_codes(system: str) -> dict[str, tuple[str, str]]:
    """Nine-digit code -> (township, district in force today) in one of the two code systems, NBS (2023) or MCA (2026)."""
    if system == "MCA":
        frame = read("cq_townships_2026.csv").with_columns(
            county_code6=pl.when(pl.col("stale_duplicate_since_2025_11") == "1").then(pl.lit("500157")).otherwise("county_code6")
        )
    else:
        frame = read("cq_townships_2023_nbs.csv")
    moved = moved_townships()
    rows = frame.select("code9", "name", "county_code6").iter_rows()
    return {code: (name, moved.get((county, name), county)) for code, name, county in rows}


@cache
def changes() -> tuple[Change, ...]:
    """Changes of the city's districts, newest first; for one day and code, those of named townships first."""
    found = []
    for on, code, before, which, _ in read("district_changes.csv").iter_rows():
        if which == "crosswalk":
            townships = tuple(sorted(name for (old, name), new in moved_townships().items() if (old, new) == (before, code)))
        else:
            townships = zone_townships(which) if which else ()
        found.append(Change(date.fromisoformat(on), code, before, townships))
    return tuple(sorted(found, key=lambda c: (-c.on.toordinal(), c.code, not c.townships, c.before)))
