"""The bulk of a CSV parted as it is: blocks of lines that each have a cell for every column, in which nothing was left undecoded.

Enters: whole lines as one text. Leaves: a batch (see reading.py) without source rows, or None where some line needs a closer look (records.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from schemas.exports.encoding import UNDECODABLE
from schemas.exports.reading import cell

LINE_BREAK = "\ufdd1"  # stands for a line break inside a cell while a batch is parted
# in a block with more quotes than this it is quicker to look at all lines together
_MOST_QUOTES = 20_000


def part_plain(text: str, width: int, separator: str) -> pl.DataFrame | None:
    """The lines parted into cells; None where a line is empty, short, long, not decoded, or its quotes don't close on it."""
    lines = text.count("\n")
    if not lines or text.startswith("\n") or "\n\n" in text or UNDECODABLE in text or LINE_BREAK in text:
        return None
    quoted = _in_quotes(text, separator)
    # none is long, or polars says so; so none is short where all together have the right number of separators
    if quoted is None or text.count(separator) - quoted != lines * (width - 1):
        return None
    schema = {cell(i): pl.String for i in range(width)}
    try:
        frame = pl.read_csv(
            text.encode(), has_header=False, schema=schema, separator=separator, eol_char="\n", missing_columns="insert", glob=False
        )
    except pl.exceptions.PolarsError:
        return None
    if frame.height != lines:
        return None
    return frame.with_columns(fault=pl.lit(None, pl.String), beyond=pl.lit([], pl.List(pl.String)), rounded=pl.lit([], pl.List(pl.UInt16)))


def _in_quotes(text: str, separator: str) -> int | None:
    """The number of separators inside quotes; None where the quotes of a line don't close on it, or there are too many to look."""
    quotes = text.count('"')
    if not quotes:
        return 0
    if quotes > _MOST_QUOTES:
        return None
    cell_ = rf'(?:"(?:[^"]|"")*"|[^"{separator}]*)'
    closed = re.compile(rf"{cell_}(?:{separator}{cell_})*")
    inside = 0
    for line in _with_quotes(text):
        if not closed.fullmatch(line):
            return None
        inside += sum(part.count(separator) for part in re.findall('"[^"]*"', line))
    return inside


def _with_quotes(text: str) -> Iterator[str]:
    """The lines that have a quote in them."""
    at = text.find('"')
    while at >= 0:
        end = text.index("\n", at)
        yield text[text.rfind("\n", 0, at) + 1 : end]
        at = text.find('"', end)
