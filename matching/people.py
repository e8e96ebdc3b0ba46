"""One child, all feeds put together: the rows of each person go in, the PERSON table comes out.

Which value survives: what the child's own trusted number says, then the household register, then what most rows say, then the newest, and at last
the smallest by its text, so that the choice never hangs on a position.
"""

from __future__ import annotations

import polars as pl

from schemas.tables.record import PERSON, RELATIONS

_NAME_ORDER = {"full": 0, "partial": 1, "latin": 2, "newborn": 3, "nickname": 4, "absent": 5}
_FAULTY = ("checksum_failed", "impossible_date", "wrong_length", "excel_rounded", "masked")
_RELATION_ORDER = {relation: i for i, relation in enumerate(RELATIONS)}
_OTHER_TERRITORIES = ("81", "82", "83")


def people(rows: pl.DataFrame, seen: pl.DataFrame, changed: pl.Series) -> pl.DataFrame:
    """The PERSON table of some persons.

    Args:
        rows: RECORD's columns of all rows of the persons, with person_id (UInt32: the person's place in `seen`), own_id (text), id_birth and id_sex (what
            a trusted number says).
        seen: person_id (text), first_seen, last_seen over all runs, in the order of person_id.
        changed: numbers (text) that the household register shows to have been changed.
    """
    person = rows.group_by("person_id").agg(records=pl.len().cast(pl.UInt32), feeds=pl.col("feed").unique().sort()).sort("person_id")
    parts = (
        _names(rows),
        _numbers(rows, changed),
        _survivor(rows, "ethnicity", "ethnicity"),
        _survivor(rows.with_columns(told=pl.coalesce("id_sex", "sex"), is_sure=pl.col("id_sex").is_not_null()), "told", "sex"),
        _births(rows),
        _documents(rows),
        _guardians(rows),
        _phones(rows),
        seen.drop("person_id").with_row_index("person_id"),
    )
    for part in parts:
        person = person.join(part, on="person_id", how="left", maintain_order="left")
    empty = {c: pl.col(c).fill_null([]) for c in ("former_names", "former_id_numbers", "guardians", "phones")}
    return PERSON.conform(person.with_columns(pl.Series("person_id", seen["person_id"].gather(person["person_id"])), **empty))


def _survivor(rows: pl.DataFrame, column: str, out: str) -> pl.DataFrame:
    """person_id and the value of a column that survives."""
    sure = pl.col("is_sure").any() if "is_sure" in rows.columns else pl.lit(False)
    counted = rows.filter(pl.col(column).is_not_null()).group_by("person_id", column).agg(
        sure=sure, household=(pl.col("feed") == "household").any(), count=pl.len(), newest=pl.col("export_date").max()
    )
    best = counted.sort("person_id", "sure", "household", "count", "newest", column, descending=[False, True, True, True, True, False])
    return best.unique("person_id", keep="first", maintain_order=True).select("person_id", pl.col(column).alias(out))


def _names(rows: pl.DataFrame) -> pl.DataFrame:
    """The name, and every other name seen."""
    named = rows.filter(pl.col("name").is_not_null()).with_columns(
        kind=pl.col("name_kind").replace_strict(_NAME_ORDER, default=5, return_dtype=pl.Int8)
    )
    counted = named.group_by("person_id", "name").agg(
        kind=pl.col("kind").min(), household=(pl.col("feed") == "household").any(), count=pl.len(), newest=pl.col("export_date").max(),
        newest_household=pl.col("export_date").filter(pl.col("feed") == "household").max(),
    )  # fmt: skip
    order = counted.sort(
        "person_id", "kind", "household", "newest_household", "count", "newest", "name",
        descending=[False, False, True, True, True, True, False], nulls_last=True,
    )  # fmt: skip
    best = order.unique("person_id", keep="first", maintain_order=True).select("person_id", "name")
    seen = pl.concat([named.select("person_id", other="name"), rows.select("person_id", other="former_name").drop_nulls()]).unique()
    others = seen.join(best, on="person_id", how="left").filter((pl.col("other") != pl.col("name")).fill_null(True))
    return rows.select("person_id").unique().join(best, on="person_id", how="left").join(
        others.group_by("person_id").agg(former_names=pl.col("other").sort()), on="person_id", how="left"
    )  # fmt: skip


def _numbers(rows: pl.DataFrame, changed: pl.Series) -> pl.DataFrame:
    """The id number, its status, and the valid numbers the child had before.

    Of several numbers the current one is not known inside a record key as an older one, then stands in most rows; they conflict unless the
    household register shows the change.
    """
    older = rows.filter(pl.col("own_id").is_not_null(), pl.col("key_id_number").is_not_null(), pl.col("own_id") != pl.col("key_id_number"))
    older = older.select("person_id", own_id="key_id_number", is_older=pl.lit(True)).unique()
    counted = rows.filter(pl.col("own_id").is_not_null()).group_by("person_id", "own_id").agg(count=pl.len(), newest=pl.col("export_date").max())
    ranked = counted.join(older, on=["person_id", "own_id"], how="left").with_columns(pl.col("is_older").fill_null(False))
    ranked = ranked.sort("person_id", "is_older", "newest", "count", "own_id", descending=[False, False, True, True, False])
    first = ranked.unique("person_id", keep="first", maintain_order=True).select("person_id", number="own_id")
    others = ranked.join(first, left_on=["person_id", "own_id"], right_on=["person_id", "number"], how="anti")
    several = ranked.join(others, on="person_id", how="semi").group_by("person_id").agg(unexplained=(~pl.col("own_id").is_in(changed.implode())).any())
    own = first.join(several, on="person_id", how="left", maintain_order="left")
    before = pl.concat([older.select("person_id", "own_id"), others.select("person_id", "own_id")])
    before = before.join(first, left_on=["person_id", "own_id"], right_on=["person_id", "number"], how="anti")
    before = before.group_by("person_id").agg(former_id_numbers=pl.col("own_id").unique().sort())
    faulty = rows.filter(pl.col("id_number_status").is_in(_FAULTY)).group_by("person_id", "id_number").agg(count=pl.len())
    faulty = faulty.sort("person_id", "count", "id_number", descending=[False, True, False], nulls_last=True)
    faulty = faulty.unique("person_id", keep="first", maintain_order=True).select("person_id", faulty="id_number", is_faulty=pl.lit(True))
    out = rows.select("person_id").unique().join(own, on="person_id", how="left").join(faulty, on="person_id", how="left")
    status = (
        pl.when("unexplained").then(pl.lit("conflicting"))
        .when(pl.col("number").is_not_null()).then(pl.lit("valid"))
        .when(pl.col("is_faulty").is_not_null()).then(pl.lit("invalid"))
        .otherwise(pl.lit("absent"))
    )  # fmt: skip
    out = out.select("person_id", id_number_status=status, id_number=pl.coalesce("number", "faulty"))
    return out.join(before, on="person_id", how="left")


def _births(rows: pl.DataFrame) -> pl.DataFrame:
    """The birth date and how exact it is; an exact one before a month, a month before a year."""
    precise = rows.with_columns(
        told=pl.coalesce("id_birth", "birth_date"),
        is_sure=pl.col("id_birth").is_not_null(),
        precision=pl.when(pl.col("id_birth").is_not_null()).then(pl.lit("day")).otherwise(pl.col("birth_date_precision").fill_null("day")),
    ).filter(pl.col("told").is_not_null())
    finest = precise.filter(pl.col("precision") == pl.col("precision").min().over("person_id"))
    best = _survivor(finest, "told", "birth_date")
    return best.join(finest.group_by("person_id").agg(birth_date_precision=pl.col("precision").first()), on="person_id")


def _documents(rows: pl.DataFrame) -> pl.DataFrame:
    """The kind of document: what an own number shows, else what the rows say."""
    shown = pl.when(pl.col("own_id").str.slice(0, 2).is_in(_OTHER_TERRITORIES)).then(pl.lit("hmt")).when(pl.col("own_id").is_not_null()).then(pl.lit("mainland"))
    return _survivor(rows.with_columns(told=pl.coalesce(shown, "document_type"), is_sure=pl.col("own_id").is_not_null()), "told", "document_type")


def _guardians(rows: pl.DataFrame) -> pl.DataFrame:
    """The people around the child, each name once, with the relation, number and phone most rows give."""
    held = rows.select("person_id", "export_date", "relatives").explode("relatives", empty_as_null=False, keep_nulls=False).unnest("relatives")
    held = held.filter(pl.coalesce("name", "id_number").is_not_null(), ~pl.col("relation").fill_null("other").is_in(["brother", "sister"]))
    held = held.with_columns(who=pl.coalesce("name", "id_number"), rank=pl.col("relation").replace_strict(_RELATION_ORDER, default=len(RELATIONS), return_dtype=pl.Int32))
    one = held.select("person_id", "who").unique().sort("person_id", "who")
    named = held.group_by("person_id", "who").agg(name=pl.col("name").drop_nulls().min(), rank=pl.col("rank").min())
    for column in ("relation", "id_number", "phone"):
        counted = held.filter(pl.col(column).is_not_null()).group_by("person_id", "who", column, "rank" if column == "relation" else pl.lit(0).alias("rank")).agg(
            count=pl.len(), newest=pl.col("export_date").max()
        )
        best = counted.sort("person_id", "who", "rank", "count", "newest", column, descending=[False, False, False, True, True, False])
        one = one.join(best.unique(["person_id", "who"], keep="first", maintain_order=True).select("person_id", "who", column), on=["person_id", "who"], how="left", maintain_order="left")
    one = one.join(named, on=["person_id", "who"], how="left", maintain_order="left").sort("person_id", "rank", "who")
    return one.group_by("person_id", maintain_order=True).agg(guardians=pl.struct("name", "relation", "id_number", "phone"))


def _phones(rows: pl.DataFrame) -> pl.DataFrame:
    phones = pl.concat([
        rows.select("person_id", phone="phones").explode("phone", empty_as_null=False, keep_nulls=False),
        rows.select("person_id", phone=pl.col("relatives").list.eval(pl.element().struct.field("phone"))).explode("phone", empty_as_null=False, keep_nulls=False),
    ]).drop_nulls()  # fmt: skip
    return phones.group_by("person_id").agg(phones=pl.col("phone").unique().sort())
