"""How far departments are with a quarter's first roster: of the children on it, whoever came onto a later one."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import duckdb

from publish.comments import create
from publish.views import create_view
from schemas.tables.handout import EXPORT_LOG
from schemas.tables.identity import IDENTITY
from schemas.tables.ledger import LEDGER
from schemas.tables.register import DIVISION
from schemas.tables.verification import VERIFICATION_STATE
from tests.publish.register_city import moment, rows

ASKED = date(2027, 1, 4)
LATER = ASKED + timedelta(20)
PLACE = "500157"


def test_children_of_a_later_roster_do_not_answer_for_those_of_the_first():
    handed = {"kind": "roster", "district": PLACE, "recipient": "教育"}
    entry = {"is_flowing": True, "residence_district": PLACE, "valid_from": ASKED - timedelta(90), "recorded_at": moment(1)}
    answer = {"department": "教育", "state": "confirmed", "roster_district": PLACE, "verified_on": LATER + timedelta(3)}
    tables = {
        EXPORT_LOG: [handed | {"as_of": ASKED, "items": 3, "exported_at": moment(2)}, handed | {"as_of": LATER, "items": 5, "exported_at": moment(4)}],
        LEDGER: [entry | {"person_id": p} for p in ("C0", "C2")]
        + [entry | {"person_id": "C3", "superseded_at": moment(3)}, entry | {"person_id": "C3", "valid_to": LATER, "recorded_at": moment(3)}]
        + [entry | {"person_id": "C4", "valid_from": LATER}, entry | {"person_id": "C5", "superseded_at": moment(2) - timedelta(minutes=1)}],
        IDENTITY: [{"person_id": "C0", "state": "merged", "merged_into": "C6"}, {"person_id": "C6", "state": "merged", "merged_into": "C1"}, *({"person_id": f"C{n}", "state": "live"} for n in range(1, 6))],
        VERIFICATION_STATE: [answer | {"record_hash": int(p[1]), "person_id": p, "roster_on": LATER} for p in ("C1", "C4", "C5")]
        + [answer | {"record_hash": 9, "person_id": "C3", "roster_on": ASKED}],
        DIVISION: [{"code": PLACE, "name": "两江新区"}],
    }
    assert progress(tables) == [(date(2027, 1, 1), "两江新区", ASKED, 3, 2, 1, LATER + timedelta(3))]


def test_who_answered_on_two_that_were_merged_since_has_answered_on_both():
    entry = {"is_flowing": True, "residence_district": PLACE, "valid_from": ASKED - timedelta(90), "recorded_at": moment(1)}
    answer = {"department": "教育", "state": "confirmed", "roster_district": PLACE, "verified_on": ASKED + timedelta(3), "roster_on": ASKED}
    tables = {
        EXPORT_LOG: [{"kind": "roster", "district": PLACE, "recipient": "教育", "as_of": ASKED, "items": 3, "exported_at": moment(2)}],
        LEDGER: [entry | {"person_id": p} for p in ("C0", "C1", "C2")],
        IDENTITY: [{"person_id": "C0", "state": "merged", "merged_into": "C1"}, {"person_id": "C1", "state": "live"}, {"person_id": "C2", "state": "live"}],
        VERIFICATION_STATE: [answer | {"record_hash": n, "person_id": p} for n, p in enumerate(("C1", "C1", "C2"))],
        DIVISION: [{"code": PLACE, "name": "两江新区"}],
    }
    assert [row[3:6] for row in progress(tables)] == [(3, 3, 0)]


def progress(tables: dict[Any, list[dict[str, Any]]]) -> list[tuple[Any, ...]]:
    """What the view says of these tables."""
    with duckdb.connect() as con:
        for table, held in tables.items():
            con.execute(create(table))
            con.register("given", rows(table, held).to_arrow())
            con.execute(f"INSERT INTO {table.name} SELECT * FROM given")
            con.unregister("given")
        for view in ("v_merged_person", "v_verification_progress"):
            con.execute(create_view(view))
        return con.execute("SELECT quarter, district_name, asked_on, children, answered, outstanding, last_answer_on FROM v_verification_progress").fetchall()
