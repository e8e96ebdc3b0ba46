"""Tables of the law, row by row. Enters: a parameter of kind table. Leaves: its rows, if each keeps to the words its columns allow, else a `LawError`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from rules.law import Parameters
from rules.law_file import LawError


def table(
    p: Parameters, key: str, row_name: str, allowed: Mapping[str, Collection[Any]], whole_numbers: Collection[str] = ()
) -> list[dict[str, Any]]:
    """The rows of a table.

    Args:
        row_name: the column that names a row; no two rows may share a name.
        allowed: for a column the words it may hold; of a list, each of its words.
        whole_numbers: columns that hold whole numbers, none below zero.

    Raises:
        LawError: naming file, row and column, and what is allowed.
    """
    rows: list[dict[str, Any]] = p[key]
    seen: set[str] = set()
    for row in rows:
        where = f"{key}.yaml, row {row.get(row_name)!r}"
        for column in (row_name, *allowed, *whole_numbers):
            _must(column in row, f"{where}: no {column}; every row has {', '.join((row_name, *allowed, *whole_numbers))}")
        _must(row[row_name] not in seen, f"{where}: written twice; a {row_name} has one row")
        seen.add(row[row_name])
        for column, words in allowed.items():
            for word in row[column] if isinstance(row[column], list) else [row[column]]:
                _must(word in words, f"{where}, {column}: {word!r} is not allowed; allowed: {', '.join(str(w) for w in words)}")
        for column in whole_numbers:
            _must(
                type(row[column]) is int and row[column] >= 0, f"{where}, {column}: {row[column]!r} is not a whole number of zero or more"
            )
    return rows


def _must(holds: bool, message: str) -> None:
    if not holds:
        raise LawError(message)
