"""The report's sections of effect and data: services and their before and after, the quality of the feeds. Enters: figures, what may be shown. Leaves: sections."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from publish.report_blocks import BAR, NUMBER, TEXT, Chart, Note, Row, Section, Table, stack
from publish.report_charts import before_after, heat
from publish.report_counts import QUARTER_DAYS, REGIONS, Figures
from publish.report_work import Earlier
from publish.suppression import Shown
from publish.words import FEED_WORDS, in_words
from schemas.exports.feeds import FEEDS

_TOP_REASONS = 12
_NIGHTS = 6
_FEW = 20  # a percentage of fewer children says little
_STATUSES = {"main": "has", "late": "missing", "vague": "unknown"}


def _items(figures: Figures) -> pl.DataFrame:
    return figures["services"].unique(["aspect", "item", "department"], maintain_order=True).select("aspect", "item", "department")


def services(figures: Figures, shown: Shown) -> Section:
    """Each item of the service list: how many have it, seem not to, or nobody can tell."""
    rows = []
    for aspect, item, department in _items(figures).iter_rows():
        keys = {kind: ("service", item, status) for kind, status in _STATUSES.items()}
        rows.append(Row((aspect, item, department, shown.text("service", item), *(shown.text(*k) for k in keys.values()), stack(shown, keys))))
    columns = (
        ("方面", TEXT), ("项目", TEXT), ("部门", TEXT), ("应享有", NUMBER), ("已享有", NUMBER), ("未见享有", NUMBER), ("情况不明", NUMBER), ("", BAR),
    )  # fmt: skip
    legend = (("main", "已享有"), ("late", "未见享有"), ("vague", "情况不明"))
    table = Table(columns, rows, empty="没有服务清单数据。", legend=legend)
    lead = "流动儿童应享有的服务，按各部门数据能否看到已享有。“情况不明”多因现有数据不含该项，不等于没有享有。"
    return Section("关爱服务清单落实情况", lead, (table,))


def coverage(shown: Shown, *of: str) -> float | None:
    """Of the children for whom a record can tell, the share that has the item, in per cent; null where hidden, or too few to say."""
    has, missing = shown.value("service", *of, "has"), shown.value("service", *of, "missing")
    if has is None or missing is None or has + missing < _FEW:
        return None
    return 100 * has / (has + missing)


def effect(figures: Figures, shown: Shown, base: Earlier | None) -> Section:
    """For each need the share that has it now and before, over the city and by region."""
    told = [row | {"now": coverage(shown, row["item"])} for row in _items(figures).iter_rows(named=True)]
    rows = [row | {"before": coverage(base.shown, row["item"]) if base else None} for row in told if row["now"] is not None]
    if not rows:
        return Section("效果分析", "没有足够的数据计算服务覆盖比例。")
    blocks: list[object] = []
    if base:
        note = f"空心圆为 {base.as_of}，实心圆为本次。"
        blocks.append(Chart(before_after(rows), "各项服务已享有比例的前后对比，数字见下表", "前后对比", note))
    blocks.append(_effect_table(rows, shown, base))
    cells = _by_region(rows, shown, base)
    lines = [row["item"] for row in rows]
    words, note = "各项需求在各片区的已享有比例", "括号内为比此前增减的百分点。" if base else ""
    blocks.append(Chart(heat(cells, columns=REGIONS, lines=lines, name="needs", legend="已享有（%）"), words, "按需求和片区（%）", note, is_wide=True))
    lead = "已享有的比例＝已享有÷（已享有＋未见享有），情况不明的不计入。"
    return Section("效果分析", lead if base else f"{lead}只有一次运行，尚无此前的数据可比。", tuple(blocks))


def _effect_table(rows: list[dict[str, Any]], shown: Shown, base: Earlier | None) -> Table:
    columns = [("项目", TEXT), ("部门", TEXT), ("已享有", NUMBER), ("未见享有", NUMBER), ("本次", NUMBER)]
    if base:
        columns += [(f"{base.as_of}", NUMBER), ("增减（百分点）", NUMBER)]
    lines = []
    for row in rows:
        cells = [row["item"], row["department"], *(shown.text("service", row["item"], s) for s in ("has", "missing")), f"{row['now']:.1f}%"]
        if base:
            cells += ["—", "—"] if row["before"] is None else [f"{row['before']:.1f}%", _points(row["now"] - row["before"], 1)]
        lines.append(Row(cells))
    return Table(columns, lines, "各项需求的前后变化" if base else "各项需求的覆盖")


def _by_region(rows: list[dict[str, Any]], shown: Shown, base: Earlier | None) -> list[dict[str, Any]]:
    cells = []
    for row in rows:
        for region in REGIONS:
            now = coverage(shown, row["item"], region)
            before = coverage(base.shown, row["item"], region) if base else None
            text = "—" if now is None else f"{now:.0f}" if before is None else f"{now:.0f}（{_points(now - before, 0)}）"
            cells.append({"line": row["item"], "column": region, "value": now, "text": text})
    return cells


def _points(difference: float, digits: int) -> str:
    """A difference in percentage points with its sign; none on a zero."""
    rounded = round(difference, digits)
    return f"{rounded:+.{digits}f}" if rounded else f"{0:.{digits}f}"


def quality(figures: Figures, feeds: list[dict[str, Any]]) -> Section:
    """What came of each feed's rows, now and over the nights; rows, not children, so nothing is hidden."""
    columns = (
        ("数据", TEXT), ("文件", NUMBER), ("最新导出", TEXT), ("距今天数", NUMBER), ("数据行", NUMBER), ("接受", NUMBER), ("退回", NUMBER), ("退回率", NUMBER),
    )  # fmt: skip
    rows = []
    for feed in feeds:
        if not feed["seen"]:
            rows.append(Row((feed["label"], "从未收到", "", "", "", "", "", ""), warned=(1,)))
            continue
        cells = [feed[name] for name in ("label", "files", "newest", "days", "rows_in", "rows_accepted", "rows_quarantined", "rate")]
        rows.append(Row(cells, warned=(3,) if feed["is_old"] else ()))
    blocks: list[object] = [Table(columns, rows, "本次使用的数据")]
    if (course := _course(figures["history"])) is not None:
        blocks.append(course)
    named = figures["quarantine"].head(_TOP_REASONS).with_columns(in_words(pl.col("feed"), FEED_WORDS))
    lines = [Row((feed, reason, f"{n:,}")) for feed, reason, n in named.iter_rows()]
    if lines:
        blocks.append(Table((("数据", TEXT), ("原因", TEXT), ("行数", NUMBER)), lines, f"退回原因（前 {len(lines)} 项）"))
    rejected = figures["rejected_files"].with_columns(in_words(pl.col("feed"), FEED_WORDS))
    if rejected.height:
        blocks.append(Table((("数据", TEXT), ("文件", TEXT), ("原因", TEXT)), [Row(cells) for cells in rejected.iter_rows()], "无法读取的文件"))
    blocks.append(Note("本部分为数据行数，不是人数，不作小数隐藏。"))
    return Section("数据质量", "退回的数据行已按部门写入工作簿，请改正后重报。", tuple(blocks))


def _course(history: pl.DataFrame) -> Chart | None:
    """The rate of rows sent back, feed by night; none with one night."""
    rows = history.filter(pl.col("topic") == "rows")
    nights = rows["as_of"].unique().sort().to_list()[-_NIGHTS:]
    if len(nights) < 2:
        return None
    wide = rows.pivot("state", index=["as_of", "item"], values="figure", aggregate_function="sum").sort("as_of", "item")
    sums = {(r["as_of"], r["item"]): (r.get("accepted") or 0, r.get("quarantined") or 0) for r in wide.iter_rows(named=True)}
    feeds = [f for f in FEEDS if any((night, f) in sums for night in nights)]
    cells = []
    for feed in feeds:
        for night in nights:
            good, bad = sums.get((night, feed), (0, 0))
            rate = 100 * bad / (good + bad) if good + bad else None
            cells.append({"line": FEED_WORDS[feed], "column": night.isoformat(), "value": rate, "text": "" if rate is None else f"{rate:.2f}"})
    columns = [n.isoformat() for n in nights]
    picture = heat(cells, columns=columns, lines=[FEED_WORDS[f] for f in feeds], name="quality", legend="退回率（%）")
    return Chart(picture, "各类数据的退回率随认定日期的变化", "退回率的变化（%）", "颜色越深退回越多；空格为当时没有该数据。", is_wide=True)


def feed_rows(counts: pl.DataFrame) -> list[dict[str, Any]]:
    """All feeds of the contract in its order, seen or not, optional ones where they came, and folders it does not know behind."""
    seen = {row["feed"]: row for row in counts.iter_rows(named=True)}
    rows: list[dict[str, Any]] = []
    for feed in [*FEEDS, *sorted(set(seen) - set(FEEDS))]:
        found = seen.get(feed)
        label = FEED_WORDS.get(feed, feed)
        if found is None and feed in FEEDS and FEEDS[feed].is_optional:
            continue
        if found is None or not found["files"]:
            rows.append({"label": label, "seen": False})
            continue
        rate = found["rows_quarantined"] / found["rows_in"] if found["rows_in"] else 0.0
        rows.append(
            {
                "label": label, "seen": True, "files": f"{found['files']:,}", "newest": _day(found["newest"]),
                "days": "" if found["oldest_days"] is None else f"{found['oldest_days']:,}",
                "is_old": (found["oldest_days"] or 0) > QUARTER_DAYS, "rate": f"{rate:.2%}",
                **{name: f"{found[name]:,}" for name in ("rows_in", "rows_accepted", "rows_quarantined")},
            }
        )  # fmt: skip
    return rows


def _day(day: date | None) -> str:
    return day.isoformat() if day else "不明"
