"""Departments that answer rosters, as they do: a workbook opened, filled in, reordered, widened, cut, mistyped, and saved into the inbox."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl

HEADINGS = ("花名册编号", "人员编码", "核实部门", "核实结果", "更正项目", "更正内容", "核实人", "核实日期", "备注")


@dataclass
class Sent:
    """One row of an answered roster: what it says, and where it lies (row 1 is the first under the headings)."""

    file: str
    row: int
    cells: dict[str, str | None]
    tags: frozenset[str] = field(default_factory=frozenset)


Answerer = Callable[[dict[str, str | None]], dict[str, str | None] | None]


def answer(roster: Path, inbox: Path, day: date, answerer: Answerer, rng: random.Random | None = None) -> list[Sent]:
    """Fill in a roster and put it into INBOX/verification; `answerer` gives the answer to a row, or None where the row is deleted."""
    book = openpyxl.load_workbook(roster)
    sheet = book["花名册"]
    head, at = next((r, {str(c.value).strip(): c.column - 1 for c in r if c.value}) for r in sheet.iter_rows() if "人员编码" in [str(c.value).strip() for c in r])
    first = head[0].row + 1
    rows = [[c.value for c in r] for r in sheet.iter_rows(min_row=first) if r[at["人员编码"]].value]
    answered: list[list[Any]] = []
    for row in rows:
        told = answerer({h: row[i] for h, i in at.items()})
        if told is None:
            continue
        for heading, value in told.items():
            row[at[heading]] = value
        answered.append(row)
    if rng:
        rng.shuffle(answered)
        for letter in "BCDK":
            sheet.column_dimensions[letter].width = rng.randint(8, 60)
    sheet.delete_rows(first, sheet.max_row)
    for row in answered:
        sheet.append(row)
    parts = roster.stem.split("_")
    target = inbox / "verification" / f"verification_{day:%Y%m%d}_{parts[1]}{parts[2]}.xlsx"
    target.parent.mkdir(parents=True, exist_ok=True)
    book.save(target)
    return [Sent(target.name, n, {h: row[at[h]] for h in HEADINGS}) for n, row in enumerate(answered, 1)]
