"""One contestant in a process of its own. Enters: its name and a folder with the records. Leaves: a line of JSON: seconds, memory, pairs and accuracy.

The clock runs from the Parquet file of standardised records to clusters; training and counting what was right lie outside it. Accuracy is over all
pairs of records. Splink's thresholds for edges and clusters are those that the truth says are best for it; ours is the model's.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.linkage import peer
from benchmarks.linkage.city import AS_OF
from benchmarks.linkage.clock import Clock
from matching import anchors
from matching.again.source import Source
from matching.coding import code_records
from matching.evaluation import count_pairs
from matching.linkage import clustered, tonight
from matching.model import load_model
from matching.night import members_of
from schemas.tables.record import RECORD

THRESHOLDS = (0.5, 0.8, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999, 0.99999, 0.999999)


def ours(folder: Path) -> dict[str, Any]:
    """This project's engine."""
    clock = Clock()
    model = load_model()
    source = Source.of_files([folder / "records.parquet"])
    found = clustered(*tonight(source, AS_OF, model), {}, model, source)
    shown = clock.read()
    record = pl.read_parquet(folder / "records.parquet", columns=["record_hash"])
    of = record.with_row_index("unique_id").join(found.rows.select("record_hash", "unit", "cluster"), on="record_hash", how="left")
    truth = pl.read_parquet(folder / "truth.parquet").join(of, on="unique_id")
    links = found.weighed.filter(pl.col("match_probability") >= model.link, ~pl.col("both_trusted")).select("l", "r")
    return shown | {
        "pairs": found.weighed.height,
        "blocking_recall": _found(truth, found.weighed)[0] / count_pairs(truth.rename({"unit": "person_id"})).true,
        **_edges(*_found(truth, links), truth),
        **_clusters(truth.rename({"cluster": "person_id"})),
        "threshold": model.link,
    }


def _found(truth: pl.DataFrame, pairs: pl.DataFrame) -> tuple[int, int]:
    """Of all pairs of records inside one unit or of two units of `pairs`: how many are one child's, and how many there are."""
    held = truth.group_by("unit", "person").agg(n=pl.len().cast(pl.Int64))
    sizes = truth.group_by("unit").agg(n=pl.len().cast(pl.Int64))
    between = pairs.join(held, left_on="l", right_on="unit").join(held, left_on=["r", "person"], right_on=["unit", "person"], suffix="_r")
    every = pairs.join(sizes, left_on="l", right_on="unit").join(sizes, left_on="r", right_on="unit", suffix="_r")
    within = count_pairs(truth.rename({"unit": "person_id"}))
    return within.both + int((between["n"] * between["n_r"]).sum()), within.joined + int((every["n"] * every["n_r"]).sum())


def splink(folder: Path, rules: str, *, veto: bool = False) -> dict[str, Any]:
    """Splink on the records as they are."""
    clock = Clock()
    truth = pl.read_parquet(folder / "truth.parquet").with_columns(unit=pl.col("unique_id"))
    return _splink(folder / "flat.parquet", folder, rules, veto, clock, truth)


def behind(folder: Path) -> dict[str, Any]:
    """Splink on what our id-first pass leaves: a row a unit, with the guardians and phones of all its rows; two own numbers never one child."""
    clock = Clock()
    record = RECORD.conform(pl.read_parquet(folder / "records.parquet"))
    records = code_records(record)
    own = anchors.own_numbers(records, AS_OF)
    members = members_of(records.count, own, anchors.changed_numbers(records, own))
    unit = records.recs.with_columns(unit=pl.Series(members.unit))
    flat = pl.read_parquet(folder / "flat.parquet").with_columns(
        record.select("record_hash").join(unit, on="record_hash", how="left", maintain_order="left")["unit"]
    )
    arrays = ("guardians", "phones")
    single = [c for c in flat.columns if c not in ("unit", "unique_id", *arrays)]
    one = (
        flat.sort("unit", "unique_id")
        .group_by("unit", maintain_order=True)
        .agg(*(pl.col(c).drop_nulls().first() for c in single), *(pl.col(c).explode().drop_nulls().unique().sort() for c in arrays))
    )
    one = one.with_columns(pl.when(pl.col(c).list.len() > 0).then(c) for c in arrays).rename({"unit": "unique_id"})
    one.write_parquet(folder / "units.parquet")
    truth = pl.read_parquet(folder / "truth.parquet").with_columns(flat["unit"])
    del record, records, flat, one
    return _splink(folder / "units.parquet", folder, "tight", True, clock, truth)


def _splink(flat: Path, folder: Path, rules: str, veto: bool, clock: Clock, truth: pl.DataFrame) -> dict[str, Any]:
    """Blocking, scoring, clustering; `truth` has unique_id, unit (what Splink's rows are) and person."""
    linker, con = peer.linker(flat, str(folder / f"splink_{rules}.json"))
    blocked = linker.inference.compute_blocked_pairs_for_predict()
    scored = linker.inference.predict(threshold_match_probability=min(THRESHOLDS), warning_mode="never")
    if veto:
        con.execute(f"CREATE TABLE kept AS SELECT * FROM {scored.physical_name} WHERE NOT coalesce({peer.VETO}, false)")
        scored = linker._db_api.register("kept")
    before = clock.read()
    edges = con.sql(f"SELECT unique_id_l AS l, unique_id_r AS r, match_probability AS p FROM {scored.physical_name}").pl()
    paired = con.sql(f"SELECT join_key_l AS l, join_key_r AS r FROM {blocked.physical_name}").pl()
    best = max(THRESHOLDS, key=lambda t: _clusters(_components(truth, edges.filter(pl.col("p") >= t)))["cluster_f1"])
    best_edges = max((_edges(*_found(truth, edges.filter(pl.col("p") >= t)), truth) for t in THRESHOLDS), key=lambda e: e["edge_f1"])
    again = Clock()
    clustered = linker.clustering.cluster_pairwise_predictions_at_threshold(scored, threshold_match_probability=best)
    after = again.read()
    clusters = con.sql(f"SELECT cluster_id AS person_id, unique_id AS unit FROM {clustered.physical_name}").pl()
    return {
        "seconds": before["seconds"] + after["seconds"], "cpu_seconds": before["cpu_seconds"] + after["cpu_seconds"], "peak_mib": before["peak_mib"],
        "pairs": paired.height, "blocking_recall": _found(truth, paired)[0] / count_pairs(truth.rename({"unit": "person_id"})).true,
        **best_edges, **_clusters(truth.join(clusters, on="unit")), "threshold": best,
    }  # fmt: skip


def _components(truth: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    """The truth with person_id: the connected component of each unit."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = int(truth["unit"].cast(pl.Int64).max() or 0) + 1  # type: ignore[arg-type]
    graph = coo_array((np.ones(edges.height, dtype=np.int8), (edges["l"].to_numpy(), edges["r"].to_numpy())), shape=(count, count))
    return truth.with_columns(person_id=pl.Series(connected_components(graph, directed=False)[1][truth["unit"].to_numpy()]))


def _edges(both: int, joined: int, truth: pl.DataFrame) -> dict[str, float]:
    true = count_pairs(truth.with_columns(person_id="person")).true
    return {"edge_f1": 2 * both / (joined + true), "edge_wrong": joined - both}


def _clusters(rows: pl.DataFrame) -> dict[str, float]:
    counted = count_pairs(rows)
    return {
        "cluster_f1": counted.f1, "precision": counted.precision, "recall": counted.recall,
        "wrong_pairs": counted.joined - counted.both, "missed_pairs": counted.true - counted.both,
    }  # fmt: skip


CONTESTANTS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "childflow": ours,
    "splink tight": lambda folder: splink(folder, "tight"),
    "splink tight, twin veto": lambda folder: splink(folder, "tight", veto=True),
    "splink behind our id-first pass": behind,
    "splink wide": lambda folder: splink(folder, "wide"),
    "splink loose": lambda folder: splink(folder, "loose"),
}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(CONTESTANTS[sys.argv[1]](Path(sys.argv[2]))) + "\n")
