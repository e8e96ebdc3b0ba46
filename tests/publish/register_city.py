"""A night's work folder made by hand: the tables every station would have written, for children whose answers a test gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from publish.register import Published, Run, publish, recall
from schemas.exports.feeds import FEEDS
from schemas.tables.assessment import ALERT, ASSESSMENT, KEY_CARE, RESIDENCE_EPISODE, SERVICE_GAP
from schemas.tables.care import MATCH_SUGGESTION, RESOURCE
from schemas.tables.facts import standard_schema
from schemas.tables.identity import IDENTITY, IDENTITY_EVENT
from schemas.tables.intake import FEED_RECEIPT, QUARANTINE
from schemas.tables.ledger import MOMENT
from schemas.tables.pair import REVIEW_QUEUE
from schemas.tables.record import PERSON, PERSON_RECORD, RECORD
from schemas.tables.table import Table
from schemas.tables.verification import VERIFICATION_STATE

DAY = date(2026, 11, 24)
_EMPTY: dict[Any, Any] = {pl.String: "", pl.Boolean: False, pl.Date: DAY, pl.Float64: 1.0, MOMENT: datetime(2026, 11, 24)}  # noqa: DTZ001
_PROVENANCE = {
    "feed": pl.String, "source_file": pl.String, "source_row": pl.UInt32, "record_hash": pl.UInt64, "export_date": pl.Date,
    "warnings": pl.List(pl.String), "document_type": pl.String, "in_institution": pl.Boolean,
}  # fmt: skip


def rows(table: Table, given: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """The rows as a frame of that table; what a row does not say is null, or an empty value where the table wants one."""
    filled = [{c.name: row.get(c.name, _default(c.dtype) if c.required else None) for c in table.columns} for row in given]
    return table.conform(pl.DataFrame(filled, schema=table.schema, orient="row")).sort(table.key)


def _default(dtype: Any) -> Any:
    return [] if isinstance(dtype, pl.List) else _EMPTY.get(dtype, 0)


def child(person_id: str, **said: Any) -> dict[str, Any]:
    """A flowing child of 两江新区 whose hukou is 江津, as assessment, person and person_record have it; `categories` become key care."""
    return {
        "person_id": person_id, "outcome": "flowing", "reason": "flowing", "hukou_district": "500116", "residence_district": "500157",
        "residence_township": "人和街道", "away_since": date(2024, 9, 1), "birth_date": date(2015, 3, 1), "direction": "in_city", "accompanied": "both",
        "name": f"测{person_id}", "id_number_status": "absent", "categories": (),
    } | said  # fmt: skip


def write_night(
    work: Path, as_of: date, children: Iterable[Mapping[str, Any]], *, identity: Iterable[Mapping[str, Any]] | None = None,
    events: Iterable[Mapping[str, Any]] = (), answers: Iterable[Mapping[str, Any]] = (), states: Iterable[Mapping[str, Any]] = (), **more: Iterable[Mapping[str, Any]],
) -> Path:  # fmt: skip
    """Write the tables of a night; `more` gives further rows by table or `standard_<feed>`."""
    children = list(children)
    answers = list(answers)
    records = [
        {"feed": "survey", "source_file": "survey_20261101.csv", "source_row": n, "record_hash": n, "person_id": c["person_id"], "link_method": "alone"}
        for n, c in enumerate(children, 1)
    ]
    receipts = [{"feed": "survey", "source_file": "survey_20261101.csv", "rows_in": len(records), "rows_accepted": len(records), "state": "accepted"}]
    if answers:
        receipts.append({"feed": "verification", "source_file": "verification_20261101.xlsx", "rows_in": len(answers), "rows_accepted": len(answers)})
    care = [
        {"person_id": c["person_id"], "category": k, "is_flowing": c["outcome"] == "flowing", "basis": [{"feed": "survey", "says": "家庭困难"}]}
        for c in children for k in c["categories"]
    ]  # fmt: skip
    given: dict[Table, Iterable[Mapping[str, Any]]] = {
        PERSON: children, PERSON_RECORD: records, ASSESSMENT: [c | {"as_of": as_of} for c in children], KEY_CARE: care,
        IDENTITY: [{"person_id": c["person_id"], "state": "live"} for c in children] if identity is None else identity,
        IDENTITY_EVENT: [{"on_date": as_of, "cause": "records"} | e for e in events],
    }  # fmt: skip
    work.mkdir(parents=True, exist_ok=True)
    for table in (*given, RESIDENCE_EPISODE, ALERT, SERVICE_GAP, RESOURCE, MATCH_SUGGESTION, REVIEW_QUEUE):
        rows(table, [*given.get(table, ()), *more.pop(table.name, ())]).write_parquet(work / f"{table.name}.parquet")
    by_feed = {"record": (RECORD, records), "receipt": (FEED_RECEIPT, receipts), "quarantine": (QUARANTINE, [])}
    for folder, (table, known) in by_feed.items():
        (work / folder).mkdir(exist_ok=True)
        everything = [*known, *more.pop(table.name, ())]
        for feed in sorted({str(r["feed"]) for r in everything} | {"survey"}):
            rows(table, [r for r in everything if r["feed"] == feed]).write_parquet(work / folder / f"{feed}.parquet")
    (work / "standard").mkdir(exist_ok=True)
    for feed in FEEDS.values():
        numbered = [
            {"feed": "verification", "source_file": "verification_20261101.xlsx", "source_row": n, "record_hash": n + 10_000} | dict(a) for n, a in enumerate(answers, 1)
        ] if feed.name == "verification" else list(more.pop(f"standard_{feed.name}", ()))  # fmt: skip
        schema = _PROVENANCE | standard_schema(feed)
        filled = [{name: row.get(name) for name in schema} for row in numbered]
        pl.DataFrame(filled, schema=schema, orient="row").write_parquet(work / "standard" / f"{feed.name}.parquet")
    assert not more, f"no such table: {list(more)}"
    _weigh(work, states)
    return work


def _weigh(work: Path, states: Iterable[Mapping[str, Any]]) -> None:
    """verification_state of every answer there is: as given in `states` (by record_hash), else `noted`."""
    there = [work / "standard" / "verification.parquet", *(work / "previous").glob("verification_answer.parquet")]
    hashes = pl.concat(pl.read_parquet(path, columns=["record_hash"]) for path in there)["record_hash"].unique()
    given = {s["record_hash"]: s for s in states}
    rows(VERIFICATION_STATE, [{"record_hash": h, "state": "noted"} | dict(given.get(h, {})) for h in hashes]).write_parquet(work / "verification_state.parquet")


def run_record(run_id: str, as_of: date, started_at: datetime) -> Run:
    return Run(run_id, started_at, as_of, "0", "rules", "config", "inputs", "linkage", {"person": 1}, {"publish": 0.1}, {"publish": 10.0}, lambda: started_at)


def moment(n: int) -> datetime:
    """The start of the n-th night."""
    return datetime(2027, 1, 1 + n // 24, n % 24)  # noqa: DTZ001 - the register keeps UTC without a zone mark


def night(folder: Path, n: int, as_of: date, children: Iterable[Mapping[str, Any]], **more: Any) -> Published:
    """One whole night on `folder/register.duckdb`: recall, the stations' tables, publish."""
    work, register = folder / f"work-{n}", folder / "register.duckdb"
    recall(register, work)
    write_night(work, as_of, children, **more)
    return publish(work, register, run_record(f"run-{n:04d}", as_of, moment(n)))
