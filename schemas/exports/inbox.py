"""What lies in the inbox: which files are exports of a feed, by their names, and which are nothing we know.

Enters: the inbox folder. Leaves: `Arrival` for each file to look at, receipts for the rest. File names are read here and nowhere else.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import polars as pl

from schemas.exports.contract import Feed
from schemas.exports.faults import UnreadableFileError
from schemas.exports.feeds import FEEDS
from schemas.exports.reader import FORMATS
from schemas.exports.receipts import receipt, receipts

_DELTA = re.compile(r"(?:^|_)delta$", re.IGNORECASE)
# what a file manager or a browser writes behind the name of a copy
_COPY = re.compile(r"(?: ?[(（][0-9]{1,2}[)）]| ?-? ?(?:副本|复件|Copy)(?: ?[(（]?[0-9]{1,2}[)）]?)?)$", re.IGNORECASE)
_INSTEAD = {
    "xls": "旧版.xls不能读取，请另存为.xlsx",
    "xlsm": "带宏的工作簿不予读取，请另存为不带宏的.xlsx",
    "xlsb": "二进制工作簿不能读取，请另存为.xlsx",
    "et": "WPS表格请另存为.xlsx",
    "zip": "压缩包请先解压，或用gzip压缩为.csv.gz",
    "rar": "压缩包请先解压",
    "txt": "文本文件请以.csv为扩展名（逗号或制表符分隔）",
}


@dataclass(frozen=True)
class Arrival:
    """One export, in the inbox or in the store.

    Attributes:
        part: what stands behind the date, without `_delta`; files of one part supersede each other.
        path: where it lies in the inbox; None where only the store knows it.
        notes: what the department should know about the file as such, in Chinese.
    """

    feed: str
    name: str
    part: str
    export_date: date
    is_delta: bool
    format: str
    sha256: str
    path: Path | None = None
    notes: tuple[str, ...] = ()


def arrivals(inbox: Path, feed: Feed) -> tuple[list[Arrival], pl.DataFrame]:
    """The exports in a feed's folder (and below it), and the receipts of the files there that are none.

    The same name twice with the same bytes is one file; with different bytes nobody can tell which one is meant, and none is taken. A copy beside its original, by name and bytes,
    is none either: as a part of its own it would stay in use when the next export takes the original's place.
    """
    by_name: dict[str, list[Path]] = defaultdict(list)
    files, closed = files_below(inbox / feed.name)
    for path in files:
        by_name[as_written(path.name)].append(path)
    taken: list[Arrival] = []
    turned_away = [_closed(feed.name, folder, inbox / feed.name) for folder in closed]
    for name, paths in sorted(by_name.items()):
        digests = {}
        try:
            digests = {sha256(p): p for p in reversed(paths)}
            if len(digests) > 1:
                raise UnreadableFileError(f"收件目录中有{len(paths)}个同名文件而内容不同，无法判断以哪个为准，均未读取；请只保留一个或改用不同名称")
            arrival = named(feed, name)
        except (UnreadableFileError, OSError) as e:
            message = str(e) if isinstance(e, UnreadableFileError) else f"文件无法打开（{e.strerror}），请检查权限或重新报送"
            turned_away += [receipt(feed.name, name, digest, "rejected", message=message) for digest in digests or [""]]
            continue
        digest, path = next(iter(digests.items()))
        notes = (f"收件目录中有{len(paths)}个同名文件，内容相同，只读取一个",) if len(paths) > 1 else ()
        taken.append(Arrival(feed.name, name, arrival.part, arrival.export_date, arrival.is_delta, arrival.format, digest, path, notes))
    originals = {(a.sha256, a.export_date, a.is_delta, a.part): a.name for a in taken}
    copies = {a: name for a in taken if (name := originals.get((a.sha256, a.export_date, a.is_delta, _COPY.sub("", a.part)), a.name)) != a.name}
    turned_away += [_copy(a, name) for a, name in copies.items()]
    return [a for a in taken if a not in copies], receipts(turned_away)


def _copy(arrival: Arrival, original: str) -> dict[str, object]:
    said = f"与“{original}”内容完全相同，是它的副本，未重复读取；请删除"
    known = {"format": arrival.format, "part": arrival.part, "is_delta": arrival.is_delta, "export_date": arrival.export_date, "warnings": [said]}
    return receipt(arrival.feed, arrival.name, arrival.sha256, "superseded", **known)


def strays(inbox: Path) -> pl.DataFrame:
    """Receipts of the files that lie in no feed's folder: directly in the inbox, or in a folder that no feed has."""
    files, closed = files_below(inbox)
    rows = [_closed("", folder, inbox) for folder in closed if folder == inbox or folder.relative_to(inbox).parts[0] not in FEEDS]
    for path in files:
        folder = as_written(path.relative_to(inbox).parts[0]) if path.parent != inbox else ""
        if folder in FEEDS:
            continue
        where = f"文件夹“{folder}”不是已知的数据来源" if folder else "文件直接放在收件目录下，无法判断来源"
        try:
            digest = sha256(path)
        except OSError:
            digest = ""
        rows.append(receipt(folder, as_written(path.name), digest, "rejected", message=f"{where}；请放入以下文件夹之一：{'、'.join(FEEDS)}"))
    return receipts(rows)


def write_strays(inbox: Path, work: Path) -> None:
    """Writes WORK/receipt/strays.parquet, the receipts of `strays`."""
    target = work / "receipt" / "strays.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    strays(inbox).write_parquet(target)


def named(feed: Feed, name: str) -> Arrival:
    """What a file's name says, without its bytes.

    Raises:
        UnreadableFileError: the name does not follow `<feed>_<YYYYMMDD>[_<anything>].<ext>`.
    """
    ending = next((f for f in FORMATS if name.lower().endswith(f".{f}")), None)
    if ending is None:
        extension = name.rpartition(".")[2].lower() if "." in name else ""
        raise UnreadableFileError(f"不支持的文件类型；{_INSTEAD.get(extension, '请以.csv、.csv.gz、.xlsx或.parquet报送')}")
    stem = name[: -len(ending) - 1]
    match = re.fullmatch(rf"{feed.name}_(\d{{8}})(?:_(.+))?", stem)
    if match is None:
        raise UnreadableFileError(f"文件名不合规定；应为“{feed.name}_年月日_其他.{ending}”，例如{feed.name}_20261101_500106.{ending}")
    try:
        day = datetime.strptime(match[1], "%Y%m%d").date()  # noqa: DTZ007 - a day has no time zone
    except ValueError:
        raise UnreadableFileError("文件名中的日期不存在；应为8位年月日，例如20261101") from None
    part = match[2] or ""
    return Arrival(feed.name, name, _DELTA.sub("", part), day, bool(_DELTA.search(part)), ending, "")


def as_written(name: str) -> str:
    """The name of a file or folder as its department wrote it: where its bytes are not UTF-8 they are GB 18030, as an archive packed on an office machine leaves them."""
    octets = os.fsencode(name)
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("gb18030", "replace")


def sha256(path: Path) -> str:
    """The fingerprint of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def files_below(folder: Path) -> tuple[list[Path], list[Path]]:
    """All files below a folder in the order of their paths, and the folders that cannot be looked into; what an office program or the system left behind is no file of ours.

    A link to a folder is looked into like the folder itself, but for one that leads back up.
    """
    files: list[Path] = []
    closed: list[Path] = []
    for root, folders, names in os.walk(folder, onerror=lambda e: closed.append(Path(e.filename)) if isinstance(e, PermissionError) else None, followlinks=True):
        folders[:] = [name for name in folders if not _is_left_behind(name) and not _leads_back(Path(root, name))]
        files += [path for name in names if not _is_left_behind(name) and _is_file(path := Path(root, name))]
    return sorted(files), sorted(closed)


def _is_left_behind(name: str) -> bool:
    return name.startswith((".", "~$"))


def _leads_back(folder: Path) -> bool:
    """Whether it is a link to a folder that it lies in."""
    return folder.is_symlink() and folder.parent.resolve().is_relative_to(folder.resolve())


def _is_file(path: Path) -> bool:
    """Whether it is one; what may not even be looked at counts as one, so that opening it says why not, and so does a link to what is not there."""
    try:
        return path.is_file() or (path.is_symlink() and not path.exists())
    except OSError:
        return True


def _closed(feed: str, folder: Path, top: Path) -> dict[str, object]:
    name = folder.relative_to(top).as_posix() if folder != top else top.name
    return receipt(feed, f"{as_written(name)}/", "", "rejected", message="文件夹无法打开，其中的文件均未读取；请检查权限")
