"""Some rows of a register as the run judged them. Enters: their RECORD and PERSON_RECORD rows, and the register. Leaves: their night, in which numbers are whose the run found them to be.

Whose number a row holds, and whether a phone is a class's, hangs on rows of other children, which are not among those asked about.
"""

from __future__ import annotations

from dataclasses import replace

import duckdb
import numpy as np
import polars as pl

from matching import identifiers
from matching.anchors import OWN_SCHEMA, ROLE, changed_numbers
from matching.coding import Records, code_records
from matching.features import attributes
from matching.frequencies import MOST_HOLDERS
from matching.model import Model
from matching.night import Night, members_of, night_of
from matching.sets import Whole, stored

# the values of a row by attribute, lists of text
_VALUES = {
    "phone": "r.phones", "certificate": "[r.birth_certificate]", "document": "[r.document_number]", "feed_key": "[r.feed || ':' || r.record_key]",
}  # fmt: skip


def night_as_judged(con: duckdb.DuckDBPyConnection, record: pl.DataFrame, held: pl.DataFrame, model: Model) -> Night:
    """The night of some rows.

    Args:
        con: the register. record: RECORD of the rows. held: record_hash and id_role of the same rows.
    """
    records = code_records(record)
    own = _own(records, held)
    changed = changed_numbers(records, own)
    members = members_of(records.count, own, changed)
    night = night_of(records, own, changed, members, attributes(records, own, members), model)
    night.units = replace(night.units, common=_common(con, record, night.units.count))
    return night


def _own(records: Records, held: pl.DataFrame) -> pl.DataFrame:
    """Whose numbers the rows hold (OWN_SCHEMA), as far as units are made of it."""
    is_own, number = pl.col("id_role") == "own", pl.col("number")
    rows = records.rows.select("record_hash", "number").with_row_index("rec").join(held.select("record_hash", "id_role").unique(), on="record_hash")
    told = rows.filter(number.is_not_null(), pl.col("id_role").is_not_null()).with_columns(
        pl.col("id_role").cast(ROLE), own_id=pl.when(is_own).then(number), id_birth=pl.when(is_own).then(identifiers.packed_birth(number)), id_is_female=pl.when(is_own).then(identifiers.packed_is_female(number))
    )
    return told.sort("rec").match_to_schema(OWN_SCHEMA, missing_columns="insert", extra_columns="ignore")


def _common(con: duckdb.DuckDBPyConnection, record: pl.DataFrame, count: int) -> dict[str, Whole]:
    """The numbers of the rows that too many of the register hold, as the sets of `count` units have them; rows with one own number hold as one."""
    asked = {
        "phone": record["phones"].explode(), "certificate": record["birth_certificate"], "document": record["document_number"],
        "feed_key": record.select(pl.col("feed") + ":" + pl.col("record_key")).to_series(),
    }  # fmt: skip
    found = {}
    for attribute, values in asked.items():
        held = con.execute(
            f"""SELECT value FROM (
                SELECT unnest(list_intersect({_VALUES[attribute]}, $asked)) AS value, CASE p.id_role WHEN 'own' THEN r.id_number ELSE CAST(r.record_hash AS VARCHAR) END AS unit
                FROM record r JOIN person_record p USING (feed, source_file, source_row) WHERE list_has_any({_VALUES[attribute]}, $asked)
            ) GROUP BY value HAVING count(DISTINCT unit) > $most""",
            {"asked": values.drop_nulls().unique().to_list(), "most": MOST_HOLDERS[attribute]},
        ).pl()["value"]
        found[attribute] = np.unique(stored(held.cast(pl.String).hash(), count))
    return found
