"""What holds each row in its person: the night, its links and its clusters go in; for any rows the method, the other end, the weight and the probability come out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from matching.anchors import AGREES, CONTRADICTS
from matching.features import Members
from matching.model import Model
from matching.name_levels import LEVELS
from matching.scoring import probability

METHODS = pl.Enum(["id", "probabilistic", "review", "alone"])
_BY_ID, _BY_LINK, _BY_REVIEW, _ALONE = range(4)
Bits = npt.NDArray[np.float64]
Recs = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Holding:
    """For each distinct row: `method` (of METHODS), `linked_to` (record_hash at the other end, 0 where alone) and `weight` (bits)."""

    method: npt.NDArray[np.uint8]
    linked_to: npt.NDArray[np.uint64]
    weight: Bits
    prior: float

    def of(self, recs: Recs) -> pl.DataFrame:
        """link_method, match_weight, match_probability and linked_to of some rows."""
        method, weight = self.method[recs], self.weight[recs]
        told = pl.DataFrame({
            "link_method": pl.Series(method, dtype=pl.UInt8).cat.to(METHODS), "match_weight": weight, "match_probability": probability(weight + self.prior),
            "linked_to": self.linked_to[recs],
        }, nan_to_null=True)  # fmt: skip
        joined = pl.Series(method != _ALONE)
        return told.with_columns(pl.when(joined).then(pl.exclude("link_method")))


def holding(
    own: pl.DataFrame,
    members: Members,
    hashes: npt.NDArray[np.uint64],
    copies: npt.NDArray[np.int64],
    strongest: pl.DataFrame,
    model: Model,
) -> Holding:
    """What holds every row: its own number where another row has it too, else the heaviest link of its unit, else that it came twice.

    Args:
        own: `matching.anchors.OWN_SCHEMA`. hashes, copies: record_hash of each row, and how often it came. strongest: see `strongest_links`.
    """
    count = len(hashes)
    method = np.full(count, _ALONE, dtype=np.uint8)
    linked_to, weight = np.zeros(count, dtype=np.uint64), np.zeros(count)
    same = model.comparison("record_key").levels[0].shares
    twice = copies > 1
    method[twice], linked_to[twice], weight[twice] = _BY_LINK, hashes[twice], math.log2(same["match"] / same["stranger"])
    place = np.full(members.count, -1, dtype=np.int64)
    place[strongest["unit"].to_numpy()] = np.arange(strongest.height)
    at = place[members.unit]
    linked = at >= 0
    method[linked] = np.where(strongest["is_decided"].to_numpy(), _BY_REVIEW, _BY_LINK)[at[linked]]
    linked_to[linked] = strongest["linked_to"].to_numpy()[at[linked]]
    weight[linked] = strongest["match_weight"].fill_null(float("nan")).to_numpy()[at[linked]]
    recs, other, bits = _by_id(own, members, model)
    method[recs], linked_to[recs], weight[recs] = _BY_ID, hashes[other], bits
    return Holding(method, linked_to, weight, math.log2(model.prior / (1 - model.prior)))


def _by_id(own: pl.DataFrame, members: Members, model: Model) -> tuple[Recs, Recs, Bits]:
    """Rows that share their own number with another, the row at the other end, and the weight: the number's, the name's and the date's.

    The row at the other end is the number's anchor row; the anchor's is the smallest other row.
    """
    # a city has twenty million such rows: only the columns that are looked at
    held = own.select("rec", "anchor_rec", "name_level", "date_level").filter(own["own_id"].is_not_null())
    rec, unit = held["rec"].to_numpy(), members.unit[held["rec"].to_numpy()]
    shared = np.bincount(unit, minlength=members.count)[unit] > 1
    held, rec, unit = held.filter(shared), rec[shared], unit[shared]
    nobody = np.iinfo(np.uint32).max
    head = np.full(members.count, nobody, dtype=np.uint32)
    is_anchor = rec == held["anchor_rec"].to_numpy()
    np.minimum.at(head, unit[is_anchor], rec[is_anchor])
    second = np.full(members.count, nobody, dtype=np.uint32)
    others = rec != head[unit]
    np.minimum.at(second, unit[others], rec[others])
    other = np.where(others, head[unit], second[unit])
    return rec, other, _weights(held, model)


def _weights(held: pl.DataFrame, model: Model) -> Bits:
    """Bits of one own number, by how name and date agree with its anchor."""
    name, day, number = model.comparison("name"), model.comparison("birth_date"), model.comparison("id_number")
    names = [_bits(name.levels[name.position(each)].shares, model.frequencies.get(each, model.frequencies["name"])) for each in LEVELS]
    days = np.zeros(CONTRADICTS + 2)
    days[AGREES] = _bits(day.levels[day.position("same")].shares, model.frequencies["birth"])
    table = np.array([*names, 0.0])
    levels = held.select(pl.col("name_level").fill_null(len(LEVELS)), pl.col("date_level").fill_null(CONTRADICTS + 1))
    out: Bits = (
        _bits(number.levels[number.position("same")].shares)
        + table[levels["name_level"].to_numpy()]
        + days[levels["date_level"].to_numpy()]
    )
    return out


def _bits(shares: dict[str, float], frequency: float = 1.0) -> float:
    return math.log2(shares["match"] / shares.get("stranger", frequency))


def strongest_links(
    weighed: pl.DataFrame, cluster: pl.DataFrame, bound: pl.DataFrame, heads: npt.NDArray[np.uint64], model: Model
) -> pl.DataFrame:
    """For each unit its heaviest link inside its cluster.

    Args:
        cluster: unit, cluster. bound: l, r, decision. heads: the smallest record_hash of each unit.

    Returns:
        unit, match_weight (null where a clerk joined what was never compared), is_decided, linked_to (record_hash).
    """
    decided = bound.filter(pl.col("decision") == "same").select("l", "r").unique()
    # a city has twenty million pairs: those of a decision are picked out before they are looked for
    known = weighed.select("l", "r", "match_weight").filter(weighed["l"].is_in(decided["l"].implode()))
    linked = weighed.lazy().filter(pl.col("match_probability") >= model.link).select("l", "r", "match_weight").collect()
    held = pl.concat([
        linked.join(decided, on=["l", "r"], how="anti").with_columns(is_decided=pl.lit(False)),
        decided.join(known, on=["l", "r"], how="left").with_columns(is_decided=pl.lit(True)),
    ])  # fmt: skip
    of = cluster["cluster"].to_numpy()
    left, right = held["l"].to_numpy(), held["r"].to_numpy()
    held = held.filter((of[left] == of[right]) & (left != right))
    columns = ["unit", "other", "match_weight", "is_decided"]
    ends = pl.concat([held.rename({here: "unit", there: "other"}).select(columns) for here, there in (("l", "r"), ("r", "l"))])
    best = ends.sort("unit", "match_weight", "other", descending=[False, True, False], nulls_last=True).unique(
        "unit", keep="first", maintain_order=True
    )
    return best.select(
        "unit", "match_weight", "is_decided", linked_to=pl.Series(heads[best["other"].to_numpy()], dtype=pl.UInt64)
    )
