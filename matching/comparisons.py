"""The comparisons of the children's model: candidate pairs of units go in, the level of every comparison comes out.

Units have sets of values, so each comparison takes the best level over all values of one side and the other. Work is done on distinct values
(names, texts) or on codes; a pair that has nothing to compare gets null, never a default.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl
from rapidfuzz import process
from rapidfuzz.distance import OSA

from matching import name_levels
from matching.model import Model
from schemas.reference import lists

NEAR_DAYS = 62
_LOST = ord("?")
_SIMILAR_NAMES = (name_levels.SOUND, name_levels.UNREADABLE, name_levels.NEAR, name_levels.DROPPED, name_levels.SHORT, name_levels.ORDER)
# the attributes that pairs share or do not, and those of which every value of one side meets every value of the other
_COMPARED = (
    "birth_month", "birth_year", "sex", "phone", "address", "place_town", "place", "hukou_town", "hukou", "household", "certificate", "document", "feed_key", "feed",
)  # fmt: skip
_CROSSED = ("name", "birth")
# comparison; level and attribute that both must share for it, best first; the attribute both must have, and the level where they share none
_BY_VALUE: tuple[tuple[str, tuple[tuple[str, str], ...], str, str], ...] = (
    ("sex", (("same", "sex"),), "sex", "different"),
    ("phone", (("same", "phone"),), "phone", "different"),
    ("place", (("address", "address"), ("township", "place_town"), ("district", "place")), "place", "different"),
    ("hukou", (("township", "hukou_town"), ("district", "hukou")), "hukou", "different"),
    ("household", (("same", "household"),), "household", "different"),
    ("certificate", (("same", "certificate"),), "certificate", "different"),
    ("document", (("same", "document"),), "document", "different"),
    ("record_key", (("same", "feed_key"), ("same_feed", "feed")), "feed", "other_feed"),
)
# polars, numpy and rapidfuzz let go of the interpreter while they work
_WORKERS = 2


@dataclass(frozen=True)
class Units:
    """The units of a night: `values` are long tables unit, value by attribute (see `matching.features.attributes`), `count` how many there are.

    Tables may repeat themselves; what compares looks at each value once.
    """

    count: int
    values: dict[str, pl.DataFrame]
    names: pl.DataFrame
    relatives: pl.DataFrame
    id_texts: pl.DataFrame
    frequencies: dict[str, pl.DataFrame]


def compare(pairs: pl.DataFrame, units: Units, model: Model) -> pl.DataFrame:
    """The levels of the pairs.

    Args:
        pairs: l, r (units). units: what they have. model: whose comparisons are wanted.

    Returns:
        The pairs, in their order, with a column of levels (Int8, index into the model's levels) for each comparison, and the frequencies that
        `name` and `birth_date` go by.
    """
    numbered = pairs.select("l", "r").with_row_index("pair")
    units = _of_pairs(units, pairs)
    with ThreadPoolExecutor(_WORKERS) as pool:
        found = [pool.submit(each, numbered, units, model) for each in (_names, _births, _id_numbers, _relatives)]
        found += [pool.submit(_by_value, numbered, units, model, *said) for said in _BY_VALUE]
    out = numbered
    for each in found:
        out = out.join(each.result(), on="pair", how="left", maintain_order="left")
    return pairs.hstack(out.drop("pair", "l", "r"))


def _of_pairs(units: Units, pairs: pl.DataFrame) -> Units:
    """What the units of some pairs have, as far as it is compared; what is crossed, each value once."""
    wanted = np.zeros(units.count, dtype=np.bool_)
    for side in ("l", "r"):
        wanted[pairs[side].to_numpy()] = True

    def chosen(table: pl.DataFrame) -> pl.DataFrame:
        return table.filter(wanted[table["unit"].to_numpy()])

    values = {name: chosen(units.values[name]) for name in _COMPARED} | {name: chosen(units.values[name]).unique() for name in _CROSSED}
    return replace(units, values=values, relatives=chosen(units.relatives).unique(), id_texts=chosen(units.id_texts).unique())


def cross(pairs: pl.DataFrame, left: pl.DataFrame, right: pl.DataFrame | None = None) -> pl.DataFrame:
    """Every value of one side beside every value of the other: pair, the columns of `left`, those of `right` with `_r`."""
    right = left if right is None else right
    half = pairs.join(left, left_on="l", right_on="unit")
    return half.join(right, left_on="r", right_on="unit", suffix="_r").drop("l", "r")


def _shares(pairs: pl.DataFrame, values: pl.DataFrame) -> npt.NDArray[np.bool_]:
    """Whether the two units of each pair have a value in common."""
    half = pairs.join(values, left_on="l", right_on="unit")
    common = half.join(values, left_on=["r", "value"], right_on=["unit", "value"], how="semi")["pair"].unique()
    out = np.zeros(pairs.height, dtype=np.bool_)
    out[common.to_numpy()] = True
    return out


def _have(pairs: pl.DataFrame, values: pl.DataFrame, count: int) -> npt.NDArray[np.bool_]:
    """Whether both units of each pair have any value."""
    has = np.zeros(count, dtype=np.bool_)
    has[values["unit"].to_numpy()] = True
    both: npt.NDArray[np.bool_] = has[pairs["l"].to_numpy()] & has[pairs["r"].to_numpy()]
    return both


def _by_value(
    pairs: pl.DataFrame, units: Units, model: Model, name: str, steps: tuple[tuple[str, str], ...], known: str, otherwise: str
) -> pl.DataFrame:
    """A comparison of sets of codes: the first step whose attribute the two share; `otherwise` where both have `known`; else null."""
    comparison = model.comparison(name)
    level = np.where(_have(pairs, units.values[known], units.count), comparison.position(otherwise), -1)
    for step, attribute in reversed(steps):
        level = np.where(_shares(pairs, units.values[attribute]), comparison.position(step), level)
    return _column(pairs, name, level)


def _column(pairs: pl.DataFrame, name: str, level: npt.NDArray[np.int64]) -> pl.DataFrame:
    """pair and the level, -1 becoming null."""
    return pairs.select("pair", pl.Series(name, level.astype(np.int8))).with_columns(pl.when(pl.col(name) >= 0).then(name))


def _names(pairs: pl.DataFrame, units: Units, model: Model) -> pl.DataFrame:
    """The best level over all names, with the frequency it goes by; `newborn` where one side has no name that says who."""
    comparison = model.comparison("name")
    positions = {i: comparison.position(each) for i, each in enumerate(name_levels.LEVELS)}
    crossed = cross(pairs, units.values["name"]).rename({"value": "a", "value_r": "b"})
    compared = name_levels.compare_names(crossed, units.names)
    levelled = crossed.join(compared, on=["a", "b"]).with_columns(frequency=pl.lit(None, dtype=pl.Float64))
    for level, kind in ((name_levels.SAME, "name"), (name_levels.SOUND, "same_sound"), (name_levels.GIVEN, "other_surname")):
        table = units.frequencies[kind]
        levelled = (
            levelled.join(table, left_on="a", right_on="value", how="left", maintain_order="left")
            .join(table, left_on="b", right_on="value", how="left", suffix="_b", maintain_order="left")
            .with_columns(frequency=pl.when(pl.col("level") == level).then(pl.max_horizontal("share", "share_b")).otherwise("frequency"))
            .drop("share", "share_b")
        )
    best = levelled.sort("pair", "level", "frequency").unique("pair", keep="first", maintain_order=True)
    out = pairs.select("pair").join(best.select("pair", "level", name_frequency="frequency"), on="pair", how="left", maintain_order="left")
    named = pl.col("level").replace_strict(positions, default=comparison.position("newborn"), return_dtype=pl.Int8)
    return out.select("pair", "name_frequency", name=named)


def _births(pairs: pl.DataFrame, units: Units, model: Model) -> pl.DataFrame:
    """The best level over all birth dates exact to the day; else by month or year."""
    position = model.comparison("birth_date").position
    dates = units.values["birth"]
    crossed = cross(pairs, dates)
    distinct = crossed.select("value", "value_r").unique().sort("value", "value_r")
    a, b = distinct["value"].cast(pl.Date), distinct["value_r"].cast(pl.Date)
    edits = process.cpdist(a.dt.strftime("%Y%m%d").to_list(), b.dt.strftime("%Y%m%d").to_list(), scorer=OSA.distance, score_cutoff=2)
    turned = (a.dt.year() == b.dt.year()) & (a.dt.month() == b.dt.day()) & (a.dt.day() == b.dt.month())
    distinct = distinct.with_columns(
        level=pl.when(pl.col("value") == pl.col("value_r")).then(position("same"))
        .when(turned).then(position("swapped"))
        .when(_lunar(distinct)).then(position("lunar"))
        .when(pl.Series(edits, dtype=pl.Int32) <= 1).then(position("one_digit"))
        .when((a.dt.month() == b.dt.month()) & (a.dt.day() == b.dt.day())).then(position("other_year"))
        .when((pl.col("value") - pl.col("value_r")).abs() <= NEAR_DAYS).then(position("near"))
        .otherwise(position("different")).cast(pl.Int64)
    )  # fmt: skip
    best = (
        crossed.join(distinct, on=["value", "value_r"])
        .join(units.frequencies["birth"], on="value", how="left")
        .sort("pair", "level", "share")
        .unique("pair", keep="first", maintain_order=True)
    )
    coarse = np.full(pairs.height, -1)
    for attribute, level in (("birth_year", "year_same"), ("birth_month", "month_same")):
        comparable, shared = _have(pairs, units.values[attribute], units.count), _shares(pairs, units.values[attribute])
        coarse = np.where(comparable, np.where(shared, position(level), position("different")), coarse)
    out = pairs.select("pair", pl.Series("coarse", coarse)).join(best.select("pair", "level", "share"), on="pair", how="left", maintain_order="left")
    known = pl.coalesce("level", "coarse")
    return out.select("pair", birth_date=pl.when(known >= 0).then(known).cast(pl.Int8), birth_date_frequency="share")


def _lunar(distinct: pl.DataFrame) -> pl.Series:
    """Whether one of two dates (value, value_r: days since 1970) is the other's in the lunar calendar, leap months by the month they repeat."""
    known = _lunar_days()
    one, other = (distinct.join(known, left_on=side, right_on="day", how="left", maintain_order="left")["written"] for side in ("value", "value_r"))
    return ((one == distinct["value_r"]) | (other == distinct["value"])).fill_null(False)


@cache
def _lunar_days() -> pl.DataFrame:
    """day, written: what each day's lunar year, month and day are when taken for a date of the common calendar (both days since 1970)."""
    years = lists.read("lunar_years.csv").with_columns(
        pl.col("year", "leap_month").cast(pl.Int32), first=pl.col("first_day").str.to_date().cast(pl.Int32), length=pl.col("month_lengths").str.split(" ")
    )
    months = years.with_columns(place=pl.int_ranges(1, pl.col("length").list.len() + 1)).explode("place", "length").with_columns(pl.col("length").cast(pl.Int32))
    months = months.with_columns(
        month=pl.col("place") - (pl.col("place") > pl.col("leap_month")).fill_null(False).cast(pl.Int64),
        start=pl.col("first") + pl.col("length").cum_sum().over("year") - pl.col("length"),
    )
    days = months.with_columns(date=pl.int_ranges(1, pl.col("length") + 1)).explode("date")
    written = pl.concat_str("year", pl.col("month").cast(pl.String).str.zfill(2), pl.col("date").cast(pl.String).str.zfill(2)).str.to_date("%Y%m%d", strict=False)
    return days.select(day=(pl.col("start") + pl.col("date") - 1).cast(pl.Int32), written=written.cast(pl.Int32))


def _id_numbers(pairs: pl.DataFrame, units: Units, model: Model) -> pl.DataFrame:
    """The best level over what is left of id numbers; a number inside a record key may be an old one, one taken for
    a sibling's is none of the child's: they only speak for, never against."""
    position = model.comparison("id_number").position
    texts = units.id_texts.select("text", "kind").unique().sort("text", "kind").with_row_index("code")
    crossed = cross(pairs, units.id_texts.join(texts, on=["text", "kind"]).select("unit", "code"))
    distinct = crossed.select("code", "code_r").unique()
    sides = (texts[distinct[code].to_numpy()] for code in ("code", "code_r"))
    both = pl.concat([side.select("text", "kind").rename({"text": f"text{end}", "kind": f"kind{end}"}) for side, end in zip(sides, ("", "_r"), strict=True)], how="horizontal")
    compared = distinct.with_columns(compare_id_texts(both, position)["level"])
    best = crossed.join(compared, on=["code", "code_r"]).group_by("pair").agg(
        id_number=pl.col("level").min(), two=(pl.col("level") == position("two_numbers")).any()
    )
    level = pl.when(pl.col("two") & (pl.col("id_number") != position("same"))).then(position("two_numbers")).otherwise("id_number")
    return best.select("pair", id_number=level.cast(pl.Int8))


def compare_id_texts(both: pl.DataFrame, at: Callable[[str], int]) -> pl.DataFrame:
    """The level of each pair of 18-character texts: `both` has text, kind, text_r, kind_r, and is given back with `level`; see `_id_numbers`."""
    left, right = (np.frombuffer("".join(both[side]).encode("ascii", "replace"), dtype=np.uint8).reshape(-1, 18) for side in ("text", "text_r"))
    known = (left != _LOST) & (right != _LOST)
    wrong = known & (left != right)
    # two neighbours changed places: the only two that differ, each the other's
    turned = (wrong.sum(axis=1) == 2) & ((wrong[:, :-1] & wrong[:, 1:]) & (left[:, :-1] == right[:, 1:]) & (left[:, 1:] == right[:, :-1])).any(axis=1)
    seen = both.with_columns(
        known=pl.Series(known.sum(axis=1)), wrong=pl.Series(wrong.sum(axis=1)), front=pl.Series(~wrong[:, :14].any(axis=1)), turned=pl.Series(turned)
    )
    either = {kind: (pl.col("kind") == kind) | (pl.col("kind_r") == kind) for kind in ("partial", "key", "carried")}
    own = (pl.col("kind") == "own") & (pl.col("kind_r") == "own")
    agrees, whole = pl.col("wrong") == 0, pl.col("known") == 18
    return seen.with_columns(
        level=pl.when(either["carried"]).then(pl.when(agrees & whole).then(at("carried")))
        .when(agrees & whole).then(at("same"))
        .when(own).then(at("two_numbers"))
        .when(either["partial"] & agrees & (pl.col("known") >= 14)).then(at("digits_same"))
        .when(either["partial"] & agrees & (pl.col("known") >= 6)).then(at("masked_same"))
        .when(either["key"]).then(None)
        .when(~either["partial"] & ((pl.col("wrong") <= 1) | pl.col("turned"))).then(at("one_digit"))
        .when(pl.col("front") & (pl.col("known") >= 14)).then(at("front_same"))
        .otherwise(at("different"))
    ).drop("known", "wrong", "front", "turned")  # fmt: skip


def _relatives(pairs: pl.DataFrame, units: Units, model: Model) -> pl.DataFrame:
    """How the people around the two children agree, as sets of persons known by name or number."""
    position = model.comparison("relatives").position
    people = units.relatives
    names, numbers = (_common(pairs, people.select("unit", value=c).drop_nulls().unique()) for c in ("name_code", "number"))
    parents = people.filter(pl.col("role") > 0, pl.col("name_code").is_not_null())
    both = np.zeros(pairs.height, dtype=np.bool_)
    for role in parents["role"].unique():
        both |= _have(pairs, parents.filter(pl.col("role") == role), units.count)
    strange = pairs.filter((names == 0) & (numbers == 0) & both)
    crossed = cross(strange, parents.select("unit", "role", "name_code")).filter(pl.col("role") == pl.col("role_r")).rename({"name_code": "a", "name_code_r": "b"})
    similar = name_levels.compare_names(crossed, units.names).filter(pl.col("level").is_in(_SIMILAR_NAMES))
    alike = np.zeros(pairs.height, dtype=np.bool_)
    alike[crossed.join(similar, on=["a", "b"], how="semi")["pair"].to_numpy()] = True
    level = np.select(
        [np.maximum(names, numbers) >= 2, numbers == 1, names == 1, alike, both],
        [position(each) for each in ("two_same", "number_same", "one_same", "similar", "other_parent")],
        position("other_people"),
    )
    return _column(pairs, "relatives", np.where(_have(pairs, people, units.count), level, -1))


def _common(pairs: pl.DataFrame, values: pl.DataFrame) -> npt.NDArray[np.int64]:
    """How many values the two units of each pair have in common; `values` are distinct."""
    half = pairs.join(values, left_on="l", right_on="unit")
    common = half.join(values, left_on=["r", "value"], right_on=["unit", "value"], how="semi")["pair"]
    return np.bincount(common.to_numpy(), minlength=pairs.height)
