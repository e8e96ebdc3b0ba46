"""Tonight's units from last night's. Enters: a base, tonight's rows and whose numbers they hold. Leaves: the units and what they have; only of units that changed it is worked out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from matching.again.base import Base
from matching.again.numbers import Numbers
from matching.again.rows import Rows, some_of
from matching.features import Members, attributes
from matching.sets import Flags, Sets
from schemas.in_order import in_order

Place = npt.NDArray[np.int64]
_ABSENT = -1
# attributes whose values are codes of names
_NAMED = ("name", "relative", "father", "mother")


@dataclass(frozen=True)
class Moved:
    """Tonight's units beside the base's. `touched`: the units that are not the base's unit as it was; `before`: the base's unit of each, -1 of a touched one; `after` the other way round."""

    touched: Flags
    before: Place
    after: Place


def moved(base: Base, rows: Rows, numbers: Numbers, members: Members) -> Moved:
    """Which units are as they were: the same rows, telling the same."""
    changed = rows.is_new | numbers.told_anew
    stays = np.flatnonzero(rows.before != _ABSENT)
    then = rows.before[stays]
    # rows that had the same first row were one unit, and where there are as many as then it is whole
    sizes, were = np.bincount(members.unit, minlength=members.count), np.bincount(base.members.unit, minlength=base.members.count)
    unit, was = members.unit[stays], base.members.unit[then]
    changed[stays] |= (rows.after[base.members.head[then]] != members.head[stays]) | (sizes[unit] != were[was])
    touched = np.zeros(members.count, dtype=np.bool_)
    touched[members.unit[changed]] = True
    before = np.full(members.count, _ABSENT)
    before[unit] = was
    before[touched] = _ABSENT
    after = np.full(base.members.count, _ABSENT)
    after[before[~touched]] = np.flatnonzero(~touched)
    return Moved(touched, before, after)


def values_again(base: Base, rows: Rows, numbers: Numbers, members: Members, to: Moved) -> dict[str, Sets]:
    """Every attribute of the units."""
    wanted = to.touched[members.unit]
    unit, rec = np.cumsum(to.touched) - 1, np.cumsum(wanted) - 1
    own = numbers.own.filter(wanted[numbers.own["rec"].to_numpy()])
    own = own.with_columns(pl.Series("rec", rec[own["rec"].to_numpy()], dtype=pl.UInt32))
    some = Members(unit[members.unit[wanted]].astype(np.uint32), rec[members.head[wanted]].astype(np.uint32))
    made = attributes(some_of(rows.records, wanted), own, some, members.count)

    def whole(name: str) -> Sets:
        then = base.values[name]
        return _spliced(_renamed(then, rows) if name in _NAMED else then, made[name], to)

    return dict(zip(made, in_order(whole, made), strict=True))


def _renamed(sets: Sets, rows: Rows) -> Sets:
    """Sets of names under tonight's codes, which keep their order."""
    return Sets(sets.start, rows.renamed[sets.value])


def _spliced(then: Sets, made: Sets, to: Moved) -> Sets:
    """The sets of all units: of the touched ones those that were made, of the others those they had."""
    sizes = np.zeros(len(to.touched), dtype=np.int64)
    sizes[~to.touched] = then.sizes()[to.before[~to.touched]]
    sizes[to.touched] = made.sizes()
    start = np.zeros(len(sizes) + 1, dtype=np.uint32)
    np.cumsum(sizes, out=start[1:])
    is_made = np.repeat(to.touched, sizes)
    value = np.empty(len(is_made), dtype=then.value.dtype)
    value[is_made] = made.value
    value[~is_made] = then.value[np.repeat(to.after != _ABSENT, then.sizes())]
    return Sets(start, value)
