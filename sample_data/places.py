"""Where people live and are registered. Enters: schemas/reference. Leaves: `Places`, one row per township of the city and per county outside it.

A place is known by its index in the table. Indexes below `city` are townships of Chongqing, the others are counties of other provinces.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

import schemas.reference

Ints = NDArray[np.int64]
REFERENCE = Path(schemas.reference.__file__).parent

# where children with a hukou outside the city come from, by share; each share is spread over the counties of the place
_ORIGINS = {
    "广安市": 16, "达州市": 12, "泸州市": 8, "南充市": 8, "遂宁市": 7, "内江市": 5, "资阳市": 5, "宜宾市": 4, "成都市": 4, "凉山彝族自治州": 2,
    "遵义市": 9, "铜仁市": 5, "毕节市": 3, "恩施土家族苗族自治州": 5, "湘西土家族苗族自治州": 2, "昭通市": 3, "喀什地区": 1, "昌都市": 1,
}  # fmt: skip
# two abolished districts and one that changed: what share of their people (2020 census) lives in today's unit
_TODAY = {"500157": (("500105", 1.0), ("500112", 0.9), ("500109", 0.25)), "500109": (("500109", 0.75), ("500112", 0.1))}
_KIND_WEIGHT = {"街道": 4.0, "镇": 1.6, "乡": 0.5}
_CONTAINERS = ("市辖区", "县", "市")


@dataclass(frozen=True)
class Places:
    """All places, and how departments write them.

    Attributes:
        table: code6, township (null outside), county, full (名称 with province and city), zone (main-urban exempt zone), old6 (latest code no longer
            in force, null where none), gxq (高新区 直管园), wansheng (万盛经开区).
        city: number of townships of the city.
        weight: how many people live there, relative.
        texts: the division as text in each way of writing it: six, nine, twelve, old, county, full, unit.
    """

    table: pl.DataFrame
    city: int
    weight: NDArray[np.float64]
    texts: dict[str, pl.Series]

    @property
    def zone(self) -> NDArray[np.bool_]:
        """Lies in the main-urban exempt zone."""
        return self.table["zone"].to_numpy()

    @property
    def district(self) -> Ints:
        """The six-digit code as a number."""
        return self.table["code6"].cast(pl.Int64).to_numpy()

    def is_city(self, at: Ints) -> NDArray[np.bool_]:
        """Which of the places lie in the city."""
        return np.asarray(at < self.city)

    def away(self, hukou: Ints, home: Ints) -> NDArray[np.bool_]:
        """Which pairs count as away: another district or county, and not both in the exempt zone (decisions 3 and 4)."""
        return np.asarray((self.district[hukou] != self.district[home]) & ~(self.zone[hukou] & self.zone[home]))

    def named(self, code6: str, township: str | None = None) -> int:
        """The index of a township, or of a county outside the city; ValueError when there is none."""
        found = self.table.with_row_index("at").filter((pl.col("code6") == code6) & pl.col("township").eq_missing(pl.lit(township, pl.String)))
        if found.is_empty():
            raise ValueError(f"no place {code6} {township}")
        return int(found["at"][0])

    def draw(self, rng: np.random.Generator, size: int, among: NDArray[np.bool_]) -> Ints:
        """`size` places drawn by weight among those marked."""
        weight = np.where(among, self.weight, 0.0)
        return np.searchsorted(np.cumsum(weight) / weight.sum(), rng.random(size), side="right").astype(np.int64)


@cache
def places() -> Places:
    """The places of the city and of the counties its newcomers are from."""
    city, outside = _townships(), _origins()
    table = pl.concat([city, outside], how="diagonal_relaxed")
    six = pl.col("code6")
    nine = pl.coalesce("code9", "code6")
    texts = table.select(
        six=six,
        nine=nine,
        twelve=pl.when(pl.col("code9").is_null()).then(six).otherwise(pl.col("code9") + "000"),
        old=pl.coalesce("old6", "code6"),
        county=pl.col("county"),
        full=pl.col("full"),
        unit=pl.when("gxq").then(pl.lit("高新区")).when("wansheng").then(pl.lit("万盛经开区")).otherwise("county"),
    )
    return Places(
        table.select("code6", "township", "county", "full", "zone", "old6", "gxq", "wansheng"),
        city.height,
        table["weight"].to_numpy(),
        {name: texts[name] for name in texts.columns},
    )


def _read(name: str) -> pl.DataFrame:
    return pl.read_csv(REFERENCE / f"{name}.csv", infer_schema=False)


def _townships() -> pl.DataFrame:
    """Townships of the city as of 2026. Nine digits are written only where no other code system means another township by them (notes, 0.2)."""
    units = _read("cq_county_units")
    people = dict(zip(units["code6"], units["pop_2020_census"].cast(pl.Float64), strict=True))
    counts = {code: sum(people[c] * share for c, share in _TODAY.get(code, ((code, 1.0),))) for code in people if code not in ("500105", "500112")}
    zone = set(units.filter(pl.col("in_main_urban_exempt_zone") == "1")["code6"])
    clashing = set(_read("cq_township_code_conflicts_nbs_vs_mca")["code9"]) | set(_read("cq_township_crosswalk_2025")["new_code9"])
    special = _read("cq_functional_zones").filter(pl.col("extent") == "whole")
    rows = _read("cq_townships_2026").filter((pl.col("stale_duplicate_since_2025_11") == "0") & ~pl.col("name").str.contains("（"))
    kind = pl.col("kind").replace_strict(_KIND_WEIGHT, return_dtype=pl.Float64)
    code6 = pl.col("county_code6")
    return rows.join(_old_codes(), left_on=["county_code6", "name"], right_on=["code6", "township"], how="left").select(
        code6.alias("code6"),
        pl.col("name").alias("township"),
        "county",
        (pl.lit("重庆市") + pl.col("county")).alias("full"),
        code6.is_in(list(zone)).alias("zone"),
        pl.coalesce("old6", code6.replace_strict(_former(), default=None)).alias("old6"),
        *(
            (pl.struct("county_code6", "name").is_in(_members(special, unit).to_struct().implode())).alias(column)
            for unit, column in (("高新区直管园", "gxq"), ("万盛经开区", "wansheng"))
        ),
        pl.when(~pl.col("code9").is_in(list(clashing))).then("code9").alias("code9"),
        (code6.replace_strict(counts, return_dtype=pl.Float64) * kind / kind.sum().over("county_code6")).alias("weight"),
    )


def _members(special: pl.DataFrame, unit: str) -> pl.DataFrame:
    return special.filter(pl.col("zone") == unit).select(pl.col("host_county6").alias("county_code6"), pl.col("township").alias("name"))


def _old_codes() -> pl.DataFrame:
    """Townships of 江北 and 渝北 as they were before 2025-11-06: their code then resolves without the township to today's unit."""
    changed = _read("cq_township_crosswalk_2025").filter(pl.col("old_code9").str.slice(0, 6).is_in(["500105", "500112"]) & (pl.col("new_county6") == "500157"))
    return changed.select(pl.col("new_county6").alias("code6"), pl.col("name").alias("township"), pl.col("old_code9").str.slice(0, 6).alias("old6"))


def _former() -> dict[str, str]:
    """The latest six-digit code of a whole county that is no longer in force, where it means nothing else today."""
    history = _read("cq_code_history").filter(
        pl.col("old_code6").str.starts_with("5002") | pl.col("old_code6").str.starts_with("5003"),
        ~pl.col("new_code6").str.starts_with("5002"),
    )
    return dict(zip(history["new_code6"], history["old_code6"], strict=True))


def _origins() -> pl.DataFrame:
    """Counties outside the city."""
    share = pl.col("city").replace_strict(_ORIGINS, return_dtype=pl.Float64)
    return (
        _read("cn_counties_2026")
        .filter(pl.col("city").is_in(list(_ORIGINS)) & ~pl.col("name").is_in(_CONTAINERS))
        .select(
            pl.col("code6"),
            pl.lit(None, pl.String).alias("township"),
            pl.col("name").alias("county"),
            (pl.col("province") + pl.col("city") + pl.col("name")).alias("full"),
            pl.lit(False).alias("zone"),
            pl.lit(None, pl.String).alias("old6"),
            pl.lit(False).alias("gxq"),
            pl.lit(False).alias("wansheng"),
            pl.lit(None, pl.String).alias("code9"),
            (share * 1000 / pl.len().over("city")).alias("weight"),
        )
    )
