"""The report as PDF. Enters: its contents. Leaves: a PDF file with its own Chinese font, set by Typst; the same bytes for the same contents.

Typst and the font come with their packages (typst, pylopdf-fonts-zh-cn), so neither a browser nor a font of the machine is needed (docs/decisions/0010-report.md).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typst

from publish.report_charts import FONT_FOLDER

if TYPE_CHECKING:
    from publish.report import Report

TEMPLATE = Path(__file__).parent / "templates" / "report.typ"


def write_pdf(report: Report, out: Path) -> Path:
    """Write the report as PDF, whole or not at all; returns its path."""
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder:
        root = Path(folder)
        given = asdict(report)
        for number, chart in enumerate(_charts(given["sections"])):
            chart["file"] = f"chart{number}.svg"
            (root / chart["file"]).write_text(chart.pop("svg"), encoding="utf-8")
        (root / "report.json").write_text(json.dumps(given, ensure_ascii=False), encoding="utf-8")
        (root / TEMPLATE.name).write_bytes(TEMPLATE.read_bytes())
        made = root / "report.pdf"
        # tagged, but no PDF/UA: that refuses the whole document for one character of a file's name that the font lacks
        typst.compile(root / TEMPLATE.name, output=made, root=root, font_paths=[FONT_FOLDER], ignore_system_fonts=True, timestamp=_day(report.as_of))
        made.replace(out)
    return out


def _charts(inside: Any) -> Iterator[dict[str, Any]]:
    """Every chart, however deep in the columns."""
    if isinstance(inside, dict):
        if "svg" in inside:
            yield inside
            return
        inside = list(inside.values())
    if isinstance(inside, list | tuple):
        for one in inside:
            yield from _charts(one)


def _day(as_of: str) -> datetime:
    """The document's date: the day it speaks for, since the hour it was made would differ each time."""
    try:
        day = date.fromisoformat(as_of)
    except ValueError:
        return datetime(1970, 1, 1, tzinfo=UTC)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
