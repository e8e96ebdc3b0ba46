"""The made-up city. Enters: how many children, a seed, an empty folder. Leaves: inbox/<feed>/… as contracts/feeds.md has it, truth/, city.json.

Children are made in blocks of whole families, each block from a seed of its own, and appended to the files: memory does not grow with the city.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from sample_data import aid, planted, registers, services
from sample_data.families import households, people
from sample_data.faults import damage
from sample_data.files import Inbox, Plan, plan
from sample_data.forms import written
from sample_data.histories import histories, moves
from sample_data.numbers import IdOffice
from sample_data.places import Places, places
from sample_data.rates import CityError, Rates
from sample_data.rates import rates as rates_of
from sample_data.reading import answered
from sample_data.sheet import Block, Sheet
from sample_data.sightings import planned
from sample_data.truth import Truth, child_rows
from schemas.exports.feeds import FEEDS
from schemas.filled import filled

AS_OF = date(2026, 11, 24)
BLOCK = 100_000
_SHEETS = (
    registers.household, registers.residence, services.education, services.health, services.medical_insurance, services.disease_control,
    aid.disability, aid.survey, aid.assistance,
)  # fmt: skip
_DELTA_PART, _OLD_PART = "500116", "500106"


@dataclass(frozen=True)
class Summary:
    """What was written: children in the truth, rows and files in the inbox."""

    children: int
    rows: int
    files: int


def write_city(children: int, seed: int, out: Path, *, rates: Path | Rates | None = None, as_of: date = AS_OF, stories: bool = True, resources: bool = False) -> Summary:
    """Write `children` children into `out`; equal arguments give equal bytes. The planted stories are among them where `as_of` is theirs.

    Args:
        rates: a YAML file that overrides sample_data/rates.yaml, or Rates.
        resources: whether the optional input `resource` (docs/feeds.md) is among the files.

    Raises:
        CityError: fewer than one child, a folder that already holds a city, a day too early or too late. RatesError: rates that can't be used.
    """
    if children < 1:
        raise CityError(f"children is {children}; expected at least 1")
    if (out / "inbox").exists() and any((out / "inbox").rglob("*.*")):
        raise CityError(f"{out / 'inbox'} already holds files: give an empty folder, for old and new files must not mix")
    share, where = rates_of(rates), places()
    told = planted.stories() if stories and as_of == planted.AS_OF and children >= planted.FEWEST else []
    inbox = Inbox(out / "inbox", as_of, children)
    truth = Truth(out / "truth")
    office = IdOffice(np.r_[where.district, where.table["old6"].drop_nulls().cast(pl.Int64).to_numpy()])
    for number, (first, size) in enumerate(_blocks(children - len(told))):
        rng = np.random.default_rng([seed, number])
        block, typed = _made(rng, first, size, where, office, as_of, share)
        kids = answered(block.kids, typed, where, as_of)
        for sheet in typed.values():
            _send(written(damage(sheet, block), block), block, inbox, truth, first, is_first=number == 0)
        truth.add_children(child_rows(kids, where))
    for planted_sheet in planted.sheets(told):
        for part in planted_sheet.parts():
            to = inbox.plan(planted_sheet.feed, part)
            rows = planted_sheet.of(part)
            truth.add_records(to, inbox.append(to, rows.frame), rows.persons, rows.damage)
    truth.add_children(planted.children(told))
    planted.send_answers(inbox)
    if resources:
        planted.send_resources(inbox)
    known = truth.close()
    counts = inbox.close()
    summary = Summary(known, sum(counts.values()), len(counts))
    card = {"as_of": as_of.isoformat(), "children": known, "seed": seed, "rows": summary.rows, "files": counts}
    (out / "city.json").write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return summary


def _blocks(children: int) -> Iterator[tuple[int, int]]:
    for first in range(0, children, BLOCK):
        yield first, min(BLOCK, children - first)


def _made(rng: np.random.Generator, first: int, size: int, where: Places, office: IdOffice, as_of: date, share: Rates) -> tuple[Block, dict[str, Sheet]]:
    """One block of children and the undamaged sheets of all feeds."""
    grouped = households(rng, size, share)
    moved = moves(rng, grouped.families, where, as_of, share)
    persons = people(rng, grouped, first, moved.hukou[grouped.family], where, office, as_of, share)
    lived = histories(rng, grouped.family, persons["birth"].to_numpy(), moved, where, as_of, share)
    block = Block(rng, planned(rng, pl.concat([persons, lived], how="horizontal"), where, as_of), where, as_of, share)
    sheets = (make(block) for make in _SHEETS)
    return block, {sheet.feed: sheet for sheet in sheets}


def _send(sheet: Sheet, block: Block, inbox: Inbox, truth: Truth, first: int, *, is_first: bool) -> None:
    """Append a sheet's rows, in no order, to the files of its parts, and tell the truth where each went."""
    columns = [c.name for c in FEEDS[sheet.feed].columns]
    if sheet.feed == "medical_insurance":
        sheet.frame = sheet.frame.with_columns(_part=pl.when(pl.col("_part") == _DELTA_PART).then("_part").otherwise(pl.lit("")))
    numbers = _number_cells(sheet, block, inbox)
    rows = sheet.frame.with_columns(_damage=sheet.damage(), _number=numbers)[block.rng.permutation(sheet.height)]
    persons = filled("c{}", (pl.col("_child") + first).cast(pl.String).str.zfill(8))
    for (part,), these in rows.group_by("_part", maintain_order=True):
        to = inbox.plan(sheet.feed, str(part))
        here = these
        if is_first and sheet.feed == "medical_insurance" and part == _DELTA_PART:
            here = _with_delta(these, inbox, truth, to, persons)
        if is_first and sheet.feed == "education" and part == _OLD_PART:
            _send_old(these, inbox)
        truth.add_records(to, inbox.append(to, here.select(columns), here["_number"]), here.select(persons.alias("person"))["person"], here["_damage"])


def _number_cells(sheet: Sheet, block: Block, inbox: Inbox) -> pl.Series:
    """In workbooks, ids typed as numbers: Excel keeps 15 digits of them and shows 18."""
    none = pl.Series([False] * sheet.height, dtype=pl.Boolean)
    if sheet.feed not in ("survey", "assistance"):
        return none
    is_book = sheet.frame["_part"].is_in([p for p in sheet.frame["_part"].unique() if inbox.plan(sheet.feed, p).style == "workbook"])
    whole = sheet.frame["id_number"].str.contains(r"^\d{18}$").fill_null(False)
    rows = np.flatnonzero((is_book & whole).to_numpy() & (block.rng.random(sheet.height) < block.rates.forms["id_number_cell"]))
    sheet.put("id_number", rows, sheet.frame["id_number"][rows], "id_number_cell")
    return none.scatter(pl.Series(rows), True) if len(rows) else none


def _with_delta(rows: pl.DataFrame, inbox: Inbox, truth: Truth, base: Plan, persons: pl.Expr) -> pl.DataFrame:
    """Put a few rows of the part into a delta: some replace an older row of the same key in the base (which then is not live), some are new.

    Returns:
        the rows of the base that are live; the replaced ones are appended here.
    """
    columns = [c.name for c in FEEDS["medical_insurance"].columns]
    eligible = rows["record_key"].is_unique() & rows["record_key"].is_not_null() & ~rows["_damage"].list.contains("quarantined")
    turn = pl.when(eligible).then(eligible.cum_sum() % 20)
    rows = rows.with_columns(pl.select(turn.alias("_turn")).to_series())
    newer = rows.filter(pl.col("_turn").is_in([1, 2])).drop("_turn")
    to = plan("medical_insurance", f"{_DELTA_PART}_delta", inbox.as_of, inbox.children, services.insurance_delta_day(inbox.as_of))
    truth.add_records(to, inbox.append(to, newer.select(columns)), newer.select(persons.alias("person"))["person"], newer["_damage"])
    replaced = rows.filter(pl.col("_turn") == 1).with_columns(status=pl.lit("暂停参保"), paid_year=pl.lit(str(inbox.as_of.year - 1)))
    inbox.append(base, replaced.select(columns))
    return rows.filter(~pl.col("_turn").is_in([1, 2]).fill_null(False)).drop("_turn")


def _send_old(rows: pl.DataFrame, inbox: Inbox) -> None:
    """An older snapshot of a part, which the newer one supersedes whole."""
    columns = [c.name for c in FEEDS["education"].columns]
    to = plan("education", _OLD_PART, inbox.as_of, inbox.children, inbox.as_of - timedelta(days=54))
    inbox.append(to, rows.filter(pl.int_range(pl.len()) % 5 > 0).select(columns))
