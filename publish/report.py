"""The report for the bureau: counts only, one HTML file that needs no network, and the same as PDF.

Enters: the register. Leaves: who is where and came from where, outcomes and their change, key care, alerts, verification, services and their effect, data quality,
with small counts hidden over the whole report (publish/suppression.py). No query of sql/report selects a column that names a child.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from publish.ledger import parameters
from publish.reading import SQL, reading
from publish.report_blocks import Section
from publish.report_counts import QUARTER_DAYS, Figures, shown
from publish.report_effect import effect, feed_rows, quality, services
from publish.report_map import BOUNDARIES
from publish.report_pdf import write_pdf
from publish.report_places import whence, where
from publish.report_work import Earlier, alerts, earlier_nights, key_care, outcomes, verification
from publish.suppression import Shown
from publish.words import OUTCOME_WORDS
from schemas.tables.assessment import OUTCOMES

TEMPLATES = Path(__file__).parent / "templates"
_GLOSSARY = (
    (
        "流动儿童",
        "随父母或其他监护人双方或一方离开户籍地，跨区（县）域异地居住或生活6个月以上、不满十六周岁的未成年人；中心城区各区、两江新区、高新区之间除外。",
    ),
    ("待核实", "现有数据不足以判断的儿童，不计入流动儿童，也不排除，需要摸排核实。"),
    ("<5 和 —", "人数在1至4之间的写作“<5”；为防止用合计倒推，个别较大的数字也不列出，写作“—”。图和地图中相应留空。零照常列出。"),
    ("变化", "与所列日期的结果相比的净增减，不足5人写作“±<5”；任何一方不能列出时写作“—”。净增减不是人数，不作倒推保护。"),
    ("距今天数", f"该数据现用文件中最早一份的导出日期到统计日期的天数；超过 {QUARTER_DAYS} 天以“!”标出，结果可能已过时。"),
    ("片区", "按“一区两群”划分：中心城区、主城新区、渝东北三峡库区城镇群、渝东南武陵山区城镇群。"),
    ("与普查口径不同", "人口普查的流动人口不含市辖区之间的人户分离，也不以区县为界，两者合计不能直接比较。"),
)


@dataclass(frozen=True)
class Report:
    """Everything the two templates lay out."""

    as_of: str
    run_id: str
    rule_version: str
    tiles: tuple[tuple[str, str, str], ...]
    notices: tuple[str, ...]
    sections: tuple[Section, ...]
    glossary: tuple[tuple[str, str], ...] = _GLOSSARY


def write_report(register: Path, out: Path, *, boundaries: Path = BOUNDARIES) -> Path:
    """Write the report as HTML at `out` and as PDF beside it, each whole or not at all; returns `out`.

    Args:
        boundaries: the districts' boundaries; without the file the report has no map.
    """
    with reading(register) as con:
        report = contents(con, boundaries)
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}.part")
    part.write_text(_template().render(report=report), encoding="utf-8")
    part.replace(out)
    write_pdf(report, out.with_suffix(".pdf"))
    return out


def _template() -> Any:
    loader = FileSystemLoader(TEMPLATES)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).get_template("report.html.j2")


def figures_of(con: duckdb.DuckDBPyConnection) -> Figures:
    """The result of each query of sql/report by its name."""
    queries = {path.stem: path.read_text(encoding="utf-8") for path in sorted((SQL / "report").glob("*.sql"))}
    return {name: con.sql(text, params=parameters(text, {"quarter_days": QUARTER_DAYS})).pl() for name, text in queries.items()}


def contents(con: duckdb.DuckDBPyConnection, boundaries: Path = BOUNDARIES) -> Report:
    """The report's contents."""
    figures = figures_of(con)
    seen = shown(figures)
    night: dict[str, Any] = figures["night"].row(0, named=True) if figures["night"].height else {"as_of": None, "run_id": "", "rule_version": ""}
    as_of: date | None = night["as_of"]
    last, base = earlier_nights(figures["history"], as_of) if as_of else (None, None)
    feeds = feed_rows(figures["feeds"])
    sections = (
        where(figures, seen, boundaries), whence(figures, seen), outcomes(figures, seen, last, base), key_care(figures, seen), alerts(figures, seen),
        verification(figures, seen), services(figures, seen), effect(figures, seen, base), quality(figures, feeds),
    )  # fmt: skip
    said = as_of.isoformat() if as_of else "（无数据）"
    return Report(said, night["run_id"], night["rule_version"][:12], _tiles(seen, last), tuple(_notices(feeds, figures)), sections)


def _tiles(seen: Shown, last: Earlier | None) -> tuple[tuple[str, str, str], ...]:
    """Label, figure and remark of the numbers at the top."""

    def since(outcome: str) -> str:
        now, before = seen.value(outcome), last.shown.value(outcome) if last else None
        if now is None or before is None or last is None:
            return ""
        return "与上次相同" if now == before else f"比上次 {now - before:+,}" if abs(now - before) >= 5 else "与上次相差不足5人"

    flowing, other, unsure = OUTCOMES
    return (
        (OUTCOME_WORDS[flowing], seen.text(flowing), since(flowing)),
        (OUTCOME_WORDS[unsure], seen.text(unsure), since(unsure)),
        ("重点关爱流动儿童", seen.text("in care"), "至少属于一个类别"),
        ("未办结预警", seen.text("alerts"), f"其中逾期 {seen.text('alerts', 'overdue')}"),
        (OUTCOME_WORDS[other], seen.text(other), since(other)),
        ("待人工核对", f"{seen.text('review')} 对", "疑似同一儿童"),
    )


def _notices(feeds: list[dict[str, Any]], figures: Figures) -> list[str]:
    lines = []
    if unseen := [row["label"] for row in feeds if not row["seen"]]:
        lines.append(f"从未收到：{'、'.join(unseen)}。相关结论可能不完整。")
    if old := [f"{row['label']}（{row['days']} 天）" for row in feeds if row["seen"] and row["is_old"]]:
        lines.append(f"数据已旧：{'、'.join(old)}。请催报。")
    rejected: pl.DataFrame = figures["rejected_files"]
    if rejected.height:
        lines.append(f"有 {rejected.height} 个文件无法读取，原因见“数据质量”。")
    return lines
