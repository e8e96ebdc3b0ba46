"""One child's whole story. Enters: the register and a person_id. Leaves: lines for the terminal: records and weights, timeline, conditions, what follows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from flows.options import typed
from matching.explain import LinkedRow, links
from publish.register import connect
from rules import explain, explain_care
from rules.drawing import drawn
from schemas.reference.words import Lang, words
from schemas.tables.ledger import EVENT_KINDS

_OF_CHILD = {
    "person": "person_id",
    "assessment": "person_id",
    "residence_episode": "person_id, division, from_date",
    "key_care": "category",
    "visit": "visited_on, record_hash",
    "match_suggestion": "need",
    "alert": "alert_id",
    "service_gap": "aspect, item",
    "ledger_event": "on_date, event_id",
}
_HEADINGS: dict[Lang, dict[str, str]] = {
    "en": {
        "child": "Child", "comma": ", ", "aside": " ({})", "no_number": "no id number", "fact": "  {}: {}", "linked": "Records put together as this child: {}", "row": "row {}",
        "weight": " (weight {:+.1f}, probability {})", "certain": "over 99.99%",
        "quoted": "What a record says, and the law, is quoted in Chinese.", "lived": "Where the child has lived", "asked": "The rule, condition by condition",
        "care": "Key care", "suggested": "Places that could help", "alerts": "Alerts", "services": "Services due at the place of residence",
        "happened": "What the ledger has seen", "rests": "The answer rests on",
        "next": "Next: ask about another child with: childflow explain --register {0} PERSON_ID; or why two are not one with: childflow explain --register {0} PERSON_ID --and PERSON_ID",
    },
    "zh": {
        "child": "儿童", "comma": "，", "aside": "（{}）", "no_number": "无证件号", "fact": "  {}：{}", "linked": "关联为该儿童的记录：{}条", "row": "第{}行",
        "weight": "（证据分{:+.1f}，可能性{}）", "certain": "99.99%以上",
        "quoted": "证据分：正数支持是同一儿童，负数反对，每多1分可能性翻一倍。", "lived": "居住经过", "asked": "逐条认定", "care": "重点关爱", "suggested": "资源匹配建议", "alerts": "预警",
        "services": "居住地关爱服务", "happened": "台账变动", "rests": "认定依据",
        "next": "下一步：查询其他儿童，请运行 childflow explain --register {0} --lang zh 人员编码；查询两人为何未合并，请加 --and 另一人员编码",
    },
}  # fmt: skip


def story(register: Path, person_id: str, lang: Lang) -> Iterator[str]:
    """Everything the register knows of a child and why, in the order a person asks.

    Raises:
        UnknownPersonError: the register has no such person.
    """
    say = _HEADINGS[lang]
    linked = links(register, person_id)
    rows = _rows(register, person_id)
    (person,), (assessment,) = rows["person"], rows["assessment"]
    yield from _identity(person, lang)
    yield from ("", *explain.answer(assessment, lang))
    yield from ("", say["linked"].format(len(linked)), *_linked(linked, lang), f"  {say['quoted']}")
    for heading, lines in (
        ("lived", chain(drawn(rows["residence_episode"], assessment, lang), explain.timeline(rows["residence_episode"], assessment["as_of"], lang))),
        ("asked", explain.asked(assessment, lang)),
        ("rests", explain.evidence(assessment["evidence"], lang, "  ")),
        ("care", explain_care.care(rows["key_care"], rows["visit"], lang)),
        ("suggested", explain_care.suggestions(rows["match_suggestion"], lang)),
        ("alerts", explain_care.alerts(rows["alert"], assessment["evidence"], lang)),
        ("services", explain_care.services(rows["service_gap"], lang)),
        ("happened", _events(rows["ledger_event"], lang)),
    ):
        told = list(lines)
        yield from ("", say[heading], *told) if told else ()
    yield from ("", say["next"].format(typed(register)))


def _rows(register: Path, person_id: str) -> dict[str, list[dict[str, Any]]]:
    """The child's rows of each table, by column name."""
    with connect(register) as con:
        return {
            table: con.execute(f"SELECT * FROM {table} WHERE person_id = ? ORDER BY {order}", [person_id]).pl().to_dicts()
            for table, order in _OF_CHILD.items()
        }


def _identity(person: dict[str, Any], lang: Lang) -> Iterator[str]:
    say = _HEADINGS[lang]
    former = say["aside"].format("/".join(person["former_names"])) if person["former_names"] else ""
    status = words("id_number_status", lang)[person["id_number_status"]]
    number = say["no_number"] if person["id_number"] is None else person["id_number"] + say["aside"].format(status)
    sex = words("sex", lang).get(person["sex"] or "", "-")
    yield f"{say['child']} {person['person_id']}"
    yield "  " + say["comma"].join((f"{person['name'] or '-'}{former}", sex, str(person["birth_date"] or "-"), number))
    for guardian in person["guardians"]:
        relation = words("relation", lang).get(guardian["relation"] or "", guardian["relation"] or "-")
        yield say["fact"].format(relation, guardian["name"] or "-")


def _linked(linked: Sequence[LinkedRow], lang: Lang) -> Iterator[str]:
    say = _HEADINGS[lang]
    for row in linked:
        where = f"{words('feed', lang).get(row.feed, row.feed)} [{row.source_file} {say['row'].format(row.source_row)}]"
        yield say["fact"].format(where, row.says if lang == "zh" else row.english) + _weight(row, say)
        for line in row.lines:
            yield f"      {line.weight:+6.1f}  {f'{line.label}：{line.phrase}' if lang == 'zh' else line.english}"


def _weight(row: LinkedRow, say: dict[str, str]) -> str:
    """The weight of the link that holds a row, and how likely it is right; never rounded up to certainty."""
    if row.weight is None or row.probability is None:
        return ""
    return say["weight"].format(row.weight, say["certain"] if row.probability > 0.9999 else f"{row.probability:.2%}")


def _events(events: Sequence[dict[str, Any]], lang: Lang) -> Iterator[str]:
    """The ledger's causes are sentences in Chinese; in English the kind stands in front."""
    for event in sorted(events, key=lambda e: (e["on_date"], EVENT_KINDS.index(e["kind"]), e["cause"])):
        kind = "" if lang == "zh" else f"{words('event', lang)[event['kind']]}: "
        yield f"  {event['on_date']} {kind}{event['cause']}"
