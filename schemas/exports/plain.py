"""The bulk of a CSV parted as it is: blocks of lines that each have a cell for every column, in which nothing was left undecoded.

Enters: whole lines as one text in UTF-8. Leaves: a batch (see reading.py) without source rows, or None where some line needs a closer look (records.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from schemas.exports.encoding import UNDECODABLE
from schemas.exports.reading import cell

LINE_BREAK = "\ufdd1"  # stands for a line break inside a cell while a batch is parted
# in UTF-8 the two characters differ in their last byte
_MARKS = (*UNDECODABLE.encode(), LINE_BREAK.encode()[2])
# in a block with more quotes than this it is quicker to look at all lines together
_MOST_QUOTES = 20_000


def part_plain(text: bytes, width: int, separator: str) -> pl.DataFrame | None:
    """The lines parted into cells; None where a line is empty, short, long, not decoded, or its quotes don't close on it."""
    octets = np.frombuffer(text, dtype=np.uint8)
    ends = np.flatnonzero(octets == ord("\n"))
    lines = len(ends)
    if not lines or (np.diff(ends, prepend=-1) == 1).any() or _has_mark(octets):
        return None
    quoted = _in_quotes(text, int(np.count_nonzero(octets == ord('"'))), separator.encode())
    # none is long, or polars says so; so none is short where all together have the right number of separators
    if quoted is None or np.count_nonzero(octets == ord(separator)) - quoted != lines * (width - 1):
        return None
    schema = {cell(i): pl.String for i in range(width)}
    try:
        frame = pl.read_csv(text, has_header=False, schema=schema, separator=separator, eol_char="\n", missing_columns="insert", glob=False)
    except pl.exceptions.PolarsError:
        return None
    if frame.height != lines:
        return None
    return frame.with_columns(fault=pl.lit(None, pl.String), beyond=pl.lit([], pl.List(pl.String)), rounded=pl.lit([], pl.List(pl.UInt16)))


def _has_mark(octets: NDArray[np.uint8]) -> bool:
    """Whether one of the characters that are none stands in the text, which is whole UTF-8."""
    first = np.flatnonzero(octets == _MARKS[0])
    first = first[octets[first + 1] == _MARKS[1]]
    return bool(np.isin(octets[first + 2], _MARKS[2:]).any())


def _in_quotes(text: bytes, quotes: int, separator: bytes) -> int | None:
    """The number of separators inside quotes; None where the quotes of a line don't close on it, or there are too many to look."""
    if not quotes:
        return 0
    if quotes > _MOST_QUOTES:
        return None
    cell_ = rb'(?:"(?:[^"]|"")*"|[^"%b]*)' % separator
    closed = re.compile(rb"%b(?:%b%b)*" % (cell_, separator, cell_))
    inside = 0
    for line in _with_quotes(text):
        if not closed.fullmatch(line):
            return None
        inside += sum(part.count(separator) for part in re.findall(b'"[^"]*"', line))
    return inside


def _with_quotes(text: bytes) -> Iterator[bytes]:
    """The lines that have a quote in them."""
    at = text.find(b'"')
    while at >= 0:
        end = text.index(b"\n", at)
        yield text[text.rfind(b"\n", 0, at) + 1 : end]
        at = text.find(b'"', end)
