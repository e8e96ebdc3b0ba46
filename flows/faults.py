"""Faults of the machine in words. Enters: an error. Leaves: `ResourceError` where disk or memory ran out, with what to do; nothing where it is something else."""

from __future__ import annotations

import errno
from collections.abc import Iterator

import duckdb

# the last is what polars says where only the end of a Parquet file found no room
_FULL = ("no space left on device", "os error 28", "disk quota exceeded", "os error 122", "file too large", "os error 27", "invalid thrift: transport error")
_DAMAGED = ("corrupt database file", "could not read enough bytes")
DISK, MEMORY = "disk", "memory"
_FULL_NUMBERS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class ResourceError(Exception):
    """The machine had no more disk or memory. Says what ran out, what stands all the same, and what to do."""


class ClusterError(Exception):
    """Workers that a station needs are gone for good. Says what stands all the same, and what to do."""


def resource_fault(error: BaseException, where: str, stands: str) -> ResourceError | None:
    """The error in words where disk or memory ran out at a station or its causes; None where it is another fault.

    Args:
        where: the station that broke. stands: what it left untouched.
    """
    lacking = what_ran_out(error)
    if lacking == DISK:
        return ResourceError(
            f"station {where}: the disk is full; {stands}. Free space where the register lies (or set CHILDFLOW_SPILL to another disk), "
            "then run again with the same files: docs/operations.md, 'The disk is full', says what may go"
        )
    if lacking == MEMORY:
        return ResourceError(
            f"station {where}: the memory limit was reached; {stands}. Raise CHILDFLOW_MEMORY (or set CHILDFLOW_WORKERS=1), "
            "then run again with the same files: docs/operations.md, 'The memory limit is reached'"
        )
    return None


def what_ran_out(error: BaseException) -> str | None:
    """DISK or MEMORY where that is behind an error or its causes; None where it is another fault."""
    for one in _causes(error):
        text = str(one).lower()
        if (isinstance(one, OSError) and one.errno in _FULL_NUMBERS) or any(sign in text for sign in _FULL):
            return DISK
        if isinstance(one, MemoryError | duckdb.OutOfMemoryException) or (isinstance(one, RuntimeError) and "can't start new thread" in text):
            return MEMORY
    return None


def damaged_register(error: BaseException) -> str | None:
    """What to say where a part of the register's file no longer holds what was written there; None where it is another fault."""
    if not any(isinstance(one, duckdb.Error) and any(sign in str(one).lower() for sign in _DAMAGED) for one in _causes(error)):
        return None
    return (
        "the register is damaged: a part of its file cannot be read. Go back to the run before with 'childflow rollback --register FILE', then run again: "
        "docs/operations.md, 'The register is damaged'"
    )


def cluster_fault(error: BaseException, where: str, stands: str) -> ClusterError | None:
    """The error in words where Dask gave up; None where it is another fault."""
    if type(error).__module__.split(".")[0] != "distributed":
        return None
    return ClusterError(
        f"station {where}: the workers are gone, or one died each time over the same part ({type(error).__name__}); {stands}. Look at the workers' logs and memory, then run again "
        "with the same files, with CHILDFLOW_RUNNER=threads if need be: docs/cluster.md, 'A worker dies'"
    )


def is_panic(error: BaseException) -> bool:
    """Whether a library of Rust's (polars, calamine) broke off in itself; that is no `Exception` to Python."""
    return type(error).__name__ == "PanicException"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__
