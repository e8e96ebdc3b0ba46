"""Intake of one feed: from the files in the inbox to accepted rows, quarantined rows and receipts.

Enters: INBOX/<feed>/ and the store of earlier runs. Leaves: WORK/accepted|quarantine|receipt/<feed>.parquet; accepted is a folder of files in their
order where the rows of several are in use as they lie in the store. A file that can't be read never stops the others; figures that don't balance stop the feed.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import polars as pl

from schemas.exports.contract import Feed
from schemas.exports.faults import UnbalancedFiguresError
from schemas.exports.feeds import FEEDS
from schemas.exports.gate import SHORTENED, accepted_schema
from schemas.exports.inbox import Arrival, arrivals
from schemas.exports.live import Selection, needed, renamed, select
from schemas.exports.receipts import receipt, receipts
from schemas.exports.store import Entry, Store
from schemas.growing import ROW_GROUP, same_file
from schemas.tables.intake import QUARANTINE

# how the warning begins of a snapshot much smaller than the one before it, and from how many rows on it is looked at
SHRUNK = "行数不到上一期的一半"
# how the warning begins of a file that is dated behind the day of the run
AHEAD = "导出日期"
# how the warning begins of a file that is named almost like a delta
MISNAMED = "文件名中的“delta”不在末尾"
ENOUGH_TO_SHRINK = 20
# a key, or one of the two that are the key together, of which a spreadsheet kept the first digits only
_SHORTENED = rf"(?:^|\x1f)(?:{SHORTENED})(?:\x1f|$)"


def take_in(feed_name: str, inbox: Path, store: Path, work: Path, as_of: date) -> None:
    """Takes in one feed.

    Args:
        feed_name: one of FEEDS.
        inbox: the folder that holds a folder per feed; the feed's may be missing.
        store: the folder where earlier runs' files live on; made where missing.
        work: the run's folder; three Parquet files are written there.
        as_of: the day the files' age is counted to.

    Raises:
        KeyError: no such feed.
        UnbalancedFiguresError: rows in are not accepted + quarantined, or the file written does not hold the rows accepted.
    """
    feed = FEEDS[feed_name]
    arrived, turned_away = arrivals(inbox, feed)
    shelf = Store(store, feed)
    before = shelf.entries()
    shelf.forget(e.arrival for e in renamed(before, arrived))
    chosen = select(arrived, shelf.arrivals(), shelf.obtain)
    for entry in chosen.bases().values():
        chosen.warnings[entry.arrival.name] += _shrunk(entry, before)
    shelf.prune([*(e.arrival for e in needed(shelf.entries(), chosen.live)), *(a for a, _ in chosen.rejected)])
    replaced = _write_accepted(_target(work, "accepted", feed), feed, chosen)
    _write_quarantined(_target(work, "quarantine", feed), chosen)
    rows = [_live_receipt(e, replaced[e.arrival.name], chosen.warnings[e.arrival.name], as_of) for e in chosen.live]
    rows += [_idle_receipt(a, "superseded", as_of, warnings=[*a.notes, said]) for a, said in chosen.superseded]
    rows += [_idle_receipt(a, "rejected", as_of, warnings=list(a.notes), message=said) for a, said in chosen.rejected]
    frame = receipts(rows)
    frame = receipts([*frame.to_dicts(), *turned_away.to_dicts()])
    frame.write_parquet(_target(work, "receipt", feed))


def _target(work: Path, kind: str, feed: Feed) -> Path:
    path = work / kind / f"{feed.name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    # what lies there may be a second name of a file in the store, or a folder of such
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    return path


def _write_accepted(target: Path, feed: Feed, chosen: Selection) -> dict[str, int]:
    """Writes the rows in use in the order of (file, row); returns how many of each file a delta replaced."""
    frames: list[pl.LazyFrame] = []
    replaced: dict[str, int] = {}
    entries = sorted(chosen.live, key=lambda e: e.arrival.name)
    for entry in entries:
        rows = pl.scan_parquet(entry.accepted)
        replaced[entry.arrival.name] = 0
        if later := chosen.replaced_by(entry):
            newer = pl.concat(pl.scan_parquet(d.accepted).select(_key(feed)) for d in later).unique()
            rows = rows.with_columns(_key(feed)).join(newer, on="key", how="anti", maintain_order="left").drop("key")
            left = rows.select(pl.len()).collect().item()
            replaced[entry.arrival.name] = entry.figures.accepted - left
        frames.append(rows)
    if not frames:
        pl.DataFrame(schema=accepted_schema(feed)).write_parquet(target)
    elif sum(replaced.values()) or any(pl.read_parquet_schema(e.accepted) != accepted_schema(feed) for e in entries):
        rows = pl.concat(frames).select(accepted_schema(feed).keys())
        rows.sink_parquet(target, compression="lz4", row_group_size=ROW_GROUP, maintain_order=True)
    elif len(entries) == 1:
        same_file(entries[0].accepted, target)
    else:
        target.mkdir()
        for number, entry in enumerate(entries):
            same_file(entry.accepted, target / f"{number:05}.parquet")
    expected = sum(e.figures.accepted - replaced[e.arrival.name] for e in chosen.live)
    written = pl.scan_parquet(target).select(pl.len()).collect().item()
    if written != expected:
        raise UnbalancedFiguresError(f"{feed.name}: {expected} rows were accepted and not replaced, {written} were written")
    return replaced


def _key(feed: Feed) -> pl.Expr:
    """The record key for comparing: half-width, upper case, without blanks; null, and like no other, where a spreadsheet wrote it as `5.00106E+17`, which many rows then share."""
    folded = pl.concat_str((pl.col(c).str.normalize("NFKC").str.to_uppercase().str.replace_all(r"\s", "") for c in feed.key_columns), separator="\x1f")
    return pl.when(~folded.str.contains(_SHORTENED)).then(folded).alias("key")


def _write_quarantined(target: Path, chosen: Selection) -> None:
    frames = [pl.scan_parquet(e.quarantined) for e in sorted(chosen.live, key=lambda e: e.arrival.name)]
    (pl.concat(frames) if frames else QUARANTINE.empty().lazy()).sink_parquet(target, maintain_order=True)


def _shrunk(entry: Entry, before: Iterable[Entry]) -> list[str]:
    """What to say of a snapshot that holds less than half of the one it takes the place of."""
    own = entry.arrival
    older = [
        (e.arrival.export_date, e.arrival.name, e.figures.accepted)
        for e in before
        if not e.arrival.is_delta and e.arrival.part == own.part and e.arrival.sha256 != own.sha256 and e.arrival.export_date <= own.export_date
    ]
    day, _, rows = max(older, default=(own.export_date, "", 0))
    if rows < ENOUGH_TO_SHRINK or entry.figures.accepted * 2 >= rows:
        return []
    return [f"{SHRUNK}：本期接受{entry.figures.accepted}行，上一期（{day}）{rows}行；请核实导出是否完整"]


def _live_receipt(entry: Entry, replaced: int, warnings: list[str], as_of: date) -> dict[str, object]:
    """The receipt of a file in use."""
    arrival, figures = entry.arrival, entry.figures
    age = (as_of - arrival.export_date).days
    said = [*arrival.notes, *figures.warnings, *warnings]
    if arrival.path is None:
        said.append(f"本期未收到该文件，沿用{arrival.export_date}的导出，距今{age}天")
    if not arrival.is_delta and "delta" in arrival.part.lower():
        said.append(f"{MISNAMED}，按单独的整表读取，不替换其他文件的行，并一直沿用；如为增量，请改名为以“_delta”结尾后重新报送")
    if age < 0:
        said.append(f"{AHEAD}{arrival.export_date}晚于统计日{as_of}，请核对文件名中的日期")
    return receipt(
        arrival.feed,
        arrival.name,
        arrival.sha256,
        "kept" if arrival.path is None else "accepted",
        **_from_name(arrival, as_of),
        encoding=figures.encoding,
        separator=figures.separator,
        rows_in=figures.rows_in,
        rows_accepted=figures.accepted,
        rows_quarantined=figures.quarantined,
        rows_replaced=replaced,
        rows_total=figures.total,
        rows_blank=figures.blank,
        unknown_columns=figures.unknown_columns,
        warnings=said,
    )


def _idle_receipt(arrival: Arrival, state: str, as_of: date, *, warnings: list[str], message: str | None = None) -> dict[str, object]:
    """The receipt of a file whose rows are not in use."""
    return receipt(arrival.feed, arrival.name, arrival.sha256, state, **_from_name(arrival, as_of), warnings=warnings, message=message)


def _from_name(arrival: Arrival, as_of: date) -> dict[str, object]:
    return {
        "format": arrival.format,
        "part": arrival.part,
        "is_delta": arrival.is_delta,
        "export_date": arrival.export_date,
        "age_days": (as_of - arrival.export_date).days,
    }
