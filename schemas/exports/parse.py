"""Reads one export through the gate into two Parquet files, and balances its figures.

Enters: an arrival. Leaves: its accepted rows and its quarantined rows on disk, and `Figures`. Memory holds one batch, whatever the file's size.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from schemas.exports.contract import Feed
from schemas.exports.faults import UnbalancedFiguresError, UnreadableFileError
from schemas.exports.gate import accepted_schema, judge
from schemas.exports.inbox import Arrival
from schemas.exports.reader import read
from schemas.exports.reading import Reading
from schemas.growing import GrowingParquet
from schemas.tables.intake import QUARANTINE

# with more than half of so many rows undecodable, the file's encoding is at fault and not its rows
_ENOUGH_ROWS = 10


@dataclass(frozen=True)
class Figures:
    """What one file held."""

    rows: int = 0  # all rows under the headings
    accepted: int = 0
    quarantined: int = 0
    total: int = 0
    blank: int = 0
    undecodable: int = 0
    encoding: str | None = None
    separator: str | None = None
    unknown_columns: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def rows_in(self) -> int:
        """The rows that are records."""
        return self.rows - self.total - self.blank

    def as_dict(self) -> dict[str, Any]:
        """For the store's JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, said: dict[str, Any]) -> Figures:
        """From the store's JSON; TypeError where it is not one of these."""
        return cls(**said)

    def balanced(self, source_file: str) -> Figures:
        """These figures, when rows in are accepted + quarantined.

        Raises:
            UnbalancedFiguresError: a row went missing, or was counted twice.
        """
        if self.rows_in != self.accepted + self.quarantined:
            raise UnbalancedFiguresError(
                f"{source_file}: {self.rows} rows less {self.total} total and {self.blank} blank ones are not "
                f"{self.accepted} accepted + {self.quarantined} quarantined"
            )
        return self


def parse(arrival: Arrival, feed: Feed, accepted: Path, quarantined: Path) -> Figures:
    """Writes the accepted and the quarantined rows of an export.

    Raises:
        UnreadableFileError: the file can't be read to its end.
        UnbalancedFiguresError: the figures don't add up.
    """
    if arrival.path is None:
        raise UnreadableFileError("文件已不在收件目录，且存档已损坏；请重新报送")
    reading = read(arrival.path, arrival.format, feed)
    figures = Figures(encoding=reading.encoding, separator=reading.separator, unknown_columns=reading.layout.unknown)
    with GrowingParquet(accepted) as good, GrowingParquet(quarantined) as bad:
        good.write(pl.DataFrame(schema=accepted_schema(feed)))
        bad.write(QUARANTINE.empty())
        for batch in reading.batches:
            judged = judge(batch, reading.layout, feed, arrival.name, arrival.export_date)
            good.write(judged.accepted)
            bad.write(judged.quarantined)
            figures = replace(
                figures,
                rows=batch.get_column("source_row")[-1],
                accepted=figures.accepted + judged.accepted.height,
                quarantined=figures.quarantined + judged.quarantined.height,
                total=figures.total + judged.total,
                blank=figures.blank + judged.blank,
                undecodable=figures.undecodable + batch.filter(fault="undecodable_bytes").height,
            )
    if figures.rows_in >= _ENOUGH_ROWS and figures.undecodable * 2 > figures.rows_in:
        raise UnreadableFileError(f"{figures.rows_in}行中有{figures.undecodable}行无法解码，文件混用了不同编码或已损坏；请以同一种编码重新导出")
    return replace(figures, warnings=_warnings(reading, figures)).balanced(arrival.name)


def _warnings(reading: Reading, figures: Figures) -> list[str]:
    said = list(reading.warnings)
    if figures.unknown_columns:
        said.append(f"有{len(figures.unknown_columns)}列不在约定之内，未采用：{'、'.join(figures.unknown_columns)}")
    if figures.total:
        said.append(f"跳过{figures.total}行合计、填表人等非数据行")
    if figures.quarantined:
        said.append(f"有{figures.quarantined}行未被接受，已退回")
    if not figures.rows_in:
        said.append("只有表头，没有数据行")
    return said
