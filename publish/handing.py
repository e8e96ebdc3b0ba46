"""Handing out: each file is written whole, locked where a password is set, and entered in the export log.

Enters: pages, and to whom they go and what for. Leaves: the file; its entry in `<register>.d/export_log`, from where the next night takes it into the
register's table `export_log` (docs/decisions/0011-handing-out.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path

import polars as pl

from publish.kept import Kept
from publish.reading import newest_run
from publish.workbook import Notes, Sheet, write_workbook
from schemas.tables.handout import EXPORT_LOG


@dataclass(frozen=True)
class Sender:
    """Who hands out, when (UTC, without a zone), and the password that locks what is handed out; None leaves it open."""

    by: str
    at: datetime
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Handout:
    """One file that was handed out; its fields are columns of EXPORT_LOG."""

    kind: str
    file: str
    number: str
    recipient: str
    district: str | None
    as_of: date
    purpose: str
    items: int
    fields: tuple[str, ...]
    is_encrypted: bool = False
    sha256: str = ""


class Tray:
    """What is handed out together: files below one folder, entered in the log of one register when the tray is closed."""

    def __init__(self, register: Path, out: Path, sender: Sender) -> None:
        self._register, self._out, self._sender = register, out, sender
        self.written: list[Handout] = []

    def workbook(self, handout: Handout, pages: Sequence[Notes | Sheet]) -> None:
        """Write a workbook."""
        digest = write_workbook(self._out / handout.file, pages, self._sender.password)
        self._note(handout, digest, is_encrypted=self._sender.password is not None)

    def plain(self, handout: Handout, content: bytes) -> None:
        """Write a file of another format, which no password locks."""
        path = self._out / handout.file
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(content)
        part.replace(path)
        self._note(handout, hashlib.sha256(content).hexdigest(), is_encrypted=False)

    def there(self, handout: Handout) -> None:
        """Note a file that lies there already."""
        with (self._out / handout.file).open("rb") as stream:
            self._note(handout, hashlib.file_digest(stream, "sha256").hexdigest(), is_encrypted=False)

    def close(self) -> list[Handout]:
        """Enter what was written; the same file with the same content is entered once. Returns what was written."""
        if self.written:
            run_id, _ = newest_run(self._register)
            rows = [asdict(h) | {"exported_at": self._sender.at, "exported_by": self._sender.by, "run_id": run_id} for h in self.written]
            _log(self._register).add(EXPORT_LOG.conform(pl.DataFrame(rows, schema=EXPORT_LOG.schema)))
        return self.written

    def _note(self, handout: Handout, digest: str, *, is_encrypted: bool) -> None:
        self.written.append(Handout(**(vars(handout) | {"sha256": digest, "is_encrypted": is_encrypted})))


def log_report(register: Path, report: Path, sender: Sender) -> None:
    """Enter the report, in each of its formats: figures only, no child is on it."""
    _, as_of = newest_run(register)
    tray = Tray(register, report.parent, sender)
    for path in sorted(report.parent.glob(f"{report.stem}.*")):
        tray.there(Handout("report", path.name, "", "民政", None, as_of, "流动儿童关爱保护工作报告（仅汇总数字）", 0, ()))
    tray.close()


def recall_log(register: Path, work: Path) -> None:
    """Enter what was handed out since into `work/previous/export_log.parquet`, from where it goes into tonight's register."""
    path = work / "previous" / f"{EXPORT_LOG.name}.parquet"
    both = pl.concat([EXPORT_LOG.conform(pl.read_parquet(path)), _log(register).rows()])
    both.unique(EXPORT_LOG.key, keep="first", maintain_order=True).sort(EXPORT_LOG.key).write_parquet(path)


def _log(register: Path) -> Kept:
    return Kept(register, EXPORT_LOG.name, EXPORT_LOG, ("kind", "file", "recipient", "as_of", "sha256"))
