"""Reads `.csv` and `.csv.gz`: UTF-8 (with or without BOM), UTF-16 with BOM or GB18030; comma or tab; line breaks inside quotes.

Enters: a path and the feed. Leaves: a `Reading`. The encoding and the separator are those under which the feed's headings are recognised, so
a guess is never silent. Bulk is parted by polars; Python looks only at lines with quotes (see records.py).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

from schemas.exports.contract import Feed
from schemas.exports.encoding import as_utf8, candidate_encodings, first_lines, gzip_blocks, marked, plain_blocks, text_of
from schemas.exports.ending import to_the_end
from schemas.exports.faults import UnreadableFileError
from schemas.exports.headings import SEARCHED_ROWS, Layout, find_headings
from schemas.exports.reading import Reading
from schemas.exports.records import part_lines

SEPARATORS = {",": "comma", "\t": "tab"}
# of the beginning of a file, enough for titles and headings
HEAD = 256 * 1024
# a file without a line break in so much text is no table
LONGEST_LINE = 16 * 2**20


def read_text(path: Path, feed: Feed, *, compressed: bool) -> Reading:
    """Opens a text export.

    Raises:
        UnreadableFileError: empty, not text, no heading row, a needed column missing, a damaged gzip, an end half way in a line.
    """
    blocks = gzip_blocks(path) if compressed else plain_blocks(path)
    first = next(blocks, b"")
    if not first.strip():
        raise UnreadableFileError("文件是空的，没有表头也没有数据；请重新导出")
    encoding, separator, lines, layout = _recognise(first, feed)
    layout.require()
    utf8 = to_the_end(as_utf8(chain((first,), blocks), encoding), separator=separator, width=len(layout.headings), headings=lines)
    batches = part_lines(_whole_lines(utf8), skip=lines, width=len(layout.headings), least=layout.least_width, separator=separator)
    return Reading(layout, "csv.gz" if compressed else "csv", batches, encoding.removesuffix("-sig"), SEPARATORS[separator])


def _recognise(first: bytes, feed: Feed) -> tuple[str, str, int, Layout]:
    """Encoding, separator, number of lines up to and with the headings, and layout: those that know the most headings."""
    best: tuple[str, str, int, Layout] | None = None
    for encoding in candidate_encodings(first[:HEAD]):
        for separator in SEPARATORS:
            ends, rows = _first_rows(first_lines(first[:HEAD], encoding), separator)
            at, layout = find_headings(feed, rows)
            if best is None or len(layout.positions) > len(best[3].positions):
                best = encoding, separator, ends[at] if rows else 0, layout
            if len(layout.positions) == len(feed.columns):
                return best
    assert best is not None  # there is always a candidate
    return best


def _first_rows(lines: Iterator[str], separator: str) -> tuple[list[int], list[list[str]]]:
    """The first rows of a text, and after each the number of lines read so far."""
    reader = csv.reader(lines, delimiter=separator)
    ends: list[int] = []
    rows: list[list[str]] = []
    try:
        for row in islice(reader, SEARCHED_ROWS):
            ends.append(reader.line_num)
            rows.append(row)
    except csv.Error:  # a cell that never ends: what came before it may still hold the headings
        pass
    return ends, rows


def _whole_lines(blocks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Blocks of whole lines, each line with its end, and whether it is the last block.

    Raises:
        UnreadableFileError: a line without end.
    """
    tail = b""
    for block in blocks:
        cut = block.rfind(b"\n") + 1
        if not cut:
            tail += block
            if len(tail) > LONGEST_LINE and len(text_of(tail)) > LONGEST_LINE:
                raise UnreadableFileError("文件中有一行过长，不是表格；请重新导出CSV")
            continue
        yield marked(tail + block[:cut]), False
        tail = block[cut:]
    yield marked(tail + b"\n" if tail else b""), True
