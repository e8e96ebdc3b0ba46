"""What would stop tonight's run, or make it poorer. Enters: an inbox and a register. Leaves: findings, each with what to do. Changes nothing."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import duckdb
import httpx
from packaging.requirements import Requirement
from prefect.settings import get_current_settings

from flows.died import died
from flows.room import GIB, free, needed, unwritable
from flows.settings import DASK, THREADS, UnusableInputError, kept_versions, memory_limit, password, runner, spill, workers
from publish.kept import KeptUnreadableError, require_readable
from publish.register import RegisterUnreadableError, connect, link_lost, read_through, versions
from publish.swap import state_folder
from rules.law import Law
from rules.law_file import LawError
from schemas.exports.faults import UnreadableFileError
from schemas.exports.feeds import FEEDS
from schemas.exports.inbox import Arrival, arrivals, strays
from schemas.exports.reader import refuse_at_sight

# days after which a feed that is due monthly is late
LATE = 45
_MARKS = {"ok": "  ok ", "note": " note", "stop": " STOP"}


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what of, how it is (ok, note, stop: tonight's run would fail), what was seen and what to do."""

    subject: str
    state: str
    said: str

    def line(self) -> str:
        """As a person reads it."""
        return f"{_MARKS[self.state]}  {self.subject}: {self.said}"


def examine(inbox: Path, register: Path, day: date) -> Iterator[Finding]:
    """Everything a night rests on, in the order it would be needed; `day` is the day files' age is counted to."""
    yield from _versions()
    yield from _law()
    yield from _settings()
    yield from _runner()
    yield from _inbox(inbox, day, _standing(register))
    yield from _register(register.absolute())
    if inbox.is_dir():
        yield from _disk(inbox, register.absolute())
    yield from _prefect()


def _versions() -> Iterator[Finding]:
    wrong = []
    for text in requires("childflow") or ():
        need = Requirement(text)
        try:
            there = version(need.name)
        except PackageNotFoundError:
            there = "nothing"
        if there == "nothing" or not need.specifier.contains(there, prereleases=True):
            wrong.append(f"{need.name} is {there}, wanted {need.specifier}")
    if wrong:
        yield Finding("versions", "stop", f"{'; '.join(wrong)}. Install what requirements.lock names: make setup")
    else:
        yield Finding("versions", "ok", f"childflow {version('childflow')}, Python {sys.version.split()[0]}, duckdb {version('duckdb')}, polars {version('polars')}")


def _law() -> Iterator[Finding]:
    try:
        yield Finding("rules", "ok", f"parameters of version {Law.load().version}")
    except LawError as error:
        yield Finding("rules", "stop", f"{error}")


def _settings() -> Iterator[Finding]:
    for subject, setting in (("workers", workers), ("register", kept_versions), ("password", password)):
        try:
            setting()
        except UnusableInputError as error:
            yield Finding(subject, "stop", str(error))
    try:
        limit = memory_limit()
    except UnusableInputError as error:
        yield Finding("memory", "stop", str(error))
        return
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    yield Finding("memory", "ok", f"DuckDB may use {limit} (CHILDFLOW_MEMORY); the machine has {there:.0f} GiB")


def _runner() -> Iterator[Finding]:
    """Whether the workers that the setting asks for could be had: what can be seen without asking them."""
    where = _where()
    if isinstance(where, UnusableInputError):
        yield Finding("workers", "stop", str(where))
    elif where not in (THREADS, DASK) and get_current_settings().api.url is None:
        yield Finding("workers", "stop", f"CHILDFLOW_RUNNER names {where}, and no Prefect server is named that its workers could reach: set PREFECT_API_URL (docs/cluster.md)")
    else:
        yield Finding("workers", "ok", f"the heavy stations work on {where} (CHILDFLOW_RUNNER); a run asks each Dask worker whether it fits before it begins")


def _where() -> str | UnusableInputError:
    try:
        return runner()
    except UnusableInputError as error:
        return error


def _standing(register: Path) -> dict[str, date]:
    """The newest export of each feed that the register rests on; none where it cannot be read, which is said of the register itself."""
    if not register.exists():
        return {}
    try:
        with connect(register) as con:
            return dict(con.execute("SELECT feed, max(export_date) FROM feed_receipt WHERE state IN ('accepted', 'kept') GROUP BY feed").fetchall())
    except (RegisterUnreadableError, duckdb.Error):
        return {}


def _inbox(inbox: Path, day: date, standing: dict[str, date]) -> Iterator[Finding]:
    if not inbox.is_dir():
        yield Finding("inbox", "stop", f"there is no folder {inbox}: give the folder that holds education/, household/ and the other feeds")
        return
    found = 0
    for feed in FEEDS.values():
        taken, turned_away = arrivals(inbox, feed)
        found += len(taken)
        for row in turned_away.iter_rows(named=True):
            yield Finding(f"inbox {feed.name}", "note", f"{row['source_file']} will not be read: {row['message'] or row['warnings'][0]}")
        for arrival in taken:
            if wrong := _at_sight(arrival):
                yield Finding(f"inbox {feed.name}", "note", f"{arrival.name} will not be read: {wrong}")
        if not taken and feed.is_optional:
            yield Finding(f"inbox {feed.name}", "ok", "no file, and no run misses this input")
            continue
        if not taken:
            last = standing.get(feed.name)
            one = f"the last one it had, of {last}, {(day - last).days} days old" if last else "the last one it had, if any"
            yield Finding(f"inbox {feed.name}", "note", f"no file: the run goes on with {one}. Ask the department, if one was due")
            continue
        newest = max(a.export_date for a in taken)
        age = (day - newest).days
        late = f"; that is more than {LATE} days: ask the department for a new export" if age > LATE else ""
        ahead = "; the date lies ahead: look at the file's name" if age < 0 else ""
        yield Finding(f"inbox {feed.name}", "note" if late or ahead else "ok", f"{len(taken)} files, the newest of {newest}, {age} days old{late}{ahead}")
    for row in strays(inbox).iter_rows(named=True):
        yield Finding("inbox", "note", f"{row['source_file']} will not be read: {row['message']}")
    if not found:
        yield Finding("inbox", "stop", f"{inbox} holds no export at all: expected <feed>/<feed>_<YYYYMMDD>[_part].csv, .csv.gz, .xlsx or .parquet")


def _at_sight(arrival: Arrival) -> str | None:
    """Why a file will be turned away, as far as that can be seen without reading it."""
    if arrival.path is None:
        return None
    try:
        refuse_at_sight(arrival.path, arrival.format)
    except UnreadableFileError as error:
        return str(error)
    return None


def _register(register: Path) -> Iterator[Finding]:
    folder = state_folder(register)
    if wrong := unwritable(register, spill()):
        yield Finding("register", "stop", wrong)
    elif _is_locked(folder / "lock"):
        yield Finding("register", "stop", f"a run is writing {register} now: wait until it has finished")
    else:
        yield from (Finding("last run", "note", f"{line}; what it left is removed by the next run") for line in died(folder))
    if lost := link_lost(register):
        yield Finding("register", "stop", lost)
        return
    if not os.path.lexists(register):
        yield Finding("register", "ok", f"{register} is not there yet: the first run makes it")
        return
    try:
        with connect(register) as con:
            ((run_id, as_of, runs),) = con.execute("SELECT max_by(run_id, started_at), max_by(as_of, started_at), count(*) FROM run").fetchall()
        read_through(register)
        require_readable(register)
    except (RegisterUnreadableError, KeptUnreadableError) as error:
        yield Finding("register", "stop", str(error))
        return
    kept = [v.name.removeprefix("register-").removesuffix(".duckdb") for v in versions(register)]
    back = f"; kept to go back to with 'childflow rollback': {', '.join(k for k in kept if k != run_id) or 'none'}"
    yield Finding("register", "ok", f"{runs} runs, the last {run_id} as of {as_of}{back}")


def _is_locked(lock: Path) -> bool:
    if not lock.exists():
        return False
    with lock.open("r", encoding="ascii") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _disk(inbox: Path, register: Path) -> Iterator[Finding]:
    wanted, there = needed(inbox, where if isinstance(where := _where(), str) else THREADS) / GIB, free(register.parent) / GIB
    said = f"{there:.1f} GiB free where the register lies, a night of this inbox needs about {wanted:.1f} GiB"
    if there < wanted:
        yield Finding("disk", "stop", f"{said}: free space; docs/operations.md, 'The disk is full', says what may go")
    else:
        yield Finding("disk", "ok", said)


def _prefect() -> Iterator[Finding]:
    url = get_current_settings().api.url
    if url is None:
        yield Finding("Prefect", "ok", "no server named (PREFECT_API_URL): the run works and does not show anywhere")
        return
    try:
        answers = httpx.get(f"{url.rstrip('/')}/health", timeout=5).status_code == httpx.codes.OK
    except httpx.HTTPError:
        answers = False
    if answers:
        yield Finding("Prefect", "ok", f"the server at {url} answers")
    else:
        yield Finding("Prefect", "note", f"the server at {url} does not answer: the run will work and not show there. Start it: prefect server start")
