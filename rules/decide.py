"""The rule applied to everybody. Enters: work/facts, work/person.parquet without names, work/previous. Leaves: residence_episode, assessment, key_care, alert, service_gap, resource, match_suggestion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import polars as pl

from rules import alerts, key_care, services
from rules.assessment import assess
from rules.basis import Facts
from rules.facts import read_facts
from rules.law import Law, Parameters
from rules.parts import Span, between, rows_of, spans
from rules.remembered import remembered, taken_over
from rules.resources import resources
from rules.signs import signs
from rules.suggestions import suggest
from schemas.growing import ROW_GROUP, GrowingParquet
from schemas.in_order import in_order
from schemas.tables.assessment import ALERT, ASSESSMENT, KEY_CARE, RESIDENCE_EPISODE, SERVICE_GAP
from schemas.tables.care import MATCH_SUGGESTION, RESOURCE
from schemas.tables.record import PERSON
from schemas.tables.table import Table

# what the rules read of a child: nothing that names it
CHILD_COLUMNS = ("person_id", "birth_date", "birth_date_precision", "sex", "document_type", "id_number_status", "first_seen", "last_seen", "feeds")
OUTPUTS: tuple[Table, ...] = (RESIDENCE_EPISODE, ASSESSMENT, KEY_CARE, ALERT, SERVICE_GAP)
Frames = dict[str, pl.DataFrame]


class ChildrenLostError(Exception):
    """Not every child has exactly one assessment: a fault of ours."""


def decide(work: Path, as_of: date, law: Law | None = None) -> None:
    """Apply the rule for a day to every child and write what follows.

    Args:
        work: the run's folder. as_of: the day the rule is applied for. law: another than the one in force (for what-if).

    Raises:
        LawError: a parameter file is wrong.
        ChildrenLostError: persons and assessments differ.
    """
    law = law or Law.load()
    finish(in_order(deciding(work, as_of, law), spans(children_of(work))), work, as_of, law)


def children_of(work: Path) -> pl.LazyFrame:
    """What the rules read of the children."""
    return pl.scan_parquet(work / "person.parquet").select(CHILD_COLUMNS)


def deciding(work: Path, as_of: date, law: Law) -> Callable[[Span], Frames]:
    """What makes all tables for the children of a span."""
    p = law.on(as_of)
    children, facts, previous, last_on = children_of(work), read_facts(work), _previous(work, as_of), _last_on(work)

    def some(span: Span) -> Frames:
        return _decide_some(children.filter(between(span)), rows_of(facts, span), rows_of(previous, span), last_on, as_of, p, law.version)

    return some


def finish(parts: Iterator[Frames], work: Path, as_of: date, law: Law) -> None:
    """Write what was made span by span, in the order of the spans, and what only all children together give."""
    _write(parts, work)
    _assert_each_child_once(work)
    _match(work, as_of, law.on(as_of))


def _write(parts: Iterator[Frames], work: Path) -> None:
    """One file a table, part by part; a table in another order than the children's is sorted at the end."""
    kept: dict[str, list[pl.DataFrame]] = {table.name: [] for table in OUTPUTS if table.key[0] != "person_id"}
    with ExitStack() as open_files:
        writers = {
            table.name: open_files.enter_context(GrowingParquet(work / f"{table.name}.parquet"))
            for table in OUTPUTS
            if table.name not in kept
        }
        for frames in parts:
            for name, writer in writers.items():
                writer.write(frames[name])
            for name, held in kept.items():
                held.append(frames[name])
    for table in OUTPUTS:
        if table.name in kept:
            pl.concat(kept[table.name]).sort(table.key).write_parquet(work / f"{table.name}.parquet", row_group_size=ROW_GROUP)


def _decide_some(children: pl.LazyFrame, facts: Facts, previous: Facts, last_on: date | None, as_of: date, p: Parameters, version: str) -> Frames:
    """All tables for some of the children."""
    answers = assess(children, facts, as_of, p, version)
    assessment = answers.assessment.lazy()
    found = signs(facts, as_of, p).collect().lazy()
    care = key_care.categories(facts, assessment, as_of, p, previous.get("key_care"), found=found)
    raised = alerts.raise_alerts(children, facts, answers.episodes.lazy(), assessment, care.lazy(), previous, as_of, p, found=found, last_on=last_on)
    gaps = services.gaps(children, facts, assessment, as_of, p, found=found)
    frames = (answers.episodes, answers.assessment, care, raised, gaps)
    return {table.name: frame for table, frame in zip(OUTPUTS, frames, strict=True)}


def _previous(work: Path, as_of: date) -> dict[str, pl.LazyFrame]:
    """What the rules go on from: the last register's alerts, those of merged identifiers, and since when children are in key care. Nothing where no register was recalled."""
    folder = work / "previous"
    if not folder.exists():
        return {}
    alert, care, ledger = (pl.scan_parquet(folder / f"{name}.parquet") for name in ("alert", "key_care", "ledger"))
    identity = pl.scan_parquet(work / "identity.parquet")
    return {"alert": alert, "taken_over": taken_over(alert, identity).lazy(), "key_care": remembered(ledger, care, identity, as_of).lazy()}


def _last_on(work: Path) -> date | None:
    """The latest day that a night has run for; None before the first."""
    runs = work / "previous" / "run.parquet"
    return pl.scan_parquet(runs).select(pl.col("as_of").max()).collect().item() if runs.exists() else None


def _assert_each_child_once(work: Path) -> None:
    persons = pl.scan_parquet(work / "person.parquet").select(pl.col(PERSON.key[0]))
    answered = pl.scan_parquet(work / "assessment.parquet").select("person_id")
    lost = persons.join(answered, on="person_id", how="anti").collect().height
    rows, children = answered.collect(), persons.collect()
    if lost or rows.height != children.height:
        raise ChildrenLostError(f"{children.height} children, {rows.height} assessments, {lost} children without one: nothing may be published")


def _match(work: Path, as_of: date, p: Parameters) -> None:
    """Suggestions for all children together, for they share the places."""
    source = work / "standard" / "resource.parquet"
    offered = resources(pl.scan_parquet(source), as_of, p) if source.exists() else RESOURCE.empty()
    key_care, gaps, assessment = (pl.scan_parquet(work / f"{name}.parquet") for name in ("key_care", "service_gap", "assessment"))
    offered.write_parquet(work / f"{RESOURCE.name}.parquet")
    suggest(key_care, gaps, assessment, offered, as_of, p).write_parquet(work / f"{MATCH_SUGGESTION.name}.parquet")
