"""What units have: coded rows go in, every attribute of the units comes out as sets.

A *unit* is what pairs are made of: the rows that the id-first pass put together, or one row. A unit has sets of everything: names, dates, relatives,
phones, places. Each attribute is worked out by itself, two at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl

from matching import identifiers
from matching.coding import FEED, Records
from matching.sets import Sets
from schemas.in_order import in_order

# feeds that keep one live row a child; the others write one a stay, a quarter or a grant
ONE_ROW_FEEDS = ("education", "health", "medical_insurance", "disease_control", "disability")
_LOST = "?"
# the hash of an empty text
_NOTHING = pl.Series([""]).hash().item()
_FRONT = 14
# what a text is that tells of a child's number
ID_KINDS = ("own", "faulty", "partial", "key", "carried")
# attributes whose values are read back
EXACT = ("id_text",)
# attributes that are a column of the rows, and tables of few rows, as they are
_AS_THEY_ARE = ("feed_key", "place", "place_town", "hukou", "hukou_town", "address")
_SPARSE = ("household", "certificate", "document")


@dataclass(frozen=True)
class Members:
    """Which rows make which unit: `unit` of each rec, and `head`, the first rec of its unit, of each rec."""

    unit: npt.NDArray[np.uint32]
    head: npt.NDArray[np.uint32]

    @property
    def count(self) -> int:
        """How many units there are."""
        return int(self.unit.max()) + 1 if len(self.unit) else 0

    def table(self) -> pl.DataFrame:
        """rec, unit."""
        return pl.DataFrame({"rec": np.arange(len(self.unit), dtype=np.uint32), "unit": self.unit})

    def sets(self, column: pl.Series) -> pl.DataFrame:
        """unit, value of a column that has one value a rec; what a row only repeats of its unit's first row is left out."""
        is_head = pl.Series(self.head == np.arange(len(self.head), dtype=np.uint32))
        news = column.is_not_null() & (is_head | column.ne_missing(column.gather(self.head)))
        return pl.DataFrame({"unit": pl.Series(self.unit, dtype=pl.UInt32).filter(news), "value": column.filter(news)})

    def lifted(self, long: pl.DataFrame) -> pl.DataFrame:
        """A long table of rows as one of units: unit, and the other columns."""
        return long.select(pl.Series("unit", self.unit[long["rec"].to_numpy()], dtype=pl.UInt32), pl.exclude("rec"))


def attributes(records: Records, own: pl.DataFrame, members: Members, among: int | None = None) -> dict[str, Sets]:
    """Every attribute of the units: what blocking goes by and comparisons look at.

    Args:
        records: the distinct rows.
        own: what `matching.anchors.own_numbers` made: rec, own_id, id_birth, id_is_female. What a trusted number says of birth date and sex wins.
        members: the units. among: how many units there are where these are some of them, so that values are kept alike.
    """
    rows, sets, lifted = records.rows, members.sets, members.lifted
    near = partial(_relatives, records)
    made: dict[str, Callable[[], pl.DataFrame]] = {
        "relative": lambda: lifted(pl.concat([near(pl.col("name_code")), records.sparse["mother_code"]])),
        "relative_id": lambda: lifted(pl.concat([near(pl.col("number")), _held_by(records, own, "guardian")])),
        "phone": lambda: lifted(pl.concat([records.phones, near(pl.col("phone"))])),
        "father": lambda: lifted(near(_named("father"))),
        "mother": lambda: lifted(pl.concat([near(_named("mother")), records.sparse["mother_code"]])),
        **{name: partial(lambda name: sets(rows[name]), name) for name in _AS_THEY_ARE},
        **{name: partial(lambda name: lifted(records.sparse[name]), name) for name in _SPARSE},
        **{name: partial(lambda told: sets(told(records, own)), told) for name, told in _DATES.items()},
        "district": lambda: pl.concat([sets(rows[name]) for name in ("place", "hukou")]),
        "town": lambda: pl.concat([sets(rows[name]) for name in ("place_town", "hukou_town")]),
        "sex": lambda: sets(_told(own, "id_is_female", rows["is_female"])),
        "feed": lambda: sets(_one_row_feed(rows["feed"])),
        "id_front": lambda: _id_part(records, own, members, 0, _FRONT),
        "id_tail": lambda: _id_part(records, own, members, _FRONT, identifiers.LENGTH - _FRONT),
        "id_text": lambda: _id_texts(records, own, members),
        "id_number": lambda: _whole_ids(_id_texts(records, own, members)),
        "name": lambda: _names(records, members),
        "sound": lambda: _spoken(records, members),
        "given": lambda: _part_of_names(records, members, "given").filter(pl.col("value") != _NOTHING),
        "surname": lambda: _part_of_names(records, members, "surname"),
    }

    def held(name: str) -> Sets:
        table = made[name]()
        return Sets.exactly(table, members.count) if name in EXACT else Sets.of(table, members.count, among)

    return dict(zip(made, in_order(held, made), strict=True))


def _told(own: pl.DataFrame, column: str, said: pl.Series) -> pl.Series:
    """What rows say, and where they have a number of their own what that says."""
    held = own.filter(pl.col(column).is_not_null())
    return said.clone().scatter(held["rec"], held[column])


def _one_row_feed(feed: pl.Series) -> pl.Series:
    kept = pl.Series(list(ONE_ROW_FEEDS), dtype=FEED)
    return feed.to_frame("feed").select(pl.when(pl.col("feed").is_in(kept.implode())).then(pl.col("feed").to_physical())).to_series()


def _exact(records: Records, own: pl.DataFrame) -> pl.Series:
    """Birth dates exact to the day."""
    return _told(own, "id_birth", records.rows.select(pl.when(pl.col("precision") == "day").then("birth_date")).to_series())


def _swappable(records: Records, own: pl.DataFrame) -> pl.Series:
    """The date with day and month in either order."""
    born = pl.col("birth_date").dt
    low, high = pl.min_horizontal(born.day(), born.month()).cast(pl.Int32), pl.max_horizontal(born.day(), born.month()).cast(pl.Int32)
    return _exact(records, own).to_frame("birth_date").select(born.year() * 10000 + low * 100 + high).to_series()


def _anniversary(records: Records, own: pl.DataFrame) -> pl.Series:
    """Month and day."""
    exact = _exact(records, own)
    return exact.dt.month().cast(pl.Int32) * 100 + exact.dt.day()


def _month(records: Records, own: pl.DataFrame) -> pl.Series:
    """Year and month."""
    told = _told(own, "id_birth", records.rows.select(pl.when(pl.col("precision") != "year").then("birth_date")).to_series())
    return told.dt.year() * 100 + told.dt.month()


_DATES: dict[str, Callable[[Records, pl.DataFrame], pl.Series]] = {
    "birth": lambda records, own: _exact(records, own).cast(pl.Int32),  # days since 1970
    "birth_swapped": _swappable,
    "birth_anniversary": _anniversary,
    "birth_month": _month,
    "birth_year": lambda records, own: _told(own, "id_birth", records.rows["birth_date"]).dt.year(),
}


def _named(relation: str) -> pl.Expr:
    """The name of a relative of that relation."""
    return pl.when(pl.col("relation") == relation).then("name_code")


def _numbers(records: Records, own: pl.DataFrame, members: Members) -> dict[str, pl.DataFrame]:
    """unit, value of whole numbers that are the child's own: those that rows hold, and those inside record keys."""
    held = own.select("rec", "own_id").drop_nulls()
    column = pl.repeat(None, records.count, dtype=pl.UInt64, eager=True).scatter(held["rec"], held["own_id"])
    return {"own": members.sets(column), "key": members.lifted(records.sparse["key_number"])}


def _id_texts(records: Records, own: pl.DataFrame, members: Members) -> pl.DataFrame:
    """Every text that tells of a child's own number, as `id_code` writes it: unit, value."""
    numbers = _numbers(records, own, members) | {"carried": members.lifted(_held_by(records, own, "sibling"))}
    coded = [held.select("unit", value=id_code(pl.col("value"), kind)) for kind, held in numbers.items()]
    faulty = records.texts.filter(pl.col("kind") == "faulty").select("rec", value=id_code(identifiers.packed(pl.col("text")), "faulty")).drop_nulls()
    partial = records.partial.select("rec", value=id_code(pl.col("code"), "partial"))
    return pl.concat([*coded, members.lifted(faulty), members.lifted(partial)])


def _held_by(records: Records, own: pl.DataFrame, role: str) -> pl.DataFrame:
    """rec, value of the numbers in the child's column that are of another one of the family."""
    held = own.filter(pl.col("id_role") == role)["rec"]
    return pl.DataFrame({"rec": held, "value": records.rows["number"].gather(held)})


def id_code(number: pl.Expr, kind: str) -> pl.Expr:
    """A packed number, or the code of a text of `Records.partial`, with its kind (own, faulty, partial, key, carried: valid, taken for a sibling's)."""
    return number * len(ID_KINDS) + ID_KINDS.index(kind)


def _whole_ids(texts: pl.DataFrame) -> pl.DataFrame:
    """The numbers that are whole, of any kind, packed."""
    kinds = len(ID_KINDS)
    return texts.filter(pl.col("value") % kinds != ID_KINDS.index("partial")).with_columns(pl.col("value") // kinds)


def _relatives(records: Records, value: pl.Expr) -> pl.DataFrame:
    """rec, value of the people near, where they have one."""
    return records.relatives.select("rec", value=value).drop_nulls()


def _id_part(records: Records, own: pl.DataFrame, members: Members, start: int, size: int) -> pl.DataFrame:
    """That part of whatever the row has of an id, where it is whole: the first 14 characters are place and birth date, the last 4 who."""
    numbers = pl.concat(_numbers(records, own, members).values())
    part = pl.col("value") // identifiers.TAIL if start == 0 else pl.col("value") % identifiers.TAIL
    # a packed number of fourteen zeros and the last four is the last four
    text = pl.col("text").str.slice(start, size)
    whole = pl.lit("0" * start) + text if start else text + "0" * (identifiers.LENGTH - size)
    of_whole = identifiers.packed(whole) // identifiers.TAIL if start == 0 else identifiers.packed(whole) % identifiers.TAIL
    left = records.texts.select("rec", value=pl.when(~text.str.contains(_LOST, literal=True)).then(of_whole)).drop_nulls()
    return pl.concat([numbers.select("unit", value=part), members.lifted(left)])


def _names(records: Records, members: Members) -> pl.DataFrame:
    """The names of the child itself, by code."""
    own_names = records.rows.select(pl.when("is_informative").then("name_code")).to_series()
    return pl.concat([members.sets(own_names), members.lifted(records.sparse["former_code"])])


def _part_of_names(records: Records, members: Members, part: str) -> pl.DataFrame:
    """A part of the names, by hash."""
    names = _names(records, members)
    return pl.DataFrame({"unit": names["unit"], "value": _hashes_of(records.names[part], names["value"])})


def _hashes_of(texts: pl.Series, codes: pl.Series) -> pl.Series:
    """The hash of the text of each code; each text is hashed once, and of few codes those alone."""
    return texts.hash().gather(codes) if len(codes) > len(texts) else texts.gather(codes).hash()


def _spoken(records: Records, members: Members) -> pl.DataFrame:
    """How the names may sound, by hash."""
    table, names = records.names["sounds"], _names(records, members)
    first = _hashes_of(table.list.first(), names["value"])
    several = table.list.len() > 1
    rest = records.names.filter(several).select(value="code", sound="sounds").explode("sound")
    rest = names.join(rest, on="value").select("unit", value=pl.col("sound").hash())
    return pl.concat([pl.DataFrame({"unit": names["unit"], "value": first}), rest])
