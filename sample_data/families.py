"""Who there is: families with parents, children, twins. Enters: how many children, places, the id office. Leaves: one row per child.

Columns of the frame are named in `people`; where a child lives and what departments know is added by `histories` and `sightings`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sample_data import names
from sample_data.numbers import IdOffice, phones
from sample_data.places import Ints, Places
from sample_data.rates import Rates

Bools = NDArray[np.bool_]
YOUNGEST, OLDEST = 34, 6_560  # age in days: births up to five weeks before the as-of day, and the first months after the 16th birthday and beyond
# share of the children by age in whole years, 0 to 17
_AGES = (34, 35, 38, 42, 48, 55, 60, 66, 70, 74, 74, 70, 68, 66, 63, 60, 34, 24)


@dataclass(frozen=True)
class Block:
    """The families of one block: `family` (index into the family arrays) and `position` in it per child, `twin_of` index or -1, `sibling` index or -1."""

    family: Ints
    position: Ints
    twin_of: Ints
    sibling: Ints
    families: int


def households(rng: np.random.Generator, children: int, rates: Rates) -> Block:
    """Children grouped into families: about `rates.siblings` have one, `rates.twins` are twins."""
    two = rates.siblings / (2 - rates.siblings)
    size = rng.choice([1, 2, 3], p=[1 - two, two * 0.94, two * 0.06], size=children)
    twins = rng.random(children) < rates.twins / 2 * size.mean()
    size = np.where(twins, np.maximum(size, 2), size)
    start = np.cumsum(size) - size
    count = int(np.searchsorted(start, children, side="left"))
    family = np.repeat(np.arange(count), size[:count])[:children]
    position = np.arange(children) - start[family]
    size = np.bincount(family, minlength=count)
    first = start[family]
    twin_of = np.where((position == 1) & twins[family], first, -1)
    sibling = np.where(size[family] > 1, np.where(position == 0, first + 1, first), -1)
    return Block(family, position, twin_of, sibling, count)


def people(rng: np.random.Generator, block: Block, first: int, hukou: Ints, where: Places, office: IdOffice, as_of: date, rates: Rates) -> pl.DataFrame:
    """One row per child with its parents; `hukou` is the place of each child's hukou, `first` the running number of the block's first child."""
    n, today = len(block.family), int(np.datetime64(as_of).astype("int64"))
    birth = today - _ages(rng, block, as_of)
    male = rng.random(n) < 0.525
    identity = (block.twin_of >= 0) & (rng.random(n) < 0.6)
    male[identity] = male[block.twin_of[identity]]
    parents = _parents(rng, block, birth, hukou, office, where)
    nationality = _nationality(rng, where.table["code6"].str.slice(0, 2).gather(hukou).to_numpy(), where.district[hukou])
    given = _given_names(rng, block, male, rates)
    name = _names(rng, block, parents, given, male, nationality)
    prefix = _prefix(rng, where, hukou, birth)
    return pl.DataFrame(
        {
            "child": np.arange(first, first + n),
            "family": first + block.family,
            "position": block.position,
            "twin_of": block.twin_of,
            "sibling": block.sibling,
            "name": name,
            "male": male,
            "birth": birth,
            "id_number": office.give(prefix, birth, male, block.twin_of),
            "former_id": office.give(np.roll(prefix, 1), birth, male),
            "ethnicity": nationality,
            "former_name": pl.Series(parents["mother_surname"].to_numpy() + given),
            **{column: parents[column] for column in parents.columns},
        }
    )


def _ages(rng: np.random.Generator, block: Block, as_of: date) -> Ints:
    """Age in days: siblings one and a half to seven years apart, twins equal, a few children on the day of their 16th birthday or the day after."""
    share = np.array(_AGES) / sum(_AGES)
    years = rng.choice(len(share), p=share, size=len(block.family))
    age = np.clip((years * 365.25 + rng.random(len(years)) * 365.25).astype(np.int64), YOUNGEST, OLDEST)
    birthday = int((np.datetime64(as_of) - np.datetime64(f"{as_of.year - 16}-{as_of.month:02d}-{min(as_of.day, 28):02d}")).astype("int64"))
    edge = rng.random(len(age)) < 0.001
    age = np.where(edge, birthday + rng.integers(0, 2, size=len(age)), age)
    gap = rng.integers(540, 2_500, size=len(age))
    first = np.flatnonzero(block.position == 0)[block.family]
    younger, older = age[first] - gap * block.position, age[first] + gap * block.position
    related = np.where(younger >= YOUNGEST, younger, np.minimum(older, OLDEST))
    age = np.where(block.position > 0, related, age)
    return np.where(block.twin_of >= 0, age[block.twin_of], age)


def _parents(rng: np.random.Generator, block: Block, birth: Ints, hukou: Ints, office: IdOffice, where: Places) -> pl.DataFrame:
    """Names, ids and phones of father, mother and a grandparent per child, equal within a family."""
    count, family = block.families, block.family
    first = np.flatnonzero(block.position == 0)
    oldest = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(oldest, family, birth)
    prefix = _prefix(rng, where, hukou[first], np.full(count, int(np.datetime64("1985-06-01").astype("int64"))))
    columns: dict[str, pl.Series] = {}
    surname, mother_surname = names.surnames(rng, count), names.surnames(rng, count)
    for who, male, family_name, low, high in (
        ("father", True, surname, 21, 40),
        ("mother", False, mother_surname, 20, 38),
        ("grandfather", True, surname, 44, 66),
        ("grandmother", False, names.surnames(rng, count), 43, 64),
    ):
        born = oldest - (rng.uniform(low, high, size=count) * 365.25).astype(np.int64)
        columns[who] = pl.Series(names.adult_names(rng, family_name, male))
        columns[f"{who}_id"] = office.give(prefix, born, np.full(count, male))
        columns[f"{who}_phone"] = phones(rng, count)
    return pl.DataFrame({**columns, "surname": pl.Series(surname), "mother_surname": pl.Series(mother_surname)})[pl.Series(family)]


def _prefix(rng: np.random.Generator, where: Places, hukou: Ints, birth: Ints) -> Ints:
    """The code an id begins with: the district of first registration as it was called then; for one child in twelve another district."""
    elsewhere = np.roll(hukou, 1)
    first = np.where(rng.random(len(hukou)) < 0.08, elsewhere, hukou)
    old = where.table["old6"].fill_null("0").cast(pl.Int64).to_numpy()[first]
    changed = {5002: 2014, 5003: 2006}
    renamed = np.array([changed.get(int(code) // 100, 2025) for code in np.unique(old)])[np.searchsorted(np.unique(old), old)]
    year = birth.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    return np.where((old > 0) & (year <= renamed), old, where.district[first])


def _nationality(rng: np.random.Generator, province: NDArray[np.object_], district: Ints) -> NDArray[np.object_]:
    """The nationality: Tujia and Miao in the south-east, Uyghur and Tibetan from Xinjiang and Tibet, a few Yi, else Han."""
    u = rng.random(len(district))
    south_east = np.isin(district, (500114, 500240, 500241, 500242, 500243, 500156))
    out = np.where(south_east & (u < 0.55), "土家族", np.where(south_east & (u < 0.8), "苗族", np.where(u > 0.998, "彝族", "汉族"))).astype(object)
    for code, nationality in names.OWN_FORM.items():
        out[(province == code) & (u < 0.85)] = nationality
    return out


def _given_names(rng: np.random.Generator, block: Block, male: Bools, rates: Rates) -> NDArray[np.object_]:
    """Given names; twins share a character."""
    given = names.given_names(rng, male, rates.rare_character)
    second = np.flatnonzero(block.twin_of >= 0)
    given[second] = names.twin_names(rng, given[block.twin_of[second]], male[second])
    return given


def _names(
    rng: np.random.Generator, block: Block, parents: pl.DataFrame, given: NDArray[np.object_], male: Bools, nationality: NDArray[np.object_]
) -> NDArray[np.object_]:
    """The children's full names: the father's surname, the mother's for one in twelve families, own forms for some nationalities."""
    mothers = (rng.random(block.families) < 1 / 12)[block.family]
    out = np.where(mothers, parents["mother_surname"].to_numpy(), parents["surname"].to_numpy()) + given
    for group in ("维吾尔族", "藏族", "彝族"):
        for is_male in (True, False):
            here = np.flatnonzero((nationality == group) & (male == is_male))
            out[here] = names.own_form(rng, group, is_male, len(here))
    return np.asarray(out, dtype=object)
