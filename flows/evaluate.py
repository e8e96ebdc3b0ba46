"""A register against the truth of a made-up city. Enters: the register's file and the truth folder. Leaves: lines for the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from flows.settings import UnusableInputError
from matching.evaluation import UNDAMAGED, Pairs, Result, evaluate
from publish.register import connect
from rules.evaluation import OutcomeResult, compare

_WORST = 20


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
        assessment = con.sql("SELECT person_id, as_of, outcome, reason FROM assessment").pl()
    truth_records, truth_children = pl.read_parquet(records), pl.read_parquet(children)
    yield from _linkage_lines(evaluate(person_record, truth_records, _twins(truth_children)))
    result = compare(assessment, person_record, truth_records, truth_children)
    yield from _outcome_lines(result)
    yield from _other_day(assessment["as_of"].max(), truth.parent / "city.json")
    yield f"Next: look into one of them with: childflow explain --register {register} PERSON_ID"


def _other_day(as_of: object, card: Path) -> Iterator[str]:
    """Says so where the register answers for another day than the truth was told for."""
    told = json.loads(card.read_text("utf-8"))["as_of"] if card.exists() else str(as_of)
    if str(as_of) != told:
        yield f"  The truth is told for {told} and the register answers for {as_of}: run with --as-of {told} to compare like with like"


def _twins(children: pl.DataFrame) -> pl.DataFrame:
    """Each pair of twins once: person, twin."""
    pairs = children.filter(pl.col("twin_of").is_not_null()).select(person=pl.min_horizontal("person", "twin_of"), twin=pl.max_horizontal("person", "twin_of"))
    return pairs.unique().sort("person", "twin")


def _linkage_lines(result: Result) -> Iterator[str]:
    yield f"Linkage: {result.rows:,} rows of {result.children:,} children in {result.persons:,} persons"
    yield f"  all pairs of rows: {_rates(result.overall)}"
    yield f"  persons that mix children: {result.persons_mixed}; children split over persons: {result.children_split}"
    if result.twins_apart is not None:
        yield f"  twins kept apart: {result.twins_apart:.4%}"
    yield "  by what was damaged (pairs with at least one such row):"
    for row in result.by_damage.sort((pl.col("damage") == UNDAMAGED).not_(), "recall", "damage").iter_rows(named=True):
        yield f"    {row['damage']:<28}{row['rows']:>8,} rows  {_rates(Pairs(row['both'], row['joined'], row['true']))}"
    yield "  by feeds:"
    for row in result.by_feed_pair.iter_rows(named=True):
        yield f"    {row['feed'] + ' - ' + row['feed_r']:<38}{_rates(Pairs(row['both'], row['joined'], row['true']))}"
    if result.worst.height:
        yield f"  worst cases ({min(result.worst.height, _WORST)} of {result.worst.height} rows on the wrong side):"
    for row in result.worst.head(_WORST).iter_rows(named=True):
        where = f"{row['source_file']} row {row['source_row']}"
        yield f"    {row['kind'].replace('_', ' ')}, {row['pairs']} pairs: {where} in {row['person_id']}{_because(row['damage'])}"


def _rates(pairs: Pairs) -> str:
    return f"precision {pairs.precision:.4%}, recall {pairs.recall:.4%}, F1 {pairs.f1:.4%}"


def _because(damage: list[str]) -> str:
    return f" (damaged: {', '.join(damage)})" if damage else ""


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
