"""Id numbers by their digits, all of a column at once. Enters: texts. Leaves: which are whole numbers, with a right check digit, of a possible birth date.

The bulk of every id column is numbers in the usual form: told from the rest here, without a regular expression, they need no closer look (identifiers.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

LENGTH = 18
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_ZERO = ord("0")
_X, _NINE = ord("X") - _ZERO, 9
BORN_BETWEEN = (1900, 2100)
Scalar = TypeVar("Scalar", np.bool_, np.int32, np.uint8)
_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int32)
_FEBRUARY, _DECEMBER = 2, 12


@dataclass(frozen=True)
class Numbers:
    """What the texts of a column are, a row for each.

    Attributes:
        whole: seventeen digits, and a digit or X. right: the check digit is that of the others (GB 11643-1999, ISO 7064 MOD 11-2).
        born: the birth date as 20150301; 0 where the digits are no day of the calendar from 1900 to 2100.
        first: the first digit.
    """

    whole: NDArray[np.bool_]
    right: NDArray[np.bool_]
    born: NDArray[np.int32]
    first: NDArray[np.uint8]


def numbers(texts: pl.Series) -> Numbers:
    """Examines texts, nulls allowed."""
    sized = (texts.str.len_bytes() == LENGTH).fill_null(False)
    places = _places(texts.filter(sized), LENGTH)
    is_x = places[-1] == _X
    fine = (places[:-1].max(axis=0) <= _NINE) & (is_x | (places[-1] <= _NINE))
    right = fine & ((_weighed(places[:-1]) + np.where(is_x, _NINE + 1, places[-1])) % 11 == 1)
    where = sized.to_numpy()
    return Numbers(_at(where, fine), _at(where, right), _at(where, np.where(fine, _born(places), 0).astype(np.int32)), _at(where, places[0]))


def check_digits(bodies: pl.Series) -> pl.Series:
    """The check digit of each text of seventeen digits."""
    return pl.Series(np.array(list(_CHECK))[_weighed(_places(bodies, LENGTH - 1)) % 11], dtype=pl.String)


def _places(texts: pl.Series, width: int) -> NDArray[np.uint8]:
    """Texts of one width in bytes as numbers, a character's distance from the zero: all first ones, all second ones and so on."""
    octets = np.frombuffer((texts.str.join("").item() or "").encode(), dtype=np.uint8)
    return np.ascontiguousarray(octets.reshape(-1, width).T) - np.uint8(_ZERO)


def _weighed(places: NDArray[np.uint8]) -> NDArray[np.int32]:
    return _sum(places, _WEIGHTS)


def _sum(places: NDArray[np.uint8], weights: Sequence[int]) -> NDArray[np.int32]:
    total = np.zeros(places.shape[1], dtype=np.int32)
    for place, weight in zip(places, weights, strict=True):
        total += place * np.int32(weight)
    return total


def as_number(day: pl.Expr) -> pl.Expr:
    """A date as 20150301."""
    return day.dt.year() * 10_000 + day.dt.month().cast(pl.Int32) * 100 + day.dt.day()


def _born(places: NDArray[np.uint8]) -> NDArray[np.int32]:
    year, month, day = _sum(places[6:10], (1000, 100, 10, 1)), _sum(places[10:12], (10, 1)), _sum(places[12:14], (10, 1))
    longest = _DAYS[np.where(month <= _DECEMBER, month, 0)] + ((month == _FEBRUARY) & _is_leap(year))
    possible = (year >= BORN_BETWEEN[0]) & (year <= BORN_BETWEEN[1]) & (day >= 1) & (day <= longest)
    return np.where(possible, year * 10_000 + month * 100 + day, 0)


def _is_leap(year: NDArray[np.int32]) -> NDArray[np.bool_]:
    leap: NDArray[np.bool_] = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    return leap


def _at(where: NDArray[np.bool_], found: NDArray[Scalar]) -> NDArray[Scalar]:
    """What was found of some texts, in the places of those among all; zero of the others."""
    every: NDArray[Scalar] = np.zeros(len(where), dtype=found.dtype)
    every[where] = found
    return every
