"""Training of the children's model: labels against the truth they were drawn from, what is learned, what stays, and what the file says of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from matching.evaluation import evaluate
from matching.labels import by_decision, by_number, by_truth
from matching.linkage import link_records
from matching.model import Model, load_model
from matching.night import Night, prepare
from matching.training import Truth, train, write_model
from schemas.tables.pair import REVIEW_QUEUE
from tests.matching.linkage_city import children, city

AS_OF = date(2026, 11, 24)
SIZE, SEED = 900, 3


@pytest.fixture(scope="module")
def town() -> tuple[pl.DataFrame, Truth]:
    """RECORD rows of a town, and whose they are; a family is known by its father's number."""
    import random

    rows, truth = city(SIZE, seed=SEED)
    born = [(c.person, c.father["id_number"], next((s.person for s in c.siblings if s.born == c.born), None)) for c in children(SIZE, random.Random(SEED))]
    return rows, Truth(truth, pl.DataFrame(born, schema={"person": pl.String, "family": pl.String, "twin_of": pl.String}, orient="row"))


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model()


@pytest.fixture(scope="module")
def night(town: tuple[pl.DataFrame, Truth], model: Model) -> Night:
    return prepare(town[0], AS_OF, model)


def _people(night: Night, town: tuple[pl.DataFrame, Truth]) -> pl.DataFrame:
    """rec, unit, person, family, twin_of."""
    rows, truth = town
    of = rows.join(truth.rows.with_columns(pl.col("source_row").cast(pl.UInt32)), on=["feed", "source_file", "source_row"]).select("record_hash", "person").unique("record_hash")
    return night.records.recs.join(night.members, on="rec").join(of, on="record_hash").join(truth.children, on="person")


def test_labels_by_truth_are_what_listing_all_pairs_gives(night: Night, town: tuple[pl.DataFrame, Truth], model: Model) -> None:
    labels = by_truth(night, town[0], town[1].rows, town[1].children)
    units = _people(night, town).group_by("unit").agg(pl.col("person", "family", "twin_of").unique()).filter(pl.col("person").list.len() == 1)
    of = {u: (p[0], f[0], t[0]) for u, p, f, t in units.iter_rows()}
    trusted = night.trusted.tolist()
    listed: dict[str, set[tuple[int, int]]] = {"match": set(), "sibling": set(), "twin": set()}
    by_family: dict[str, list[int]] = {}
    for unit, (_, family, _) in sorted(of.items()):
        for other in by_family.setdefault(family, []):
            if not (trusted[unit] and trusted[other]):
                kind = "match" if of[unit][0] == of[other][0] else "twin" if of[other][0] in (of[unit][2],) or of[unit][0] == of[other][2] else "sibling"
                listed[kind].add((other, unit))
        by_family[family].append(unit)
    for kind, pairs in listed.items():
        assert set(labels.pairs[kind].iter_rows()) == pairs, kind
        assert pairs
    for left, right in labels.pairs["stranger"].head(2000).iter_rows():
        assert of[left][1] != of[right][1]
        assert not (trusted[left] and trusted[right])


def test_labels_by_number_are_right_but_for_what_numbers_themselves_hide(night: Night, town: tuple[pl.DataFrame, Truth], model: Model) -> None:
    labels = by_number(night, model)
    people = _people(night, town).select("rec", "person", "family")
    for kind, right in (("match", pl.col("person") == pl.col("person_r")), ("stranger", pl.col("person") != pl.col("person_r")), ("sibling", (pl.col("family") == pl.col("family_r")) & (pl.col("person") != pl.col("person_r")))):
        pairs = labels.pairs[kind].join(people, left_on="l", right_on="rec").join(people, left_on="r", right_on="rec", suffix="_r")
        assert pairs.height > 100
        assert pairs.select(right.mean()).item() > 0.995, kind
    assert "relatives" in labels.taught_by["sibling"]
    assert "relatives" not in labels.taught_by["stranger"]


def test_shares_are_the_counts_beside_what_they_were_worth_before(town: tuple[pl.DataFrame, Truth], night: Night, model: Model) -> None:
    weight = 50.0
    trained = train(town[0], AS_OF, model, truth=town[1], weight=weight)
    row = trained.changes.filter(pl.col("comparison") == "sex", pl.col("level") == "different", pl.col("class") == "match").row(0, named=True)
    seen = row["after"] * (row["pairs"] + 1 / row["before"]) - 1
    assert seen == pytest.approx(round(seen), abs=1e-6)
    same = trained.model.comparison("sex").levels[0].shares["match"]
    assert same == pytest.approx((row["pairs"] - round(seen) + weight * 0.995) / (row["pairs"] + weight), abs=1e-9)
    assert trained.learned.is_empty()
    for name in ("id_number", "record_key", "document"):
        assert trained.model.comparison(name) == model.comparison(name)


def test_a_level_too_rare_to_be_seen_stays_what_it_was(town: tuple[pl.DataFrame, Truth], model: Model) -> None:
    trained = train(town[0], AS_OF, model, truth=town[1])
    before, after = (m.comparison("certificate").levels[0].shares["stranger"] for m in (model, trained.model))
    assert before == 1e-8
    assert after == pytest.approx(before, rel=0.01)


def test_without_a_truth_numbers_and_expectation_maximisation_teach(town: tuple[pl.DataFrame, Truth], model: Model) -> None:
    trained = train(town[0], AS_OF, model, weight=500)
    assert trained.labelled["match"] > 1000
    assert trained.learned.height > 3
    assert (trained.learned["likelihood_last"] >= trained.learned["likelihood_first"]).all()
    family = ("relative", "relative_id", "phone", "address", "household")
    assert not any(attribute in rule.split("+") for rule in trained.learned["rule"] for attribute in family)
    # what the town's rows say: three senders in a thousand write the wrong sex
    sex = trained.changes.filter(pl.col("comparison") == "sex", pl.col("level") == "different", pl.col("class") == "match").row(0, named=True)
    assert 0.003 < sex["after"] < 0.012


def test_a_model_trained_on_one_town_links_another(town: tuple[pl.DataFrame, Truth], model: Model) -> None:
    other, truth = city(500, seed=11)
    trained = train(town[0], AS_OF, model, truth=town[1]).model
    plain, taught = (evaluate(link_records(other, {}, AS_OF, m).tables["person_record"], truth).overall for m in (model, trained))
    assert taught.precision >= 0.999
    assert taught.f1 >= plain.f1 - 0.002


def test_clerks_decisions_are_labels(town: tuple[pl.DataFrame, Truth], night: Night, model: Model) -> None:
    people = _people(night, town).group_by("unit").agg(pl.col("rec").first(), pl.col("record_hash").first(), pl.col("person").first()).sort("unit")
    hashes = people["record_hash"].to_list()
    said = [(hashes[0], hashes[1], "different"), (hashes[2], hashes[3], "same"), (hashes[4], hashes[5], "unsure"), (hashes[6], hashes[7], None)]
    queue = pl.DataFrame(said, schema={"left_record": pl.UInt64, "right_record": pl.UInt64, "decision": pl.String}, orient="row")
    labels = by_decision(night, queue)
    assert {name: pairs.rows() for name, pairs in labels.pairs.items()} == {"match": [(2, 3)], "other": [(0, 1)]}
    empty = {c: pl.lit(None, dtype=t) for c, t in REVIEW_QUEUE.schema.items() if c not in queue.columns}
    trained = train(town[0], AS_OF, model, truth=town[1], queue=queue.with_columns(**empty))
    assert (trained.labelled["decided match"], trained.labelled["decided other"]) == (1, 1)


def test_the_file_says_what_it_was_trained_on_and_reads_back(tmp_path: Path, model: Model) -> None:
    write_model(model, tmp_path / "model.yaml", trained_on="a made-up town of 900", trained_at=AS_OF)
    again = load_model(tmp_path / "model.yaml")
    assert again == replace(model, version=model.version + 1, trained_on="a made-up town of 900", trained_at="2026-11-24")
    assert np.isclose(again.comparison("name").levels[0].shares["match"], model.comparison("name").levels[0].shares["match"])
