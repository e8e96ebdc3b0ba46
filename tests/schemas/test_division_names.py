"""Divisions by the names that departments write instead of codes."""

from __future__ import annotations

import polars as pl
import pytest

from schemas.reference.divisions import resolve


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("彭水苗族土家族自治县", "500243"), ("彭水县", "500243"), ("彭水", "500243"), ("重庆市彭水县保家镇", "500243"),
        ("石柱县", "500240"), ("秀山县", "500241"), ("酉阳", "500242"), ("彭县", None), ("两江", "500157"), ("重庆市两江新区", "500157"),
        ("贵州省道真县", "520325"), ("道真仡佬族苗族自治县", "520325"), ("湖北省长阳县", "420528"), ("吉林省长白县", "220623"), ("四川省彭县", "510000"),
    ],
)  # fmt: skip
def test_a_name_means_its_place(text: str, code: str | None):
    assert resolve(pl.Series([text])).get_column("code").to_list() == [code]
