"""The truth's own reading of the rule, at the edges: one undamaged child, one answer."""

from datetime import date

import polars as pl
import pytest

from sample_data.histories import months_before
from sample_data.places import places
from sample_data.reading import answered
from sample_data.sheet import sheet

AS_OF = date(2026, 11, 24)
WHERE = places()
JIANGJIN, SHAPINGBA, YUBEI, TONGLIANG = (WHERE.named(c, t) for c, t in (("500116", "几江街道"), ("500106", "沙坪坝街道"), ("500157", "两路街道"), ("500151", "巴川街道")))
LINSHUI = WHERE.named("511623")


def answer(hukou: int, home: int, *, story: str = "in_city", birth: date = date(2016, 1, 1), clock: date | None = None, document: str | None = None,
           said: date | None = None, opened: date | None = None, back: date | None = None) -> tuple[str, bool, date | None]:  # fmt: skip
    kids = pl.DataFrame(
        {"row": [0], "story": [story], "birth": [birth], "hukou": [hukou], "home": [home], "clock": [clock], "home_since": [back or clock], "document": [document]},
        schema={"row": pl.UInt32, "story": pl.String, "birth": pl.Date, "hukou": pl.Int64, "home": pl.Int64, "clock": pl.Date, "home_since": pl.Date, "document": pl.String},
    )
    one = pl.DataFrame({"_child": [0]})
    nothing = one.clear()
    day = pl.lit(None, pl.Date)
    sheets = {
        "survey": sheet("survey", one.with_columns(arrived_on=pl.lit(said, pl.Date))),
        "health": sheet("health", one.with_columns(opened_on=pl.lit(opened, pl.Date), closed_on=day)),
        "residence": sheet("residence", nothing.with_columns(arrived_on=day, registered_on=day, permit_issued_on=day, cancelled_on=day)),
        "education": sheet("education", nothing.with_columns(enrolled_on=day, boarding=pl.lit(False), status=pl.lit("在读"))),
        "disease_control": sheet("disease_control", nothing.with_columns(opened_on=day, moved_in_on=day)),
    }
    row = answered(kids, sheets, WHERE, AS_OF).row(0, named=True)
    return row["reason"], row["is_inferred"], row["since"]


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ({"hukou": JIANGJIN, "home": TONGLIANG, "clock": date(2026, 5, 24), "said": date(2026, 5, 24)}, "flowing"),
        ({"hukou": JIANGJIN, "home": TONGLIANG, "clock": date(2026, 5, 25), "said": date(2026, 5, 25)}, "under_six_months"),
        ({"hukou": LINSHUI, "home": YUBEI, "clock": date(2024, 7, 1), "said": date(2024, 7, 1)}, "flowing"),
        ({"hukou": SHAPINGBA, "home": YUBEI}, "exempt_main_urban"),
        ({"hukou": SHAPINGBA, "home": JIANGJIN, "clock": date(2020, 1, 1), "said": date(2020, 1, 1)}, "flowing"),
        ({"hukou": JIANGJIN, "home": JIANGJIN}, "same_district"),
        ({"hukou": JIANGJIN, "home": LINSHUI, "story": "out_of_city"}, "resides_outside_city"),
        ({"hukou": JIANGJIN, "home": TONGLIANG, "story": "duration_unknown"}, "duration_unknown"),
        ({"hukou": JIANGJIN, "home": TONGLIANG, "clock": date(2020, 1, 1), "birth": date(2010, 11, 24), "said": date(2020, 1, 1)}, "flowing"),
        ({"hukou": JIANGJIN, "home": TONGLIANG, "clock": date(2020, 1, 1), "birth": date(2010, 11, 23), "said": date(2020, 1, 1)}, "age_16_or_over"),
        ({"hukou": JIANGJIN, "home": JIANGJIN, "story": "returned", "back": date(2025, 11, 24)}, "returned"),
        ({"hukou": JIANGJIN, "home": JIANGJIN, "story": "returned", "back": date(2025, 11, 23)}, "same_district"),
        ({"hukou": JIANGJIN, "home": JIANGJIN, "document": "护照"}, "no_mainland_hukou"),
        ({"hukou": JIANGJIN, "home": JIANGJIN, "document": "护照", "birth": date(2010, 1, 1)}, "age_16_or_over"),
        ({"hukou": JIANGJIN, "home": JIANGJIN, "story": "dead", "birth": date(2010, 1, 1)}, "deceased"),
        ({"hukou": JIANGJIN, "home": JIANGJIN, "story": "household_only"}, "residence_unknown"),
    ],
)
def test_each_side_of_each_edge(case, expected):
    assert answer(**case)[0] == expected


def test_a_start_nobody_states_is_the_earliest_opening_there_and_never_before_birth():
    assert answer(JIANGJIN, TONGLIANG, clock=date(2026, 1, 1), opened=date(2026, 6, 1)) == ("under_six_months", True, date(2026, 6, 1))
    assert answer(JIANGJIN, TONGLIANG, clock=date(2026, 1, 1), said=date(2026, 1, 1), opened=date(2026, 6, 1)) == ("flowing", False, date(2026, 1, 1))
    assert answer(JIANGJIN, TONGLIANG, clock=date(2026, 1, 1)) == ("duration_unknown", False, None)
    assert answer(JIANGJIN, TONGLIANG, clock=date(2026, 1, 1), opened=date(2015, 6, 1)) == ("flowing", True, date(2016, 1, 1))


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        (date(2026, 11, 24), 6, date(2026, 5, 24)),
        (date(2026, 8, 31), 6, date(2026, 2, 28)),
        (date(2024, 8, 31), 6, date(2024, 2, 29)),
        (date(2027, 1, 15), 6, date(2026, 7, 15)),
        (date(2026, 12, 31), 12, date(2025, 12, 31)),
    ],
)
def test_months_before_end_at_the_months_end(day, months, before):
    assert months_before(day, months) == before
