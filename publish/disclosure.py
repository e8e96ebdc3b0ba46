"""What may be read by whom: numbers and names masked, small counts hidden.

Enters: columns of identity values, tables of counts. Leaves: the same, with what must not be read replaced by stars or by `<5`.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

SMALL = 5  # counts of 1 to 4 could point at a child whom a neighbour knows
HIDDEN = f"<{SMALL}"
COMPLEMENT = "—"  # not small, but with it the small one beside it could be computed


def mask_id(number: pl.Expr, *, beside_birth_date: bool) -> pl.Expr:
    """A mainland id number as `500106********123X`; beside a birth date as `500106************`, for the date would complete the usual mask.

    Any other document's number becomes stars throughout; null stays null.
    """
    tail = pl.lit("*" * 12) if beside_birth_date else pl.concat_str(pl.lit("*" * 8), number.str.slice(14, 4))
    mainland = number.str.contains("^[0-9]{17}[0-9Xx]$")
    return pl.when(mainland).then(pl.concat_str(number.str.slice(0, 6), tail)).otherwise(_stars(number))


def mask_phone(phone: pl.Expr) -> pl.Expr:
    """A mobile number as `138****5678`; any other number as stars throughout; null stays null."""
    mobile = phone.str.contains("^1[0-9]{10}$")
    return pl.when(mobile).then(pl.concat_str(phone.str.slice(0, 3), pl.lit("****"), phone.str.slice(7, 4))).otherwise(_stars(phone))


def mask_name(name: pl.Expr) -> pl.Expr:
    """The first character and a star for each further one: `欧**`; a single character becomes a star; null stays null."""
    long = name.str.len_chars() > 1
    return pl.when(long).then(pl.concat_str(name.str.slice(0, 1), _stars(name.str.slice(1)))).otherwise(_stars(name))


def _stars(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all("[\\s\\S]", "*")


@dataclass(frozen=True)
class _Cell:
    row: int
    column: int
    count: int


def hide_small(counts: pl.DataFrame, label: str, *, totals: bool = True) -> pl.DataFrame:
    """A table of counts as text in which no count of 1 to 4 can be read, nor computed from the totals.

    Args:
        counts: one row per label, integer columns whose rows and columns add up.
        label: the column that is no count.
        totals: a total of each row and of each column is published beside the table, or can be had elsewhere.

    Returns:
        The frame with every count column as text: small counts as `<5`; counts of 5 and more that would give a small one away as `—`. Zero is
        shown: that nobody is concerned says nothing of anybody.

    Each line (row or column) is audited on its own: what its total and its shown cells say of a hidden one must leave at least three values
    open. Where not, its smallest shown cell is hidden too, until all lines hold (Hundepool et al., Statistical Disclosure Control, 2012, ch. 4).
    """
    names = [c for c in counts.columns if c != label]
    table = [[int(v or 0) for v in row] for row in counts.select(names).iter_rows()]
    hidden = {(r, c) for r, row in enumerate(table) for c, v in enumerate(row) if 0 < v < SMALL}
    if totals:
        lines = _lines(table)
        while any(_hide_one_more(line, hidden) for line in lines):
            pass
    text = [
        [COMPLEMENT if (r, c) in hidden and v >= SMALL else HIDDEN if (r, c) in hidden else f"{v:,}" for c, v in enumerate(row)]
        for r, row in enumerate(table)
    ]
    shown = pl.DataFrame(text, schema=dict.fromkeys(names, pl.String), orient="row")
    return counts.select(pl.col(label).cast(pl.String)).hstack(shown).select(counts.columns)


def hide_small_total(count: int) -> str:
    """A count that stands alone."""
    return HIDDEN if 0 < count < SMALL else f"{count:,}"


def _lines(table: list[list[int]]) -> list[list[_Cell]]:
    rows = [[_Cell(r, c, v) for c, v in enumerate(row)] for r, row in enumerate(table)]
    lines = rows + [list(column) for column in zip(*rows, strict=True)]
    return [line for line in lines if len(line) > 1]


def _hide_one_more(line: list[_Cell], hidden: set[tuple[int, int]]) -> bool:
    """Hide the line's smallest shown cell if a hidden one can be computed; whether it did."""
    if _is_safe([cell.count for cell in line if (cell.row, cell.column) in hidden]):
        return False
    shown = [cell for cell in line if (cell.row, cell.column) not in hidden and cell.count > 0]
    if not shown:
        return False
    smallest = min(shown, key=lambda cell: (cell.count, cell.row, cell.column))
    hidden.add((smallest.row, smallest.column))
    return True


def _is_safe(counts: list[int]) -> bool:
    """Whether, their sum being known, each of these hidden counts could still be at least three values."""
    total = sum(counts)
    bounds = [(1, SMALL - 1) if count < SMALL else (SMALL, total) for count in counts]
    low, high = sum(b[0] for b in bounds), sum(b[1] for b in bounds)
    for least, most in bounds:
        smallest, largest = max(least, total - (high - most)), min(most, total - (low - least))
        if largest - smallest < 2:
            return False
    return True
