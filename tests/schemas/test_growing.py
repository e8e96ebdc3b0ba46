"""A file that grows part by part: the same rows whatever the parts, and a list of its values only for columns whose values come back."""

from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from schemas import growing
from schemas.growing import GrowingParquet

ROWS = pl.DataFrame(
    {
        "number": [f"{n:018}" for n in range(1000)],
        "word": [f"w{n % 7}" for n in range(1000)],
        "people": [[{"name": f"n{n}", "relation": "mother"}] * (n % 3) for n in range(1000)],
        "phones": [[f"1{n:010}"] * (n % 2) for n in range(1000)],
        "nothing": pl.Series([None] * 1000, dtype=pl.String),
    }
)


def written(path: Path, *frames: pl.DataFrame) -> pl.DataFrame:
    with GrowingParquet(path) as out:
        for frame in frames:
            out.write(frame)
    return pl.read_parquet(path)


@pytest.mark.parametrize("cut", [0, 1, 99, 500, 1000])
def test_the_rows_are_the_same_whatever_the_parts(tmp_path, monkeypatch, cut):
    monkeypatch.setattr(growing, "ROW_GROUP", 100)
    assert written(tmp_path / "x.parquet", ROWS.head(cut), ROWS.slice(cut)).equals(ROWS)


def test_a_file_without_rows_has_the_columns_and_no_group_of_rows(tmp_path):
    assert written(tmp_path / "x.parquet", ROWS.clear()).schema == ROWS.schema
    assert pq.read_metadata(tmp_path / "x.parquet").num_row_groups == 0


def test_only_columns_whose_values_come_back_are_written_as_a_list_of_values(tmp_path):
    written(tmp_path / "x.parquet", ROWS)
    group = pq.read_metadata(tmp_path / "x.parquet").row_group(0)
    columns = [group.column(i) for i in range(group.num_columns)]
    listed = {c.path_in_schema for c in columns if any("DICTIONARY" in encoding for encoding in c.encodings)}
    assert listed == {"word", "people.list.element.relation", "nothing"}
