"""One child's answer told: rows of the register go in, lines a person reads come out, in English or Chinese. Never a name.

Rows are mappings by column name, as schemas.tables.assessment declares them. A condition comes with the article it rests on and what it was judged on;
every stay, sign and alert with the rows behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from schemas.exports.feeds import FEEDS
from schemas.reference.days import name_of
from schemas.reference.words import Lang, words

Row = Mapping[str, Any]

_PLACES = ("hukou_district", "district")
_SETS = {"accompanied": "accompanied", "from_register": "truth", "away_by": "start"}
_MARKS = {"yes": "✓", "no": "✗", "unknown": "?"}


@dataclass(frozen=True)
class Condition:
    """A condition in words: rules/conditions.yaml."""

    condition: str
    reason: str | None
    article: str
    zh: str
    en: str


@cache
def conditions() -> dict[str, Condition]:
    """The conditions by name, in the order they are asked."""
    given = yaml.safe_load((Path(__file__).parent / "conditions.yaml").read_text("utf-8"))
    return {c["condition"]: Condition(**c) for c in given}


def answer(assessment: Row, lang: Lang) -> Iterator[str]:
    """The rule's answer and what follows for the dates: outcome, reason, places, since when, with whom, how sure."""
    said = {
        "zh": "截至 {as_of}：{outcome}。理由：{reason}",
        "en": "As of {as_of}: {outcome}. Reason: {reason}",
    }[lang]
    yield said.format(as_of=assessment["as_of"], outcome=words("outcome", lang)[assessment["outcome"]], reason=words("reason", lang)[assessment["reason"]])
    labels = _LABELS[lang]
    yield f"  {labels['hukou']}: {_place(assessment['hukou_district'], assessment['hukou_township'], lang)}"
    yield f"  {labels['home']}: {_place(assessment['residence_district'], assessment['residence_township'], lang)}"
    if assessment["away_since"] is not None:
        inferred = labels["inferred"] if assessment["is_inferred"] else labels["stated"]
        yield f"  {labels['away']}: {assessment['away_since']} ({inferred}); {labels['months'].format(assessment['months_away'])}"
    yield f"  {labels['with']}: {words('accompanied', lang)[assessment['accompanied']]}"
    yield f"  {labels['sure']}: {assessment['confidence']:.0%}"


def asked(assessment: Row, lang: Lang) -> Iterator[str]:
    """Every condition in order: its answer, its article, what it was judged on; the one that decided is marked."""
    told = {c["condition"]: c for c in assessment["conditions"]}
    for name, condition in conditions().items():
        given = told[name]
        mark = _MARKS[given["answer"]]
        decides = f"  ← {_LABELS[lang]['decides']}" if condition.reason == assessment["reason"] else ""
        yield f"  {mark} {getattr(condition, lang)}: {words('answer', lang)[given['answer']]}{decides}"
        if judged := _judged_on(given["detail"], lang):
            yield f"      {judged}"
        yield f"      {_LABELS[lang]['article']}: {condition.article}"


def _judged_on(detail: str | None, lang: Lang) -> str:
    """`name=value; …` in words; names without a word are left out."""
    labels = words("detail", lang)
    parts = [part.partition("=") for part in (detail or "").split("; ") if part]
    return "; ".join(f"{labels[name]} {_value(name, value, lang)}" for name, _, value in parts)


def _value(name: str, value: str, lang: Lang) -> str:
    if name in _PLACES:
        return name_of(value)
    if name == "feed":
        return _feed(value, lang)
    return words(_SETS[name], lang)[value] if name in _SETS else value


def timeline(episodes: Sequence[Row], as_of: Any, lang: Lang) -> Iterator[str]:
    """The stays, oldest first, as a text timeline, each with the rows it rests on.

    Args:
        episodes: rows of residence_episode of one child.
        as_of: the day looked at (date); a stay without an end runs on to it.
    """
    labels = _LABELS[lang]
    for stay in sorted(episodes, key=lambda e: (str(e["from_date"] or ""), e["division"], str(e["to_date"] or as_of))):
        start = str(stay["from_date"]) if stay["from_date"] is not None else labels["no_start"]
        start += f" ({labels['inferred']})" if stay["is_inferred"] and stay["from_date"] is not None else ""
        ended = str(stay["to_date"]) if stay["to_date"] is not None else labels["runs"]
        here = f"  ← {labels['lives']}" if stay["is_current"] else ""
        yield f"  ●── {start} ──▶ {ended}  {_place(stay['division'], stay['township'], lang)}{here}"
        yield from evidence(stay["evidence"], lang, "  │     ")


def care(entries: Sequence[Row], lang: Lang) -> Iterator[str]:
    """The key-care categories of a child: since when, next visit, and the rows that say so."""
    labels = _LABELS[lang]
    for entry in entries:
        since = entry["since"] or labels["no_start"]
        word = words("category", lang)[entry["category"]]
        yield f"  {word}: {labels['since']} {since}; {labels['visit']} {entry['next_visit_due']}" + ("" if entry["is_verified"] else f"; {labels['unverified']}")
        yield from evidence(entry["basis"], lang, "      ")


def alerts(raised: Sequence[Row], lang: Lang) -> Iterator[str]:
    """What somebody should do about the child, open before closed: by whom, by when, why, and on which rows."""
    labels = _LABELS[lang]
    for alert in sorted(raised, key=lambda a: (a["closed_on"] is not None, str(a["due_on"]), a["kind"])):
        state = f"{labels['closed']} {alert['closed_on']} ({alert['closed_reason']})" if alert["closed_on"] is not None else f"{labels['due']} {alert['due_on']}"
        where = _place(alert["district"], None, lang)
        yield f"  {_alert_title(alert, lang)} → {alert['department']} ({where}); {state}"
        yield f"      {alert['message']} [{alert['article']}]"
        yield from evidence(alert["evidence"], lang, "      ")


def _alert_title(alert: Row, lang: Lang) -> str:
    return str(alert["title"]) if lang == "zh" else str(alert["kind"]).replace("_", " ")


def services(gaps: Sequence[Row], lang: Lang) -> Iterator[str]:
    """The service list of a child: what it has, lacks, or nobody knows."""
    for gap in gaps:
        yield f"  {words('service_status', lang)[gap['status']]}: {gap['aspect']} · {gap['item']} ({gap['department']})"
        yield from evidence(gap["basis"], lang, "      ")


def evidence(rows: Sequence[Row], lang: Lang, indent: str) -> Iterator[str]:
    """Where each row was found and what it says."""
    for row in rows:
        yield f"{indent}{_feed(row['feed'], lang)}: {row['says']}  [{row['source_file']} {_LABELS[lang]['row'].format(row['source_row'])}]"


def _feed(feed: str, lang: Lang) -> str:
    if feed not in FEEDS:
        return feed
    return f"{FEEDS[feed].department}{FEEDS[feed].title}" if lang == "zh" else feed.replace("_", " ")


def _place(code: str | None, township: str | None, lang: Lang) -> str:
    return f"{name_of(code)}{township or ''}" if code is not None else _LABELS[lang]["nowhere"]


_LABELS: dict[Lang, dict[str, str]] = {
    "zh": {
        "hukou": "户籍地", "home": "现居住地", "away": "离开户籍地", "inferred": "推定", "stated": "有记录写明", "months": "满{}个月", "with": "同住",
        "sure": "可信度", "decides": "由此认定", "article": "依据", "no_start": "起始日期不明", "runs": "至今", "lives": "现居住地", "since": "自",
        "visit": "下次走访不晚于", "unverified": "仅据摸排，尚未核实", "closed": "已办结", "due": "办理期限", "row": "第{}行", "nowhere": "不明",
    },
    "en": {
        "hukou": "hukou", "home": "lives in", "away": "away since", "inferred": "inferred", "stated": "stated", "months": "{} whole months", "with": "lives with",
        "sure": "confidence", "decides": "decides", "article": "law", "no_start": "start unknown", "runs": "still", "lives": "lives here", "since": "since",
        "visit": "next visit by", "unverified": "the survey's word, not verified yet", "closed": "closed", "due": "due", "row": "row {}", "nowhere": "unknown",
    },
}  # fmt: skip
