"""The weights themselves against the truth: a night's records and whose they are go in; blocking recall, calibration and a threshold chart's figures come out.

Pairs are weighed anew, before clustering and whatever clerks decided: what is judged is the model, not what was made of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from matching.blocking import block
from matching.comparisons import compare
from matching.evaluation import blocking_recall
from matching.model import Model
from matching.night import prepare
from matching.sampling import wilson
from matching.scoring import weigh

# bounds of the steps in which probabilities are judged: fine where they matter
STEPS = (0.0, 0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999, 1.0)
THRESHOLDS = tuple(float(t) for t in np.round([*np.arange(0.05, 0.95, 0.05), 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999], 4))


@dataclass(frozen=True)
class Scored:
    """Candidate pairs with a side that has no number: `match_probability`, `is_true`.

    Attributes:
        true: true pairs of units with such a side, candidates or not. recall: share of the true pairs of distinct rows that blocking or a number finds.
    """

    pairs: pl.DataFrame
    true: int
    recall: float


def score(record: pl.DataFrame, as_of: date, model: Model, truth_rows: pl.DataFrame) -> Scored:
    """Weighs the records of a night.

    Args:
        record: RECORD. truth_rows: feed, source_file, source_row, person.
    """
    night = prepare(record, as_of, model)
    known = truth_rows.select("feed", "source_file", pl.col("source_row").cast(pl.UInt32), "person")
    told = record.join(known, on=["feed", "source_file", "source_row"]).group_by("record_hash").agg(pl.col("person").min())
    rows = night.records.recs.join(told, on="record_hash").select("rec", "person")
    pairs = block(night.units.values, night.trusted).pairs
    recall = blocking_recall(pairs, night.members, rows)
    flags = night.trusted
    pairs = pairs.filter(~pl.Series(flags[pairs["l"].to_numpy()] & flags[pairs["r"].to_numpy()]))
    weighed = weigh(compare(pairs, night.units, model), model).select("l", "r", "match_probability")
    person = night.members.join(rows, on="rec").group_by("unit").agg(pl.col("person").min())
    judged = weighed.join(person, left_on="l", right_on="unit").join(person, left_on="r", right_on="unit", suffix="_r")
    sizes = person.join(night.trust, on="unit").group_by("person").agg(all=pl.len().cast(pl.Int64), sure=pl.col("is_trusted").sum().cast(pl.Int64))
    among = sizes.select((pl.col("all") * (pl.col("all") - 1) - pl.col("sure") * (pl.col("sure") - 1)).sum() // 2).item()
    return Scored(judged.select("match_probability", is_true=pl.col("person") == pl.col("person_r")), int(among or 0), recall)


def calibration(scored: Scored) -> pl.DataFrame:
    """How often pairs of a probability are true: from, to, pairs, mean_probability, right, low, high (Wilson, 95 %), a row a step that has pairs."""
    step = pl.sum_horizontal(*((pl.col("match_probability") >= s).cast(pl.Int32) for s in STEPS[1:-1]))
    found = scored.pairs.group_by(step.alias("step")).agg(
        pairs=pl.len(), mean_probability=pl.col("match_probability").mean(), hits=pl.col("is_true").sum()
    ).sort("step")  # fmt: skip
    rows = [
        (STEPS[s], STEPS[s + 1], pairs, mean, hits / pairs, *wilson(hits, pairs))
        for s, pairs, mean, hits in found.iter_rows()
    ]
    schema = {"from": pl.Float64, "to": pl.Float64, "pairs": pl.Int64, "mean_probability": pl.Float64, "right": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def thresholds(scored: Scored) -> pl.DataFrame:
    """What linking from a probability on would give: threshold, linked, right, precision, recall (of all true pairs with a side that has no number)."""
    order = scored.pairs.sort("match_probability", descending=True)
    probability, right = order["match_probability"].to_numpy(), order["is_true"].cum_sum().to_numpy()
    linked = [int(np.searchsorted(-probability, -t, side="right")) for t in THRESHOLDS]
    hits = [int(right[n - 1]) if n else 0 for n in linked]
    table = pl.DataFrame({"threshold": THRESHOLDS, "linked": linked, "right": hits}, schema={"threshold": pl.Float64, "linked": pl.Int64, "right": pl.Int64})
    return table.with_columns(
        precision=pl.when(pl.col("linked") > 0).then(pl.col("right") / pl.col("linked")).otherwise(1.0),
        recall=pl.lit(1.0) if not scored.true else pl.col("right") / scored.true,
    )
