"""How good the register is. Enters: its file, and the truth of a made-up city or what clerks decided. Leaves: lines for the terminal, and charts where asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl

from flows.options import typed
from flows.settings import UnusableInputError
from matching.charts import write_charts
from matching.evaluation import UNDAMAGED, Pairs, Result, evaluate
from matching.model import load_model
from matching.sampling import same_share
from matching.scored import calibration, score, thresholds
from publish.register import connect
from rules.evaluation import OutcomeResult, compare
from schemas.tables.pair import REVIEW_QUEUE
from schemas.tables.record import RECORD

_WORST = 20


def evaluation(register: Path, truth: Path | None, plots: Path | None = None) -> Iterator[str]:
    """The linkage, then the outcome, then what to do next; without a truth, what the clerks' decisions say of the doubtful pairs.

    Args:
        plots: folder for the charts of calibration and thresholds.

    Raises:
        UnusableInputError: the truth folder lacks its two files, or charts are wanted without a truth.
    """
    if truth is None:
        if plots is not None:
            raise UnusableInputError("--plots needs --truth: without a truth nobody knows which pairs are right")
        yield from _reviewed_lines(register)
        return
    records, children = (truth / "records.parquet", truth / "children.parquet")
    for file in (records, children):
        if not file.exists():
            raise UnusableInputError(f"there is no {file}: give the truth/ folder that 'childflow sample' wrote")
    with connect(register) as con:
        person_record = con.sql("SELECT * FROM person_record").pl()
        assessment = con.sql("SELECT person_id, as_of, outcome, reason FROM assessment").pl()
        record = RECORD.conform(con.sql("SELECT * FROM record").pl())
    truth_records, truth_children = pl.read_parquet(records), pl.read_parquet(children)
    yield from _linkage_lines(evaluate(person_record, truth_records, _twins(truth_children)))
    yield from _weight_lines(record, assessment["as_of"].max(), truth_records, plots)
    result = compare(assessment, person_record, truth_records, truth_children)
    yield from _outcome_lines(result)
    yield from _other_day(assessment["as_of"].max(), truth.parent / "city.json")
    yield f"Next: look into one of them with: childflow explain --register {typed(register)} PERSON_ID"


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


def _weight_lines(record: pl.DataFrame, as_of: object, truth: pl.DataFrame, plots: Path | None) -> Iterator[str]:
    """Blocking recall, calibration and thresholds of the weights themselves, before clustering."""
    if not isinstance(as_of, date):
        return
    model = load_model()
    scored = score(record, as_of, model, truth)
    steps, limits = calibration(scored), thresholds(scored)
    yield f"  blocking finds {scored.recall:.4%} of the true pairs of distinct rows"
    yield "  the weights before clustering, pairs with a side that has no number (stated probability: pairs, right, 95 % interval):"
    for row in steps.iter_rows(named=True):
        yield f"    {row['from']:.1%} to {row['to']:.1%}: {row['pairs']:,}, {row['right']:.2%} ({row['low']:.2%} to {row['high']:.2%})"
    for row in limits.filter(pl.col("threshold").is_in([0.1, 0.5, 0.95, 0.99, 0.999])).iter_rows(named=True):
        yield f"    linked from {row['threshold']:.1%} on: precision {row['precision']:.3%}, recall {row['recall']:.3%}"
    if plots is not None:
        written = write_charts(steps, limits, plots, link=model.link, review=model.review)
        yield f"  charts: {', '.join(map(str, written))}"


def _reviewed_lines(register: Path) -> Iterator[str]:
    """What is known without a truth: how many doubtful pairs are one child, as the decided ones of like probability have it."""
    with connect(register) as con:
        queue = REVIEW_QUEUE.conform(con.sql("SELECT * FROM review_queue").pl())
        methods = con.sql("SELECT link_method, count(*) AS n, avg(match_probability) AS p FROM person_record GROUP BY ALL ORDER BY ALL").fetchall()
    yield f"No truth given: {register} is judged by what clerks decided"
    for method, rows, mean in methods:
        yield f"  rows linked by {method}: {rows:,}" + ("" if mean is None else f", mean probability {mean:.4%}")
    share, strata = same_share(queue)
    yield "  doubtful pairs by probability (pairs, decided, of them the same, 95 % interval by Wilson):"
    for row in strata.iter_rows(named=True):
        yield f"    {row['from']:.0%} to {row['to']:.0%}: {row['pairs']:,}, {row['reviewed']:,}, {row['same']:,} ({row['low']:.1%} to {row['high']:.1%})"
    if share is None:
        yield "  nobody has decided a pair yet: nothing can be said of the others"
    else:
        yield f"  one child in {share.value:.1%} of the doubtful pairs ({share.low:.1%} to {share.high:.1%}), about {share.value * share.of:,.0f} of {share.of:,}; {share.reviewed:,} decided"
        yield "  This holds where the pairs decided are like those not decided in the same range of probability"
    yield f"Next: decide more of them: childflow review export --register {typed(register)} --out REVIEW.xlsx; or compare a made-up city: childflow evaluate --register FILE --truth DIR"


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
