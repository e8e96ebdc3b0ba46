"""What linkage compares: RECORD frames go in, the distinct rows and their coded values come out.

A *unit* is what pairs are made of: the rows that the id-first pass put together, or one row. A unit has sets of everything: names, dates,
relatives, phones, places. Values are 64-bit hashes or small integers, so that joins and comparisons never touch text. Two different texts of one
hash would look alike once in 10^19 pairs; identifiers that join rows outright are compared as text (`matching.anchors`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from matching.name_levels import name_table

# feeds that keep one live row a child; the others write one a stay, a quarter or a grant
ONE_ROW_FEEDS = ("education", "health", "medical_insurance", "disease_control", "disability")
UNINFORMATIVE = ("newborn", "nickname", "absent")
# an address shorter than this, marks and blanks aside, is a village or a street, no home
_ADDRESS_LENGTH = 8
_KEPT = ("record_hash", "feed", "record_key", "id_number", "id_number_status", "id_partial", "key_id_number", "birth_date", "birth_date_precision", "sex")
_NAMES = {"name_folded": "name_code", "former_name": "former_code", "mother_in_name": "mother_code"}


@dataclass(frozen=True)
class Records:
    """The distinct rows of a night.

    Attributes:
        rows: one row a record_hash, in its order: rec (UInt32), the columns `_KEPT` of RECORD, name_code, former_code, mother_code (codes of `names`),
            is_informative (the name says who), born (Date, null unless exact to the day), and hashes of what is only ever equal or not: feed_key,
            household, certificate, document, place, place_town, hukou, hukou_town, address.
        names: the name table (`matching.name_levels.name_table`).
        relatives: rec, relation, name_code, id_number (hash), phone (hash); one row a relative.
        phones: rec, value (hash); one row a phone of the row itself.
    """

    rows: pl.DataFrame
    names: pl.DataFrame
    relatives: pl.DataFrame
    phones: pl.DataFrame


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

    def sets(self, columns: Iterable[pl.Series]) -> pl.DataFrame:
        """unit, value of columns that have one value a rec; what a row only repeats of its unit's first row is left out."""
        found = []
        for each in columns:
            news = each.is_not_null() & (pl.Series(self.head == np.arange(len(self.head))) | each.ne_missing(each.gather(self.head)))
            found.append(pl.DataFrame({"unit": pl.Series(self.unit).filter(news), "value": each.filter(news)}))
        return pl.concat(found)

    def lifted(self, long: pl.DataFrame) -> pl.DataFrame:
        """A long table of rows as one of units: unit, and the other columns."""
        return long.select(pl.Series("unit", self.unit[long["rec"].to_numpy()], dtype=pl.UInt32), pl.exclude("rec"))


def code_records(record: pl.DataFrame) -> Records:
    """The distinct rows of a RECORD frame. Rows of equal record_hash are one row: they say the same."""
    keys = ["record_hash", "export_date", "source_file", "source_row"]
    order = record.select(keys).with_row_index("place").sort(keys).unique("record_hash", keep="last", maintain_order=True)["place"]
    kind = pl.col("name_kind").fill_null("full")
    kept = record.select(
        *(c for c in _KEPT if c != "sex"),
        *_hashes(),
        *(hashed(pl.col(text)).alias(f"{code}_hash") for text, code in _NAMES.items()),
        sex=pl.coalesce("sex", _sex_of_newborn()),
        is_informative=pl.col("name_folded").is_not_null() & ~kind.is_in(UNINFORMATIVE),
        born=pl.when(pl.col("birth_date_precision").fill_null("day") == "day").then("birth_date"),
    )[order]
    rec = np.full(record.height, -1, dtype=np.int64)
    rec[order.to_numpy()] = np.arange(len(order))
    relatives = _exploded(record, "relatives", rec).unnest("relatives").with_columns(name_hash=hashed(pl.col("name")))
    names = name_table(pl.concat([*(record[text] for text in _NAMES), relatives["name"]]))
    rows = kept.with_row_index("rec").with_columns(_codes(kept[f"{code}_hash"], names).alias(code) for code in _NAMES.values())
    rows = _without_rounded(rows)
    return Records(
        rows.drop(f"{code}_hash" for code in _NAMES.values()),
        names,
        relatives.select(
            "rec", "relation", _codes(relatives["name_hash"], names).alias("name_code"), hashed(pl.col("id_number")), hashed(pl.col("phone"))
        ),
        _exploded(record, "phones", rec).select("rec", value=hashed(pl.col("phones"))),
    )


def _without_rounded(rows: pl.DataFrame) -> pl.DataFrame:
    """One rounded number in eleven passes the checksum: `000` at its end, where the same name has the same 15 digits with another end, is Excel's."""
    valid = rows.filter(pl.col("id_number_status") == "valid").select("rec", "id_number", "name_code")
    ended = valid.filter(pl.col("id_number").str.ends_with("000"))
    others = valid.join(ended, on="name_code", how="semi").filter(~pl.col("id_number").str.ends_with("000"))
    ended, others = (each.with_columns(front=pl.col("id_number").str.slice(0, 15)) for each in (ended, others))
    rounded = ended.join(others, on=["front", "name_code"], how="semi")["rec"]
    is_rounded = pl.col("rec").is_in(rounded.implode())
    return rows.with_columns(
        id_partial=pl.when(is_rounded).then(pl.col("id_number").str.slice(0, 15) + "???").otherwise("id_partial"),
        id_number_status=pl.when(is_rounded).then(pl.lit("excel_rounded")).otherwise("id_number_status"),
        id_number=pl.when(~is_rounded).then("id_number"),
    )


def hashed(text: pl.Expr) -> pl.Expr:
    """The hash of a text; null of null."""
    return pl.when(text.is_not_null()).then(text.hash())


def _exploded(record: pl.DataFrame, column: str, rec: npt.NDArray[np.int64]) -> pl.DataFrame:
    """rec and the items of a column of lists, for the rows that are kept (`rec` >= 0)."""
    long = record.select(pl.Series("rec", rec), column).filter(pl.col(column).list.len() > 0, pl.col("rec") >= 0)
    return long.explode(column).drop_nulls().with_columns(pl.col("rec").cast(pl.UInt32))


def _codes(hashes: pl.Series, names: pl.DataFrame) -> pl.Series:
    """The code of each hash of a name; null where there is no name."""
    return hashes.rename("hash").to_frame().join(names.select("code", hash=pl.col("name").hash()), on="hash", how="left", maintain_order="left")["code"]


def _hashes() -> list[pl.Expr]:
    """What is only compared for equality, hashed."""
    address = pl.col("address").str.replace_all(r"[^\p{Han}\p{N}A-Za-z]", "")
    texts = {
        "feed_key": pl.col("feed") + ":" + pl.col("record_key"),
        "household": pl.col("household_key"),
        "certificate": pl.col("birth_certificate"),
        "document": pl.col("document_number"),
        "place": pl.col("place_code"),
        "place_town": pl.col("place_code") + pl.col("place_township"),
        "hukou": pl.col("hukou_code"),
        "hukou_town": pl.col("hukou_code") + pl.col("hukou_township"),
        "address": pl.when(address.str.len_chars() >= _ADDRESS_LENGTH).then(address),
    }
    return [hashed(text).alias(name) for name, text in texts.items()]


def _sex_of_newborn() -> pl.Expr:
    """The sex that 某某之子 and 某某之女 state."""
    newborn = pl.col("name_kind") == "newborn"
    return (
        pl.when(newborn & pl.col("name").str.contains("之子", literal=True)).then(pl.lit("male"))
        .when(newborn & pl.col("name").str.contains("之女", literal=True)).then(pl.lit("female"))
    )  # fmt: skip


def attributes(records: Records, own: pl.DataFrame, members: Members) -> dict[str, pl.DataFrame]:
    """Every attribute of the units as a long table unit, value; repeats are possible.

    Args:
        records: the distinct rows.
        own: what `matching.anchors.own_numbers` made: rec, own_id, id_birth, id_sex. What a trusted number says of birth date and sex wins.
        members: the units.
    """
    rows = records.rows.join(own.select("rec", "own_id", "id_birth", "id_sex"), on="rec", how="left", maintain_order="left")
    rows = rows.with_columns(
        born=pl.coalesce("id_birth", "born"),
        month=pl.coalesce("id_birth", pl.when(pl.col("birth_date_precision").fill_null("day") != "year").then("birth_date")),
        year=pl.coalesce("id_birth", "birth_date"),
        sex=pl.coalesce("id_sex", "sex") == "female",
        feed=pl.when(pl.col("feed").is_in(ONE_ROW_FEEDS)).then(hashed(pl.col("feed"))),
    )
    single = ("sex", "feed_key", "feed", "certificate", "document", "household", "place", "place_town", "hukou", "hukou_town", "address")
    dates = rows.select(**_dates())
    relative = [members.lifted(records.relatives.select("rec", value="name_code").drop_nulls()), members.sets([rows["mother_code"]])]
    phones = pl.concat([records.phones, records.relatives.select("rec", value="phone").drop_nulls()])
    return _name_attributes(records, members) | {name: members.sets([rows[name]]) for name in single} | {
        **{name: members.sets([dates[name]]) for name in dates.columns},
        "id_front": _id_part(rows, members, 0, 14),
        "id_tail": _id_part(rows, members, 14, 4),
        "district": members.sets([rows["place"], rows["hukou"]]),
        "relative": pl.concat(relative),
        "relative_id": members.lifted(records.relatives.select("rec", value="id_number").drop_nulls()),
        "phone": members.lifted(phones),
    }  # fmt: skip


def _dates() -> dict[str, pl.Expr]:
    """Days since 1970, the date with day and month in either order, month·day, year·month, and the year."""
    day, month, year = pl.col("born").dt.day(), pl.col("born").dt.month(), pl.col("born").dt.year()
    low, high = pl.min_horizontal(day, month).cast(pl.Int32), pl.max_horizontal(day, month).cast(pl.Int32)
    return {
        "birth": pl.col("born").cast(pl.Int32),
        "birth_swapped": year * 10000 + low * 100 + high,
        "birth_anniversary": month.cast(pl.Int32) * 100 + day,
        "birth_month": pl.col("month").dt.year() * 100 + pl.col("month").dt.month(),
        "birth_year": pl.col("year").dt.year(),
    }


def id_texts(records: Records, own: pl.DataFrame, members: Members) -> pl.DataFrame:
    """Every 18-character text that tells of a child's own number: unit, text, kind (own, faulty, partial, key, carried: valid, taken for a sibling's)."""
    rows = records.rows.join(own.select("rec", "own_id", "id_role"), on="rec", how="left", maintain_order="left")
    faulty = pl.col("id_number_status").is_in(["checksum_failed", "impossible_date"])
    texts = rows.select(
        own="own_id", faulty=pl.when(faulty).then("id_number"), partial="id_partial", key="key_id_number",
        carried=pl.when(pl.col("id_role") == "sibling").then("id_number"),
    )  # fmt: skip
    found = pl.concat([members.sets([texts[kind]]).select("unit", text="value", kind=pl.lit(kind)) for kind in texts.columns])
    return found.filter(pl.col("text").str.len_chars() == 18)


def _id_part(rows: pl.DataFrame, members: Members, start: int, size: int) -> pl.DataFrame:
    """That part of whatever the row has of an id, where it is whole: the first 14 characters are place and birth date, the last 4 who."""
    faulty = pl.col("id_number_status").is_in(["checksum_failed", "impossible_date"])
    texts = rows.select("own_id", "key_id_number", left=pl.when(faulty).then("id_number").otherwise("id_partial"))
    parts = members.sets(texts.get_columns()).with_columns(pl.col("value").str.slice(start, size))
    return parts.filter(~pl.col("value").str.contains("?", literal=True)).with_columns(pl.col("value").hash())


def _name_attributes(records: Records, members: Members) -> dict[str, pl.DataFrame]:
    """The names of the child itself by code, and their sounds, given names and surnames by hash."""
    rows, table = records.rows, records.names
    names = members.sets([rows.select(pl.when("is_informative").then("name_code")).to_series(), rows["former_code"]])
    parts = {name: table[name].hash().gather(names["value"]) for name in ("given", "surname")}
    sounds = names.join(table.select(value="code", sound="sounds").explode("sound"), on="value")
    given = pl.DataFrame({"unit": names["unit"], "value": parts["given"]})
    return {
        "name": names,
        "sound": sounds.select("unit", value=pl.col("sound").hash()),
        "given": given.filter(table["given"].gather(names["value"]) != ""),
        "surname": pl.DataFrame({"unit": names["unit"], "value": parts["surname"]}),
    }
