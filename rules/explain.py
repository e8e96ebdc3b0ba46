"""One child's answer told: rows of the register go in, lines a person reads come out, in English or Chinese. Never a name.

Rows are mappings by column name, as schemas.tables declares them. A condition comes with the article it rests on and what it was judged on; every
stay, sign and alert with the rows behind it. What a row says is quoted as it stands there, in Chinese. What follows from an answer: rules/explain_care.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from schemas.reference.days import name_of
from schemas.reference.words import Lang, words

Row = Mapping[str, Any]

_PLACES = ("hukou_district", "district")
_SETS = {"accompanied": "accompanied", "from_register": "truth", "away_by": "start", "feed": "feed"}
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
        "zh": "截至{as_of}：{outcome}。理由：{reason}",
        "en": "As of {as_of}: {outcome}. Reason: {reason}",
    }[lang]
    yield said.format(as_of=assessment["as_of"], outcome=words("outcome", lang)[assessment["outcome"]], reason=words("reason", lang)[assessment["reason"]])
    labels = _LABELS[lang]
    yield labels["fact"].format(labels["hukou"], place(assessment["hukou_district"], assessment["hukou_township"], lang))
    yield labels["fact"].format(labels["home"], place(assessment["residence_district"], assessment["residence_township"], lang))
    if assessment["away_since"] is not None:
        start = labels["inferred" if assessment["is_inferred"] else "stated"]
        yield labels["away"].format(since=assessment["away_since"], start=start, months=assessment["months_away"])
    yield labels["fact"].format(labels["with"], words("accompanied", lang)[assessment["accompanied"]])
    yield labels["fact"].format(labels["sure"], f"{assessment['confidence']:.0%}")


def asked(assessment: Row, lang: Lang) -> Iterator[str]:
    """Every condition in order: its answer, its article, what it was judged on; the one that decided is marked, and one that never excludes says so.

    What comes behind the one that decided changes nothing any more; where readings disagree, it is told of one of them.
    """
    told = {c["condition"]: c for c in assessment["conditions"]}
    labels, disputed = _LABELS[lang], assessment["reason"] == "conflicting_evidence"
    for name, condition in conditions().items():
        given = told[name]
        line = f"  {_MARKS[given['answer']]} " + labels["asked"].format(getattr(condition, lang), words("answer", lang)[given["answer"]])
        if condition.reason is None and given["answer"] != "yes":
            line += labels["never_excludes"]
        yield line + (f"  ← {labels['decides']}" if condition.reason == assessment["reason"] else "")
        if (judged := _judged_on(given["detail"], lang)) and not (disputed and name == "residence_known"):
            yield f"      {judged}"
        yield "      " + labels["asked"].format(labels["article"], condition.article)
        if condition.reason == assessment["reason"]:
            yield "  " + labels["one_reading" if disputed else "no_matter"]


def _judged_on(detail: str | None, lang: Lang) -> str:
    """`name=value; …` in words; names without a word are left out."""
    labels = words("detail", lang)
    parts = [part.partition("=") for part in (detail or "").split("; ") if part]
    told = [_LABELS[lang]["judged"].format(labels[name], _value(name, value, lang)) for name, _, value in parts]
    return {"zh": "；", "en": "; "}[lang].join(told)


def _value(name: str, value: str, lang: Lang) -> str:
    if name in _PLACES:
        return name_of(value)
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
        start += labels["aside"].format(labels["inferred"]) if stay["is_inferred"] and stay["from_date"] is not None else ""
        ended = str(stay["to_date"]) if stay["to_date"] is not None else labels["runs"]
        here = f"  ← {labels['lives']}" if stay["is_current"] else ""
        yield f"  ●── {start} ──▶ {ended}  {place(stay['division'], stay['township'], lang)}{here}"
        yield from evidence(stay["evidence"], lang, "  │     ")


def evidence(rows: Sequence[Row], lang: Lang, indent: str) -> Iterator[str]:
    """What each row says, and where it was found."""
    for row in rows:
        said = _LABELS[lang]["asked"].format(words("feed", lang).get(row["feed"], row["feed"]), row["says"])
        yield f"{indent}{said}  [{row['source_file']} {_LABELS[lang]['row'].format(row['source_row'])}]"


def place(code: str | None, township: str | None, lang: Lang) -> str:
    """A district with its township, as people write it."""
    return f"{name_of(code)}{township or ''}" if code is not None else _LABELS[lang]["nowhere"]


_LABELS: dict[Lang, dict[str, str]] = {
    "zh": {
        "fact": "  {}：{}", "asked": "{}：{}", "judged": "{}：{}", "aside": "（{}）", "hukou": "户籍地", "home": "现居住地",
        "away": "  离开户籍地：{since}起（{start}），已满{months}个月", "inferred": "推定", "stated": "有记录写明", "with": "同住", "sure": "可信度",
        "decides": "由此认定", "no_matter": "以下各条不再影响结论：", "one_reading": "以下各条因解读而异，所列为其中一种：", "never_excludes": "（不因此排除）", "article": "依据", "no_start": "起始日期不明", "runs": "至今", "lives": "现居住地",
        "row": "第{}行", "nowhere": "不明",
    },
    "en": {
        "fact": "  {}: {}", "asked": "{}: {}", "judged": "{} {}", "aside": " ({})", "hukou": "hukou", "home": "lives in",
        "away": "  away since: {since} ({start}); {months} whole months", "inferred": "inferred", "stated": "stated", "with": "lives with", "sure": "confidence",
        "decides": "decides", "no_matter": "What follows changes nothing any more:", "one_reading": "What follows differs by reading; one of them is shown:", "never_excludes": " (does not exclude)", "article": "law", "no_start": "start unknown", "runs": "still", "lives": "lives here",
        "row": "row {}", "nowhere": "unknown",
    },
}  # fmt: skip
