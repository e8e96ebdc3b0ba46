"""Memory of this program. Enters: nothing. Leaves: the peak since the last reset, as the system tells it."""

from __future__ import annotations

from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def reset_peak() -> None:
    """From here on the peak is counted anew, where the system lets us."""
    if _CLEAR.exists():
        try:
            _CLEAR.write_text("5")
        except OSError:
            return  # not ours to reset in this sandbox: peaks then only ever rise


def peak_mib() -> float:
    """Peak resident memory of this program since the last reset, in MiB; 0.0 where the system does not tell. (ru_maxrss would also count the parent it was forked from.)"""
    if not _STATUS.exists():
        return 0.0
    for line in _STATUS.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0
