"""Nights in which something runs out or breaks, end to end: what is said, that the last register stands untouched, and that the next run completes as if nothing had been."""

import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from polars.exceptions import PanicException

from flows import nightly as nights
from flows import settings
from flows.faults import ResourceError
from flows.findings import lines
from flows.nightly import nightly
from flows.track import Station
from flows.unchanged import HANDED_OUT
from schemas.growing import GrowingParquet
from tests.journey.conftest import ROOT, TINY, tables

DISK = "the disk is full; nothing was published and the last register stands. Free space"
MEMORY = "the memory limit was reached; nothing was published and the last register stands. Raise CHILDFLOW_MEMORY"
STATIONS = ("RECALL", "INTAKE", "STRAYS", "STANDARDISE", "LINK", "ANSWERS", "FACTS", "DECIDE")


def marked(_: Path, out: Path, run_id: str) -> None:
    """Hands out nothing, which takes longest and changes no table but its own log."""
    out.mkdir(exist_ok=True)
    (out / HANDED_OUT).write_text(run_id, "ascii")


@pytest.fixture
def register(tiny_register: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a good register with all that lies beside it."""
    monkeypatch.setattr(nights, "HAND_OUT", marked)
    shutil.copytree(tiny_register.parent, tmp_path / "copy", symlinks=True)
    return tmp_path / "copy" / tiny_register.name


def standing(register: Path) -> tuple[str, bytes]:
    """Which version the register is, and its bytes; nothing half-built lies beside it, and nothing is left of a run."""
    state = register.with_name(f"{register.name}.d")
    assert [p for p in state.iterdir() if p.name.startswith(".")] == []
    assert not (state / "work").exists() or list((state / "work").iterdir()) == []
    assert [v.name for v in (state / "versions").iterdir()] == [register.resolve().name]
    return register.resolve().name, register.read_bytes()


def assert_completes(register: Path, as_of: str) -> None:
    """The next run gives the tables of the one before all faults."""
    before = tables(register)
    nightly.fn(str(TINY / "inbox"), str(register), as_of, True)
    after = tables(register)
    assert before.keys() == after.keys() and after["run"].height == before["run"].height + 1
    for name in sorted(set(before) - {"run", "export_log"}):
        assert before[name].equals(after[name]), name


def limited(kind: int, size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(kind, (size, size))


@pytest.mark.parametrize(
    ("file_size", "memory", "said"),
    [
        (8 * 1024, "4GB", f"childflow: station recall: {DISK}"),
        (4 * 2**20, "4GB", f"childflow: station publish: {DISK}"),
        (2**40, "10MB", f"childflow: station facts: {MEMORY}"),
        (2**40, "30MB", f"childflow: station publish: {MEMORY}"),
    ],
    ids=["a disk full at once", "a disk full while the register is built", "memory for facts", "memory for the register"],
)
def test_what_runs_out_is_said_by_the_command_and_the_next_run_completes(file_size, memory, said, register, tiny_as_of, monkeypatch):
    """Real limits of the system and of DuckDB, which the command meets by itself."""
    stood = standing(register)
    call = [sys.executable, "-c", "from flows.cli import main; main()", "run", "--anew", "--inbox", str(TINY / "inbox"), "--register", str(register), "--as-of", tiny_as_of]
    monkeypatch.setenv("CHILDFLOW_MEMORY", memory)
    done = subprocess.run(call, capture_output=True, text=True, cwd=ROOT, timeout=300, check=False, preexec_fn=limited(resource.RLIMIT_FSIZE, file_size))
    assert done.returncode == 1 and done.stderr.splitlines()[-1].startswith(said), done.stderr
    assert standing(register) == stood
    monkeypatch.delenv("CHILDFLOW_MEMORY")
    assert_completes(register, tiny_as_of)


def filled(work: Callable) -> Callable:
    """A station that does its work and then finds the disk full."""

    def full(*args: object) -> None:
        work(*args)
        with Path("/dev/full").open("w") as disk:
            disk.write("x" * 10_000)

    return full


def test_a_disk_that_fills_up_at_any_station_leaves_the_register_and_the_next_run_completes(register, tiny_as_of, monkeypatch):
    stood = standing(register)
    for name in STATIONS:
        station: Station = getattr(nights, name)
        with monkeypatch.context() as tonight:
            tonight.setattr(station, "_function", filled(station._function))
            with pytest.raises(ResourceError, match=f"station {station.name}: {DISK}"):
                nightly.fn(str(TINY / "inbox"), str(register), tiny_as_of, True)
        assert standing(register) == stood, name
    assert_completes(register, tiny_as_of)


def broken_off_once(work: Callable) -> Callable:
    """A station that does its work, breaks off in a library the first time, and does it again."""
    tried: set[object] = set()

    def once(*args: object) -> None:
        work(*args)
        if args[0] not in tried:
            tried.add(args[0])
            raise PanicException

    return once


def test_a_night_in_which_a_library_breaks_off_at_every_station_gives_the_same_tables(register, tiny_as_of, monkeypatch, capsys):
    """Behind its work at the stations that write tables whole, and with a table half written at those that write part by part."""
    for name in ("RECALL", "INTAKE", "STRAYS", "ANSWERS", "FACTS"):
        station: Station = getattr(nights, name)
        monkeypatch.setattr(station, "_function", broken_off_once(station._function))
    half_written = {"record/education.parquet", "person.parquet", "assessment.parquet"}
    close = GrowingParquet.__exit__

    def broken_off(self: GrowingParquet, *error: object) -> None:
        close(self, *error)
        for name in [name for name in half_written if str(self._path).endswith(f"/{name}")]:
            half_written.remove(name)
            self._path.write_bytes(self._path.read_bytes()[:100])
            raise PanicException

    monkeypatch.setattr(GrowingParquet, "__exit__", broken_off)
    assert_completes(register, tiny_as_of)
    assert half_written == set()
    said = capsys.readouterr().err
    for name in ("recall", "intake", "strays", "standardise", "link", "answers", "facts", "decide"):
        assert f" {name}: a library broke off in itself; trying once more\n" in said, name


def test_the_next_run_says_that_one_was_killed_and_where(register, tiny_as_of, capsys):
    killed = register.with_name(f"{register.name}.d") / "work" / "20261124T180000-00042"
    killed.mkdir(parents=True)
    (killed / ".at").write_text("link", "ascii")
    (killed / "person.parquet").write_bytes(b"PAR1")
    assert_completes(register, tiny_as_of)
    said = capsys.readouterr().err
    assert "run 20261124T180000-00042 never came to an end: it died at link (killed, out of memory, or the machine went down); what it left is removed" in said
    assert not killed.exists()


def test_an_export_cut_half_way_is_refused_and_sent_again_gives_the_tables_of_a_night_without_it(tmp_path, tiny_as_of, monkeypatch):
    """One register sees the cut export on the second night and the whole one on the third; the other only the whole one."""
    monkeypatch.setattr(nights, "HAND_OUT", marked)
    inbox = tmp_path / "inbox"
    shutil.copytree(TINY / "inbox", inbox)
    (old,) = (inbox / "household").glob("*.csv")
    new = old.with_name("household_20261120.csv")
    whole = old.read_bytes()
    cut = whole[: len(whole) // 2]
    registers = {name: tmp_path / name / "register.duckdb" for name in ("cut", "whole")}

    def evening(name: str, number: int) -> dict:
        moment = datetime(2026, 11, 24, 20, tzinfo=UTC).replace(tzinfo=None) + timedelta(days=number)
        monkeypatch.setattr(settings, "now", lambda: moment)
        monkeypatch.setattr("flows.nightly.now", lambda: moment)
        return nightly.fn(str(inbox), str(registers[name]), tiny_as_of)

    for name in registers:
        evening(name, 0)
    before = tables(registers["cut"])
    new.write_bytes(cut)
    said = "\n".join(lines(evening("cut", 1)))
    assert "Note: household/household_20261120.csv was not taken in: 文件在最后一行中断" in said and "1 files rejected" in said
    after = tables(registers["cut"])
    assert all(before[name].equals(after[name]) for name in ("person", "person_record", "assessment", "flowing_child", "ledger", "ledger_event"))
    new.write_bytes(whole)
    for name in registers:
        evening(name, 2)
    one, other = (tables(register) for register in registers.values())
    for name in sorted(set(one) - {"run"}):
        assert one[name].equals(other[name]), name
