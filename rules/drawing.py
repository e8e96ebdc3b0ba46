"""Where a child has lived, drawn. Enters: residence episodes and the assessment of one child. Leaves: lines of text, one bar a stay, over one axis of years up to the day looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from schemas.reference.days import name_of
from schemas.reference.words import Lang

Row = Mapping[str, Any]
WIDTH = 48
ELSEWHERE, AT_HUKOU, UNSURE, NOTHING = "█", "▒", "░", "·"
_SAY: dict[Lang, dict[str, str]] = {
    "en": {"legend": "█ away from the hukou district  ▒ in it  ░ start unknown or inferred", "clock": "away since {}{}; six months on {}", "inferred": " (inferred)"},
    "zh": {"legend": "█ 在户籍区县以外  ▒ 在户籍区县  ░ 起始日期不明或推定", "clock": "{}{}离开户籍地，{}满六个月", "inferred": "（推定）"},
}


def drawn(episodes: Sequence[Row], assessment: Row, lang: Lang) -> Iterator[str]:
    """The stays as bars; nothing where no stay has a date.

    Args:
        episodes: rows of residence_episode. assessment: the child's row, of which as_of, hukou_district, away_since, is_inferred and six_months_on are read.
    """
    as_of: date = assessment["as_of"]
    dated = sorted((e for e in episodes if _seen(e) is not None), key=lambda e: (_seen(e), e["to_date"] or as_of, e["division"]))
    if not dated:
        return
    starts = [day for e in dated if (day := _seen(e)) is not None] + [day for day in (assessment["away_since"],) if day is not None]
    axis = Axis(min(starts), as_of)
    yield from (f"  {line}" for line in axis.lines())
    for stay in dated:
        fill = AT_HUKOU if stay["division"] == assessment["hukou_district"] else ELSEWHERE
        yield f"  {_bar(stay, axis, as_of, fill)} {name_of(stay['division'], as_of)}{stay['township'] or ''}"
    say = _SAY[lang]
    if assessment["away_since"] is not None:
        inferred = say["inferred"] if assessment["is_inferred"] else ""
        yield f"  {' ' * axis.cell(assessment['away_since'])}▲ {say['clock'].format(assessment['away_since'], inferred, assessment['six_months_on'])}"
    yield f"  {say['legend']}"


class Axis:
    """The days from the first to the last, in `WIDTH` cells."""

    def __init__(self, first: date, last: date) -> None:
        self.first, self.last = min(first, last), last
        self._days = (last - self.first).days + 1

    def cell(self, day: date) -> int:
        """The cell a day lies in; days before or after the axis lie in its first or last."""
        inside = min(max(day, self.first), self.last)
        return (inside - self.first).days * WIDTH // self._days

    def lines(self) -> tuple[str, str]:
        """The years, each where it begins, and the axis under them; the day looked at stands at the end."""
        years = [" "] * WIDTH
        ticks = ["─"] * WIDTH
        begins = [day for year in range(self.first.year, self.last.year + 1) if (day := date(year, 1, 1)) >= self.first]
        for day in begins or [self.first]:
            at, year = self.cell(day), day.year
            ticks[at] = "┼"
            label = str(year)
            if at + len(label) <= WIDTH and "".join(years[max(at - 1, 0) : at + len(label)]).isspace():
                years[at : at + len(label)] = label
        return f"{''.join(years)} {self.last}", "".join(ticks) + "▶"


def _seen(stay: Row) -> date | None:
    """The first day known of a stay: its start, else the last day it was confirmed."""
    first: date | None = stay["from_date"] or stay["confirmed_on"]
    return first


def _bar(stay: Row, axis: Axis, as_of: date, fill: str) -> str:
    """One stay's bar; a stay still running reaches the end."""
    first = axis.cell(_seen(stay) or as_of)
    last = WIDTH - 1 if stay["to_date"] is None else max(first, axis.cell(stay["to_date"]))
    unsure = stay["is_inferred"] or stay["from_date"] is None
    cells = [NOTHING] * first + [fill] * (last - first + 1) + [NOTHING] * (WIDTH - 1 - last)
    if unsure:
        cells[first] = UNSURE
    return "".join(cells) + ("▶" if stay["to_date"] is None else " ")
