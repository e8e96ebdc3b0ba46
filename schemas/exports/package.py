"""Looks a workbook's package over before it is opened. Enters: the path of an `.xlsx`. Leaves: nothing, or the words that turn it away; and from which year it counts days.

Macros, encryption and zip bombs are turned away, and a sheet whose outermost cells lie too far apart: who opens it makes room for every cell between them, and one blank
typed into the last cell of a sheet asks for half a terabyte.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from schemas.exports.faults import UnreadableFileError

# a part of the package that grows beyond this, and more than so many times, is no table
INFLATED_FLOOR = 8 * 2**20
MOST_INFLATED = 300
MOST_BYTES = 8 * 2**30
# all rows that a sheet may have, of 64 columns
MOST_CELLS = 2**26
INCOMPLETE = "工作簿不完整或已损坏，请用表格软件重新另存为.xlsx"
_READ_BYTES = 2**20
# where a cell or row says where it stands: one behind column Z, one in a row of seven digits, any; and what may be cut off such a place where a piece ends
_FAR, _DEEP, _ROW = (re.compile(rb' r="' + place) for place in (rb"([A-Z]{2,})\d", rb"[A-Z]*(\d{7,})", rb"[A-Z]*(\d+)"))
_LONGEST_PLACE = 64
# so many columns and a million rows are not too many
_COLUMNS = MOST_CELLS // 10**6
_LETTERS = 26
# how many texts the cells share, as is said in front of them
_SHARED, _SAID_WITHIN = re.compile(rb'[cC]ount="(\d+)"'), 4096
_BOOK, _FROM_1904 = "xl/workbook.xml", re.compile(rb"date1904=[\"'](?:1|true)[\"']")


def look_over(path: Path) -> None:
    """Turns away a package that must not be opened.

    Raises:
        UnreadableFileError: macros, a password, a zip bomb, damage, or cells too far apart.
    """
    try:
        with zipfile.ZipFile(path) as package:
            parts = package.infolist()
            _refuse_bomb(path, parts)
            if any(p.flag_bits & 1 for p in parts):
                raise UnreadableFileError("工作簿设有密码，不能读取；请取消密码后重新报送")
            names = {p.filename.lower() for p in parts}
            if any(n.endswith("vbaproject.bin") for n in names) or _declares_macros(package, names):
                raise UnreadableFileError("工作簿带有宏，出于安全不予读取；请另存为不带宏的.xlsx后重新报送")
            for part in parts:
                _look_through(package, part)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as e:
        raise UnreadableFileError(INCOMPLETE) from e


def counts_from_1904(path: Path) -> bool:
    """Whether the workbook's day numbers are those of old Macintoshes. Cells that are shown as dates come right from any reader; numbers alone do not."""
    with zipfile.ZipFile(path) as package:
        return _BOOK in package.namelist() and bool(_FROM_1904.search(package.read(_BOOK)))


def _refuse_bomb(path: Path, parts: Sequence[zipfile.ZipInfo]) -> None:
    total = sum(p.file_size for p in parts)
    swollen = any(p.file_size > INFLATED_FLOOR and p.file_size > p.compress_size * MOST_INFLATED for p in parts)
    overlapping = sum(p.compress_size for p in parts) > path.stat().st_size
    if swollen or overlapping or total > MOST_BYTES:
        raise UnreadableFileError(f"工作簿解开后大小异常（{total // 2**20} MiB），疑似压缩炸弹，不予读取；请另存为.csv后重新报送")


def _declares_macros(package: zipfile.ZipFile, names: set[str]) -> bool:
    return "[content_types].xml" in names and b"macroEnabled" in package.read("[Content_Types].xml")


def _look_through(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Reads a part to its end, where its checksum is looked at; what is in it must not ask for room that nothing fills."""
    name = part.filename.lower()
    try:
        if name.startswith("xl/worksheets/"):
            _refuse_far(package, part)
        else:
            deque(_pieces(package, part), maxlen=0)
        if name == "xl/sharedstrings.xml":
            _refuse_many(package, part)
    except zipfile.BadZipFile:
        raise UnreadableFileError(f"工作簿已损坏（{part.filename}），请用表格软件重新另存为.xlsx") from None


def _refuse_many(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    with package.open(part) as stream:
        said = _SHARED.findall(stream.read(_SAID_WITHIN))
    if any(int(count) > part.file_size for count in said):
        raise zipfile.BadZipFile


def _refuse_far(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Turns away a sheet whose cells lie too far apart. Where it has few columns, only rows are looked at that would be too many."""
    columns, deep = {b"Z"}, {b"0"}
    for piece in _pieces(package, part):
        columns.update(_FAR.findall(piece))
        deep.update(_DEEP.findall(piece))
    column = max(columns, key=_number)
    if _number(column) > _COLUMNS:
        deep.update(row for piece in _pieces(package, part) for row in _ROW.findall(piece))
    rows = max(map(int, deep))
    if rows * _number(column) > MOST_CELLS:
        raise UnreadableFileError(f"工作表的内容远至第{rows}行、{column.decode()}列，范围过大，不能读取；请删除数据区以外的零散内容（空格也算），另存为.xlsx后重新报送")


def _pieces(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """A part piece by piece, each with the end of the one before."""
    before = b""
    with package.open(part) as stream:
        while read := stream.read(_READ_BYTES):
            yield before + read
            before = read[-_LONGEST_PLACE:]


def _number(column: bytes) -> int:
    """A column's letters as a number from 1."""
    number = 0
    for letter in column:
        number = number * _LETTERS + letter - ord("A") + 1
    return number
