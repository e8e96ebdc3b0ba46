"""Standardising part by part, and the short ways for texts in the usual form, against the plain and slow ones."""

import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import identifiers, names, phones
from matching import standardise as station
from matching.gathering import gathered, long_of
from matching.standardise_in_parts import join_parts, standardise_part
from sample_data.tiny import FOLDER
from schemas.exports.feeds import FEEDS
from schemas.exports.intake import take_in

IN_PARTS = ("household", "education", "verification")
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


def files_of(work: Path) -> dict[str, pl.DataFrame]:
    return {p.relative_to(work).as_posix(): pl.read_parquet(p) for kind in ("standard", "record") for p in (work / kind).glob("*.parquet")}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A work folder with three feeds standardised in one go."""
    work = tmp_path_factory.mktemp("whole")
    for feed in IN_PARTS:
        take_in(feed, FOLDER / "inbox", work / "store", work, date(2026, 11, 24))
        station.standardise(feed, work)
    return work


def test_a_feed_in_parts_of_seven_rows_is_the_feed_in_one(whole: Path, monkeypatch: pytest.MonkeyPatch):
    one = files_of(whole)
    monkeypatch.setattr(station, "PART_ROWS", 7)
    for feed in IN_PARTS:
        station.standardise(feed, whole)
    assert sorted(one) == ["record/education.parquet", "record/household.parquet", *(f"standard/{feed}.parquet" for feed in sorted(IN_PARTS))]
    for path, frame in files_of(whole).items():
        assert frame.equals(one[path]), path


def test_steps_in_any_order_and_twice_give_the_feed_in_one(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As workers do them; a part half written by one that died is never looked at."""
    shutil.copytree(whole / "accepted", tmp_path / "accepted")
    monkeypatch.setattr(station, "PART_ROWS", 7)
    for feed in IN_PARTS:
        parts = list(enumerate(station.parts(feed, tmp_path)))
        for number, part in [*parts[::-1], parts[0]]:
            standardise_part(feed, number, part, tmp_path)
        (tmp_path / "parts" / "standard" / feed / ".00000-half").write_bytes(b"PAR1")
        join_parts(feed, len(parts), tmp_path)
    one, other = files_of(whole), files_of(tmp_path)
    assert one.keys() == other.keys()
    for path, frame in other.items():
        assert frame.equals(one[path]), path


def test_a_feed_without_rows_leaves_tables_without_rows(tmp_path: Path):
    (tmp_path / "accepted").mkdir()
    take_in("survey", tmp_path / "nothing", tmp_path / "store", tmp_path, date(2026, 11, 24))
    station.standardise("survey", tmp_path)
    assert pl.read_parquet(tmp_path / "standard" / "survey.parquet").height == 0
    assert pl.read_parquet(tmp_path / "record" / "survey.parquet").columns[:3] == ["feed", "source_file", "source_row"]
    columns = pl.read_parquet(tmp_path / "standard" / "survey.parquet").columns
    assert set(FEEDS["survey"].fact_columns) <= set(columns)
    assert not {"name", "id_number", "address", "guardian_phone"} & set(columns)
