"""The rule as expressions over all children at once, against the same rule read plainly one child at a time, over random lives."""

from __future__ import annotations

import random

import pytest

from tests.rules.plain_rule import Child
from tests.rules.random_histories import History, answers, histories


def differences(lives: list[History]) -> list[str]:
    """Each life on which the two disagree, with its rows."""
    found = []
    for life, told in zip(lives, answers(lives), strict=True):
        plain = Child(life.child, life.rows, life.as_of).answer()
        wrong = {name: (told[name], plain[name]) for name in plain if told[name] != plain[name]}
        if wrong:
            found.append(f"(expressions, plainly) {wrong}\n{life}")
    return found


def test_expressions_and_the_plain_reading_agree() -> None:
    lives = histories(3000, random.Random(20261124))
    found = differences(lives)
    assert not found, f"{len(found)} of {len(lives)} differ; the first:\n{found[0]}"


def test_every_reason_is_among_the_random_lives() -> None:
    reasons = {row["reason"] for row in answers(histories(1500, random.Random(7)))}
    assert len(reasons) == 16


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_over_a_hundred_thousand_lives(seed: int) -> None:
    lives = histories(10_000, random.Random(1000 + seed))
    found = differences(lives)
    assert not found, f"{len(found)} of {len(lives)} differ; the first:\n{found[0]}"
