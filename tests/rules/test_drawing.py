"""The drawn timeline: a bar a stay over one axis, right for whatever stays a child has."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.drawing import AT_HUKOU, ELSEWHERE, NOTHING, UNSURE, WIDTH, Axis, drawn

AS_OF = date(2026, 11, 24)
ANSWER = {"as_of": AS_OF, "hukou_district": "500116", "away_since": date(2023, 9, 1), "is_inferred": False, "six_months_on": date(2024, 3, 1)}


def stay(division: str, start: date | None, end: date | None = None, **more: Any) -> dict[str, Any]:
    return {"division": division, "township": None, "from_date": start, "to_date": end, "is_inferred": False, "confirmed_on": None} | more


def test_a_child_that_moved_twice() -> None:
    stays = [
        stay("500151", date(2026, 9, 24)),
        stay("500120", date(2023, 9, 1), date(2026, 9, 24)),
        stay("500116", date(2019, 1, 1), date(2023, 8, 1), is_inferred=True, township="双福街道"),
        stay("500107", None, confirmed_on=date(2026, 1, 1)),
        stay("500108", None),
    ]
    assert list(drawn(stays, ANSWER, "en")) == [
        "  2019  2020  2021  2022  2023  2024  2025  2026   2026-11-24",
        "  ┼─────┼─────┼─────┼─────┼─────┼─────┼─────┼─────▶",
        "  ░▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒····················  江津区双福街道",
        "  ····························███████████████████·  璧山区",
        "  ··········································░█████▶ 九龙坡区",
        "  ··············································██▶ 铜梁区",
        "                              ▲ away since 2023-09-01; six months on 2024-03-01",
        "  █ away from the hukou district  ▒ in it  ░ start unknown or inferred",
    ]


def test_in_chinese_and_inferred() -> None:
    lines = list(drawn([stay("500120", date(2026, 11, 24))], ANSWER | {"away_since": date(2026, 11, 24), "is_inferred": True, "six_months_on": date(2027, 5, 24)}, "zh"))
    assert lines[-2:] == ["  ▲ 2026-11-24（推定）离开户籍地，2027-05-24满六个月", "  █ 在户籍区县以外  ▒ 在户籍区县  ░ 起始日期不明或推定"]
    assert lines[2] == f"  {ELSEWHERE * WIDTH}▶ 璧山区"


def test_no_stay_with_a_date_draws_nothing() -> None:
    assert list(drawn([], ANSWER, "en")) == list(drawn([stay("500120", None)], ANSWER, "en")) == []
    assert not any("▲" in line for line in drawn([stay("500120", AS_OF)], ANSWER | {"away_since": None}, "en"))


DAYS = st.dates(date(2010, 1, 1), AS_OF)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["500116", "500120", "511623"]), st.none() | DAYS, st.none() | DAYS, st.booleans()), min_size=1, max_size=6))
def test_every_stay_is_one_bar_within_the_axis(drafts: list[tuple[str, date | None, date | None, bool]]) -> None:
    stays = [stay(division, start, end, is_inferred=inferred, confirmed_on=end) for division, start, end, inferred in drafts]
    dated = [s for s in stays if s["from_date"] or s["confirmed_on"]]
    lines = list(drawn(stays, ANSWER, "en"))
    bars = [line[2 : 2 + WIDTH] for line in lines if line[2:3] in {ELSEWHERE, AT_HUKOU, UNSURE, NOTHING} and line[2 + WIDTH] in "▶ " and len(line) > 2 + WIDTH]
    assert len(bars) >= len(dated) and len({len(bar) for bar in bars}) <= 1
    for bar in bars[: len(dated)]:
        assert bar.strip(NOTHING) and NOTHING not in bar.strip(NOTHING), "one unbroken stretch"
        assert len({*bar} - {NOTHING, UNSURE}) <= 1


@settings(deadline=None)
@given(DAYS, DAYS, DAYS)
def test_a_later_day_never_lies_further_left(first: date, one: date, other: date) -> None:
    axis = Axis(first, AS_OF)
    early, late = sorted((one, other))
    assert 0 <= axis.cell(early) <= axis.cell(late) < WIDTH
    assert axis.cell(AS_OF) == axis.cell(AS_OF + timedelta(30)) and axis.cell(first) == axis.cell(first - timedelta(30)) == 0
