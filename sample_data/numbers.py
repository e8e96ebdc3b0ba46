"""Numbers that people and departments give. Enters: places, dates, sexes, running numbers. Leaves: ids of GB 11643, phones, keys, as text."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sample_data.rates import CityError

Ints = NDArray[np.int64]
_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_CHECK = np.array(list("10X98765432"))
_FIRST_DAY = int(np.datetime64("1940-01-01").astype("int64"))
_DAYS = 33_000
_SLOTS = 250  # pairs of numbers a place can give to one sex on one day


def check_digit(digits17: NDArray[np.int64]) -> NDArray[np.str_]:
    """The check character of GB 11643 for rows of 17 digits."""
    return np.asarray(_CHECK[(digits17 @ _WEIGHTS) % 11])


def digits(values: Ints, width: int) -> NDArray[np.int64]:
    """Whole numbers as rows of `width` decimal digits."""
    return np.asarray(values[:, None] // 10 ** np.arange(width - 1, -1, -1) % 10)


class IdOffice:
    """Gives every person another id number, over all blocks of a city."""

    def __init__(self, codes: Ints) -> None:
        """`codes`: the six-digit codes that may be a prefix."""
        self.codes = np.unique(codes)
        self.given = np.zeros((len(self.codes), _DAYS, 2), dtype=np.int16)

    def give(self, code: Ints, birth: Ints, male: NDArray[np.bool_], twin_of: Ints | None = None) -> pl.Series:
        """Id numbers; a twin (index of the other in `twin_of`, else -1) gets the sequence number next to the other's of that sex.

        Raises:
            CityError: no place has a number left for a day, or a birth lies before or behind the days for which there are numbers.
        """
        if len(birth) and not (birth.min() >= _FIRST_DAY and birth.max() < _FIRST_DAY + _DAYS):
            first, last = (np.datetime64(day, "D") for day in (_FIRST_DAY, _FIRST_DAY + _DAYS - 1))
            raise CityError(f"the made-up city has numbers for people born from {first} to {last}, and somebody would be born on another day: give a day nearer to today")
        twin = np.full(len(code), -1) if twin_of is None else twin_of
        own = np.flatnonzero(twin < 0)
        slot = np.zeros(len(code), dtype=np.int64)
        place, nth = self._slots(code[own], birth[own], male[own])
        code = code.copy()
        code[own], slot[own] = place, 2 * nth
        second = np.flatnonzero(twin >= 0)
        slot[second] = slot[twin[second]] + 1
        sequence = 2 * slot + male
        date = birth.astype("datetime64[D]")
        year = date.astype("datetime64[Y]").astype(np.int64) + 1970
        month = date.astype("datetime64[M]").astype(np.int64) % 12 + 1
        day = (date - date.astype("datetime64[M]")).astype(np.int64) + 1
        number = ((code * 10_000 + year) * 100 + month) * 100 + day
        number = number * 1000 + sequence
        check = check_digit(digits(number, 17))
        return pl.Series(number).cast(pl.String) + pl.Series(check)

    def _slots(self, code: Ints, birth: Ints, male: NDArray[np.bool_]) -> tuple[Ints, Ints]:
        """A code and a slot of it for each person: the code asked for, or where it has given all it has that day the next one that has not."""
        place, slot = np.searchsorted(self.codes, code), np.zeros(len(code), dtype=np.int64)
        taken, waiting = self.given.reshape(-1), np.arange(len(code))
        for _ in range(len(self.codes)):
            cell = np.ravel_multi_index((place[waiting], birth[waiting] - _FIRST_DAY, male[waiting].astype(np.int64)), self.given.shape)
            nth = taken[cell] + _ranks(cell)
            fits = nth < _SLOTS
            np.add.at(taken, cell[fits], 1)
            slot[waiting[fits]] = (cell[fits] * 101 + nth[fits] * 7) % _SLOTS
            waiting = waiting[~fits]
            if not len(waiting):
                return self.codes[place], slot
            place[waiting] = (place[waiting] + 1) % len(self.codes)
        raise CityError("the made-up city has more births on one day than all its places have id numbers: ask for fewer children")


def _ranks(cell: Ints) -> Ints:
    """Each entry's number among the equal ones, from 0, in the order they stand."""
    order = np.argsort(cell, kind="stable")
    ranked = cell[order]
    start = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]]) if len(ranked) else np.zeros(0, dtype=np.int64)
    rank = np.empty(len(cell), dtype=np.int64)
    rank[order] = np.arange(len(cell)) - np.repeat(start, np.diff(np.r_[start, len(cell)]))
    return rank


def phones(rng: np.random.Generator, size: int) -> pl.Series:
    """Mobile numbers of 11 digits."""
    head = np.array([130, 131, 133, 135, 136, 137, 138, 139, 150, 151, 152, 155, 158, 159, 173, 176, 177, 180, 181, 183, 185, 186, 187, 188, 189, 191, 199])
    return pl.Series(head[rng.integers(len(head), size=size)] * 100_000_000 + rng.integers(10_000_000, 99_999_999, size=size)).cast(pl.String)


def padded(values: Ints | pl.Series, width: int) -> pl.Series:
    """Whole numbers as text with leading zeros."""
    return pl.Series(values).cast(pl.String).str.zfill(width)


def scrambled(number: Ints, salt: int) -> Ints:
    """Running numbers as twelve digits in no visible order, no two alike (the factor has no divisor in common with 10^12)."""
    return np.asarray((number * 700_001 + salt * 7_919) % 10**12)
