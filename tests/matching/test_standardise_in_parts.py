"""Standardising part by part, and the short ways for texts in the usual form, against the plain and slow ones."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import identifiers, names, phones
from matching import standardise as station
from matching.gathering import gathered, long_of
from sample_data.tiny import FOLDER
from schemas.exports.feeds import FEEDS
from schemas.exports.intake import take_in

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
digits17 = st.text("0123456789", min_size=17, max_size=17)


def check_digit(body: str) -> str:
    """GB 11643, written apart from the room's."""
    return "10X98765432"[sum(int(c) * w for c, w in zip(body, WEIGHTS, strict=True)) % 11]


def of(expression, *texts: str | None) -> list:
    return pl.DataFrame({"t": texts}, schema={"t": pl.String}).select(expression(pl.col("t"))).to_series().to_list()


@given(st.lists(st.one_of(st.none(), digits17, st.text(max_size=20)), max_size=12), st.sampled_from("0123456789X"))
def test_the_check_digit_is_that_of_the_standard_and_any_text_is_answered(bodies, last):
    texts = [None if b is None else b + last for b in bodies]
    expected = [t is not None and len(t) == 18 and t[:17].isascii() and t[:17].isdigit() and check_digit(t[:17]) == t[17] for t in texts]
    assert of(identifiers.passes_checksum, *texts) == expected


@given(st.lists(st.one_of(st.none(), st.text("0123456789", min_size=15, max_size=15)), max_size=8))
def test_an_old_number_gets_its_century_and_its_check_digit(olds):
    bodies = [None if o is None else f"{o[:6]}19{o[6:]}" for o in olds]
    assert of(identifiers.from_fifteen, *olds) == [None if b is None else b + check_digit(b) for b in bodies]


def test_digits_of_another_script_are_no_id_number_and_stop_nothing():
    assert of(identifiers.passes_checksum, "٥٠٠١٠٦٢٠١٥٠١٠١١٢٣٠") == [False]
    assert identifiers.of_relatives(pl.Series(["٥٠٠١٠٦١٩٨٥٠١٠١١٢٣٠"])).row(0) == (None, "wrong_length")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("18339600866", ["18339600866"]),  # 0086 inside a number is no country code
        ("183-3960-0866", ["18339600866"]),
        ("008613912345678", ["13912345678"]),
        ("+86 139 1234 5678/0086-13912345679", ["13912345678", "13912345679"]),
        ("13800138000", []),
        ("13877777777", []),
        (None, None),
    ],
)
def test_a_cell_s_phones(cell, expected):
    assert of(phones.numbers, cell, "13912345678") == [expected, ["13912345678"]]


@given(st.lists(st.one_of(st.none(), st.text("张三李·. （大)*1 之女abc\u3000", max_size=6)), max_size=8))
def test_a_name_is_shown_the_same_whether_or_not_it_is_in_the_usual_form(texts):
    assert of(names.display, *texts) == of(names._displayed, *texts)


@given(st.lists(st.lists(st.one_of(st.none(), st.text("ab", max_size=2)), min_size=3, max_size=3), max_size=6))
def test_values_gathered_by_row_are_those_of_polars_lists(rows):
    frame = pl.DataFrame(rows, schema=dict.fromkeys("xyz", pl.String), orient="row")
    long = long_of(frame, [(pl.col(c).is_not_null(), pl.col(c)) for c in "xyz"])
    plain = frame.select(pl.concat_list("x", "y", "z").list.drop_nulls()).to_series()
    assert gathered(long, frame.height, pl.String).to_list() == plain.to_list()


def test_a_feed_in_parts_of_seven_rows_is_the_feed_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    feeds = ("household", "education", "verification")
    for feed in feeds:
        take_in(feed, FOLDER / "inbox", tmp_path / "store", tmp_path, date(2026, 11, 24))
    found = {}
    for size in (10**6, 7):
        monkeypatch.setattr(station, "PART_ROWS", size)
        for feed in feeds:
            station.standardise(feed, tmp_path)
        files = sorted(p for kind in ("standard", "record") for p in (tmp_path / kind).glob("*.parquet"))
        found[size] = {str(p): pl.read_parquet(p) for p in files}
    assert sorted(Path(p).name for p in found[7]) == ["education.parquet", "education.parquet", "household.parquet", "household.parquet", "verification.parquet"]
    for path, whole in found[10**6].items():
        assert whole.equals(found[7][path]), path


def test_a_feed_without_rows_leaves_tables_without_rows(tmp_path: Path):
    (tmp_path / "accepted").mkdir()
    take_in("survey", tmp_path / "nothing", tmp_path / "store", tmp_path, date(2026, 11, 24))
    station.standardise("survey", tmp_path)
    assert pl.read_parquet(tmp_path / "standard" / "survey.parquet").height == 0
    assert pl.read_parquet(tmp_path / "record" / "survey.parquet").columns[:3] == ["feed", "source_file", "source_row"]
    assert set(FEEDS["survey"].standard_columns) <= set(pl.read_parquet(tmp_path / "standard" / "survey.parquet").columns)
