"""What the machine runs out of, in words: kinds of error as data, a real full disk, a real memory limit."""

import errno
import sys

import duckdb
import polars as pl
import pytest
from polars.exceptions import PanicException

from flows import cluster
from flows.cli import in_words, main
from flows.faults import ClusterError, ResourceError, resource_fault
from flows.room import needed, require_room
from flows.settings import UnusableInputError, night
from flows.track import PUBLISHED, STANDS, Station, StationFailedError
from schemas.growing import GrowingParquet


def chained(cause: Exception) -> Exception:
    try:
        raise ValueError("somebody's name") from cause
    except ValueError as error:
        return error


DISK = [
    OSError(errno.ENOSPC, "No space left on device"),
    OSError(errno.EDQUOT, "Disk quota exceeded"),
    duckdb.IOException('IO Error: Could not write all bytes to file "x": No space left on device'),
    pl.exceptions.ComputeError("No space left on device (os error 28)"),
    pl.exceptions.ComputeError("parquet: File out of specification: Invalid thrift: transport error"),
    chained(OSError(errno.ENOSPC, "No space left on device")),
]
MEMORY = [MemoryError(), RuntimeError("can't start new thread"), duckdb.OutOfMemoryException("Out of Memory Error: could not allocate block"), chained(MemoryError())]
OTHER = [OSError(errno.EACCES, "Permission denied"), duckdb.IOException("IO Error: Connection error"), ValueError("memory"), KeyError("disk")]


@pytest.mark.parametrize("error", DISK, ids=lambda e: type(e).__name__)
def test_a_full_disk_is_said_with_what_to_do(error):
    said = str(resource_fault(error, "intake", STANDS))
    assert said == (
        "station intake: the disk is full; nothing was published and the last register stands. Free space where the register lies (or set "
        "CHILDFLOW_SPILL to another disk), then run again with the same files: docs/operations.md, 'The disk is full', says what may go"
    )


@pytest.mark.parametrize("error", MEMORY, ids=lambda e: type(e).__name__)
def test_a_memory_limit_is_said_with_what_to_do(error):
    said = str(resource_fault(error, "publish", STANDS))
    assert said == (
        "station publish: the memory limit was reached; nothing was published and the last register stands. Raise CHILDFLOW_MEMORY (or set "
        "CHILDFLOW_WORKERS=1), then run again with the same files: docs/operations.md, 'The memory limit is reached'"
    )


@pytest.mark.parametrize("error", OTHER, ids=lambda e: type(e).__name__)
def test_other_faults_are_not_called_full_disks(error):
    assert resource_fault(error, "intake", STANDS) is None


def test_a_station_behind_publication_never_says_that_nothing_was_published():
    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ResourceError, match=f"hand-out: the disk is full; {PUBLISHED}"):
        Station(full, "hand-out", is_after_publishing=True)()
    with pytest.raises(StationFailedError, match=PUBLISHED):
        Station(broken, "hand-out", is_after_publishing=True)()
    with pytest.raises(StationFailedError, match=STANDS):
        Station(broken, "decide")()


@pytest.mark.parametrize("error", [OSError(errno.EIO, "Input/output error", "roster.xlsx"), duckdb.IOException("IO Error: stale handle")], ids=lambda e: type(e).__name__)
@pytest.mark.parametrize(("is_after", "stands"), [(False, STANDS), (True, PUBLISHED)])
def test_what_stands_is_said_of_a_fault_of_the_file_system_too(error, is_after, stands):
    def broken() -> None:
        raise type(error)(*error.args[:2]) from None

    for _ in range(2):  # as when it is tried again
        with pytest.raises(type(error)) as told:
            Station(broken, "hand-out", is_after_publishing=is_after)()
    assert in_words(told.value).endswith(f"); {stands}")


@pytest.mark.parametrize(("error", "tries"), [(PanicException, 2), (KeyboardInterrupt, 1), (ZeroDivisionError, 1)])
def test_only_where_a_library_breaks_off_in_itself_a_station_is_tried_once_more(error, tries, capsys):
    tried = []

    def broken() -> None:
        tried.append(1)
        raise error("张三 500106201501011230")

    with pytest.raises((StationFailedError, KeyboardInterrupt)) as told:
        Station(broken, "decide")()
    assert len(tried) == tries
    if error is not KeyboardInterrupt:
        assert str(told.value).startswith(f"station decide broke: {error.__name__} at flows/test_resource_faults.py:") and STANDS in str(told.value)
        assert "张三" not in str(told.value) + capsys.readouterr().err


def test_a_command_in_which_a_library_breaks_off_says_so_in_words(tmp_path, monkeypatch, capsys):
    def broken(*_: object) -> None:
        raise PanicException("张三 500106201501011230")

    (tmp_path / "register.duckdb").touch()
    monkeypatch.setattr("publish.rosters.write_rosters", broken)
    monkeypatch.setattr(sys, "argv", ["childflow", "rosters", "--register", str(tmp_path / "register.duckdb"), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert said.startswith("childflow: broke through a fault of ours (PanicException at test_resource_faults.py:") and said.endswith("; the last register stands\n")


def test_what_another_library_noted_of_an_error_is_not_told():
    error = OSError(errno.EIO, "Input/output error")
    error.add_note("张三 500106201501011230")
    with pytest.raises(OSError, match="Input/output") as told:
        raise error
    assert in_words(told.value).endswith("); the last register stands")


def test_a_file_that_cannot_grow_is_a_full_disk(tmp_path):
    """A real one where the system has /dev/full: every write to it fails as on a full disk."""
    (tmp_path / "table.parquet").symlink_to("/dev/full")

    def write() -> None:
        with GrowingParquet(tmp_path / "table.parquet") as out:
            out.write(pl.DataFrame({"a": range(10)}))

    with pytest.raises(ResourceError, match="station standardise: the disk is full"):
        Station(write, "standardise")()


def test_a_memory_limit_that_is_reached_in_duckdb_is_said(tmp_path):
    def sort() -> None:
        with duckdb.connect(config={"memory_limit": "4MB", "temp_directory": ""}) as con:
            con.execute("CREATE TABLE t AS SELECT md5(range::VARCHAR) AS a FROM range(2000000)")

    with pytest.raises(ResourceError, match="station publish: the memory limit was reached"):
        Station(sort, "publish")()


def test_a_night_without_room_is_refused_before_it_starts(tmp_path, monkeypatch):
    (tmp_path / "inbox" / "household").mkdir(parents=True)
    (tmp_path / "inbox" / "household" / "household_20261103.csv").write_bytes(b"x" * 10_000)
    require_room(tmp_path / "inbox", tmp_path / "state" / "register.duckdb")
    monkeypatch.setattr("flows.room.free", lambda _: 100 * 2**20)
    with pytest.raises(ResourceError, match=r"has 0\.1 GiB free and this inbox needs about 0\.2 GiB: nothing was started"):
        require_room(tmp_path / "inbox", tmp_path / "state" / "register.duckdb")


def test_a_compressed_file_counts_as_its_text(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"x" * 600_000)
    plain = needed(tmp_path)
    (tmp_path / "a.csv").rename(tmp_path / "a.csv.gz")
    assert needed(tmp_path) > plain


class KilledWorker(Exception):  # noqa: N818 - as Dask calls it
    """What Dask raises where workers die over a task, without loading Dask."""


KilledWorker.__module__ = "distributed.scheduler"


class Gone:
    """A task runner whose workers die."""

    def submit(self, *_: object) -> "Gone":
        return self

    def result(self) -> None:
        raise KilledWorker("a task with a path in its name")


def test_workers_that_die_over_a_part_are_said_without_the_part(monkeypatch):
    monkeypatch.setattr("flows.track.opened", Gone)
    with pytest.raises(ClusterError, match=r"station decide: the workers are gone, or one died each time over the same part \(KilledWorker\); nothing was published") as told:
        Station(print, "decide").on_workers([1, 2])
    assert "path" not in str(told.value)


def test_workers_are_asked_for_inside_a_flow_run_only(tmp_path, monkeypatch):
    monkeypatch.setenv("CHILDFLOW_RUNNER", "dask")
    with pytest.raises(UnusableInputError, match="works inside a Prefect flow run only"), cluster.workers(night(str(tmp_path), str(tmp_path / "r.duckdb"))):
        pass
    with pytest.raises(StationFailedError, match="station block has no workers"):
        Station(print, "block").on_workers([1])


def test_on_workers_parts_need_room_and_linkage_keeps_nothing(tmp_path):
    floor = needed(tmp_path)
    (tmp_path / "a.csv").write_bytes(b"x" * 1_000_000)
    assert (needed(tmp_path) - floor, needed(tmp_path, "dask") - floor) == (6_000_000, 5_500_000)
