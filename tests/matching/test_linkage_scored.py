"""What is said of a linkage without joining anything: intervals, calibration, thresholds, blocking recall, and the charts of them."""

from __future__ import annotations

import itertools
import random
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from matching.charts import write_charts
from matching.model import load_model
from matching.night import prepare
from matching.sampling import same_share, stratified, wilson
from matching.scored import STEPS, Scored, calibration, score, thresholds
from tests.matching.linkage_city import city

AS_OF = date(2026, 11, 24)


# --- intervals

# R's binom::binom.wilson(k, n)
@pytest.mark.parametrize(("hits", "reviewed", "low", "high"), [(0, 10, 0.0, 0.27753), (10, 10, 0.72247, 1.0), (81, 263, 0.25528, 0.36619), (1, 1, 0.20654, 1.0), (0, 0, 0.0, 1.0)])
def test_wilson_intervals_are_those_of_the_book(hits: int, reviewed: int, low: float, high: float) -> None:
    assert wilson(hits, reviewed) == pytest.approx((low, high), abs=5e-5)


def test_a_stratified_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = random.Random(4)
    shares, sizes, reviewed = (0.05, 0.4, 0.9), (400, 200, 300), (40, 40, 40)
    covered = 0
    for _ in range(300):
        wholes = [[rng.random() < share for _ in range(size)] for share, size in zip(shares, sizes, strict=True)]
        strata = [(size, n, sum(rng.sample(whole, n))) for whole, size, n in zip(wholes, sizes, reviewed, strict=True)]
        found = stratified(strata)
        assert found is not None
        covered += found.low <= sum(map(sum, wholes)) / sum(sizes) <= found.high
    assert 0.92 <= covered / 300 <= 1.0


def test_strata_nobody_looked_at_go_with_the_next_and_whole_ones_have_no_error() -> None:
    assert stratified([(10, 0, 0), (5, 0, 0)]) is None
    whole = stratified([(10, 10, 3), (30, 30, 30)])
    assert whole is not None
    assert (whole.value, whole.low, whole.high) == pytest.approx((33 / 40,) * 3)
    merged, plain = stratified([(10, 0, 0), (20, 8, 2), (30, 0, 0), (40, 10, 9)]), stratified([(60, 8, 2), (40, 10, 9)])
    assert merged == plain


def test_unsure_counts_as_not_looked_at() -> None:
    said = [(0.15, "same"), (0.15, "different"), (0.15, None), (0.15, "unsure"), (0.95, "same"), (0.95, None)]
    share, strata = same_share(pl.DataFrame(said, schema={"match_probability": pl.Float64, "decision": pl.String}, orient="row"))
    assert strata.select("from", "to", "pairs", "reviewed", "same").rows() == [(0.0, 0.2, 4, 2, 1), (0.9, 1.0, 2, 1, 1)]
    assert share is not None
    assert share.value == pytest.approx((4 * 0.5 + 2) / 6)
    assert (share.reviewed, share.of) == (3, 6)
    nobody, _ = same_share(pl.DataFrame({"match_probability": [0.5], "decision": [None]}, schema_overrides={"decision": pl.String}))
    assert nobody is None


# --- the weights

@pytest.fixture(scope="module")
def scored() -> Scored:
    rows, truth = city(400, seed=21)
    return score(rows, AS_OF, load_model(), truth)


def test_true_pairs_and_blocking_recall_are_those_of_listing_all(scored: Scored) -> None:
    rows, truth = city(400, seed=21)
    night = prepare(rows, AS_OF, load_model())
    of = rows.join(truth.with_columns(pl.col("source_row").cast(pl.UInt32)), on=["feed", "source_file", "source_row"]).select("record_hash", "person").unique("record_hash")
    people = night.records.recs.join(night.members, on="rec").join(of, on="record_hash")
    units = people.group_by("unit").agg(pl.col("person").min()).sort("unit")
    trusted, person = night.trusted.tolist(), units["person"].to_list()
    listed = [(a, b) for a, b in itertools.combinations(units["unit"].to_list(), 2) if person[a] == person[b] and not (trusted[a] and trusted[b])]
    assert scored.true == len(listed) > 50
    assert scored.pairs["is_true"].sum() <= scored.true
    assert 0.97 < scored.recall <= 1


def test_thresholds_count_what_counting_pairs_one_by_one_counts(scored: Scored) -> None:
    pairs = scored.pairs.rows()
    for row in thresholds(scored).iter_rows(named=True):
        linked = [true for probability, true in pairs if probability >= row["threshold"]]
        assert (row["linked"], row["right"]) == (len(linked), sum(linked))
        assert row["recall"] == pytest.approx(sum(linked) / scored.true)
        assert row["precision"] == pytest.approx(sum(linked) / len(linked) if linked else 1.0)
    assert thresholds(scored)["recall"].is_sorted(descending=True)


def test_calibration_puts_each_pair_in_one_step(scored: Scored) -> None:
    steps = calibration(scored)
    assert steps["pairs"].sum() == scored.pairs.height
    for row in steps.iter_rows(named=True):
        held = [true for p, true in scored.pairs.iter_rows() if row["from"] <= p and (p < row["to"] or row["to"] == STEPS[-1])]
        assert row["right"] == pytest.approx(sum(held) / len(held))
        assert row["low"] - 1e-9 <= row["right"] <= row["high"] + 1e-9
    assert steps["right"][-1] > 0.99
    assert steps["right"][0] < 0.01


def test_charts_are_written_and_hold_what_was_measured(scored: Scored, tmp_path: Path) -> None:
    written = write_charts(calibration(scored), thresholds(scored), tmp_path / "plots", link=0.95, review=0.1)
    assert [p.name for p in written] == ["calibration.svg", "thresholds.svg"]
    first, second = (p.read_text("utf-8") for p in written)
    assert first.startswith("<svg")
    assert "probability the model states" in first
    assert "precision" in second
    points = second.partition('role-mark layer_2_layer_1_marks"')[2]
    assert points.count("<path aria-label=") == 2 * thresholds(scored).height
