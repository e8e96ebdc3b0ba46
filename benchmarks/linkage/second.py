"""The night after: what linkage takes when some records came since the last. Enters: the folder of a city. Leaves: a line of JSON for each share of new records.

    python -m benchmarks.linkage.second out/bench-linkage/1000000

First a night without the records that are new, in a process of its own, which keeps what it worked out; then the night with all of them, going on from there, in another.
The clock runs from the Parquet file of standardised records to clusters, reading what was kept and keeping it for the third night included. That pairs, weights and
clusters are those of a night that begins anew is looked at each time.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.linkage.city import AS_OF
from benchmarks.linkage.clock import Clock
from matching.again.source import Source
from matching.linkage import clustered, tonight
from matching.model import load_model

SHARES = (0.001, 0.01, 0.05)
_SEED = 1


def nights(folder: Path) -> list[dict[str, Any]]:
    """The night after at each share, each night in a process of its own."""
    return [_in_a_process("after", folder, share) for share in SHARES if _in_a_process("before", folder, share)]


def before(folder: Path, share: float) -> dict[str, Any]:
    """The night before: all records but a share of them, and what is kept of it."""
    shutil.rmtree(folder / "second", ignore_errors=True)
    (folder / "second").mkdir()
    record = pl.read_parquet(folder / "records.parquet")
    there = np.random.default_rng(_SEED).random(record.height) >= share
    record.filter(pl.Series(there)).write_parquet(folder / "second" / "before.parquet")
    clock = Clock()
    tonight(Source.of_files([folder / "second" / "before.parquet"]), AS_OF, load_model(), shelf=folder / "second" / "shelf")
    return clock.read()


def after(folder: Path, share: float) -> dict[str, Any]:
    """The night after: all records."""
    source, model = Source.of_files([folder / "records.parquet"]), load_model()
    clock = Clock()
    again = clustered(*tonight(source, AS_OF, model, shelf=folder / "second" / "shelf"), {}, model, source)
    shown = clock.read()
    clock = Clock()
    anew = clustered(*tonight(source, AS_OF, model), {}, model, source)
    assert again.rows.equals(anew.rows) and again.weighed.equals(anew.weighed), "the night after is another than the night that begins anew"
    return {"share": share, "rows": again.rows.height, "again": shown, "anew": clock.read()}


def _in_a_process(part: str, folder: Path, share: float) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-m", "benchmarks.linkage.second", part, str(folder), str(share)], check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    PARTS = {"before": before, "after": after}
    if sys.argv[1] in PARTS:
        print(json.dumps(PARTS[sys.argv[1]](Path(sys.argv[2]), float(sys.argv[3]))))
    else:
        for night in nights(Path(sys.argv[1])):
            print(json.dumps(night))
