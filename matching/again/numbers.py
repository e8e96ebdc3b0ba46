"""Whose number each row holds, where most of it is known. Enters: a base and tonight's rows. Leaves: what `matching.anchors` makes of all rows, worked out for some.

What a row's number is depends on the rows that have it, and on whether another number of the same birth date goes by the row's name; on the day alone where its holder grows up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from matching import identifiers
from matching.again.base import Base
from matching.again.rows import Rows
from matching.anchors import ADULT_YEARS, own_numbers
from matching.sets import Flags, marked

Whole = npt.NDArray[np.uint64]
_NOBODY = 0
# what of a row's number its unit's values rest on
_TELLING = ("own_id", "id_role", "id_birth", "id_is_female")
# leap days and the ends of months lie no further from the day one counts to
_DAYS = timedelta(days=2)


@dataclass(frozen=True)
class Numbers:
    """`own`: OWN_SCHEMA of all rows. `told_anew`: rows whose own row tells something else than the base's."""

    own: pl.DataFrame
    told_anew: Flags


def numbers_again(base: Base, rows: Rows, as_of: date) -> Numbers:
    """Whose number each row holds, on another day and with other rows than the base's."""
    number, name = _numbered(rows.records.rows)
    then, called = _numbered(base.records.rows.with_columns(pl.Series(rows.renamed).gather(base.records.rows["name_code"]).alias("name_code")))
    grown = [side[_grew_up(side, base.as_of, as_of)] for side in (number, then)]
    concerned = np.unique(np.concatenate([number[rows.is_new], then[rows.was_other], *grown]))
    concerned = concerned[concerned != _NOBODY]
    names = np.concatenate([name[among(number, concerned)], called[among(then, concerned)]])
    inner = among(number, number[among(name, names)]) | among(number, concerned)
    inner &= number != _NOBODY
    outer = among(number, number[among(name, name[inner])]) & (number != _NOBODY)
    found = own_numbers(rows.records, as_of, outer)
    found = found.filter(inner[found["rec"].to_numpy()])
    stays = _moved(base.own, rows.after)
    rec = stays["rec"].to_numpy()
    is_asked = inner[rec]
    # a number that is taken for rounded now is a number no more
    own = pl.concat([stays.filter(~is_asked & ~rows.is_new[rec]), found]).sort("rec")
    return Numbers(own, _told_anew(stays.filter(is_asked), found, len(number)))


def among(values: Whole, wanted: Whole) -> Flags:
    """Which values are among the wanted."""
    out = marked(values, wanted)
    out[out] = np.isin(values[out], wanted)
    return out


def _numbered(rows: pl.DataFrame) -> tuple[Whole, Whole]:
    """Each row's number, and its name with the birth date of the number as one; zero where it has no number."""
    number = rows["number"].fill_null(_NOBODY).to_numpy()
    day = number // np.uint64(identifiers.TAIL) % np.uint64(10**8)
    return number, np.where(number != _NOBODY, day * np.uint64(2**32) + rows["name_code"].fill_null(2**32 - 1).to_numpy(), _NOBODY).astype(np.uint64)


def _grew_up(number: Whole, one: date, other: date) -> Flags:
    """Numbers whose holder may have grown up between two days."""
    first, last = sorted((one, other))
    if first == last:
        return np.zeros(len(number), dtype=np.bool_)
    bounds = [int((day + by).strftime("%Y%m%d")) - ADULT_YEARS * 10**4 for day, by in ((first, -_DAYS), (last, _DAYS))]
    day = number // np.uint64(identifiers.TAIL) % np.uint64(10**8)
    between: Flags = (day >= bounds[0]) & (day <= bounds[1])
    return between


def _moved(own: pl.DataFrame, after: npt.NDArray[np.int64]) -> pl.DataFrame:
    """What the base has of rows that are there still, under tonight's recs."""
    at = after[own["rec"].to_numpy()]
    kept = own.with_columns(pl.Series("rec", at)).filter(at >= 0)
    anchor = pl.Series("anchor_rec", after, dtype=pl.Int64).gather(kept["anchor_rec"])
    return kept.with_columns(pl.col("rec").cast(pl.UInt32), pl.when(anchor >= 0).then(anchor).cast(pl.UInt32).alias("anchor_rec"))


def _told_anew(then: pl.DataFrame, now: pl.DataFrame, count: int) -> Flags:
    """The rows of which the two do not tell the same."""
    both = then.select("rec", *_TELLING).join(now.select("rec", *_TELLING), on="rec", how="full", suffix="_now", coalesce=True)
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_now")) for name in _TELLING)
    out = np.zeros(count, dtype=np.bool_)
    out[both.filter(differs)["rec"].to_numpy()] = True
    return out
