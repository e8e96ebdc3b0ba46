"""What a sample says of the whole: counts of reviewed pairs go in; shares with intervals come out (Wilson 1927; stratified: Cochran 1977, ch. 5).

A clerk looks at some of the doubtful pairs. Within a stratum of like probability those looked at stand for those not looked at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import polars as pl

# two-sided, 95 %
Z = 1.959964
# pairs of like probability: from, to
STRATA = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0)


@dataclass(frozen=True)
class Share:
    """An estimated share with its 95 % interval, and the pairs it rests on."""

    value: float
    low: float
    high: float
    reviewed: int
    of: int


def wilson(hits: int, reviewed: int) -> tuple[float, float]:
    """The 95 % interval of a share of which `hits` of `reviewed` were seen; 0 to 1 where nothing was."""
    if not reviewed:
        return 0.0, 1.0
    share, z2 = hits / reviewed, Z * Z
    middle = (share + z2 / (2 * reviewed)) / (1 + z2 / reviewed)
    half = Z / (1 + z2 / reviewed) * math.sqrt(share * (1 - share) / reviewed + z2 / (4 * reviewed**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def same_share(queue: pl.DataFrame) -> tuple[Share | None, pl.DataFrame]:
    """The share of the queue's pairs that are one child, from the decided ones; unsure counts as not looked at.

    Args:
        queue: REVIEW_QUEUE.

    Returns:
        The share over all pairs (null where nobody has decided), and by stratum: from, to, pairs, reviewed, same, share, low, high (Wilson).
    """
    edges = list(STRATA[1:-1])
    at = pl.sum_horizontal(*((pl.col("match_probability") >= e).cast(pl.Int32) for e in edges))
    decided, same = pl.col("decision").is_in(["same", "different"]).fill_null(False), (pl.col("decision") == "same").fill_null(False)
    strata = queue.group_by(at.alias("stratum")).agg(pairs=pl.len(), reviewed=decided.sum(), same=same.sum()).sort("stratum")
    rows = []
    for stratum, pairs, reviewed, hits in strata.iter_rows():
        low, high = wilson(hits, reviewed)
        rows.append((STRATA[stratum], STRATA[stratum + 1], pairs, reviewed, hits, hits / reviewed if reviewed else None, low, high))
    schema = {"from": pl.Float64, "to": pl.Float64, "pairs": pl.Int64, "reviewed": pl.Int64, "same": pl.Int64, "share": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    table = pl.DataFrame(rows, schema=schema, orient="row")
    return stratified(table.select("pairs", "reviewed", "same").rows()), table


def stratified(strata: list[tuple[int, int, int]]) -> Share | None:
    """The share over all strata of (pairs, reviewed, same), those without a reviewed pair counted with the next below that has one, or else above.

    Strata looked at whole have no error of sampling. Null where nothing was reviewed.
    """
    seen = [i for i, (_, reviewed, _) in enumerate(strata) if reviewed]
    if not seen:
        return None
    merged = dict.fromkeys(seen, 0)
    for i, (pairs, _, _) in enumerate(strata):
        merged[max((s for s in seen if s <= i), default=seen[0])] += pairs
    whole = sum(merged.values())
    value = variance = 0.0
    for i, pairs in merged.items():
        _, reviewed, same = strata[i]
        weight = pairs / whole
        value += weight * same / reviewed
        # two of each added, so that a stratum without a miss is not taken for sure (Agresti and Coull 1998)
        softened = (same + 2) / (reviewed + 4)
        variance += weight**2 * softened * (1 - softened) / (reviewed + 4) * (1 - reviewed / pairs)
    half = Z * math.sqrt(variance)
    return Share(value, max(0.0, value - half), min(1.0, value + half), sum(strata[i][1] for i in seen), whole)
