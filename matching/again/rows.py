"""Tonight's rows from last night's. Enters: a base and tonight's source. Leaves: the distinct rows, coded; only those that were not there are read."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from matching.again.base import Base
from matching.again.source import Source
from matching.coding import LONG, SPARSE, Once, Records, as_written, once_each, with_rounded, without_rounded
from matching.sets import Flags
from schemas.in_order import in_order

Place = npt.NDArray[np.int64]
_ABSENT = -1
# where more of the rows are new or gone than this, all is done anew
_MOST = 0.2
# columns with codes of names
_NAMED = {"former_code": "value", "mother_code": "value", "relatives": "name_code"}


@dataclass(frozen=True)
class Rows:
    """Tonight's rows beside the base's.

    Attributes:
        records: the distinct rows. before: the base's rec of each, -1 for one that was not there as it is. after: tonight's rec of each of the base's, -1 where it is gone.
        renamed: tonight's code of each of the base's names. is_new: the rows that were not there, or whose number was taken for whole or for rounded then and is not now.
    """

    records: Records
    before: Place
    after: Place
    renamed: npt.NDArray[np.uint32]
    is_new: Flags

    @property
    def was_other(self) -> Flags:
        """The base's rows that are gone, or among `is_new` now."""
        out: Flags = self.after == _ABSENT
        out[~out] = self.is_new[self.after[~out]]
        return out


def tonights(base: Base, source: Source) -> Rows | None:
    """Tonight's rows; none where so much changed that it is quicker to do all anew."""
    keys = source.keys()
    once = once_each(keys)
    hashes, reading = (keys[name].to_numpy()[once.newest] for name in ("record_hash", "reading"))
    known = {name: base.records.rows[name].to_numpy() for name in ("record_hash", "reading")}
    at = np.minimum(np.searchsorted(known["record_hash"], hashes), max(0, base.records.count - 1))
    same = (known["record_hash"][at] == hashes) & (known["reading"][at] == reading) if base.records.count else np.zeros(len(hashes), dtype=np.bool_)
    changes = (~same).sum() + base.records.count - same.sum()
    if changes > _MOST * len(hashes):
        return None
    fresh = as_written(source.of(pl.Series(hashes[~same])), base.records.names)
    before = np.where(same, at, _ABSENT)
    after = np.full(base.records.count, _ABSENT)
    after[at[same]] = np.flatnonzero(same)
    renamed = fresh.names.filter(pl.col("name").is_in(base.records.names["name"].implode()))["code"].to_numpy()
    written = _joined(with_rounded(base.records), fresh, Rows(fresh, before, after, renamed, ~same), keys, once)
    records = without_rounded(written)
    survivors = np.flatnonzero(same)
    now, then = records.rows["number"].gather(survivors), base.records.rows["number"].gather(before[survivors])
    is_new = ~same
    is_new[survivors[now.ne_missing(then).to_numpy()]] = True
    return Rows(records, before, after, renamed, is_new)


def _joined(base: Records, fresh: Records, rows: Rows, keys: pl.DataFrame, once: Once) -> Records:
    """The base's rows that are there still and the fresh ones, in the order of their hashes."""
    is_fresh = rows.before == _ABSENT
    place = np.where(is_fresh, base.count + np.cumsum(is_fresh) - 1, rows.before)
    codes = pl.Series(rows.renamed)
    held = base.rows.with_columns(codes.gather(base.rows["name_code"]).alias("name_code"))
    columns = in_order(lambda name: pl.concat([held[name], fresh.rows[name]], rechunk=True).gather(place), held.columns)
    seen = [keys["export_date"].gather(at).alias(name) for name, at in (("last_seen", once.newest), ("first_seen", once.oldest))]
    new = np.flatnonzero(is_fresh)

    def long(name: str, ours: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
        if name in _NAMED:
            ours = ours.with_columns(codes.gather(ours[_NAMED[name]]).alias(_NAMED[name]))
        at = rows.after[ours["rec"].to_numpy()]
        left = ours.with_columns(pl.Series("rec", at)).filter(at != _ABSENT)
        come = theirs.with_columns(pl.Series("rec", new[theirs["rec"].to_numpy()]))
        return pl.concat([left, come]).with_columns(pl.col("rec").cast(pl.UInt32))

    sparse = {name: (base.sparse[name], fresh.sparse[name]) for name in SPARSE}
    others = {name: (getattr(base, name), getattr(fresh, name)) for name in LONG}
    made = dict(zip((*sparse, *others), in_order(lambda name: long(name, *(sparse | others)[name]), (*sparse, *others)), strict=True))
    return replace(
        fresh,
        rows=pl.DataFrame([*columns, *seen]),
        sparse={name: made[name] for name in SPARSE},
        of_row=once.of_row,
        **{name: made[name] for name in LONG},
    )


def some_of(records: Records, wanted: Flags) -> Records:
    """Some of the rows by themselves, numbered anew in their order."""
    number = np.cumsum(wanted) - 1

    def long(table: pl.DataFrame) -> pl.DataFrame:
        rec = table["rec"].to_numpy()
        of = wanted[rec]
        return table.filter(of).with_columns(pl.Series("rec", number[rec[of]], dtype=pl.UInt32))

    return replace(
        records,
        rows=records.rows.filter(wanted),
        sparse={name: long(table) for name, table in records.sparse.items()},
        of_row=np.zeros(0, dtype=np.uint32),
        **{name: long(getattr(records, name)) for name in LONG},
    )
