"""A night gone on from the last against one that works out everything: the same tables, and the same base for the next."""

from __future__ import annotations

import random
from dataclasses import fields
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from matching import identifiers, linkage, pairs
from matching.again import base as base_module
from matching.again import pairs as again_pairs
from matching.again.base import Base, read_base
from matching.blocking import CHILD_RULES, Bounds, Rule, block
from matching.coding import READ, as_written, reading, with_rounded, without_rounded
from matching.frequencies import MOST_HOLDERS
from matching.linkage import Linked, link_records
from matching.record import record_of
from matching.standardise import typed
from schemas.exports.feeds import CHILD_FEEDS, FEEDS
from schemas.exports.intake import take_in
from schemas.tables.record import RECORD
from tests.matching.linkage_city import city, number, records

TINY = Path("sample_data/tiny")
AS_OF = date(2026, 11, 24)
CHILDREN = 700


class Town:
    """A town's records, night by night: some come, some go, some are written otherwise."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        rows = city(CHILDREN, seed, damage=3.0, twins=0.05)[0].to_dicts()
        for row in rows:
            row["household_key"] = f"H{row['hukou_code']}{row['relatives'][0]['name']}" if row["feed"] == "household" and row["relatives"] else None
        self.draw.shuffle(rows)
        self.waiting, self.rows = rows[: len(rows) // 6], rows[len(rows) // 6 :]
        self.day = AS_OF

    @property
    def records(self) -> pl.DataFrame:
        return RECORD.conform(pl.DataFrame(self.rows, schema=RECORD.schema, orient="row"))

    def pass_a_day(self) -> None:
        """What comes, goes and changes in a day: a hundredth of the rows and at times all dates of a feed."""
        few = max(2, len(self.rows) // 100)
        for _ in range(self.draw.randrange(few)):
            self.rows.pop(self.draw.randrange(len(self.rows)))
        for _ in range(min(self.draw.randrange(few), len(self.waiting))):
            self.rows.append(self.waiting.pop())
        for _ in range(self.draw.randrange(few)):
            self._write_otherwise(self.draw.choice(self.rows))
        if self.draw.random() < 0.5:
            feed = self.draw.choice(self.rows)["feed"]
            for row in self.rows:
                row["export_date"] += timedelta(days=7) if row["feed"] == feed else timedelta(0)
        # on some days many of the children are grown up
        self.day += timedelta(days=self.draw.choice([0, 1, 1, 1, 40, 1000]))
        self.draw.shuffle(self.rows)

    def _write_otherwise(self, row: dict[str, Any]) -> None:
        other = self.draw.choice(self.rows)
        kind = self.draw.randrange(9)
        if kind == 8:
            # read otherwise, on another day, though its content is what it was
            row["id_number_status"] = "impossible_date" if row["id_number_status"] == "valid" else row["id_number_status"]
            return
        if kind == 7 and row["id_number"]:
            rounded = row["id_number"][:15] + "000"
            if pl.select(identifiers.passes_checksum(pl.lit(rounded))).item():
                row |= {"id_number": rounded, "id_number_status": "valid"}
        changes = {
            0: {name: other[name] for name in ("id_number", "id_number_status", "id_partial")}, 1: {name: other[name] for name in ("name", "name_folded", "name_kind")},
            2: {"birth_date": other["birth_date"]}, 3: {name: other[name] for name in ("relatives", "phones")}, 4: {"id_number": None, "id_number_status": "absent"},
            5: {name: other[name] for name in ("place_code", "place_township", "address", "household_key")}, 6: {"former_name": other["name"], "sex": other["sex"]},
        }  # fmt: skip
        row |= changes.get(kind, {}) | {"record_hash": self.draw.getrandbits(63)}


def went_on(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each night from now on goes on from a base."""
    said: list[bool] = []
    go_on = linkage.go_on

    def watched(*arguments: Any) -> Any:
        found = go_on(*arguments)
        said.append(found is not None)
        return found

    monkeypatch.setattr(linkage, "go_on", watched)
    return said


def assert_same(one: Linked, other: Linked) -> None:
    for name, table in one.tables.items():
        assert table.equals(other.tables[name]), name


def assert_same_base(one: Base | None, other: Base | None) -> None:
    """Every array and table but the names, among which some may linger that nobody bears any more, and with them the codes of all."""
    assert one is not None and other is not None
    names = [base.records.names["name"] for base in (one, other)]
    assert set(names[1]) <= set(names[0])
    for name, sets in one.values.items():
        told = [sets.value, other.values[name].value]
        if name in ("name", "relative", "father", "mother"):
            told = [names[i].gather(value).to_list() for i, value in enumerate(told)]
        assert np.array_equal(sets.start, other.values[name].start), name
        assert np.array_equal(*told), name
    for each in ("own", "changed", "pairs"):
        assert getattr(one, each).equals(getattr(other, each)), each
    assert all(np.array_equal(getattr(one.members, f.name), getattr(other.members, f.name)) for f in fields(one.members))
    assert np.array_equal(one.over, other.over)
    assert all(np.array_equal(held, other.common[name]) for name, held in one.common.items())


@pytest.mark.parametrize(
    ("seed", "cap", "rules", "holders"), [(1, None, CHILD_RULES, 3), (2, None, CHILD_RULES, None), (3, 6, CHILD_RULES, None), (4, 4, (Rule(("relative",)), Rule(("phone",))), 4)]
)
def test_over_random_nights_the_tables_are_those_of_nights_that_begin_anew(
    seed: int, cap: int | None, rules: tuple[Rule, ...], holders: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if holders is not None:
        monkeypatch.setitem(MOST_HOLDERS, "phone", holders)
    if cap is not None:
        for room in (pairs, again_pairs):
            monkeypatch.setattr(room, "block", partial(block, rules=rules, bounds=Bounds(cap=cap)))
    said, town = went_on(monkeypatch), Town(seed)
    before: dict[str, pl.DataFrame] = {}
    over, common = 0, set()
    for night in range(6):
        rows = town.records
        whole = link_records(rows, before, town.day, shelf=tmp_path / f"anew{night}")
        again = link_records(rows, before, town.day, shelf=tmp_path / "shelf")
        assert_same(whole, again)
        base = read_base(tmp_path / "shelf")
        assert_same_base(base, read_base(tmp_path / f"anew{night}"))
        assert base is not None
        over += len(base.over)
        common.add(base.common["phone"].tobytes())
        before = whole.tables
        town.pass_a_day()
    assert said == [True] * 5
    assert (over > 0) == (cap is not None)
    assert (len(common) > 2) == (holders is not None)


BORN = date(2015, 3, 2)
BOY, TWIN, OTHER = number("500106", BORN, 135), number("500106", BORN, 137), number("500106", date(2008, 11, 26), 11)
NEAR = {"birth_date": BORN, "sex": "male"}


def rounded_and_whole() -> tuple[str, str]:
    """A number that ends in zeros and passes, and another with the same first fifteen digits."""
    for front in range(10):
        round_, whole = (number("500106", date(2015, 3, 3), front * 100 + end) for end in (0, 7))
        if round_.endswith("000"):
            return round_, whole
    raise AssertionError("no number of these ends in zeros")


ROUND, WHOLE = rounded_and_whole()
ALONE = {"feed": "health", "name": "张浩宇", **NEAR, "id_number": BOY}
STRANGER = {"feed": "health", "name": "赵六一", "birth_date": date(2022, 1, 1), "id_number": OTHER}
# rows of every night; rows of the first night alone, of the second alone; the day of the second
NIGHTS: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]], date]] = {
    "a holder of a number grows up": ([STRANGER], [], [], AS_OF + timedelta(days=3)),
    "a twin comes who bears the name": ([ALONE, {**ALONE, "feed": "survey", "name": "张皓宇"}], [], [{**ALONE, "feed": "household", "name": "张皓宇", "id_number": TWIN}], AS_OF),
    "the household register comes": ([ALONE, {**ALONE, "feed": "survey", "name": "李四喜"}], [], [{**ALONE, "feed": "household", "name": "李四喜"}], AS_OF),
    "a number turns out to be rounded": ([{**ALONE, "id_number": ROUND}], [], [{**ALONE, "feed": "survey", "id_number": WHOLE}], AS_OF),
    "a household shows a changed number": (
        [{**ALONE, "feed": "household", "household_key": "H1"}, ALONE], [], [{**ALONE, "feed": "household", "household_key": "H1", "id_number": TWIN}], AS_OF
    ),
}  # fmt: skip


@pytest.mark.parametrize("turned", [False, True], ids=["as told", "the other way round"])
@pytest.mark.parametrize("story", NIGHTS)
def test_what_comes_or_goes_changes_rows_that_stay(story: str, turned: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both nights have a town around the rows, so that what changed is little."""
    every, first, second, day = NIGHTS[story]
    town = city(30, 9)[0].to_dicts()
    nights = [(town + every + first, AS_OF), (town + every + second, day)]
    said, told = went_on(monkeypatch), []
    for rows, as_of in reversed(nights) if turned else nights:
        record = records([{k: v for k, v in row.items() if v is not None or k in ("feed", "name", "id_number")} for row in rows])
        whole = link_records(record, {}, as_of, shelf=tmp_path / f"anew{len(told)}")
        assert_same(whole, link_records(record, {}, as_of, shelf=tmp_path / "shelf"))
        assert_same_base(read_base(tmp_path / "shelf"), read_base(tmp_path / f"anew{len(told)}"))
        stays = pl.col("source_row").is_between(len(town) + 1, len(town) + len(every))
        held = whole.tables["person_record"].filter(stays)
        told.append((held.drop("person_id"), whole.tables["person"].join(held, on="person_id", how="semi").drop("records", "feeds", "first_seen", "last_seen")))
    assert said == [True]
    assert not (told[0][0].equals(told[1][0]) and told[0][1].equals(told[1][1]))


@pytest.mark.parametrize("turned", [False, True])
def test_of_one_content_read_in_two_ways_on_one_day_the_order_of_the_rows_decides_nothing(turned: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workbook and a text file of one day may hold the same row, and the workbook its number as a number."""
    said, hashed = went_on(monkeypatch), {"record_hash": 7, "feed": "health", "name": "张浩宇", **NEAR, "id_number": BOY}
    twice = [hashed | {"source_file": "b.csv"}, hashed | {"source_file": "a.xlsx", "id_number_status": "excel_rounded"}]
    town = [{k: v for k, v in row.items() if v is not None or k in ("feed", "name", "id_number")} for row in city(30, 9)[0].to_dicts()]
    held = []
    for rows in (town, town + (twice[::-1] if turned else twice), town + twice):
        whole = link_records(records(rows), {}, AS_OF, shelf=tmp_path / f"anew{len(held)}")
        assert_same(whole, link_records(records(rows), {}, AS_OF, shelf=tmp_path / "shelf"))
        held.append(whole.tables["person_record"].filter(pl.col("record_hash") == 7).select("id_role", "link_method").row(0) if rows is not town else None)
    assert held[1] == held[2] and said == [True, True]


def test_a_base_that_is_damaged_or_hashed_otherwise_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, said = city(40, 1)[0], went_on(monkeypatch)
    shelf = tmp_path / "shelf"
    whole = link_records(rows, {}, AS_OF, shelf=shelf)
    pairs = shelf / "pairs.arrow"
    pairs.write_bytes(pairs.read_bytes()[:-1] + b"\0")
    assert read_base(shelf) is None
    assert_same(whole, link_records(rows, {}, AS_OF, shelf=shelf))
    assert said == []
    assert read_base(shelf) is not None
    told = (shelf / "whole.json").read_bytes()
    for damaged in (b"", told[:-1], b"\0" * len(told), b"\xff\xfe", b"{}", b"[]"):
        (shelf / "whole.json").write_bytes(damaged)
        assert read_base(shelf) is None
    (shelf / "whole.json").write_bytes(told)
    monkeypatch.setattr(base_module, "_PROBE", 1)
    assert read_base(shelf) is None


def test_what_a_night_that_broke_off_left_is_removed_and_the_base_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, shelf = city(40, 1)[0], tmp_path / "shelf"
    link_records(rows, {}, AS_OF, shelf=shelf)
    with monkeypatch.context() as broken:
        broken.setattr(linkage.Keeping, "finish", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            link_records(rows.head(100), {}, AS_OF, shelf=shelf)
    assert len(list(tmp_path.iterdir())) == 2
    base = read_base(shelf)
    assert base is not None and base.records.count == rows["record_hash"].n_unique()
    link_records(rows, {}, AS_OF, shelf=shelf)
    assert list(tmp_path.iterdir()) == [shelf]


def test_a_night_in_which_much_changed_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, said = city(60, 2)[0], went_on(monkeypatch)
    for night in (rows.head(150), rows, rows.tail(rows.height - 20), rows.clear()):
        whole = link_records(night, {}, AS_OF)
        assert_same(whole, link_records(night, {}, AS_OF, shelf=tmp_path / "shelf"))
    assert said == [False, True, False]
    base = read_base(tmp_path / "shelf")
    assert base is not None and base.records.count == 0


def test_a_number_of_units_that_takes_another_bit_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values are kept in the bits that the number of units leaves."""
    rows = records([{"feed": "survey", "name": f"李{chr(0x4E00 + i)}", "birth_date": date(2015, 1, 1) + timedelta(days=i)} for i in range(17)])
    said = went_on(monkeypatch)
    for count in (15, 16, 17):
        assert_same(link_records(rows.head(count), {}, AS_OF), link_records(rows.head(count), {}, AS_OF, shelf=tmp_path / "shelf"))
    assert said == [False, True]


def test_what_was_taken_for_rounded_is_given_back_as_it_was_written() -> None:
    rows = Town(3).records.with_columns(id_number=pl.when(pl.col("id_number").str.ends_with("000")).then(None).otherwise("id_number"))
    numbers = [n for n in rows["id_number"].drop_nulls() if pl.select(identifiers.passes_checksum(pl.lit(n[:15] + "000"))).item()]
    spoilt = rows.filter(pl.col("id_number").is_in(numbers), pl.col("id_number_status") == "valid").with_columns(
        id_number=pl.col("id_number").str.slice(0, 15) + "000", record_hash=pl.col("record_hash") + 1
    )
    written = as_written([pl.concat([rows, spoilt])])
    read = without_rounded(written)
    assert read.rows["number"].null_count() > written.rows["number"].null_count()
    again = with_rounded(read)
    assert again.rows.equals(written.rows)
    assert again.texts.equals(written.texts)


@pytest.mark.parametrize("feed", CHILD_FEEDS)
def test_content_and_reading_settle_all_that_linkage_reads_of_a_row(feed: str, tmp_path: Path) -> None:
    """Whatever the day of the export, and whether a workbook held the number as a number."""
    take_in(feed, TINY / "inbox", tmp_path / "store", tmp_path, AS_OF)
    accepted = pl.read_parquet(tmp_path / "accepted" / f"{feed}.parquet")
    read = []
    for day in (date(2008, 1, 1), date(2016, 6, 1), AS_OF):
        for stored in (False, True):
            found = [["id_stored_as_number:id_number"]] * accepted.height if stored else accepted["warnings"]
            part = accepted.with_columns(pl.Series("warnings", found, dtype=pl.List(pl.String)), export_date=pl.lit(day))
            read.append(record_of(typed(part, FEEDS[feed]), FEEDS[feed]).select(set(READ) | {"record_hash"}).with_columns(reading=reading()))
    every = pl.concat(read).drop("export_date").unique()
    assert every["record_hash"].n_unique() < every.height or feed not in ("education", "household")
    assert every.select("record_hash", "reading").is_duplicated().sum() == 0
