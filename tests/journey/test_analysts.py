"""What analysts get: documented queries that run, and a copy of the register in which nobody can be read."""

import re
from datetime import date

import duckdb
import pytest

from publish.dictionary import TARGET, dictionary
from publish.handing import Sender
from publish.pseudonyms import Policy, pseudonymise
from tests.journey.conftest import ROOT
from tests.publish.handouts_city import SENDER

PAGE = (ROOT / "docs" / "queries.md").read_text("utf-8")
QUERIES = re.findall(r"\*\*(\d+)\. .*?```sql\n(.*?)```", PAGE, flags=re.S)
ON_A_COPY = [number for number, _ in QUERIES if number != "7"]


@pytest.fixture(scope="module")
def copy(tiny_register, tmp_path_factory):
    out = tmp_path_factory.mktemp("copy") / "copy.duckdb"
    pseudonymise(tiny_register, out, b"k" * 32, Sender("test", SENDER.at))
    with duckdb.connect(str(out), read_only=True) as con:
        yield con


def test_there_are_ten_queries():
    assert [number for number, _ in QUERIES] == [str(n) for n in range(1, 11)]


@pytest.mark.parametrize("number", [n for n, _ in QUERIES])
def test_each_query_answers_on_the_register_and_on_the_copy(number, tiny_register, copy):
    query = dict(QUERIES)[number]
    with duckdb.connect(str(tiny_register.resolve()), read_only=True) as con:
        found = con.execute(query).fetchall()
    assert found
    if number in ON_A_COPY:
        counts = [tuple(v for v in row if not isinstance(v, date)) for row in found]
        assert [tuple(v for v in row if not isinstance(v, date)) for row in copy.execute(query).fetchall()] == counts


def test_the_data_dictionary_is_the_one_the_tables_make():
    assert TARGET.read_text("utf-8") == dictionary(), "run: python -m publish.dictionary"


def text_of(con) -> str:
    tables = [n for (n,) in con.execute("SELECT table_name FROM duckdb_tables() WHERE NOT internal ORDER BY 1").fetchall()]
    return "\n".join(repr(con.execute(f'SELECT * EXCLUDE (name) FROM "{t}"' if t == "division" else f'SELECT * FROM "{t}"').fetchall()) for t in tables)


def test_no_name_number_phone_or_address_can_be_read_in_the_copy(tiny_register, copy):
    with duckdb.connect(str(tiny_register.resolve()), read_only=True) as con:
        identifying = con.execute("""
            SELECT name FROM person UNION SELECT unnest(former_names) FROM person UNION SELECT id_number FROM person UNION SELECT unnest(phones) FROM person
            UNION SELECT g.name FROM person, unnest(guardians) AS t(g) UNION SELECT g.id_number FROM person, unnest(guardians) AS t(g)
            UNION SELECT address FROM record UNION SELECT record_key FROM record UNION SELECT person_id FROM person UNION SELECT record_hash::VARCHAR FROM record
            UNION SELECT school FROM flowing_child UNION SELECT hukou_township FROM record UNION SELECT place_township FROM record
        """).fetchall()
    values = {v for (v,) in identifying if v and len(v) > 2}
    assert len(values) > 1000
    text = text_of(copy)
    assert [v for v in values if v in text] == []


def test_no_date_in_the_copy_gives_a_birthday_away(tiny_register, copy):
    policy = Policy.load().tables
    with duckdb.connect(str(tiny_register.resolve()), read_only=True) as con:
        born = [b for (b,) in con.execute("SELECT DISTINCT birth_date FROM person WHERE birth_date IS NOT NULL").fetchall() if b.day != 1]
    dates = copy.execute("SELECT table_name, column_name FROM duckdb_columns() WHERE data_type = 'DATE' AND NOT internal AND NOT starts_with(table_name, 'v_')").fetchall()
    months = [(t, c) for t, c in dates if policy[t][c] == "month"]
    assert len(months) > 10
    for table, column in months:
        assert not {d for (d,) in copy.execute(f"SELECT DISTINCT {column} FROM {table}").fetchall()} & set(born), (table, column)
