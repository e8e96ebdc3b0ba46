"""The night in which nothing changed, against one that goes through all stations: the same tables; and what ends such a night."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from flows import settings
from flows.findings import lines
from flows.nightly import nightly
from flows.settings import Night, night
from flows.unchanged import look, same_as_last
from publish.register import rollback
from tests.journey.conftest import TINY, tables


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


def test_over_nights_some_of_which_change_nothing_the_tables_are_those_of_nights_that_went_through_all_stations(tmp_path, tiny_as_of, monkeypatch):
    inbox = tmp_path / "inbox"
    shutil.copytree(TINY / "inbox", inbox)
    registers = {anew: tmp_path / f"anew_{anew}" / "register.duckdb" for anew in (False, True)}
    stood = []
    for number, change in enumerate((None, None, changed)):
        if change:
            change(inbox)
        for anew, register in registers.items():
            result = evening(inbox, register, tiny_as_of, number, monkeypatch, anew=anew)
            stood += [number] if "unchanged_since" in result else []
    assert stood == [1]
    quick, whole = tables(registers[False]), tables(registers[True])
    assert quick.keys() == whole.keys()
    runs = quick.pop("run")
    # what was handed out is entered by the next night that goes through all stations
    assert quick.pop("export_log").height <= whole.pop("export_log").height
    assert sorted(runs["state"]) == ["published", "published", "unchanged"]
    assert whole.pop("run").height == runs.height
    for name, table in quick.items():
        assert table.equals(whole[name]), name
    unchanged = runs.filter(pl.col("state") == "unchanged")
    assert all("完全相同" in remark for remarks in unchanged["remarks"] for remark in remarks)


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


def handed_out_in_part(_: Path, register: Path) -> None:
    (register.with_name(register.name + ".d") / "out" / "report.html").unlink()


def store_other(_: Path, register: Path) -> None:
    next((register.with_name(register.name + ".d") / "intake" / "residence").glob("*.json")).unlink()


@pytest.mark.parametrize("change", [other_file, file_gone, file_renamed, changed, decision, handed_out_in_part, store_other], ids=lambda c: c.__name__)
def test_what_ends_a_night_in_which_nothing_changed(change: Callable, tiny_register, tiny_as_of, tmp_path):
    register, inbox = standing(tiny_register, tmp_path), tmp_path / "inbox"
    shutil.copytree(TINY / "inbox", inbox)
    before = tonight(register, inbox, tiny_as_of)
    assert same_as_last(before, look(before)) is not None
    change(*((inbox, register) if change is not changed else (inbox,)))
    after = tonight(register, inbox, tiny_as_of)
    assert same_as_last(after, look(after)) is None


def test_another_day_or_another_program_is_another_night(tiny_register, tiny_as_of, tmp_path, monkeypatch):
    register = standing(tiny_register, tmp_path)
    next_day = tonight(register, TINY / "inbox", "2026-11-25")
    assert same_as_last(next_day, look(next_day)) is None
    same = tonight(register, TINY / "inbox", tiny_as_of)
    monkeypatch.setattr("flows.unchanged._ROOMS", ("flows",))
    assert same_as_last(same, look(same)) is None


def test_a_register_without_runs_that_know_of_it_goes_through_all_stations(tmp_path, tiny_as_of):
    fresh = tonight(tmp_path / "register.duckdb", TINY / "inbox", tiny_as_of)
    assert same_as_last(fresh, look(fresh)) is None


def test_a_register_rolled_back_stands_on_what_it_then_knew(tiny_register, tiny_as_of, tmp_path):
    """Two nights with other files; back at the first, its files are no longer what the store holds, so the night goes through all stations."""
    register, inbox = standing(tiny_register, tmp_path), tmp_path / "inbox"
    shutil.copytree(TINY / "inbox", inbox)
    changed(inbox)
    nightly.fn(str(inbox), str(register), tiny_as_of)
    rollback(register)
    back = tonight(register, TINY / "inbox", tiny_as_of)
    assert same_as_last(back, look(back)) is None
