"""The pseudonymised copy: what a pseudonym is, what is refused, and that nothing left out by the policy gets in."""

from __future__ import annotations

import hashlib
import hmac
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from publish.handing import Sender
from publish.layout import LayoutError
from publish.pseudonyms import _LAYOUT, KeyUnusableError, Policy, pseudonymise
from schemas.tables.register import REGISTER_TABLES
from tests.publish.handouts_city import SENDER, child, seen_by, tables, write_register

KEY = b"0123456789abcdef0123456789abcdef"
SENTINEL = "哨兵"


def keyed(value: object, key: bytes = KEY) -> str:
    return "K" + hmac.new(key, str(value).encode(), hashlib.sha256).hexdigest()[:24]


def copied(tmp_path: Path, key: bytes = KEY, name: str = "copy.duckdb", **more: Any) -> duckdb.DuckDBPyConnection:
    children = [child("p1"), child("p2", outcome="not_flowing", reason="same_district"), child("p3", name=SENTINEL)]
    register = write_register(tmp_path / "register.duckdb", tables(children, **seen_by("education", "p1", "500116201503011239"), **more))
    assert pseudonymise(register, tmp_path / name, key, SENDER) == 3
    return duckdb.connect(str(tmp_path / name), read_only=True)


@pytest.mark.parametrize("key", [KEY, b"k" * 64, b"long " * 40])
def test_a_pseudonym_is_the_keyed_hash_of_the_identifier(key: bytes, tmp_path: Path) -> None:
    with copied(tmp_path, key) as con:
        found = [p for (p,) in con.execute("SELECT person_id FROM person ORDER BY 1").fetchall()]
    assert found == sorted(keyed(p, key) for p in ("p1", "p2", "p3"))


def test_the_same_child_has_the_same_pseudonym_in_every_table_and_every_copy(tmp_path: Path) -> None:
    with copied(tmp_path) as con:
        joined = con.execute("SELECT count(*), count(a.person_id), count(f.person_id), count(r.record_hash) FROM person p LEFT JOIN assessment a USING (person_id)"
                             " LEFT JOIN flowing_child f USING (person_id) LEFT JOIN person_record r USING (person_id)").fetchall()  # fmt: skip
        first = con.execute("SELECT person_id, outcome FROM assessment ORDER BY ALL").fetchall()
    assert joined == [(3, 3, 2, 1)]
    with copied(tmp_path, name="again.duckdb") as con:
        assert con.execute("SELECT person_id, outcome FROM assessment ORDER BY ALL").fetchall() == first
    with copied(tmp_path, b"another key, of thirty-two bytes", "other.duckdb") as con:
        assert not {p for p, _ in con.execute("SELECT person_id, outcome FROM assessment").fetchall()} & {p for p, _ in first}


def test_the_place_of_a_row_says_nothing_of_whose_it_is(tmp_path: Path) -> None:
    with copied(tmp_path) as con:
        lie = [p for (p,) in con.execute("SELECT person_id FROM person ORDER BY rowid").fetchall()]
    assert lie == sorted(lie) != [keyed(p) for p in ("p1", "p2", "p3")]


def test_dates_of_birth_are_known_to_the_month(tmp_path: Path) -> None:
    with copied(tmp_path) as con:
        assert set(con.execute("SELECT birth_date FROM person UNION SELECT birth_date FROM flowing_child").fetchall()) == {(date(2015, 3, 1),)}
        assert con.execute("SELECT DISTINCT turns_16_on FROM flowing_child").fetchall() == [(date(2031, 3, 1),)]


def test_a_column_the_policy_does_not_name_is_not_in_the_copy_whatever_it_holds(tmp_path: Path) -> None:
    with copied(tmp_path) as con:
        there = {(t, c) for t, c in con.execute("SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND NOT starts_with(table_name, 'v_')").fetchall()}
        for table in {t for t, _ in there}:
            assert SENTINEL not in repr(con.execute(f'SELECT * FROM "{table}"').fetchall())
    named = {(t, c) for t, columns in Policy.load().tables.items() for c in columns}
    assert there == named


def test_nothing_that_names_a_person_is_kept_as_it_is() -> None:
    naming = {"name", "former_names", "former_name", "id_number", "former_id_numbers", "phones", "guardians", "relatives", "address", "record_key", "original", "evidence", "basis",
              "conditions", "remark", "value", "verified_by", "decided_by", "visited_by", "replied_by", "text", "message", "before", "after", "school", "household_key",
              "birth_certificate", "document_number", "key_id_number", "id_partial", "id_numbers", "record_keys", "comparisons", "contact_phone", "national_id", "content"}  # fmt: skip
    identifiers = {"person_id", "record_hash", "alert_id", "pair_id", "left", "right", "merged_into", "source_file", "entry_id", "event_id", "linked_to"}
    births = {"birth_date", "turns_16_on", "away_since", "six_months_on"}
    for name, columns in Policy.load().tables.items():
        assert not naming & set(columns) or name == "division", name
        assert {columns[c] for c in identifiers & set(columns)} <= {"keyed"}, name
        assert {columns[c] for c in births & set(columns)} <= {"month"}, name
    assert naming & {c.name for t in REGISTER_TABLES for c in t.columns}


def test_a_key_that_protects_nothing_is_refused(tmp_path: Path) -> None:
    register = write_register(tmp_path / "register.duckdb", tables([child("p1")]))
    with pytest.raises(KeyUnusableError, match="the key has 8 bytes, at least 32 are needed: make one with 'openssl rand -hex 32 > key'"):
        pseudonymise(register, tmp_path / "copy.duckdb", b"password", SENDER)
    assert not (tmp_path / "copy.duckdb").exists()


def test_a_copy_takes_the_place_of_an_older_one_whole_and_is_logged(tmp_path: Path) -> None:
    copied(tmp_path).close()
    copied(tmp_path).close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy.duckdb", "register.duckdb", "register.duckdb.d"]
    pseudonymise(tmp_path / "register.duckdb", tmp_path / "copy.duckdb", KEY, Sender("later", SENDER.at + timedelta(days=1)))
    assert (tmp_path / "register.duckdb.d" / "export_log").is_dir()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tables": {"persons": {"keep": ["name"]}}}, "pseudonymised.yaml, tables: not allowed: persons; allowed: alert"),
        ({"tables": {"person": {"keep": ["nome"]}}}, "pseudonymised.yaml, tables/person: not allowed: nome; allowed: birth_date"),
        ({"tables": {"person": {"show": ["name"]}}}, "pseudonymised.yaml, tables/person: not allowed: show; allowed: keep, keyed, month"),
        ({"tables": {"person": {"keep": ["sex"], "keyed": ["sex"]}}}, "pseudonymised.yaml, tables/person: twice: sex"),
        ({"views": ["v_children"]}, "pseudonymised.yaml, views: not allowed: v_children"),
        ({"more": 1}, "pseudonymised.yaml: not allowed: more; allowed: tables, views"),
    ],
)
def test_a_policy_that_cannot_be_used_says_where_and_what_was_allowed(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "pseudonymised.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(_LAYOUT.read_text("utf-8")) | change), "utf-8")
    with pytest.raises(LayoutError) as error:
        Policy.load(path)
    assert message in str(error.value)
