"""Phones as departments write them: the country code, dashes, two in a cell, land lines, placeholders."""

from __future__ import annotations

import polars as pl
import pytest

from matching.phones import numbers


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("+8613912345678", ["13912345678"]), ("+86 139-1234-5678", ["13912345678"]), ("0086 13912345678", ["13912345678"]),
        ("13912345678/13812345678", ["13812345678", "13912345678"]), ("023-65123456", ["02365123456"]), ("(023)65123456", ["02365123456"]),
        ("+86-023-65123456", ["02365123456"]), ("+86-23-65123456", ["02365123456"]), ("+86 817-2345678、13912345678", ["08172345678", "13912345678"]),
        ("13800000000", []), ("13800138000", []), ("65123456", []), (None, None),
    ],
)  # fmt: skip
def test_a_cell_gives_its_numbers(written: str | None, read: list[str] | None):
    assert pl.DataFrame({"cell": [written]}, schema={"cell": pl.String}).select(numbers(pl.col("cell"))).to_series().to_list() == [read]
