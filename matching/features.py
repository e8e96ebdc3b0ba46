"""What linkage compares: RECORD frames go in, the distinct rows and their integer-coded values come out.

A *unit* is what pairs are made of: the rows that the id-first pass put together, or one row. A unit has sets of everything: names, dates,
relatives, phones, places. Values are codes (UInt32 ranks of the sorted distinct values), so that joins and comparisons never touch text.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from matching.name_levels import name_table

# feeds that keep one live row a child; the others write one a stay, a quarter or a grant
ONE_ROW_FEEDS = ("education", "health", "medical_insurance", "disease_control", "disability")
UNINFORMATIVE = ("newborn", "nickname", "absent")
_EPOCH = pl.lit(0, dtype=pl.Int32).cast(pl.Date)


@dataclass(frozen=True)
class Records:
    """The distinct rows of a night.

    Attributes:
        rows: RECORD's columns, one row a record_hash, in its order, with rec (UInt32), name_code, former_code, mother_code (codes of `names`),
            is_informative (the name says who), and born (Date, null unless exact to the day).
        names: the name table (`matching.name_levels.name_table`).
        relatives: rec, relation, name_code, id_number, phone; one row a relative.
    """

    rows: pl.DataFrame
    names: pl.DataFrame
    relatives: pl.DataFrame


def code_records(record: pl.DataFrame) -> Records:
    """The distinct rows of a RECORD frame. Rows of equal record_hash are one row: they say the same."""
    rows = (
        record.sort("record_hash", "export_date", "source_file", "source_row")
        .unique("record_hash", keep="last", maintain_order=True)
        .with_row_index("rec")
        .with_columns(
            sex=pl.coalesce("sex", _sex_of_newborn()),
            born=pl.when(pl.col("birth_date_precision").fill_null("day") == "day").then("birth_date"),
            is_informative=pl.col("name_folded").is_not_null() & ~pl.col("name_kind").fill_null("full").is_in(UNINFORMATIVE),
        )
    )
    relatives = rows.select("rec", "relatives").explode("relatives", empty_as_null=False, keep_nulls=False).unnest("relatives")
    names = name_table(pl.concat([rows["name_folded"], rows["former_name"], rows["mother_in_name"], relatives["name"]]))
    code = names.select("name", "code")
    for text, column in (("name_folded", "name_code"), ("former_name", "former_code"), ("mother_in_name", "mother_code")):
        rows = rows.join(code.rename({"name": text, "code": column}), on=text, how="left", maintain_order="left")
    relatives = relatives.join(code.rename({"code": "name_code"}), on="name", how="left", maintain_order="left")
    return Records(rows, names, relatives.select("rec", "relation", "name_code", "id_number", "phone"))


def _sex_of_newborn() -> pl.Expr:
    """The sex that 某某之子 and 某某之女 state."""
    newborn = pl.col("name_kind") == "newborn"
    return (
        pl.when(newborn & pl.col("name").str.contains("之子", literal=True)).then(pl.lit("male"))
        .when(newborn & pl.col("name").str.contains("之女", literal=True)).then(pl.lit("female"))
    )  # fmt: skip


def coded(frame: pl.DataFrame, text: str, key: str = "rec") -> pl.DataFrame:
    """Distinct (key, value) of a text column, `value` being the rank of the text among the distinct ones."""
    clean = frame.select(key, text).drop_nulls().unique()
    values = clean.select(text).unique().sort(text).with_row_index("value")
    return clean.join(values, on=text).select(key, "value").sort(key, "value")


def attributes(records: Records, own: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Every attribute of the rows as a long table rec, value.

    Args:
        records: the distinct rows.
        own: what `matching.anchors.own_numbers` made: rec, own_id, id_birth, id_sex. What a trusted number says of birth date and sex wins.
    """
    rows = records.rows.join(own.select("rec", "own_id", "id_birth", "id_sex"), on="rec", how="left", maintain_order="left")
    rows = rows.with_columns(
        born=pl.coalesce("id_birth", "born"),
        month=pl.coalesce("id_birth", pl.when(pl.col("birth_date_precision").fill_null("day") != "year").then("birth_date")),
        year=pl.coalesce("id_birth", "birth_date"),
        sex=pl.coalesce("id_sex", "sex"),
        feed_key=pl.col("feed") + ":" + pl.col("record_key"),
        id_text=_id_text(),
    )
    return _name_attributes(records) | _date_attributes(rows) | _family_attributes(records) | {
        "sex": rows.select("rec", value=(pl.col("sex") == "female").cast(pl.UInt32)).drop_nulls(),
        "own_id": coded(rows, "own_id"),
        "id_front": coded(_id_part(rows, 0, 14), "part"),
        "id_tail": coded(_id_part(rows, 14, 4), "part"),
        "certificate": coded(rows, "birth_certificate"),
        "document": coded(rows, "document_number"),
        "feed_key": coded(rows, "feed_key"),
        "feed": coded(rows.filter(pl.col("feed").is_in(ONE_ROW_FEEDS)), "feed"),
        "household": coded(rows, "household_key"),
        **_place_attributes(rows),
    }  # fmt: skip


def _id_text() -> pl.Expr:
    """What the id column still says where it is no trusted number: the faulty 18 characters, or those left of it."""
    faulty = pl.col("id_number_status").is_in(["checksum_failed", "impossible_date"])
    return pl.when(faulty).then("id_number").otherwise(pl.col("id_partial"))


def id_texts(records: Records, own: pl.DataFrame) -> pl.DataFrame:
    """Every 18-character text that tells of a child's own number: rec, text, kind (own, faulty, partial, key, carried: valid, taken for a sibling's)."""
    rows = records.rows
    kinds = (
        own.filter(pl.col("own_id").is_not_null()).select("rec", text="own_id", kind=pl.lit("own")),
        rows.filter(pl.col("id_number_status").is_in(["checksum_failed", "impossible_date"])).select("rec", text="id_number", kind=pl.lit("faulty")),
        rows.select("rec", text="id_partial", kind=pl.lit("partial")),
        rows.select("rec", text="key_id_number", kind=pl.lit("key")),
        own.filter(pl.col("id_role") == "sibling").join(rows, on="rec").select("rec", text="id_number", kind=pl.lit("carried")),
    )
    return pl.concat(kinds).drop_nulls().filter(pl.col("text").str.len_chars() == 18).unique().sort("rec", "text", "kind")


def _id_part(rows: pl.DataFrame, start: int, size: int) -> pl.DataFrame:
    """That part of whatever the row has of an id, where it is whole: the first 14 characters are place and birth date, the last 4 who."""
    texts = pl.concat([rows.select("rec", part=pl.col(c).str.slice(start, size)) for c in ("own_id", "id_text", "key_id_number")])
    return texts.drop_nulls().filter(~pl.col("part").str.contains("?", literal=True)).unique()


def _name_attributes(records: Records) -> dict[str, pl.DataFrame]:
    rows = records.rows
    names = (
        pl.concat([
            rows.filter("is_informative").select("rec", value="name_code"),
            rows.select("rec", value="former_code"),
        ])
        .drop_nulls().unique().sort("rec", "value")
    )  # fmt: skip
    table = records.names
    by_code = names.join(table.select(value="code", surname="surname", given="given", sounds="sounds"), on="value", maintain_order="left")
    sounds = by_code.explode("sounds")
    given = by_code.filter(pl.col("given").str.len_chars() > 0)
    relatives = pl.concat([records.relatives.select("rec", value="name_code"), rows.select("rec", value="mother_code")])
    return {
        "name": names,
        "sound": coded(sounds, "sounds"),
        "given": coded(given, "given"),
        "surname": coded(by_code, "surname"),
        "relative": relatives.drop_nulls().unique().sort("rec", "value"),
    }


def _date_attributes(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Days since 1970, year·month, month·day, the date with day and month in either order, and the year."""
    day, month, year = pl.col("born").dt.day(), pl.col("born").dt.month(), pl.col("born").dt.year()
    low, high = pl.min_horizontal(day, month).cast(pl.Int32), pl.max_horizontal(day, month).cast(pl.Int32)
    exprs = {
        "birth": pl.col("born").cast(pl.Int32),
        "birth_swapped": year * 10000 + low * 100 + high,
        "birth_anniversary": month.cast(pl.Int32) * 100 + day,
        "birth_month": pl.col("month").dt.year() * 100 + pl.col("month").dt.month(),
        "birth_year": pl.col("year").dt.year(),
    }
    return {name: rows.select("rec", value=e.cast(pl.Int32)).drop_nulls().unique().sort("rec", "value") for name, e in exprs.items()}


def _family_attributes(records: Records) -> dict[str, pl.DataFrame]:
    phones = pl.concat([
        records.rows.select("rec", phone="phones").explode("phone", empty_as_null=False, keep_nulls=False),
        records.relatives.select("rec", "phone"),
    ])  # fmt: skip
    return {"phone": coded(phones, "phone"), "relative_id": coded(records.relatives, "id_number")}


def _place_attributes(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Districts and townships of the home and of the hukou, and the address written without marks and blanks."""
    rows = rows.with_columns(
        pl.col("place_code").alias("place"),
        (pl.col("place_code") + pl.col("place_township")).alias("place_town"),
        pl.col("hukou_code").alias("hukou"),
        (pl.col("hukou_code") + pl.col("hukou_township")).alias("hukou_town"),
        pl.col("address").str.replace_all(r"[^\p{Han}\p{N}A-Za-z]", "").alias("address_text"),
    )
    rows = rows.with_columns(address_text=pl.when(pl.col("address_text").str.len_chars() >= 8).then("address_text"))
    places = pl.concat([rows.select("rec", code="place"), rows.select("rec", code="hukou")])
    return {name: coded(rows, name) for name in ("place", "place_town", "hukou", "hukou_town")} | {
        "address": coded(rows, "address_text"),
        "district": coded(places, "code"),
    }


def lift(long: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """A long table of rows as one of units: unit, and the other columns, distinct and sorted. `members` is rec, unit."""
    out = long.join(members, on="rec").drop("rec")
    rest = [c for c in out.columns if c != "unit"]
    return out.select("unit", *rest).unique().sort("unit", *rest)
