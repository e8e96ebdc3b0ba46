"""A model frozen with its numbers: a model file's body and the estimated model go in; a YAML file that gives the same weights again comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from matching.model import Model
from matching.tables.spec import ComparisonSpec, Spec


def save_model(spec: Spec, model: Model, path: Path) -> None:
    """Writes the model with prior, m and u filled in; u is left out where a level goes by term frequency."""
    comparisons = {c.name: _comparison(spec.body["comparisons"][c.name], c, model) for c in spec.comparisons}
    body = {**spec.body, "prior": float(f"{model.prior:.6g}"), "comparisons": comparisons}
    path.write_text(yaml.safe_dump(body, allow_unicode=True, sort_keys=False, width=160, default_flow_style=None), encoding="utf-8")


def _comparison(body: dict[str, Any], comparison: ComparisonSpec, model: Model) -> dict[str, Any]:
    """One comparison's part of the file; `else` is written out, for it has numbers too."""
    levels = []
    parts = [*body["levels"], {"else": True}] if len(body["levels"]) < len(comparison.levels) else body["levels"]
    for part, level in zip(parts, model.comparison(comparison.name).levels, strict=True):
        shares = {short: float(f"{level.shares[name]:.6g}") for short, name in (("m", "match"), ("u", "stranger")) if name in level.shares}
        levels.append({**part, **shares})
    return {**body, "levels": levels}
