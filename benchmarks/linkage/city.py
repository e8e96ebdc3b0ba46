"""What both engines are given: a made-up city goes in; records.parquet (RECORD), flat.parquet (the same rows, a value a cell) and truth.parquet come out."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from flows.cli import app
from matching.name_levels import name_table
from matching.names import surname
from matching.standardise import standardise
from schemas.exports.feeds import FEEDS
from schemas.exports.intake import take_in
from schemas.tables.record import RECORD

AS_OF = date(2026, 11, 24)
# rows of the default city for each child
ROWS_A_CHILD = 4.54
TRUTH = ["feed", "source_file", "source_row"]


def prepare(folder: Path, rows: int) -> Path:
    """The folder with the three files of a city of about so many rows; made once."""
    if not (folder / "truth.parquet").exists():
        city, work = folder / "city", folder / "work"
        app(["sample", "--children", str(round(rows / ROWS_A_CHILD)), "--out", str(city)], standalone_mode=False)
        for feed in FEEDS:
            take_in(feed, city / "inbox", folder / "store", work, AS_OF)
            standardise(feed, work)
        record = pl.concat([RECORD.conform(pl.read_parquet(f)) for f in sorted((work / "record").glob("*.parquet"))])
        record = record.with_row_index("unique_id")
        truth = pl.read_parquet(city / "truth" / "records.parquet").select(*TRUTH, "person")
        record.select("unique_id", *TRUTH).join(truth, on=TRUTH, how="left", maintain_order="left").select("unique_id", "person").write_parquet(folder / "truth.parquet")
        flat(record).write_parquet(folder / "flat.parquet")
        record.drop("unique_id").write_parquet(folder / "records.parquet")
    return folder


def flat(record: pl.DataFrame) -> pl.DataFrame:
    """The records as Splink takes them: one value a cell, guardians and phones as arrays, sounds worked out beforehand."""
    sounds = name_table(record["name_folded"]).select(name_folded="name", sound=pl.col("sounds").list.first())
    told = record.join(sounds, on="name_folded", how="left", maintain_order="left")
    usable = pl.col("id_number_status").is_in(["valid", "checksum_failed"])
    names = pl.col("relatives").list.eval(pl.element().struct.field("name").drop_nulls()).list.unique().list.sort()
    numbers = pl.col("relatives").list.eval(pl.element().struct.field("id_number").drop_nulls()).list.sort()
    day = pl.col("birth_date").dt.strftime("%Y%m%d")
    return told.select(
        "unique_id", "sex", "sound", "address", "birth_certificate",
        is_valid=pl.col("id_number_status") == "valid",
        name="name_folded",
        surname=surname(pl.col("name_folded")),
        dob=pl.when(pl.col("birth_date_precision").fill_null("day") == "day").then(day),
        id_number=pl.when(usable).then("id_number"),
        guardians=pl.when(names.list.len() > 0).then(names),
        guardian=names.list.first(),
        guardian_id=numbers.list.first(),
        phones=pl.when(pl.col("phones").list.len() > 0).then("phones"),
        phone=pl.col("phones").list.first(),
        district="place_code",
        township="place_township",
    ).with_columns(month=pl.col("dob").str.slice(0, 6))  # fmt: skip
