"""The truth beside the inbox. Enters: where rows went and whose they are; the children's answers. Leaves: truth/records.parquet, truth/children.parquet.

Rows of superseded files and rows that a delta replaced are not listed: they are in no register. Rows to be quarantined are, as `expect_quarantined`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from sample_data.files import Plan
from sample_data.places import Places
from schemas.filled import filled

_RECORD_TYPES: dict[str, Any] = (
    {"feed": pl.String, "source_file": pl.String, "source_row": pl.UInt32, "person": pl.String, "damage": pl.List(pl.String), "expect_quarantined": pl.Boolean}
)
RECORDS = pl.Schema(_RECORD_TYPES)
_CHILD_TYPES: dict[str, Any] = (
    {
        "person": pl.String, "outcome": pl.String, "reason": pl.String, "because": pl.String, "story": pl.String, "name": pl.String, "born": pl.Date,
        "hukou": pl.String, "hukou_township": pl.String, "home": pl.String, "home_township": pl.String, "home_since": pl.Date, "since": pl.Date,
        "is_inferred": pl.Boolean, "direction": pl.String, "guardianship": pl.String, "family": pl.String, "twin_of": pl.String, "flags": pl.List(pl.String),
    }
)  # fmt: skip
CHILDREN = pl.Schema(_CHILD_TYPES)
_FLAGS = ("hardship", "disabled", "psych", "vagrant", "asked", "corrected", "renamed", "boarding", "born_there")


class Truth:
    """The two tables, appended to block by block; children no accepted row tells of are left out."""

    def __init__(self, folder: Path) -> None:
        """`folder`: where the tables go; made if it is not there."""
        folder.mkdir(parents=True, exist_ok=True)
        self._records = pq.ParquetWriter(folder / "records.parquet", RECORDS.to_frame().to_arrow().schema, compression="zstd")
        self._children = pq.ParquetWriter(folder / "children.parquet", CHILDREN.to_frame().to_arrow().schema, compression="zstd")
        self._rows: list[pl.DataFrame] = []
        self.count = 0

    def add_records(self, to: Plan, first: int, persons: pl.Series, damage: pl.Series) -> None:
        """Rows from `first` on of the file, in order."""
        rows = pl.DataFrame({"person": persons, "damage": damage}).select(
            feed=pl.lit(to.feed),
            source_file=pl.lit(to.name),
            source_row=(pl.int_range(pl.len()) + first).cast(pl.UInt32),
            person="person",
            damage=pl.col("damage").cast(pl.List(pl.String)),
            expect_quarantined=pl.col("damage").list.contains("quarantined"),
        )
        self._rows.append(rows.cast(RECORDS))

    def add_children(self, children: pl.DataFrame) -> None:
        """Children whose rows have all been added since the last call."""
        rows = pl.concat(self._rows) if self._rows else RECORDS.to_frame()
        self._rows = []
        self._records.write_table(rows.to_arrow().cast(self._records.schema))
        known = children.join(rows.filter(~pl.col("expect_quarantined")).unique("person"), on="person", how="semi", maintain_order="left")
        self._children.write_table(known.select(list(CHILDREN)).cast(CHILDREN).to_arrow().cast(self._children.schema))
        self.count += known.height

    def close(self) -> int:
        """Finish; the number of children."""
        self._records.close()
        self._children.close()
        return self.count


def child_rows(kids: pl.DataFrame, where: Places) -> pl.DataFrame:
    """The truth about each child of a block, from its history and answer."""

    def person(column: str) -> pl.Expr:
        return filled("c{}", pl.col(column).cast(pl.String).str.zfill(8))

    twin = pl.when(pl.col("twin_of") >= 0).then(pl.col("twin_of") + pl.col("child").first())
    other = kids.filter(pl.col("twin_of") >= 0).select(row=pl.col("twin_of").cast(pl.UInt32), second="child")
    kids = kids.with_columns(twin=twin).join(other, on="row", how="left", maintain_order="left").with_columns(twin=pl.coalesce("twin", "second"))
    township = where.table["township"]
    return kids.select(
        person=person("child"), outcome="outcome", reason="reason", because="because", story="story", name="name", born="birth",
        hukou=pl.when(pl.col("document").is_null() & ~pl.col("story").is_in(["no_hukou"])).then("hukou_code"),
        hukou_township=township[kids["hukou"]], home="home_code", home_township=township[kids["home"]], home_since="home_since",
        since="since", is_inferred="is_inferred", direction="direction", guardianship="guardianship",
        family=filled("f{}", pl.col("family").cast(pl.String).str.zfill(8)),
        twin_of=pl.when(pl.col("twin").is_not_null()).then(person("twin")),
        flags=pl.concat_list([pl.when(flag).then(pl.lit(flag)) for flag in _FLAGS]).list.drop_nulls(),
    )  # fmt: skip
