"""The picture of flows from hukou to residence. Enters: flows between groups, as far as they may be shown. Leaves: an SVG text; none where nothing may be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np

from publish.report_charts import FAINT, INK, svg

# Okabe and Ito, 2008
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a8a8a")
_GAP = 0.025  # between two blocks, as a share of the height
_STEPS = 24
_LEFT, _RIGHT, _BLOCK = 0.0, 1.0, 0.022


def ribbons(flows: Mapping[tuple[str, str], int | None], wholes: Mapping[str, int | None], ends: Mapping[str, int | None], sources: Sequence[str], targets: Sequence[str]) -> str | None:
    """Blocks on the left for the sources, on the right for the targets, a ribbon for each flow that may be shown; a hidden one leaves its place empty.

    Args:
        flows: children by (source, target), null where hidden. wholes, ends: children of each source and each target, null where hidden.
    """
    left = _blocks([(s, wholes.get(s)) for s in sources])
    right = _blocks([(t, ends.get(t)) for t in targets])
    if not left or not right:
        return None
    unit_left = _unit(left, wholes)
    unit_right = _unit(right, ends)
    points: list[dict[str, Any]] = []
    at_left, at_right = {s: low for s, (low, _) in left.items()}, {t: low for t, (low, _) in right.items()}
    for source in left:
        for target in right:
            count = flows.get((source, target), 0)
            if not count:
                continue
            a, b = at_left[source], at_right[target]
            at_left[source], at_right[target] = a + count * unit_left, b + count * unit_right
            points += _ribbon(f"{source}→{target}", source, (a, at_left[source]), (b, at_right[target]))
    return _picture(points, left, right, wholes, ends, list(sources))


def _blocks(sized: Sequence[tuple[str, int | None]]) -> dict[str, tuple[float, float]]:
    """Top and bottom of each block, from 0 to 1; those of nobody, or hidden, have none."""
    given = [(name, n) for name, n in sized if n]
    total = sum(n for _, n in given)
    room = 1 - _GAP * max(len(given) - 1, 0)
    blocks, top = {}, 0.0
    for name, n in given:
        blocks[name] = (top, top + room * n / total)
        top = blocks[name][1] + _GAP
    return blocks


def _unit(blocks: Mapping[str, tuple[float, float]], counts: Mapping[str, int | None]) -> float:
    return sum(high - low for low, high in blocks.values()) / sum(counts[name] or 0 for name in blocks)


def _ribbon(name: str, source: str, start: tuple[float, float], end: tuple[float, float]) -> list[dict[str, Any]]:
    """Points of a ribbon that leaves and arrives level."""
    share = np.linspace(0, 1, _STEPS)
    bend = share * share * (3 - 2 * share)
    x = _LEFT + _BLOCK + share * (_RIGHT - _LEFT - 2 * _BLOCK)
    tops, bottoms = start[0] + bend * (end[0] - start[0]), start[1] + bend * (end[1] - start[1])
    return [
        {"flow": name, "source": source, "x": round(float(a), 4), "y": round(float(b), 4), "y2": round(float(c), 4)}
        for a, b, c in zip(x, tops, bottoms, strict=True)
    ]  # fmt: skip


def _picture(points: list[dict[str, Any]], left: Mapping[str, tuple[float, float]], right: Mapping[str, tuple[float, float]], wholes: Mapping[str, int | None], ends: Mapping[str, int | None], order: list[str]) -> str:
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-0.32, 1.32], nice=False))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[1, -0.06], nice=False))
    colour = alt.Color("source:N", scale=alt.Scale(domain=order, range=list(_COLOURS[: len(order)])), legend=None)
    flow = alt.Chart(alt.NamedData("ribbons")).mark_area(opacity=0.5, stroke="#fff", strokeWidth=0.8).encode(x=x, y=y, y2="y2:Q", detail="flow:N", color=colour)
    boxes = [{"source": s, "x": _LEFT, "x2": _LEFT + _BLOCK, "y": a, "y2": b} for s, (a, b) in left.items()]
    stops = [{"source": t, "x": _RIGHT - _BLOCK, "x2": _RIGHT, "y": a, "y2": b} for t, (a, b) in right.items()]
    block = alt.Chart(alt.NamedData("sources")).mark_rect().encode(x=x, x2="x2:Q", y=y, y2="y2:Q", color=colour)
    stop = alt.Chart(alt.NamedData("targets")).mark_rect(color=INK).encode(x=x, x2="x2:Q", y=y, y2="y2:Q")
    words = [{"x": _LEFT - 0.015, "y": sum(span) / 2, "text": f"{s}  {wholes[s]:,}"} for s, span in left.items()]
    said = [{"x": _RIGHT + 0.015, "y": sum(span) / 2, "text": f"{ends[t]:,}  {t}"} for t, span in right.items()]
    start = alt.Chart(alt.NamedData("before")).mark_text(align="right", fontSize=14).encode(x=x, y=y, text="text:N")
    end = alt.Chart(alt.NamedData("behind")).mark_text(align="left", fontSize=14).encode(x=x, y=y, text="text:N")
    heads = [{"x": _LEFT, "y": -0.05, "text": "户籍所在"}, {"x": _RIGHT, "y": -0.05, "text": "现居住"}]
    head = alt.Chart(alt.NamedData("heads")).mark_text(fontSize=13, color=FAINT).encode(x=x, y=y, text="text:N")
    chart = alt.layer(flow, block, stop, start, end, head).properties(width=680, height=430)
    return svg(chart, "flows", ribbons=points, sources=boxes, targets=stops, before=words, behind=said, heads=heads)
