"""Whether a text export breaks off in its last line. Enters: a path, how it is written, and its width. Leaves: a refusal in words where it does.

An export that stopped half way would take the place of the whole one before it, and the children of its lost half would be missed by nobody. A file that was cut exactly
between two lines looks like a shorter one; that it is much shorter than the one before is said on its receipt (intake.py).
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from schemas.exports.encoding import UNDECODABLE, decoded
from schemas.exports.faults import UnreadableFileError

# of the end of a file, enough for several rows; even, for UTF-16
TAIL = 64 * 1024
# as many rows before the last one must have all their cells, or the file leaves out empty ones at the end of a row
_LOOKED_AT = 20


def require_whole(path: Path, *, encoding: str, separator: str, width: int, headings: int) -> None:
    """Refuse a file whose last line has no end, fewer cells than the headings, and stands below rows that have them all.

    Args:
        headings: the number of lines up to and with the headings.

    Raises:
        UnreadableFileError: the file breaks off.
    """
    text, is_all = _end(path, encoding)
    if not text or text.endswith("\n"):
        return
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error:
        return
    # the first row may have begun before the part that was read
    *before, last = rows[headings if is_all else 1 :] or [[]]
    is_short = 1 < len(last) < width and all(len(row) >= width for row in before[-_LOOKED_AT:])
    if is_short or text.endswith(UNDECODABLE):
        raise UnreadableFileError(f"文件在最后一行中断（没有换行，只有{len(last)}格，表头有{width}格），导出或传输可能没有完成；请重新导出并报送")


def _end(path: Path, encoding: str) -> tuple[str, bool]:
    """The end of the file as text, and whether that is all of it."""
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        start = max(0, size - TAIL) // 2 * 2
        stream.seek(start)
        return "".join(decoded((stream.read(),), encoding)), start == 0
