"""How each child's entry in the national system stands (全国儿童福利信息系统).

Enters: a register under construction, or one open for reading with what was sent since. Leaves: table `national_entry`; the fields of each child as the
layout (publish/fields/national.yaml) wants them written.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from publish.layout import FOLDER, LayoutError, allow, expect, read
from publish.ledger import SQL
from schemas.tables.handout import NATIONAL_ENTRY

_LAYOUT = FOLDER / "national.yaml"
# what sql/national_children.sql gives, and the kind of report, which each batch adds
FIELDS = (
    "person_id", "kind", "name", "sex", "birth_date", "document_type", "id_number", "ethnicity", "hukou_district", "hukou_place", "residence_district",
    "residence_place", "away_since", "direction", "accompanied", "guardian_name", "guardian_relation", "guardian_phone", "school", "categories", "left_reason",
)  # fmt: skip
DATES = ("birth_date", "away_since")


@dataclass(frozen=True)
class NationalField:
    """One field of the national system: ours, its heading there, and how its values are written."""

    field: str
    heading: str
    codes: dict[str, str]
    date: str

    def cell(self) -> pl.Expr:
        """The field as the system's text; empty where there is none."""
        column = pl.col(self.field)
        if self.field in DATES:
            column = column.dt.strftime(self.date)
        elif self.field == "categories":
            column = column.list.eval(pl.element().replace(self.codes)).list.sort().list.join(",")
        elif self.codes:
            column = column.replace(self.codes)
        return column.cast(pl.String).fill_null("").alias(self.field)


def load_layout(path: Path = _LAYOUT) -> tuple[NationalField, ...]:
    """The layout in its order.

    Raises:
        LayoutError: a field is unknown or stands twice, a heading is missing or stands twice, or the child is not named.
    """
    raw = read(path)
    expect(raw, {"fields"}, path.name)
    for number, entry in enumerate(raw["fields"], 1):
        expect(entry, {"field", "heading"}, f"{path.name}, field {number}", {"codes", "date"})
    allow([e["field"] for e in raw["fields"]], FIELDS, f"{path.name}, fields")
    headings = [e["heading"] for e in raw["fields"]]
    allow(headings, headings, f"{path.name}, headings")
    if "person_id" not in [e["field"] for e in raw["fields"]]:
        raise LayoutError(f"{path.name}, fields: missing: person_id, by which the receipt names the child")
    return tuple(NationalField(e["field"], e["heading"], e.get("codes", {}), e.get("date", "%Y-%m-%d")) for e in raw["fields"])


def enter_national(con: duckdb.DuckDBPyConnection) -> None:
    """Fill `national_entry` of a register whose other tables are there.

    Raises:
        LayoutError: publish/fields/national.yaml cannot be used.
    """
    con.execute((SQL / "place.sql").read_text(encoding="utf-8"))
    con.execute("CREATE TEMP VIEW sent AS SELECT * FROM national_sent")
    entries, _ = standing(con, load_layout())
    con.register("entries_given", entries.to_arrow())
    con.execute(f"INSERT INTO national_entry SELECT {', '.join(NATIONAL_ENTRY.names)} FROM entries_given ORDER BY person_id")
    con.unregister("entries_given")
    con.execute("DROP VIEW sent")
    con.execute("DROP VIEW place")


def standing(con: duckdb.DuckDBPyConnection, layout: tuple[NationalField, ...]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """How each child stands (NATIONAL_ENTRY), and its cells by field, both in the order of person_id.

    Needs `place` and `sent` (as national_sent) on the connection.
    """
    children = con.sql((SQL / "national_children.sql").read_text(encoding="utf-8")).pl()
    cells = children.select("is_listed", *(field.cell() for field in layout if field.field != "kind"))
    con.register("cells_given", cells.to_arrow())
    told = ", ".join(f'"{field.field}"' for field in layout if field.field != "kind")
    con.execute(f"CREATE OR REPLACE TEMP TABLE standing AS SELECT person_id, is_listed, md5(concat_ws(chr(31), {told})) AS content FROM cells_given")
    con.unregister("cells_given")
    entries = NATIONAL_ENTRY.conform(con.sql((SQL / "national_entry.sql").read_text(encoding="utf-8")).pl())
    con.execute("DROP TABLE standing")
    return entries, cells.drop("is_listed")
