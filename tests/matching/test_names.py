"""What kind of name stands where a child's name was asked for."""

from __future__ import annotations

import polars as pl
import pytest

from matching import names


@pytest.mark.parametrize(
    ("name", "kind"),
    [("豪豪", "nickname"), ("宇宇", "nickname"), ("小宇", "nickname"), ("毛毛", "nickname"), ("丁丁", "full"), ("文文", "full"), ("豪", "full"), ("李小宇", "full"), ("HH", "latin"), ("□□", "partial"), (None, "absent")],
)
def test_a_pet_name_says_not_who_the_child_is_where_no_surname_is_in_it(name: str | None, kind: str) -> None:
    assert pl.DataFrame({"name": [name]}, schema={"name": pl.String}).select(names.kind(pl.col("name"))).item() == kind
