"""Masks keep what they promise to hide."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publish.disclosure import mask_id, mask_name, mask_phone


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
