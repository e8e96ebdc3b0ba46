"""What linkage reads of a record: RECORD frames go in, part by part; the distinct rows as numbers come out.

Texts become 64-bit hashes or small integers, so that joins and comparisons never touch text and a night of twenty million rows fits into memory. Two
different texts of one hash would look alike once in 10^19 pairs; an id number is packed whole, so what joins rows outright is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import numpy.typing as npt
import polars as pl

from matching import identifiers
from matching.name_levels import name_table
from schemas.exports.feeds import CHILD_FEEDS
from schemas.in_order import in_order
from schemas.tables.record import ID_STATUSES, RECORD, RELATIONS

UNINFORMATIVE = ("newborn", "nickname", "absent")
# an address shorter than this, marks and blanks aside, is a village or a street, no home
_ADDRESS_LENGTH = 8
_FAULTY = ("checksum_failed", "impossible_date")
# kinds of what is left of a number
_WRONG, _PARTIAL, _ROUNDED = "faulty", "partial", "rounded"
# stands for the three characters that Excel made zeros
_CUT = "???"
FEED = pl.Enum(sorted(CHILD_FEEDS))
PRECISION = pl.Enum(["day", "month", "year"])
RELATION = pl.Enum(RELATIONS)
# what few rows have lies apart, as rec and value
SPARSE = ("household", "certificate", "document", "former_code", "mother_code", "key_number")
# tables of which a row has as many rows as it has of the thing
LONG = ("texts", "relatives", "phones")
_NAMES = {"name_code": "name_folded", "former_code": "former_name", "mother_code": "mother_in_name"}
# the columns of RECORD that are read
READ = [
    "record_hash", "export_date", "feed", "record_key", "name", "name_folded", "name_kind", "mother_in_name", "former_name", "sex", "birth_date",
    "birth_date_precision", "id_number", "id_number_status", "id_partial", "key_id_number", "document_number", "birth_certificate", "relatives", "phones",
    "hukou_code", "hukou_township", "place_code", "place_township", "address", "household_key",
]  # fmt: skip
Row = npt.NDArray[np.uint32]


@dataclass
class Records:
    """The distinct rows of a night.

    Attributes:
        rows: one row a record_hash, in its order, so that a row's place is its `rec` (UInt32): record_hash, feed, number (the valid id number, packed),
            name_code (of `names`), is_informative (the name says who), is_female, birth_date, precision, reading (how its numbers were read), first_seen
            and last_seen (export dates), and hashes of what is only ever equal or not: place, place_town, hukou, hukou_town, address, feed_key.
        names: the name table (`matching.name_levels.name_table`).
        sparse: rec, value of each of `SPARSE`: hashes, codes of names, the packed number inside a record key.
        texts: rec, text, kind (faulty, partial, rounded): what is left of a number that is not valid, or that Excel rounded though it looks valid, 18 characters.
        relatives: rec, relation, name_code, number (packed), phone (hash); one row a relative.
        phones: rec, value (hash); one row a phone of the row itself.
        of_row: the rec of each row of the RECORD frames, in their order.
    """

    rows: pl.DataFrame
    names: pl.DataFrame
    sparse: dict[str, pl.DataFrame]
    texts: pl.DataFrame
    relatives: pl.DataFrame
    phones: pl.DataFrame
    of_row: Row

    def shed(self) -> None:
        """Let go of what units are made of, when they are made: a large night has no room for both."""
        self.rows = self.rows.select("record_hash", "feed", "feed_key", "first_seen", "last_seen")
        self.sparse, self.relatives, self.phones = {}, self.relatives.clear(), self.phones.clear()

    @property
    def count(self) -> int:
        """How many distinct rows there are."""
        return self.rows.height

    @property
    def partial(self) -> pl.DataFrame:
        """rec, text and code (a hash that leaves room for a kind) of the numbers that are not whole."""
        return self.texts.filter(pl.col("kind") != _WRONG).select("rec", "text", code=pl.col("text").hash() // 8)

    @property
    def recs(self) -> pl.DataFrame:
        """rec, record_hash."""
        return self.rows.select("record_hash").with_row_index("rec").select("rec", "record_hash")


@dataclass(frozen=True)
class _Part:
    """The same of some rows before they are sorted: `row` (its number among the rows of all parts) for `rec`, hashes for codes of names, `export_date` in `rows`."""

    rows: pl.DataFrame
    names: pl.Series
    sparse: dict[str, pl.DataFrame]
    texts: pl.DataFrame
    relatives: pl.DataFrame
    phones: pl.DataFrame


def code_records(record: pl.DataFrame) -> Records:
    """The distinct rows of a RECORD frame."""
    return code_parts([record])


def code_parts(parts: Iterable[pl.DataFrame]) -> Records:
    """The distinct rows of RECORD frames; one is held at a time. Rows of equal record_hash are one row: they say the same, and the newest export speaks."""
    return without_rounded(as_written(parts))


def as_written(parts: Iterable[pl.DataFrame], known: pl.DataFrame | None = None) -> Records:
    """The same with every number that looks valid taken for one; `known`: a name table that need not be worked out again."""
    coded = [*in_order(_part, numbered(chain([RECORD.empty()], parts)))]
    names = with_names(known, pl.concat([p.names for p in coded]).unique())
    rows = pl.concat([p.rows for p in coded])
    sparse = {name: pl.concat([p.sparse[name] for p in coded]) for name in SPARSE}
    texts, relatives, phones = (pl.concat([getattr(p, kind) for p in coded]) for kind in LONG)
    coded.clear()
    once = once_each(rows)
    kept = np.zeros(rows.height, dtype=np.bool_)
    kept[once.newest] = True
    held = _Held(once.of_row, kept, names)
    first_seen = rows["export_date"].gather(once.oldest)
    # column by column, so that what is gathered from can go; a column in one piece is gathered from twice as fast as one in many
    columns = [*in_order(lambda column: column.rechunk().gather(once.newest), (rows.drop_in_place(name) for name in rows.columns))]
    rows = _with_code(pl.DataFrame(columns), "name_code", names).rename({"export_date": "last_seen"}).with_columns(first_seen.alias("first_seen"))
    return Records(
        rows, names, {name: held.chosen(sparse.pop(name), ("value",) if name in _NAMES else ()) for name in SPARSE}, held.chosen(texts),
        relatives=held.chosen(relatives, ("name_code",)),
        phones=held.chosen(phones),
        of_row=once.of_row,
    )  # fmt: skip


@dataclass(frozen=True)
class Once:
    """Rows of equal record_hash as one: `newest` and `oldest`, the rows that stand first and last by export date, in the order of record_hash; and `of_row`, each row's rec."""

    newest: npt.NDArray[np.int64]
    oldest: npt.NDArray[np.int64]
    of_row: Row


def once_each(rows: pl.DataFrame) -> Once:
    """Which rows say the same; `rows` has record_hash, export_date and reading, which decides between rows of one day, so that their order does not."""
    order = rows.select(pl.arg_sort_by("record_hash", "export_date", "reading")).to_series().to_numpy()
    ordered = rows["record_hash"].to_numpy()[order]
    is_last = np.append(ordered[1:] != ordered[:-1], True)[: len(ordered)]
    of_row = np.empty(len(order), dtype=np.uint32)
    of_row[order] = np.cumsum(is_last) - is_last
    return Once(order[is_last], order[np.append(True, is_last[:-1])[: len(order)]], of_row)


def with_names(known: pl.DataFrame | None, names: pl.Series) -> pl.DataFrame:
    """The name table of the known names and some more."""
    if known is None:
        return name_table(names)
    more = name_table(names.filter(~names.is_in(known["name"].implode())))
    both = pl.concat([known.drop("code"), more.drop("code")]).sort("name")
    return both.with_row_index("code").select(more.columns)


@dataclass(frozen=True)
class _Held:
    """Which rows are kept, their recs, and the names their hashes stand for."""

    of_row: Row
    is_kept: npt.NDArray[np.bool_]
    names: pl.DataFrame

    def chosen(self, table: pl.DataFrame, named: tuple[str, ...] = ()) -> pl.DataFrame:
        """The rows of a long table that belong to kept rows, with `rec` for `row` and codes for the hashes of names in the columns `named`."""
        if not self.is_kept.all():
            table = table.filter(self.is_kept[table["row"].to_numpy()])
        rec = pl.Series("rec", self.of_row[table["row"].to_numpy()], dtype=pl.UInt32)
        table = table.drop("row").insert_column(0, rec)
        for column in named:
            table = _with_code(table, column, self.names)
        return table


def _with_code(table: pl.DataFrame, column: str, names: pl.DataFrame) -> pl.DataFrame:
    """The table with a column of hashes of names as their codes; null where there is no name."""
    known = names.select(code="code", hash=pl.col("name").hash())
    codes = table.select(hash=column).join(known, on="hash", how="left", maintain_order="left")["code"]
    return table.with_columns(codes.alias(column))


def reading() -> pl.Expr:
    """How a row's numbers were read. A row's content settles all else that standardising makes of it; its numbers hang on the day of the export too, on which
    their dates must be possible, and on whether a workbook held them as numbers."""
    status = pl.col("id_number_status").cast(pl.Enum(ID_STATUSES)).to_physical().cast(pl.UInt8) + 1
    return status.fill_null(0) * 2 + pl.col("key_id_number").is_not_null().cast(pl.UInt8)


def hashed(text: pl.Expr) -> pl.Expr:
    """The hash of a text; null of null."""
    return pl.when(text.is_not_null()).then(text.hash())


def numbered(parts: Iterable[pl.DataFrame]) -> Iterator[tuple[int, int, pl.DataFrame]]:
    """Each part with its number, and that of its first row among all."""
    first = 0
    for number, part in enumerate(parts):
        yield number, first, part
        first += part.height


def _part(part: tuple[int, int, pl.DataFrame]) -> _Part:
    """The rows of a RECORD frame: its number, that of its first row among all, and the frame."""
    _, first, record = part
    numbered = record.with_row_index("row", offset=first)
    kind = pl.col("name_kind").fill_null("full")
    coded = numbered.with_columns(feed=pl.col("feed").cast(FEED), address=pl.col("address").str.replace_all(r"[^\p{Han}\p{N}A-Za-z]", "")).select(
        "row", "record_hash", "export_date", "feed",
        number=pl.when(pl.col("id_number_status") == "valid").then(identifiers.packed(pl.col("id_number"))),
        is_informative=pl.col("name_folded").is_not_null() & ~kind.is_in(UNINFORMATIVE),
        is_female=pl.coalesce("sex", _sex_of_newborn()) == "female",
        birth_date="birth_date",
        precision=pl.col("birth_date_precision").fill_null("day").cast(PRECISION),
        reading=reading(),
        **{code: hashed(pl.col(text)) for code, text in _NAMES.items()},
        **_hashes(),
        key_number=identifiers.packed(pl.col("key_id_number")),
    )  # fmt: skip
    relatives = _exploded(numbered, "relatives").unnest("relatives")
    names = pl.concat([*(record[text] for text in _NAMES.values()), relatives["name"]]).drop_nulls().unique()
    return _Part(
        coded.drop("row", *SPARSE),
        names.rename("name"),
        {name: coded.select("row", value=name).drop_nulls() for name in SPARSE},
        _texts(numbered),
        relatives.select(
            "row",
            pl.col("relation").cast(RELATION),
            name_code=hashed(pl.col("name")),
            number=identifiers.packed(pl.col("id_number")),
            phone=hashed(pl.col("phone")),
        ),
        _exploded(numbered, "phones").select("row", value=hashed(pl.col("phones"))),
    )


def _texts(numbered: pl.DataFrame) -> pl.DataFrame:
    """row, text, kind: what is left of numbers that are not valid."""
    faulty = numbered.filter(pl.col("id_number_status").is_in(_FAULTY), pl.col("id_number").is_not_null()).select(
        "row", text="id_number", kind=pl.lit(_WRONG)
    )
    partial = numbered.filter(pl.col("id_partial").is_not_null()).select("row", text="id_partial", kind=pl.lit(_PARTIAL))
    return pl.concat([faulty, partial]).filter(pl.col("text").str.len_chars() == identifiers.LENGTH)


def without_rounded(written: Records) -> Records:
    """One rounded number in eleven passes the checksum: `000` at its end, where the same name has the same 15 digits with another end, is Excel's."""
    rows = written.rows
    front, is_round = identifiers.rounding(pl.col("number"))
    told = rows.select("name_code", "number", front=front, is_round=is_round).with_row_index("rec")
    ended = told.filter("is_round").drop_nulls()
    # few numbers end so, and few others begin like one of them
    others = told.filter(~pl.col("is_round"), pl.col("front").is_in(ended["front"].unique().implode()))
    rounded = ended.join(others, on=["front", "name_code"], how="semi").select("rec", "number")
    spoilt = np.zeros(rows.height, dtype=np.bool_)
    spoilt[rounded["rec"].to_numpy()] = True
    left = rounded.select("rec", text=identifiers.unpacked(pl.col("number")).str.slice(0, 15) + _CUT, kind=pl.lit(_ROUNDED))
    return replace(written, rows=rows.with_columns(number=pl.when(~pl.Series(spoilt)).then("number")), texts=pl.concat([written.texts, left]))


def with_rounded(records: Records) -> Records:
    """What `without_rounded` was given."""
    is_rounded = pl.col("kind") == _ROUNDED
    number = identifiers.packed(pl.col("text").str.replace(_CUT, "000", literal=True))
    rounded = records.texts.filter(is_rounded).select("rec", number=number)
    rows = records.rows.with_columns(records.rows["number"].scatter(rounded["rec"], rounded["number"]))
    return replace(records, rows=rows, texts=records.texts.filter(~is_rounded))


def _exploded(numbered: pl.DataFrame, column: str) -> pl.DataFrame:
    """row and the items of a column of lists."""
    return numbered.select("row", column).explode(column, empty_as_null=False, keep_nulls=False).drop_nulls(column)


def _hashes() -> dict[str, pl.Expr]:
    """What is only compared for equality, hashed."""
    texts = {
        "feed_key": pl.col("feed").cast(pl.String) + ":" + pl.col("record_key"),
        "household": pl.col("household_key"),
        "certificate": pl.col("birth_certificate"),
        "document": pl.col("document_number"),
        "place": pl.col("place_code"),
        "place_town": pl.col("place_code") + pl.col("place_township"),
        "hukou": pl.col("hukou_code"),
        "hukou_town": pl.col("hukou_code") + pl.col("hukou_township"),
    }
    address = pl.when(pl.col("address").str.len_chars() >= _ADDRESS_LENGTH).then(pl.col("address").hash())
    return {name: hashed(text) for name, text in texts.items()} | {"address": address}


def _sex_of_newborn() -> pl.Expr:
    """The sex that 某某之子 and 某某之女 state."""
    newborn = pl.col("name_kind") == "newborn"
    return (
        pl.when(newborn & pl.col("name").str.contains("之子", literal=True)).then(pl.lit("male"))
        .when(newborn & pl.col("name").str.contains("之女", literal=True)).then(pl.lit("female"))
    )  # fmt: skip
