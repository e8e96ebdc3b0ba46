"""The made-up city against its contract: what was written is what the truth says, row by row."""

import hashlib
import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from sample_data import city as city_module
from sample_data.city import AS_OF, write_city
from sample_data.rates import rates
from schemas.exports.contract import Kind
from schemas.exports.feeds import CHILD_FEEDS, FEEDS
from schemas.exports.intake import take_in
from schemas.tables.assessment import OUTCOME_OF, REASONS

ROW = ["feed", "source_file", "source_row"]
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHILDREN = 1_900


def hashes(folder: Path) -> dict[str, str]:
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(folder.rglob("*")) if f.is_file()}


def valid(number: str) -> bool:
    """GB 11643, written apart from the generator."""
    return len(number) == 18 and "10X98765432"[sum(int(c) * w for c, w in zip(number, WEIGHTS, strict=False)) % 11] == number[17]


@pytest.fixture(scope="module")
def city(tmp_path_factory) -> Path:
    """A city in three blocks, so that every seam between blocks is in it."""
    out = tmp_path_factory.mktemp("city")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(city_module, "BLOCK", 700)
        write_city(CHILDREN, 11, out)
    return out


@pytest.fixture(scope="module")
def records(city) -> pl.DataFrame:
    return pl.read_parquet(city / "truth" / "records.parquet")


@pytest.fixture(scope="module")
def children(city) -> pl.DataFrame:
    return pl.read_parquet(city / "truth" / "children.parquet")


@pytest.fixture(scope="module")
def taken_in(city, tmp_path_factory) -> dict[str, dict[str, pl.DataFrame]]:
    """What the intake makes of the inbox, per feed: accepted, quarantine, receipt."""
    work = tmp_path_factory.mktemp("work")
    for feed in FEEDS:
        take_in(feed, city / "inbox", work / "store", work, AS_OF)
    return {feed: {kind: pl.read_parquet(work / kind / f"{feed}.parquet") for kind in ("accepted", "quarantine", "receipt")} for feed in FEEDS}


@pytest.fixture(scope="module")
def clean(records, taken_in) -> dict[str, pl.DataFrame]:
    """Per feed, the accepted rows that the truth calls undamaged, with their person."""
    good = records.filter(pl.col("damage").list.len() == 0)
    return {feed: taken_in[feed]["accepted"].join(good, on=ROW) for feed in CHILD_FEEDS}


def test_the_same_arguments_give_the_same_bytes_and_another_seed_other_ones(tmp_path):
    for name, seed in (("one", 5), ("again", 5), ("other", 6)):
        write_city(400, seed, tmp_path / name)
    one, again, other = (hashes(tmp_path / n) for n in ("one", "again", "other"))
    assert one == again
    assert [n for n in one if one[n] == other.get(n)] == ["inbox/verification/verification_20261112.xlsx"]


def test_the_intake_accepts_and_quarantines_exactly_the_rows_the_truth_says(records, taken_in):
    for feed in CHILD_FEEDS:
        expected = records.filter(pl.col("feed") == feed)
        for kind, these in (("accepted", ~pl.col("expect_quarantined")), ("quarantine", pl.col("expect_quarantined"))):
            found = taken_in[feed][kind].select(pl.col(c).cast(t) for c, t in (("feed", pl.String), ("source_file", pl.String), ("source_row", pl.UInt32)))
            assert found.sort(ROW).equals(expected.filter(these).select(ROW).sort(ROW)), (feed, kind)
    assert records["expect_quarantined"].sum() > 0
    assert records.select(ROW).is_unique().all()


def test_no_file_is_refused_and_every_column_of_the_contract_arrives(taken_in):
    states = pl.concat([t["receipt"].select("source_file", "state") for t in taken_in.values()])
    assert set(states["state"]) == {"accepted", "superseded"}
    assert states.filter(pl.col("state") == "superseded")["source_file"].to_list() == ["education_20261001_500106.csv"]
    for feed, got in ((f, g) for f, g in taken_in.items() if not FEEDS[f].is_optional):
        empty = [c.name for c in FEEDS[feed].columns if got["accepted"][c.name].null_count() == got["accepted"].height]
        expected = {"disability": ["residence_division"]}
        assert empty == expected.get(feed, []), feed


def test_every_format_and_encoding_of_the_contract_is_used(city):
    heads = {f.name: f.read_bytes()[:3] for f in (city / "inbox").rglob("*.csv")}
    assert {h[:2] for h in heads.values()} >= {b"\xff\xfe", b"\xef\xbb"}
    assert heads["education_20261101_500106.csv"][:2] == "学".encode("gb18030")
    endings = {"".join(f.suffixes) for f in (city / "inbox").rglob("*.*")}
    assert endings == {".csv", ".csv.gz", ".parquet", ".xlsx"}
    assert (city / "inbox" / "medical_insurance" / "medical_insurance_20261112_500116_delta.csv").exists()


def test_rows_are_the_persons_the_truth_names(clean, children):
    """The name and birth date in an undamaged row are the person's own, or the former name of one who was renamed."""
    truth = children.select("person", "name", "born", "flags")
    for feed, rows in clean.items():
        joined = rows.select("person", said="name").join(truth, on="person")
        assert joined.height == rows.height
        other = joined.filter((pl.col("said") != pl.col("name")) & ~pl.col("flags").list.contains("renamed"))
        assert other.is_empty(), feed


def test_undamaged_numbers_are_valid_and_say_birth_date_and_sex(clean, children):
    truth = children.select("person", "born", foreign=(pl.col("reason") == "no_mainland_hukou") | (pl.col("story") == "other_document"))
    seen = 0
    for feed, rows in clean.items():
        for column in (c.name for c in FEEDS[feed].columns if c.kind is Kind.ID):
            kept = rows.join(truth, on="person").filter(pl.col(column).is_not_null() & ~(pl.col("foreign") & (pl.lit(column) == "id_number")))
            assert all(valid(n) for n in kept[column].unique()), (feed, column)
            if column == "id_number":
                seen += kept.height
                born = kept["id_number"].str.slice(6, 8).str.to_date("%Y%m%d")
                assert (born == kept["born"]).all()
                male = kept["id_number"].str.slice(16, 1).cast(pl.Int8) % 2 == 1
                assert (male == kept["sex"].is_in(["男"])).all()
    assert seen > 4_000


def test_no_two_children_share_a_valid_number_or_a_key_within_a_feed(clean, records):
    for feed, rows in clean.items():
        for column in {"id_number", "record_key"} & set(rows.columns):
            if feed == "household" and column == "id_number":
                continue
            owners = rows.filter(pl.col(column).is_not_null()).group_by(column).agg(pl.col("person").n_unique())
            assert owners["person"].max() == 1, (feed, column)


def test_keys_have_the_form_of_the_contract(clean):
    forms = {
        "education": r"^(G\d{17}[\dX]|[JL][\dX]{18})$", "health": r"^\d{17}$", "disease_control": r"^\d{18}$", "disability": r"^\d{17}[\dX][1-7][1-4](B\d)?$",
        "household": r"^\d{17}[\dX]$",
    }  # fmt: skip
    for feed, form in forms.items():
        key = FEEDS[feed].key_columns[0]
        assert clean[feed][key].str.contains(form).all(), feed
    assert clean["health"]["birth_certificate"].drop_nulls().str.contains(r"^[A-Z]\d{9}$").all()
    assert clean["education"]["school_id"].str.contains(r"^\d{10}$").all()


def test_every_reason_occurs_and_every_outcome_is_the_reasons(children):
    assert set(children["reason"]) == set(REASONS)
    assert all(OUTCOME_OF[r] == o for r, o in children.select("reason", "outcome").iter_rows())
    assert children["person"].is_unique().all()
    assert children["because"].null_count() == 0


def test_the_city_is_of_a_realistic_size(city, records, children):
    card = json.loads((city / "city.json").read_text("utf-8"))
    assert card["as_of"] == "2026-11-24"
    assert card["children"] == children.height == CHILDREN
    assert 4.2 < records.height / children.height < 4.9
    share = children["outcome"].value_counts(normalize=True)
    flowing = share.filter(pl.col("outcome") == "flowing")["proportion"][0]
    assert 0.12 < flowing < 0.30


def test_siblings_and_twins_come_in_the_shares_asked_for(tmp_path):
    write_city(6_000, 3, tmp_path, stories=False)
    made = pl.read_parquet(tmp_path / "truth" / "children.parquet")
    together = made.with_columns(pl.len().over("family").alias("size"))
    assert (together["size"] > 1).mean() == pytest.approx(0.29, abs=0.03)
    assert made["twin_of"].is_not_null().mean() == pytest.approx(0.02, abs=0.008)
    pairs = made.filter(pl.col("twin_of").is_not_null()).join(made.select(twin_of="person", other="name", day="born", back="twin_of"), on="twin_of")
    assert (pairs["born"] == pairs["day"]).all()
    assert (pairs["back"] == pairs["person"]).all()
    assert pairs.filter(pl.col("name").str.len_chars() > 1).select((pl.col("name").str.slice(1, 1) == pl.col("other").str.slice(1, 1)).mean()).item() > 0.8


def test_damage_comes_at_the_rates_stated(tmp_path):
    write_city(8_000, 4, tmp_path, stories=False)
    rows = pl.read_parquet(tmp_path / "truth" / "records.parquet").filter(~pl.col("expect_quarantined"))

    def share(feed: str, *faults: str) -> float:
        here = rows.filter(pl.col("feed") == feed)
        return float(here.select(pl.any_horizontal(pl.col("damage").list.contains(f) for f in faults).mean()).item())

    missing = ("id_blank", "id_placeholder")
    for feed, rate in {"education": 0.015, "health": 0.28, "disease_control": 0.20, "survey": 0.15}.items():
        assert share(feed, *missing) == pytest.approx(rate, rel=0.25), feed
    for feed, faults in rates().per_feed["id_wrong"].items():
        if faults >= 0.01 and feed != "assistance":  # a few hundred rows only
            assert 0.006 < share(feed, *rates().mix["id_wrong"]) < 0.035, feed
    for feed in ("education", "health", "disease_control", "survey", "medical_insurance"):
        assert 0.006 < share(feed, *rates().mix["name_wrong"], "name_unknown_character") < 0.055, feed
        assert 0.001 < share(feed, *rates().mix["birth_wrong"]) < 0.03, feed
    seen = set(rows["damage"].explode().drop_nulls())
    stated = {kind for mix in rates().mix.values() for kind in mix}
    assert stated <= seen, stated - seen


def test_a_row_that_is_there_twice_is_there_twice_word_for_word(taken_in, records):
    twice = records.filter(pl.col("damage").list.contains("duplicate_row"))
    assert twice.height > 10
    for feed in twice["feed"].unique():
        accepted = taken_in[feed]["accepted"]
        columns = [c.name for c in FEEDS[feed].columns]
        copies = accepted.join(twice, on=ROW).select(columns)
        counts = accepted.group_by(columns).len()
        assert copies.join(counts, on=columns, nulls_equal=True)["len"].min() >= 2


def test_workbooks_hold_some_numbers_as_numbers(taken_in, records):
    typed = records.filter(pl.col("damage").list.contains("id_number_cell"))
    assert typed.height > 0
    for feed in typed["feed"].unique():
        assert taken_in[feed]["accepted"].join(typed, on=ROW)["id_number"].null_count() == typed.filter(pl.col("feed") == feed).height


@pytest.mark.parametrize(
    ("children", "said"),
    [(0, "children is 0; expected at least 1"), (-3, "children is -3; expected at least 1")],
)
def test_a_city_without_children_is_refused(tmp_path, children, said):
    with pytest.raises(ValueError, match=said):
        write_city(children, 1, tmp_path)


def test_a_folder_that_holds_files_is_refused(tmp_path):
    write_city(3, 1, tmp_path)
    with pytest.raises(ValueError, match="already holds files: give an empty folder"):
        write_city(3, 1, tmp_path)


def test_a_city_for_another_day_moves_with_it(tmp_path):
    write_city(300, 1, tmp_path, as_of=date(2027, 1, 15))
    names = {f.name for f in (tmp_path / "inbox").rglob("*.*")}
    assert "household_20261225.csv" in names
    assert "education_20261122_500106.csv" in names
    made = pl.read_parquet(tmp_path / "truth" / "children.parquet")
    assert made.filter(pl.col("story") == "planted").is_empty()
