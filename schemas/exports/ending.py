"""Whether a text export breaks off in its last line. Enters: its text as UTF-8, block by block, and its width. Leaves: the same blocks, and a refusal in words at their end where it does.

An export that stopped half way would take the place of the whole one before it, and the children of its lost half would be missed by nobody. A file that was cut exactly
between two lines looks like a shorter one; that it is much shorter than the one before is said on its receipt (intake.py).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from schemas.exports.encoding import UNDECODABLE, marked
from schemas.exports.faults import UnreadableFileError

# characters of the end of a file, enough for several rows
TAIL = 64 * 1024
# as many bytes hold so many characters, the first of which may be cut in two
_TAIL_BYTES = 4 * (TAIL + 1)
# as many rows before the last one must have all their cells, or the file leaves out empty ones at the end of a row
_LOOKED_AT = 20


def to_the_end(blocks: Iterable[bytes], *, separator: str, width: int, headings: int) -> Iterator[bytes]:
    """The blocks as they come; at their end the last line is looked at.

    Args:
        headings: the number of lines up to and with the headings.

    Raises:
        UnreadableFileError: the last line has no end and fewer cells than the headings, and stands below rows that have them all.
    """
    end, length = b"", 0
    for block in blocks:
        length += len(block)
        end = (end + block[-_TAIL_BYTES:])[-_TAIL_BYTES:]
        yield block
    tail = marked(end).decode()
    # the first row of a tail may have begun before it
    _require_end(tail[-TAIL:], separator, width, headings if length <= _TAIL_BYTES and len(tail) <= TAIL else 1)


def _require_end(tail: str, separator: str, width: int, passed_over: int) -> None:
    if not tail or tail.endswith("\n"):
        return
    try:
        rows = list(csv.reader(io.StringIO(tail, newline=""), delimiter=separator))
    except csv.Error:
        return
    *before, last = rows[passed_over:] or [[]]
    is_short = 1 < len(last) < width and all(len(row) >= width for row in before[-_LOOKED_AT:])
    if is_short or tail.endswith(UNDECODABLE):
        found = f"没有换行，只有{len(last)}格，表头有{width}格" if last else "表头没有写完"
        raise UnreadableFileError(f"文件在最后一行中断（{found}），导出或传输可能没有完成；请重新导出并报送")
