"""How fast a night is. Enters: scales of the made-up city. Leaves: docs/benchmarks.md and its charts: seconds, rows a second and peak memory of each station.

    python -m benchmarks.night --scales 0.02 0.2        scale 1.0 is five million children

At each scale: the generator, the first night, the night after it in which nothing changed, and one in which one row in a hundred did, each in a process of its own. Beside each station stands what
the machine could do at best (best.py). Processor seconds stand beside seconds, for on a machine with other work only they compare.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.best import at_best
from benchmarks.changed import change
from benchmarks.page import write_page
from flows.memory import peak_mib
from flows.settings import quiet_prefect

FULL_CITY = 5_000_000
SEED = 20241101
AS_OF = date(2026, 11, 24)
# of the rows that change between two nights
SHARE = 0.01


def in_a_process(*words: object) -> dict[str, Any]:
    """Run one part of the bench in a process of its own; what it measured."""
    command = [sys.executable, "-m", "benchmarks.night", "--part", *map(str, words)]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, "CHILDFLOW_KEEP_WORK": "1"})
    return dict(json.loads(found.stdout.splitlines()[-1]))


def spent(start: float) -> dict[str, float]:
    """Seconds since then, and this process's processor seconds and peak memory."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"seconds": time.perf_counter() - start, "cpu_seconds": used.ru_utime + used.ru_stime, "peak_mib": peak_mib()}


def city_part(children: int, out: Path) -> dict[str, Any]:
    """Write the city."""
    from sample_data.city import write_city

    start = time.perf_counter()
    written = write_city(children, SEED, out, as_of=AS_OF)
    return spent(start) | {"rows": written.rows}


def night_part(inbox: Path, register: Path, until_published: bool) -> dict[str, Any]:
    """One night, without a Prefect server; `until_published`: nothing is handed out."""
    quiet_prefect()
    from flows import nightly as nights

    if until_published:
        nights.HAND_OUT = _nothing_handed_out
    start = time.perf_counter()
    result = nights.nightly.fn(str(inbox), str(register), AS_OF.isoformat())
    done = [s for s in result["seconds"] if not (until_published and s == "hand-out")]
    stations = {s: {"seconds": result["seconds"][s], "cpu_seconds": result["cpu_seconds"][s], "peak_mib": result["peak_mib"][s]} for s in done}
    whole = spent(start) | {"peak_mib": max(result["peak_mib"].values())}
    return {"stations": stations, "whole": whole, "rows": result["counts"]["rows_in"], "persons": result["counts"]["person"]}


def _nothing_handed_out(_: Path, out: Path, run_id: str) -> None:
    from flows.unchanged import HANDED_OUT

    out.mkdir(exist_ok=True)
    (out / HANDED_OUT).write_text(run_id, "ascii")


def measured(scale: float, work: Path, until_published: bool) -> dict[str, Any]:
    """One scale: the city (written once and used again), a night on a new register, its floor, an unchanged night, and one in which some rows changed."""
    children = round(FULL_CITY * scale)
    city, register = work / f"city-{children}", work / f"register-{children}" / "register.duckdb"
    card = work / f"city-{children}.json"
    if not card.exists():
        shutil.rmtree(city, ignore_errors=True)
        card.parent.mkdir(parents=True, exist_ok=True)
        card.write_text(json.dumps(in_a_process("city", children, city)), "utf-8")
    shutil.rmtree(register.parent, ignore_errors=True)
    register.parent.mkdir(parents=True)
    first = in_a_process("night", city / "inbox", register, until_published)
    (run,) = (register.parent / "register.duckdb.d" / "work").iterdir()
    places = {"inbox": city / "inbox", "register": register.resolve(), "out": register.parent / "register.duckdb.d" / "out"}
    for station, figures in first["stations"].items():
        figures["best"] = at_best(station, run, places)
    inbox_bytes = sum(f.stat().st_size for f in (city / "inbox").rglob("*") if f.is_file())
    left = {name: _bytes(path) for name, path in (("work", run), ("store", register.parent / "register.duckdb.d" / "intake"), ("register", register.resolve()))}
    shutil.rmtree(run)
    unchanged = in_a_process("night", city / "inbox", register, until_published)
    rows = change(city / "inbox", work / "changed", SHARE)
    changed = in_a_process("night", work / "changed", register, until_published) | {"changed_rows": rows}
    shutil.rmtree(work / "changed")
    shutil.rmtree(register.parent)
    generator = json.loads(card.read_text("utf-8"))
    return {"scale": scale, "children": children, "inbox_bytes": inbox_bytes, "generator": generator, "first": first, "unchanged": unchanged, "changed": changed, "left": left, "until_published": until_published}


def _bytes(path: Path) -> int:
    return sum(f.stat().st_size for f in path.rglob("*") if f.is_file()) if path.is_dir() else path.stat().st_size


def machine() -> dict[str, Any]:
    """What it ran on, and how busy that was when it began."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"cores": len(os.sched_getaffinity(0)), "memory_gib": round(memory), "python": platform.python_version(), "load": os.getloadavg()[0], "on": time.strftime("%Y-%m-%d")}


def main() -> None:
    """The command line."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--scales", type=float, nargs="+", default=[0.02, 0.2])
    words.add_argument("--work", type=Path, default=Path("out/bench"), help="scratch folder; the cities in it are used again")
    words.add_argument("--docs", type=Path, default=Path("docs"), help="where benchmarks.md and its charts go")
    words.add_argument("--until-published", action="store_true", help="nights end when readers see the register; nothing is handed out")
    words.add_argument("--part", nargs="+", help=argparse.SUPPRESS)
    given = words.parse_args()
    if given.part:
        kind, *rest = given.part
        print(json.dumps(city_part(int(rest[0]), Path(rest[1])) if kind == "city" else night_part(Path(rest[0]), Path(rest[1]), rest[2:] == ["True"])))
        return
    before = machine()
    results: list[dict[str, Any]] = []
    for scale in sorted(given.scales):
        results.append(measured(scale, given.work.absolute(), given.until_published))
        (given.work / "results.json").write_text(json.dumps({"machine": before, "results": results}, indent=1), "utf-8")
        write_page(before, results, given.docs)
    print(f"Next: read {given.docs / 'benchmarks.md'}")


if __name__ == "__main__":
    main()
