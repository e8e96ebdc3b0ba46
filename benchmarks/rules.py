"""How fast the rule is. Enters: a number of children. Leaves: seconds, CPU seconds and peak memory from linked records to assessment, key_care, alert and service_gap.

    python -m benchmarks.rules --children 1000000

A made-up city of 20,000 children goes through intake, standardising and linkage once, and is then repeated under other identifiers until there are as many
children as asked for. Measured are the stations `facts` and `decide`, each in a process of its own held to two cores, as the nightly run calls them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import duckdb

from flows.memory import peak_mib

AS_OF = date(2026, 11, 24)
CITY = 20_000
CORES = 2


def linked_city(work: Path) -> None:
    """A made-up city as the station `link` leaves it: standard/*, person, person_record."""
    from matching.linkage import link
    from matching.standardise import standardise
    from publish.register import recall
    from sample_data.city import write_city
    from schemas.exports.feeds import FEEDS
    from schemas.exports.intake import take_in

    city = work / "city"
    write_city(CITY, 20241101, city)
    recall(work / "register.duckdb", work)
    for feed in FEEDS:
        take_in(feed, city / "inbox", work / "store", work, AS_OF)
        standardise(feed, work)
    link(work, AS_OF)


def repeated(city: Path, work: Path, children: int) -> int:
    """The city's tables so often that they hold about so many children; their number."""
    (work / "standard").mkdir(parents=True)
    with duckdb.connect() as con:
        con.execute("SET preserve_insertion_order = true")
        persons = con.execute("SELECT count(*) FROM read_parquet($p)", {"p": str(city / "person.parquet")}).fetchall()[0][0]
        copies = round(children / persons)
        own_id = "format('{:03d}', copy) || person_id AS person_id"
        own_file = "format('{:03d}_', copy) || source_file AS source_file"
        tables = {"person": own_id, "person_record": f"{own_id}, {own_file}"} | {f"standard/{p.stem}": own_file for p in sorted((city / "standard").glob("*.parquet"))}
        for table, replaced in tables.items():
            con.execute(
                f"COPY (SELECT t.* REPLACE ({replaced}) FROM range({copies}) r(copy), read_parquet('{city / table}.parquet') t ORDER BY copy) TO '{work / table}.parquet' (FORMAT parquet)"
            )
    return int(persons * copies)


def measured(station: str, work: Path) -> dict[str, float]:
    """A station in a process of its own, on two cores: seconds, cpu (user and system) and peak_mib."""
    cores = sorted(os.sched_getaffinity(0))[:CORES]
    command = [sys.executable, "-m", "benchmarks.rules", "--station", station, "--work", str(work)]
    found = subprocess.run(
        ["taskset", "-c", ",".join(map(str, cores)), *command], check=True, capture_output=True, text=True, env={**os.environ, "POLARS_MAX_THREADS": str(CORES)}
    )
    return dict(json.loads(found.stdout.splitlines()[-1]))


def run_station(station: str, work: Path) -> None:
    """Run one station here and print what it took."""
    from rules.decide import decide
    from rules.facts import gather

    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    gather(work) if station == "facts" else decide(work, AS_OF)
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"seconds": time.perf_counter() - start, "cpu": cpu, "peak_mib": peak_mib()}))


def main() -> None:
    """The command line."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--children", type=int, default=1_000_000)
    words.add_argument("--work", type=Path, default=Path("out/bench-rules"), help="scratch folder; the linked city in it is used again")
    words.add_argument("--station", choices=("facts", "decide"), help="run this station alone on --work, and print what it took")
    given = words.parse_args()
    if given.station:
        run_station(given.station, given.work)
        return
    city, work = given.work / "linked", given.work / "repeated"
    if not (city / "person_record.parquet").exists():
        shutil.rmtree(city, ignore_errors=True)
        city.mkdir(parents=True)
        linked_city(city)
    shutil.rmtree(work, ignore_errors=True)
    children = repeated(city, work, given.children)
    took = {station: measured(station, work) for station in ("facts", "decide")}
    print(f"{children:,} children, {CORES} cores")
    print("| station | seconds | CPU seconds | peak MiB |\n| --- | --- | --- | --- |")
    for station, one in took.items():
        print(f"| {station} | {one['seconds']:.1f} | {one['cpu']:.1f} | {one['peak_mib']:.0f} |")
    for table in ("assessment", "residence_episode", "key_care", "alert", "service_gap"):
        with duckdb.connect() as con:
            rows = con.execute("SELECT count(*) FROM read_parquet($p)", {"p": str(work / f"{table}.parquet")}).fetchall()[0][0]
        print(f"{table}: {rows:,} rows")
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
