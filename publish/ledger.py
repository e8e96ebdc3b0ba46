"""The ledger carried on by one night. Enters: a DuckDB connection with the night's tables and the last ledger. Leaves: `ledger` and `ledger_event` filled.

A night speaks for the days from its as-of date to the next night's as-of date (sql/ledger/*.sql, docs/decisions/0005-ledger.md). What an entry says is
when it held; `recorded_at` and `superseded_at` are when we knew it. Entries are added and superseded, never removed or rewritten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from publish.words import CATEGORY_WORDS, FEED_WORDS, REASON_WORDS
from schemas.exports.verification import CORRECTS
from schemas.reference.lists import changes

SQL = Path(__file__).parent / "sql"
FOREVER = date(9999, 12, 31)
_NEVER = date(1, 1, 1)


@dataclass(frozen=True)
class Night:
    """Where a night stands among those before it.

    Attributes:
        as_of: the day it speaks from; until: the day from which another night speaks (FOREVER where none does).
        last_as_of: newest as-of date before this one; the day 1 where there is none.
        recorded_at: its moment of knowledge, later than any before. remarks: what was unusual, in Chinese.
    """

    as_of: date
    until: date
    last_as_of: date
    recorded_at: datetime
    remarks: tuple[str, ...]

    @property
    def is_late(self) -> bool:
        """Another night speaks for later days already."""
        return self.until != FOREVER


def night_among(as_of: date, started_at: datetime, nights: list[date], newest_moment: datetime | None) -> Night:
    """Where a night stands.

    Args:
        as_of, started_at: of this night, UTC. nights: the as-of dates of all runs before it.
        newest_moment: the newest recorded_at or superseded_at of the ledger; null where it is empty.
    """
    remarks = []
    later = [n for n in nights if n > as_of]
    if later:
        remarks.append(f"认定日 {as_of} 早于已发布的 {max(later)}：只更正台账中 {as_of} 至 {min(later) - timedelta(days=1)} 的登记，此后的登记不变")
    elif as_of in nights:
        remarks.append(f"认定日 {as_of} 已经运行过：台账只记与上次结果不同之处")
    recorded_at = started_at
    if newest_moment is not None and started_at <= newest_moment:
        recorded_at = newest_moment + timedelta(microseconds=1)
        remarks.append(f"本机时钟不晚于台账中最新的记入时间 {newest_moment}：记入时间顺延，请检查时钟")
    return Night(as_of, min(later, default=FOREVER), max((n for n in nights if n < as_of), default=_NEVER), recorded_at, tuple(remarks))


def carry_on(con: duckdb.DuckDBPyConnection, night: Night, run_id: str) -> None:
    """Fill `ledger` and `ledger_event` from the last night's and tonight's tables.

    Needs on the connection: previous_ledger, previous_ledger_event, previous_assessment, previous_verification_state, assessment, key_care, identity,
    identity_event, division, verification_answer, verification_state, and the two tables themselves, empty.
    """
    words = {"reason": REASON_WORDS, "category": CATEGORY_WORDS, "feed": FEED_WORDS, "question": {q: field for field, (q, _) in CORRECTS.items()}}
    _table(con, "word", {"kind": pl.String, "code": pl.String, "zh": pl.String}, [(kind, *pair) for kind, each in words.items() for pair in each.items()])
    _table(con, "reform", {"on_date": pl.Date, "code": pl.String, "before": pl.String}, [(c.on, c.code, c.before) for c in changes() if c.code != c.before])
    values = {
        "as_of": night.as_of, "until": night.until, "last_as_of": night.last_as_of, "forever": FOREVER, "recorded_at": night.recorded_at,
        "run_id": run_id, "is_late": night.is_late,
    }  # fmt: skip
    for script in sorted((SQL / "ledger").glob("*.sql")):
        for statement in statements(script):
            con.execute(statement, parameters(statement, values))


def statements(script: Path) -> Iterator[str]:
    """The statements of a script, each with the comment above it."""
    for statement in script.read_text(encoding="utf-8").split(";\n"):
        if statement.strip():
            yield statement


def parameters(statement: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that the statement asks for by `$name`; its comments do not count."""
    asked = set(re.findall(r"\$(\w+)", re.sub(r"--.*", "", statement)))
    return {name: values[name] for name in asked}


def _table(con: duckdb.DuckDBPyConnection, name: str, schema: dict[str, Any], rows: list[tuple[Any, ...]]) -> None:
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    con.register("rows_given", frame.to_arrow())
    con.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM rows_given")
    con.unregister("rows_given")
