"""Standardising part by part, and the short ways for texts in the usual form, against the plain and slow ones."""

import hashlib
import re
import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import identifiers, names, phones
from matching import standardise as station
from matching.standardise_in_parts import join_parts, standardise_part
from sample_data.tiny import FOLDER
from schemas import cells
from schemas.exports.feeds import FEEDS
from schemas.exports.intake import take_in
from schemas.gathering import gathered, long_of

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


numberlike = st.one_of(
    st.none(),
    st.text("0123456789X*. 中x'", max_size=20),
    st.builds(
        lambda place, day, rest, last, behind: (body := place + day + rest) + (last or check_digit(body)) + behind,
        st.sampled_from(["500106", "810000", "911156"]),
        st.sampled_from(["20150301", "19000101", "18991231", "21001231", "21010101", "20150229", "20160229", "19000229", "20000229", "20151301", "20150100", "20261125"]),
        st.sampled_from(["123", "000"]),
        st.sampled_from(["", "", "", "1", "X", "x"]),
        st.sampled_from(["", "", "", ".0", "31", "42B1", "'"]),
    ),
)


@settings(deadline=None)
@given(st.lists(st.tuples(numberlike, st.sampled_from([None, "K", "itself"]), st.sampled_from([None, "hmt", "foreign"])), max_size=12))
def test_a_number_in_the_usual_form_is_what_a_closer_look_makes_of_it(rows):
    given_rows = pl.DataFrame(
        [(text, text if key == "itself" else key, document, date(2026, 11, 24)) for text, key, document in rows],
        schema={"text": pl.String, "record_key": pl.String, "document": pl.String, "exported": pl.Date},
        orient="row",
    )
    seen = identifiers.examine(given_rows)
    assert seen.equals(identifiers._examined(given_rows).select(seen.columns))
    assert identifiers.of_relatives(given_rows["text"]).equals(identifiers._of_relatives(given_rows["text"]))


def in_key(key: str | None) -> str | None:
    """The number inside a key, written apart from the room's."""
    found = None if key is None else re.fullmatch("G([0-9]{17}[0-9X])|([0-9]{17}[0-9X])[1-7][1-4](?:B[0-9]+)?", key)
    if found is None:
        return None
    number = found[1] or found[2]
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None
    return number if check_digit(number[:17]) == number[17] and date(1900, 1, 1) <= born <= date(2026, 11, 24) else None


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["", "G", "J"]), numberlike), max_size=12))
def test_the_number_inside_a_key_is_found_where_there_is_a_valid_one(keys):
    texts = [None if k is None else before + k for before, k in keys]
    frame = pl.DataFrame({"k": texts}, schema={"k": pl.String}).with_columns(day=date(2026, 11, 24))
    assert frame.select(identifiers.in_key(pl.col("k"), pl.col("day"))).to_series().to_list() == [in_key(t) for t in texts]


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.dates(date(1880, 1, 1), date(2120, 1, 1)).map(str), st.from_regex(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}", fullmatch=True)), max_size=12))
def test_a_date_in_the_usual_form_is_what_a_closer_look_makes_of_it(texts):
    with pytest.MonkeyPatch.context() as patch:
        seen = cells.dated(pl.Series(texts, dtype=pl.String))
        patch.setattr(cells, "_ISO", "^no text is like this$")
        assert seen.equals(cells.dated(pl.Series(texts, dtype=pl.String)))


@settings(deadline=None)
@given(st.lists(st.lists(st.one_of(st.none(), st.text("ab=", max_size=2)), min_size=3, max_size=3), max_size=6))
def test_a_row_s_hash_is_that_of_its_cells_null_distinct_from_empty(rows):
    feed = FEEDS["resource"]
    names_ = [c.name for c in feed.columns]
    accepted = pl.DataFrame({name: pl.Series([row[i % 3] for row in rows], dtype=pl.String) for i, name in enumerate(names_)})
    contents = ["".join([feed.name, *("\x1f" if row[i % 3] is None else f"\x1f={row[i % 3]}" for i in range(len(names_)))]) for row in rows]
    expected = [int.from_bytes(hashlib.md5(c.encode()).digest()[8:], "little") for c in contents]
    assert station.record_hashes(accepted, feed).to_list() == expected


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
        ("023-65432109-801", ["02365432109"]),  # the extension is no part of the number
        ("0591-87654321转2", ["059187654321"]),
        ("0838-2345678", ["08382345678"]),
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
