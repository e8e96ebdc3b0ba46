"""What the machine refuses to a command: said with the path, exit code 2; and that what a command proposes can be given."""

import os
import shlex
import sys

import duckdb
import pytest

from flows.cli import main
from flows.settings import UnusableInputError, memory_limit, quiet_prefect
from flows.track import PUBLISHED, Station


@pytest.mark.parametrize("error", [PermissionError, NotADirectoryError, IsADirectoryError, FileExistsError])
def test_a_place_that_cannot_be_used_is_an_unusable_argument(error, tmp_path, monkeypatch, capsys):
    def refuses(*_: object) -> None:
        raise error(13, "Permission denied", str(tmp_path / "out"))

    (tmp_path / "register.duckdb").touch()
    monkeypatch.setattr("publish.rosters.write_rosters", refuses)
    monkeypatch.setattr(sys, "argv", ["childflow", "rosters", "--register", str(tmp_path / "register.duckdb"), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        f"childflow: {tmp_path / 'out'} cannot be used (Permission denied): look at the path and at who may read and write it, then give the command again\n"
    )


@pytest.mark.parametrize(("error", "said"), [(OSError(28, "No space left on device"), "the disk is full: free space, or give a place on another disk"), (MemoryError(), "memory ran out: end what else needs it")])
def test_a_disk_that_is_full_when_sheets_are_written_is_no_fault_of_ours(error, said, tmp_path, monkeypatch, capsys):
    def fills(*_: object) -> None:
        raise error

    (tmp_path / "register.duckdb").touch()
    monkeypatch.setattr("publish.rosters.write_rosters", fills)
    monkeypatch.setattr(sys, "argv", ["childflow", "rosters", "--register", str(tmp_path / "register.duckdb"), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == f"childflow: {said}, then give the command again; the last register stands\n"


def test_a_place_that_cannot_be_used_once_the_register_was_published_does_not_hide_that_it_was(tmp_path, monkeypatch, capsys):
    def refuses(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "out/rosters")

    monkeypatch.setattr("flows.nightly.nightly.fn", lambda *_: Station(refuses, "hand-out", is_after_publishing=True)())
    monkeypatch.setattr(sys, "argv", ["childflow", "run", "--inbox", str(tmp_path), "--register", str(tmp_path / "register.duckdb")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert f"out/rosters cannot be used (Permission denied); {PUBLISHED}: look at the path" in capsys.readouterr().err


def test_a_damaged_register_is_no_fault_of_ours_and_the_way_back_is_said(tmp_path, monkeypatch, capsys):
    def breaks(*_: object) -> None:
        raise duckdb.IOException("IO Error: Corrupt database file: computed checksum 1 does not match stored checksum 2 in block at location 3")

    (tmp_path / "register.duckdb").touch()
    monkeypatch.setattr("publish.rosters.write_rosters", breaks)
    monkeypatch.setattr(sys, "argv", ["childflow", "rosters", "--register", str(tmp_path / "register.duckdb"), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "the register is damaged: a part of its file cannot be read. Go back to the run before with 'childflow rollback" in capsys.readouterr().err


def test_a_register_whose_version_is_gone_is_not_said_to_be_none(tmp_path, monkeypatch, capsys):
    register = tmp_path / "register.duckdb"
    register.symlink_to("register.duckdb.d/versions/register-gone.duckdb")
    monkeypatch.setattr(sys, "argv", ["childflow", "rosters", "--register", str(register), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith(f"childflow: {register} is gone, or a link that leads nowhere: 'childflow rollback --register {register}'")


@pytest.mark.parametrize("more", [[], ["--and", "C2"]])
def test_what_is_no_register_is_said_to_be_none_by_explain(more, tmp_path, monkeypatch, capsys):
    register = tmp_path / "register.duckdb"
    duckdb.connect(str(register)).close()
    monkeypatch.setattr(sys, "argv", ["childflow", "explain", "--register", str(register), "C1", *more])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "has no table of runs, so it is no register" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "already holds files: give an empty folder"),
        (["--as-of", "2099-01-01"], "give a day nearer to today"),
        (["--rates", "none.yaml"], "none.yaml cannot be read as YAML"),
        (["--move-to", "2020-01-01"], "holds no city: write one first"),
    ],
)
def test_a_city_that_cannot_be_written_is_said_and_is_no_fault_of_ours(more, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    if not more:
        (tmp_path / "city" / "inbox").mkdir(parents=True)
        (tmp_path / "city" / "inbox" / "a.csv").touch()
    monkeypatch.setattr(sys, "argv", ["childflow", "sample", "--children", "3", "--out", "city", *more])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "2101-01-01", "9999-12-31"])
@pytest.mark.parametrize("command", [["run", "--inbox", "."], ["whatif", "--set", "months=5"]], ids=["run", "whatif"])
def test_a_day_from_which_nothing_can_be_reckoned_is_refused(command, day, tmp_path, monkeypatch, capsys):
    (tmp_path / "r.duckdb").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["childflow", *command, "--register", "new.duckdb" if command[0] == "run" else "r.duckdb", "--as-of", day])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, capsys.readouterr().err) == (2, f"childflow: --as-of takes a date from 2000-01-01 to 2100-12-31, not {day}\n")


@pytest.mark.parametrize("command", ["run", "doctor"])
@pytest.mark.parametrize("named", ["foo", "http://[bad", "http://a b/api", "ftp://127.0.0.1", "http://127.0.0.1:x/api"])
def test_what_is_no_address_of_a_server_is_said_before_prefect_is_loaded(command, named, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PREFECT_API_URL", named)
    monkeypatch.setattr(sys, "argv", ["childflow", command, "--inbox", str(tmp_path), "--register", str(tmp_path / "register.duckdb")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"childflow: PREFECT_API_URL takes the address of a Prefect server such as http://127.0.0.1:4200/api, not '{named}'\n"


@pytest.mark.parametrize(("named", "left"), [("", None), (" ", None), ("http://[::1]:4200/api", "http://[::1]:4200/api"), ("https://prefect.bureau", "https://prefect.bureau")])
def test_an_empty_address_names_no_server(named, left, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", named)
    quiet_prefect()
    assert os.environ.get("PREFECT_API_URL") == left


@pytest.mark.parametrize("size", ["0GB", "0.0 MiB", "much", "-1GB", "4"])
def test_no_size_and_a_size_of_nothing_are_no_memory_limit(size, monkeypatch):
    monkeypatch.setenv("CHILDFLOW_MEMORY", size)
    with pytest.raises(UnusableInputError, match=f"^CHILDFLOW_MEMORY takes a size such as 4GB or 800MiB, not '{size}'$"):
        memory_limit()


@pytest.mark.parametrize("size", ["0.5GB", "10 MiB", "4gb"])
def test_a_size_is_taken_as_it_stands(size, monkeypatch):
    monkeypatch.setenv("CHILDFLOW_MEMORY", size)
    assert memory_limit() == size


def test_a_proposed_command_can_be_pasted_though_the_path_has_blanks(tmp_path, monkeypatch, capsys):
    out = tmp_path / "made up city"
    monkeypatch.setattr(sys, "argv", ["childflow", "sample", "--children", "20", "--seed", "1", "--out", str(out), "--as-of", "2026-11-24"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    proposed = shlex.split(capsys.readouterr().out.splitlines()[-1].removeprefix("Next: "))
    assert proposed == ["childflow", "run", "--inbox", str(out / "inbox"), "--register", str(out / "register.duckdb"), "--as-of", "2026-11-24"]
