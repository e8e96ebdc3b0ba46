"""What a child's rows say, read plainly, one row at a time (decisions 7-9, 'The residence timeline'). Enters: rows as a case writes them. Leaves: `Sign`s, and the hukou's rows.

Written from the decisions alone, to hold against the expressions of `rules/`: it shares no code with them and makes no effort to be fast.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

# name: district before and since 2025-11-06
PLACES = {
    "江津区": ("500116", "500116"), "璧山区": ("500120", "500120"), "铜梁区": ("500151", "500151"), "万州区": ("500101", "500101"),
    "沙坪坝区": ("500106", "500106"), "南岸区": ("500108", "500108"), "高新区": ("5001GX", "5001GX"), "北碚区": ("500109", "500109"),
    "江北区": ("500105", "500157"), "渝北区两路街道": ("500112", "500157"), "渝北区大湾镇": ("500112", "500109"), "北碚区水土街道": ("500109", "500157"),
    "四川省广安市邻水县": ("511623", "511623"), "贵州省贵阳市云岩区": ("520103", "520103"), "510000": ("510000", "510000"),
    "重庆市": (None, None), "香港特别行政区": ("810000", "810000"),
}  # fmt: skip
CHANGE = date(2025, 11, 6)
ZONE = {"500103", "500104", "500105", "500106", "500107", "500108", "500109", "500112", "500113", "500157", "5001GX"}
STRENGTH = {"survey": 60, "residence": 50, "education": 40, "disease_control": 30, "health": 30, "medical_insurance": 20, "disability": 20, "household": 10, "assistance": 0}
STATED, INFERRED, SIGHTED = 0, 1, 2
Row = dict[str, Any]


def months_after(day: date, months: int) -> date:
    """The same day so many months on, the month's end where there is none (decision 2)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def district(name: str | None, as_of: date) -> str | None:
    return None if name is None else PLACES[name][as_of >= CHANGE]


def span(text: Any) -> tuple[date, date]:
    """First and last day that a written date can mean."""
    if isinstance(text, date):
        return text, text
    parts = [int(part) for part in str(text).split("-")]
    if len(parts) == 1:
        return date(parts[0], 1, 1), date(parts[0], 12, 31)
    return date(parts[0], parts[1], 1), date(parts[0], parts[1], monthrange(parts[0], parts[1])[1])


@dataclass(eq=False)
class Sign:
    """One row's word on where the child was.

    `kind`: stay, was (until it went home), return (lives at the hukou place), left (left the hukou place for an unknown one).
    """

    feed: str
    number: int
    kind: str
    place: str | None
    stated: date | None = None
    firm: date | None = None
    seen: date | None = None
    own_last: date | None = None
    confirmed: date = date.min
    ended: bool = False
    ended_on: date | None = None
    leaves: bool = False
    onward: bool = False
    clears: bool = False
    boards: bool = False
    with_parent: bool = False
    left_place: str | None = None

    @property
    def strength(self) -> int:
        return STRENGTH[self.feed]

    @property
    def order(self) -> tuple[Any, ...]:
        return (self.feed, self.number, self.kind)

    @property
    def own_start(self) -> date | None:
        return self.stated or min((day for day in (self.firm, self.seen) if day), default=None)


class Reader:
    """Reads rows as known on a day: no date counts that lies after the export or after the day."""

    def __init__(self, as_of: date) -> None:
        self.as_of = as_of

    def limit(self, row: Row) -> date:
        return min(row["export_date"], self.as_of)

    def day(self, row: Row, column: str) -> date | None:
        if row.get(column) is None:
            return None
        first, last = span(row[column])
        return min(last, self.limit(row)) if first <= self.limit(row) else None

    def arrival(self, row: Row, column: str, seen: date | None) -> date | None:
        """As `day`; where the child was seen there within the month or year that is all the row has, no later than that day."""
        on = self.day(row, column)
        return min(on, seen) if on and seen and span(row[column])[0] <= seen else on

    def written(self, row: Row, *columns: str) -> bool:
        """Whether the row was there already: not when all its sound dates lie ahead."""
        sound = [span(row[c])[0] for c in columns if row.get(c) is not None and span(row[c])[0] <= row["export_date"]]
        return not sound or min(sound) <= self.as_of

    def ended(self, row: Row, column: str, by_word: bool) -> bool:
        """Ended on a day that came, or by its word where no day still to come is given."""
        if self.day(row, column) is not None:
            return True
        ahead = row.get(column) is not None and self.as_of < span(row[column])[0] <= row["export_date"]
        return by_word and not ahead

    def seen_on(self, row: Row) -> date:
        """摸排日期, else the export's."""
        last = span(row["surveyed_on"])[1] if row.get("surveyed_on") is not None else row["export_date"]
        return min(last, row["export_date"])

    def signs(self, rows: dict[str, list[Row]]) -> Iterator[Sign]:
        for feed, read in (("survey", self.survey), ("residence", self.residence), ("education", self.education), ("disease_control", self.card),
                           ("health", self.health), ("medical_insurance", self.insurance), ("disability", self.certificate)):  # fmt: skip
            for row in rows.get(feed, []):
                for sign in read(row):
                    yield replace(sign, place=district(sign.place, self.as_of), left_place=district(sign.left_place, self.as_of))

    def survey(self, row: Row) -> Iterator[Sign]:
        seen = self.seen_on(row)
        if seen > self.as_of:
            return
        here, presence = row["residence_division"], row.get("presence") or "在住"
        arrived, left = self.arrival(row, "arrived_on", seen), self.arrival(row, "left_hukou_on", seen)
        base = Sign("survey", row["record_hash"], "stay", here, own_last=seen, confirmed=seen, with_parent=row.get("guardianship") in ("父母双方", "父母一方"))
        if presence == "已返回户籍地":
            yield replace(base, kind="was", stated=arrived or left, ended=True, ended_on=seen, leaves=True)
            yield replace(base, kind="return", place=None, left_place=here, stated=seen, clears=True, with_parent=False)
        elif presence == "已迁往他处":
            yield replace(base, stated=arrived, seen=seen, clears=True)
        else:
            yield replace(base, stated=arrived or left, seen=seen)
        if left and left < (arrived or seen) and (arrived or presence == "已迁往他处"):
            yield replace(base, kind="left", place=None, stated=left, own_last=arrived or seen, ended=True, ended_on=arrived or seen, with_parent=False)

    def residence(self, row: Row) -> Iterator[Sign]:
        if not self.written(row, "arrived_on", "registered_on", "permit_issued_on"):
            return
        registered, permit, cancelled = (self.day(row, c) for c in ("registered_on", "permit_issued_on", "cancelled_on"))
        firm = min((d for d in (registered, permit) if d), default=None)
        arrived = self.arrival(row, "arrived_on", firm)
        reason = row.get("cancel_reason")
        ended = self.ended(row, "cancelled_on", reason is not None)
        last = max((d for d in (arrived, registered, permit) if d), default=None)
        yield Sign(
            "residence", row["record_hash"], "stay", row["residence_division"], stated=arrived, firm=firm, own_last=last,
            confirmed=(cancelled or last or self.limit(row)) if ended else self.limit(row), ended=ended, ended_on=cancelled,
            leaves=ended and reason in ("返回户籍地", "迁往他处"), onward=ended and reason == "迁往他处",
        )  # fmt: skip
        if ended and reason == "返回户籍地":
            yield Sign("residence", row["record_hash"], "return", None, left_place=row["residence_division"], stated=cancelled, own_last=cancelled, confirmed=cancelled or self.limit(row))

    def education(self, row: Row) -> Iterator[Sign]:
        if not self.written(row, "enrolled_on"):
            return
        enrolled, left, status = self.day(row, "enrolled_on"), self.day(row, "left_on"), row.get("status")
        ended = self.ended(row, "left_on", status in ("转出", "毕业", "退学"))
        confirmed = left or enrolled or self.limit(row) if ended else enrolled or self.limit(row) if status == "休学" else self.limit(row)
        yield Sign(
            "education", row["record_hash"], "stay", row["school_division"], firm=enrolled, own_last=enrolled, confirmed=confirmed, ended=ended, ended_on=left,
            leaves=ended and status == "转出" and not row.get("boarding"), boards=bool(row.get("boarding")),
        )  # fmt: skip

    def card(self, row: Row) -> Iterator[Sign]:
        if not self.written(row, "moved_in_on", "opened_on", "last_dose_on"):
            return
        moved, opened, dose = (self.day(row, c) for c in ("moved_in_on", "opened_on", "last_dose_on"))
        ended = row.get("status") in ("迁出", "失访", "死亡")
        last = max((d for d in (moved, opened, dose) if d), default=None)
        where = row.get("residence_division")
        yield Sign(
            "disease_control", row["record_hash"], "stay", row["clinic_division"] if district(where, self.as_of) is None else where, stated=moved, firm=opened, seen=dose, own_last=last,
            confirmed=(last or self.limit(row)) if ended else self.limit(row), ended=ended, leaves=row.get("status") == "迁出",
        )  # fmt: skip

    def health(self, row: Row) -> Iterator[Sign]:
        if not self.written(row, "opened_on", "last_visit_on"):
            return
        opened, visited, closed = (self.day(row, c) for c in ("opened_on", "last_visit_on", "closed_on"))
        why = row.get("close_reason")
        ended = self.ended(row, "closed_on", why is not None)
        last = max((d for d in (opened, visited) if d), default=None)
        yield Sign(
            "health", row["record_hash"], "stay", row.get("residence_division"), firm=opened, seen=visited, own_last=last,
            confirmed=(closed or last or self.limit(row)) if ended else self.limit(row), ended=ended, ended_on=closed,
            leaves=ended and why is not None and "迁" in why,
        )  # fmt: skip

    def insurance(self, row: Row) -> Iterator[Sign]:
        if not self.written(row, "insured_on"):
            return
        filed, insured, elsewhere = self.day(row, "remote_care_on"), self.day(row, "insured_on"), row.get("remote_care_division")
        files = district(elsewhere, self.as_of) is not None and (filed is not None or row.get("remote_care_on") is None)
        last = (filed if files else None) or insured
        runs = row.get("status") in (None, "正常参保")
        yield Sign(
            "medical_insurance", row["record_hash"], "stay", elsewhere if files else row["insured_division"], own_last=last,
            confirmed=self.limit(row) if runs else last or self.limit(row), ended=row.get("status") == "终止参保",
        )  # fmt: skip

    def certificate(self, row: Row) -> Iterator[Sign]:
        if not self.written(row, "issued_on"):
            return
        last = self.day(row, "issued_on")
        yield Sign("disability", row["record_hash"], "stay", row.get("residence_division"), own_last=last, confirmed=last or self.limit(row), ended=row.get("status") == "注销")

    def hukous(self, rows: dict[str, list[Row]], signs: list[Sign]) -> tuple[list[str], bool, date]:
        """The districts the hukou may be in (decision 9), whether the household register says so, and since when."""
        running, moved_out = [], set()
        for row in rows.get("household", []):
            where = district(row.get("hukou_division"), self.as_of)
            standing = self.standing(row)
            ahead = row.get("hukou_since") is not None and self.as_of < span(row["hukou_since"])[1] <= row["export_date"]
            if standing == "正常" and not ahead and where is not None:
                running.append((self.day(row, "hukou_since") or date.min, self.limit(row), where))
            if standing == "迁出":
                moved_out.add(where)
        if running:
            best = max(entry[:2] for entry in running)
            return sorted({where for *newest, where in running if tuple(newest) == best}), True, best[0]
        told = []
        for feed, of_feed in rows.items():
            for row in of_feed:
                where = district(row.get("hukou_division"), self.as_of)
                if feed == "household" or where is None or where in moved_out or where == "810000" or (feed == "survey" and self.seen_on(row) > self.as_of):
                    continue
                confirmed = [sign.confirmed for sign in signs if (sign.feed, sign.number) == (feed, row["record_hash"])]
                told.append(((confirmed[0] if confirmed else self.limit(row), STRENGTH[feed]), where))
        best_told = max((key for key, _ in told), default=None)
        return sorted({where for key, where in told if key == best_told}), False, date.min

    def standing(self, row: Row) -> str:
        """正常, 迁出, 死亡注销, 其他注销; a change still to come has not happened."""
        status = row.get("hukou_status") or "正常"
        ahead = row.get("status_on") is not None and self.as_of < span(row["status_on"])[1] <= row["export_date"]
        return "正常" if ahead else status

    def former_hukous(self, rows: dict[str, list[Row]]) -> list[tuple[date, str]]:
        """(first day it no longer held, district) of hukous the register says moved out."""
        found = []
        for row in rows.get("household", []):
            where, until = district(row.get("hukou_division"), self.as_of), self.day(row, "status_on")
            if self.standing(row) == "迁出" and where is not None and until is not None:
                found.append((until, where))
        return sorted(found)


DAY = timedelta(days=1)
