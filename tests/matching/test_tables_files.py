"""What `childflow link` is given and cannot use, or reads in whatever form; its command; every error by its text."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest

from flows.cli import main
from flows.link import linking
from matching.tables.link import link_tables
from matching.tables.spec import load_spec
from matching.tables.spec_levels import LinkError
from tests.matching.tables_given import GOOD, LEVELS, MODEL, ROWS, SURE, people, spec_of, table


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


def test_headings_that_polars_would_take_for_patterns_are_headings(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("^.*$,*,name\n1,x,ann\n2,x,bob\n3,y,ann\n", encoding="utf-8")
    body = {"id": "^.*$", "blocking": [["star"]], "columns": {"star": {"column": "*"}}, "prior": 0.1, "comparisons": {"star": SURE, "name": SURE}}
    found = link_tables(load_spec(spec_of(tmp_path, body)), [tmp_path / "t.csv"]).pairs
    assert found.select("id_l", "id_r", "star").rows() == [("1", "2", "same")]


# --- what cannot be used

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
    model, files = spec_of(tmp_path, MODEL), people(tmp_path, count=200)
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
    pl.read_csv(people(tmp_path, count=50)[0], infer_schema=False).write_parquet(table)
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
