"""The facts of each feed. Enters: work/standard/<feed>, work/person_record, visits of earlier nights. Leaves: work/facts/<feed>, without anything that names a person."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import polars as pl

from rules.basis import Facts
from schemas.exports.contract import Feed
from schemas.exports.feeds import CHILD_FEEDS, FEEDS
from schemas.tables.facts import facts as facts_table


class FactsMissingError(Exception):
    """A row of a feed belongs to no child, or to more than one: a fault of the stations before."""


def gather(work: Path, memory: str = "4GB") -> None:
    """Give each standardised row its child, and keep only what the rules may see.

    Args:
        work: the run's folder; of `standard/<feed>` only the columns of the facts are read. memory: DuckDB's memory limit; what does not fit spills into the folder.

    Raises:
        FactsMissingError: a row of a feed has not exactly one child.
    """
    (work / "facts").mkdir(parents=True, exist_ok=True)
    for name, feed in CHILD_FEEDS.items():
        source = work / "standard" / f"{name}.parquet"
        if source.exists():
            _gather_feed(feed, source, work, memory)
    if (work / "standard" / "visit.parquet").exists():
        _gather_visits(work)


def read_facts(work: Path) -> Facts:
    """The facts on disk by feed, lazily; a feed that never came, and visits where none was ever handed in, are not among them."""
    return {name: pl.scan_parquet(path) for name in (*CHILD_FEEDS, "verification", "visit") if (path := work / "facts" / f"{name}.parquet").exists()}


def _gather_feed(feed: Feed, source: Path, work: Path, memory: str) -> None:
    """One feed, by a join that spills to disk rather than grow."""
    table = facts_table(feed)
    columns = ", ".join(f'p."{c.name}"' if c.name == "person_id" else f's."{c.name}"' for c in table.columns)
    order = ", ".join(f'"{name}"' for name in table.key)
    target = work / "facts" / f"{feed.name}.parquet"
    with duckdb.connect(config={"memory_limit": memory, "temp_directory": str(work / "facts.spill")}) as connection:
        connection.execute("SET enable_progress_bar = false")
        joined = connection.execute(
            f"""
            COPY (SELECT {columns} FROM read_parquet($source) s JOIN read_parquet($person_record) p USING (source_file, source_row) WHERE p.feed = $feed ORDER BY {order})
            TO '{str(target).replace("'", "''")}' (FORMAT parquet, COMPRESSION lz4)
            """,
            {"source": str(source), "person_record": str(work / "person_record.parquet"), "feed": feed.name},
        ).fetchall()[0][0]
    rows = pl.scan_parquet(source).select(pl.len()).collect().item()
    if rows != joined:
        raise FactsMissingError(f"{feed.name}: {rows} rows, {joined} of them with a child; each row must have exactly one: linkage left rows out or doubled them")
    table.hold(pl.scan_parquet(target))


def _gather_visits(work: Path) -> None:
    """Visits of tonight's files and of every night before, each once, given to the child that its identifier stands for today."""
    before = work / "previous" / "visit.parquet"
    held = [pl.read_parquet(path) for path in (before, work / "standard" / "visit.parquet") if path.exists()]
    # a register that is older than the column has no warnings of visits
    held.append(pl.DataFrame(schema={"warnings": pl.List(pl.String)}))
    visits = pl.concat(held, how="diagonal_relaxed").unique("record_hash", keep="first", maintain_order=True)
    if visits.is_empty():
        return
    into = dict(pl.read_parquet(work / "identity.parquet").filter(pl.col("state") == "merged").select("person_id", "merged_into").iter_rows())
    stands = {person: _last(person, into) for person in into}
    table = facts_table(FEEDS["visit"])
    known = visits.with_columns(
        *(pl.when(_is_unread(column)).then(pl.lit("看不懂")).otherwise(column).alias(column) for column in ("result", "way")),
        pl.col("person_id").replace(stands), pl.lit("visit").alias("feed"), pl.coalesce("export_date", "visited_on").alias("export_date"), pl.lit(False).alias("in_institution")
    )
    table.conform(known).sort(table.key).write_parquet(work / "facts" / "visit.parquet")


def _is_unread(column: str) -> pl.Expr:
    """Whether something was written that nobody can read: not the same as a blank, with which a visit counts."""
    return pl.col("warnings").list.contains(f"code_unknown:{column}").fill_null(False)


def _last(person: str, into: Mapping[str, str]) -> str:
    """The identifier at the end of a chain of merges."""
    while person in into:
        person = into[person]
    return person
