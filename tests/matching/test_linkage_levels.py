"""Levels against plain readings of what they say: numbers digit by digit, the lunar calendar against feasts everybody knows, names that two senders know."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from matching.blocking import Bounds, Rule, block
from matching.clustering import Constraints, cluster_units
from matching.comparisons import _lunar, compare_id_texts
from matching.linkage import link_records
from matching.model import load_model
from matching.name_levels import Looked, compare_names, look_at, name_table
from tests.matching.linkage_city import city, sets

AS_OF = date(2026, 11, 24)
AT = load_model().comparison("id_number").position
BASE = "500106201503021352"
KINDS = ("own", "faulty", "partial", "key", "carried")


@st.composite
def _texts(draw: st.DrawFn) -> tuple[str, str, str, str]:
    """Two numbers a few edits apart, and what they are."""
    text = list(BASE)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, 16))
        if draw(st.booleans()):
            text[at] = draw(st.sampled_from("0123456789"))
        else:
            text[at], text[at + 1] = text[at + 1], text[at]
    kinds = draw(st.tuples(st.sampled_from(KINDS), st.sampled_from(KINDS)))
    other = "".join(text)
    if kinds[1] == "partial":
        other = other[:15] + "???" if draw(st.booleans()) else other[:6] + "?" * 8 + other[14:]
    return BASE, kinds[0] if kinds[0] != "partial" else "faulty", other, kinds[1]


def _plainly(a: str, kind: str, b: str, other: str) -> str | None:
    """The level, said digit by digit."""
    known = [(x, y) for x, y in zip(a, b, strict=True) if "?" not in (x, y)]
    agree = all(x == y for x, y in known)
    kinds = {kind, other}
    if "carried" in kinds:
        return "carried" if agree and len(known) == 18 else None
    if agree and len(known) == 18:
        return "same"
    if kinds == {"own"}:
        return "two_numbers"
    if "partial" in kinds and agree:
        return "digits_same" if len(known) >= 14 else "masked_same"
    if "key" in kinds:
        return None
    if "partial" not in kinds and OSA.distance(a, b) <= 1:
        return "one_digit"
    front = all(x == y for x, y in zip(a[:14], b[:14], strict=True) if "?" not in (x, y))
    return "front_same" if front and len(known) >= 14 else "different"


@settings(max_examples=300, deadline=None)
@given(st.lists(_texts(), min_size=1, max_size=12))
def test_numbers_compare_as_their_digits_do(pairs: list[tuple[str, str, str, str]]) -> None:
    frame = pl.DataFrame(pairs, schema=["text", "kind", "text_r", "kind_r"], orient="row")
    found = compare_id_texts(frame, AT)["level"].to_list()
    plain = [_plainly(*pair) for pair in pairs]
    assert found == [None if level is None else AT(level) for level in plain]


# the first day of a lunar year, the fifteenth of its eighth month, and a day of a month that is repeated
FEASTS = [
    (date(2015, 2, 19), date(2015, 1, 1)), (date(2024, 2, 10), date(2024, 1, 1)), (date(2026, 2, 17), date(2026, 1, 1)),
    (date(2023, 9, 29), date(2023, 8, 15)), (date(2020, 10, 1), date(2020, 8, 15)), (date(2020, 5, 23), date(2020, 4, 1)), (date(2020, 4, 23), date(2020, 4, 1)),
]  # fmt: skip


@pytest.mark.parametrize(("day", "lunar"), FEASTS, ids=lambda d: d.isoformat())
def test_a_day_is_known_by_its_lunar_date(day: date, lunar: date) -> None:
    def days(*each: date) -> pl.Series:
        return pl.Series(each, dtype=pl.Date).cast(pl.Int32)

    frame = pl.DataFrame({"value": days(day, lunar, day), "value_r": days(lunar, day, day)})
    assert _lunar(frame).to_list() == [True, True, False]


def _cluster(sources: list[int], *wavering: tuple[int, int], is_firm: bool = False) -> list[int]:
    """The clusters of two pairs of rows, and an edge between the pairs; `wavering`: rows whose names differ."""
    schema = {"l": pl.UInt32, "r": pl.UInt32}
    linked = [(0, 1, 30.0, False), (2, 3, 30.0, False), (1, 2, 20.0, is_firm)]
    edges = pl.DataFrame(linked, schema=schema | {"match_weight": pl.Float64, "is_firm": pl.Boolean}, orient="row")
    pairs = pl.DataFrame([(*pair, "twins") for pair in wavering], schema=schema | {"cause": pl.String}, orient="row")
    limits = Constraints(pl.Series([False] * 4), pairs.clear(), pairs.clear().select("l", "r"), sources=pl.Series(sources), wavering=pairs)
    return cluster_units(edges, limits, margin=0.0).cluster["cluster"].to_list()


def test_two_names_stay_two_where_two_senders_know_each() -> None:
    assert _cluster([1, 2, 1, 2], (1, 2)) == [0, 0, 2, 2]
    assert _cluster([1, 2, 1, 2]) == [0, 0, 0, 0]
    assert _cluster([1, 1, 1, 2], (1, 2)) == [0, 0, 0, 0]
    assert _cluster([1, 2, 1, 2], (1, 2), is_firm=True) == [0, 0, 0, 0]


def test_two_names_that_several_senders_write_stay_two_whatever_row_links_them() -> None:
    """The row at either end of the link says nothing of the name; of one sender's slip it brings all together."""
    both = ((0, 2), (0, 3), (1, 3))
    assert _cluster([1, 2, 1, 2], *both) == [0, 0, 2, 2]
    assert _cluster([1, 2, 1, 2], *both, is_firm=True) == [0, 0, 0, 0]
    assert _cluster([1, 1, 1, 2], *both) == [0, 0, 0, 0]
    assert _cluster([1, 2, 1, 2], (0, 2), (0, 3)) == [0, 0, 0, 0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(0, 1), st.booleans()), min_size=2, max_size=25), st.integers(1, 6))
def test_no_block_over_the_cap_is_made_or_kept_silent(units: list[tuple[int, int, int, bool]], cap: int) -> None:
    values = {
        name: sets({"unit": range(len(units)), "value": [u[i] for u in units]})
        for i, name in enumerate(("x", "y", "sex"))
    }
    trusted = np.array([u[3] for u in units])
    found = block(values, trusted, (Rule(("x", "y")),), Bounds(cap=cap, further=("sex",)))
    pairs, report = found.pairs, found.report
    blocks: dict[tuple[int, ...], list[int]] = {}
    for i, u in enumerate(units):
        blocks.setdefault(u[:2], []).append(i)

    def made(members: list[int]) -> set[tuple[int, int]]:
        return {(i, j) for i in members for j in members if i < j and not (units[i][3] and units[j][3])}

    kept, dropped = set(), 0
    for members in blocks.values():
        parts = [members] if len(made(members)) <= cap else [[i for i in members if units[i][2] == s] for s in (0, 1)]
        for part in map(made, parts):
            kept |= part if len(part) <= cap else set()
            dropped += len(part) if len(part) > cap else 0
    assert set(pairs.select("l", "r").iter_rows()) == kept
    assert report["pairs_dropped"].item() == dropped
    assert report["pairs_possible"].item() == sum(len(made(m)) for m in blocks.values())


def test_every_reading_of_a_name_is_a_surname_and_a_given_name_read_together() -> None:
    table = name_table(pl.Series(["覃乐", "张浩宇", "欧阳修", "ZHANGHAOYU", "阿迪力买买提", "?"]))
    sounds = dict(table.select("name", "sounds").iter_rows())
    assert set(sounds["覃乐"]) >= {"qinle", "tanle", "qinyue", "tanyue"}
    assert "zhanghaoyu" in sounds["张浩宇"]
    assert sounds["欧阳修"] == ["ouyangxiu"]
    assert sounds["ZHANGHAOYU"] == ["zhanghaoyu"]
    assert dict(table.select("name", "surname").iter_rows())["阿迪力买买提"] == ""
    assert table["sounds"].list.len().min() == 1


@pytest.mark.parametrize("seed", range(10))
def test_no_seed_joins_two_numbers(seed: int) -> None:
    rows, _ = city(150, seed=seed, damage=3.0)
    linked = link_records(rows, {}, AS_OF)
    keys = ["feed", "source_file", "source_row"]
    own = linked.tables["person_record"].filter(pl.col("id_role") == "own").join(rows.select(*keys, "id_number"), on=keys)
    assert own.group_by("person_id").agg(pl.col("id_number").n_unique())["id_number"].max() == 1
    assert own.group_by("id_number").agg(pl.col("person_id").n_unique())["person_id"].max() == 1


_WRITTEN = st.text("王汪伟纬阳欧修明囗□?*·A a张", max_size=5)


@settings(max_examples=60, deadline=None)
@given(st.lists(_WRITTEN, min_size=2, max_size=12))
def test_names_with_nothing_in_common_have_the_level_they_would_have_been_found_to_have(written: list[str]) -> None:
    table = name_table(pl.Series(written, dtype=pl.String))
    codes = table["code"].to_numpy()
    pairs = pl.DataFrame({"a": np.repeat(codes, len(codes)), "b": np.tile(codes, len(codes))}, schema={"a": pl.UInt32, "b": pl.UInt32})
    found = compare_names(pairs, table)
    # names that were looked at together have the level that two have alone
    alone = pl.concat(compare_names(pairs[i], table) for i in range(0, pairs.height, 1 + pairs.height // 4))
    assert alone.join(found, on=["a", "b", "level"], how="anti").is_empty()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Looked, "nothing_in_common", lambda _, at: pl.repeat(False, len(at[0]), eager=True))
        assert found.equals(compare_names(pairs, table))


def test_what_names_have_in_common_is_a_character_or_a_reading() -> None:
    table = name_table(pl.Series(["王伟", "张明", "汪纬", "张?"]))
    # in another order than the table's, as names of many pairs are
    looked = look_at(table, table["code"].reverse())
    code = dict(table.select("name", "code").iter_rows())
    told = {("王伟", "张明"): True, ("王伟", "汪纬"): False, ("张明", "张?"): False, ("王伟", "张?"): False}
    at = [looked.place[[code[pair[side]] for pair in told]] for side in (0, 1)]
    assert looked.nothing_in_common(at).to_list() == list(told.values())
