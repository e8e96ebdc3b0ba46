"""How the register's texts are packed, so that a night spends little on it. Enters: a column. Leaves: DuckDB's name of the packing.

DuckDB tries its dictionary on every text. Where nearly every row has a text of its own that finds nothing and takes longest; zstd takes half the time, and no more
room where texts are long (docs/decisions/0025-in-order-and-in-groups.md).
"""

from __future__ import annotations

import polars as pl

from schemas.tables.table import Column

# columns in which nearly every row has a text of its own
_OWN_TEXTS = frozenset({
    "person_id", "name", "name_folded", "id_number", "key_id_number", "birth_certificate", "record_key", "address", "alert_id", "entry_id", "event_id", "before",
    "after", "cause", "content",
})  # fmt: skip
# what lies in lists, for which no column can name a packing: set for all tables at once
LISTS = "zstd"
# whose lists hold the same few words again and again
FEW_WORDS = frozenset({"assessment"})


def of_column(column: Column) -> str | None:
    """The packing of a column of text; None for any other, which DuckDB chooses."""
    if column.dtype != pl.String:
        return None
    return "zstd" if column.name in _OWN_TEXTS else "dict_fsst"

