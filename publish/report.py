"""The report for the bureau: counts only, one HTML file that needs no network.

Enters: the register. Leaves: who is where, outcomes and reasons, key care, alerts, services and data quality, with small counts hidden
(publish/disclosure.py). No query of this module selects a column that names a child.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from publish.disclosure import COMPLEMENT, HIDDEN, hide_small, hide_small_total
from publish.reading import SQL, reading
from publish.words import ACCOMPANIED, CATEGORY_WORDS, FEED_WORDS, OUTCOME_WORDS, REASON_WORDS, in_words
from schemas.exports.feeds import FEEDS
from schemas.tables.assessment import OUTCOMES

_HERE = Path(__file__).parent
_TOP_ORIGINS = 15
_TOP_REASONS = 12
OTHERS = "其他地区"  # many places: no bar beside those of one
OLD_DAYS = 92  # a survey's quarter: an export older than that has missed one
_HIDDEN = (HIDDEN, COMPLEMENT)

Row = dict[str, Any]


def write_report(register: Path, out: Path) -> Path:
    """Write the report as one HTML file, whole or not at all; returns its path."""
    with reading(register) as con:
        page = _template().render(**_contents(con))
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}.part")
    part.write_text(page, encoding="utf-8")
    part.replace(out)
    return out


def _template() -> Any:
    loader = FileSystemLoader(_HERE / "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True).get_template("report.html.j2")


def _contents(con: duckdb.DuckDBPyConnection) -> Row:
    """Everything the template names."""
    figures = {path.stem: con.sql(path.read_text(encoding="utf-8")).pl() for path in sorted((SQL / "report").glob("*.sql"))}
    feeds = _feeds(figures["feeds"])
    night = figures["night"].row(0, named=True)
    return {
        "as_of": night["as_of"] or "（无数据）",
        "run": night if night["run_id"] else None,
        "rule_version": (night["rule_version"] or "")[:12],
        "tiles": _tiles(figures, night),
        "notices": _notices(feeds, figures),
        "districts": _districts(figures["districts"]),
        "origins": _bars(_top(figures["origins"])),
        "ages": _bars(figures["ages"].rename({"ages": "label"})),
        "accompanied": _bars(_named(figures["accompanied"], "accompanied", in_words(pl.col("accompanied"), ACCOMPANIED))),
        "outcomes": _outcomes(figures["outcomes"]),
        "key_care": hide_small(_named(figures["key_care"], "category", in_words(pl.col("category"), CATEGORY_WORDS)), "label", totals=False).to_dicts(),
        "departments": _alerts(figures["alerts_by_department"]),
        "kinds": _kinds(figures["alerts_by_kind"]),
        "services": _services(figures["services"]),
        "feeds": feeds,
        "reasons": _quarantine(figures["quarantine"]),
        "rejected": _named(figures["rejected_files"], "feed", in_words(pl.col("feed"), FEED_WORDS)).to_dicts(),
        "old_days": OLD_DAYS,
    }


def _named(frame: pl.DataFrame, code: str, word: pl.Expr) -> pl.DataFrame:
    return frame.with_columns(word.alias("label")).drop(code)


def _tiles(figures: dict[str, pl.DataFrame], night: Row) -> list[Row]:
    counted = dict(figures["outcomes"].group_by("outcome").agg(pl.col("children").sum()).iter_rows())
    before = json.loads(night["before"] or "{}")
    tiles = []
    for outcome in OUTCOMES:
        now, then = counted.get(outcome, 0), before.get(f"outcome_{outcome}")
        note = "" if then is None else "与上次相同" if now == then else f"比上次 {now - then:+,}"
        tiles.append({"label": OUTCOME_WORDS[outcome], "text": hide_small_total(now), "note": note})
    alerts = figures["alerts_by_department"]
    overdue = int(alerts["overdue"].sum())
    care = figures["key_care_children"].item()
    return [
        tiles[0],
        tiles[2],
        {"label": "重点关爱流动儿童", "text": hide_small_total(care), "note": "至少属于一个类别"},
        {"label": "未办结预警", "text": hide_small_total(int(alerts["in_time"].sum()) + overdue), "note": f"其中逾期 {hide_small_total(overdue)}"},
        tiles[1],
        {"label": "待人工核对", "text": f"{figures['review'].item():,} 对", "note": "疑似同一儿童"},
    ]


def _notices(feeds: list[Row], figures: dict[str, pl.DataFrame]) -> list[str]:
    lines = []
    if unseen := [row["label"] for row in feeds if not row["seen"]]:
        lines.append(f"从未收到：{'、'.join(unseen)}。相关结论可能不完整。")
    if old := [f"{row['label']}（{row['days']} 天）" for row in feeds if row["seen"] and row["is_old"]]:
        lines.append(f"数据已旧：{'、'.join(old)}。请催报。")
    if count := figures["rejected_files"].height:
        lines.append(f"有 {count} 个文件无法读取，原因见“数据质量”。")
    return lines


def _districts(counts: pl.DataFrame) -> list[Row]:
    """Each column is protected against its own total over the city; a bar is drawn only for a count that is shown."""
    columns = [hide_small(counts.select("label", c), "label").drop("label") for c in counts.columns if c != "label"]
    shown = pl.concat([counts.select("label"), *columns], how="horizontal")
    return [
        row | {"percent": _percent(row["flowing"], count, counts["flowing"].max())}
        for row, count in zip(shown.to_dicts(), counts["flowing"], strict=True)
    ]  # fmt: skip


def _top(origins: pl.DataFrame) -> pl.DataFrame:
    """The largest origins, and the others together."""
    rest = origins.slice(_TOP_ORIGINS)
    if not rest.height:
        return origins
    others = pl.DataFrame({"label": [OTHERS], "children": [rest["children"].sum()]}, schema=origins.schema)
    return pl.concat([origins.head(_TOP_ORIGINS), others])


def _bars(counts: pl.DataFrame) -> list[Row]:
    """`label, children` as rows of a bar chart."""
    shown = hide_small(counts.select("label", "children"), "label")
    most = counts.filter(pl.col("label") != OTHERS)["children"].max()
    return [
        {"label": label, "text": text, "percent": None if label == OTHERS else _percent(text, count, most)}
        for (label, text), count in zip(shown.iter_rows(), counts["children"], strict=True)
    ]


def _percent(text: str, count: int, most: Any) -> float | None:
    """How long the bar is; none where the count is hidden, for a bar can be measured."""
    return None if text in _HIDDEN else 100 * count / most if most else 0.0


def _outcomes(counts: pl.DataFrame) -> list[Row]:
    groups = []
    for outcome in ("not_flowing", "undetermined"):
        mine = counts.filter(pl.col("outcome") == outcome).sort("children", "reason", descending=[True, False])
        if mine.height:
            rows = _bars(mine.with_columns(in_words(pl.col("reason"), REASON_WORDS).alias("label")))
            groups.append({"title": OUTCOME_WORDS[outcome], "text": hide_small_total(int(mine["children"].sum())), "rows": rows})
    return groups


def _alerts(counts: pl.DataFrame) -> list[Row]:
    shown = hide_small(counts, "department")
    totals = counts.select(pl.sum_horizontal("in_time", "overdue").max()).item()
    rows = []
    for row, count in zip(shown.to_dicts(), counts.iter_rows(named=True), strict=True):
        parts = _parts(row, count, {"in_time": "main", "overdue": "late"}, totals)
        rows.append(row | {"label": row["department"], "parts": parts})
    return rows


def _kinds(counts: pl.DataFrame) -> list[Row]:
    """Kinds may be compared with the departments' totals: each department's kinds are protected against those."""
    numbered = counts.with_row_index("at").with_columns(pl.col("at").cast(pl.String))
    hidden = pl.concat([hide_small(part.select("at", "in_time", "overdue"), "at") for part in numbered.partition_by("department")] or [numbered.select("at", "in_time", "overdue")])
    return numbered.select("at", pl.col("title").alias("label"), "department").join(hidden, on="at", maintain_order="left").to_dicts()


def _services(counts: pl.DataFrame) -> list[Row]:
    rows = []
    for part in counts.iter_rows(named=True):
        columns = ["has", "missing", "unknown"]
        shown = hide_small(pl.DataFrame({"label": ["x"], **{c: [part[c]] for c in columns}}), "label").row(0, named=True)
        row = {"aspect": part["aspect"], "label": part["item"], "department": part["department"], **{c: shown[c] for c in columns}}
        kinds = {"has": "main", "missing": "late", "unknown": "vague"}
        rows.append(row | {"parts": _parts(row, part, kinds, sum(part[c] for c in columns))})
    return rows


def _parts(shown: Row, counts: Row, kinds: dict[str, str], total: int) -> list[Row]:
    """The parts of a stacked bar; none at all where one of them is hidden."""
    if not total or any(shown[name] in _HIDDEN for name in kinds):
        return []
    parts, start = [], 0.0
    for name, kind in kinds.items():
        percent = 100 * counts[name] / total
        parts.append({"kind": kind, "start": start, "percent": percent})
        start += percent
    return parts


def _feeds(counts: pl.DataFrame) -> list[Row]:
    """All feeds of the contract in its order, seen or not, optional ones where they came, and folders it does not know behind."""
    seen = {row["feed"]: row for row in counts.iter_rows(named=True)}
    rows = []
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
                "label": label, "seen": True, "files": found["files"], "newest": _day(found["newest"]), "days": found["oldest_days"],
                "is_old": (found["oldest_days"] or 0) > OLD_DAYS, "rate": f"{rate:.2%}",
                **{name: f"{found[name]:,}" for name in ("rows_in", "rows_accepted", "rows_quarantined")},
            }
        )  # fmt: skip
    return rows


def _day(day: date | None) -> str:
    return day.isoformat() if day else "不明"


def _quarantine(counts: pl.DataFrame) -> list[Row]:
    named = _named(counts.head(_TOP_REASONS), "feed", in_words(pl.col("feed"), FEED_WORDS))
    return [row | {"rows": f"{row['rows']:,}"} for row in named.to_dicts()]
