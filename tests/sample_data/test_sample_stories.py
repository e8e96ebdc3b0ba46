"""The planted stories and the small checked-in city."""

import gzip
import zipfile
from pathlib import Path

import polars as pl
import pytest

from sample_data import planted, tiny
from schemas.exports.contract import Kind
from schemas.exports.feeds import FEEDS
from schemas.tables.assessment import OUTCOME_OF, REASONS

STORIES = planted.stories()
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def content(file: Path) -> object:
    """A file without its wrapping: compressors differ between machines."""
    match file.suffix:
        case ".gz":
            return gzip.decompress(file.read_bytes())
        case ".xlsx":
            with zipfile.ZipFile(file) as book:
                return {name: book.read(name) for name in sorted(book.namelist())}
        case ".parquet":
            return pl.read_parquet(file).to_dicts()
        case _:
            return file.read_bytes()


@pytest.fixture(scope="module")
def anew(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    tiny.write(folder)
    return folder


def test_the_checked_in_city_is_what_the_generator_writes(anew):
    files = {f.relative_to(anew) for f in anew.rglob("*") if f.is_file()}
    assert files == {f.relative_to(tiny.FOLDER) for f in tiny.FOLDER.rglob("*") if f.is_file()}
    for name in sorted(files):
        assert content(anew / name) == content(tiny.FOLDER / name), f"{name}: run python -m sample_data.tiny"


def test_it_is_small_and_tells_every_story_and_reason():
    assert sum(f.stat().st_size for f in tiny.FOLDER.rglob("*") if f.is_file()) < 500_000
    children = pl.read_parquet(tiny.FOLDER / "truth" / "children.parquet")
    assert set(children["reason"]) == set(REASONS)
    assert {s["person"] for s in STORIES} <= set(children["person"])
    assert pl.read_parquet(tiny.FOLDER / "truth" / "records.parquet")["expect_quarantined"].any()


@pytest.mark.parametrize("child", STORIES, ids=[s["person"] for s in STORIES])
def test_a_storys_numbers_are_what_its_rows_say(child):
    assert child["reason"] in OUTCOME_OF
    for row in child["rows"]:
        cells = child["common"] | row
        for column in (c.name for c in FEEDS[row["feed"]].columns if c.kind is Kind.ID):
            number = cells.get(column)
            if number is None or not str(number)[:17].isdigit():
                continue
            assert number[17] == "10X98765432"[sum(int(c) * w for c, w in zip(number, WEIGHTS, strict=False)) % 11], (row["feed"], column)
            if column == "id_number" and "id_guardian" not in row.get("damage", []):
                assert number[6:14] == cells["birth_date"].replace("-", "")
                assert (int(number[16]) % 2 == 1) == (cells["sex"] == "男")


def test_a_row_with_a_column_its_feed_lacks_is_named():
    child = {"person": "someone", "reason": "flowing", "tells": "", "common": {}, "rows": [{"feed": "survey", "school": "x"}]}
    with pytest.raises(KeyError, match="someone: survey has no column school"):
        planted.sheets([child])
