"""The children's model re-estimated. Enters: the register, perhaps a truth folder, where to write. Leaves: a model file beside the present one, and what changed, level by level."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from flows.options import typed
from flows.settings import UnusableInputError, today
from matching.model import Model, load_model
from matching.training import Trained, Truth, train, write_model
from publish.register import connect
from schemas.tables.pair import REVIEW_QUEUE
from schemas.tables.record import RECORD


def training(register: Path, truth: Path | None, out: Path, weight: float) -> Iterator[str]:
    """Re-estimates the shares of every level from the register's rows, the clerks' decisions and, where given, the truth.

    Args:
        weight: pairs that the present shares of each class and comparison are worth.

    Raises:
        UnusableInputError: `out` is there already, the truth folder lacks its files, or the register has no row to learn from.
    """
    if out.exists():
        raise UnusableInputError(f"{out} is there already, and a model is never overwritten: give --out a new name")
    with connect(register) as con:
        record = RECORD.conform(con.sql("SELECT * FROM record").pl())
        queue = REVIEW_QUEUE.conform(con.sql("SELECT * FROM review_queue").pl())
        (as_of,) = con.execute("SELECT max(as_of) FROM assessment").fetchone() or (None,)
    if record.is_empty() or as_of is None:
        raise UnusableInputError(f"{register} has no rows to learn from: run 'childflow run' over full exports first")
    model = load_model()
    trained = train(record, as_of, model, queue=queue, truth=None if truth is None else read_truth(truth), weight=weight)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_model(trained.model, out, trained_on=_source(record, trained, truth), trained_at=today())
    yield from _labelled(trained)
    yield from _changes(trained, model)
    yield f"Written: {out}"
    yield f"Next: compare it with matching/model.yaml; in its place it counts from the next run on: childflow run, then childflow evaluate --register {typed(register)}"


def read_truth(folder: Path) -> Truth:
    """The two tables of a truth folder.

    Raises:
        UnusableInputError: one of them is not there.
    """
    for name in ("records.parquet", "children.parquet"):
        if not (folder / name).exists():
            raise UnusableInputError(f"there is no {folder / name}: give the truth/ folder that 'childflow sample' wrote")
    return Truth(pl.read_parquet(folder / "records.parquet"), pl.read_parquet(folder / "children.parquet"))


def _source(record: pl.DataFrame, trained: Trained, truth: Path | None) -> str:
    """What the model was trained on, in words."""
    pairs = f"{record.height:,} rows, {trained.labelled['match']:,} pairs of one child labelled by "
    card = None if truth is None else truth.parent / "city.json"
    if card is None or not card.exists():
        return pairs + ("their own numbers, and expectation maximisation on pairs without" if truth is None else "a truth")
    city = json.loads(card.read_text("utf-8"))
    return f"{pairs}the truth of a made-up city (childflow sample --children {city['children']} --seed {city['seed']})"


def _labelled(trained: Trained) -> Iterator[str]:
    yield "Labelled pairs: " + ", ".join(f"{name} {count:,}" for name, count in trained.labelled.items())
    if trained.learned.height:
        yield "Expectation maximisation (pairs with a side that has no number; log-likelihood a pair, which never falls):"
    for row in trained.learned.iter_rows(named=True):
        yield f"  {row['rule']}: {row['pairs']:,} pairs, {row['matches']:,.0f} matches; {row['likelihood_first']:.4f} -> {row['likelihood_last']:.4f} in {row['rounds']} rounds"


def _changes(trained: Trained, before: Model) -> Iterator[str]:
    """Every level's m and u before and after, and its weight against strangers where it does not go by frequency."""
    told = {(c, level, of): (a, b) for c, level, of, a, b in trained.changes.select("comparison", "level", "class", "before", "after").iter_rows()}
    yield "What changed (share among pairs of one child, among strangers, weight in bits; before -> after):"
    for comparison in before.comparisons:
        yield f"  {comparison.name}" + ("" if any(c == comparison.name for c, _, _ in told) else ": nothing to learn it from, stays as it is")
        for level in comparison.levels:
            m, u = (told.get((comparison.name, level.name, of)) for of in ("match", "stranger"))
            if m is None and u is None:
                continue
            parts = [f"m {m[0]:.3g} -> {m[1]:.3g}"] if m else []
            parts += [f"u {u[0]:.3g} -> {u[1]:.3g}"] if u else ["u by frequency"] if level.by_frequency else []
            if m and u:
                parts.append(f"{math.log2(m[0] / u[0]):+.1f} -> {math.log2(m[1] / u[1]):+.1f} bits")
            yield f"    {level.name:<14} {', '.join(parts)}"
