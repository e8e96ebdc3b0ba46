"""How a station runs: as a Prefect task inside a flow run, as the plain function outside one; timed and watched both ways.

Enters: functions from paths to files. Leaves: `Station`, and the `Log` of seconds and peak memory by stage.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import httpx
from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.settings import get_current_settings

from flows.cluster import Runner, opened
from flows.died import mark_station
from flows.faults import cluster_fault, is_panic, resource_fault
from flows.memory import peak_mib, reset_peak

# what a fault at a station leaves untouched
STANDS = "nothing was published and the last register stands"
PUBLISHED = "the new register stands, and only what is handed out beside it is not complete"


class StationFailedError(Exception):
    """A station broke through a fault of ours. Names the station, the kind of error and the place in the code; never a value."""


@dataclass
class Log:
    """Seconds, processor seconds of this process and peak resident memory (MiB) by stage, in the order they ran; `work` is the run's folder."""

    work: Path | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    peak_mib: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time and watch what runs inside."""
        reset_peak()
        start, worked = time.perf_counter(), time.process_time()
        say(f"{name} …")
        if self.work is not None:
            mark_station(self.work, name)
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)
        self.cpu_seconds[name] = round(time.process_time() - worked, 3)
        self.peak_mib[name] = round(peak_mib(), 1)
        say(f"{name}: {self.seconds[name]:.1f} s, peak {self.peak_mib[name]:.0f} MiB")


def say(line: str) -> None:
    """A line of progress on the terminal's error stream."""
    print(f"  {time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def server_answers() -> bool:
    """Whether a Prefect server is named in the settings and answers now; says so where one is named and does not."""
    url = get_current_settings().api.url
    if url is None:
        return False
    try:
        answer = httpx.get(f"{url.rstrip('/')}/health", timeout=5)
    except httpx.HTTPError:
        answer = None
    if answer is not None and answer.status_code == httpx.codes.OK:
        return True
    say("the Prefect server that PREFECT_API_URL names does not answer: running without it, so this run will not show there")
    return False


def retry_helps(_task: Any, _run: Any, state: State[Any]) -> bool:
    """True for what may pass by itself: a file system or lock that does not answer for a moment."""
    error = state.data if isinstance(state.data, BaseException) else getattr(state.data, "exception", None)
    return isinstance(error, OSError | duckdb.IOException) and not isinstance(error, FileNotFoundError | IsADirectoryError | NotADirectoryError)


# errors whose messages we wrote ourselves, in words and without values
def _is_ours(error: BaseException) -> bool:
    return type(error).__module__.split(".")[0] in {"flows", "matching", "schemas", "rules", "publish"}


@dataclass(frozen=True)
class InParts:
    """How a station is done by workers, its functions' last arguments the station's own.

    Attributes:
        cut: the parts there are, none where there is nothing to do. step: one part, first argument, from files to files. join: the tables of the parts, its first argument.
    """

    cut: Callable[..., list[Any]]
    step: Callable[..., None]
    join: Callable[..., None]


def _task(function: Callable[..., None], name: str, retries: int) -> Task[..., None]:
    """A Prefect task. Its parameters are paths, dates and numbers of parts only; results stay in files, so nothing is cached or persisted."""
    return task(
        name=name, retries=retries, retry_delay_seconds=10, retry_condition_fn=retry_helps,
        cache_policy=NO_CACHE, persist_result=False, log_prints=False,
    )(function)  # fmt: skip


class Station:
    """One station of the track. Calling it runs the function; `each` runs it once per item. Where workers are open, a station that can goes to them in parts."""

    def __init__(
        self, function: Callable[..., object], name: str, *, retries: int = 0, is_after_publishing: bool = False, in_parts: InParts | None = None
    ) -> None:
        self.name = name
        self._stands = PUBLISHED if is_after_publishing else STANDS
        self._function = function
        self._in_parts = in_parts
        self._task = _task(self._whole, name, retries)
        self._step = _task(self._part, f"{name}-part", retries)

    def __call__(self, *args: Any) -> None:
        """Run the station once."""
        workers = opened()
        if workers is not None and self._in_parts is not None:
            self._spread(workers, self._in_parts, [args])
        elif FlowRunContext.get() is None:
            self._whole(*args)
        else:
            self._task(*args)

    def each(self, items: Iterable[str], *args: Any, workers: int) -> None:
        """Run the station once per item, which is its first argument; all are tried before the first failure is raised."""
        cluster = opened()
        if cluster is not None and self._in_parts is not None:
            self._spread(cluster, self._in_parts, [(item, *args) for item in items])
            return
        if FlowRunContext.get() is None:
            with ThreadPoolExecutor(max_workers=workers) as pool:
                futures: list[Any] = [self._guarded(pool.submit, self._whole, item, *args) for item in items]
        else:
            futures = [self._task.with_options(task_run_name=f"{self.name}-{item}").submit(item, *args) for item in items]
        for future in futures:
            future.result()

    def _spread(self, cluster: Runner, how: InParts, calls: list[tuple[Any, ...]]) -> None:
        """Run the station's parts on workers: cut and joined here, all parts of all calls at once."""
        made = [self._guarded(how.cut, *call) for call in calls]
        self._run(cluster, self._step, [(part, *call) for call, parts in zip(calls, made, strict=True) for part in parts])
        for call, parts in zip(calls, made, strict=True):
            self._guarded(how.join, parts, *call)

    def on_workers(self, parts: Iterable[Any], *args: Any) -> None:
        """Run the station's function once per part, its first argument, on the workers that are open."""
        workers = opened()
        if workers is None:
            raise StationFailedError(f"station {self.name} has no workers; {self._stands}")
        self._run(workers, self._task, [(part, *args) for part in parts])

    def _run(self, workers: Runner, what: Task[..., None], calls: list[tuple[Any, ...]]) -> None:
        """Run a task once per call on workers, all at once; the first failure is raised."""
        say(f"{self.name}: {len(calls)} parts")
        futures = [self._guarded(workers.submit, what, {"args": call}) for call in calls]
        for future in futures:
            self._guarded(future.result)

    def _whole(self, *args: Any) -> None:
        self._guarded(self._function, *args)

    def _part(self, *args: Any) -> None:
        if self._in_parts is not None:
            self._guarded(self._in_parts.step, *args)

    def _guarded(self, function: Callable[..., Any], *args: Any) -> Any:
        try:
            return self._steadily(function, *args)
        except BaseException as error:
            if not isinstance(error, Exception) and not is_panic(error):
                raise
            lacking = resource_fault(error, self.name, self._stands) or cluster_fault(error, self.name, self._stands)
            if lacking is not None:
                raise lacking from None
            if isinstance(error, OSError | duckdb.IOException):
                error.add_note(self._stands)
                raise
            if _is_ours(error):
                raise
            place = traceback.extract_tb(error.__traceback__)[-1]
            ours = [f for f in traceback.extract_tb(error.__traceback__) if _in_our_rooms(f.filename)]
            frame = ours[-1] if ours else place
            raise StationFailedError(
                f"station {self.name} broke: {type(error).__name__} at {Path(frame.filename).parent.name}/{Path(frame.filename).name}:{frame.lineno}; "
                f"{self._stands}. Run again with the same files; if it breaks again, report this line."
            ) from None


    def _steadily(self, function: Callable[..., Any], *args: Any) -> Any:
        """What the function makes; where polars broke off in itself it is asked once more. A station goes from files to files, so what half of it wrote is written anew."""
        try:
            return function(*args)
        except BaseException as error:
            if not is_panic(error):
                raise
        say(f"{self.name}: a library broke off in itself; trying once more")
        return function(*args)


def _in_our_rooms(filename: str) -> bool:
    return Path(filename).is_relative_to(Path(__file__).resolve().parent.parent) and "site-packages" not in filename
