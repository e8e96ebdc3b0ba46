"""`childflow whatif` on the register of the small city: what it says, what it refuses, and that it touches nothing."""

import hashlib
import shutil
from datetime import date

import pytest

from flows.settings import UnusableInputError
from flows.whatif import whatif
from rules.kept import FactsNotKeptError
from tests.journey.conftest import childflow, tables


def digest(register):
    return hashlib.sha256(register.resolve().read_bytes()).hexdigest()


def test_what_if_five_months_and_jiangjin_in_the_zone(tiny_register, tiny_as_of):
    before = digest(tiny_register)
    done = childflow("whatif", "--register", tiny_register, "--set", "months=5", "--set", "zone=+500116")
    assert done.code == 0, done.err
    assert digest(tiny_register) == before
    lines = done.out.splitlines()
    assessed = tables(tiny_register)["assessment"]
    assert lines[0] == f"As of {tiny_as_of}, {assessed.height:,} children, with months=5, zone=+500116 instead of months=6, zone=500103,500104,500106,500107,500108,500109,500113,500157,5001GX:"
    flowing = assessed.filter(outcome="flowing").height
    assert lines[1].startswith(f"Children who count as flowing: {flowing:,} now, ")
    assert lines[-1].endswith("residence/months_required, zone/districts")


def test_another_day_and_language(tiny_register):
    lines = list(whatif(tiny_register, ["age=10"], date(2025, 11, 5), "zh"))
    assert lines[0].startswith("截至2025-11-05，儿童") and lines[1].startswith("认定为流动儿童：现")
    assert any("→ 已满16周岁" in line for line in lines)


def test_nothing_changes(tiny_register):
    assert list(whatif(tiny_register, ["months=6"], None, "en"))[2] == "No child's answer changes."


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["months"], "--set takes NAME=VALUE such as months=5 or zone=+500116, not 'months'; short names: age, gap_days, months, zone"),
        (["=5"], "--set takes NAME=VALUE such as months=5 or zone=+500116, not '=5'; short names: age, gap_days, months, zone"),
        (["months=5", "months=6"], "--set months is given twice: give each parameter once"),
        (["months=5", "residence/months_required=6"], "--set residence/months_required is given twice: give each parameter once"),
    ],
)
def test_words_that_are_none(tiny_register, words, says):
    with pytest.raises(UnusableInputError) as raised:
        list(whatif(tiny_register, words, None, "en"))
    assert str(raised.value) == says


def test_an_unknown_parameter_exits_2(tiny_register):
    done = childflow("whatif", "--register", tiny_register, "--set", "month=5")
    assert done.code == 2 and done.err.startswith("childflow: no parameter month; short names: age, gap_days, months, zone; all: age/limit_years, ")


def test_a_register_whose_facts_are_gone(tiny_register, tmp_path):
    lone = tmp_path / "register.duckdb"
    shutil.copy(tiny_register.resolve(), lone)
    with pytest.raises(FactsNotKeptError, match=r"^the register is of run \S+, and facts/ beside it has no facts: run childflow run again, then ask$"):
        list(whatif(lone, ["months=5"], None, "en"))
