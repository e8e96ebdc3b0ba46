"""The comparisons of the children's model: candidate pairs of units go in, the level of every comparison comes out.

Units have sets of values, so each comparison takes the best level over all values of one side and the other. Work is done on distinct values
(names, texts) or on codes; a pair that has nothing to compare gets null, never a default.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl
from rapidfuzz import process
from rapidfuzz.distance import OSA

from matching import identifiers, name_levels
from matching.features import ID_KINDS
from matching.frequencies import Shares
from matching.model import Model
from matching.name_levels import Looked
from matching.sets import Flags, Place, Sets, Whole
from schemas.in_order import in_order
from schemas.reference import lists

NEAR_DAYS = 62
_LOST = ord("?")
# above every level: nothing to compare
_SILENT = 127
_SIMILAR_NAMES = (name_levels.SOUND, name_levels.UNREADABLE, name_levels.NEAR, name_levels.DROPPED, name_levels.SHORT, name_levels.ORDER)
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
# pairs that are compared at once
_SLICE = 400_000
Levels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Units:
    """The units of a night: what they have, by attribute (`matching.features.attributes`), and what the values stand for.

    Attributes:
        count: how many there are. names: the name table. partial: code, text of the numbers that are not whole. frequencies, common: see `matching.frequencies`.
    """

    count: int
    values: dict[str, Sets]
    names: pl.DataFrame
    partial: pl.DataFrame
    frequencies: dict[str, Shares]
    common: dict[str, Whole]


@dataclass(frozen=True)
class _Pairs:
    """The two units of each pair."""

    left: npt.NDArray[np.uint32]
    right: npt.NDArray[np.uint32]

    def agreement(self, sets: Sets) -> tuple[Flags, Flags]:
        return sets.agreement(self.left, self.right)

    def both(self, sets: Sets) -> Flags:
        return sets.both(self.left, self.right)

    def crossed(self, sets: Sets) -> tuple[Place, Whole, Whole]:
        return sets.crossed(self.left, self.right)


def compare(pairs: pl.DataFrame, units: Units, model: Model) -> pl.DataFrame:
    """The levels of the pairs.

    Args:
        pairs: l, r (units). units: what they have. model: whose comparisons are wanted.

    Returns:
        The pairs, in their order, with a column of levels (Int8, index into the model's levels) for each comparison, and the frequencies that
        `name` and `birth_date` go by.
    """
    left, right = (pairs[side].cast(pl.UInt32).to_numpy() for side in ("l", "r"))
    slices = [_Pairs(left[at : at + _SLICE], right[at : at + _SLICE]) for at in range(0, max(1, len(left)), _SLICE)]
    names = _looked(units, left, right)
    return pairs.hstack(pl.concat(in_order(lambda some: _compared(some, units, names, model), slices)))


def _looked(units: Units, left: npt.NDArray[np.uint32], right: npt.NDArray[np.uint32]) -> Looked:
    """The names of the units of some pairs and of their parents."""
    has = np.zeros(units.count, dtype=np.bool_)
    has[left] = has[right] = True
    codes = [units.values[attribute].of_units(np.flatnonzero(has).astype(np.uint32)) for attribute in ("name", "father", "mother")]
    return name_levels.look_at(units.names, pl.Series(np.concatenate(codes), dtype=pl.UInt32).unique())


def frequencies_of(compared: pl.DataFrame, units: Units, model: Model) -> pl.DataFrame:
    """`name_frequency` and `birth_date_frequency` of pairs whose levels are known, as `compare` has them.

    Args:
        compared: what `compare` made, of units that have the values they had then.
    """
    left, right = (compared[side].to_numpy() for side in ("l", "r"))
    name, birth = (compared[column].fill_null(-1).to_numpy() for column in ("name", "birth_date"))
    position = model.comparison("name").position
    names, births = np.full(len(left), np.nan), np.full(len(left), np.nan)
    for out, at, attribute in (
        (names, name == position(name_levels.LEVELS[name_levels.SAME]), "name"),
        (births, birth == model.comparison("birth_date").position("same"), "birth"),
    ):
        out[at] = _rarest_shared(_Pairs(left[at], right[at]), units, attribute)
    similar = np.flatnonzero(np.isin(name, [position(name_levels.LEVELS[kind]) for kind in (name_levels.SOUND, name_levels.GIVEN)]))
    looked = _looked(units, left[similar], right[similar])
    for first in range(0, len(similar), _SLICE):
        some = similar[first : first + _SLICE]
        names[some] = _names(_Pairs(left[some], right[some]), units, looked, model)[1]
    return pl.DataFrame({"name_frequency": names, "birth_date_frequency": births}, nan_to_null=True)


def _rarest_shared(pairs: _Pairs, units: Units, attribute: str) -> npt.NDArray[np.float64]:
    """The frequency of the rarest value of an attribute that both units of each pair have."""
    pair, a, b = pairs.crossed(units.values[attribute])
    common = a == b
    rarest = np.full(len(pairs.left), np.inf)
    np.minimum.at(rarest, pair[common], units.frequencies[attribute].of(a[common]))
    return rarest


def _compared(pairs: _Pairs, units: Units, names: Looked, model: Model) -> pl.DataFrame:
    """The levels of some pairs."""
    levels: dict[str, Levels] = {}
    levels["name"], name_frequency = _names(pairs, units, names, model)
    levels["birth_date"], birth_frequency = _births(pairs, units, model)
    levels["id_number"] = _id_numbers(pairs, units, model)
    levels["relatives"] = _relatives(pairs, units, names, model)
    for said in _BY_VALUE:
        levels[said[0]] = _by_value(pairs, units, model, *said)
    columns = [pl.Series(name, level.astype(np.int8)) for name, level in levels.items()]
    frequency = {"name_frequency": name_frequency, "birth_date_frequency": birth_frequency}
    return pl.DataFrame(columns).select(pl.when(pl.all() >= 0).then(pl.all())).hstack(pl.DataFrame(frequency, nan_to_null=True))


def _by_value(
    pairs: _Pairs, units: Units, model: Model, name: str, steps: tuple[tuple[str, str], ...], known: str, otherwise: str
) -> Levels:
    """A comparison of sets of codes: the first step whose attribute the two share; `otherwise` where both have `known`; else -1."""
    comparison = model.comparison(name)
    told = {attribute: pairs.agreement(units.values[attribute]) for _, attribute in steps}
    have = told[known][0] if known in told else pairs.both(units.values[known])
    level = np.where(have, comparison.position(otherwise), -1)
    for step, attribute in reversed(steps):
        shared = np.flatnonzero(told[attribute][1])
        level[shared] = comparison.position(step)
        if attribute in units.common:
            level[shared[~_tells(_Pairs(pairs.left[shared], pairs.right[shared]), units, attribute)]] = comparison.position("common")
    return level


def _tells(pairs: _Pairs, units: Units, attribute: str) -> Flags:
    """Whether a value that both units of each pair have is one that not too many have."""
    pair, a, b = pairs.crossed(units.values[attribute])
    return np.bincount(pair[(a == b) & ~np.isin(a, units.common[attribute])], minlength=len(pairs.left)) > 0


def _best(pair: Place, level: Levels, frequency: npt.NDArray[np.float64], count: int) -> tuple[Levels, npt.NDArray[np.float64]]:
    """For each of `count` pairs the best of its levels (-1 where it has none), and of that the rarest value's frequency."""
    order = np.lexsort((frequency, level, pair))
    pair, level, frequency = pair[order], level[order], frequency[order]
    first = np.append(True, pair[1:] != pair[:-1])[: len(pair)]
    best, rarest = np.full(count, -1), np.full(count, np.nan)
    best[pair[first]], rarest[pair[first]] = level[first], frequency[first]
    return best, rarest


def _names(pairs: _Pairs, units: Units, names: Looked, model: Model) -> tuple[Levels, npt.NDArray[np.float64]]:
    """The best level over all names, with the frequency it goes by; `newborn` where one side has no name that says who."""
    comparison = model.comparison("name")
    pair, a, b = pairs.crossed(units.values["name"])
    level = _name_levels(a, b, names)
    frequency = np.full(len(pair), np.nan)
    for kind, shares in ((name_levels.SAME, "name"), (name_levels.SOUND, "same_sound"), (name_levels.GIVEN, "other_surname")):
        at = level == kind
        frequency[at] = np.fmax(units.frequencies[shares].of(a[at]), units.frequencies[shares].of(b[at]))
    best, rarest = _best(pair, level, frequency, len(pairs.left))
    positions = np.array([*(comparison.position(each) for each in name_levels.LEVELS), comparison.position("newborn")])
    return positions[best], rarest


def _name_levels(a: Whole, b: Whole, names: Looked) -> Levels:
    """The level of each pair of names (codes); equal ones are not looked at."""
    level = np.full(len(a), name_levels.SAME)
    other = np.flatnonzero(a != b)
    crossed = pl.DataFrame({"a": a[other], "b": b[other]}, schema={"a": pl.UInt32, "b": pl.UInt32})
    compared = crossed.join(name_levels.compare_looked(crossed, names), on=["a", "b"], how="left", maintain_order="left")
    level[other] = compared["level"].to_numpy()
    return level


def _births(pairs: _Pairs, units: Units, model: Model) -> tuple[Levels, npt.NDArray[np.float64]]:
    """The best level over all birth dates exact to the day; else by month or year."""
    position = model.comparison("birth_date").position
    pair, a, b = pairs.crossed(units.values["birth"])
    level = np.full(len(pair), position("same"))
    other = np.flatnonzero(a != b)
    distinct, which = np.unique(a[other].astype(np.uint64) << np.uint64(32) | b[other], return_inverse=True)
    days = pl.DataFrame({"value": (distinct >> np.uint64(32)).astype(np.uint32).view(np.int32), "value_r": distinct.astype(np.uint32).view(np.int32)})
    level[other] = _day_levels(days, position)[which]
    frequency = np.where(level == position("same"), units.frequencies["birth"].of(a), np.nan)
    best, rarest = _best(pair, level, frequency, len(pairs.left))
    coarse = np.full(len(pairs.left), -1)
    for attribute, name in (("birth_year", "year_same"), ("birth_month", "month_same")):
        have, shared = pairs.agreement(units.values[attribute])
        coarse = np.where(have, np.where(shared, position(name), position("different")), coarse)
    return np.where(best >= 0, best, coarse), rarest


def _day_levels(distinct: pl.DataFrame, position: Callable[[str], int]) -> Levels:
    """The level of pairs of different days (value, value_r: since 1970)."""
    a, b = distinct["value"].cast(pl.Date), distinct["value_r"].cast(pl.Date)
    edits = process.cpdist(a.dt.strftime("%Y%m%d").to_list(), b.dt.strftime("%Y%m%d").to_list(), scorer=OSA.distance, score_cutoff=2)
    turned = (a.dt.year() == b.dt.year()) & (a.dt.month() == b.dt.day()) & (a.dt.day() == b.dt.month())
    level = (
        pl.when(turned).then(position("swapped"))
        .when(_lunar(distinct)).then(position("lunar"))
        .when(pl.Series(edits, dtype=pl.Int32) <= 1).then(position("one_digit"))
        .when((a.dt.month() == b.dt.month()) & (a.dt.day() == b.dt.day())).then(position("other_year"))
        .when((pl.col("value") - pl.col("value_r")).abs() <= NEAR_DAYS).then(position("near"))
        .otherwise(position("different")).cast(pl.Int64)
    )  # fmt: skip
    return distinct.select(level).to_series().to_numpy()


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


def _id_numbers(pairs: _Pairs, units: Units, model: Model) -> Levels:
    """The best level over what is left of id numbers; a number inside a record key may be an old one, one taken for
    a sibling's is none of the child's: they only speak for, never against."""
    position = model.comparison("id_number").position
    pair, a, b = pairs.crossed(units.values["id_text"])
    both = pl.DataFrame({"a": a, "b": b})
    distinct = both.unique()
    sides = [_id_texts(distinct[side], units.partial).rename({"text": f"text{end}", "kind": f"kind{end}"}) for side, end in (("a", ""), ("b", "_r"))]
    compared = distinct.with_columns(compare_id_texts(pl.concat(sides, how="horizontal"), position)["level"])
    level = both.join(compared, on=["a", "b"], how="left", maintain_order="left")["level"].fill_null(_SILENT).to_numpy()
    best = np.full(len(pairs.left), _SILENT)
    np.minimum.at(best, pair, level)
    two = np.zeros(len(pairs.left), dtype=np.bool_)
    two[pair[level == position("two_numbers")]] = True
    best = np.where(two & (best != position("same")), position("two_numbers"), best)
    return np.where(best == _SILENT, -1, best)


def _id_texts(codes: pl.Series, partial: pl.DataFrame) -> pl.DataFrame:
    """text, kind of what `matching.features.id_code` wrote."""
    told = codes.to_frame("code").select(number=pl.col("code") // len(ID_KINDS), kind=pl.col("code") % len(ID_KINDS))
    kinds = dict(enumerate(ID_KINDS))
    is_partial = pl.col("kind") == ID_KINDS.index("partial")
    left = told.filter(is_partial).select(code="number").join(partial, on="code", how="left", maintain_order="left")["text"]
    whole = told.select(text=identifiers.unpacked(pl.col("number")), kind=pl.col("kind").replace_strict(kinds, return_dtype=pl.String))
    text = whole["text"].scatter(told.select(is_partial.arg_true()).to_series(), left)
    return whole.with_columns(text=text)


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


def _relatives(pairs: _Pairs, units: Units, looked: Looked, model: Model) -> Levels:
    """How the people around the two children agree, as sets of persons known by name or number; parents are compared with their like, names with names and
    numbers with numbers."""
    position, values = model.comparison("relatives").position, units.values
    names, numbers = (values[each].common(pairs.left, pairs.right) for each in ("relative", "relative_id"))
    both = pairs.both(values["father"]) | pairs.both(values["mother"])
    strange = np.flatnonzero((names == 0) & (numbers == 0) & both)
    some = _Pairs(pairs.left[strange], pairs.right[strange])
    alike = np.zeros(len(pairs.left), dtype=np.bool_)
    for parent in ("father", "mother"):
        pair, a, b = some.crossed(values[parent])
        similar = np.isin(_name_levels(a, b, looked), _SIMILAR_NAMES) & (a != b)
        alike[strange[pair[similar]]] = True
    level = np.select(
        [np.maximum(names, numbers) >= 2, numbers == 1, names == 1, alike, both],
        [position(each) for each in ("two_same", "number_same", "one_same", "similar", "other_parent")],
        position("other_people"),
    )
    return np.where(pairs.both(values["relative"]) | pairs.both(values["relative_id"]), level, -1)
