"""The page of a bench. Enters: what was measured at each scale. Leaves: docs/benchmarks.md and two charts beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl


def write_page(machine: dict[str, Any], results: list[dict[str, Any]], docs: Path) -> None:
    """Write the page and its charts.

    Args:
        machine: what it ran on. results: what `night.measured` gives, by scale.
    """
    (docs / "benchmarks").mkdir(parents=True, exist_ok=True)
    frame = _frame(results)
    for name, chart in (("stations", _stations(frame)), ("slope", _slope(frame))):
        chart.save(str(docs / "benchmarks" / f"{name}.svg"))
    (docs / "benchmarks.md").write_text("\n".join(_lines(machine, results)) + "\n", "utf-8")


def slope(results: list[dict[str, Any]], station: str) -> float | None:
    """How seconds of processor grow with rows: 1 is in proportion, less is better; the line of least squares through the logarithms."""
    points = [(math.log(r["first"]["rows"]), math.log(max(r["first"]["stations"][station]["cpu_seconds"], 0.01))) for r in results]
    if len(points) < 2:
        return None
    mean_x, mean_y = (sum(p[i] for p in points) / len(points) for i in (0, 1))
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)


def _frame(results: list[dict[str, Any]]) -> pl.DataFrame:
    rows = [
        {"scale": str(r["scale"]), "rows": r["first"]["rows"], "station": s, "order": i, "processor seconds": f["cpu_seconds"], "rows per second": r["first"]["rows"] / max(f["cpu_seconds"], 0.01)}
        for r in results for i, (s, f) in enumerate(r["first"]["stations"].items())
    ]  # fmt: skip
    return pl.DataFrame(rows)


def _stations(frame: pl.DataFrame) -> alt.Chart:
    order = frame.unique("station").sort("order")["station"].to_list()
    return (
        alt.Chart(alt.Data(values=frame.to_dicts()), title="Rows per processor second", width=520, height=240).mark_bar()
        .encode(y=alt.Y("station:N", sort=order, title=None), x=alt.X("rows per second:Q", scale=alt.Scale(type="log"), title="rows per processor second (logarithmic)"),
                yOffset="scale:N", color=alt.Color("scale:N", title="scale"))
    )  # fmt: skip


def _slope(frame: pl.DataFrame) -> alt.Chart:
    return (
        alt.Chart(alt.Data(values=frame.to_dicts()), title="Processor seconds by rows", width=520, height=320).mark_line(point=True)
        .encode(x=alt.X("rows:Q", scale=alt.Scale(type="log"), title="rows"), y=alt.Y("processor seconds:Q", scale=alt.Scale(type="log")), color=alt.Color("station:N", title="station"))
    )  # fmt: skip


def _lines(machine: dict[str, Any], results: list[dict[str, Any]]) -> Iterator[str]:
    yield "# Benchmarks"
    yield ""
    yield "Written by `make bench` (`make bench SCALE=1.0` adds scale 1.0, five million children); not edited by hand."
    yield ""
    # the load is a mean over the minute before, so that one core's worth may be what was there before the bench
    busy = machine["load"] > machine["cores"]
    yield (
        f"Measured on {machine['on']}, {machine['cores']} cores, {machine['memory_gib']} GiB, Python {machine['python']}; load when it began {machine['load']:.1f}"
        + (": **other work ran on the same cores, so seconds are too long; processor seconds are what compares.**" if busy else ".")
    )
    yield ""
    yield "Beside this page: [linkage against Splink](benchmarks/linkage.md), [accuracy](benchmarks/accuracy.md), [the rule](benchmarks/rules.md), [the whole city](benchmarks/city.md)."
    yield ""
    yield from _generator(results)
    yield from _published(results)
    yield from _nights(results)
    for r in results:
        yield from _scale(r)
        yield from _changed(r)
    yield from _growth(results)


def _generator(results: list[dict[str, Any]]) -> Iterator[str]:
    yield "## The made-up city"
    yield ""
    yield "| scale | children | rows | inbox MB | seconds | processor seconds | peak MiB |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for r in results:
        g = r["generator"]
        yield f"| {r['scale']} | {r['children']:,} | {g['rows']:,} | {r['inbox_bytes'] / 1e6:,.0f} | {g['seconds']:,.0f} | {g['cpu_seconds']:,.0f} | {g['peak_mib']:,.0f} |"
    yield ""


def _published(results: list[dict[str, Any]]) -> Iterator[str]:
    yield "## From CSV to the published register"
    yield ""
    yield "A first night up to the moment readers see its register; what is handed out comes after."
    yield ""
    yield "| scale | rows | seconds | processor seconds | microseconds of processor a row | peak MiB |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for r in results:
        rows = r["first"]["rows"]
        before = [f for s, f in r["first"]["stations"].items() if s != "hand-out"]
        seconds, worked = (sum(f[name] for f in before) for name in ("seconds", "cpu_seconds"))
        yield f"| {r['scale']} | {rows:,} | {seconds:,.0f} | {worked:,.0f} | {worked / rows * 1e6:,.1f} | {max(f['peak_mib'] for f in before):,.0f} |"
    yield ""


def _nights(results: list[dict[str, Any]]) -> Iterator[str]:
    yield "## Nights"
    yield ""
    if any(r.get("until_published") for r in results):
        yield "These nights end when readers see the register (`--until-published`): nothing was handed out."
        yield ""
    yield (
        "First: a new register from files never seen. Unchanged: the night after, with the same files on the same day. Changed: the files again, one row in a hundred of the plain text "
        "exports gone or another. MB are what one night leaves, for sizing."
    )
    yield ""
    yield "| scale | night | rows | seconds | processor seconds | rows per processor second | peak MiB | work MB | store MB | register MB |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for r in results:
        for name in ("first", "unchanged", "changed"):
            w = r[name]["whole"]
            peak = max([f["peak_mib"] for f in r[name]["stations"].values()] + [w["peak_mib"]])
            left = " | ".join(f"{r['left'][k] / 1e6:,.0f}" if name == "first" else "" for k in ("work", "store", "register"))
            yield f"| {r['scale']} | {name} | {r[name]['rows']:,} | {w['seconds']:,.1f} | {w['cpu_seconds']:,.1f} | {r[name]['rows'] / w['cpu_seconds']:,.0f} | {peak:,.0f} | {left} |"
    yield ""


def _scale(r: dict[str, Any]) -> Iterator[str]:
    yield f"## First night at scale {r['scale']}, station by station"
    yield ""
    yield "At best: reading those bytes, sorting those keys and writing those tables on this machine, in processor seconds, understanding nothing (`benchmarks/best.py`)."
    yield ""
    yield "| station | seconds | processor seconds | rows per second | peak MiB | at best, processor seconds | ratio |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for station, f in r["first"]["stations"].items():
        per_second = f"{r['first']['rows'] / f['seconds']:,.0f}" if f["seconds"] else ""
        ratio = f"{f['cpu_seconds'] / f['best']:,.1f}" if f["best"] > 0.001 else ""
        yield f"| {station} | {f['seconds']:,.1f} | {f['cpu_seconds']:,.1f} | {per_second} | {f['peak_mib']:,.0f} | {f['best']:,.2f} | {ratio} |"
    yield ""


def _changed(r: dict[str, Any]) -> Iterator[str]:
    yield f"## The changed night at scale {r['scale']}, beside the first"
    yield ""
    yield f"{r['changed']['changed_rows']:,} rows are gone or another."
    yield ""
    yield "| station | seconds | processor seconds | first night: seconds | processor seconds |"
    yield "| --- | --- | --- | --- | --- |"
    for station, f in r["changed"]["stations"].items():
        first = r["first"]["stations"][station]
        yield f"| {station} | {f['seconds']:,.1f} | {f['cpu_seconds']:,.1f} | {first['seconds']:,.1f} | {first['cpu_seconds']:,.1f} |"
    yield ""


def _growth(results: list[dict[str, Any]]) -> Iterator[str]:
    yield "## How it grows"
    yield ""
    yield "![Rows per processor second](benchmarks/stations.svg)"
    yield ""
    yield "![Processor seconds by rows](benchmarks/slope.svg)"
    yield ""
    yield "Slope of processor seconds over rows, both as logarithms: 1 is in proportion; below 1, fixed costs weigh at the smaller scale."
    yield ""
    yield "| station | slope |"
    yield "| --- | --- |"
    for station in results[0]["first"]["stations"]:
        found = slope(results, station)
        yield f"| {station} | {'' if found is None else f'{found:.2f}'} |"
