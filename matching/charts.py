"""Two charts of a linkage's weights, as SVG: calibration and thresholds go in, files come out."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl

_INK, _SOFT = "#1f4e79", "#b5542c"
_SIZE = {"width": 460, "height": 320}


def write_charts(calibration: pl.DataFrame, thresholds: pl.DataFrame, folder: Path, *, link: float, review: float) -> list[Path]:
    """Writes calibration.svg and thresholds.svg.

    Args:
        calibration, thresholds: see `matching.scored`. link, review: the model's thresholds, drawn as lines.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = {"calibration.svg": _calibration(calibration), "thresholds.svg": _thresholds(thresholds, link, review)}
    for name, chart in made.items():
        chart.save(str(folder / name))
    return [folder / name for name in made]


def _calibration(table: pl.DataFrame) -> Any:
    """Stated probability against the share that is true, both in log odds so that the ends can be seen, with 95 % intervals."""
    steps = [{"stated": _odds(row["mean_probability"]), "right": _odds(row["right"]), "low": _odds(row["low"]), "high": _odds(row["high"]), "pairs": row["pairs"]} for row in table.iter_rows(named=True)]
    ticks = [_odds(share) for share in (0.0001, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999)]
    axis = alt.Axis(values=ticks, labelExpr="format(1 / (1 + pow(10, -datum.value)), '.4~p')")
    scale = alt.Scale(domain=[-5, 5], clamp=True)
    base = alt.Chart(_data(steps)).encode(x=alt.X("stated:Q", title="probability the model states", scale=scale, axis=axis))
    line = alt.Chart(_data([{"a": -5}, {"a": 5}])).mark_line(color="#999", strokeDash=[4, 4]).encode(x="a:Q", y="a:Q")
    bars = base.mark_rule(color=_INK).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q")
    points = base.mark_point(color=_INK, filled=True).encode(
        y=alt.Y("right:Q", title="share of the pairs that are one child", scale=scale, axis=axis), size=alt.Size("pairs:Q", scale=alt.Scale(type="log", range=[30, 300]), legend=None)
    )
    return alt.layer(line, bars, points).properties(title="Calibration (log odds; bars: 95 % intervals; dashed: stated = true)", **_SIZE)


def _data(values: list[dict[str, Any]]) -> Any:
    """Rows as a chart takes them."""
    return alt.InlineData(values=values)


def _odds(share: float) -> float:
    """Odds in powers of ten, held to one in a hundred thousand either way."""
    held = min(max(share, 1e-5), 1 - 1e-5)
    return math.log10(held / (1 - held))


def _thresholds(table: pl.DataFrame, link: float, review: float) -> Any:
    """Precision and recall of linking from each probability on."""
    values = [{"threshold": row["threshold"], "what": what, "share": row[what]} for row in table.iter_rows(named=True) for what in ("precision", "recall")]
    lowest = min([v["share"] for v in values], default=0.0)
    lines = alt.Chart(_data(values)).mark_line(point=True).encode(
        x=alt.X("threshold:Q", title="linked from this probability on", scale=alt.Scale(domain=[0, 1])),
        y=alt.Y("share:Q", title=None, scale=alt.Scale(domain=[math.floor(lowest * 50) / 50, 1]), axis=alt.Axis(format=".1%")),
        color=alt.Color("what:N", title=None, scale=alt.Scale(domain=["precision", "recall"], range=[_INK, _SOFT])),
    )  # fmt: skip
    marks = alt.Chart(_data([{"at": link, "name": "link"}, {"at": review, "name": "review"}]))
    rules = marks.mark_rule(color="#999", strokeDash=[4, 4]).encode(x="at:Q")
    names = marks.mark_text(align="left", dx=3, y=310, color="#666").encode(x="at:Q", text="name:N")
    return alt.layer(rules, names, lines).properties(title="Pairs with a side that has no number: precision and recall before clustering", **_SIZE)
