"""One child's whole story. Enters: the register and a person_id. Leaves: lines for the terminal: records and weights, timeline, conditions, what follows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from matching.explain import LinkedRow, links
from publish.register import connect
from rules import explain
from schemas.reference.words import Lang, words

_OF_CHILD = {
    "person": "person_id",
    "assessment": "person_id",
    "residence_episode": "person_id, division, from_date",
    "key_care": "category",
    "alert": "alert_id",
    "service_gap": "aspect, item",
    "ledger_event": "on_date, event_id",
}
_HEADINGS: dict[Lang, dict[str, str]] = {
    "en": {
        "child": "Child", "linked": "Records put together as this child: {}", "lived": "Where the child has lived", "asked": "The rule, condition by condition",
        "care": "Key care", "alerts": "Alerts", "services": "Services due at the place of residence", "happened": "What the ledger has seen", "rests": "The answer rests on",
        "next": "Next: ask about another child, or why two are not one, with: childflow explain --register {} PERSON_ID",
    },
    "zh": {
        "child": "儿童", "linked": "关联为该儿童的记录：{}条", "lived": "居住经过", "asked": "逐条认定", "care": "重点关爱", "alerts": "预警", "services": "居住地关爱服务",
        "happened": "台账变动", "rests": "认定依据",
        "next": "下一步：查询其他儿童，请运行 childflow explain --register {} --lang zh 人员编码",
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
    yield from ("", say["linked"].format(len(linked)), *_linked(linked, lang))
    yield from ("", say["lived"], *explain.timeline(rows["residence_episode"], assessment["as_of"], lang))
    yield from ("", say["asked"], *explain.asked(assessment, lang))
    yield from ("", say["rests"], *explain.evidence(assessment["evidence"], lang, "  "))
    for heading, lines in (
        ("care", explain.care(rows["key_care"], lang)),
        ("alerts", explain.alerts(rows["alert"], lang)),
        ("services", explain.services(rows["service_gap"], lang)),
        ("happened", _events(rows["ledger_event"])),
    ):
        told = list(lines)
        yield from ("", say[heading], *told) if told else ()
    yield from ("", say["next"].format(register))


def _rows(register: Path, person_id: str) -> dict[str, list[dict[str, Any]]]:
    """The child's rows of each table, by column name."""
    with connect(register) as con:
        return {
            table: con.execute(f"SELECT * FROM {table} WHERE person_id = ? ORDER BY {order}", [person_id]).pl().to_dicts()
            for table, order in _OF_CHILD.items()
        }


def _identity(person: dict[str, Any], lang: Lang) -> Iterator[str]:
    former = f" ({'/'.join(person['former_names'])})" if person["former_names"] else ""
    status = words("id_number_status", lang)[person["id_number_status"]]
    sex = words("sex", lang).get(person["sex"] or "", "-")
    yield f"{_HEADINGS[lang]['child']} {person['person_id']}"
    yield f"  {person['name'] or '-'}{former}, {sex}, {person['birth_date'] or '-'}, {person['id_number'] or '-'} ({status})"
    for guardian in person["guardians"]:
        yield f"  {guardian['relation'] or '-'}: {guardian['name'] or '-'}"


def _linked(linked: Sequence[LinkedRow], lang: Lang) -> Iterator[str]:
    for row in linked:
        where = f"{row.source_file} " + (f"第{row.source_row}行" if lang == "zh" else f"row {row.source_row}")
        weight = "" if row.weight is None or row.probability is None else f"; {row.weight:+.1f} bit, p = {row.probability:.6f}"
        yield f"  {where}: {row.says if lang == 'zh' else row.english}{weight}"
        for line in row.lines:
            yield f"      {line.weight:+6.1f}  {f'{line.label}：{line.phrase}' if lang == 'zh' else line.english}"


def _events(events: Sequence[dict[str, Any]]) -> Iterator[str]:
    for event in events:
        yield f"  {event['on_date']} {event['kind'].replace('_', ' ')}: {event['cause']}"
