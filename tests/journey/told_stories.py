"""Ten planted stories as `explain` tells them. Enters: a register of the small city. Leaves: their texts; `python -m tests.journey.told_stories REGISTER` writes the golden ones anew.

Weights, probabilities and the comparisons under a link are the linkage's, and tested there; identifiers are made from content. Both are left out here.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Literal

import duckdb
import polars as pl

from flows.explain import story

GOLDEN = Path(__file__).parent / "stories"
TRUTH = Path(__file__).resolve().parents[2] / "sample_data" / "tiny" / "truth" / "records.parquet"
STORIES = (
    "living-alone", "asks-for-help", "moved-twice", "exactly-six-months", "a-day-short", "within-the-zone", "found-twice", "with-grandmother", "returned-in-july",
    "no-hukou",
)  # fmt: skip


def persons(register: Path) -> dict[str, str]:
    """The register's person that holds most of each story's rows, the smaller identifier where two hold as many."""
    with duckdb.connect(str(register.resolve()), read_only=True) as con:
        con.register("truth", pl.read_parquet(TRUTH).select("feed", "source_file", "source_row", "person").to_arrow())
        counted = "SELECT person, person_id, count(*) AS n FROM truth JOIN person_record USING (feed, source_file, source_row) GROUP BY ALL ORDER BY n, person_id DESC"
        return {person: person_id for person, person_id, _ in con.execute(counted).fetchall()}


def told(register: Path, person_id: str, lang: Literal["zh", "en"]) -> str:
    """The story without what belongs to the linkage."""
    lines = [line for line in story(register, person_id, lang) if not re.match(r"\s+[+-]\d+\.\d ", line)]
    text = "\n".join(lines).replace(person_id, "PERSON").replace(str(register), "REGISTER")
    return re.sub(r"（证据分[^）]*）| \(weight [^)]*\)", "", text) + "\n"


def write(register: Path) -> None:
    """The golden texts anew."""
    known = persons(register)
    for name in STORIES:
        (GOLDEN / f"{name}.zh.txt").write_text(told(register, known[name], "zh"), "utf-8")
        (GOLDEN / f"{name}.en.txt").write_text(told(register, known[name], "en"), "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
