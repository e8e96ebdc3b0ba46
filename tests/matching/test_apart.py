"""Which compared pairs never meet in one cluster, and why."""

from __future__ import annotations

import polars as pl
import pytest

from matching import apart
from matching.clustering import CAUSES
from matching.model import load_model
from publish.review_sheet import CAUSE_WORDS
from schemas.tables.pair import CAUSES as QUEUED

MODEL = load_model()
SURE, LIKELY, EVEN, UNLIKELY = 0.99, 0.94, 0.5, 0.1
# birth date, relatives, pair_probability, least_weight, both_trusted, cause
CASES = (
    ("same", "two_same", UNLIKELY, -3.0, False, "twins"),
    ("different", "two_same", UNLIKELY, -3.0, False, "contradiction"),
    ("same", "two_same", UNLIKELY, 1.0, False, None),
    # a character that cannot be read, and nothing else that tells of either
    ("same", None, UNLIKELY, -1.3, False, None),
    ("same", "two_same", EVEN, -3.0, False, None),
    ("same", "other_parent", UNLIKELY, -3.0, False, "twins"),
    ("same", "other_parent", UNLIKELY, 9.0, False, "parents"),
    ("same", "other_parent", LIKELY, 9.0, False, "parents"),
    ("same", "other_parent", SURE, 9.0, False, None),
    ("same", "other_people", LIKELY, 9.0, False, None),
    ("same", None, UNLIKELY, 9.0, False, None),
    (None, "other_parent", EVEN, 9.0, False, "parents"),
    ("same", "other_parent", UNLIKELY, -3.0, True, None),
)


def _at(comparison: str, level: str | None) -> int | None:
    return None if level is None else MODEL.comparison(comparison).position(level)


@pytest.mark.parametrize(("birth", "relatives", "probability", "least", "trusted", "cause"), CASES)
def test_a_pair_that_contradicts_itself_has_a_cause(birth: str | None, relatives: str | None, probability: float, least: float, trusted: bool, cause: str | None) -> None:
    told = {"birth_date": _at("birth_date", birth), "relatives": _at("relatives", relatives), "pair_probability": probability, "least_weight": least, "both_trusted": trusted}
    pair = pl.DataFrame([told], schema={"birth_date": pl.Int8, "relatives": pl.Int8, "pair_probability": pl.Float64, "least_weight": pl.Float64, "both_trusted": pl.Boolean})
    assert pair.select(apart.cause(MODEL)).item() == cause


def test_each_cause_has_words_wherever_it_is_shown() -> None:
    assert {cause for *_, cause in CASES if cause} <= set(CAUSES)
    # every cause of clustering may keep two children apart, but for what only a model for anybody's tables names
    assert set(CAUSES) - {"exclusive"} <= set(QUEUED) == set(CAUSE_WORDS)
