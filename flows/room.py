"""Room on the disk. Enters: an inbox and where a register lies. Leaves: what a night needs and what is free, in bytes; a refusal in words where that is too little, or may not be written."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from flows.faults import ResourceError
from flows.settings import THREADS, UnusableInputError
from publish.swap import state_folder
from schemas.exports.inbox import files_below

GIB = 2**30
# what a night leaves for every byte of its inbox, measured on the made-up city (docs/operations.md, "Sizing"); a compressed file counts as its text
WORK_PER_BYTE, VERSION_PER_BYTE, STORE_PER_BYTE, LINKAGE_PER_BYTE = 2.4, 1.5, 0.5, 1.6
# and while stations are done in parts by workers
PARTS_PER_BYTE = 1.1
_INFLATED = {".gz": 6.0, ".parquet": 4.0, ".xlsx": 6.0}
_FLOOR = 200 * 2**20
# what polars and DuckDB take for a pattern in the path of a file
_PATTERN = frozenset("*?[]")


def text_bytes(inbox: Path) -> int:
    """The bytes of an inbox as uncompressed text, estimated."""
    files, _ = files_below(inbox)
    return int(sum(_size(f) * _INFLATED.get(f.suffix.lower(), 1.0) for f in files))


def _size(file: Path) -> int:
    """The bytes of a file; none of one that may not be looked at, for it will not be read."""
    try:
        return file.stat().st_size
    except OSError:
        return 0


def needed(inbox: Path, runner: str = THREADS) -> int:
    """What a night needs on the register's disk beside what lies there already: its work tables, the store's new entries, the register it builds, and what linkage keeps for the next, or the parts of stations: on workers it keeps nothing."""
    beside = LINKAGE_PER_BYTE if runner == THREADS else PARTS_PER_BYTE
    return int(_FLOOR + text_bytes(inbox) * (WORK_PER_BYTE + VERSION_PER_BYTE + STORE_PER_BYTE + beside))


def free(folder: Path) -> int:
    """Free bytes on the disk that holds a folder, or will hold it."""
    there = folder
    while not there.exists():
        there = there.parent
    return shutil.disk_usage(there).free


def require_room(inbox: Path, register: Path, runner: str = THREADS) -> None:
    """Refuse a night that could not finish.

    Raises:
        ResourceError: there is less room than a night of this inbox needs.
    """
    wanted, there = needed(inbox, runner), free(register.parent)
    if there < wanted:
        raise ResourceError(
            f"{register.parent} has {there / GIB:.1f} GiB free and this inbox needs about {wanted / GIB:.1f} GiB: nothing was started. Free space "
            "(docs/operations.md, 'The disk is full', says what may go), or put the register on a larger disk"
        )


def unwritable(register: Path, spill: Path | None = None) -> str | None:
    """Why this user cannot write a register there, or what does not fit into memory to its folder, and what to do; None where nothing stands against it."""
    if _PATTERN.intersection(str(register)):
        return f"{register} has one of {' '.join(sorted(_PATTERN))} in its path, by which files are found and never named: give another path"
    state = state_folder(register)
    for place in (register.parent, state, state / "versions", *([spill] if spill else [])):
        there = place
        while not _is_seen(there):
            there = there.parent
        if not there.is_dir():
            return f"{there} is a file, and {register if place != spill else spill} cannot lie below it: give another place"
        if not os.access(there, os.W_OK | os.X_OK):
            return f"{there} cannot be written by this user: change its owner, or give another place"
    lock = state / "lock"
    if _is_seen(lock) and not os.access(lock, os.R_OK | os.W_OK):
        return f"{lock} belongs to another user, and no run can begin without it: change its owner, or run as that user"
    return None


def _is_seen(path: Path) -> bool:
    """Whether something is there; what may not be looked at counts as not."""
    try:
        return path.exists()
    except OSError:
        return False


def require_writable(register: Path, spill: Path | None) -> None:
    """Refuse a night that could not write its register, or its folder of what does not fit into memory.

    Raises:
        UnusableInputError: says which folder or file, and what to do.
    """
    if wrong := unwritable(register, spill):
        raise UnusableInputError(wrong)
