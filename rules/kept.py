"""The facts of the register's run, kept beside it so that other questions can be asked of the same rows. Enters: a run's folder. Leaves: facts and children without names, under the run's number."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from rules.basis import Facts
from rules.decide import CHILD_COLUMNS
from rules.facts import read_facts
from schemas.growing import same_file


class FactsNotKeptError(Exception):
    """The facts of the register's run do not lie beside it."""


@dataclass(frozen=True)
class Kept:
    """What one run knew: the children (CHILD_COLUMNS, nothing that names them) and the facts by feed, read as they are asked for."""

    children: pl.LazyFrame
    facts: Facts


def keep(work: Path, folder: Path, run_id: str) -> None:
    """Keep a run's facts and children in place of those of the run before.

    Args:
        work: the run's folder, with facts/ and person.parquet. folder: where they are kept, a subfolder a run.
    """
    building, target = folder / f".build-{run_id}", folder / run_id
    for half_done in (building, target):
        shutil.rmtree(half_done, ignore_errors=True)
    (building / "facts").mkdir(parents=True)
    for file in sorted((work / "facts").glob("*.parquet")):
        same_file(file, building / "facts" / file.name)
    pl.scan_parquet(work / "person.parquet").select(CHILD_COLUMNS).sink_parquet(building / "person.parquet")
    building.rename(target)
    for other in folder.iterdir():
        if other != target:
            shutil.rmtree(other)


def kept(folder: Path, run_id: str) -> Kept:
    """The facts kept of a run.

    Raises:
        FactsNotKeptError: those of this run are not there.
    """
    if not (folder / run_id / "person.parquet").exists():
        there = sorted(path.name for path in folder.glob("[!.]*")) if folder.is_dir() else []
        raise FactsNotKeptError(
            f"the register is of run {run_id}, and {folder.name}/ beside it has {'the facts of run ' + ', '.join(there) if there else 'no facts'}: run childflow run again, then ask"
        )
    return Kept(pl.scan_parquet(folder / run_id / "person.parquet"), read_facts(folder / run_id))
