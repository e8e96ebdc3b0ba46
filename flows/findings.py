"""What a run found, in figures: counts for the run record, tables for Prefect's page, and the summary on the terminal. No value of a person.

Enters: the run's work folder. Leaves: counts and rendered lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from prefect.artifacts import create_table_artifact
from prefect.context import FlowRunContext

from flows.options import typed
from flows.settings import Night, UnusableInputError, today
from flows.track import Log
from publish.reading import remarks
from schemas.exports.feeds import CHILD_FEEDS
from schemas.exports.intake import AHEAD, MISNAMED, SHRUNK
from schemas.exports.live import SAME_DAY
from schemas.exports.workbook import UNREAD_SHEET

OUTCOMES_ZH = {"flowing": "流动儿童", "not_flowing": "不属于", "undetermined": "待核实"}


def receipts(work: Path) -> pl.DataFrame:
    """The receipts of all files of the night, feeds in order."""
    return pl.concat([pl.read_parquet(f) for f in sorted((work / "receipt").glob("*.parquet"))], how="diagonal_relaxed")


def require_rows(work: Path, inbox: Path) -> None:
    """Stop when no file of the inbox could be used and nothing is known from earlier nights.

    Raises:
        UnusableInputError: says what was found instead.
    """
    seen = receipts(work)
    if seen.filter(pl.col("state").is_in(["accepted", "kept"])).height:
        return
    rejected = seen.filter(pl.col("state") == "rejected")
    why = "; ".join(f"{_file(r['feed'], r['source_file'])}: {r['message']}" for r in rejected.head(5).iter_rows(named=True))
    raise UnusableInputError(
        f"no usable file in {inbox}: expected <feed>/<feed>_<YYYYMMDD>[_part].csv, .csv.gz, .xlsx or .parquet for the feeds of docs/feeds.md"
        + (f". {rejected.height} file(s) were rejected: {why}" if rejected.height else "")
    )


def _file(feed: str, name: str) -> str:
    """Where a file lies in the inbox; one that lies in no feed's folder has no feed."""
    return f"{feed}/{name}" if feed else name


def counts(work: Path) -> dict[str, int]:
    """Rows in, accepted and quarantined; persons; outcomes; key care; alerts, open and overdue ones; suggestions; possible matches, those that wait and decisions not kept; answers that do not count; visits to nobody."""
    seen = receipts(work)
    found = {
        "files": seen.height,
        "files_rejected": seen.filter(pl.col("state") == "rejected").height,
        "rows_in": int(seen["rows_in"].sum()),
        "rows_accepted": int(seen["rows_accepted"].sum()),
        "rows_quarantined": int(seen["rows_quarantined"].sum()),
    }
    for table in ("person", "person_record", "residence_episode", "key_care", "alert", "service_gap", "match_suggestion", "review_queue"):
        found[table] = pl.scan_parquet(work / f"{table}.parquet").select(pl.len()).collect().item()
    answers = pl.scan_parquet(work / "verification_state.parquet")
    found["answers_unused"] = answers.filter(pl.col("state").is_in(["unusable", "contradicted"])).select(pl.len()).collect().item()
    outcomes = pl.scan_parquet(work / "assessment.parquet").group_by("outcome").len().collect()
    tally = dict(outcomes.iter_rows())
    return found | {f"outcome_{o}": int(tally.get(o, 0)) for o in OUTCOMES_ZH} | _alerts(work) | _review(work) | _visits(work)


def _review(work: Path) -> dict[str, int]:
    """How many possible matches wait for a decision, those left unsure among them, and how many decisions could not be kept."""
    queue = pl.scan_parquet(work / "review_queue.parquet")
    waits = pl.col("decision").is_null() | (pl.col("decision") == "unsure")
    told = {"review_open": waits.sum(), "review_broken": (pl.col("decision").is_not_null() & (pl.col("cause") == "contradiction")).sum()}
    return dict(queue.select(**told).collect().row(0, named=True))


def _visits(work: Path) -> dict[str, int]:
    """How many visits of the files in use name an identifier that nobody ever had."""
    visits, known = (work / "standard" / "visit.parquet"), pl.scan_parquet(work / "identity.parquet")
    if not visits.exists():
        return {"visits_unknown": 0}
    return {"visits_unknown": pl.scan_parquet(visits).join(known, on="person_id", how="anti").select(pl.len()).collect().item()}


def _alerts(work: Path) -> dict[str, int]:
    """How many alerts are not closed, past their date, and for the police at once."""
    alert = pl.scan_parquet(work / "alert.parquet").filter(pl.col("state") != "closed")
    told = {"alert_open": pl.len(), "alert_overdue": (pl.col("state") == "overdue").sum(), "alert_report": (pl.col("severity") == "report").sum()}
    return dict(alert.select(**told).collect().row(0, named=True))


def notes(work: Path) -> list[str]:
    """What the operator has to ask the departments about: files not taken in, with much less than before, with rows on a second sheet, of a day to come, beside another of their part and day, or named almost like a delta; feeds that did not come."""
    seen = receipts(work).select("feed", "source_file", "state", said=pl.when(pl.col("state") == "rejected").then("message").otherwise(_doubtful()))
    asked = seen.filter(pl.col("said").is_not_null(), pl.col("state") != "superseded").sort("feed", "source_file")
    told = [f"{_file(feed, file)}{' was not taken in' if state == 'rejected' else ''}: {said}" for feed, file, state, said in asked.iter_rows()]
    return [*told, *_absent(receipts(work))]


def _absent(seen: pl.DataFrame) -> Iterator[str]:
    """The feeds of which exports did not come and older ones stand, with their age, and those of which none ever came; answers come when they come."""
    kept = pl.col("state") == "kept"
    live = seen.filter(pl.col("state").is_in(["accepted", "kept"])).group_by("feed").agg(
        pl.len().alias("files"), kept.sum().alias("kept"), pl.col("export_date", "age_days").filter(kept).sort_by(pl.col("age_days").filter(kept)).last()
    )  # fmt: skip
    known = {row["feed"]: row for row in live.iter_rows(named=True)}
    for feed in CHILD_FEEDS:
        if (row := known.get(feed)) and row["kept"]:
            yield f"{feed}: {row['kept']} of {row['files']} exports did not come; the last ones stand, the oldest of {row['export_date']}, {row['age_days']} days old"
    if never := [feed for feed in CHILD_FEEDS if feed not in known]:
        yield f"never received: {', '.join(never)}"


def _doubtful() -> pl.Expr:
    """What a receipt warns of and nobody may miss. A file of a day that has not come yet takes the place of every export until then; a run for a day gone by is behind its files, and says nothing."""
    begins = pl.any_horizontal(pl.element().str.starts_with(words) for words in (SHRUNK, UNREAD_SHEET, MISNAMED, SAME_DAY))
    ahead = pl.element().str.starts_with(AHEAD)
    said = pl.when(pl.col("export_date") > today()).then(_those(begins | ahead)).otherwise(_those(begins))
    return pl.when(said.list.len() > 0).then(said.list.join("；"))


def _those(which: pl.Expr) -> pl.Expr:
    return pl.col("warnings").list.eval(pl.element().filter(which))


def show_artifacts(work: Path, log: Log) -> None:
    """Tables on Prefect's page: seconds and memory per station, counts per feed, quarantine reasons, outcomes. Nothing outside a flow run."""
    if FlowRunContext.get() is None:
        return
    stations = [{"station": s, "seconds": log.seconds[s], "peak MiB": log.peak_mib[s]} for s in log.seconds]
    create_table_artifact(key="stations", table=stations, description="Seconds and peak memory per station")
    by_feed = receipts(work).group_by("feed").agg(pl.len().alias("files"), pl.col("rows_in", "rows_accepted", "rows_quarantined").sum()).sort("feed")
    create_table_artifact(key="feeds", table=by_feed.to_dicts(), description="Rows in = accepted + quarantined, per feed")
    create_table_artifact(key="quarantine", table=_quarantine_reasons(work).to_dicts(), description="Why rows were quarantined")
    outcomes = pl.scan_parquet(work / "assessment.parquet").group_by("outcome", "reason").len("children").sort("outcome", "reason").collect()
    create_table_artifact(key="outcomes", table=outcomes.to_dicts(), description="The rule's answers")


def _quarantine_reasons(work: Path) -> pl.DataFrame:
    rows = pl.concat([pl.read_parquet(f, columns=["feed", "reasons"]) for f in sorted((work / "quarantine").glob("*.parquet"))])
    return rows.explode("reasons").group_by("feed", pl.col("reasons").alias("reason")).len("rows").sort("feed", "reason")


def summary(night: Night, log: Log, found: dict[str, int], noted: list[str] | None = None) -> dict[str, Any]:
    """What the flow returns: counts, seconds, what is to be noted, and where the results lie."""
    return {
        "run_id": night.run_id,
        "as_of": night.as_of.isoformat(),
        "counts": found,
        "seconds": log.seconds,
        "cpu_seconds": log.cpu_seconds,
        "peak_mib": log.peak_mib,
        "register": str(night.register),
        "rosters": str(night.state / "out" / "rosters"),
        "report": str(night.state / "out" / "report.html"),
        "remarks": [*_ahead(night.as_of, today()), *remarks(night.register, night.run_id), *(noted or [])],
    }


def _ahead(as_of: date, day: date) -> Iterator[str]:
    """A word on an as-of date that has not come yet: what it says of children nobody can know, and the nights that follow have to go back behind it."""
    if as_of > day:
        yield f"the as-of date {as_of} lies {(as_of - day).days:,} days ahead of today, {day}; if it was a slip: childflow rollback --register FILE, and run again with the right one"


def lines(result: dict[str, Any]) -> list[str]:
    """The summary as a person reads it on the terminal; the last line says what to do next."""
    found = result["counts"]
    total = sum(result["seconds"].values())
    unused, broken, nobody = (found.get(name, 0) for name in ("answers_unused", "review_broken", "visits_unknown"))
    answers = Path(result["rosters"]).with_name("verification")
    stood = f"Nothing has changed since run {result['unchanged_since']}: its tables stand, and this run is entered" if "unchanged_since" in result else ""
    return [
        *([stood] if stood else []),
        *(f"Note: {remark}" for remark in result["remarks"]),
        f"As of {result['as_of']}: {found['rows_in']:,} rows in {found['files']} files "
        f"({found['rows_accepted']:,} accepted, {found['rows_quarantined']:,} quarantined, {found['files_rejected']} files rejected)",
        f"  {found['person']:,} children: {found['outcome_flowing']:,} flowing, {found['outcome_not_flowing']:,} not flowing, "
        f"{found['outcome_undetermined']:,} undetermined",
        f"  {found['key_care']:,} key-care entries, {found['service_gap']:,} service entries, {found.get('review_open', found['review_queue']):,} possible matches to decide",
        f"  {found['alert_open']:,} open alerts, {found['alert_overdue']:,} of them overdue and {found['alert_report']:,} for the police at once",
        *([f"  {broken:,} decisions of clerks contradict each other or cannot be kept; which and why: {Path(result['rosters']).with_name('review.xlsx')}"] if broken else []),
        *([f"  {unused:,} answers of departments do not count; why: {answers}"] if unused else []),
        *([f"  {nobody:,} visits name a person code that nobody ever had; which: {answers}"] if nobody else []),
        f"  {total:.1f} s, peak memory {max(result['peak_mib'].values(), default=0):.0f} MiB",
        f"Register: {result['register']}",
        f"Rosters:  {result['rosters']}",
        f"Report:   {result['report']}",
        f"Next: open the report, or ask why with: childflow explain --register {typed(result['register'])} PERSON_ID",
    ]
