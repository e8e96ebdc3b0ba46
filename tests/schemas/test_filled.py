"""A text with gaps, against Python's own format; and that nobody goes back to the one that breaks off."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.filled import filled

ROOT = Path(__file__).resolve().parents[2]
TEXTS = st.text(alphabet="学籍（{2", max_size=3).filter(lambda text: "{" not in text)
CELLS = {"word": st.none() | st.text("在册甲1", max_size=3), "number": st.none() | st.integers(-9, 99), "day": st.none() | st.dates(date(2000, 1, 1), date(2030, 1, 1))}
TYPES = {"word": pl.String, "number": pl.Int64, "day": pl.Date}


@given(st.lists(st.tuples(TEXTS, st.sampled_from(sorted(CELLS))), min_size=1, max_size=4), TEXTS, st.lists(st.fixed_dictionaries(CELLS), max_size=5), st.data())
def test_gaps_are_filled_as_python_fills_them_and_null_where_a_value_is(parts, end, rows, data):
    text, names = "".join(before + "{}" for before, _ in parts) + end, [name for _, name in parts]
    values = [name if data.draw(st.booleans()) else pl.col(name) for name in names]
    found = pl.DataFrame(rows, schema=TYPES).select(filled(text, *values).alias("x"))["x"].to_list()
    assert found == [None if any(row[name] is None for name in names) else text.format(*(row[name] for name in names)) for row in rows]


@pytest.mark.parametrize(("text", "values"), [("{}", ()), ("无", ("a",)), ("{}{}", ("a",))])
def test_gaps_and_values_that_do_not_match_are_a_fault(text, values):
    with pytest.raises(ValueError, match=f"^{text.count('{}')} gaps in the text, {len(values)} values$"):
        filled(text, *values)


def test_nobody_formats_by_what_breaks_off_where_a_part_of_a_column_is_empty():
    modules = [p for room in ("flows", "matching", "schemas", "rules", "publish", "sample_data") for p in (ROOT / room).rglob("*.py")]
    assert len(modules) > 40
    assert [str(p.relative_to(ROOT)) for p in modules if re.search(r"\bpl\.format\(", p.read_text("utf-8"))] == []
