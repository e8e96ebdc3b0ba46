"""The night in which nothing changed, against one that goes through all stations: the same tables; and what ends such a night."""

import os
import random
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from flows import nightly as nights
from flows import reuse, settings
from flows.findings import lines
from flows.nightly import nightly
from flows.settings import Night, UnusableInputError, night
from flows.unchanged import HANDED_OUT, is_same_night, last_run, look
from matching.standing import same_on_both_days
from publish.register import rollback
from schemas.exports.inbox import sha256
from schemas.exports.intake import take_in
from schemas.tables.decision import DECISION
from tests.journey.conftest import TINY, ordered, tables


def evening(inbox: Path, register: Path, as_of: str, number: int, monkeypatch: pytest.MonkeyPatch, *, anew: bool) -> dict:
    """One night at a clock of its own, so that two registers may be compared."""
    moment = datetime(2026, 11, 24, 20, tzinfo=UTC).replace(tzinfo=None) + timedelta(days=number)
    monkeypatch.setattr(settings, "now", lambda: moment)
    monkeypatch.setattr("flows.nightly.now", lambda: moment)
    return nightly.fn(str(inbox), str(register), as_of, anew)


def changed(inbox: Path) -> None:
    """One department sends its file again without some of its rows."""
    (file,) = (inbox / "residence").glob("*.csv")
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:1] + lines[6:]))


def decided(register: Path) -> None:
    """A clerk says of two possible matches that they are one child and of two that they are not; the decisions come to lie beside the register."""
    with duckdb.connect(str(register.resolve()), read_only=True) as con:
        queue = con.sql("SELECT * FROM review_queue WHERE decision IS NULL ORDER BY pair_id LIMIT 4").pl()
    taken = queue.with_columns(
        decision=pl.Series(["same", "different"] * 2)[: queue.height], decided_by=pl.lit("核对员"), decided_on=pl.lit(date(2026, 11, 25)),
        remark=pl.lit(None, pl.String), source_file=pl.lit("review.xlsx"), source_row=pl.int_range(pl.len(), dtype=pl.UInt32),
    )  # fmt: skip
    folder = register.with_name(register.name + ".d") / "decisions"
    folder.mkdir(exist_ok=True)
    DECISION.conform(taken).write_parquet(folder / "000001-clerk.parquet")


def marked(_: Path, out: Path, run_id: str) -> None:
    """Hands out nothing."""
    out.mkdir(exist_ok=True)
    (out / HANDED_OUT).write_text(run_id, "ascii")


class Watched:
    """Two registers over the same nights: one that may use again what stands, one that goes through all stations; and what each made anew."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.inbox, self.monkeypatch, self.number = folder / "inbox", monkeypatch, 0
        shutil.copytree(TINY / "inbox", self.inbox)
        self.registers = {anew: folder / f"anew_{anew}" / "register.duckdb" for anew in (False, True)}
        self.made: list[str] = []
        # what is handed out changes no table but its own log, and takes longest
        monkeypatch.setattr(nights, "HAND_OUT", marked)
        for name in ("link", "standardise"):
            monkeypatch.setattr(reuse, name, self._counted(name, getattr(reuse, name)))

    def _counted(self, name: str, function: Callable) -> Callable:
        def counted(first: object, *rest: object, **named: object) -> None:
            self.made.append(name if name == "link" else str(first))
            function(first, *rest, **named)

        return counted

    def night(self, day: date) -> set[str]:
        """One night on both; what the one that may use things again made anew."""
        made = set()
        for anew, register in self.registers.items():
            self.made.clear()
            evening(self.inbox, register, day.isoformat(), self.number, self.monkeypatch, anew=anew)
            made = made if anew else set(self.made)
        self.number += 1
        return made

    def assert_equal(self) -> None:
        """The registers hold the same, table for table."""
        quick, whole = (tables(self.registers[anew]) for anew in (False, True))
        assert quick.keys() == whole.keys()
        # an unchanged night says that it is one
        quick["run"], whole["run"] = (ordered(t["run"].drop("state", "remarks")) for t in (quick, whole))
        for name, table in quick.items():
            assert table.equals(whole[name]), name


def test_the_linkage_and_the_feeds_that_did_not_change_are_used_again_on_the_next_day(tmp_path, tiny_as_of, monkeypatch):
    day = date.fromisoformat(tiny_as_of)
    both = Watched(tmp_path, monkeypatch)
    assert both.night(day) >= {"link", "household", "verification"}
    assert both.night(day + timedelta(days=1)) == set()
    both.assert_equal()
    changed(both.inbox)
    for register in both.registers.values():
        decided(register)
    assert both.night(day + timedelta(days=2)) == {"link", "residence"}
    both.assert_equal()


def test_a_correction_that_no_longer_counts_does_not_stay_with_the_persons_of_the_last_night(tmp_path, tiny_as_of, monkeypatch):
    day = date.fromisoformat(tiny_as_of)
    both = Watched(tmp_path, monkeypatch)
    both.night(day)
    child, was = tables(both.registers[False])["flowing_child"].sort("person_id").select("person_id", "name").row(0)

    def name() -> tuple[str, list[str]]:
        both.assert_equal()
        return tables(both.registers[False])["person"].filter(person_id=child).select("name", "former_names").row(0)

    def answers(department: str, value: str, said: date) -> None:
        cells = {"花名册编号": f"HMC-{day:%Y%m%d}-500116-XX", "人员编码": child, "核实部门": department, "核实结果": "信息有误", "更正项目": "姓名", "更正内容": value, "核实日期": said.isoformat()}
        pl.DataFrame([cells]).write_csv(both.inbox / "verification" / f"verification_{said:%Y%m%d}_{department}.csv")

    answers("教育", "测更名", day + timedelta(days=1))
    both.night(day + timedelta(days=1))
    assert name() == ("测更名", [was])
    assert both.night(day + timedelta(days=2)) == set()
    # for a day on which it had not been given, and by a second department that says otherwise
    both.night(day)
    assert name() == (was, [])
    both.night(day + timedelta(days=2))
    answers("医保", "测另名", day + timedelta(days=3))
    both.night(day + timedelta(days=3))
    assert name() == (was, [])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_over_random_nights_the_tables_are_those_of_nights_that_went_through_all_stations(seed, tmp_path, tiny_as_of, monkeypatch):
    """Days that move on, back or not at all; a feed sent again with rows missing, an older file gone, decisions, a rollback of both registers."""
    draw, day = random.Random(seed), date.fromisoformat(tiny_as_of)
    both = Watched(tmp_path, monkeypatch)
    both.night(day)
    for _ in range(8):
        day += timedelta(days=draw.choice([0, 1, 1, 7, 40]))
        match draw.randrange(5):
            case 0:
                changed(both.inbox)
            case 1:
                victim = draw.choice(sorted(f for f in both.inbox.rglob("*") if f.is_file()))
                victim.unlink()
            case 2:
                for register in both.registers.values():
                    decided(register)
            case 3 if both.number > 2:
                for register in both.registers.values():
                    rollback(register)
        both.night(day)
        both.assert_equal()


def test_a_holder_of_a_number_who_grows_up_between_two_days_ends_the_linkage(tmp_path):
    (tmp_path / "record").mkdir()
    number = pl.DataFrame({"id_number": ["50010120081125001X", None], "key_id_number": pl.Series([None, None], dtype=pl.String)})
    number.write_parquet(tmp_path / "record" / "education.parquet")
    assert same_on_both_days(tmp_path, date(2026, 11, 20), date(2026, 11, 24))
    assert not same_on_both_days(tmp_path, date(2026, 11, 24), date(2026, 11, 25))
    assert not same_on_both_days(tmp_path, date(2026, 11, 25), date(2026, 11, 24))
    assert same_on_both_days(tmp_path, date(2026, 11, 25), date(2026, 11, 30))


def test_a_damaged_shelf_is_no_shelf(tmp_path, tiny_as_of):
    work, shelf = tmp_path / "work", tmp_path / "shelf"
    take_in("residence", TINY / "inbox", tmp_path / "store", work, date.fromisoformat(tiny_as_of))
    reuse.standardise_or_reuse("residence", work, shelf, "program", False)
    good = pl.read_parquet(work / "record" / "residence.parquet")
    (kept,) = shelf.rglob("record.parquet")
    # a second name of the work folder's file: removed there first, as every night does
    shutil.rmtree(work / "record")
    kept.write_bytes(kept.read_bytes()[:-200])
    reuse.standardise_or_reuse("residence", work, shelf, "program", False)
    assert pl.read_parquet(work / "record" / "residence.parquet").equals(good)
    assert [p.name for p in sorted(shelf.rglob("*")) if p.is_file()] == ["record.parquet", "standard.parquet", "whole"]
    (mark,) = shelf.rglob("whole")
    for damaged in (b"", b"\0\0", b"\xff\xfe"):
        mark.write_bytes(damaged)
        assert not reuse.stands("residence", work, shelf, "program", False)


def test_a_feed_done_in_parts_stands_on_the_shelf_like_one_done_in_one(tmp_path, tiny_as_of):
    nights = [tmp_path / name for name in ("first", "second", "third")]
    for work in nights:
        take_in("residence", TINY / "inbox", tmp_path / "store", work, date.fromisoformat(tiny_as_of))
    first, second, third = (("residence", work, tmp_path / "shelf", "program") for work in nights)
    made = reuse.feed_parts(*first, False)
    for part in made:
        reuse.feed_part(part, *first, False)
    reuse.feed_joined(made, *first, False)
    assert len(made) == 1 and reuse.feed_parts(*second, False) == []
    reuse.feed_joined([], *second, False)
    reuse.standardise_or_reuse(*third, True)
    found = [pl.read_parquet(work / "record" / "residence.parquet") for work in nights]
    assert found[0].height > 0 and all(frame.equals(found[0]) for frame in found)


def test_a_night_that_changed_nothing_is_said(tmp_path, tiny_register, tiny_as_of):
    register = standing(tiny_register, tmp_path)
    result = nightly.fn(str(TINY / "inbox"), str(register), tiny_as_of)
    assert result["unchanged_since"]
    assert lines(result)[0] == f"Nothing has changed since run {result['unchanged_since']}: its tables stand, and this run is entered"
    assert list(result["seconds"]) == ["unchanged"]


def standing(register: Path, folder: Path) -> Path:
    """A copy of a register with all that lies beside it, its link whole."""
    shutil.copytree(register.parent, folder / "copy", symlinks=True)
    return folder / "copy" / register.name


def tonight(register: Path, inbox: Path, as_of: str) -> Night:
    return night(str(inbox), str(register), as_of)


def is_same(night: Night) -> bool:
    return is_same_night(night, look(night), last_run(night.register))


def other_file(inbox: Path, _: Path) -> None:
    (inbox / "readme.txt").write_text("new", "utf-8")


def file_gone(inbox: Path, _: Path) -> None:
    shutil.rmtree(inbox / "survey")


def file_renamed(inbox: Path, _: Path) -> None:
    (file,) = (inbox / "residence").glob("*.csv")
    file.rename(file.with_name("residence_20261106.csv"))


def decision(_: Path, register: Path) -> None:
    folder = register.with_name(register.name + ".d") / "decisions"
    folder.mkdir(exist_ok=True)
    (folder / "000001-x.parquet").write_bytes(b"x")


def mark_damaged(_: Path, register: Path) -> None:
    (register.with_name(register.name + ".d") / "out" / HANDED_OUT).write_bytes(b"\xff\xfe")


def handed_out_in_part(_: Path, register: Path) -> None:
    (register.with_name(register.name + ".d") / "out" / ".run").write_text("the run before", "ascii")


def store_other(_: Path, register: Path) -> None:
    next((register.with_name(register.name + ".d") / "intake" / "residence").glob("*.json")).unlink()


@pytest.mark.parametrize("change", [other_file, file_gone, file_renamed, changed, decision, handed_out_in_part, mark_damaged, store_other], ids=lambda c: c.__name__)
def test_what_ends_a_night_in_which_nothing_changed(change: Callable, tiny_register, tiny_as_of, tmp_path):
    register, inbox = standing(tiny_register, tmp_path), tmp_path / "inbox"
    shutil.copytree(TINY / "inbox", inbox)
    before = tonight(register, inbox, tiny_as_of)
    assert is_same(before)
    change(*((inbox, register) if change is not changed else (inbox,)))
    after = tonight(register, inbox, tiny_as_of)
    assert not is_same(after)


def test_a_file_nobody_may_read_does_not_end_the_night_before_it_begins(tiny_register, tiny_as_of, tmp_path, monkeypatch):
    register, inbox = standing(tiny_register, tmp_path), tmp_path / "inbox"
    shutil.copytree(TINY / "inbox", inbox)
    before = look(tonight(register, inbox, tiny_as_of)).digest

    def closed(path: Path) -> str:
        if path.name.startswith("household"):
            raise PermissionError(13, "Permission denied")
        return sha256(path)

    monkeypatch.setattr("flows.unchanged.sha256", closed)
    after = look(tonight(register, inbox, tiny_as_of)).digest
    assert after != before
    assert look(tonight(register, inbox, tiny_as_of)).digest == after


def test_a_file_whose_name_is_no_utf_8_does_not_end_the_night_before_it_begins(tiny_register, tiny_as_of, tmp_path):
    register, inbox = standing(tiny_register, tmp_path), tmp_path / "inbox"
    shutil.copytree(TINY / "inbox", inbox)
    before = look(tonight(register, inbox, tiny_as_of)).digest
    (inbox / "household" / os.fsdecode("household_20261103_沙坪坝.csv".encode("gb18030"))).write_bytes(b"x")
    assert look(tonight(register, inbox, tiny_as_of)).digest != before


def test_another_password_is_another_night_and_an_unusable_one_none(tiny_register, tiny_as_of, tmp_path, monkeypatch):
    same = tonight(standing(tiny_register, tmp_path), TINY / "inbox", tiny_as_of)
    monkeypatch.setenv("CHILDFLOW_PASSWORD_FILE", str(tmp_path / "password"))
    with pytest.raises(UnusableInputError, match=r"the password file .* cannot be read"):
        is_same(same)
    (tmp_path / "password").write_text("长江\n", "utf-8")
    locked = look(same).digest
    assert not is_same(same)
    (tmp_path / "password").write_text("嘉陵江\n", "utf-8")
    assert look(same).digest != locked


def test_another_day_or_another_program_is_another_night(tiny_register, tiny_as_of, tmp_path, monkeypatch):
    register = standing(tiny_register, tmp_path)
    next_day = tonight(register, TINY / "inbox", "2026-11-25")
    assert not is_same(next_day)
    same = tonight(register, TINY / "inbox", tiny_as_of)
    monkeypatch.setattr("flows.unchanged._ROOMS", ("flows",))
    assert not is_same(same)


def test_a_register_without_runs_that_know_of_it_goes_through_all_stations(tmp_path, tiny_as_of):
    fresh = tonight(tmp_path / "register.duckdb", TINY / "inbox", tiny_as_of)
    assert not is_same(fresh)


def test_a_register_rolled_back_stands_on_what_it_then_knew(tiny_register, tiny_as_of, tmp_path):
    """Two nights with other files; back at the first, its files are no longer what the store holds, so the night goes through all stations."""
    register, inbox = standing(tiny_register, tmp_path), tmp_path / "inbox"
    shutil.copytree(TINY / "inbox", inbox)
    changed(inbox)
    nightly.fn(str(inbox), str(register), tiny_as_of)
    rollback(register)
    back = tonight(register, TINY / "inbox", tiny_as_of)
    assert not is_same(back)
