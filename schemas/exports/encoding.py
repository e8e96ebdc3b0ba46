"""Bytes to text: the blocks of a (gzipped) text file, what encoding they are in, and a way to UTF-8 that never fails.

Enters: a path. Leaves: blocks of UTF-8; a byte that can't be decoded becomes `UNDECODABLE`, which the rows carry until they are quarantined.
GB 18030-2022 is read as a superset of GBK and GB 2312; characters that Python's decoder puts into the private use area as the 2005 edition
did are folded where cells are cleaned.
"""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl

from schemas.exports.faults import UnreadableFileError

BLOCK = 12 * 2**20
# of a beginning so much is decoded at a time: in the wrong encoding most characters are faults, which are slow
_PIECE = 4096
# a noncharacter: no department can have meant it
UNDECODABLE = "\ufdd0"
# what may come out of a gzip for one byte of it, and from what size on that is looked at
MOST_INFLATED = 200
INFLATED_FLOOR = 64 * 2**20

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_UTF32_BOMS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_ERRORS = "childflow-mark"


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return UNDECODABLE, error.end


codecs.register_error(_ERRORS, _mark)


def plain_blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a file, block by block."""
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            yield block


def gzip_blocks(path: Path) -> Iterator[bytes]:
    """The bytes inside a gzip, block by block.

    Raises:
        UnreadableFileError: no gzip, a truncated or damaged one, or one that grows beyond all measure.
    """
    packed = path.stat().st_size
    inflated = 0
    try:
        with gzip.open(path, "rb") as stream:
            while block := stream.read(BLOCK):
                inflated += len(block)
                if inflated > INFLATED_FLOOR and inflated > packed * MOST_INFLATED:
                    raise UnreadableFileError(f"压缩包解开后超过原大小的{MOST_INFLATED}倍，疑似压缩炸弹，已停止读取；请直接报送.csv文件")
                yield block
    except EOFError as e:
        raise UnreadableFileError("压缩文件不完整（可能传输中断），请重新压缩并报送") from e
    except (gzip.BadGzipFile, zlib.error) as e:
        raise UnreadableFileError("不是有效的gzip压缩文件或文件已损坏，请重新压缩并报送") from e


def candidate_encodings(head: bytes) -> list[str]:
    """The encodings that the beginning of a file allows, likeliest first.

    Raises:
        UnreadableFileError: UTF-32, UTF-16 without a mark, or no text at all.
    """
    if head.startswith(_UTF32_BOMS):
        raise UnreadableFileError("文件是UTF-32编码，不能读取；请另存为UTF-8或GB18030编码的CSV")
    for bom, name in _BOMS:
        if head.startswith(bom):
            return [name]
    sample = head[:4096]
    if b"\0" in sample:
        if sample[1::2].count(0) + sample[::2].count(0) > len(sample) // 8:
            raise UnreadableFileError("文件像是不带BOM的UTF-16编码，不能可靠读取；请另存为UTF-8或GB18030编码的CSV")
        raise UnreadableFileError("文件含有空字节，不是文本文件；请重新导出CSV")
    return ["utf-8", "gb18030"]


def first_lines(head: bytes, encoding: str) -> Iterator[str]:
    """The lines of a file's beginning, each with its end, decoded as far as they are asked for; the last may be a part of one."""
    pieces = [head[at : at + _PIECE] for at in range(0, len(head), _PIECE)]
    tail = b""
    # what would come behind the last piece belongs to a character that was cut in two
    for block in islice(as_utf8(pieces, encoding), len(pieces)):
        *lines, tail = (tail + block).split(b"\n")
        yield from (text_of(line + b"\n") for line in lines)
    if tail:
        yield text_of(tail)


def as_utf8(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The blocks in UTF-8, without the byte order mark; line ends are `\n`. A file that says it is UTF-8 may hold bytes that are none (see `marked`)."""
    carry = b""
    for block in _unmarked(blocks) if encoding.startswith("utf-8") else _transcoded(blocks, encoding):
        held = carry + block if carry else block
        carry = b"\r" if held.endswith(b"\r") else b""
        yield _line_ends(held[:-1] if carry else held)
    yield _line_ends(carry)


def marked(utf8: bytes) -> bytes:
    """The same, with `UNDECODABLE` for what is not UTF-8."""
    try:
        pl.Series([utf8], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.PolarsError:
        return utf8.decode(errors=_ERRORS).encode()
    return utf8


def text_of(utf8: bytes) -> str:
    """The text, without a character at its end that is cut in two."""
    return codecs.utf_8_decode(utf8, _ERRORS, False)[0]


def _unmarked(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks without the byte order mark, which some programs write twice."""
    rest = iter(blocks)
    yield next(rest, b"").removeprefix(codecs.BOM_UTF8).removeprefix(codecs.BOM_UTF8)
    yield from rest


def _transcoded(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors=_ERRORS)
    first = True
    for block in blocks:
        text = decoder.decode(block)
        if first and text:
            text, first = text.removeprefix("\ufeff"), False
        yield text.encode()
    yield decoder.decode(b"", final=True).encode()


def _line_ends(text: bytes) -> bytes:
    if b"\r" not in text:
        return text
    octets = np.frombuffer(text + b"\0", dtype=np.uint8)
    if (octets[np.flatnonzero(octets == ord("\r")) + 1] == ord("\n")).all():
        return text.translate(None, b"\r")
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
