"""Random children over some nights, for key care and alerts. Enters: a random source. Leaves: children, their answers and rows, changed from night to night, dates crowded around the thresholds."""

from __future__ import annotations

import random
from calendar import monthrange
from datetime import date, timedelta
from typing import Any

from schemas.tables.assessment import OUTCOME_OF
from tests.rules.plain_signs import months_after

Row = dict[str, Any]
FIRST_NIGHTS = (date(2026, 11, 24), date(2026, 9, 30), date(2026, 10, 1), date(2027, 2, 28), date(2028, 2, 29), date(2026, 8, 31), date(2026, 12, 31))
FEEDS = ("survey", "residence", "education", "health", "medical_insurance", "disease_control", "disability", "assistance", "household", "visit")
# dates of which a row may know the month alone
_VAGUE = {"registered_on", "enrolled_on", "insured_on", "issued_on", "granted_on"}
_PLACES = ("500116", "500107", "500120", "500106")
_REASONS = tuple(OUTCOME_OF)


class Kid:
    """One child: `child` (columns of ASSESSMENT and of the children frame) and `rows` by feed."""

    def __init__(self, rng: random.Random, number: int, as_of: date) -> None:
        self.rng, self.number, self.count = rng, number, 0
        self.rows: dict[str, list[Row]] = {}
        self.child: Row = {}
        self.change(as_of)

    @property
    def person_id(self) -> str:
        return f"P{self.number:05d}"

    def change(self, as_of: date) -> None:
        """What a night brings: some feeds anew, now and then a visit more, another answer of the rule."""
        rng, is_new = self.rng, not self.child
        self.as_of, self.export = as_of, as_of + timedelta(rng.choice((0, 0, -3, -40, 2)))
        for feed in FEEDS:
            if feed == "visit" and not is_new:
                self.rows[feed] = [*self.rows.get(feed, []), *([self.row(**self.visit())] if rng.random() < 0.3 else [])]
            elif is_new or rng.random() < 0.25:
                count = rng.choice((0, 1, 1, 2) if feed == "household" else (0, 0, 1, 1, 2, 3))
                self.rows[feed] = [self.row(**getattr(self, feed)()) for _ in range(count)]
        self.rows = {feed: rows for feed, rows in self.rows.items() if rows}
        if is_new or rng.random() < 0.4:
            self.child = self.answer()
        self.child["feeds"] = sorted(self.rows.keys() - {"visit"}) or ["household"]

    def answer(self) -> Row:
        rng, as_of = self.rng, self.as_of
        reason = rng.choice((*_REASONS, *["flowing", "under_six_months"] * (len(_REASONS) // 2)))
        ages = [months_after(as_of, -rng.choice((3, 24, 36, 84, 120, 191, 192))) + timedelta(rng.choice((0, 1, -1, 10)))]
        ages += [date(as_of.year - rng.choice((6, 7, 15, 16)), rng.choice((8, 9)), 1) + timedelta(rng.choice((0, -1, 1)))]
        return {
            "reason": reason, "outcome": OUTCOME_OF[reason], "hukou_district": None if reason == "hukou_unknown" else rng.choice(("500116", "500107", "500106", "511623")),
            "residence_district": None if reason == "residence_unknown" and rng.random() < 0.5 else rng.choice(("500107", "500116", "500120", "520103")),
            "hukou_township": rng.choice((None, "甲镇", "乙镇")), "residence_township": rng.choice((None, "甲镇", "乙镇")),
            "birth_date": rng.choice((*ages, date(2016, 3, 5) if reason == "flowing" else None)), "turns_16_on": as_of + timedelta(rng.choice((0, 1, 60, 61, -1, 200))),
            "six_months_on": as_of + timedelta(rng.choice((0, 1, 30, 31, 100))) if reason == "under_six_months" else None,
            "accompanied": rng.choice(("both", "one", "other_guardian", "none", "unknown")), "sex": rng.choice(("female", "male", None)),
            "last_seen": months_after(as_of, -6) + timedelta(rng.choice((0, 1, 100, 180, -1))), "id_number_status": rng.choice(("valid", "invalid", "absent", "conflicting")),
        }  # fmt: skip

    def row(self, **cells: Any) -> Row:
        self.count += 1
        kept = {name: value for name, value in cells.items() if value is not None}
        for column in _VAGUE & kept.keys():
            if self.rng.random() < 0.1:
                day = kept[column]
                kept |= {column: day.replace(day=monthrange(day.year, day.month)[1]), f"{column}_precision": "month"}
        return {"record_hash": self.number * 1000 + self.count, "export_date": self.export} | kept

    def day(self, missing: float = 0.15) -> date | None:
        rng = self.rng
        if rng.random() < missing:
            return None
        return months_after(self.as_of, -rng.choice((0, 0, 0, 1, 3, 6, 6, 12, 12, 12, 24))) + timedelta(rng.choice((0, 0, 0, 0, 1, -1, 1, -1, 30, -30, 89, -89, 90, -90, -91)))

    def maybe(self, chance: float, value: Any) -> Any:
        return value if self.rng.random() < chance else None

    def one(self, *of: Any) -> Any:
        return self.rng.choice(of)

    def survey(self) -> Row:
        return {
            "surveyed_on": self.day(0.1), "presence": self.one(None, "在住", "在住", "已返回户籍地", "已迁往他处"),
            "guardianship": self.one(None, "父母双方", "父母一方", "祖辈", "其他亲属", "无人监护", "独自居住"), "hardship": self.one(None, None, False, True), "disabled": self.one(None, False, True),
            "vagrant": self.one(None, None, False, True), "psych_behaviour": self.one(None, False, True), "asked_for_help": self.one(None, False, True),
            "schooling": self.one(None, "在学", "辍学", "未入学", "学龄前"), "residence_code": self.one(*_PLACES), "arrived_on": self.day(0.4), "hukou_code": self.maybe(0.3, self.one(*_PLACES)),
        }  # fmt: skip

    def residence(self) -> Row:
        cancelled = self.rng.random() < 0.3
        return {
            "residence_code": self.one(*_PLACES), "registered_on": self.day(0.2), "arrived_on": self.day(0.3),
            "lives_with_relation": self.one(None, "父亲", "母亲", "祖父母", "外祖父母", "其他亲属", "无同住人", "无同住人"), "cancelled_on": self.day(0.3) if cancelled else None,
            "cancel_reason": self.one("死亡", "返回户籍地", None, "到期") if cancelled else None,
        }  # fmt: skip

    def education(self) -> Row:
        return {
            "status": self.one(None, "在读", "在读", "休学", "转出", "毕业", "退学"), "enrolled_on": self.day(0.2), "left_on": self.maybe(0.2, self.day()),
            "psych_level": self.one(None, "无", "一般关注", "重点关注"), "hukou_code": self.maybe(0.3, self.one(*_PLACES)),
        }  # fmt: skip

    def health(self) -> Row:
        return {"opened_on": self.day(0.2), "last_visit_on": self.day(0.3), "development": self.one(None, "未见异常", "预警征象阳性", "已转诊"), "close_reason": self.maybe(0.05, "死亡")}

    def medical_insurance(self) -> Row:
        year = self.as_of.year
        return {
            "status": self.one(None, "正常参保", "正常参保", "暂停参保", "终止参保"), "paid_year": self.one(None, year - 1, year, year + 1), "insured_on": self.day(0.3),
            "subsidy": self.one(None, "无", "特困人员", "低保对象", "孤儿", "重度残疾人", "事实无人抚养儿童", "返贫致贫监测对象"),
        }  # fmt: skip

    def disease_control(self) -> Row:
        return {
            "status": self.one(None, "在册", "在册", "迁出", "失访") if self.rng.random() > 0.03 else "死亡", "clinic_code": self.one(*_PLACES), "residence_code": self.maybe(0.3, self.one(*_PLACES)),
            "doses_overdue": self.maybe(0.6, self.rng.sample(["麻腮风2", "乙脑减毒2", "百白破5"], 2)), "last_dose_on": self.day(0.3), "opened_on": self.day(0.3),
        }  # fmt: skip

    def disability(self) -> Row:
        return {"status": self.one(None, "有效", "有效", "过期", "注销"), "issued_on": self.day(0.3), "expires_on": self.day(0.3)}

    def assistance(self) -> Row:
        kind = self.one("低保", "特困", "孤儿", "事实无人抚养儿童", "临时救助", "临时救助", "低保边缘", "返贫监测", "流浪救助", "流浪救助")
        return {"kind": kind, "granted_on": self.day(0.3), "stopped_on": self.maybe(0.2, self.day()), "left_station_on": self.maybe(0.2, self.day())}

    def household(self) -> Row:
        status = self.one(None, "正常", "正常", "迁出", "其他注销") if self.rng.random() > 0.05 else "死亡注销"
        return {"hukou_status": status, "hukou_code": self.one(*_PLACES), "hukou_since": self.day(0.4), "status_on": None if status in (None, "正常") else self.day(0.2)}

    def visit(self) -> Row:
        return {
            "visited_on": self.day(0), "way": self.one(None, "入户", "学校", "电话视频"), "result": self.one(None, "见到儿童", "见到儿童", "未见到儿童", "已离开"),
            "situation": self.one(None, "无", "无", "独自居住", "监护人不履行监护责任", "疑似家庭暴力", "疑似意外伤害或不法侵害"), "still_needs_help": self.one(None, False, True),
        }  # fmt: skip
