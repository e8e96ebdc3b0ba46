"""How one register takes the place of another: versions, one writer, and a link that always points at a whole file.

Enters: a finished DuckDB file. Leaves: `<register>.d/versions/register-<run_id>.duckdb`, and `<register>`, a link to it, switched in one step.
A reader that has the old version open keeps it; a crash at any point leaves the link where it was.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

KEPT_VERSIONS = 7

_held: set[Path] = set()


class RegisterBusyError(Exception):
    """Another run is writing this register. Says which process, and what to do."""


class VersionUnknownError(Exception):
    """A version to roll back to is not kept. Lists those that are."""


def state_folder(register: Path) -> Path:
    """The folder beside the register: versions, lock, and what other stations keep there."""
    return register.with_name(f"{register.name}.d")


def versions_folder(register: Path) -> Path:
    """Where the versions lie."""
    return state_folder(register) / "versions"


def versions(register: Path) -> list[Path]:
    """The versions kept, oldest first."""
    return sorted(versions_folder(register).glob("register-*.duckdb"), key=lambda p: (p.stat().st_mtime_ns, p.name))


def link_lost(register: Path) -> str | None:
    """What to say where nothing stands in the register's place and several versions of it are kept; None where a run may begin."""
    kept = versions(register)
    if os.path.lexists(register) or len(kept) < 2:
        return None
    return (
        f"there is no {register}, and {len(kept)} registers of it are kept: 'childflow rollback --register {shlex.quote(str(register))}' points it at the newest, {kept[-1].name} "
        f"(or at another, with --to); to begin a new register, move {state_folder(register)} away first"
    )


def find_again(register: Path) -> None:
    """Where nothing stands in the register's place and one version of it is kept, point at that: a first night died before it could, or the link was not copied along.

    Raises:
        VersionUnknownError: several are kept, and which one the register was, only the operator knows.
    """
    if lost := link_lost(register):
        raise VersionUnknownError(lost)
    if not os.path.lexists(register) and (kept := versions(register)):
        point_at(register, kept[0])


def build_path(register: Path, run_id: str) -> Path:
    """Where a run builds its register."""
    return state_folder(register) / f".build-{run_id}.duckdb"


@contextmanager
def writing(register: Path) -> Iterator[None]:
    """The right to write the register, for one whole run; what dead runs left behind is removed first, their work folders too.

    Within it this process may publish and roll back; entering it a second time is refused like any other run.

    Raises:
        RegisterBusyError: another run has it.
    """
    with _lock(register.absolute()):
        remove(state_folder(register) / "work")
        yield


@contextmanager
def right_to_write(register: Path) -> Iterator[None]:
    """The right to write, taken now unless this process has it already (`writing`)."""
    if register.absolute() in _held:
        yield
        return
    with _lock(register.absolute()):
        yield


@contextmanager
def _lock(register: Path) -> Iterator[None]:
    state = state_folder(register)
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise RegisterBusyError(
                f"another run (process {lock.read().strip() or 'unknown'}) is writing {register}: wait until it has finished, then start again; "
                "readers are not affected"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        _held.add(register)
        try:
            # half-built registers and links not yet switched, of runs that died
            for left in [*state.glob(".build-*"), *register.parent.glob(f".{register.name}.link-*")]:
                remove(left)
            yield
        finally:
            _held.discard(register)


def remove(path: Path) -> None:
    """Remove a file, link or folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def swap_in(register: Path, build: Path, run_id: str, keep: int = KEPT_VERSIONS) -> Path:
    """Make the finished build the register, keep the last versions and remove older ones; returns the version's path.

    `register` must be absent or a link to one of its versions (see `take_in` for a plain file).
    """
    version = versions_folder(register) / f"register-{run_id}.duckdb"
    version.parent.mkdir(parents=True, exist_ok=True)
    _date_last(build, versions(register))
    sync(build)
    build.replace(version)
    sync(version.parent)
    point_at(register, version)
    for old in versions(register)[:-keep]:
        if old != version:
            remove(old)
    return version


def _date_last(build: Path, kept: list[Path]) -> None:
    """Give the file a later time than all that are kept, also where the clock was put back: their times are the order in which they were published."""
    newest = max((v.stat().st_mtime_ns for v in kept), default=0)
    if build.stat().st_mtime_ns <= newest:
        os.utime(build, ns=(newest + 10**9, newest + 10**9))


def point_at(register: Path, version: Path) -> None:
    """Switch the link in one step."""
    link = register.with_name(f".{register.name}.link-{os.getpid()}")
    remove(link)
    link.symlink_to(version.relative_to(register.parent))
    link.replace(register)
    sync(register.parent)


def take_in(register: Path, run_id: str) -> None:
    """Where the register is a plain file (copied here) or a link elsewhere, keep it as a version and put a link to that in its place.

    Args:
        run_id: the newest run that the file knows; names the version.
    """
    version = versions_folder(register) / f"register-{run_id}.duckdb"
    version.parent.mkdir(parents=True, exist_ok=True)
    copy = build_path(register, f"taken-in-{run_id}")
    remove(copy)
    shutil.copyfile(register, copy)
    sync(copy)
    copy.replace(version)
    point_at(register, version)


def is_versioned(register: Path) -> bool:
    """The register is a link to one of its own versions."""
    return register.is_symlink() and register.resolve().parent == versions_folder(register).resolve()


def rollback(register: Path, to: str | None = None) -> Path:
    """Point the register back at a version that is kept; the next run goes on from there. Returns the version's path.

    Args:
        to: run id of the version; without one, the version before the one in use.

    Raises:
        VersionUnknownError: there is no such version.
        RegisterBusyError: a run is writing.
    """
    register = register.absolute()
    with right_to_write(register):
        kept = {v.name.removeprefix("register-").removesuffix(".duckdb"): v for v in versions(register)}
        names = list(kept)
        if to is None:
            current = register.resolve().name.removeprefix("register-").removesuffix(".duckdb")
            at = names.index(current) if current in names else len(names)
            to = names[at - 1] if at > 0 else "(none before it)"
        if to not in kept:
            raise VersionUnknownError(f"no version {to} of {register} is kept; kept are: {', '.join(names) or 'none'}")
        point_at(register, kept[to])
        return kept[to]


def sync(path: Path) -> None:
    """Make sure that the file's bytes, or the folder's entries, have reached the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
