"""Opens one export whatever its format, after a look at what it really is.

Enters: a path, the format its name promises, the feed. Leaves: a `Reading`, or the words that turn the file away.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from schemas.exports.columnar import read_parquet
from schemas.exports.contract import Feed
from schemas.exports.faults import UnreadableFileError
from schemas.exports.package import INCOMPLETE
from schemas.exports.reading import Reading
from schemas.exports.text import read_text
from schemas.exports.workbook import read_workbook

FORMATS = ("csv.gz", "csv", "xlsx", "parquet")  # the longer ending first

_ZIP, _OLE, _GZIP, _PARQUET = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\x1f\x8b", b"PAR1"
_REALLY = {"zip": "xlsx工作簿（或zip压缩包）", "ole": "旧版.xls或加密的工作簿", "gzip": "gzip压缩文件", "parquet": "Parquet文件", "html": "网页（HTML）", "text": "文本文件"}
_EXPECTED = {"csv": "text", "csv.gz": "gzip", "xlsx": "zip", "parquet": "parquet"}


def read(path: Path, format_: str, feed: Feed) -> Reading:
    """Opens an export.

    Args:
        format_: one of FORMATS, from the file's name.

    Raises:
        UnreadableFileError: whatever makes the file unusable, in Chinese, without a value of a cell.
    """
    try:
        refuse_at_sight(path, format_)
        match format_:
            case "xlsx":
                return read_workbook(path, feed)
            case "parquet":
                return read_parquet(path, feed)
            case _:
                return read_text(path, feed, compressed=format_ == "csv.gz")
    except OSError as e:
        raise UnreadableFileError(f"文件无法打开（{e.strerror or type(e).__name__}），请检查权限或重新报送") from e


def refuse_at_sight(path: Path, format_: str) -> None:
    """Turns away a file that is not what its name promises, or of which the end is missing as far as that can be seen without reading it.

    Raises:
        UnreadableFileError: as `read`. OSError: it cannot be opened.
    """
    kind = really(path)
    if kind == "empty":
        raise UnreadableFileError("文件是空的（0字节），请重新导出")
    if kind == "ole" and format_ == "xlsx":
        _refuse_ole(path)
    if kind != _EXPECTED[format_]:
        raise UnreadableFileError(f"扩展名是.{format_}，内容却是{_REALLY[kind]}；请按真实格式另存后重新报送")
    if kind == "zip" and not zipfile.is_zipfile(path):
        raise UnreadableFileError(INCOMPLETE)


def really(path: Path) -> str:
    """What the first bytes say a file is: zip, ole, gzip, parquet, html, text or empty."""
    with path.open("rb") as stream:
        head = stream.read(1024)
    if not head:
        return "empty"
    for magic, kind in ((_ZIP, "zip"), (_OLE, "ole"), (_GZIP, "gzip"), (_PARQUET, "parquet")):
        if head.startswith(magic):
            return kind
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return "html" if start.startswith((b"<!doctype", b"<html", b"<table", b"<meta", b"<?xml", b"<head")) else "text"


def _refuse_ole(path: Path) -> None:
    """An OLE container under the name .xlsx: an encrypted workbook, or an old .xls renamed."""
    if "EncryptedPackage".encode("utf-16-le") in path.read_bytes():
        raise UnreadableFileError("工作簿设有密码，不能读取；请取消密码后重新报送")
    raise UnreadableFileError("内容是旧版.xls工作簿，只是改了扩展名；请用表格软件另存为.xlsx后重新报送")
