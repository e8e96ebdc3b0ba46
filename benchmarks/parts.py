"""What a part costs on one core. Enters: a number of children. Leaves: docs/benchmarks/parts.md: processor seconds, bytes and memory of every step that goes to workers, and of what stays.

    POLARS_MAX_THREADS=1 python -m benchmarks.parts --children 300000

A made-up city goes once through all stations as a run with Dask does them, one step after the other in this one process; bytes are those of the files a step reads and writes.
docs/country.md rests on these figures.
"""

from __future__ import annotations

import argparse
import os
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from flows.memory import peak_mib, reset_peak

AS_OF = date(2026, 11, 24)
SEED = 20241101
PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks" / "parts.md"


@dataclass
class Step:
    """What a step took: `of`, what its size is counted in, and how many of them; processor seconds of each part, bytes read and written, peak memory of one."""

    name: str
    of: str
    size: int
    seconds: list[float] = field(default_factory=list)
    read: int = 0
    written: int = 0
    peak: float = 0.0

    def line(self) -> str:
        """As a row of the page."""
        millions, total = self.size / 1e6, sum(self.seconds)
        return (
            f"| {self.name} | {self.size:,} {self.of} | {len(self.seconds)} | {total:.1f} | {max(self.seconds):.1f} | {total / millions:.1f} | "
            f"{self.read / self.size:.0f} | {self.written / self.size:.0f} | {self.peak:.0f} |"
        )


def size(*places: Path) -> int:
    """The bytes of files, or of all files of folders."""
    return sum(f.stat().st_size for place in places for f in ([place] if place.is_file() else place.rglob("*")) if f.is_file())


def rows(*files: Path) -> int:
    """The rows of Parquet files."""
    return int(sum(pl.scan_parquet(f).select(pl.len()).collect().item() for f in files))


class Bench:
    """The steps in the order they were taken."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def take(self, name: str, of: str, parts: Iterable[tuple[Any, ...]], work: Callable[..., object]) -> Step:
        """Do a step for each of its parts; its sizes are filled in by whoever knows them."""
        step = Step(name, of, 1)
        for part in parts:
            reset_peak()
            start = time.process_time()
            work(*part)
            step.seconds.append(time.process_time() - start)
            step.peak = max(step.peak, peak_mib())
        self.steps.append(step)
        return step


def take_feeds(bench: Bench, inbox: Path, work: Path) -> None:
    """Intake and standardising."""
    from matching.standardise import parts
    from matching.standardise_in_parts import join_parts, standardise_part
    from schemas.exports.feeds import FEEDS
    from schemas.exports.intake import take_in

    intake = bench.take("intake, a feed", "rows", ((feed, inbox, work / "store", work, AS_OF) for feed in FEEDS), take_in)
    accepted = [work / "accepted" / f"{feed}.parquet" for feed in FEEDS]
    intake.size, intake.read, intake.written = rows(*accepted), size(inbox), size(work / "accepted", work / "store")
    cut = {feed: list(enumerate(parts(feed, work))) for feed in FEEDS}
    step = bench.take("standardise, a part", "rows", ((feed, n, part, work) for feed, made in cut.items() for n, part in made), standardise_part)
    step.size, step.read, step.written = intake.size, size(*accepted), size(work / "parts")
    joined = bench.take("standardise, joined", "rows", ((feed, len(made), work) for feed, made in cut.items()), join_parts)
    joined.size, joined.read, joined.written = intake.size, step.written, size(work / "standard", work / "record")


def take_linkage(bench: Bench, work: Path) -> None:
    """Linkage with its steps, and what of it stays in one process: the whole less the steps."""
    from matching.linkage import link
    from matching.pairs_in_parts import pairing_in_parts

    folder = work / "parts" / "link"
    taken: list[Step] = []
    laid = 0

    def each(step: Callable[..., None], parts: Iterable[Any], _: Path) -> None:
        nonlocal laid
        took = bench.take(f"{step.__name__.removesuffix('_part')}, a part", "units", [(part, folder) for part in parts], step)
        units, pairs = folder / "units" / "trusted.parquet", sorted((folder / "weighed").glob("*.parquet"))
        if pairs:
            took.of, took.size, took.written = "pairs", rows(*pairs), size(*pairs)
            took.read = size(folder / "pairs", folder / "values", folder / "units", folder / "frequencies")
        else:
            laid = size(folder) - size(folder / "pairs")
            took.size, took.read, took.written = rows(units), size(folder / "values", units), size(folder / "pairs")
        taken.append(took)

    whole = bench.take("link, the rest", "rows", [()], lambda: link(work, AS_OF, pairing_in_parts(folder, each)))
    whole.seconds = [sum(whole.seconds) - sum(sum(step.seconds) for step in taken)]
    whole.size, whole.read = rows(*(work / "record").glob("*.parquet")), size(work / "record")
    whole.written = laid + size(*(work / f"{table}.parquet" for table in ("person", "person_record", "identity", "review_queue")))


def take_rule(bench: Bench, work: Path) -> None:
    """Answers, facts and the rule."""
    from matching.answers import weigh_answers
    from rules.decide import OUTPUTS
    from rules.decide_in_parts import cut, decide_part, join_parts
    from rules.facts import gather

    weigh_answers(work, AS_OF)
    facts = bench.take("facts", "rows", [(work,)], gather)
    facts.size, facts.read, facts.written = rows(*(work / "record").glob("*.parquet")), size(work / "standard", work / "person_record.parquet"), size(work / "facts")
    numbers = cut(work, AS_OF)
    children, tables = rows(work / "person.parquet"), [work / f"{table.name}.parquet" for table in OUTPUTS]
    step = bench.take("decide, a part", "children", ((number, work, AS_OF) for number in numbers), decide_part)
    step.size, step.read, step.written = children, size(work / "facts", work / "person.parquet"), size(work / "parts" / "decide")
    joined = bench.take("decide, joined", "children", [(numbers, work, AS_OF)], join_parts)
    joined.size, joined.read, joined.written = children, step.written, size(*tables)


def take_register(bench: Bench, work: Path) -> None:
    """The register."""
    from publish.register import Run, publish

    register = work.parent / "register.duckdb"
    run = Run("bench", datetime.now(UTC).replace(tzinfo=None, microsecond=0), AS_OF, "", "", "", "", None, {}, {}, {}, lambda: datetime.now(UTC).replace(tzinfo=None))
    step = bench.take("publish", "rows", [()], lambda: publish(work, register, run, memory="4GB"))
    step.size, step.read, step.written = rows(*(work / "record").glob("*.parquet")), size(work) - size(work / "store", work / "accepted"), register.stat().st_size


def page(children: int, load: float, steps: list[Step]) -> str:
    """docs/benchmarks/parts.md; `load`: of the machine when the bench began."""
    head = "| step | all of it | parts | processor seconds | the longest part | seconds a million | bytes read, each | bytes written, each | peak MiB |"
    return "\n".join([
        "# What a part costs on one core", "",
        f"Written by `make bench-parts`; not edited by hand. A made-up city of {children:,} children, first night, every step as a run with Dask does it, one after the other in one",
        "process with one thread for the column work. Bytes are those of Parquet files (of the inbox: text) that a step reads and writes, for each row, unit, pair or child.",
        f"Measured on {datetime.now(UTC):%Y-%m-%d}, load when it began {load:.1f}: processor seconds compare where seconds would not.",
        "Memory includes what the steps before left to the process. [The country](../country.md) rests on these figures.", "",
        head, "| --- | --- | --- | --- | --- | --- | --- | --- | --- |", *(step.line() for step in steps), "",
    ])  # fmt: skip


def main() -> None:
    """The command line."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--children", type=int, default=300_000)
    words.add_argument("--work", type=Path, default=Path("out/bench-parts"), help="scratch folder, removed")
    given, load = words.parse_args(), os.getloadavg()[0]
    from publish.register import recall
    from sample_data.city import write_city

    shutil.rmtree(given.work, ignore_errors=True)
    work, city = given.work.resolve() / "work", given.work.resolve() / "city"
    work.mkdir(parents=True)
    write_city(given.children, SEED, city, as_of=AS_OF)
    recall(given.work / "register.duckdb", work)
    bench = Bench()
    take_feeds(bench, city / "inbox", work)
    take_linkage(bench, work)
    take_rule(bench, work)
    take_register(bench, work)
    PAGE.write_text(page(given.children, load, bench.steps), "utf-8")
    print(PAGE.read_text("utf-8"))
    shutil.rmtree(given.work)


if __name__ == "__main__":
    main()
