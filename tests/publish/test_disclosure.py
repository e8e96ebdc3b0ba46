"""Masks keep what they promise to hide; hidden counts cannot be computed back."""

from __future__ import annotations

from itertools import product

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publish.disclosure import COMPLEMENT, HIDDEN, hide_small, hide_small_total, mask_id, mask_name, mask_phone


def one(expression: pl.Expr, value: str | None) -> str | None:
    return pl.DataFrame({"v": pl.Series([value], dtype=pl.String)}).select(expression).item()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("number", "usual", "beside_birth_date"),
    [
        ("50010620150301123X", "500106********123X", "500106************"),
        ("H12345678", "*********", "*********"),
        ("500106150301123", "***************", "***************"),
        ("500106201503011２３４", "******************", "******************"),
        ("", "", ""),
        (None, None, None),
    ],
)
def test_an_id_is_masked(number: str | None, usual: str | None, beside_birth_date: str | None) -> None:
    assert one(mask_id(pl.col("v"), beside_birth_date=False), number) == usual
    assert one(mask_id(pl.col("v"), beside_birth_date=True), number) == beside_birth_date


@given(st.from_regex("[1-9][0-9]{16}[0-9X]", fullmatch=True))
@settings(max_examples=200, deadline=None)
def test_a_masked_id_never_shows_the_birth_date_nor_beside_one_what_follows_it(number: str) -> None:
    assert one(mask_id(pl.col("v"), beside_birth_date=False), number) == number[:6] + "********" + number[14:]
    assert one(mask_id(pl.col("v"), beside_birth_date=True), number) == number[:6] + "*" * 12


@given(st.text(max_size=20))
@settings(max_examples=200, deadline=None)
def test_whatever_stands_in_an_id_column_only_a_mainland_number_shows_anything(text: str) -> None:
    masked = one(mask_id(pl.col("v"), beside_birth_date=False), text)
    assert masked is not None and len(masked) == len(text)
    assert set(masked) <= {"*"} or (len(text) == 18 and text.isascii() and text[:17].isdigit())


@pytest.mark.parametrize(
    ("phone", "masked"), [("13812345678", "138****5678"), ("02368001234", "***********"), ("1381234", "*******"), (None, None)]
)
def test_a_phone_is_masked(phone: str | None, masked: str | None) -> None:
    assert one(mask_phone(pl.col("v")), phone) == masked


@pytest.mark.parametrize(("name", "masked"), [("张三", "张*"), ("欧阳修", "欧**"), ("𬱖𬱖", "𬱖*"), ("张", "*"), ("", ""), (None, None)])
def test_a_name_is_masked(name: str | None, masked: str | None) -> None:
    assert one(mask_name(pl.col("v")), name) == masked


def table(*rows: tuple[int, ...]) -> pl.DataFrame:
    return pl.DataFrame([(f"r{i}", *row) for i, row in enumerate(rows)], orient="row", schema=["label", *(f"c{i}" for i in range(len(rows[0])))])


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([(10, 20), (30, 40)], [("10", "20"), ("30", "40")]),
        ([(0, 20), (30, 0)], [("0", "20"), ("30", "0")]),
        # one small count: its row, its column, and then the fourth corner must go too
        ([(3, 20, 50), (30, 40, 60)], [("<5", "—", "50"), ("—", "—", "60")]),
        # two ones in a row add up to two: a third goes
        ([(1, 1, 60)], [("<5", "<5", "—")]),
        ([(1234, 5)], [("1,234", "5")]),
    ],
)
def test_small_counts_are_hidden_with_what_would_give_them_away(counts: list[tuple[int, ...]], shown: list[tuple[str, ...]]) -> None:
    out = hide_small(table(*counts), "label")
    assert out.select(pl.exclude("label")).rows() == shown


def test_without_totals_only_the_small_counts_are_hidden() -> None:
    assert hide_small(table((3, 20)), "label", totals=False).row(0) == ("r0", "<5", "20")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 12)] * 4), min_size=2, max_size=4))
def test_no_hidden_small_count_can_be_computed_from_a_lines_total(rows: list[tuple[int, ...]]) -> None:
    counts = table(*rows)
    shown = hide_small(counts, "label").select(pl.exclude("label")).rows()
    lines = [list(zip(t, s, strict=True)) for t, s in zip(rows, shown, strict=True)]
    lines += [[(rows[r][c], shown[r][c]) for r in range(len(rows))] for c in range(4)]
    for line in lines:
        assert all(s in (HIDDEN, COMPLEMENT) for count, s in line if 0 < count < 5)
        hidden = [(count, s) for count, s in line if s in (HIDDEN, COMPLEMENT)]
        if len(hidden) == sum(count > 0 for count, _ in line):
            continue  # nothing left to hide beside it
        possible = set()
        total = sum(count for count, _ in hidden)
        for guess in product(*(range(1, 5) if s == HIDDEN else range(5, total + 1) for _, s in hidden)):
            if sum(guess) == total:
                possible.add(guess)
        for at, (_, s) in enumerate(hidden):
            assert len({guess[at] for guess in possible}) >= 3, s


@pytest.mark.parametrize(("count", "shown"), [(0, "0"), (1, "<5"), (4, "<5"), (5, "5"), (12345, "12,345")])
def test_a_lone_count(count: int, shown: str) -> None:
    assert hide_small_total(count) == shown
