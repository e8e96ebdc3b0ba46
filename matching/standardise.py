"""The station standardise: a feed's accepted text goes in; its typed columns and the record that linkage compares come out.

A faulty value that the row can do without becomes null and leaves a warning; nothing is guessed, and no row is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, groupby
from pathlib import Path

import duckdb
import polars as pl

from matching import identifiers, names, phones
from matching.record import record_of
from matching.warnings import ROW_WARNINGS, STARTS, column_warnings
from schemas import cells
from schemas.exports.contract import Column, Feed, Kind
from schemas.exports.feeds import CHILD_FEEDS, FEEDS
from schemas.gathering import gathered, long_of
from schemas.growing import ROW_GROUP, GrowingParquet
from schemas.reference import lists
from schemas.reference.addresses import fill_townships
from schemas.reference.divisions import resolve
from schemas.tables.facts import standard_schema

# of one part: large enough that its fixed cost is nothing, small enough that two feeds at once stay below two gigabytes
PART_ROWS = ROW_GROUP
# the first row of a part, and how many rows it has at most
Part = tuple[int, int]
_PROVENANCE = ["feed", "source_file", "source_row", "export_date"]
_IN_RECORD = (Kind.KEY, Kind.NAME, Kind.ID, Kind.PHONE, Kind.ADDRESS)
# a key of such characters alone is kept as it is
_PLAIN_KEY = r"^[0-9A-Z]+$"
# the address that belongs to a division, where it has one
_ADDRESS_OF = {"hukou": "hukou_address", "residence": "address"}


def standardise(feed_name: str, work: Path) -> None:
    """Standardise one feed of the night: work/accepted/<feed> to work/standard/<feed> and, for feeds that see children, work/record/<feed>.

    Each row is looked at by itself, so a feed goes through in parts and memory does not grow with it.
    """
    feed = FEEDS[feed_name]
    with GrowingParquet(work / "standard" / f"{feed_name}.parquet") as standard_out, GrowingParquet(work / "record" / f"{feed_name}.parquet") as record_out:
        for part in parts(feed_name, work):
            standard, record = standardised(feed, work, part)
            standard_out.write(standard)
            if record is not None:
                record_out.write(record)


def parts(feed_name: str, work: Path) -> list[Part]:
    """The parts of a feed, whose rows lie in the order of file and row; one part without rows where there are none."""
    height = pl.scan_parquet(work / "accepted" / f"{feed_name}.parquet").select(pl.len()).collect().item()
    return [(first, PART_ROWS) for first in range(0, max(height, 1), PART_ROWS)]


def standardised(feed: Feed, work: Path, part: Part) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """The standardised rows of a part of a feed, and the records of those that see children."""
    standard = typed(_in_order(pl.scan_parquet(work / "accepted" / f"{feed.name}.parquet").slice(*part).collect()), feed)
    columns = [*_PROVENANCE, "record_hash", "warnings", "document_type", "in_institution", *_beside_the_record(feed)]
    return standard.select(columns), record_of(standard, feed) if feed.name in CHILD_FEEDS else None


def _in_order(accepted: pl.DataFrame) -> pl.DataFrame:
    """The rows in the order of file and row, in which they lie unless intake broke its word."""
    file, row = pl.col("source_file"), pl.col("source_row")
    follows = (file.shift(1) < file) | ((file.shift(1) == file) & (row.shift(1) < row))
    return accepted if accepted.select(follows.slice(1).all()).item() else accepted.sort("source_file", "source_row")


def _beside_the_record(feed: Feed) -> Iterator[str]:
    """The standardised columns that go on beside the record: where there is one, none that it holds already and that names a person."""
    for column in feed.columns:
        if feed.name not in CHILD_FEEDS or column.kind not in _IN_RECORD:
            yield from column.standard_columns


def typed(accepted: pl.DataFrame, feed: Feed) -> pl.DataFrame:
    """The accepted rows with every column standardised, warnings gathered, and beside them the text columns as `raw_<name>`."""
    frame = accepted.with_columns(record_hashes(accepted, feed)).rename({c.name: f"raw_{c.name}" for c in feed.columns})
    frame = frame.with_columns(_document(feed).alias("document_type"))
    frame = frame.with_columns(e for c in feed.columns for e in _typed_column(c, feed))
    frame = _divisions(_dates(frame, feed), feed)
    frame = _own_number(_relatives_numbers(frame, feed), feed)
    frame = frame.with_columns(_in_institution(feed).alias("in_institution"))
    frame = frame.with_columns(_warnings(frame, feed))
    return frame.with_columns(_not_before_birth(feed)).cast(dict(standard_schema(feed).items()))


def _warnings(frame: pl.DataFrame, feed: Feed) -> pl.Series:
    """What intake found faulty, then what was found here; each once."""
    found = [*(w for c in feed.columns for w in column_warnings(c)), *(warning(feed) for warning in ROW_WARNINGS)]
    said = frame.select("warnings", *(warning.alias(f"found_{i}") for i, warning in enumerate(found)))
    before = said.lazy().with_row_index("row").filter(pl.col("warnings").list.len() > 0).select("row", value="warnings").explode("value").collect()
    here = long_of(said, [(pl.col(name).is_not_null(), pl.col(name)) for name in said.columns[1:]])
    long = pl.concat([before, here]).unique(maintain_order=True).sort("row", maintain_order=True)
    return gathered(long, frame.height, pl.String).alias("warnings")


def record_hashes(accepted: pl.DataFrame, feed: Feed) -> pl.Series:
    """A fixed 64-bit hash of each row's content (md5, lower half): the feed and its cells, null distinct from empty; not file, row or export date."""
    contents = accepted.select(content=_content(accepted, feed)).to_arrow()
    # one thread: two that wait for each other cost as much again
    with duckdb.connect(config={"threads": 1}) as con:
        con.register("contents", contents)
        return pl.Series("record_hash", con.sql("SELECT md5_number_lower(content) AS record_hash FROM contents").to_arrow_table()["record_hash"])


def _content(accepted: pl.DataFrame, feed: Feed) -> pl.Expr:
    """The feed and the cells of a row as one text; before each cell stands a mark, and another where there is none."""
    missing, there = "\x1f", "\x1f="
    pieces = [pl.lit(feed.name)]
    for has_nulls, columns in groupby((c.name for c in feed.columns), key=lambda name: accepted.get_column(name).null_count() > 0):
        if has_nulls:
            pieces += chain.from_iterable((pl.when(pl.col(n).is_null()).then(pl.lit(missing)).otherwise(pl.lit(there)), pl.col(n)) for n in columns)
        else:
            pieces += [pl.lit(there), pl.concat_str(list(columns), separator=there)]
    return pl.concat_str(pieces, ignore_nulls=True)


def _typed_column(column: Column, feed: Feed) -> list[pl.Expr]:
    """The expressions that give a column's standardised columns; dates, divisions and numbers come later."""
    raw = pl.col(f"raw_{column.name}")
    match column.kind:
        case Kind.NAME:
            return [names.display(raw).alias(column.name)]
        case Kind.SEX:
            return [cells.sex(raw).alias(column.name)]
        case Kind.FLAG:
            return [cells.flag(raw, {"住校": True, "走读": False, "寄宿": True}).alias(column.name)]
        case Kind.YEAR:
            return [cells.year(raw).alias(column.name)]
        case Kind.NUMBER:
            return [cells.count(raw).alias(column.name)]
        case Kind.LIST:
            return [cells.values(raw).alias(column.name)]
        case Kind.PHONE:
            return [phones.numbers(raw).alias(column.name)]
        case Kind.CODE:
            return [_coded(raw, column).alias(column.name)]
        case Kind.KEY:
            return [cells.unless(_PLAIN_KEY, raw, lambda key: key.str.normalize("NFKC").str.to_uppercase().str.replace_all(r"[\s'‘’]", "")).alias(column.name)]
        case Kind.TEXT | Kind.ADDRESS:
            return [raw.alias(column.name)]
        case _:
            return []


def _coded(raw: pl.Expr, column: Column) -> pl.Expr:
    """The word of the column's code set that the text means; null where it means none of them."""
    def bare(text: pl.Expr) -> pl.Expr:
        return cells.half_width(text).str.replace_all(r"\s", "")

    if not column.codes:
        return cells.once(raw, bare, pl.String)
    synonyms = lists.read("code_synonyms.csv").filter((pl.col("column") == column.name) & pl.col("code").is_in(column.codes))
    words = dict(synonyms.select("word", "code").iter_rows()) | {code: code for code in column.codes}
    return cells.once(raw, lambda text: bare(text).replace_strict(words, default=None, return_dtype=pl.String), pl.String)


def _dates(frame: pl.DataFrame, feed: Feed) -> pl.DataFrame:
    """Date columns: the date, and its precision."""
    for column in feed.columns:
        if column.kind is Kind.DATE:
            found = cells.dated(frame.get_column(f"raw_{column.name}"))
            frame = frame.with_columns(found["date"].alias(column.name), found["precision"].alias(f"{column.name}_precision"))
    return frame


def _divisions(frame: pl.DataFrame, feed: Feed) -> pl.DataFrame:
    """Division columns by the distinct texts in them, joined back; a township from the address where the division has none."""
    system = dict(lists.read("feed_code_systems.csv").select("feed", "system").iter_rows())[feed.name]
    present = {c.name for c in feed.columns}
    for column in feed.columns:
        if column.kind is not Kind.DIVISION:
            continue
        raw, stem = f"raw_{column.name}", column.stem
        places = resolve(frame.get_column(raw), system).rename(
            {"code": f"{stem}_code", "township": f"{stem}_township", "written": f"{stem}_written", "warning": f"note_{column.name}"}
        )
        found = frame.select(text=raw).join(places.drop("level"), on="text", how="left", maintain_order="left")
        frame = frame.hstack(found.drop("text").rechunk())
        if _ADDRESS_OF.get(stem) in present:
            frame = fill_townships(frame, stem, _ADDRESS_OF[stem])
    return frame


def _document(feed: Feed) -> pl.Expr:
    """What the row's document column says the child's document is; null where it has none or says something else."""
    if "id_type" not in {c.name for c in feed.columns}:
        return pl.lit(None, dtype=pl.String)
    words = dict(lists.read("document_words.csv").select("word", "document_type").iter_rows())
    return pl.col("raw_id_type").replace_strict(words, default=None, return_dtype=pl.String)


def _relatives_numbers(frame: pl.DataFrame, feed: Feed) -> pl.DataFrame:
    """Id columns of adults: number and status."""
    for column in feed.columns:
        if column.kind is Kind.ID and column.name != "id_number":
            found = identifiers.of_relatives(frame.get_column(f"raw_{column.name}"))
            frame = frame.with_columns(found.rename({"number": column.name, "status": f"{column.name}_status"}))
    return frame


def _own_number(frame: pl.DataFrame, feed: Feed) -> pl.DataFrame:
    """The child's own id column examined: number, status, what is left, and the document it shows."""
    if "id_number" not in {c.name for c in feed.columns}:
        return frame
    found = identifiers.examine(
        frame.select(
            text="raw_id_number",
            exported="export_date",
            record_key="record_key" if "record_key" in frame.columns else pl.lit(None, dtype=pl.String),
            document="document_type",
        )
    )
    spoilt = pl.col("warnings").list.contains("id_stored_as_number:id_number")
    return frame.with_columns(
        found.select(id_number="number", id_number_status="status", id_partial="partial", document_type="document_type", document_number="document_number")
    ).with_columns(id_number_status=pl.when(spoilt).then(pl.lit("excel_rounded")).otherwise("id_number_status"))


def _in_institution(feed: Feed) -> pl.Expr:
    """Whether the row's address or guardian is a welfare institution; the hukou's address says nothing of where the child lives."""
    words = "|".join(lists.read("institution_words.csv").get_column("pattern"))
    looked = [c.name for c in feed.columns if c.name in ("address", "guardian_name", "guardian_relation", "lives_with_name", "guardian1_name", "guardian2_name")]
    return pl.any_horizontal(pl.lit(False), *(pl.col(f"raw_{name}").str.contains(words).fill_null(False) for name in looked))


def _not_before_birth(feed: Feed) -> list[pl.Expr]:
    """Starts before birth become the birth date."""
    present = {c.name for c in feed.columns}
    if "birth_date" not in present:
        return []
    early = [name for name in STARTS if name in present]
    return [pl.when(pl.col(name) < pl.col("birth_date")).then("birth_date").otherwise(name).alias(name) for name in early]
