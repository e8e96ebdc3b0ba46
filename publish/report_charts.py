"""The report's charts. Enters: counts that may be shown. Leaves: SVG texts, drawn by Vega-Lite without a network, the same bytes for the same counts.

Colours are Okabe and Ito's (Color Universal Design, 2008) and one scale from light to dark, so that they hold in grey and for colour-blind readers; what a
colour says, a label, a shape or a dash says too. A hidden count has neither length, width nor colour.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
import pylopdf_fonts_zh_cn
import vl_convert

FONT_FOLDER = Path(pylopdf_fonts_zh_cn.__file__).parent
FONT = '"Noto Sans SC", "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif'
INK, FAINT, LINE = "#1b2733", "#5b6875", "#d5dbe1"
MAIN, LATE = "#0072b2", "#d55e00"
SCALE = ("#e3eef7", "#b3d1e8", "#74aed6", "#2f7fbc", "#0b4a86")
UNKNOWN = "#ffffff"
_WIDTH = 420


@cache
def _fonts_known() -> None:
    vl_convert.register_font_directory(str(FONT_FOLDER))


def svg(chart: Any, name: str, **data: list[dict[str, Any]]) -> str:
    """The chart as SVG; `name` keeps its inner names apart from those of other charts on the page; `data`: rows of `alt.NamedData`."""
    _fonts_known()
    styled = (
        chart.configure(font=FONT, background="transparent", padding=4)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=INK, titleColor=FAINT, labelFontSize=13, titleFontSize=13, titleFontWeight="normal", gridColor="#e6eaee", domainColor=LINE,
            tickColor=LINE, labelLimit=240,
        )
        .configure_legend(labelColor=INK, titleColor=FAINT, labelFontSize=13, titleFontSize=13, titleFontWeight="normal", orient="bottom")
        .configure_text(fontSize=13, color=INK)
    )  # fmt: skip
    spec = styled.to_dict(validate=False)
    spec["datasets"] = spec.get("datasets", {}) | data
    text = vl_convert.vegalite_to_svg(spec)
    return re.sub(r'(id="|url\(#)((?:clip|gradient)[\w-]*)', rf"\g<1>{name}-\2", text)


def trend(nights: pl.DataFrame) -> str:
    """Lines over the nights. Columns: as_of (date), series, children (null where hidden)."""
    series = nights["series"].unique(maintain_order=True).to_list()
    base = alt.Chart(nights.with_columns(pl.col("as_of").cast(pl.String))).encode(
        x=alt.X("as_of:T", title=None, axis=alt.Axis(format="%Y-%m-%d", labelAngle=0, labelOverlap=True, tickCount=4, grid=False)),
        y=alt.Y("children:Q", title="儿童数（人）", scale=alt.Scale(zero=True, nice=True), axis=alt.Axis(format=",d", tickCount=5)),
    )
    marks = {
        "color": alt.Color("series:N", title=None, sort=series, scale=alt.Scale(domain=series, range=[MAIN, LATE])),
        "strokeDash": alt.StrokeDash("series:N", title=None, sort=series, scale=alt.Scale(domain=series, range=[[1, 0], [5, 4]])),
    }
    shape = alt.Shape("series:N", title=None, sort=series, scale=alt.Scale(domain=series, range=["circle", "square"]))
    newest = nights.filter(pl.col("as_of") == pl.col("as_of").max()).with_columns(pl.col("as_of").cast(pl.String))
    label = base.properties(data=newest).mark_text(align="right", dx=5, dy=-13, fontSize=14)
    layers = alt.layer(
        base.mark_line(strokeWidth=2.5).encode(**marks),
        base.mark_point(size=60, filled=True, opacity=1).encode(marks["color"], shape),
        label.encode(text=alt.Text("children:Q", format=",d")),
    )
    return svg(layers.properties(width=_WIDTH, height=210), "trend")


def before_after(rows: Sequence[dict[str, Any]]) -> str:
    """A dumbbell for each need. Rows: item, before (per cent, null where there is none), now."""
    order = [row["item"] for row in rows]
    wide = pl.DataFrame(list(rows), schema={"item": pl.String, "before": pl.Float64, "now": pl.Float64})
    long = wide.unpivot(["before", "now"], index="item", variable_name="when", value_name="percent").drop_nulls()
    long = long.with_columns(pl.col("when").replace({"before": "此前", "now": "本次"}))
    y = alt.Y("item:N", sort=order, title=None, axis=alt.Axis(domain=False, ticks=False, grid=True))
    scale = alt.Scale(domain=[0, 100])
    x = alt.X("percent:Q", title="已享有的比例（%）", scale=scale, axis=alt.Axis(tickCount=5, grid=False))
    bars = alt.Chart(wide.drop_nulls()).mark_rule(strokeWidth=3, color="#a9b4be").encode(y=y, x=alt.X("before:Q", scale=scale, title="已享有的比例（%）"), x2="now:Q")
    points = alt.Chart(long).encode(y=y, x=x)
    old = points.transform_filter(alt.datum.when == "此前").mark_point(size=90, filled=True, fill="#fff", stroke=INK, strokeWidth=1.6, opacity=1)
    new = points.transform_filter(alt.datum.when == "本次").mark_point(size=110, filled=True, color=MAIN, opacity=1)
    label = points.transform_filter(alt.datum.when == "本次").mark_text(dy=-13).encode(text=alt.Text("percent:Q", format=".0f"))
    return svg(alt.layer(bars, old, new, label).properties(width=_WIDTH - 100, height=alt.Step(42)), "effect")


def heat(rows: Sequence[dict[str, Any]], *, columns: Sequence[str], lines: Sequence[str], name: str, legend: str, reverse: bool = False) -> str:
    """A field of cells with the number in each. Rows: line, column, value (null: no colour), text."""
    frame = pl.DataFrame(list(rows), schema={"line": pl.String, "column": pl.String, "value": pl.Float64, "text": pl.String})
    most = frame["value"].max()
    least = frame["value"].min()
    middle = None if most is None or least is None else (float(str(most)) + float(str(least))) / 2
    scale = alt.Scale(range=list(reversed(SCALE)) if reverse else list(SCALE), zero=False)
    base = alt.Chart(frame).encode(
        x=alt.X("column:O", sort=list(columns), title=None, axis=alt.Axis(orient="top", labelAngle=0, domain=False, ticks=False)),
        y=alt.Y("line:O", sort=list(lines), title=None, axis=alt.Axis(domain=False, ticks=False)),
    )
    cells = base.mark_rect(stroke="#fff", strokeWidth=2).encode(
        color=alt.condition("isValid(datum.value)", alt.Color("value:Q", scale=scale, title=legend, legend=None), alt.value("#f3f5f7"))
    )
    darker = f"datum.value < {middle}" if reverse else f"datum.value > {middle}"
    ink = alt.value(INK) if middle is None else alt.condition(f"isValid(datum.value) && {darker}", alt.value("#fff"), alt.value(INK))
    width = min(112, (_WIDTH + 60) // max(len(columns), 1))
    return svg(alt.layer(cells, base.mark_text().encode(text="text:N", color=ink)).properties(width=alt.Step(width), height=alt.Step(30)), name)
