"""Random lives of children, as rows of the feeds. Enters: a random source. Leaves: children, their rows and the day each is looked at, dates crowded around the rule's thresholds; and the rule's answers."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tests.rules.plain_signs import PLACES, months_after
from tests.rules.rule_children import answer

Row = dict[str, Any]
AS_OF = (date(2026, 11, 24), date(2025, 11, 5), date(2025, 11, 6), date(2028, 2, 29))
_NEAR = [name for name in PLACES if name not in ("重庆市", "香港特别行政区")]


class Life:
    """One random child. Most of its places are few, so that rows meet; most of its days lie where an answer turns."""

    def __init__(self, rng: random.Random, as_of: date) -> None:
        self.rng, self.as_of = rng, as_of
        self.places = rng.sample(_NEAR, 3)
        self.exports = [as_of, as_of - timedelta(rng.choice((1, 5, 23, 40, 200, 600))), as_of + timedelta(rng.choice((1, 30, 400)))]
        self.number = 0

    def place(self) -> str:
        return self.rng.choice(("重庆市", "香港特别行政区")) if self.rng.random() < 0.01 else self.rng.choice(self.places)

    def day(self, missing: float = 0.15) -> Any:
        rng = self.rng
        if rng.random() < missing:
            return None
        base = months_after(self.as_of, -rng.choice((0, 0, 1, 2, 3, 5, 6, 6, 6, 7, 12, 12, 17, 18, 18, 19, 24, 36, 60)))
        found = base - timedelta(rng.choice((0, 0, 0, 1, -1, 30, 59, 60, 61, -60, 179, 180, 181)))
        shape = rng.random()
        return f"{found:%Y-%m}" if shape < 0.05 else f"{found:%Y}" if shape < 0.07 else found

    def row(self, **cells: Any) -> Row:
        self.number += 1
        kept = {name: value for name, value in cells.items() if value is not None}
        if self.rng.random() < 0.01:
            kept["in_institution"] = True
        if self.rng.random() < 0.01:
            kept["document_type"] = self.rng.choice(("hmt", "foreign", "mainland"))
        return {"export_date": self.rng.choice(self.exports), "record_hash": self.number} | kept

    def maybe(self, chance: float, value: Any) -> Any:
        return value if self.rng.random() < chance else None

    def household(self) -> Row:
        status = self.rng.choices(("正常", None, "迁出", "死亡注销", "其他注销"), (70, 10, 17, 1, 2))[0]
        changed = status not in ("正常", None)
        return self.row(hukou_division=self.place(), hukou_status=status, hukou_since=self.maybe(0.5, self.day()), status_on=self.day() if changed else None)

    def residence(self) -> Row:
        cancelled = self.rng.random() < 0.4
        return self.row(
            hukou_division=self.maybe(0.5, self.place()), residence_division=self.place(), arrived_on=self.day(0.4), registered_on=self.day(0.4), permit_issued_on=self.day(0.7),
            cancelled_on=self.day(0.2) if cancelled else None,
            cancel_reason=self.rng.choices(("返回户籍地", "迁往他处", "到期", "其他", "死亡", None), (40, 30, 12, 8, 1, 9))[0] if cancelled else None,
        )  # fmt: skip

    def education(self) -> Row:
        status = self.rng.choices(("在读", None, "休学", "转出", "毕业", "退学"), (55, 5, 5, 25, 6, 4))[0]
        left = status in ("转出", "毕业", "退学") or self.rng.random() < 0.05
        return self.row(
            hukou_division=self.maybe(0.5, self.place()), school_division=self.place(), enrolled_on=self.day(), status=status, left_on=self.day() if left else None,
            boarding=self.rng.choice((True, False, None, None)),
        )  # fmt: skip

    def disease_control(self) -> Row:
        status = self.rng.choices(("在册", None, "迁出", "失访", "死亡"), (60, 10, 20, 9, 1))[0]
        return self.row(
            hukou_division=self.maybe(0.3, self.place()), clinic_division=self.place(), residence_division=self.maybe(0.7, self.place()), moved_in_on=self.day(0.6),
            opened_on=self.day(0.3), last_dose_on=self.day(0.3), status=status,
        )  # fmt: skip

    def health(self) -> Row:
        closed = self.rng.random() < 0.3
        return self.row(
            residence_division=self.maybe(0.95, self.place()), opened_on=self.day(), last_visit_on=self.day(0.4), closed_on=self.day(0.3) if closed else None,
            close_reason=self.rng.choices(("迁出", "满6岁", "死亡", None), (50, 35, 2, 13))[0] if closed else None,
        )  # fmt: skip

    def medical_insurance(self) -> Row:
        filed = self.rng.random() < 0.3
        return self.row(
            insured_division=self.place(), status=self.rng.choice(("正常参保", "正常参保", None, "暂停参保", "终止参保")), insured_on=self.day(),
            remote_care_division=self.place() if filed else None, remote_care_on=self.day(0.3) if filed else None,
        )  # fmt: skip

    def disability(self) -> Row:
        return self.row(hukou_division=self.maybe(0.5, self.place()), residence_division=self.maybe(0.9, self.place()), issued_on=self.day(), status=self.rng.choice(("有效", "有效", "注销", None)))

    def survey(self) -> Row:
        return self.row(
            hukou_division=self.maybe(0.5, self.place()), residence_division=self.place(), presence=self.rng.choices(("在住", None, "已返回户籍地", "已迁往他处"), (60, 10, 15, 15))[0],
            arrived_on=self.day(0.4), left_hukou_on=self.day(0.7), surveyed_on=self.day(),
            guardianship=self.rng.choice(("父母双方", "父母一方", "祖辈", "独自居住", None)),
        )  # fmt: skip

    def assistance(self) -> Row:
        return self.row(kind="低保", hukou_division=self.maybe(0.5, self.place()), granted_on=self.day(), stopped_on=self.maybe(0.2, self.day()))


_USUAL = {"household": 90, "residence": 60, "education": 60, "survey": 50, "disease_control": 40, "health": 25, "medical_insurance": 30, "disability": 5, "assistance": 5}


@dataclass(frozen=True)
class History:
    """The day looked at, the child, and its rows by feed."""

    as_of: date
    child: Row
    rows: dict[str, list[Row]]

    def __str__(self) -> str:
        return "\n".join((f"  as of {self.as_of}, {self.child}", *(f"  {feed}: {row}" for feed, of_feed in self.rows.items() for row in of_feed)))


def histories(count: int, rng: random.Random) -> list[History]:
    """So many random children."""
    return [history(rng) for _ in range(count)]


def history(rng: random.Random) -> History:
    """One random child."""
    as_of = rng.choices(AS_OF, (70, 10, 10, 10))[0]
    life = Life(rng, as_of)
    rows = {}
    for feed, percent in _USUAL.items():
        count = sum(rng.random() * 100 < percent * share for share in (1, 0.6, 0.3))
        if count:
            rows[feed] = [getattr(life, feed)() for _ in range(count)]
    months = rng.choices((rng.randrange(1, 240), 6, 12, 192, rng.randrange(3, 30)), (65, 5, 5, 5, 20))[0]
    born = months_after(as_of, -months) - timedelta(rng.choice((0, 1, -1, 100)))
    shape = rng.random()
    birth: Any = None if shape < 0.02 else f"{born:%Y-%m}" if shape < 0.05 else f"{born:%Y}" if shape < 0.1 else born
    return History(as_of, {"birth_date": birth, "document_type": rng.choices((None, "mainland", "hmt", "foreign"), (50, 47, 2, 1))[0]}, rows)


def answers(lives: list[History]) -> list[Row]:
    """What the expressions say of each, all children of a day at once."""
    told: list[Row] = [{} for _ in lives]
    for as_of in sorted({life.as_of for life in lives}):
        children, feeds = [], defaultdict(list)
        for number, life in enumerate(lives):
            if life.as_of == as_of:
                person = f"{number:06d}"
                children.append({"person_id": person} | life.child)
                for feed, of_feed in life.rows.items():
                    feeds[feed] += [{"person_id": person} | row for row in of_feed]
        for row in answer(children, feeds, as_of).assessment.iter_rows(named=True):
            told[int(row["person_id"])] = row
    return told
