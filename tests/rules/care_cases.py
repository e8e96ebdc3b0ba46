"""Cases of key care, alerts and services as data. Enters: cases_care/<topic>.yaml. Leaves: one child per case, its facts and assessment, all in one batch.

A case gives `child` (columns of ASSESSMENT and of the children frame; defaults below) and `rows` by feed; every row gets its provenance here.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from rules.law import Law
from schemas.exports.feeds import FEEDS
from schemas.tables.assessment import ASSESSMENT, EVIDENCE, OUTCOME_OF
from schemas.tables.facts import facts

AS_OF = date(2026, 11, 24)
LAW = Law.load()
P = LAW.on(AS_OF)
CASES = Path(__file__).parent / "cases_care"
# hukou in 江津, lives in 九龙坡 for two years with both parents, ten years old
CHILD: dict[str, Any] = {
    "reason": "flowing",
    "hukou_district": "500116",
    "residence_district": "500107",
    "away_since": date(2024, 11, 1),
    "birth_date": date(2016, 3, 5),
    "turns_16_on": None,
    "direction": "in_city",
    "accompanied": "both",
    "sex": "female",
    "feeds": ["education", "household", "survey"],
    "last_seen": date(2026, 11, 20),
    "id_number_status": "valid",
}
ASSESSED = [{"feed": "household", "source_file": "household_20261101.csv", "source_row": 1, "says": "户籍在江津区"}]
CHILDREN = {
    "person_id": pl.String, "birth_date": pl.Date, "sex": pl.String, "feeds": pl.List(pl.String), "last_seen": pl.Date, "id_number_status": pl.String,
}  # fmt: skip


def cases(topic: str) -> list[dict[str, Any]]:
    """The cases of a topic, each with its sentence `case`."""
    loaded: list[dict[str, Any]] = yaml.safe_load((CASES / f"{topic}.yaml").read_text("utf-8"))
    names = [case["case"] for case in loaded]
    assert len(set(names)) == len(names), "two cases with one name"
    return loaded


def feed_frame(feed: str, given: list[dict[str, Any]]) -> pl.LazyFrame:
    """Facts of a feed from rows as cases write them (`place: "500107/石桥铺"` fills code and township); unknown columns are a fault of the case."""
    table = facts(FEEDS[feed])
    blank = dict.fromkeys(table.names)
    fixed = {"feed": feed, "source_file": f"{feed}_20261101.csv", "export_date": date(2026, 11, 1), "in_institution": False}
    written = []
    for number, row in enumerate(given, 1):
        unknown = set(row) - set(table.names)
        assert not unknown, f"{feed} has no column {unknown}"
        written.append({**blank, **fixed, "source_row": number, "record_hash": 1000 + number, **row})
    return pl.DataFrame(written, schema=table.schema).lazy()


def assessment_frame(children: list[dict[str, Any]]) -> pl.LazyFrame:
    """ASSESSMENT of the children."""
    blank = dict.fromkeys(ASSESSMENT.names)
    written = [
        {
            **blank, "as_of": AS_OF, "is_inferred": False, "confidence": 1.0, "conditions": [], "evidence": ASSESSED, "rule_version": "v",
            "outcome": OUTCOME_OF[child["reason"]], "residence_division": child["residence_district"],
            **{name: value for name, value in child.items() if name in blank},
        }
        for child in children
    ]  # fmt: skip
    return pl.DataFrame(written, schema=ASSESSMENT.schema).lazy()


def batch(loaded: list[dict[str, Any]]) -> tuple[pl.LazyFrame, dict[str, pl.LazyFrame], pl.LazyFrame]:
    """The children, facts and assessments of all cases together; the child of case n is `Pn`."""
    children = [{**CHILD, **case.get("child", {}), "person_id": f"P{n:03d}"} for n, case in enumerate(loaded)]
    given: dict[str, list[dict[str, Any]]] = {}
    for child, case in zip(children, loaded, strict=True):
        for feed, rows in case.get("rows", {}).items():
            given.setdefault(feed, []).extend({"person_id": child["person_id"], **row} for row in rows)
    frames = {feed: feed_frame(feed, rows) for feed, rows in given.items()}
    known = pl.DataFrame([{name: child[name] for name in CHILDREN} for child in children], schema=CHILDREN)
    return known.lazy(), frames, assessment_frame(children)


__all__ = ["AS_OF", "EVIDENCE", "LAW", "P", "assessment_frame", "batch", "cases", "feed_frame"]
