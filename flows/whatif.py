"""What if the law were another. Enters: the register, words such as months=5, a day. Leaves: lines for the terminal; the register is not touched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from flows.settings import UnusableInputError
from publish.register import connect
from rules.kept import kept
from rules.law import Law
from rules.whatif import Difference, compare, overridden
from schemas.reference.days import name_of
from schemas.reference.words import Lang, words

_SAY: dict[Lang, dict[str, str]] = {
    "en": {
        "asked": "As of {as_of}, {children:,} children, with {changes} instead of {now}:",
        "count": "Children who count as flowing: {now:,} now, {then:,} then; {enter:,} enter, {leave:,} leave. Undetermined: {open_now:,} now, {open_then:,} then.",
        "same": "No child's answer changes.", "district": "By district of residence", "reasons": "Why", "head": "{:>8} {:>8} {:>8} {:>8}  {}",
        "now": "now", "enter": "enter", "leave": "leave", "then": "then", "other": "other",
        "next": "Next: the register is as it was. To decide otherwise for good, add a dated value to rules/parameters/<topic>/<parameter>.yaml: {keys}",
    },
    "zh": {
        "asked": "截至{as_of}，儿童{children:,}人；若 {changes}（现为 {now}）：",
        "count": "认定为流动儿童：现{now:,}人，调整后{then:,}人；新增{enter:,}人，减少{leave:,}人。暂不能认定：现{open_now:,}人，调整后{open_then:,}人。",
        "same": "所有儿童的认定结果不变。", "district": "按居住区县", "reasons": "变动情况", "head": "{:>7} {:>7} {:>6} {:>6}  {}",
        "now": "现有", "enter": "新增", "leave": "减少", "then": "调整后", "other": "其他",
        "next": "下一步：本次测算未改动登记库。如需正式调整，请在 rules/parameters/<主题>/<参数>.yaml 增加带日期的取值：{keys}",
    },
}  # fmt: skip


def whatif(register: Path, sets: Sequence[str], as_of: date | None, lang: Lang) -> Iterator[str]:
    """How many children would enter and leave.

    Args:
        sets: `name=value` each. as_of: the day looked at; the register's own without one.

    Raises:
        UnusableInputError: a word is no name=value. LawError: no such parameter or value.
        FactsNotKeptError: the facts of the register's run are not beside it.
    """
    law = Law.load()
    changes = _changes(sets, law)
    other = overridden(law, changes)
    run_id, own_day = _last_run(register)
    known = kept(register.with_name(f"{register.name}.d") / "facts", run_id)
    day = as_of or own_day
    found = compare(known, day, law, other)
    keys = {name: next(key for key, p in law.parameters.items() if name in (key, p.alias)) for name in changes}
    now = ", ".join(f"{name}={_shown(law.on(day)[key])}" for name, key in keys.items())
    yield _SAY[lang]["asked"].format(as_of=day, children=found.children, changes=", ".join(f"{n}={v}" for n, v in changes.items()), now=now)
    yield from _told(found, lang)
    yield _SAY[lang]["next"].format(keys=", ".join(keys.values()))


def _changes(sets: Sequence[str], law: Law) -> dict[str, str]:
    """The words by parameter."""
    keys = {parameter.alias: key for key, parameter in law.parameters.items() if parameter.alias}
    changes: dict[str, str] = {}
    for word in sets:
        name, equals, value = (part.strip() for part in word.partition("="))
        if not equals or not name:
            raise UnusableInputError(f"--set takes NAME=VALUE such as months=5 or zone=+500116, not '{word}'; short names: {', '.join(sorted(keys))}")
        if keys.get(name, name) in {keys.get(given, given) for given in changes}:
            raise UnusableInputError(f"--set {name} is given twice: give each parameter once")
        changes[name] = value
    return changes


def _last_run(register: Path) -> tuple[str, date]:
    """The run whose tables the register holds, and its day."""
    with connect(register) as con:
        run_id, as_of = con.execute("SELECT run_id, as_of FROM run WHERE state <> 'unchanged' ORDER BY started_at DESC, run_id DESC LIMIT 1").fetchall()[0]
    return str(run_id), as_of


def _shown(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _told(found: Difference, lang: Lang) -> Iterator[str]:
    say = _SAY[lang]
    outcomes = {outcome: (now, then) for outcome, now, then in found.outcomes.iter_rows()}
    entering, leaving = (found.reasons.filter(change=change)["children"].sum() for change in ("enter", "leave"))
    flowing, unknown = outcomes.get("flowing", (0, 0)), outcomes.get("undetermined", (0, 0))
    yield say["count"].format(now=flowing[0], then=flowing[1], enter=entering, leave=leaving, open_now=unknown[0], open_then=unknown[1])
    if found.reasons.is_empty():
        yield say["same"]
    if not found.districts.is_empty():
        yield ""
        yield say["head"].format(say["now"], say["enter"], say["leave"], say["then"], say["district"])
        for district, now, enter, leave, then in found.districts.iter_rows():
            yield f"{now:>8,} {enter:>8,} {leave:>8,} {then:>8,}  {name_of(district)}"
    if not found.reasons.is_empty():
        yield ""
        yield say["reasons"]
        for change, before, after, children in found.reasons.iter_rows():
            yield f"{children:>8,}  {say[change]}: {words('reason', lang)[before]} → {words('reason', lang)[after]}"
    yield ""
