"""The engine's parts against what is known: names by level, known parameters, listed pairs, and the texts of its errors."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from matching import name_levels
from matching.evaluation import TruthMismatchError, evaluate
from matching.expectation import maximise
from matching.model import CHILDREN, Comparison, Level, Model, ModelError, load_model
from matching.name_levels import LEVELS, compare_names, name_table, near_sound
from matching.scoring import weigh

AS_OF = date(2026, 11, 24)


NAMES = [
    ("张浩宇", "张浩宇", "same"), ("张昊宇", "张浩宇", "same_sound"), ("覃伟", "秦伟", "same_sound"), ("张?宇", "张浩宇", "unreadable"),
    ("刘浩宇", "张浩宇", "other_surname"), ("阿迪力", "阿迪力买买提", "shortened"), ("张宇浩", "张浩宇", "order"), ("张浩雨桐", "张浩雨", "dropped"),
    ("张浩明", "张浩宇", "one_character"), ("张金", "张静", "one_character"), ("张伟", "张浩宇", "surname_only"), ("王芳", "张浩宇", "different"),
    ("ZHANGHAOYU", "张浩宇", "same_sound"), ("张WEI", "张伟", "unreadable"), ("?", "张", "different"), ("张?", "张?", "same"),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b", "level"), NAMES)
def test_two_names_compare_at_the_level(a: str, b: str, level: str) -> None:
    table = name_table(pl.Series([a, b]))
    code = dict(table.select("name", "code").iter_rows())
    for left, right in ((a, b), (b, a)):
        found = compare_names(pl.DataFrame({"a": [code[left]], "b": [code[right]]}, schema={"a": pl.UInt32, "b": pl.UInt32}), table)
        assert LEVELS[found["level"].item()] == level


def test_levels_of_names_are_those_of_the_model() -> None:
    assert tuple(level.name for level in load_model().comparison("name").levels) == (*LEVELS, "newborn")
    assert LEVELS[name_levels.SURNAME] == "surname_only"


@pytest.mark.parametrize(("a", "b"), [("zhang", "zan"), ("lin", "ning"), ("hui", "fui"), ("cheng", "chen")])
def test_dictation_confuses_sounds(a: str, b: str) -> None:
    assert near_sound(a) == near_sound(b)


def _two_levels() -> Model:
    """A model of three yes-or-no comparisons and two classes."""
    shares = (("a", 0.95, 0.02), ("b", 0.9, 0.1), ("c", 0.8, 0.3))
    comparisons = tuple(
        Comparison(name, name, (Level("same", "same", {"match": m, "stranger": u}, False, False), Level("other", "other", {"match": 1 - m, "stranger": 1 - u}, False, False)))
        for name, m, u in shares
    )  # fmt: skip
    return replace(load_model(), comparisons=comparisons, classes={}, prior=0.2)


def test_a_weight_is_the_log_of_the_ratio() -> None:
    pairs = pl.DataFrame({"a": [0, 1, None], "b": [0, 0, None], "c": [1, None, None]}, schema=dict.fromkeys("abc", pl.Int8))
    weighed = weigh(pairs, _two_levels())
    first = math.log2(0.95 / 0.02) + math.log2(0.9 / 0.1) + math.log2(0.2 / 0.7)
    assert weighed["match_weight"].to_list() == pytest.approx([first, math.log2(0.05 / 0.98) + math.log2(9), 0.0])
    assert weighed["match_probability"][2] == pytest.approx(0.2)
    odds = 2**first * 0.25
    assert weighed["match_probability"][0] == pytest.approx(odds / (1 + odds))


def test_what_families_share_weighs_nothing_against_a_twin() -> None:
    model = load_model()
    base = {c.name: [None] * 2 for c in model.comparisons}
    level = lambda name, of: model.comparison(name).position(of)  # noqa: E731
    twins = base | {"name": [level("name", "surname_only")] * 2, "birth_date": [level("birth_date", "same")] * 2, "sex": [0, 0]}
    twins |= {"relatives": [None, level("relatives", "two_same")], "phone": [None, level("phone", "same")]}
    frame = pl.DataFrame(twins, schema=dict.fromkeys(base, pl.Int8)).with_columns(name_frequency=pl.lit(None, dtype=pl.Float64), birth_date_frequency=pl.lit(1.7e-4))
    weighed = weigh(frame, model)
    assert weighed["match_probability"].max() < 0.9
    assert weighed["pair_probability"][1] < model.apart
    assert weighed["w_family"][1] < -20


def test_maximisation_recovers_what_made_the_pairs() -> None:
    model, rng = _two_levels(), np.random.default_rng(8)
    truth = {"match": (0.95, 0.9, 0.8), "stranger": (0.02, 0.1, 0.3)}
    drawn = []
    for name, size in (("match", 6000), ("stranger", 24000)):
        drawn.append(np.column_stack([(rng.random(size) >= p).astype(np.int8) for p in truth[name]]))
    patterns = pl.DataFrame(np.vstack(drawn), schema=dict.fromkeys("abc", pl.Int8)).group_by("a", "b", "c").agg(count=pl.len()).sort("a", "b", "c")
    found = maximise(patterns, replace(model, comparisons=tuple(_blunted(c) for c in model.comparisons)))
    assert found.weights["match"] == pytest.approx(0.2, abs=0.03)
    for name, shares in truth.items():
        for comparison, share in zip("abc", shares, strict=True):
            assert found.shares[name][comparison][0] == pytest.approx(share, abs=0.04)
    gains = np.diff(found.likelihoods)
    assert (gains > -1e-12).all()
    assert len(found.likelihoods) < 200


def _blunted(comparison: Comparison) -> Comparison:
    """A start far from the truth."""
    same, other = comparison.levels
    return replace(comparison, levels=(replace(same, shares={"match": 0.7, "stranger": 0.3}), replace(other, shares={"match": 0.3, "stranger": 0.7})))


def test_held_classes_stay_as_they_are() -> None:
    patterns = pl.DataFrame({"a": [0, 1], "b": [0, 1], "c": [0, 1], "count": [30, 70]}, schema_overrides=dict.fromkeys("abc", pl.Int8))
    found = maximise(patterns, _two_levels(), hold=("stranger",))
    assert found.shares["stranger"]["a"].tolist() == pytest.approx([0.02, 0.98])


WRONG = [
    (lambda m: m.pop("prior"), r"model.yaml: needs prior; it has: version"),
    (lambda m: m.update(prior=0), r"model.yaml: prior must be a number above 0 and at most 1, not 0"),
    (lambda m: m["comparisons"]["sex"]["levels"]["same"].pop("twin"), r"model.yaml: comparisons.sex.same: needs a share for twin"),
    (lambda m: m["comparisons"]["sex"]["levels"]["same"].update(match="often"), r"comparisons.sex.same: match must be a number above 0 and at most 1, not 'often'"),
    (lambda m: m["comparisons"]["sex"]["levels"]["different"].update(match=0.5), r"comparisons.sex: the shares of match come to 1.495; they must not exceed 1"),
]


@pytest.mark.parametrize(("spoil", "message"), WRONG, ids=[m[:40] for _, m in WRONG])
def test_a_wrong_model_file_says_what_is_wrong(spoil: object, message: str, tmp_path: Path) -> None:
    body = yaml.safe_load(CHILDREN.read_text(encoding="utf-8"))
    spoil(body)  # type: ignore[operator]
    (tmp_path / "model.yaml").write_text(yaml.safe_dump(body, allow_unicode=True, sort_keys=False), encoding="utf-8")
    with pytest.raises(ModelError, match=message):
        load_model(tmp_path / "model.yaml")


def _rows(people: list[tuple[str, str, str]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """person_record and truth of rows (feed, person_id, true child)."""
    base = [{"feed": f, "source_file": f"{f}.csv", "source_row": i + 1, "person_id": p, "person": t} for i, (f, p, t) in enumerate(people)]
    frame = pl.DataFrame(base, schema_overrides={"source_row": pl.UInt32})
    null = {"link_method": pl.lit("id"), "linked_to": pl.lit(None, dtype=pl.UInt64), "match_probability": pl.lit(None, dtype=pl.Float64), "id_role": pl.lit("own")}
    return frame.drop("person").with_row_index("record_hash").with_columns(**null), frame.drop("person_id").with_columns(damage=pl.lit("name_wrong;id_missing"))


def test_evaluation_counts_what_listing_pairs_counts() -> None:
    rng = random.Random(2)
    people = [(rng.choice(["health", "survey", "education"]), f"C{rng.randrange(6)}", f"P{rng.randrange(6)}") for _ in range(40)]
    result = evaluate(*_rows(people))
    listed = list(itertools.combinations(people, 2))
    both = sum(a[1] == b[1] and a[2] == b[2] for a, b in listed)
    joined, true = sum(a[1] == b[1] for a, b in listed), sum(a[2] == b[2] for a, b in listed)
    assert (result.overall.both, result.overall.joined, result.overall.true) == (both, joined, true)
    assert result.by_feed_pair["joined"].sum() == joined
    assert result.by_feed_pair["both"].sum() == both
    line = result.by_feed_pair.filter(pl.col("feed") == "health", pl.col("feed_r") == "survey").row(0, named=True)
    assert line["true"] == sum(a[2] == b[2] and {a[0], b[0]} == {"health", "survey"} for a, b in listed)
    assert result.by_damage.filter(pl.col("damage") == "id_missing")["true"].item() == true


def test_evaluation_names_the_rows_on_the_wrong_side_and_no_person() -> None:
    held, truth = _rows([("health", "C1", "P1"), ("survey", "C1", "P1"), ("survey", "C1", "P2"), ("education", "C2", "P1")])
    result = evaluate(held, truth, pl.DataFrame({"person": ["P1"], "twin": ["P2"]}))
    assert (result.persons_mixed, result.children_split, result.twins_apart) == (1, 1, 0.0)
    assert result.worst.select("kind", "feed", "source_row", "pairs").rows() == [("missed", "education", 4, 2), ("wrongly_joined", "survey", 3, 2)]
    assert "name" not in result.worst.columns


def test_the_truth_of_another_city_is_refused() -> None:
    held, truth = _rows([("health", "C1", "P1"), ("survey", "C1", "P1")])
    with pytest.raises(TruthMismatchError, match="1 of 2 linked rows are not in the truth records"):
        evaluate(held, truth.head(1))
