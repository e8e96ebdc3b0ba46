"""A register against the truth of a made-up city. Enters: the register's file and the truth folder. Leaves: lines for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from flows.settings import UnusableInputError
from matching.evaluation import evaluate
from publish.register import connect
from rules.evaluation import OutcomeResult, compare


def evaluation(register: Path, truth: Path) -> Iterator[str]:
    """The linkage, then the outcome, then what to do next.

    Raises:
        UnusableInputError: the truth folder lacks its two files.
    """
    records, children = (truth / "records.parquet", truth / "children.parquet")
    for file in (records, children):
        if not file.exists():
            raise UnusableInputError(f"there is no {file}: give the truth/ folder that 'childflow sample' wrote")
    with connect(register) as con:
        person_record = con.sql("SELECT * FROM person_record").pl()
        assessment = con.sql("SELECT person_id, outcome, reason FROM assessment").pl()
    truth_records = pl.read_parquet(records)
    yield from evaluate(person_record, truth_records).lines()
    result = compare(assessment, person_record, truth_records, pl.read_parquet(children))
    yield from _outcome_lines(result)
    yield f"Next: look into one of them with: childflow explain --register {register} PERSON_ID"


def _outcome_lines(result: OutcomeResult) -> Iterator[str]:
    yield ""
    yield f"Outcome: right for {result.outcome_right:,} of {result.children:,} children ({result.accuracy:.4%}); reason right for {result.reason_right:,}"
    wrong = result.errors.filter(pl.col("outcome") != pl.col("truth_outcome"))
    if result.confusion.height:
        yield "  what differs, most frequent first (true reason -> given reason: children, cause)"
    for row in result.confusion.head(15).iter_rows(named=True):
        yield f"    {row['truth_reason']} -> {row['reason']}: {row['children']}, {row['cause']}"
    if wrong.height:
        yield f"  each wrong outcome ({wrong.height}):"
    for row in wrong.iter_rows(named=True):
        yield f"    {row['person_id']} truth {row['truth_outcome']}/{row['truth_reason']}, given {row['outcome']}/{row['reason']}: {row['cause']}"
