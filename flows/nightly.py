"""The nightly run: one call per station, in the order a record travels. Enters: an inbox and a register. Leaves: the register replaced, hand-outs beside it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, cast

from prefect import flow
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows import findings
from flows.cluster import workers
from flows.died import died, mark_ended
from flows.reuse import feed_joined, feed_part, feed_parts, link_or_stand, linkage_hash, standardise_or_reuse
from flows.room import require_room, require_writable
from flows.settings import Night, code_version, night, now, password
from flows.track import InParts, Log, Station, say
from flows.unchanged import HANDED_OUT, LastRun, Seen, is_same_night, last_run, look
from matching.answers import weigh_answers
from matching.standing import keep_queue, knows_identifiers
from publish.alert_sheets import write_alert_sheets
from publish.handing import Sender, log_report, recall_log
from publish.mandatory_reports import write_mandatory_reports
from publish.national import recall_sent
from publish.quarantine import write_workbooks
from publish.register import Run, find_again, publish, publish_unchanged, recall, writing
from publish.report import write_report
from publish.review import export_workbook, recall_decisions
from publish.rosters import write_rosters
from publish.verification import write_verification
from publish.visit_sheets import write_visit_sheets
from rules.decide import decide
from rules.decide_in_parts import cut, decide_part, join_parts
from rules.facts import gather
from rules.kept import keep
from rules.law import Law
from schemas.exports.feeds import FEEDS
from schemas.exports.inbox import write_strays
from schemas.exports.intake import take_in
from schemas.tables.register import LINKED_TABLES


def recall_last_night(register: Path, work: Path) -> None:
    """The last good register's tables, and what came to lie beside it since: clerks' decisions, what was handed out, what was sent."""
    recall(register, work)
    if not knows_identifiers(work):
        recall(register, work, LINKED_TABLES)
    keep_queue(work)
    recall_log(register, work)
    recall_sent(register, work)
    recall_decisions(register, work)


def publish_night(tonight: Night, run: Run) -> None:
    """The register of the run, within the settings' memory, spill folder and number of versions kept."""
    publish(tonight.work, tonight.register, run, memory=tonight.memory, spill=tonight.spill, keep=tonight.keep)


def publish_as_it_was(tonight: Night, run: Run) -> None:
    """The register again with this run in it."""
    publish_unchanged(tonight.register, run, keep=tonight.keep)
    (tonight.state / "out" / HANDED_OUT).write_text(run.run_id, "ascii")


def hand_out(register: Path, out: Path, run_id: str) -> None:
    """Mandatory reports, rosters, other alerts, possible matches, quarantined rows, what became of the answers, visit sheets, and the report, written anew beside the register."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    sender = Sender(f"run {run_id}", now(), password())
    write_mandatory_reports(register, out / "mandatory_reports", sender)
    write_rosters(register, out / "rosters", sender)
    write_alert_sheets(register, out / "alerts", sender)
    export_workbook(register, out / "review.xlsx", sender)
    write_workbooks(register, out / "quarantine", sender)
    write_verification(register, out / "verification", sender)
    write_visit_sheets(register, out / "visits", sender)
    log_report(register, write_report(register, out / "report.html"), sender)
    (out / HANDED_OUT).write_text(run_id, "ascii")


RUNNER = cast("TaskRunner[PrefectFuture[Any]]", ThreadPoolTaskRunner(max_workers=2))
RECALL = Station(recall_last_night, "recall", retries=2)
INTAKE = Station(take_in, "intake", retries=2)
STRAYS = Station(write_strays, "strays", retries=2)
STANDARDISE = Station(standardise_or_reuse, "standardise", in_parts=InParts(feed_parts, feed_part, feed_joined))
LINK = Station(link_or_stand, "link")
ANSWERS = Station(weigh_answers, "answers")
FACTS = Station(gather, "facts")
DECIDE = Station(decide, "decide", in_parts=InParts(cut, decide_part, join_parts))
PUBLISH = Station(publish_night, "publish", retries=1)
KEEP = Station(keep, "keep", retries=1, is_after_publishing=True)
UNCHANGED = Station(publish_as_it_was, "unchanged", retries=1)
HAND_OUT = Station(hand_out, "hand-out", retries=1, is_after_publishing=True)


@flow(name="nightly", task_runner=RUNNER, persist_result=False)
def nightly(inbox: str, register_file: str, as_of: str | None = None, anew: bool = False) -> dict[str, Any]:
    """Take in the feeds, find the children, apply the rule, publish the register, hand out the rosters.

    Args:
        inbox: folder with one folder per feed.
        register_file: the register.
        as_of: ISO date the rule is applied for; default today in the city.
        anew: go through all stations even where nothing has changed since the last run.

    Returns:
        Counts, seconds and paths of the run; no value of a person.

    Raises:
        UnusableInputError and the stations' own errors; whatever is raised, the last register stands.
    """
    tonight = night(inbox, register_file, as_of)
    require_writable(tonight.register, tonight.spill)
    dead = died(tonight.state)
    with writing(tonight.register):
        for line in dead:
            say(f"{line}; what it left is removed")
        find_again(tonight.register)
        require_room(tonight.inbox, tonight.register, tonight.runner)
        seen = look(tonight)
        last = None if anew else last_run(tonight.register)
        if last is not None and is_same_night(tonight, seen, last):
            return stand(tonight, seen, last)
        tonight.work.mkdir(parents=True)
        try:
            with workers(tonight):
                return travel(tonight, seen, last)
        finally:
            mark_ended(tonight.work)
            if not tonight.keep_work:
                shutil.rmtree(tonight.work, ignore_errors=True)


def stand(tonight: Night, seen: Seen, last: LastRun) -> dict[str, Any]:
    """A night in which nothing changed: one more run in the register, and all else as it is."""
    log = Log()
    with log.stage("unchanged"):
        UNCHANGED(tonight, run_record(tonight, seen, last.linkage_hash, log, last.counts))
    return findings.summary(tonight, log, last.counts) | {"unchanged_since": last.run_id}


def travel(tonight: Night, seen: Seen, last: LastRun | None) -> dict[str, Any]:
    """A record's way through the stations; `last` is the run whose work may be used again, None where all is done anew."""
    work, log = tonight.work, Log(tonight.work)
    with log.stage("recall"):
        RECALL(tonight.register, work)
    with log.stage("intake"):
        INTAKE.each(FEEDS, tonight.inbox, tonight.store, work, tonight.as_of, workers=tonight.workers)
        STRAYS(tonight.inbox, work)
    findings.require_rows(work, tonight.inbox)
    with log.stage("standardise"):
        STANDARDISE.each(FEEDS, work, tonight.state / "standard", seen.program, last is None, workers=tonight.workers)
    with log.stage("link"):
        rests_on = linkage_hash(work, seen)
        LINK(work, tonight.as_of, last, rests_on, tonight.state / "linkage", seen.program, tonight.register)
    with log.stage("answers"):
        ANSWERS(work, tonight.as_of)
    with log.stage("facts"):
        FACTS(work, tonight.memory)
    with log.stage("decide"):
        DECIDE(work, tonight.as_of)
    found = findings.counts(work)
    with log.stage("publish"):
        PUBLISH(tonight, run_record(tonight, seen, rests_on, log, found))
        KEEP(work, tonight.state / "facts", tonight.run_id)
    with log.stage("hand-out"):
        HAND_OUT(tonight.register, tonight.state / "out", tonight.run_id)
    findings.show_artifacts(work, log)
    return findings.summary(tonight, log, found, findings.notes(work))


def run_record(tonight: Night, seen: Seen, rests_on: str | None, log: Log, found: dict[str, int]) -> Run:
    """What the register keeps of this run."""
    return Run(
        run_id=tonight.run_id,
        started_at=tonight.started_at,
        as_of=tonight.as_of,
        code_version=code_version(),
        rule_version=Law.load().version,
        config_hash=tonight.config_hash(),
        inputs_hash=seen.with_store(tonight.store),
        linkage_hash=rests_on,
        counts=found,
        seconds=dict(log.seconds),
        peak_mib=dict(log.peak_mib),
        clock=now,
    )
