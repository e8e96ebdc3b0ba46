"""The persons with what departments corrected. Enters: PERSON and the answers that count. Leaves: PERSON, the corrected values in place and what stood there before kept beside them."""

from __future__ import annotations

import polars as pl

from matching import identifiers
from schemas.tables.record import RELATIVE

ASKED = ("name", "sex", "birth_date", "id_number", "guardian_name", "guardian_phone")


def corrected(person: pl.DataFrame, applied: pl.DataFrame) -> pl.DataFrame:
    """The persons, a row each as before.

    Args:
        person: PERSON. applied: person_id, question, verified_on, record_hash, text, date, date_precision of the answers that count.
    """
    newest = applied.filter(pl.col("question").is_in(ASKED)).sort("verified_on", "record_hash", descending=[True, False])
    newest = newest.unique(["person_id", "question"], keep="first", maintain_order=True)
    if newest.is_empty():
        return person
    said = person.select("person_id")
    for question in ASKED:
        mine = newest.filter(pl.col("question") == question)
        value = pl.col("date" if question == "birth_date" else "text").alias(f"new_{question}")
        more = [pl.col("date_precision").alias("new_precision")] if question == "birth_date" else []
        said = said.join(mine.select("person_id", value, *more), on="person_id", how="left", maintain_order="left")
    told = person.join(said, on="person_id", how="left", maintain_order="left")
    return _guardians(told.with_columns(*_identity(), *_birth(), sex=pl.coalesce("new_sex", "sex"))).select(person.columns)


def _identity() -> list[pl.Expr]:
    """Name and number, the former ones kept."""
    new, number = pl.col("new_name"), pl.col("new_id_number")
    was = pl.concat_list("former_names", pl.col("name")).list.drop_nulls()
    had = pl.concat_list("former_id_numbers", pl.when(pl.col("id_number_status").is_in(["valid", "conflicting"])).then("id_number")).list.drop_nulls()
    return [
        pl.coalesce("new_name", "name").alias("name"),
        pl.when(new.is_null()).then("former_names").otherwise(_without(was, new)).alias("former_names"),
        pl.coalesce("new_id_number", "id_number").alias("id_number"),
        pl.when(number.is_null()).then("former_id_numbers").otherwise(_without(had, number)).alias("former_id_numbers"),
        pl.when(number.is_not_null()).then(pl.lit("valid")).otherwise("id_number_status").alias("id_number_status"),
    ]


def _without(values: pl.Expr, one: pl.Expr) -> pl.Expr:
    """The other values, each once, sorted."""
    return values.list.set_difference(pl.concat_list(one)).list.drop_nulls().list.unique().list.sort()


def _birth() -> list[pl.Expr]:
    """The birth date: as corrected, else the one inside a corrected number."""
    inside = identifiers.birth_date(pl.col("new_id_number"))
    found = pl.coalesce("new_birth_date", inside, "birth_date")
    precision = (
        pl.when(pl.col("new_birth_date").is_not_null()).then("new_precision").when(inside.is_not_null()).then(pl.lit("day")).otherwise("birth_date_precision")
    )
    return [found.alias("birth_date"), precision.alias("birth_date_precision")]


def _guardians(person: pl.DataFrame) -> pl.DataFrame:
    """The corrected guardian first, with what the feeds know of the person of that name, and the others behind; a corrected phone is the first guardian's."""
    name, phone = pl.col("new_guardian_name"), pl.col("new_guardian_phone")
    told = person.join(_of_that_name(person), on="person_id", how="left", maintain_order="left")
    first = pl.when(name.is_null()).then(pl.col("guardians").list.first()).otherwise("known").struct
    made = pl.struct(
        pl.coalesce(name, first.field("name")).alias("name"),
        pl.coalesce(first.field("relation"), pl.lit("guardian")).alias("relation"),
        first.field("id_number").alias("id_number"),
        pl.coalesce(phone, first.field("phone")).alias("phone"),
    ).cast(RELATIVE)
    rest = pl.when(name.is_null()).then(pl.col("guardians").list.slice(1)).otherwise(pl.col("others").fill_null([]))
    is_told = name.is_not_null() | phone.is_not_null()
    return told.with_columns(
        guardians=pl.when(is_told).then(pl.concat_list(made, rest)).otherwise("guardians"),
        phones=pl.when(phone.is_not_null()).then(pl.concat_list(phone, "phones").list.drop_nulls().list.unique().list.sort()).otherwise("phones"),
    )


def _of_that_name(person: pl.DataFrame) -> pl.DataFrame:
    """Of persons with a corrected guardian: person_id, known (the guardian of that name; null where the feeds have none), others, in the order they stood in."""
    corrected = person.filter(pl.col("new_guardian_name").is_not_null()).select("person_id", "new_guardian_name", one="guardians")
    each = corrected.explode("one", empty_as_null=False, keep_nulls=False)
    is_meant = (pl.col("one").struct.field("name") == pl.col("new_guardian_name")).fill_null(False)
    return each.group_by("person_id", maintain_order=True).agg(known=pl.col("one").filter(is_meant).first(), others=pl.col("one").filter(~is_meant))
