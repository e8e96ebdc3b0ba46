"""What clerks decide binds every later night, and where it cannot that is shown; what they are asked."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from matching.linkage import Linked
from tests.matching.nights import BOY, FAMILY, TWIN, ids, night, row

TWO = [
    row("a", feed="household", id_number=BOY, relatives=FAMILY),
    row("b", feed="education", id_number=TWIN, relatives=FAMILY),
]


def decide(linked: Linked, decision: str, **change: Any) -> pl.DataFrame:
    """The queue with its only pair decided."""
    queue = linked.tables["review_queue"]
    assert queue.height == 1
    values = {"decision": decision, "decided_by": "张三", "decided_on": date(2026, 11, 25)} | change
    return queue.with_columns(**{k: pl.lit(v) for k, v in values.items()}).cast({"decided_on": pl.Date})


def test_a_clerk_may_join_two_numbers_and_it_lasts() -> None:
    first = night(TWO)
    assert len(set(ids(first).values())) == 2
    second = night(TWO, first, decide(first, "same"))
    assert len(set(ids(second).values())) == 1
    assert second.tables["person"]["id_number_status"].to_list() == ["conflicting"]
    assert set(second.tables["person_record"]["link_method"]) == {"review"}
    assert second.tables["identity_event"]["cause"].to_list() == ["review"]
    edited = [each | {"address": "换了地址", "record_key": each["record_key"]} for each in TWO]
    third = night(edited, second)
    assert set(ids(third).values()) == set(ids(second).values())


def test_what_joins_two_against_a_clerk_s_word_is_not_called_the_clerk_s() -> None:
    """A clerk kept the two apart; then both senders hold one number."""
    first = night(TWO)
    kept = night(TWO, first, decide(first, "different"))
    joined = night([TWO[0], TWO[1] | {"id_number": BOY}], kept)
    assert joined.tables["identity_event"].select("kind", "cause").rows() == [("merged", "records")]
    assert joined.tables["review_queue"]["cause"].to_list() == ["contradiction"]


@pytest.mark.parametrize("decision", ["different", "unsure"])
def test_a_clerk_keeps_two_rows_apart(decision: str) -> None:
    alike = [row("a", feed="health", phones=["13512345678"]), row("b", feed="survey", phones=["13512345678"])]
    joined = night(alike)
    assert len(set(ids(joined).values())) == 1
    first = night(TWO)
    queue = decide(first, decision).with_columns(
        left_keys=pl.lit(["health:a"]), right_keys=pl.lit(["survey:b"]), left_records=pl.lit([], dtype=pl.List(pl.UInt64)), right_records=pl.lit([], dtype=pl.List(pl.UInt64))
    )
    second = night(alike, joined, queue)
    assert len(set(ids(second).values())) == 2
    assert second.tables["review_queue"]["decision"].to_list() == [decision]


def test_contradicting_decisions_are_shown() -> None:
    alike = [row(k, feed=f, phones=["13512345678"]) for k, f in (("a", "health"), ("b", "survey"))]
    linked = night(alike)
    base = decide(night(TWO), "same")
    bare = {f"{s}_records": pl.lit([], dtype=pl.List(pl.UInt64)) for s in ("left", "right")}
    keys = {"left_keys": pl.lit(["health:a"]), "right_keys": pl.lit(["survey:b"])}
    queue = pl.concat([
        base.with_columns(pair_id=pl.lit("R1"), **bare, **keys),
        base.with_columns(pair_id=pl.lit("R2"), decision=pl.lit("different"), **bare, **keys),
    ])  # fmt: skip
    second = night(alike, linked, queue)
    assert len(set(ids(second).values())) == 2
    assert set(second.tables["review_queue"].filter(pl.col("cause") == "contradiction")["pair_id"]) == {"R1"}


def test_of_a_chain_that_ends_in_different_one_link_gives_way_and_is_shown() -> None:
    three = [row("a", feed="health"), row("b", feed="survey", name="冉秋月"), row("c", feed="education", name="谭若汐")]
    linked = night(three)
    base = decide(night(TWO), "same")
    bare = {f"{s}_records": pl.lit([], dtype=pl.List(pl.UInt64)) for s in ("left", "right")}
    said = (("R1", "health:a", "survey:b", "same"), ("R2", "survey:b", "education:c", "same"), ("R3", "health:a", "education:c", "different"))
    queue = pl.concat([
        base.with_columns(pair_id=pl.lit(pair), decision=pl.lit(decision), left_keys=pl.lit([left]), right_keys=pl.lit([right]), **bare)
        for pair, left, right, decision in said
    ])  # fmt: skip
    second = night(three, linked, queue)
    of = ids(second)
    assert of["a"] != of["c"]
    assert of["b"] in (of["a"], of["c"])
    shown = set(second.tables["review_queue"].filter(pl.col("cause") == "contradiction")["pair_id"])
    assert shown == ({"R2"} if of["b"] == of["a"] else {"R1"})
    third = night(three, second)
    assert ids(third) == of


def test_the_queue_shows_both_sides_and_why() -> None:
    line = night(TWO).tables["review_queue"].row(0, named=True)
    assert line["cause"] == "two_numbers"
    assert line["gain"] == 1.0
    assert {c["phrase"] for c in line["comparisons"]} >= {"姓名相同", "出生日期相同", "双方各有一个有效的本人证件号，且不同", "父母（监护人）有两人相同"}
    assert sum(c["weight"] for c in line["comparisons"]) == pytest.approx(line["match_weight"], abs=0.2)
