"""Workers on this machine or on others, by Dask through Prefect's own task runner. Enters: the settings of a run. Leaves: a task runner for the parts of a station.

Nothing of Dask is loaded where the setting asks for threads. A worker that dies is missed by Dask, which gives its parts to others; nothing but paths, dates and numbers of
parts travels to a worker. docs/cluster.md has the deployment.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.futures import PrefectFuture
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.task_runners import TaskRunner

from flows.settings import DASK, THREADS, Night, UnusableInputError, quiet_dask
from flows.unchanged import program_hash

Runner = TaskRunner[PrefectFuture[Any]]
# how long the first worker may take to come
WAIT_SECONDS = 60
_open: ContextVar[Runner | None] = ContextVar("workers", default=None)


def opened() -> Runner | None:
    """The task runner for parts of stations; None where stations run in threads of this process."""
    return _open.get()


@contextmanager
def workers(tonight: Night) -> Iterator[None]:
    """The workers that the settings ask for, for the time of a run.

    Raises:
        UnusableInputError: they cannot be had, or cannot do the work: another program or library than here, or another disk.
    """
    if tonight.runner == THREADS:
        yield
        return
    if FlowRunContext.get() is None:
        raise UnusableInputError("CHILDFLOW_RUNNER asks for Dask, which works inside a Prefect flow run only: call the flow, not its function")
    with temporary_settings({PREFECT_API_URL: _server(tonight.runner)}), _task_runner(tonight) as runner:
        _require_fit(runner, tonight)
        token = _open.set(runner)
        try:
            yield
        finally:
            _open.reset(token)


def _server(runner: str) -> str:
    """Where workers tell Prefect of their tasks: the server that is named or, for workers on this machine alone, the run's temporary one.

    Raises:
        UnusableInputError: workers on other machines, and no server that they could reach.
    """
    named = PREFECT_API_URL.value()
    if named:
        return str(named)
    if runner != DASK:
        raise UnusableInputError(f"workers at {runner} need a Prefect server that they can reach: start one and name it in PREFECT_API_URL (docs/cluster.md)")
    return str(get_client(sync_client=True).api_url)


def _task_runner(tonight: Night) -> Any:
    """Prefect's runner for Dask, not started."""
    quiet_dask(tonight.workers)
    from prefect_dask.task_runners import DaskTaskRunner

    if tonight.runner != DASK:
        return DaskTaskRunner(address=tonight.runner)
    return DaskTaskRunner(
        cluster_kwargs={"n_workers": tonight.workers, "threads_per_worker": 1, "dashboard_address": None, "local_directory": str(tonight.work)}
    )


def _require_fit(runner: Any, tonight: Night) -> None:
    """Every worker runs this program with these libraries, and sees this run's folder.

    Raises:
        UnusableInputError: there is no scheduler or no worker, or one of them does not fit. Says which, and what to do.
    """
    try:
        client = runner.client
        client.wait_for_workers(1, timeout=WAIT_SECONDS)
    except (OSError, TimeoutError) as error:
        raise UnusableInputError(f"no Dask workers at {tonight.runner} ({type(error).__name__}): start scheduler and workers (docs/cluster.md)") from None
    mark = tonight.state / ".workers"
    mark.write_text(tonight.run_id, "ascii")
    try:
        programs, seen = client.run(program_hash), client.run(_reads, mark)
    finally:
        mark.unlink()
    here = program_hash()
    for worker, program in programs.items():
        if program != here:
            raise UnusableInputError(f"worker {worker} has another childflow, or other versions of what it computes with, than this machine: install the same on both")
        if seen[worker] != tonight.run_id:
            raise UnusableInputError(f"worker {worker} does not see {tonight.state}: mount the same disk at the same path on every worker (docs/cluster.md)")


def _reads(mark: Path) -> str | None:
    """What a worker reads there."""
    return mark.read_text("ascii") if mark.exists() else None
