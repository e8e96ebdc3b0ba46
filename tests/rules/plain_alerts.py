"""What somebody should act on, read plainly, one child and one night at a time (decisions: 'Key care', 'Alerts'). Enters: a child's answer and rows as cases write them. Leaves: its alerts, and how they go on from night to night.

Written from the decisions and the table of kinds alone, to hold against the expressions of `rules/`: it shares no code with them and makes no effort to be fast.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from tests.rules.plain_signs import ZONE, months_after

Row = dict[str, Any]
Key = tuple[str, str]
DEPARTMENTS = {"household", "residence", "education", "health", "medical_insurance", "disease_control", "disability"}
SUBSIDIES = {"特困人员": "family_hardship", "低保对象": "family_hardship", "返贫致贫监测对象": "family_hardship", "孤儿": "guardianship_missing", "事实无人抚养儿童": "guardianship_missing", "重度残疾人": "disability"}
RELIEF = {"低保": "family_hardship", "特困": "family_hardship", "低保边缘": "family_hardship", "返贫监测": "family_hardship", "孤儿": "guardianship_missing", "事实无人抚养儿童": "guardianship_missing"}
LATELY = {"临时救助": "family_hardship", "流浪救助": "vagrancy"}
SURVEYED = {"hardship": "family_hardship", "disabled": "disability", "vagrant": "vagrancy", "psych_behaviour": "psych_behaviour", "asked_for_help": "self_requested_aid"}
DANGERS = {"独自居住": "living_alone", "监护人不履行监护责任": "guardian_neglect", "疑似家庭暴力": "suspected_violence", "疑似意外伤害或不法侵害": "suspected_harm"}
GROUPS = {"under_six_months": "watch", "exempt_main_urban": "exempt", "deceased": "gone", "age_16_or_over": "gone"}
LATEST = {"麻腮风2": 24, "乙脑减毒2": 36, "百白破5": 84}  # months by which a dose must have been had


@dataclass
class Needs:
    """What the rows show of one child on one day."""

    child: Row
    rows: dict[str, list[Row]]
    as_of: date
    found: set[Key] = field(default_factory=set)
    due: dict[Key, date] = field(default_factory=dict)
    own_place: dict[Key, str] = field(default_factory=dict)

    def of(self, feed: str) -> list[Row]:
        return self.rows.get(feed, [])

    def begun(self, row: Row, column: str) -> bool:
        """Whether a date that a row has has come; of a month known alone its first day."""
        if row.get(column) is None:
            return True
        return (row[column].replace(day=1) if row.get(f"{column}_precision") == "month" else row[column]) <= self.as_of

    @property
    def group(self) -> str:
        if self.child["outcome"] in ("flowing", "undetermined"):
            return str(self.child["outcome"])
        return GROUPS.get(self.child["reason"], "other")

    # what is asked of the newest row
    def surveys(self) -> list[Row]:
        seen = [{**row, "seen": min(row.get("surveyed_on") or row["export_date"], row["export_date"])} for row in self.of("survey")]
        return [row for row in seen if row["seen"] <= self.as_of]

    def surveyed(self, question: str) -> Row | None:
        answered = [row for row in self.surveys() if row.get(question) is not None]
        return max(answered, key=lambda row: (row["seen"], row["export_date"], -row["record_hash"]), default=None)

    def visits(self) -> list[Row]:
        return [row for row in self.of("visit") if row["visited_on"] <= self.as_of]

    def met(self) -> list[Row]:
        """Visits that count: the child was seen, in person, as far as is written."""
        return [row for row in self.visits() if row.get("result") in (None, "见到儿童") and row.get("way") != "电话视频"]

    def cleared(self) -> date | None:
        """The day on which the newest visit that says so found no danger."""
        told = [row for row in self.visits() if row.get("situation") in DANGERS] + [row for row in self.met() if row.get("situation") == "无"]
        newest = max((row["visited_on"] for row in told), default=None)
        return newest if newest and all(row["situation"] == "无" for row in told if row["visited_on"] == newest) else None

    def dangers(self) -> dict[str, date]:
        none = max((row["visited_on"] for row in self.met() if row.get("situation") == "无"), default=date.min)
        return {row["situation"]: row["visited_on"] for row in self.visits() if row.get("situation") in DANGERS and row["visited_on"] >= none}

    def registered(self) -> list[Row]:
        begun = [row for row in self.of("residence") if self.begun(row, "registered_on")]
        return [row for row in begun if (row["cancelled_on"] > self.as_of if row.get("cancelled_on") else not row.get("cancel_reason"))]

    def lives_with(self) -> Row | None:
        told = [row for row in self.registered() if row.get("lives_with_relation")]
        near = {"父亲": 2, "母亲": 2, "无同住人": 0}
        day = lambda row: max((d for d in (row.get("registered_on"), row.get("arrived_on")) if d), default=date.min)  # noqa: E731
        return max(told, key=lambda row: (day(row), near.get(row["lives_with_relation"], 1), row["export_date"], -row["record_hash"]), default=None)

    # guardianship
    def unguarded(self) -> Row | None:
        row, cleared = self.surveyed("guardianship"), self.cleared()
        return row if row and row["guardianship"] in ("无人监护", "独自居住") and (cleared is None or row["seen"] > cleared) else None

    def registered_alone(self) -> bool:
        row = self.lives_with()
        if row is None or row["lives_with_relation"] != "无同住人":
            return False
        survey, told = self.surveyed("guardianship"), row.get("registered_on") or row.get("arrived_on")
        cared = [survey["seen"]] if survey and survey["guardianship"] not in ("无人监护", "独自居住") else []
        cared += [cleared] if (cleared := self.cleared()) else []
        return not cared or (told is not None and max(cared) < told)

    # key care
    def certificates(self) -> dict[str, int]:
        counts = {"valid": 0, "doubtful": 0, "ended": 0}
        for row in self.of("disability"):
            if not self.begun(row, "issued_on"):
                continue
            ends, status = row.get("expires_on"), row.get("status")
            runs = ends is not None and ends >= self.as_of
            valid = (status == "有效" and (ends is None or runs)) or (status is None and runs)
            counts["ended" if status == "注销" else "valid" if valid else "doubtful"] += 1
        return counts

    def lately(self, row: Row) -> bool:
        last = max((d for d in (row.get("granted_on"), row.get("left_station_on")) if d), default=None)
        return last is not None and months_after(last, 12) >= self.as_of and self.begun(row, "granted_on")

    def signs(self) -> dict[str, date | None]:
        """Each category that a row shows; of help asked for, the day."""
        shown: dict[str, date | None] = {}
        for question, category in SURVEYED.items():
            row = self.surveyed(question)
            if row and row[question]:
                shown[category] = row["seen"]
        answered = [row for row in self.visits() if row.get("still_needs_help")] + [row for row in self.met() if row.get("still_needs_help") is False]
        last = max((row["visited_on"] for row in answered), default=date.min)
        if "self_requested_aid" in shown and not any(row["still_needs_help"] for row in answered if row["visited_on"] == last) and last >= shown["self_requested_aid"]:
            del shown["self_requested_aid"]
        for row in self.of("assistance"):
            if row["kind"] in RELIEF and self.begun(row, "granted_on") and not (row.get("stopped_on") and row["stopped_on"] <= self.as_of):
                shown[RELIEF[row["kind"]]] = None
            if row["kind"] in LATELY and self.lately(row):
                shown[LATELY[row["kind"]]] = None
        for row in self.of("medical_insurance"):
            if row.get("subsidy") in SUBSIDIES and row.get("status") in (None, "正常参保") and self.begun(row, "insured_on"):
                shown[SUBSIDIES[row["subsidy"]]] = None
        school = [row for row in self.of("education") if row.get("psych_level")]
        runs = lambda row: row.get("status") not in ("转出", "毕业", "退学") and not (row.get("left_on") and row["left_on"] <= self.as_of)  # noqa: E731
        if school and max(school, key=lambda r: (runs(r), r.get("enrolled_on") or date.min, r["export_date"], -r["record_hash"]))["psych_level"] == "重点关注":
            shown["psych_behaviour"] = None
        health = [row for row in self.of("health") if row.get("development")]
        told = lambda row: max((d for d in (row.get("last_visit_on"), row.get("opened_on")) if d), default=date.min)  # noqa: E731
        if health and max(health, key=lambda row: (told(row), row["export_date"], -row["record_hash"]))["development"] != "未见异常":
            shown["psych_behaviour"] = None
        if self.unguarded() or self.registered_alone() or {"独自居住", "监护人不履行监护责任"} & set(self.dangers()):
            shown["guardianship_missing"] = None
        if self.certificates()["valid"]:
            shown["disability"] = None
        return shown

    def elsewhere(self) -> bool | None:
        """Whether the child lives in another township than its hukou's."""
        hukou, home = self.child.get("hukou_district"), self.child.get("residence_district")
        if hukou is None or home is None:
            return None
        towns = self.child.get("hukou_township"), self.child.get("residence_township")
        return True if hukou != home else None if None in towns else towns[0] != towns[1]

    def categories(self) -> set[str]:
        """The key-care categories: of children who count as flowing; of help asked for, of any child under 16 away from its township."""
        shown, is_flowing = set(self.signs()), self.child["outcome"] == "flowing"
        mine = shown - {"self_requested_aid"} if is_flowing else set()
        asks = "self_requested_aid" in shown and self.elsewhere() and self.child["reason"] not in ("deceased", "age_16_or_over", "birth_date_unknown")
        return mine | ({"self_requested_aid"} if asks else set())

    # the alerts
    def alerts(self, kinds: dict[str, Row], overdue: bool) -> dict[Key, Row]:
        """kind and what tells two of a kind apart -> due_on where the finding has its own, district where it has its own."""
        for key in [*self._dates(), *self._known(), *self._school(), *self._care(overdue), *self._register(), *self._twice()]:
            self.found.add(key)
        return {key: {"due": self.due.get(key), "own": self.own_place.get(key)} for key in self.found if self.group in kinds[key[0]]["applies_to"]}

    def _dates(self) -> Iterator[Key]:
        for kind, column, first, last in (("about_to_reach_six_months", "six_months_on", 1, 30), ("turns_16_soon", "turns_16_on", 0, 60)):
            day = self.child.get(column)
            if day and self.as_of + timedelta(first) <= day <= self.as_of + timedelta(last):
                self.due[kind, ""] = day
                yield kind, ""
        if months_after(self.child["last_seen"], 6) <= self.as_of:
            yield "not_seen_6_months", ""
        if self.child["id_number_status"] == "conflicting":
            yield "id_number_conflict", ""
        unknown = {"hukou_unknown": "hukou_missing", "birth_date_unknown": "birth_date_missing", "conflicting_evidence": "residence_to_verify", "duration_unknown": "residence_to_verify"}
        if self.child["reason"] in unknown:
            yield unknown[self.child["reason"]], ""
        if self.child["reason"] == "residence_unknown":
            if self.child["feeds"] != ["household"]:
                yield "residence_to_verify", ""
            elif self.school_age() and self.of("household"):
                yield "unseen", ""

    def _known(self) -> Iterator[Key]:
        if not self.surveys():
            yield "new_child_unsurveyed", ""
        elif not DEPARTMENTS & set(self.child["feeds"]):
            yield "surveyed_unknown_to_departments", ""

    def school_age(self) -> bool:
        """Six by the last day of August and not yet fifteen then, in the school year that began thirty days ago or more."""
        born = self.child.get("birth_date")
        if born is None:
            return False
        year = self.as_of.year if self.as_of >= date(self.as_of.year, 10, 1) else self.as_of.year - 1
        return months_after(born, 72) <= date(year, 8, 31) < months_after(born, 180)

    def _school(self) -> Iterator[Key]:
        roll = [row for row in self.of("education") if self.begun(row, "enrolled_on")]
        gone = lambda row: (row.get("left_on") is not None and row["left_on"] <= self.as_of) or row.get("status") in ("转出", "毕业", "退学")  # noqa: E731
        said, last = self.surveyed("schooling"), max((row["enrolled_on"] for row in roll if row.get("enrolled_on")), default=date.min)
        out = said is not None and said["schooling"] in ("辍学", "未入学") and said["seen"] >= last
        on_roll = [row for row in roll if not gone(row)]
        if self.school_age():
            if out or (not on_roll and not (said and said["schooling"] == "在学")):
                yield "school_age_not_in_school", ""
            elif said and said["schooling"] == "在学" and not on_roll:
                yield "school_roll_missing", ""
        newborn = self.child.get("birth_date") and self.child["birth_date"] + timedelta(90) >= self.as_of
        paid = [row for row in self.of("medical_insurance") if self.begun(row, "insured_on")]
        may = [row for row in paid if row.get("status") in (None, "正常参保") and (row.get("paid_year") or 9999) >= self.as_of.year]
        if not newborn and not may:
            yield "not_insured_this_year", ""
        here = lambda row: self.child.get("residence_district") in (row.get("clinic_code"), row.get("residence_code"))  # noqa: E731
        order = lambda row: (row.get("status") == "在册", here(row), *((row.get(c) or date.min) for c in ("last_dose_on", "moved_in_on", "opened_on")), row["export_date"], -row["record_hash"])  # noqa: E731
        card = max(self.of("disease_control"), key=order, default=None)
        if card and card.get("status") == "在册":
            born = self.child.get("birth_date") or card.get("birth_date")
            if any(born is None or months_after(born, LATEST[dose]) <= self.as_of for dose in card.get("doses_overdue") or []):
                yield "vaccination_overdue", ""

    def _care(self, overdue: bool) -> Iterator[Key]:
        survey, signs, unguarded = self.surveyed("guardianship"), self.signs(), self.unguarded()
        with_whom = self.lives_with()
        by_register = survey is None and with_whom is not None and with_whom["lives_with_relation"] in ("祖父母", "外祖父母", "其他亲属")
        if (survey and survey["guardianship"] in ("祖辈", "其他亲属")) or self.child["accompanied"] == "other_guardian" or by_register:
            yield "guardianship_check", ""
        if unguarded:
            yield "living_alone" if unguarded["guardianship"] == "独自居住" else "no_guardian", ""
        if self.registered_alone():
            yield "living_alone", ""
        for danger in self.dangers():
            yield DANGERS[danger], ""
        if signs:
            yield "possible_key_care", ""
        if set(signs) - {"self_requested_aid"}:
            yield "needs_outside_list", ""
        asked = signs.get("self_requested_aid")
        if asked:
            if not any(row["visited_on"] > asked for row in self.met()):
                yield "help_asked_no_visit", ""
            if self.elsewhere() is None and self.child.get("hukou_district") and self.child.get("residence_district"):
                yield "help_asked_township_unknown", ""
        if overdue and "visit" in self.rows:
            yield "visit_overdue", ""
        held, disabled = self.certificates(), self.surveyed("disabled")
        if held["doubtful"] and not held["valid"]:
            yield "disability_certificate_expired", ""
        if disabled and disabled["disabled"] and not held["valid"] and not held["doubtful"]:
            yield "disabled_without_certificate", ""
        if any(row["kind"] in LATELY and not row.get("granted_on") and not row.get("left_station_on") for row in self.of("assistance")):
            yield "relief_undated", ""

    def _register(self) -> Iterator[Key]:
        household = self.of("household")
        dead = [row for row in household if row.get("hukou_status") == "死亡注销"]
        other_dead = any(row.get("cancel_reason") == "死亡" for row in self.of("residence")) or any(row.get("status") == "死亡" for row in self.of("disease_control"))
        other_dead = other_dead or any("死亡" in (row.get("close_reason") or "") for row in self.of("health"))
        if any(not row.get("status_on") or months_after(row["status_on"], 12) >= self.as_of for row in dead) or (other_dead and not dead):
            yield "death_or_cancellation", "死亡"
        standing = any(row.get("hukou_status") in (None, "正常") for row in household)
        if any(row.get("hukou_status") == "其他注销" for row in household) and not standing:
            yield "death_or_cancellation", "其他注销"
        hukou, born = self.child.get("hukou_district"), self.child.get("birth_date")
        former = hukou is not None and any(row.get("hukou_code") not in (None, hukou) for feed in self.rows if feed != "household" for row in self.of(feed))
        for row in household:
            status = row.get("hukou_status")
            changed = row.get("status_on") if status == "迁出" else row.get("hukou_since") if status in (None, "正常") else None
            if changed is None or not self.as_of - timedelta(90) < changed <= self.as_of:
                continue
            is_first = born is not None and changed < months_after(born, 12)
            if former or (self.group in ("flowing", "watch") and not is_first):
                yield "hukou_moved", changed.isoformat()

    def _twice(self) -> Iterator[Key]:
        """Left behind at the hukou place by a survey, living elsewhere by a survey or a registration."""
        hukou = self.child.get("hukou_district")
        recent = [row for row in self.surveys() if months_after(row["seen"], 6) >= self.as_of and row.get("presence") in (None, "在住")]
        others = ("祖辈", "其他亲属", "无人监护", "独自居住")
        behind = [row for row in recent if hukou and row.get("residence_code") == hukou and row.get("guardianship") in others]
        away = [*recent, *({**row, "seen": None, "arrived_on": row.get("arrived_on") or row.get("registered_on")} for row in self.registered())]
        for here in behind:
            for there in away:
                place = there.get("residence_code")
                if place in (None, hukou) or (place in ZONE and hukou in ZONE):
                    continue
                if there.get("arrived_on") and there["arrived_on"] > here["seen"]:
                    continue
                if there["seen"] and here.get("arrived_on") and here["arrived_on"] > there["seen"]:
                    continue
                for code in (hukou, place):
                    self.own_place["left_behind_and_flowing", code] = code
                    yield "left_behind_and_flowing", code


@dataclass(frozen=True)
class Standing:
    """An alert as it stands after a night."""

    state: str
    raised_on: date
    due_on: date
    district: str | None
    times: int
    closed_on: date | None = None


def district_of(child: Row, kind: Row, own: str | None) -> str | None:
    """Who acts: where the finding names the place, that; the hukou's; else where the child lives if that is in the city, else the hukou's."""
    hukou, home = child.get("hukou_district"), child.get("residence_district")
    if own:
        return own
    if kind["district"] == "hukou":
        return hukou or home
    return home if home and home.startswith("50") else hukou or home


def next_visit(category: str, first_listed_on: date, met: list[Row]) -> date:
    """Monthly or quarterly, from the last visit that counts, or from the day the category was first listed."""
    months = 1 if category in ("guardianship_missing", "vagrancy", "psych_behaviour") else 3
    return months_after(max([first_listed_on, *(row["visited_on"] for row in met)]), months)


def go_on(
    before: dict[Key, Standing], found: dict[Key, Row], child: Row, kinds: dict[str, Row], as_of: date, last_on: date | None, others: dict[Key, Standing] | None = None
) -> dict[Key, Standing]:
    """One child's alerts of a night after those of the night before: raised once, carried, closed, raised anew; a night for an earlier day than `last_on` closes nothing.

    `others` are those of an identifier that was merged into the child's: what was open there goes on here from its day.
    """
    after = {}
    for key in before.keys() | found.keys():
        was, now = before.get(key), found.get(key)
        if was and was.closed_on and was.closed_on > as_of:
            after[key] = was
        elif now is not None:
            kind = kinds[key[0]]
            is_open = was is not None and was.state != "closed"
            other = (others or {}).get(key)
            raised = min([as_of, *([was.raised_on] if was and is_open else []), *([other.raised_on] if other and other.state != "closed" else [])])
            due = now["due"] or raised + timedelta(kind["due_days"])
            times = (was.times if was else 0) + (0 if is_open else 1)
            after[key] = Standing("overdue" if due < as_of else "open", raised, due, district_of(child, kind, now["own"]), times)
        elif was and was.state != "closed":
            if last_on is not None and last_on > as_of:
                after[key] = replace(was, state="overdue" if was.due_on < as_of else "open")
            else:
                after[key] = replace(was, state="closed", closed_on=max(was.raised_on, as_of))
        elif was:
            after[key] = was
    return after
