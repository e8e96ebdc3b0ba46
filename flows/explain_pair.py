"""Why two children are two. Enters: the register and two person_ids. Leaves: lines for the terminal: the waterfall of their closest records, and what stands against joining them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flows.options import typed
from flows.settings import UnusableInputError
from matching.explain import pair
from schemas.reference.words import Lang

_SAYS: dict[Lang, dict[str, str]] = {
    "en": {
        "two": "Why {} and {} are two", "best": "What their closest records say (bits; more is likelier one child):", "nothing": "No two records of theirs can be compared",
        "together": "  = together {:+.1f}, probability {:.4%}", "against": "What stands against joining them:", "none": "  nothing in the records themselves: a clerk may decide it",
        "next": "Next: where it is doubtful it is in the workbook of: childflow review export --register {} --out REVIEW.xlsx",
    },
    "zh": {
        "two": "{} 与 {} 为何是两人", "best": "最相近的两条记录逐项比较（证据分：正数支持是同一儿童，负数反对）：", "nothing": "两人没有可以比较的记录",
        "together": "  = 合计 {:+.1f}，可能性 {:.4%}", "against": "不合并的理由：", "none": "  记录本身没有反对的理由，可由人工核对决定",
        "next": "下一步：把握不足的在核对表中，请运行 childflow review export --register {} --out 核对表.xlsx",
    },
}  # fmt: skip


def apart(register: Path, left: str, right: str, lang: Lang) -> Iterator[str]:
    """Why two persons of the register are two.

    Raises:
        UnknownPersonError: the register does not know one of them.
        UnusableInputError: they are one and the same.
    """
    if left == right:
        raise UnusableInputError(f"--and takes another person than {left}")
    say, answer = _SAYS[lang], pair(register, left, right)
    yield say["two"].format(left, right)
    if answer.weight is None or answer.probability is None:
        yield say["nothing"]
    else:
        yield say["best"]
        for line in answer.lines:
            yield f"      {line.weight:+6.1f}  {f'{line.label}：{line.phrase}' if lang == 'zh' else line.english}"
        yield say["together"].format(answer.weight, answer.probability)
    yield say["against"]
    obstacles = answer.obstacles if lang == "zh" else answer.english
    yield from (f"  {obstacle}" for obstacle in obstacles)
    yield from () if obstacles else (say["none"],)
    yield from ("", say["next"].format(typed(register)))
