"""The rule read plainly, one child at a time (decisions 1-19). Enters: a child and its rows. Leaves: its answer, to hold against the expressions of `rules/`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from tests.rules.plain_signs import DAY, INFERRED, SIGHTED, STATED, ZONE, Reader, Row, Sign, district, months_after, span

REASONS = ("deceased", "birth_date_unknown", "age_16_or_over", "no_mainland_hukou", "institutional_care", "hukou_unknown", "boarding_only", "residence_unknown",
           "conflicting_evidence", "returned", "resides_outside_city", "same_district", "exempt_main_urban", "duration_unknown", "under_six_months", "flowing")  # fmt: skip
UNDETERMINED = {"hukou_unknown", "residence_unknown", "duration_unknown", "birth_date_unknown", "conflicting_evidence"}
WEAK = 20  # insurance and certificates: no more than a hint


def outcome_of(reason: str) -> str:
    return "flowing" if reason == "flowing" else "undetermined" if reason in UNDETERMINED else "not_flowing"


@dataclass(eq=False)
class Held(Sign):
    """A sign with what the others make of it: when it began, until when it holds, whether it yields to newer ones."""

    began: date | None = None
    by: int | None = None
    ends_before: date = date.max
    yields: bool = False
    stay: int = 0


class Life:
    """A child's life as read with one hukou."""

    def __init__(self, signs: list[Sign], hukou: str | None, former: list[tuple[date, str]], birth: date | None, as_of: date) -> None:
        self.hukou, self.former, self.birth, self.as_of = hukou, former, birth, as_of
        self.signs = [Held(**vars(sign)) for sign in self._speaking(signs)]
        self.leavings = list(self._leavings())
        self._end_what_was_left()
        self._begin()
        self._yield_and_cover()

    def _speaking(self, signs: list[Sign]) -> Iterator[Sign]:
        """The signs that speak of some place; a return speaks of the hukou's on the day of going back. No date lies before birth."""
        for sign in signs:
            went_on = sign.ended_on if sign.kind == "was" else sign.stated
            hukou = self.hukou_on(went_on) if went_on else self.hukou
            placed = replace(sign, place=hukou) if sign.kind == "return" else sign
            if (placed.place is None and sign.kind != "left") or (sign.kind == "was" and placed.place == hukou):
                continue
            floor = {name: max(day, self.birth) for name in ("stated", "firm", "seen") if (day := getattr(placed, name)) is not None and self.birth}
            yield replace(placed, **floor)

    def at_home(self, sign: Sign) -> bool:
        return sign.place is not None and sign.place == self.hukou

    def exempt(self, place: str | None, hukou: str | None) -> bool:
        return place in ZONE and hukou in ZONE

    def _leavings(self) -> Iterator[tuple[str, date]]:
        """(district, day) wherever a row says that the child left a district."""
        districts = {sign.place for sign in self.signs if sign.place is not None}
        for sign in self.signs:
            if sign.leaves and sign.ended_on is not None and sign.place is not None:
                yield sign.place, sign.ended_on
            if sign.clears:
                for other in sorted(districts - {sign.place}):
                    yield other, sign.confirmed

    def _end_what_was_left(self) -> None:
        for sign in self.signs:
            days = [day for place, day in self.leavings if place == sign.place and sign.confirmed <= day]
            if not sign.ended and days:
                sign.ended, sign.leaves, sign.ended_on = True, True, min(days)

    def _begin(self) -> None:
        """Decision 7: the arrival that the strongest evidence of a stay states, of surveys the newest, of registers the earliest; else each row's own first day."""
        for sign in self.signs:
            since = sign.own_start or sign.confirmed
            own_end = sign.ended_on if sign.leaves and sign.ended_on else date.max
            sign.stay = len({day for place, day in self.leavings if place == sign.place and day <= since and day < own_end})
        for sign in self.signs:
            stating = [s for s in self.signs if s.place == sign.place and s.stay == sign.stay and s.stated and s.kind != "left" and not self.at_home(s)]
            arrival = None
            if stating:
                strongest = [s for s in stating if s.strength == max(s.strength for s in stating)]
                if strongest[0].feed == "survey":
                    strongest = [s for s in strongest if s.confirmed == max(s.confirmed for s in strongest)]
                arrival = min(s.stated for s in strongest if s.stated)
            if sign.kind == "left":
                arrival = None
            if sign.own_start is not None:
                home = any(
                    self.at_home(h) and h.kind in ("stay", "return") and h.own_start and arrival and sign.own_start < h.own_start <= arrival and h.strength >= sign.strength
                    for h in self.signs
                )
                sign.began = max(sign.own_start, arrival) if arrival and not home else sign.own_start
                sign.by = STATED if sign.stated or sign.began == arrival else INFERRED if sign.firm else SIGHTED

    def _yield_and_cover(self) -> None:
        living = [s for s in self.signs if not s.ended and not s.boards and s.kind in ("stay", "return")]
        for sign in living:
            if months_after(sign.confirmed, 18) < self.as_of:
                against = {s.feed for s in living if s.place != sign.place and s.strength < sign.strength and s.confirmed > sign.confirmed}
                sign.yields = len(against) >= 2
        for sign in self.signs:
            if sign.ended:
                last = sign.own_last or sign.began
                sign.ends_before = sign.ended_on or (last + DAY if last else date.min)
            elif sign.yields:
                sign.ends_before = sign.confirmed + DAY
            else:
                sign.ends_before = self.as_of + DAY

    def present(self) -> list[Held]:
        """Where the child may live now: by the strongest sign that stands, of these the newest; several where several are equal."""
        standing = [s for s in self.signs if not s.ended and not s.yields and not s.boards and s.kind in ("stay", "return")]
        best = [s for s in standing if s.strength == max(x.strength for x in standing)]
        best = [s for s in best if s.confirmed == max(x.confirmed for x in best)]
        latest = max((s.own_last for s in best if s.own_last), default=None)
        best = [s for s in best if s.own_last is None or s.own_last == latest]
        chosen = []
        for place in sorted({s.place for s in best if s.place}):
            of_place = [s for s in best if s.place == place]
            chosen.append(self._on_holiday(min(of_place, key=lambda s: (s.own_last is None, -(s.own_last or date.min).toordinal(), 9 if s.by is None else s.by, s.began or date.max, s.order)), standing))
        return chosen

    def _on_holiday(self, now: Held, standing: list[Held]) -> Held:
        """Decision 6: back for up to 60 days, and no row ends the stay before: the child still lives there."""
        if not (self.at_home(now) and now.kind == "stay" and now.by in (STATED, INFERRED) and now.began and (self.as_of - now.began).days <= 60):
            return now
        for s in self.signs:
            if s.leaves and not self.at_home(s) and s.kind != "return" and (s.ended_on is None or s.ended_on >= now.began - timedelta(60)):
                return now
        before = [s for s in standing if s.strength > WEAK and s.began and s.began < now.began]
        last = max(before, key=lambda s: (s.strength, s.confirmed, s.own_last or date.min, [-ord(c) for c in s.feed], -s.number), default=now)
        return now if self.at_home(last) or self.exempt(last.place, self.hukou) else last

    def hukou_on(self, day: date) -> str | None:
        """The hukou that held on a day: an earlier one the register shows, else today's."""
        for until, where in self.former:
            if day < until:
                return where
        return self.hukou

    def clock(self, now: Held | None) -> Clock:
        """Walks through the days on which something begins or ends, and says since when the child is away (decisions 5-7)."""
        alone = self._boarding_alone()
        lived = [s for s in self.signs if s not in alone and s.began and s.ends_before > s.began and not (s.kind == "left" and self.hukou in ZONE)]
        clock = Clock()
        if any(not self.at_home(s) or s.kind == "return" for s in self.signs):
            changes = {day for day, _ in self.former} if lived else set()
            marks = sorted(day for day in {s.began for s in lived if s.began} | {s.ends_before for s in lived} | changes if day <= self.as_of)
            onward = False
            for mark, until in zip(marks, [*marks, self.as_of][1:], strict=True):
                told = [s for s in lived if s.began and s.began <= mark < s.ends_before]
                top = max(told, key=lambda s: (s.strength, now is not None and s.place == now.place, s.confirmed, s.own_last or date.min, -(s.began or mark).toordinal(), [-ord(c) for c in s.feed], -s.number), default=None)
                then = self.hukou_on(mark)
                if top is not None:
                    home = top.place is not None and (top.place == then or self.exempt(top.place, then))
                    onward = top.onward and not home and then not in ZONE
                    state = "home" if home else "away"
                    if top.place not in (self.hukou, then):
                        clock.absence_ended = until
                    began = top.by if top.began == mark else INFERRED
                else:
                    state, began = ("away" if onward and then not in ZONE else "gap"), INFERRED
                changed = clock.hukou_then is not None and then != clock.hukou_then
                clock.step(state, mark, until, STATED if changed else began, then)
            clock.finish()
        return self._from_birth(clock)

    def _boarding_alone(self) -> list[Held]:
        """Boarders' schools in stays of which nothing else tells (decision 16)."""
        return [s for s in self.signs if s.boards and not any(not o.boards and o.place == s.place and o.stay == s.stay for o in self.signs)]

    def _from_birth(self, clock: Clock) -> Clock:
        """Decision 7: a newborn who never lived at the hukou place is away from birth."""
        seen = [s for s in self.signs if s.strength > WEAK and not s.boards]
        if self.birth is None or not seen or any(self.at_home(s) or self.exempt(s.place, self.hukou) for s in seen):
            return clock
        baby_until = months_after(self.birth, 12)
        first = min(min(day for day in (s.began, s.confirmed) if day) for s in seen)
        if first < baby_until and (clock.by is None or clock.by > STATED) and (clock.since is None or clock.since < baby_until):
            clock.since = clock.certain = self.birth
            clock.by = clock.certain_by = INFERRED
        return clock

    def boards_only(self) -> bool:
        """Decision 16: boards elsewhere, a survey finds it with a parent at the hukou place, and nothing else is known elsewhere."""
        running = [s for s in self.signs if not s.ended]
        away = [s for s in running if not self.at_home(s)]
        return (
            any(s.boards for s in away)
            and any(s.feed == "survey" and self.at_home(s) and s.with_parent for s in running)
            and not any(not s.boards and s.strength > WEAK for s in away)
        )


class Clock:
    """Since when the child is away: `since` counts time of which nobody tells as away, `certain` counts more than 180 days of it as being back."""

    def __init__(self) -> None:
        self.since: date | None = None
        self.by: int | None = None
        self.certain: date | None = None
        self.certain_by: int | None = None
        self.absence_ended: date | None = None
        self.home_until: date | None = None
        self.hukou_then: str | None = None
        self.run: tuple[str, date, date] | None = None

    def step(self, state: str, start: date, until: date, by: int | None, hukou_then: str | None) -> None:
        if self.run is not None and self.run[0] == state:
            self.run = (state, self.run[1], until)
        else:
            self.finish()
            self.run = (state, start, until)
        if state == "away":
            if self.since is None:
                self.since, self.by = start, by
            if self.certain is None:
                self.certain, self.certain_by = start, by
        self.hukou_then = hukou_then

    def finish(self) -> None:
        """A long stay at home ends the absence; a long silence ends the certain one."""
        if self.run is None:
            return
        state, start, until = self.run
        days = (until - start).days
        if state == "home" and days > 60:
            self.since = self.by = self.certain = self.certain_by = None
            self.home_until = until
        if state == "gap" and days > 180:
            self.certain = self.certain_by = None


@dataclass
class Answer:
    """One reading's answer."""

    reason: str
    life: Life
    now: Held | None
    clock: Clock

    @property
    def rank(self) -> tuple[Any, ...]:
        """Of several readings the one whose reason comes first; else by content."""
        return (REASONS.index(self.reason), self.life.hukou or "", self.now.order if self.now else ())


class Child:
    """One child's rows, and the answer."""

    def __init__(self, child: Row, rows: dict[str, list[Row]], as_of: date) -> None:
        self.child, self.rows, self.as_of = child, rows, as_of
        self.reader = Reader(as_of)
        written = child.get("birth_date")
        self.born = span(written) if written is not None else None
        self.birth = self.born[1] if self.born else None

    def answer(self) -> dict[str, Any]:
        signs = list(self.reader.signs(self.rows))
        hukous, self.from_register, self.hukou_since = self.reader.hukous(self.rows, signs)
        former = self.reader.former_hukous(self.rows)
        answers = []
        for hukou in hukous or [None]:
            life = Life(signs, hukou, former, self.birth, self.as_of)
            for now in life.present() or [None]:
                clock = life.clock(now)
                answers.append(Answer(self._with_age(self._reason(life, now, clock)), life, now, clock))
        outcomes = {outcome_of(answer.reason) for answer in answers}
        first = min(answers, key=lambda answer: answer.rank)
        return self._told(first, disputed=len(outcomes) > 1)

    def _reason(self, life: Life, now: Held | None, clock: Clock) -> str:
        """The first condition that fails, in the order of contracts/register."""
        birth, as_of, hukou, place = self.birth, self.as_of, life.hukou, now.place if now else None
        if self._dead():
            return "deceased"
        if birth is None:
            return "birth_date_unknown"
        if months_after(birth, 16 * 12) < as_of:
            return "age_16_or_over"
        if self._outside_mainland() and not (hukou is not None and self.from_register):
            return "no_mainland_hukou"
        if self._in_institution():
            return "institutional_care"
        if hukou is None:
            return "hukou_unknown"
        if life.boards_only():
            return "boarding_only"
        if place is None:
            return "residence_unknown"
        if place == hukou and self._returned(life, now, clock):
            return "returned"
        if not place.startswith("50"):
            return "resides_outside_city"
        if place == hukou:
            return "same_district"
        if life.exempt(place, hukou):
            return "exempt_main_urban"
        young = months_after(birth, 6) > as_of
        long_enough = clock.since is not None and months_after(clock.since, 6) <= as_of
        certainly = clock.certain is not None and months_after(clock.certain, 6) <= as_of
        lately_home = clock.since is not None and clock.home_until is not None and months_after(clock.home_until, 6) > as_of
        timed = certainly if long_enough else (clock.by is not None and clock.by < SIGHTED) or lately_home
        if not timed and not young:
            return "duration_unknown"
        return "flowing" if long_enough and not young else "under_six_months"

    def _returned(self, life: Life, now: Held | None, clock: Clock) -> bool:
        """Back at the hukou place because the child went there, no more than twelve months ago."""
        assert now is not None
        told = now.kind == "return" and (now.left_place is None or now.left_place != life.hukou or now.feed == "survey")
        followed = clock.absence_ended is not None and self.hukou_since >= clock.absence_ended
        on = (now.began or clock.absence_ended) if told else clock.absence_ended if now.began and not followed else None
        return months_after(on, 12) >= self.as_of if on else told

    def _with_age(self, reason: str) -> str:
        """A birth month or year matters only where it could change the answer (decision 17)."""
        if self.born is None or reason == "birth_date_unknown" or outcome_of(reason) == "not_flowing":
            return reason
        may_be_over = months_after(self.born[0], 192) < self.as_of <= months_after(self.born[1], 192)
        return "birth_date_unknown" if may_be_over else reason

    def _dead(self) -> bool:
        def come(row: Row, column: str) -> bool:
            return row.get(column) is None or self.reader.day(row, column) is not None or span(row[column])[1] > row["export_date"]

        return (
            any(self.reader.standing(row) == "死亡注销" for row in self.rows.get("household", []))
            or any(row.get("cancel_reason") == "死亡" and come(row, "cancelled_on") for row in self.rows.get("residence", []))
            or any("死亡" in (row.get("close_reason") or "") and come(row, "closed_on") for row in self.rows.get("health", []))
            or any(row.get("status") == "死亡" for row in self.rows.get("disease_control", []))
        )

    def _outside_mainland(self) -> bool:
        rows = [row for of_feed in self.rows.values() for row in of_feed]
        foreign = any(row.get("document_type") in ("hmt", "foreign") or district(row.get("hukou_division"), self.as_of) == "810000" for row in rows)
        return foreign or self.child.get("document_type") in ("hmt", "foreign")

    def _in_institution(self) -> bool:
        for feed, of_feed in self.rows.items():
            for row in of_feed:
                if row.get("in_institution") and self._runs(feed, row):
                    return True
        return False

    def _runs(self, feed: str, row: Row) -> bool:
        """Whether a row still runs on the day."""
        def open_(column: str) -> bool:
            return row.get(column) is None or span(row[column])[1] > self.as_of

        match feed:
            case "household":
                return row.get("hukou_status") in (None, "正常")
            case "residence":
                return open_("cancelled_on") and (row.get("cancel_reason") is None or row.get("cancelled_on") is not None)
            case "education":
                return open_("left_on") and row.get("status") in (None, "在读", "休学")
            case "health":
                return open_("closed_on") and (row.get("close_reason") is None or row.get("closed_on") is not None)
            case "medical_insurance":
                return row.get("status") != "终止参保"
            case "disease_control":
                return row.get("status") in (None, "在册")
            case "disability":
                return row.get("status") != "注销"
            case "survey":
                return self.reader.seen_on(row) <= self.as_of and row.get("presence") != "已返回户籍地" and not any(self._found_gone(row, other) for other in self.rows["survey"])
        return (row.get("granted_on") is None or span(row["granted_on"])[0] <= self.as_of) and open_("stopped_on")

    def _found_gone(self, row: Row, other: Row) -> bool:
        """Whether a newer survey found a child gone from the institution where one had found it."""
        if not self.reader.seen_on(row) < self.reader.seen_on(other) <= self.as_of:
            return False
        if other.get("presence") == "已返回户籍地":
            return True
        there, elsewhere = (district(r.get("residence_division"), self.as_of) for r in (row, other))
        cared_for = other.get("guardianship") in ("父母双方", "父母一方", "祖辈", "其他亲属")
        return not other.get("in_institution") and (cared_for or (there is not None and elsewhere is not None and there != elsewhere))

    def _told(self, answer: Answer, disputed: bool) -> dict[str, Any]:
        reason = "conflicting_evidence" if disputed else answer.reason
        life, now, clock = answer.life, answer.now, answer.clock
        place, hukou = now.place if now else None, life.hukou
        away = place is not None and hukou is not None and place != hukou and not life.exempt(place, hukou)
        long_enough = clock.since is not None and months_after(clock.since, 6) <= self.as_of
        certainly = clock.certain is not None and months_after(clock.certain, 6) <= self.as_of
        counted = away and reason not in ("duration_unknown", "conflicting_evidence")
        since, by = (clock.certain, clock.certain_by) if long_enough and certainly else (clock.since, clock.by)
        within = [(end or "").startswith("50") for end in (hukou, place)]
        direction = "none" if not away or disputed else {(True, True): "in_city", (False, True): "into_city", (True, False): "out_of_city", (False, False): "none"}[within[0], within[1]]
        return {
            "outcome": outcome_of(reason),
            "reason": reason,
            "hukou_district": hukou,
            "residence_district": None if disputed else place,
            "away_since": since if counted else None,
            "six_months_on": months_after(since, 6) if counted and since else None,
            "is_inferred": counted and since is not None and by is not None and by > STATED,
            "direction": direction,
            "turns_16_on": months_after(self.birth, 192) if self.birth else None,
        }
