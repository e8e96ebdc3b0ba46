"""Bytes to text: the blocks of a (gzipped) text file, what encoding they are in, and one decoder that never fails.

Enters: a path. Leaves: text blocks; a byte that can't be decoded becomes `UNDECODABLE`, which the rows carry until they are quarantined.
GB 18030-2022 is read as a superset of GBK and GB 2312; characters that Python's decoder puts into the private use area as the 2005 edition
did are folded where cells are cleaned.
"""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from schemas.exports.faults import UnreadableFileError

BLOCK = 8 * 2**20
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


def decoded(blocks: Iterable[bytes], encoding: str) -> Iterator[str]:
    """The blocks as text, without the byte order mark; line ends are `\\n`."""
    decoder = codecs.getincrementaldecoder(encoding)(errors=_ERRORS)
    carry, first = "", True
    for block in blocks:
        text = carry + decoder.decode(block)
        carry = ""
        if first and text:
            text, first = text.removeprefix("\ufeff"), False
        if text.endswith("\r"):
            text, carry = text[:-1], "\r"
        yield _line_ends(text)
    yield _line_ends(carry + decoder.decode(b"", final=True))


def _line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
