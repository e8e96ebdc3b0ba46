"""Id numbers of a city where more are born on one day in one place than a place has numbers."""

import numpy as np
import pytest

from sample_data.numbers import IdOffice
from sample_data.rates import CityError


def test_a_place_that_has_given_all_its_numbers_of_a_day_sends_on_to_the_next_and_no_two_are_alike():
    office = IdOffice(np.array([500101, 500102, 500103]))
    code, birth, male = np.full(600, 500102), np.full(600, 14_000), np.ones(600, dtype=bool)
    first, again = (office.give(code[:300], birth[:300], male[:300]) for _ in range(2))
    numbers = [*first, *again]
    assert len(set(numbers)) == 600
    assert [n[:6] for n in first[:250]] == ["500102"] * 250
    assert [n[:6] for n in numbers[250:500]] == ["500103"] * 250
    assert {n[:6] for n in numbers[500:]} == {"500101"}


def test_a_day_on_which_no_place_has_a_number_left_is_said():
    office = IdOffice(np.array([500101]))
    with pytest.raises(CityError, match="more births on one day than all its places have id numbers: ask for fewer children"):
        office.give(np.full(251, 500101), np.full(251, 14_000), np.ones(251, dtype=bool))


@pytest.mark.parametrize("birth", [-11_000, 22_043])
def test_a_birth_for_which_there_are_no_numbers_is_said(birth):
    with pytest.raises(CityError, match=r"numbers for people born from 1940-01-01 to 2030-05-07, .*: give a day nearer to today"):
        IdOffice(np.array([500101])).give(np.array([500101]), np.array([birth]), np.array([True]))
