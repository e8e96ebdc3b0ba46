"""What holds of every run, checked in the finished build. Enters: a connection to it. Leaves: nothing, or an error with the figures (contracts/register.md, 1, 4 and 5)."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from publish.comments import quoted
from publish.ledger import SQL
from schemas.tables.table import Table

_SHOWN = 5  # offenders named in a message

# name of the query in sql/checks, what is wrong when it finds anything
_PROMISES = {
    "rows_in": "rows in are not accepted + quarantined (feed, file: rows in, accepted, quarantined)",
    "rows_quarantined": "the quarantine does not hold what the receipts say (feed, file: receipt, rows of quarantine)",
    "rows_accepted": "accepted rows are not the rows of person_record (verification, visit, resource: of their files) and those that a delta replaced "
    "(feed, file: accepted, replaced, rows found)",
    "record": "a row of person_record has no row of record or the other way round (feed, file: row)",
    "assessed": "persons and assessments are not the same children (person_id: persons, assessments)",
    "owned": "a row of person_record belongs to no person (feed, file: row)",
    "two_numbers": "one person with several valid id numbers of its own, and neither a reviewer nor the household register says so (person_id: numbers)",
    "answered": "answers kept and answers weighed are not the same (answer: kept, weighed)",
    "retired": "an identifier that was merged stands for a person again (person_id)",
}
# tables whose key names one row and no other
UNIQUE = frozenset({
    "person", "flowing_child", "assessment", "identity", "division", "key_care", "alert", "ledger", "ledger_event", "review_queue", "person_record", "record",
    "verification_answer", "verification_state", "visit", "export_log", "survey_row", "exchange_answer", "national_sent", "national_receipt", "national_entry", "returned_unused", "run",
    "resource", "match_suggestion",
})  # fmt: skip
_NAMED_BY = {"ledger": ("entry_id",), "ledger_event": ("event_id",), "verification_answer": ("record_hash",), "exchange_answer": ("record_hash",), "national_receipt": ("record_hash",), "visit": ("record_hash",), "run": ("run_id",)}


class PromiseBrokenError(Exception):
    """The finished register does not hold what every register promises; it was not published. Gives the figures, no value of a person."""


def check(con: duckdb.DuckDBPyConnection, tables: tuple[Table, ...]) -> None:
    """Check every promise.

    Raises:
        PromiseBrokenError: lists all that do not hold, the first offenders of each with their figures.
    """
    broken = [*_broken_promises(con), *_repeated_keys(con, tables)]
    if broken:
        raise PromiseBrokenError(
            "the night's tables do not hold what every register promises; nothing was published and the last register stands:\n  "
            + "\n  ".join(broken)
            + "\nThis is a fault of ours: report it with these lines."
        )


def _broken_promises(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    lie_alike = _lie_alike(con, "person_record", "record", "feed", "source_file", "source_row", "record_hash")
    joined = "POSITIONAL JOIN record r" if lie_alike else "JOIN record r USING (feed, source_file, source_row)"
    con.execute(f"CREATE TEMP VIEW numbered AS SELECT p.person_id, p.feed, p.id_role, r.id_number, r.id_number_status FROM person_record p {joined}")
    held = {"record": lie_alike, "assessed": _lie_alike(con, "person", "assessment", "person_id")}
    for name, wrong in _PROMISES.items():
        if held.get(name):
            continue
        found = con.execute((SQL / "checks" / f"{name}.sql").read_text(encoding="utf-8")).fetchall()
        if found:
            yield f"{wrong}: {_shown([' '.join(map(str, row)) for row in found])}"


def _lie_alike(con: duckdb.DuckDBPyConnection, left: str, right: str, *columns: str) -> bool:
    """Whether two tables hold the same rows in the same order, as they do unless something is wrong; then nothing has to be looked up to set one beside the other.

    Rows that stand twice in both are found as repeated keys.
    """
    differ = " OR ".join(f"l.{c} IS DISTINCT FROM r.{c}" for c in columns)
    return not con.execute(f"SELECT 1 FROM {left} l POSITIONAL JOIN {right} r WHERE {differ} LIMIT 1").fetchall()


def _repeated_keys(con: duckdb.DuckDBPyConnection, tables: tuple[Table, ...]) -> Iterator[str]:
    for table in tables:
        if table.name not in UNIQUE:
            continue
        key = ", ".join(quoted(c) for c in _NAMED_BY.get(table.name, table.key))
        query = f"SELECT {key} FROM {quoted(table.name)} GROUP BY {key} HAVING count(*) > 1 ORDER BY {key}"
        found = con.execute(query).fetchall()
        if found:
            yield f"several rows of {table.name} have one key ({key}): {_shown([' '.join(map(str, row)) for row in found])}"


def _shown(offenders: list[str]) -> str:
    more = f" and {len(offenders) - _SHOWN} more" if len(offenders) > _SHOWN else ""
    return "; ".join(offenders[:_SHOWN]) + more
