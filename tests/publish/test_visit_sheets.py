"""Visit sheets: which district is given whom to visit."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import openpyxl

from publish.visit_sheets import SHEET, write_visit_sheets
from tests.publish.handouts_city import AS_OF, SENDER, child, tables, write_register


def test_a_child_outside_the_city_is_on_the_sheet_of_its_hukou_as_its_alerts_are(tmp_path: Path) -> None:
    away = {"outcome": "not_flowing", "reason": "resides_outside_city", "residence_district": "520302", "residence_township": None, "direction": "out_of_city"}
    children = [child("P1"), child("P2", **away), child("P3", hukou_district="511623")]
    care = [{"person_id": p, "category": "self_requested_aid", "since": AS_OF, "first_listed_on": AS_OF, "next_visit_due": date(2027, 2, 24), "visit_state": "planned"} for p in ("P1", "P2", "P3")]
    register = write_register(tmp_path / "r.duckdb", tables(children, key_care=care))
    handouts = write_visit_sheets(register, tmp_path / "out", SENDER)
    assert [(h.file, h.recipient, h.district, h.items) for h in handouts] == [
        ("走访_江津区_2026-11-24.xlsx", "江津区民政", "500116", 1), ("走访_两江新区_2026-11-24.xlsx", "两江新区民政", "500157", 2),
    ]  # fmt: skip
    heads, row = openpyxl.load_workbook(tmp_path / "out" / handouts[0].file)[SHEET].iter_rows(min_row=2, values_only=True)
    told = dict(zip(heads, row, strict=True))
    assert (told["人员编码"], told["走访表编号"], told["现居住地"]) == ("P2", "ZF-20261124-500116", "贵州省遵义市红花岗区")
