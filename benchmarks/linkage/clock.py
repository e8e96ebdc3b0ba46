"""What a piece of work takes. Enters: nothing. Leaves: seconds, processor seconds and peak memory since it began."""

from __future__ import annotations

import time

from flows.memory import peak_mib


class Clock:
    """Seconds on the wall and of the processors since the start, and the most memory held."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        """What it shows."""
        return {"seconds": time.perf_counter() - self._wall, "cpu_seconds": time.process_time() - self._cpu, "peak_mib": round(peak_mib())}
