"""The report's sections of work: outcomes and their change, key care, alerts, verification. Enters: figures, what may be shown. Leaves: sections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from publish.report_blocks import BAR, NUMBER, TEXT, Chart, Columns, Note, Part, Row, Section, Table, bars, change, stack
from publish.report_charts import trend
from publish.report_counts import QUARTER_DAYS, REGIONS, Figures, outcomes_before, shown_before
from publish.suppression import Shown
from publish.words import ANSWER_STATE_WORDS, CATEGORY_WORDS, EVENT_WORDS, OUTCOME_WORDS, REASON_WORDS
from schemas.tables.assessment import OUTCOME_OF, OUTCOMES, REASONS

_SERIES = ("flowing", "undetermined")


@dataclass(frozen=True)
class Earlier:
    """An earlier night to compare with: its as-of date and what its report could show."""

    as_of: date
    shown: Shown


def earlier_nights(history: pl.DataFrame, as_of: date) -> tuple[Earlier | None, Earlier | None]:
    """The night before this one, and the newest at least a quarter back, or where there is none, the oldest; none that is not there."""
    nights = history.filter(pl.col("as_of") < as_of)["as_of"].unique().sort().to_list()
    if not nights:
        return None, None
    old = [n for n in nights if n <= as_of - timedelta(days=QUARTER_DAYS)]
    days = nights[-1], old[-1] if old else nights[0]
    found = {day: Earlier(day, shown_before(history.filter(pl.col("as_of") == day))) for day in days}
    return found[days[0]], found[days[1]]


def outcomes(figures: Figures, shown: Shown, last: Earlier | None, base: Earlier | None) -> Section:
    """The course of the counts, and each outcome and reason with its change."""
    blocks: list[object] = []
    if last:
        words = "、".join(OUTCOME_WORDS[o] for o in _SERIES)
        blocks.append(Chart(trend(_course(figures, shown, last, base)), f"{words}人数随认定日期的变化", "人数变化"))
    columns: list[tuple[str, str]] = [("结果和理由", TEXT), ("人数", NUMBER)]
    compared = [last, base] if last and base and last.as_of != base.as_of else [last] if last else []
    columns += [(f"比 {night.as_of}", NUMBER) for night in compared if night]
    rows = []
    for outcome in OUTCOMES:
        keys: list[tuple[tuple[str, ...], str, int]] = [((outcome,), OUTCOME_WORDS[outcome], 0)]
        if outcome != "flowing":
            keys += [(("reason", r), REASON_WORDS[r], 1) for r in _reasons(outcome, shown)]
        rows += [
            Row((word, shown.text(*key), *(change(shown.value(*key), night.shown.value(*key)) for night in compared if night)), level=level)
            for key, word, level in keys
        ]
    rows.append(Row(("合计", shown.text("all"), *(change(shown.value("all"), night.shown.value("all")) for night in compared if night))))
    table = Table(columns, rows, "结果、理由及变化", note="变化为净增减：既可能是儿童流入流出，也可能是数据更新；净增减不足5人写作“±<5”。")
    blocks += [table, _ledger(figures, shown)]
    lead = "每名儿童只有一个结果和一个理由；几个理由同时成立时取排在最前的一个。"
    return Section("认定结果和变化", lead if last else f"{lead}这是第一次运行，尚无可比较的日期。", tuple(blocks))


def _ledger(figures: Figures, shown: Shown) -> Table:
    """Changes of the ledger: this night's, and the quarter's."""
    kinds = figures["ledger_events"]["kind"]
    rows = [Row((EVENT_WORDS.get(k, k), shown.text("event", k, "night"), shown.text("event", k, "quarter"))) for k in kinds]
    note = "按涉及的儿童人数；首次建立台账时全部计为列入。"
    return Table((("变动", TEXT), ("本次", NUMBER), (f"近 {QUARTER_DAYS} 天", NUMBER)), rows, "台账变动", "台账没有变动。", note)


def _reasons(outcome: str, shown: Shown) -> Sequence[str]:
    mine = [r for r in REASONS if OUTCOME_OF[r] == outcome and shown.counts.get(("reason", r))]
    return sorted(mine, key=lambda r: (-shown.counts["reason", r], r))


def _course(figures: Figures, shown: Shown, *earlier: Earlier | None) -> pl.DataFrame:
    """as_of, series, children: of each night what a report of it may show, and tonight what this one shows."""
    history = figures["history"].filter(pl.col("topic") == "outcome")
    known = {night.as_of: night.shown for night in earlier if night} | {figures["night"]["as_of"].item(): shown}
    nights = {day: known.get(day) or outcomes_before(history.filter(pl.col("as_of") == day)) for day in history["as_of"].unique().sort()}
    told = [(day, OUTCOME_WORDS[outcome], seen.value(outcome)) for outcome in _SERIES for day, seen in nights.items()]
    return pl.DataFrame(told, schema={"as_of": pl.Date, "series": pl.String, "children": pl.Int64}, orient="row")


def key_care(figures: Figures, shown: Shown) -> Section:
    """Children by category, and visits that are overdue."""
    rows = []
    for category in figures["key_care"]["category"]:
        cells = [shown.text("care", category, part) for part in ("flowing", "others", "overdue")]
        rows.append(Row((CATEGORY_WORDS.get(category, category), *cells), warned=() if cells[2] == "0" else (3,)))
    columns = (("类别", TEXT), ("流动儿童", NUMBER), ("其他跨乡镇求助儿童", NUMBER), ("走访已逾期", NUMBER))
    table = Table(columns, rows, empty="没有重点关爱服务对象。", note="一名儿童可以同时属于几个类别，各类别相加不等于人数。")
    return Section("重点关爱服务对象", f"至少属于一个类别的流动儿童共 {shown.text('in care')} 人。", (table,))


def alerts(figures: Figures, shown: Shown) -> Section:
    """Open and overdue by department, by kind, and how many of each kind were closed in how many days."""
    counted = figures["alerts"]
    still = counted.filter(pl.col("open") + pl.col("overdue") > 0)
    departments = still.group_by("department").agg((pl.col("open") + pl.col("overdue")).sum().alias("n")).sort("n", "department", descending=[True, False])
    lines = []
    for department in departments["department"]:
        keys = {"main": ("department", department, "open"), "late": ("department", department, "overdue")}
        texts = [shown.text(*key) for key in keys.values()]
        lines.append(Row((department, *texts, stack(shown, keys)), warned=() if texts[1] == "0" else (2,)))
    legend = (("main", "期限内"), ("late", "已逾期"))
    by_department = Table((("部门", TEXT), ("期限内", NUMBER), ("已逾期", NUMBER), ("", BAR)), lines, "按责任部门", "没有未办结的预警。", legend=legend)
    rows = []
    for row in counted.iter_rows(named=True):
        texts = [shown.text("kind", row["kind"], row["department"], state) for state in ("open", "overdue")]
        closed = shown.text("kind", row["kind"], "closed")
        days = f"{row['days']:.0f}" if row["days"] is not None and closed.replace(",", "").isdigit() else ""
        rows.append(Row((row["title"], row["department"], *texts, closed, days), warned=() if texts[1] == "0" else (3,)))
    columns = (("事项", TEXT), ("部门", TEXT), ("期限内", NUMBER), ("已逾期", NUMBER), ("已办结", NUMBER), ("办结天数（中位）", NUMBER))
    by_kind = Table(columns, rows, "按事项", note="已办结为台账中累计办结的预警。")
    lead = f"未办结 {shown.text('alerts')} 件，其中已逾期 {shown.text('alerts', 'overdue')} 件。"
    return Section("预警", lead, (by_department, by_kind))


def verification(figures: Figures, shown: Shown) -> Section:
    """What departments have answered: the newest answer on each child, by region, and what became of the answers."""
    results = [r for r in figures["verification"].group_by("result").agg(pl.col("children").sum()).sort("children", "result")["result"] if r != "none"]
    by_result = bars("最近一次反馈的结果", "结果", [(r, shown.text("verified", r), shown.value("verified", r)) for r in reversed(results)], empty="还没有部门反馈。")
    lines = []
    for region in REGIONS:
        whole, done = shown.value("flowing", "region", region), shown.value("answered", region)
        share = 100 * done / whole if whole and done is not None else None
        cells = [region, shown.text("flowing", "region", region), shown.text("answered", region), "—" if share is None else f"{share:.0f}%"]
        lines.append(Row((*cells, (Part("main", 0, share),) if share else ())))
    by_region = Table((("片区", TEXT), ("流动儿童", NUMBER), ("已有反馈", NUMBER), ("进度", NUMBER), ("", BAR)), lines, "各片区进度")
    rows = []
    for department in figures["answers"]["department"].unique().sort():
        texts = [shown.text("answers", department, state) for state in ANSWER_STATE_WORDS]
        rows.append(Row((department, *texts), warned=() if shown.counts.get(("answers", department, "contradicted"), 0) == 0 else (5,)))
    by_department = Table(
        (("部门", TEXT), *((word, NUMBER) for word in ANSWER_STATE_WORDS.values())), rows, "各部门答复的采纳情况", "还没有部门反馈。",
        note="按答复件数，不是人数；此表含历次花名册的全部答复。",
    )  # fmt: skip
    lead = f"流动儿童 {shown.text('flowing')} 人中，已有部门核实反馈的 {shown.text('answered')} 人。"
    return Section("核实进度", lead, (Columns(((by_region,), (by_result,))), by_department, Note("属实、不属实等为部门在花名册上的答复；各部门答复不一致的列入“部门间不一致”，由民政部门协调。")))
