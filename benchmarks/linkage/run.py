"""`make bench-linkage`: ours beside Splink 5, same machine, same run, same standardised records. Enters: sizes. Leaves: docs/benchmarks/linkage.md and its charts.

    python -m benchmarks.linkage.run --rows 100000 1000000 3000000

The model of Splink is trained once, on the smallest city; ours is the one in the repository. Each contestant runs in a process of its own, one after the
other, and meets every city; the loose and wide rules are left out where they would take the night.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl

from benchmarks.linkage import peer
from benchmarks.linkage.city import prepare
from benchmarks.linkage.contest import CONTESTANTS
from benchmarks.linkage.second import nights

DOCS = Path("docs/benchmarks")
# the loose rules make 40 pairs a record at a million, and more with every further one; the wide ones take the time of two others
MOST_ROWS = {"splink loose": 1_200_000, "splink wide": 1_200_000}
HEAD = (
    "| records | engine | seconds | CPU s | peak MiB | pairs compared | blocking recall | F1 of links | **F1 of clusters** | precision | recall | wrong pairs | missed |",
    "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
)


def contend(name: str, folder: Path) -> dict[str, Any]:
    """What one contestant did with one city."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.linkage.contest", name, str(folder)], check=True, capture_output=True, text=True)
    return {"engine": name, **json.loads(done.stdout.splitlines()[-1])}


def compare(work: Path, sizes: list[int]) -> list[dict[str, Any]]:
    """Every contestant on every city, smallest first; what was done is kept in results.json as it comes."""
    results: list[dict[str, Any]] = []
    folders = [prepare(work / f"{size}", size) for size in sorted(sizes)]
    peer.train(folders[0] / "flat.parquet", folders[0])
    for folder in folders:
        rows = pl.scan_parquet(folder / "truth.parquet").select(pl.len()).collect().item()
        for model in folders[0].glob("splink_*.json"):
            if model.parent != folder:
                shutil.copy(model, folder)
        for name in CONTESTANTS:
            if rows <= MOST_ROWS.get(name, rows):
                results.append({"rows": rows, **contend(name, folder), "load": os.getloadavg()[0]})
                (work / "results.json").write_text(json.dumps(results, indent=1), encoding="utf-8")
    return results


def page(results: list[dict[str, Any]], seconds: list[dict[str, Any]]) -> str:
    """The page for docs/; `seconds`: the nights after."""
    lines = [
        "# Linkage beside Splink 5",
        "",
        f"Written by `make bench-linkage` on {datetime.now(UTC).date()}: {os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, "
        f"splink {version('splink')}, duckdb {version('duckdb')}, polars {version('polars')}. Load average during the runs: "
        f"{min(r['load'] for r in results):.1f} to {max(r['load'] for r in results):.1f}; where it is above the number of cores, compare CPU seconds and ratios, not seconds.",
        "",
        "Made-up city at default damage. The clock runs from the Parquet file of standardised records to clusters, training left out on both sides; ours works out sounds and "
        "codes inside it, Splink is given them. All figures are over pairs of records. Splink's thresholds are those that the truth says are best for it; ours is the model's. "
        "Accuracy by itself, over seeds and at double damage: [accuracy.md](accuracy.md).",
        "",
        *HEAD,
        *(_line(r) for r in results),
        "",
        "![Wrong pairs and CPU seconds](linkage.svg)",
        "",
        "- *tight*: " + "; ".join("+".join(rule) for rule in peer.TIGHT) + ".",
        *(f"- *{name}*: the same and " + "; ".join("+".join(rule) for rule in peer.RULES[name][len(peer.TIGHT) :]) + "." for name in ("wide", "loose")),
        "- *twin veto*: edges between two different valid numbers, or between two names of one family's children born on one day, are struck out before clustering.",
        "- *behind our id-first pass*: rows with one number of their own are one unit; Splink compares what is left, with the veto.",
        "",
        *_ratios(results),
        "",
        *_nights_after(seconds),
    ]
    return "\n".join(lines)


def _nights_after(seconds: list[dict[str, Any]]) -> list[str]:
    """The night after beside the same night begun anew."""
    return [
        "## The night after",
        "",
        "Some of the records are new since the night before; linkage goes on from what it kept of that night (decision 0026). From the Parquet file to clusters, reading what was kept and "
        "keeping it again included. Pairs, weights and clusters are compared with those of the night begun anew, and are the same.",
        "",
        "| records | new | seconds | CPU s | peak MiB | begun anew: seconds | CPU s | times quicker |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(
            f"| {n['rows']:,} | {n['share']:.1%} | {n['again']['seconds']:.1f} | {n['again']['cpu_seconds']:.1f} | {n['again']['peak_mib']:,} "
            f"| {n['anew']['seconds']:.1f} | {n['anew']['cpu_seconds']:.1f} | {n['anew']['seconds'] / n['again']['seconds']:.1f} |"
            for n in seconds
        ),
        "",
    ]


def _ratios(results: list[dict[str, Any]]) -> list[str]:
    """Ours beside each of the others, at each size."""
    lines = ["| records | beside | seconds | CPU seconds | peak memory | wrong pairs |", "| ---: | --- | ---: | ---: | ---: | ---: |"]
    for rows in sorted({r["rows"] for r in results}):
        ours, *others = (r for r in results if r["rows"] == rows)
        for other in others:
            times = [f"{other[key] / ours[key]:.1f} times ours" for key in ("seconds", "cpu_seconds", "peak_mib")]
            lines.append(f"| {rows:,} | {other['engine']} | {' | '.join(times)} | {other['wrong_pairs'] / max(1, ours['wrong_pairs']):,.0f} times ours |")
    return lines


def _line(r: dict[str, Any]) -> str:
    return (
        f"| {r['rows']:,} | {r['engine']} | {r['seconds']:.1f} | {r['cpu_seconds']:.1f} | {r['peak_mib']:,} | {r['pairs']:,} | {r['blocking_recall']:.4f} | {r['edge_f1']:.4f} "
        f"| **{r['cluster_f1']:.5f}** | {r['precision']:.5f} | {r['recall']:.5f} | {r['wrong_pairs']:,} | {r['missed_pairs']:,} |"
    )


def chart(results: list[dict[str, Any]]) -> alt.HConcatChart:
    """Wrong pairs (logarithmic) and CPU seconds by engine and size."""
    frame = pl.DataFrame([{k: r[k] for k in ("rows", "engine", "wrong_pairs", "cpu_seconds")} for r in results]).with_columns(records=pl.col("rows").map_elements("{:,}".format, return_dtype=pl.String))
    base = alt.Chart(frame).encode(y=alt.Y("engine:N", title=None, sort=list(CONTESTANTS)), color=alt.Color("records:N", title="records"), yOffset="records:N")
    wrong = base.mark_bar().encode(x=alt.X("wrong_pairs:Q", title="wrong pairs of records", scale=alt.Scale(type="symlog")))
    seconds = base.mark_bar().encode(x=alt.X("cpu_seconds:Q", title="CPU seconds to clusters"))
    return wrong.properties(width=260) | seconds.properties(width=260)


def main() -> None:
    """Runs the contest and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000, 3_000_000])
    parser.add_argument("--work", type=Path, default=Path("out/bench-linkage"))
    given = parser.parse_args()
    results = compare(given.work, given.rows)
    DOCS.mkdir(parents=True, exist_ok=True)
    seconds = [night for size in sorted(given.rows) for night in nights(given.work / f"{size}")]
    (given.work / "seconds.json").write_text(json.dumps(seconds, indent=1), encoding="utf-8")
    (DOCS / "linkage.md").write_text(page(results, seconds), encoding="utf-8")
    chart(results).save(DOCS / "linkage.svg")


if __name__ == "__main__":
    main()
