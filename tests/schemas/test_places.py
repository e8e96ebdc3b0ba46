"""What place a text means where it says it twice: a code beside a name."""

from __future__ import annotations

import pytest

from schemas.reference import lists
from schemas.reference.divisions import UNKNOWN, place

AMBIGUOUS = UNKNOWN._replace(warning="division_ambiguous")
# text, code, township, level, warning
CASES = (
    ("500106沙坪坝区", "500106", None, "district", None),
    ("500106 重庆市沙坪坝区", "500106", None, "district", None),
    ("500106-沙坪坝", "500106", None, "district", None),
    ("500106（沙坪坝区）", "500106", None, "district", None),
    ("沙坪坝区(500106)", "500106", None, "district", None),
    ("[500106]沙坪坝区", "500106", None, "district", None),
    ("沙坪坝区［５００１０６］", "500106", None, "district", None),
    ("500106沙坪坝区覃家岗街道", "500106", "覃家岗街道", "township", None),
    ("500234开县", "500154", None, "district", "division_old_code"),
    ("500234开州区", "500154", None, "district", None),
    ("511623邻水县", "511623", None, "district", None),
    ("510000四川省广安市邻水县", "511623", None, "district", None),
    ("四川省（511623）", "511623", None, "district", None),
    ("500000重庆市", None, None, "city", "division_container"),
    ("500000沙坪坝区", "500106", None, "district", None),
    ("400030重庆市沙坪坝区", "500106", None, "district", None),
    ("500107高新区", "5001GX", None, "zone", None),
    ("500106某某地方", "500106", None, "district", None),
)


@pytest.mark.parametrize(("text", "code", "township", "level", "warning"), CASES)
def test_a_code_beside_a_name_means_the_finer_of_the_two(text: str, code: str | None, township: str | None, level: str, warning: str | None) -> None:
    found = place(text)
    assert (found.code, found.township, found.level, found.warning) == (code, township, level, warning)


@pytest.mark.parametrize("text", ["500106渝北区", "渝北区（500106）", "511623沙坪坝区", "500103高新区", "510000贵州省贵阳市"])
def test_a_code_and_a_name_that_contradict_each_other_mean_no_place(text: str) -> None:
    assert place(text) == AMBIGUOUS


@pytest.mark.parametrize("text", ["500106沙坪坝区500107", "50010沙坪坝区", "（500106）", "沙坪坝区500106街道", "5001061沙坪坝区"])
def test_what_is_not_one_code_beside_one_name_is_read_as_before(text: str) -> None:
    assert place(text).code in (None, "500106") and place(text).township is None


@pytest.mark.parametrize("system", ["MCA", "NBS"])
def test_every_county_and_township_of_the_city_is_what_its_name_says_beside_its_code(system: str) -> None:
    for code, county in lists.counties().items():
        if county.province == lists.CITY:
            assert place(f"{code}{county.name}", system) == place(county.name, system) == place(f"{county.name}({code})", system), county.name
    told = 0
    for nine, (township, district) in lists.township_codes(system).items():
        home = lists.counties().get(district)
        named = place(f"{home.name}{township}", system) if home else UNKNOWN
        if named.township == township and named.code == district:
            told += 1
            assert place(f"{nine}{home.name}{township}", system)[:2] == (district, township)
    assert told > 900
