"""The data dictionary. Enters: the declared tables and views. Leaves: docs/data_dictionary.md; run `python -m publish.dictionary` to write it anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from publish.build import MACROS
from publish.comments import comment, duckdb_type
from publish.views import VIEWS
from schemas.tables.register import LAYOUT, REGISTER_TABLES
from schemas.tables.table import Table

TARGET = Path(__file__).parent.parent / "docs" / "data_dictionary.md"
_HEAD = f"""# 数据字典 · Data dictionary

Every table and view of the register (layout {LAYOUT}). Written by `python -m publish.dictionary` from `schemas/tables/` and `publish/views.py`; the same
words stand as comments in the file itself: `SELECT table_name, column_name, data_type, comment FROM duckdb_columns()`. Codes of `reason` stand in the order
in which they count in [register.md](register.md); codes in words, Chinese and English: `schemas/reference/words.yaml`. Times are UTC, dates are the city's.

{"".join(f"`{name}(day, known_on)`: {meaning}: `SELECT * FROM {name}('2026-06-30', '2026-07-05')`.{chr(10)}" for name, meaning in MACROS.items())}"""


def dictionary() -> str:
    """The page's text."""
    return "\n".join([_HEAD, *_contents(), *(line for table in REGISTER_TABLES for line in _section(table)), *(line for view in VIEWS for line in _section(view))])


def _contents() -> Iterator[str]:
    yield "| 表 · table | 一行是 · one row is |"
    yield "| --- | --- |"
    for table in (*REGISTER_TABLES, *VIEWS):
        yield f"| [{table.name}](#{table.name}) | {comment(table.zh, table.en)} |"
    yield ""


def _section(table: Table) -> Iterator[str]:
    yield f"## {table.name}"
    yield ""
    yield f"{comment(table.zh, table.en)}. In the order of: {', '.join(table.key)}."
    yield ""
    yield "| 列 · column | 类型 · type | 可空 · may be null | 含义 · meaning |"
    yield "| --- | --- | --- | --- |"
    for column in table.columns:
        meaning = comment(column.zh, column.en).replace("|", "\\|")
        yield f"| {column.name} | {duckdb_type(column.dtype)} | {'' if column.required else '可 · yes'} | {meaning} |"
    yield ""


if __name__ == "__main__":
    TARGET.write_text(dictionary(), encoding="utf-8")
