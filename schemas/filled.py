"""A text with gaps, and what fills them. Enters: the text, expressions. Leaves: an expression.

It stands in for `pl.format`, which takes the rows of a part for there without looking whether the part has any: where a join or a filter leaves a part of a
column empty, as happens in streaming, polars breaks off ("assertion failed: i < self.len()"; pola-rs/polars#25339 and #25525, open; str_format in polars-ops).
"""

from __future__ import annotations

import polars as pl

_GAP = "{}"


def filled(text: str, *values: pl.Expr | pl.Series | str) -> pl.Expr:
    """The text, each `{}` filled with the value of an expression or a column of that name; null where one of them is."""
    between = text.split(_GAP)
    if len(between) != len(values) + 1:
        raise ValueError(f"{len(between) - 1} gaps in the text, {len(values)} values")
    parts: list[pl.Expr | pl.Series | str] = []
    for value, behind in zip(values, between[1:], strict=True):
        parts += [value, pl.lit(behind)] if behind else [value]
    return pl.concat_str([pl.lit(between[0]), *parts] if between[0] else parts)
