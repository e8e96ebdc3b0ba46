"""The map of the districts. Enters: what may be shown of each district's count. Leaves: two SVG texts, the city and its centre; none without boundaries.

The boundaries (schemas/reference/cq_boundaries.geojson, SOURCES.md) are a sketch: they state no map approval number and are older than 两江新区.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np

from publish.report_charts import INK, SCALE, UNKNOWN, svg
from schemas.reference import lists

BOUNDARIES = lists.HERE / "cq_boundaries.geojson"
CENTRE = "中心城区"
_NOT_SHOWN = "未列出"
_MERGED = ("500157", ("500105", "500112"))  # 两江新区 stands where 江北 and 渝北 stood
_NUDGE = {"500103": (-0.01, 0.012), "500104": (0.0, -0.025), "500107": (-0.03, 0.0), "500108": (0.02, 0.01)}  # labels of small districts apart, in degrees
_SUFFIX = re.compile(r"(?:土家族|苗族)*(?:自治县|新区|区|县)$")


def short(name: str) -> str:
    """A district's name as a map has room for: 酉阳, 两江, but 忠县."""
    return _SUFFIX.sub("", name) if len(name) > 2 else name


def maps(counts: Mapping[str, int | None], names: Mapping[str, str], regions: Mapping[str, str], boundaries: Path = BOUNDARIES) -> tuple[str, str] | None:
    """The city with the districts outside its centre labelled, and the centre.

    Args:
        counts: children by district code; null where hidden. names, regions: of the districts. boundaries: the GeoJSON file; it may be missing.
    """
    if not boundaries.is_file():
        return None
    features = [f for f in json.loads(boundaries.read_text(encoding="utf-8"))["features"] if _is_drawn(f["properties"]["code"], counts)]
    central = [f for f in features if regions.get(f["properties"]["code"]) == CENTRE]
    outer = [_label(f, counts, names) for f in features if f not in central]
    if central:
        largest = max((f["properties"]["code"] for f in central), key=lambda code: counts.get(code) or 0)
        outer.append({"lon": 106.62, "lat": 29.62, "name": CENTRE, "text": "", "code": largest})
    whole = _drawn(features, outer, counts, "city", (540, 500), 13)
    part = _drawn(central, [_label(f, counts, names) for f in central], counts, "centre", (380, 460), 14)
    return whole, part


def _is_drawn(code: str, counts: Mapping[str, int | None]) -> bool:
    new, old = _MERGED
    return code not in old if new in counts else code != new


def _classes(counts: list[int]) -> list[tuple[int, int]]:
    """Five classes of about as many districts each: least and most of a class."""
    if not counts:
        return []
    edges = np.unique(np.quantile(np.array(sorted(counts)), np.linspace(0, 1, len(SCALE) + 1), method="inverted_cdf"))
    if len(edges) == 1:
        return [(int(edges[0]), int(edges[0]))]
    return [(int(low) + (1 if at else 0), int(high)) for at, (low, high) in enumerate(pairwise(edges))]


def _class(count: int | None, classes: list[tuple[int, int]]) -> str:
    if count is None:
        return _NOT_SHOWN
    return next((_name(c) for c in classes if c[0] <= count <= c[1]), "0")


def _name(of: tuple[int, int]) -> str:
    return f"{of[0]:,}" if of[0] == of[1] else f"{of[0]:,}—{of[1]:,}"


def _label(feature: dict[str, Any], counts: Mapping[str, int | None], names: Mapping[str, str]) -> dict[str, Any]:
    code = feature["properties"]["code"]
    lon, lat = _middle(feature)
    right, up = _NUDGE.get(code, (0.0, 0.0))
    count = counts.get(code, 0)
    return {"lon": lon + right, "lat": lat + up, "name": short(names.get(code, code)), "text": "—" if count is None else f"{count:,}", "code": code}


def _middle(feature: dict[str, Any]) -> tuple[float, float]:
    """The centroid of the largest ring."""
    ring = np.array(max((polygon[0] for polygon in feature["geometry"]["coordinates"]), key=len))
    (x, y), (u, v) = ring[:-1].T, ring[1:].T
    cross = x * v - u * y
    return float(((x + u) * cross).sum() / (3 * cross.sum())), float(((y + v) * cross).sum() / (3 * cross.sum()))


def _drawn(features: list[dict[str, Any]], labels: list[dict[str, Any]], counts: Mapping[str, int | None], name: str, size: tuple[int, int], font: int) -> str:
    """The districts in the colour of their class, names and counts above them."""
    codes = [f["properties"]["code"] for f in features]
    classes = _classes([n for c in codes if (n := counts.get(c, 0))])
    shaped = [f | {"properties": {"class": _class(counts.get(c, 0), classes)}} for c, f in zip(codes, features, strict=True)]
    used = {f["properties"]["class"] for f in shaped}
    colours = {"0": "#f7f9fa"} | {_name(c): SCALE[n] for n, c in enumerate(classes)} | {_NOT_SHOWN: UNKNOWN}
    domain = [name for name in colours if name in used]
    legend = alt.Legend(title="流动儿童（人）", orient="bottom", direction="horizontal", columns=3, symbolType="square", symbolSize=160)
    shapes = (
        alt.Chart(alt.NamedData("shapes"))
        .mark_geoshape(strokeWidth=1.2)
        .encode(
            color=alt.Color("properties.class:N", scale=alt.Scale(domain=domain, range=[colours[d] for d in domain]), sort=domain, legend=legend),
            stroke=alt.condition(f"datum.properties.class == '{_NOT_SHOWN}' || datum.properties.class == '0'", alt.value("#9aa5b0"), alt.value("#ffffff")),
        )
    )
    deep = {_name(c) for c in classes[3:]}
    on_dark = [label for label in labels if _class(counts.get(label["code"], 0), classes) in deep]
    on_pale = [label for label in labels if label not in on_dark]
    words = [*_words("pale", INK, "#ffffff", font), *_words("dark", "#ffffff", SCALE[-1], font)]
    chart = alt.layer(shapes, *words).project("mercator").properties(width=size[0], height=size[1])
    return svg(chart, name, shapes=shaped, pale=on_pale, dark=on_dark)


def _words(data: str, ink: str, edge: str, font: int) -> list[Any]:
    """Name and count of each district, on an edge that keeps them legible across a border."""
    text = alt.Chart(alt.NamedData(data)).encode(longitude="lon:Q", latitude="lat:Q")
    outline: dict[str, Any] = {"stroke": edge, "strokeWidth": 3, "strokeOpacity": 0.8, "strokeJoin": "round"}
    lines = (("name:N", -font * 0.55), ("text:N", font * 0.55))
    return [text.mark_text(fontSize=font, dy=dy, color=ink, **style).encode(text=field) for style in (outline, {}) for field, dy in lines]
