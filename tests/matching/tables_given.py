"""Models, tables and people for the tests of the engine on anybody's tables."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import yaml

SURE = {"levels": [{"exact": True, "m": 0.9, "u": 0.001}, {"else": True, "m": 0.1, "u": 0.999}]}
LEVELS = {"levels": [{"exact": True}]}
GOOD = {"id": "id", "blocking": [["name"]], "comparisons": {"name": LEVELS}}
ROWS = [{"id": "1", "name": "ann", "blank": None, "when": "2020-01-01"}, {"id": "2", "name": "ann", "blank": " ", "when": "2020-01-02"}, {"id": "3", "name": "bob", "blank": None, "when": "2020-01-03"}]
SHARES = {"a": (0.95, 0.02), "b": (0.9, 0.1), "c": (0.8, 0.05), "d": (0.7, 0.25), "e": (0.85, 0.01)}
MODEL = {"id": "id", "blocking": [["a"], ["b", "c"]], "comparisons": {c: {"levels": [{"exact": True}]} for c in SHARES}}


def spec_of(folder: Path, body: dict[str, object]) -> Path:
    """A model file of a body."""
    path = folder / "model.yaml"
    path.write_text(yaml.safe_dump(body, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def table(folder: Path, name: str, rows: list[dict[str, object]]) -> Path:
    """A CSV file of rows."""
    path = folder / name
    pl.DataFrame(rows, infer_schema_length=None).write_csv(path)
    return path


def people(folder: Path, seed: int = 1, count: int = 3000) -> list[Path]:
    """Two tables whose values agree as SHARES says: each column of so many even values, kept with the chance of m."""
    rng = random.Random(seed)
    first, second = [], []
    for i in range(count):
        values = {c: rng.randrange(round(1 / u)) for c, (_, u) in SHARES.items()}
        first.append({"id": f"l{i}"} | {c: f"{c}{v}" for c, v in values.items()})
        kept = {c: v if rng.random() < (m - u) / (1 - u) else rng.randrange(round(1 / u)) for (c, v), (m, u) in zip(values.items(), SHARES.values(), strict=True)}
        second.append({"id": f"r{i}"} | {c: f"{c}{v}" for c, v in kept.items()})
    return [table(folder, "left.csv", first), table(folder, "right.csv", second)]
