"""Who is who, as cases: each case of linkage_cases.yaml is a night of a few rows, and says which of them are one child."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from matching.identifiers import examine
from matching.linkage import Linked, link_records
from matching.names import folded
from tests.matching.linkage_city import number, records

AS_OF = date(2026, 11, 24)
BOOK = yaml.safe_load(Path(__file__).with_name("linkage_cases.yaml").read_text(encoding="utf-8"))
NUMBERS = {name: number(str(place), born, sequence) for name, (place, born, sequence) in BOOK["numbers"].items()}


def _row(label: str, row: dict[str, Any], i: int) -> dict[str, Any]:
    out = {k: v for k, v in row.items() if k not in ("damage", "id_text")}
    out |= {"record_key": label, "source_row": i + 1}
    out["relatives"] = [{**r, "id_number": NUMBERS.get(r["id_number"], r["id_number"])} for r in row.get("relatives", [])]
    for column in ("id_number", "key_id_number"):
        out[column] = NUMBERS.get(str(row.get(column)))
    if out["name"]:
        out["name_folded"] = pl.select(folded(pl.lit(out["name"]))).item()
    if out["name"] and out["name"].endswith(("之子", "之女")):
        out |= {"name_kind": "newborn", "mother_in_name": out["name"][:-2]}
    return out | _damaged(out["id_number"], row.get("damage")) | (_read(row["id_text"], label) if "id_text" in row else {})


def _read(text: str, record_key: str) -> dict[str, Any]:
    """What standardising makes of the text of an id column."""
    given = pl.DataFrame({"text": [text], "exported": [AS_OF], "record_key": [record_key], "document": pl.Series([None], dtype=pl.String)})
    seen = examine(given).row(0, named=True)
    return {"id_number": seen["number"], "id_number_status": seen["status"], "id_partial": seen["partial"]}


def _damaged(text: str | None, damage: str | None) -> dict[str, Any]:
    match damage, text:
        case "digit", str():
            return {"id_number": text[:15] + str((int(text[15]) + 1) % 10) + text[16:], "id_number_status": "checksum_failed"}
        case "swap", str():
            return {"id_number": text[:14] + text[15] + text[14] + text[16:], "id_number_status": "checksum_failed"}
        case "rounded", str():
            return {"id_number": None, "id_partial": text[:15] + "???", "id_number_status": "excel_rounded"}
        case "masked", str():
            return {"id_number": None, "id_partial": text[:6] + "?" * 8 + text[14:], "id_number_status": "masked"}
    return {}


def _link(rows: dict[str, dict[str, Any]], order: int = 1) -> Linked:
    frame = records([_row(label, row, i) for i, (label, row) in enumerate(list(rows.items())[::order])])
    return link_records(frame, {}, AS_OF)


def _groups(linked: Linked) -> set[frozenset[str]]:
    grouped = linked.tables["person_record"].group_by("person_id").agg("record_key")
    return {frozenset(keys) for keys in grouped["record_key"].to_list()}


@pytest.mark.parametrize("case", BOOK["cases"], ids=lambda c: c["case"])
def test_who_is_who(case: dict[str, Any]) -> None:
    linked = _link(case["rows"])
    assert _groups(linked) == {frozenset(p) for p in case["people"]}
    person = dict(linked.tables["person_record"].select("record_key", "person_id").iter_rows())
    queued = {frozenset(pair) for pair in linked.tables["review_queue"].select("left", "right").iter_rows()}
    for a, b in case.get("review", []):
        assert frozenset((person[a], person[b])) in queued
    for a, b in case.get("spared", []):
        assert frozenset((person[a], person[b])) not in queued
    roles = dict(linked.tables["person_record"].select("record_key", "id_role").iter_rows())
    for label, role in case.get("roles", {}).items():
        assert roles[label] == role
    for label, status in case.get("statuses", {}).items():
        assert _row(label, case["rows"][label], 0)["id_number_status"] == status


@pytest.mark.parametrize("case", BOOK["cases"], ids=lambda c: c["case"])
def test_the_order_of_rows_changes_nothing(case: dict[str, Any]) -> None:
    forth, back = _link(case["rows"]), _link(case["rows"], order=-1)
    columns = ["record_key", "person_id", "link_method", "match_weight", "id_role"]
    for name, keys in (("person_record", columns), ("review_queue", ["pair_id", "left", "right", "match_weight"]), ("person", ["person_id", "name", "id_number"])):
        a, b = (x.tables[name].select(keys).sort(keys[0]) for x in (forth, back))
        assert a.equals(b), pl.concat([a, b])
