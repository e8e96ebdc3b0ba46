"""One child, all feeds put together: the rows of some persons go in, their PERSON rows come out.

Which value survives: what the child's own trusted number says, then the household register, then what most rows say, then the newest, and at last
the smallest by its text, so that the choice never hangs on a position. Where all rows of a person say the same there is nothing to choose; only the
others are counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from matching.coding import FEED
from schemas.gathering import gathered
from schemas.tables.record import PERSON, RELATIONS, RELATIVE

_NAME_ORDER = {"full": 0, "partial": 1, "latin": 2, "newborn": 3, "nickname": 4, "absent": 5}
_FAULTY = ("checksum_failed", "impossible_date", "wrong_length", "excel_rounded", "masked")
_OTHER_TERRITORIES = ("81", "82", "83")
Group = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Told:
    """What the feeds say of some persons; `person_id` is a person's place in `seen`.

    Attributes:
        rows: RECORD's columns but the lists, of all rows of the persons, with person_id, own_id (text), id_birth and id_sex (what a trusted number says).
        relatives: person_id, export_date, name, relation (`matching.coding.RELATION`), id_number, phone; one row a relative. phones: person_id, phone.
        seen: person_id (text), first_seen, last_seen over all runs, in the order of person_id.
        changed: numbers (text) that the household register shows to have been changed.
    """

    rows: pl.DataFrame
    relatives: pl.DataFrame
    phones: pl.DataFrame
    seen: pl.DataFrame
    changed: pl.Series


def people(told: Told) -> pl.DataFrame:
    """The PERSON rows, in the order of person_id."""
    rows, count = told.rows, told.seen.height
    sexes = rows.select("person_id", "feed", "export_date", told=pl.coalesce("id_sex", "sex"), is_sure=pl.col("id_sex").is_not_null())
    shown = pl.when(pl.col("own_id").str.slice(0, 2).is_in(_OTHER_TERRITORIES)).then(pl.lit("hmt")).when(pl.col("own_id").is_not_null()).then(pl.lit("mainland"))
    documents = rows.select("person_id", "feed", "export_date", told=pl.coalesce(shown, "document_type"), is_sure=pl.col("own_id").is_not_null())
    person = told.seen.with_columns(
        *_names(rows, count),
        *_numbers(rows, count, told.changed),
        *_births(rows, count),
        _settled(sexes, "told", count, _survivor).alias("sex"),
        _settled(documents, "told", count, _survivor).alias("document_type"),
        _settled(rows, "ethnicity", count, lambda some: _survivor(some.with_columns(told="ethnicity", is_sure=False))).alias("ethnicity"),
        _guardians(told.relatives, count).alias("guardians"),
        _phones(told, count).alias("phones"),
        pl.Series("records", np.bincount(rows["person_id"].to_numpy(), minlength=count), dtype=pl.UInt32),
        _feeds(rows, count).alias("feeds"),
    )
    return PERSON.conform(person)


def _settled(rows: pl.DataFrame, column: str, count: int, choose: Callable[[pl.DataFrame], pl.DataFrame], group: str = "person_id") -> pl.Series:
    """The value of a column for each of `count` groups, null where no row has one.

    Args:
        choose: from the rows of groups whose rows differ to group and `value`.
    """
    said = rows.filter(pl.col(column).is_not_null())
    of = said[group].to_numpy()
    first = _first(of, count)
    values = said[column].gather(pl.Series(first).replace(-1, None))
    contested = _contested(of, said[column], first)
    if not contested.any():
        return values
    chosen = choose(said.filter(contested[of]))
    return pl.concat([values, chosen["value"].cast(values.dtype)]).gather(_redirected(count, chosen[group].to_numpy()))


def _redirected(count: int, groups: Group) -> npt.NDArray[np.int64]:
    """For each group its own place, or behind all groups that of its choice."""
    at = np.arange(count)
    at[groups] = count + np.arange(len(groups))
    return at


def _first(of: Group, count: int) -> npt.NDArray[np.int64]:
    """The first row of each group, -1 where it has none."""
    first = np.full(count, -1)
    first[of[::-1]] = np.arange(len(of))[::-1]
    return first


def _contested(of: Group, values: pl.Series, first: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """The groups whose rows do not all say the same."""
    hashes = values.hash().to_numpy()
    out = np.zeros(len(first), dtype=np.bool_)
    out[of[hashes != hashes[first[of]]]] = True
    return out


def _survivor(rows: pl.DataFrame) -> pl.DataFrame:
    """person_id and the `value` that survives of the column `told`."""
    counted = rows.group_by("person_id", "told").agg(
        sure=pl.col("is_sure").any(), household=(pl.col("feed") == "household").any(), count=pl.len(), newest=pl.col("export_date").max()
    )
    best = counted.sort("person_id", "sure", "household", "count", "newest", "told", descending=[False, True, True, True, True, False])
    return best.unique("person_id", keep="first", maintain_order=True).select("person_id", value="told")


def _names(rows: pl.DataFrame, count: int) -> list[pl.Series]:
    """The name, and every other name seen."""
    of, said = rows["person_id"].to_numpy(), rows["name"]
    several = np.zeros(count, dtype=np.bool_)
    several[of[rows["former_name"].is_not_null().to_numpy()]] = True
    name = _settled(rows, "name", count, _best_name).alias("name")
    named = rows.filter(said.is_not_null())
    several |= _contested(named["person_id"].to_numpy(), named["name"], _first(named["person_id"].to_numpy(), count))
    some = rows.filter(several[of])
    seen = pl.concat([some.select("person_id", other="name"), some.select("person_id", other="former_name")]).drop_nulls().unique()
    others = seen.filter(pl.Series(seen["other"].ne_missing(name.gather(seen["person_id"]))))
    return [name, gathered(others.select(row="person_id", value="other").sort("row", "value"), count, pl.String).alias("former_names")]


def _best_name(rows: pl.DataFrame) -> pl.DataFrame:
    """person_id and the name that survives, as `value`."""
    counted = rows.with_columns(kind=pl.col("name_kind").replace_strict(_NAME_ORDER, default=5, return_dtype=pl.Int8)).group_by("person_id", "name").agg(
        kind=pl.col("kind").min(), household=(pl.col("feed") == "household").any(), count=pl.len(), newest=pl.col("export_date").max(),
        newest_household=pl.col("export_date").filter(pl.col("feed") == "household").max(),
    )  # fmt: skip
    order = counted.sort(
        "person_id", "kind", "household", "newest_household", "count", "newest", "name",
        descending=[False, False, True, True, True, True, False], nulls_last=True,
    )  # fmt: skip
    return order.unique("person_id", keep="first", maintain_order=True).select("person_id", value="name")


def _numbers(rows: pl.DataFrame, count: int, changed: pl.Series) -> list[pl.Series]:
    """The id number, its status, and the valid numbers the child had before."""
    held = rows.filter(pl.col("own_id").is_not_null())
    of = held["person_id"].to_numpy()
    first = _first(of, count)
    open_ = (first < 0) | _contested(of, held["own_id"], first)
    open_[of[(held["key_id_number"].is_not_null() & (held["key_id_number"] != held["own_id"])).to_numpy()]] = True
    some = np.flatnonzero(open_)
    number = held["own_id"].gather(pl.Series(first).replace(-1, None))
    told = _open_numbers(rows.filter(open_[rows["person_id"].to_numpy()]), pl.Series("person_id", some, dtype=pl.UInt32), changed)
    at = _redirected(count, some.astype(np.uint32))
    former = told.select(row="person_id", value="former_id_numbers").explode("value", empty_as_null=False, keep_nulls=False)
    return [
        pl.concat([number, told["id_number"]]).gather(at).alias("id_number"),
        pl.concat([pl.repeat("valid", count, eager=True), told["id_number_status"]]).gather(at).alias("id_number_status"),
        gathered(former, count, pl.String).alias("former_id_numbers"),
    ]


def _open_numbers(rows: pl.DataFrame, persons: pl.Series, changed: pl.Series) -> pl.DataFrame:
    """person_id, id_number, id_number_status, former_id_numbers (null where none) of persons with no number of their own, or with several.

    Of several numbers the current one is not known as an older one (inside a record key, or by an entry of the household register that was cancelled), then
    has an entry in the household register that has not ended, then stands in the register's newest export, then in the newest of all, then in most rows;
    they conflict unless the household register shows the change.
    """
    inside = rows.filter(pl.col("own_id").is_not_null(), pl.col("key_id_number").is_not_null(), pl.col("own_id") != pl.col("key_id_number"))
    registered = rows.filter(pl.col("own_id").is_not_null(), pl.col("feed") == "household")
    ended = registered.with_columns(pl.col("is_cancelled", "is_moved_out").fill_null(False)).group_by("person_id", "own_id").agg(
        pl.col("is_cancelled").all(), stands=(~pl.col("is_cancelled") & ~pl.col("is_moved_out")).any()
    )
    given_up = ended.filter("is_cancelled").select("person_id", "own_id")
    older = pl.concat([inside.select("person_id", own_id="key_id_number"), given_up]).unique().with_columns(is_older=pl.lit(True))
    counted = rows.filter(pl.col("own_id").is_not_null()).group_by("person_id", "own_id").agg(
        count=pl.len(), newest=pl.col("export_date").max(), household=pl.col("export_date").filter(pl.col("feed") == "household").max()
    )
    ranked = counted.join(older, on=["person_id", "own_id"], how="left").with_columns(pl.col("is_older").fill_null(False))
    ranked = ranked.join(ended, on=["person_id", "own_id"], how="left").sort(
        "person_id", "is_older", "stands", "household", "newest", "count", "own_id", descending=[False, False, True, True, True, True, False], nulls_last=True
    )
    first = ranked.unique("person_id", keep="first", maintain_order=True).select("person_id", number="own_id")
    others = ranked.join(first, left_on=["person_id", "own_id"], right_on=["person_id", "number"], how="anti")
    several = ranked.join(others, on="person_id", how="semi").group_by("person_id").agg(unexplained=(~pl.col("own_id").is_in(changed.implode())).any())
    before = pl.concat([older.select("person_id", "own_id"), others.select("person_id", "own_id")])
    before = before.join(first, left_on=["person_id", "own_id"], right_on=["person_id", "number"], how="anti")
    before = before.group_by("person_id").agg(former_id_numbers=pl.col("own_id").unique().sort())
    faulty = rows.filter(pl.col("id_number_status").is_in(_FAULTY)).group_by("person_id", "id_number").agg(count=pl.len())
    faulty = faulty.sort("person_id", "count", "id_number", descending=[False, True, False], nulls_last=True)
    faulty = faulty.unique("person_id", keep="first", maintain_order=True).select("person_id", faulty="id_number", is_faulty=pl.lit(True))
    out = persons.to_frame()
    for part in (first, several, faulty, before):
        out = out.join(part, on="person_id", how="left", maintain_order="left")
    status = (
        pl.when("unexplained").then(pl.lit("conflicting"))
        .when(pl.col("number").is_not_null()).then(pl.lit("valid"))
        .when(pl.col("is_faulty").is_not_null()).then(pl.lit("invalid"))
        .otherwise(pl.lit("absent"))
    )  # fmt: skip
    return out.select("person_id", "former_id_numbers", id_number_status=status, id_number=pl.coalesce("number", "faulty"))


def _births(rows: pl.DataFrame, count: int) -> list[pl.Series]:
    """The birth date and how exact it is; an exact one before a month, a month before a year."""
    precise = rows.select(
        "person_id", "feed", "export_date",
        told=pl.coalesce("id_birth", "birth_date"),
        is_sure=pl.col("id_birth").is_not_null(),
        precision=pl.when(pl.col("id_birth").is_not_null()).then(pl.lit("day")).otherwise(pl.col("birth_date_precision").cast(pl.String).fill_null("day")),
    ).filter(pl.col("told").is_not_null())  # fmt: skip
    precision = _settled(precise, "precision", count, lambda some: some.group_by("person_id").agg(value=pl.col("precision").min()))
    finest = precise.filter(precise["precision"] == precision.gather(precise["person_id"]))
    return [_settled(finest, "told", count, _survivor).alias("birth_date"), precision.alias("birth_date_precision")]


def _guardians(relatives: pl.DataFrame, count: int) -> pl.Series:
    """The people around the child, each name once, with the relation, number and phone most rows give."""
    held = relatives.filter(pl.coalesce("name", "id_number").is_not_null(), ~((pl.col("relation") == "brother") | (pl.col("relation") == "sister")).fill_null(False))
    held = held.with_columns(who=pl.coalesce("name", "id_number"), rank=pl.col("relation").to_physical().cast(pl.Int32).fill_null(len(RELATIONS)))
    _, first, which = np.unique(held.select(pl.struct("person_id", "who").hash()).to_series().to_numpy(), return_index=True, return_inverse=True)
    ones = held.select("person_id", "who")[first]
    held = held.with_columns(one=pl.Series(which, dtype=pl.UInt32))

    def chosen(column: str) -> pl.Series:
        return _settled(held, column, ones.height, lambda some: _most(some, column), "one").alias(column)

    rank = np.full(ones.height, len(RELATIONS))
    np.minimum.at(rank, held["one"].to_numpy(), held["rank"].to_numpy())
    named = held.filter(pl.col("name").is_not_null())["one"].unique()
    is_named = np.zeros(ones.height, dtype=np.bool_)
    is_named[named.to_numpy()] = True
    one = ones.with_columns(chosen("relation").cast(pl.String), chosen("id_number"), chosen("phone"), name=pl.when(pl.Series(is_named)).then("who"), rank=pl.Series(rank))
    one = one.sort("person_id", "rank", "who")
    return gathered(one.select(row="person_id", value=pl.struct("name", "relation", "id_number", "phone")), count, RELATIVE)


def _most(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """one, and the `value` of a column that most rows give; of relations the nearest."""
    rank = pl.col("rank").min() if column == "relation" else pl.lit(0)
    counted = rows.group_by("one", pl.col(column).cast(pl.String).alias("value")).agg(rank=rank, count=pl.len(), newest=pl.col("export_date").max())
    best = counted.sort("one", "rank", "count", "newest", "value", descending=[False, False, True, True, False])
    return best.unique("one", keep="first", maintain_order=True).select("one", "value")


def _phones(told: Told, count: int) -> pl.Series:
    phones = pl.concat([told.phones, told.relatives.select("person_id", "phone").drop_nulls()])
    return gathered(phones.unique().sort("person_id", "phone").select(row="person_id", value="phone"), count, pl.String)


def _feeds(rows: pl.DataFrame, count: int) -> pl.Series:
    """The feeds that know each person, sorted; few combinations occur."""
    names = FEED.categories.to_list()
    bits = np.zeros(count, dtype=np.int64)
    np.bitwise_or.at(bits, rows["person_id"].to_numpy(), 1 << rows["feed"].to_physical().to_numpy().astype(np.int64))
    kinds, which = np.unique(bits, return_inverse=True)
    lists = pl.Series([[name for i, name in enumerate(names) if kind >> i & 1] for kind in kinds.tolist()], dtype=pl.List(pl.String))
    return lists.gather(which)
