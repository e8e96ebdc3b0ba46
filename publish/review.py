"""Possible matches out to a clerk and the decisions back in.

Enters: the register; a workbook with decisions. Leaves: the workbook to fill; the decisions kept beside the register, for every later run.
Decisions lie in `<register>.d/decisions/<number>-<content>.parquet`, are only ever added to, and the one imported last counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import polars as pl
import python_calamine

from publish.contradictions import Torn, torn
from publish.handing import Handout, Sender, Tray
from publish.kept import Kept
from publish.reading import newest_run, query, reading
from publish.review_sheet import COLUMNS, DECIDED_BY, DECIDED_ON, DECISION, DECISION_WORDS, NOTES, PAIR, REMARK, review_sheet
from schemas.cells import dated
from schemas.exports.faults import UnreadableFileError
from schemas.exports.headings import bare
from schemas.exports.package import look_over
from schemas.tables.decision import DECISION as DECISIONS
from schemas.tables.pair import REVIEW_QUEUE

_HEADINGS = (PAIR, DECISION, DECIDED_BY, DECIDED_ON)
_TITLE_ROWS = 20  # headings stand within these
_BOUND = ("pair_id", "left", "right", "left_records", "right_records")
_FROM_QUEUE = (*_BOUND, "left_keys", "right_keys")


class WorkbookUnusableError(Exception):
    """The file is no workbook of possible matches. Says what was looked for; quotes no cell."""


@dataclass(frozen=True)
class Imported:
    """What became of a workbook.

    Attributes:
        accepted: decisions taken in.
        known: decisions that had been taken in before, word for word.
        problems: what was not taken, by file and row, in Chinese.
        remarks: what was taken and has to be looked at again: decisions that contradict others, one child with two valid numbers.
    """

    accepted: int
    known: int
    problems: tuple[str, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Row:
    """One filled row of the sheet, as typed."""

    number: int
    pair_id: str
    decision: str
    decided_by: str
    decided_on: str
    remark: str


def export_workbook(register: Path, out: Path, sender: Sender) -> int:
    """Write the pairs that nobody has decided, those decided as unsure and those whose decisions contradict each other; returns how many there are."""
    with reading(register) as con:
        found = torn(_decided(register, con.sql("SELECT * FROM review_queue ORDER BY pair_id").pl()))
        sides = con.execute(query("review_sides"), {"torn": [pair for each in found for pair in each.pairs]}).pl()
    pairs, (_, as_of) = int(sides["pair_id"].n_unique()), newest_run(register)
    shown = tuple(column.heading for column in COLUMNS if not column.is_input)
    tray = Tray(register, out.parent, sender)
    tray.workbook(Handout("review", out.name, "", "民政", None, as_of, "人工核对疑似同一儿童", pairs, shown), [NOTES, review_sheet(sides, found)])
    tray.close()
    return pairs


def import_decisions(workbook: Path, register: Path) -> Imported:
    """Take the decisions of a filled workbook; rows that cannot be used are reported and the others taken.

    Raises:
        WorkbookUnusableError: not a workbook, or no sheet of it has the headings.
    """
    rows, unread = _read(workbook)
    with reading(register) as con:
        queue = con.sql("SELECT * FROM review_queue ORDER BY pair_id").pl()
    known = set(queue["pair_id"])
    problems = [(row.number, found) for row in rows if (found := _faults(row, known))]
    faulty = {number for number, _ in problems}
    usable = _said_anew([row for row in rows if row.number not in faulty], queue)
    contradicted = _contradicted(usable)
    problems += [(row.number, f"核对编号与第 {_others(row, usable)} 行相同而结论不同，均未采纳，请只保留一个结论") for row in usable if row.pair_id in contradicted]
    taken = {row.pair_id: row for row in reversed(usable) if row.pair_id not in contradicted}
    accepted = _decisions(register).add(_as_table(list(taken.values()), queue.select(_FROM_QUEUE), workbook.name))
    remarks = _remarks(taken, queue, torn(_decided(register, queue)))
    told = [tuple(f"{workbook.name} 第 {number} 行：{text}。" for number, text in sorted(lines)) for lines in (problems, remarks)]
    beside = tuple(f"{workbook.name} 工作表“{name}”：其中填写的内容未读取，只读取第一张有列标题的工作表；请移到那里，或单独另存为一个文件再导入。" for name in unread)
    return Imported(accepted, len(taken) - accepted, told[0] + beside, told[1])


def _remarks(taken: dict[str, _Row], queue: pl.DataFrame, found: list[Torn]) -> list[tuple[int, str]]:
    """What was taken and has to be looked at again, by row."""
    two = set(queue.filter(pl.col("cause") == "two_numbers")["pair_id"])
    numbers = "双方各有一个有效且不同的证件号，结论“同一人”已采纳，下次运行将合并；请确认确为同一人变更了号码，否则请改为“不同人”"
    remarks = [(row.number, numbers) for pair, row in taken.items() if pair in two and DECISION_WORDS[row.decision] == "same"]
    for each in found:
        if rows := [taken[pair].number for pair in each.pairs if pair in taken]:
            remarks.append((min(rows), f"结论互相矛盾：{each.says()}。均已采纳，运行时“不同人”优先；请在下次核对表最前面的几对中改正"))
    return remarks


def _decided(register: Path, queue: pl.DataFrame) -> pl.DataFrame:
    """Every decision that counts: those the queue holds, and over them those imported since."""
    kept = _decisions(register).rows().select(*_BOUND, "decision").unique("pair_id", keep="last", maintain_order=True)
    held = queue.filter(pl.col("decision").is_not_null()).select(*_BOUND, "decision")
    return pl.concat([kept, held], how="vertical_relaxed").unique("pair_id", keep="first", maintain_order=True)


def recall_decisions(register: Path, work: Path) -> None:
    """Enter the decisions made since into `work/previous/review_queue.parquet`, where linkage looks for them: for each pair the one imported last.

    A pair that the queue no longer has comes back into it, bound to the records that the clerk was shown.
    """
    latest = _decisions(register).rows().unique("pair_id", keep="last", maintain_order=True).sort("pair_id")
    path = work / "previous" / "review_queue.parquet"
    queue = REVIEW_QUEUE.conform(pl.read_parquet(path))
    known = queue.update(latest.select("pair_id", "decision", "decided_by", "decided_on"), on="pair_id")
    gone = latest.join(queue, on="pair_id", how="anti").with_columns(
        pl.lit(0.0).alias("match_weight"), pl.lit(0.5).alias("match_probability"), pl.lit("decided").alias("cause"), pl.lit(0.0).alias("gain"),
        pl.lit([], dtype=REVIEW_QUEUE.schema["comparisons"]).alias("comparisons"),
        *(pl.col(f"{side}_records").list.get(0, null_on_oob=True).fill_null(0).alias(f"{side}_record") for side in ("left", "right")),
    )  # fmt: skip
    REVIEW_QUEUE.conform(pl.concat([REVIEW_QUEUE.conform(known), REVIEW_QUEUE.conform(gone)]).sort("pair_id")).write_parquet(path)


def _decisions(register: Path) -> Kept:
    return Kept(register, "decisions", DECISIONS, ("pair_id", "decision", "decided_by", "decided_on"), ("pair_id",))


def _as_table(rows: list[_Row], queue: pl.DataFrame, file: str) -> pl.DataFrame:
    typed = pl.DataFrame(
        [(r.pair_id, DECISION_WORDS[r.decision], r.decided_by, _day(r.decided_on), r.remark or None, file, r.number) for r in rows],
        schema={n: DECISIONS.schema[n] for n in ("pair_id", "decision", "decided_by", "decided_on", "remark", "source_file", "source_row")},
        orient="row",
    )
    return typed.join(queue, on="pair_id", how="inner").select(DECISIONS.names)


def _read(workbook: Path) -> tuple[list[_Row], list[str]]:
    """The rows of the first sheet that has the headings, where somebody filled something in; the names of further ones that are filled in too."""
    try:
        book = python_calamine.CalamineWorkbook.from_path(workbook)
        look_over(workbook)
        sheets = {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}
    except UnreadableFileError as error:
        raise WorkbookUnusableError(f"{workbook.name}：{error}。") from None
    except python_calamine.PasswordError:
        raise WorkbookUnusableError(f"{workbook.name}：工作簿设有密码，不能读取。请取消密码，另存为 xlsx 后再导入。") from None
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise WorkbookUnusableError(f"{workbook.name}：打不开，不是 xlsx 工作簿（{type(error).__name__}）。请导入由 review export 生成、填写后另存为 xlsx 的文件。") from None
    found = {name: list(_filled(cells, *place)) for name, cells in sheets.items() if (place := _headings(cells))}
    if not found:
        raise WorkbookUnusableError(f"{workbook.name}：没有找到同时含有 {'、'.join(_HEADINGS)} 这几列的工作表。请导入由 review export 生成的文件，不要改动列标题。")
    first, *others = found
    return found[first], [name for name in others if found[name]]


def _headings(cells: Sequence[Sequence[object]]) -> tuple[int, list[int | None]] | None:
    """The row behind the headings, and in which columns they stand; None where a sheet has them not."""
    for at, row in enumerate(cells[:_TITLE_ROWS]):
        headings = [bare(str(c)) for c in row]
        if all(h in headings for h in _HEADINGS):
            return at + 1, [headings.index(h) if h in headings else None for h in (*_HEADINGS, REMARK)]
    return None


def _filled(cells: Sequence[Sequence[object]], start: int, wanted: list[int | None]) -> Iterator[_Row]:
    for number, row in enumerate(cells[start:], start=start + 1):
        typed = _Row(number, *(_text(row[at]) if at is not None and at < len(row) else "" for at in wanted))
        if typed.decision or typed.decided_by or typed.decided_on or typed.remark:
            yield typed


def _text(cell: object) -> str:
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    return str(cell).strip().removeprefix("'").strip()


def _faults(row: _Row, known: set[str]) -> str:
    """Everything that keeps the row from being used, in words; empty when nothing does."""
    faults = []
    if not row.pair_id:
        faults.append("缺核对编号")
    elif row.pair_id not in known:
        faults.append("核对编号不在登记库的核对名单中（可能已合并或编号有误），请重新导出后核对")
    if not row.decision:
        faults.append("缺核对结论")
    elif row.decision not in DECISION_WORDS:
        faults.append(f"核对结论只能是：{'、'.join(DECISION_WORDS)}")
    if not row.decided_by:
        faults.append("缺核对人")
    if not row.decided_on:
        faults.append("缺核对日期")
    elif _day(row.decided_on) is None:
        faults.append("核对日期看不懂，应如 2026-12-01")
    return "；".join(faults)


def _day(text: str) -> date | None:
    """The date, in any writing that the departments' dates may have; None when it is none, or a month or year alone."""
    ((_, day, precision),) = dated(pl.Series([text])).iter_rows()
    return day if precision == "day" else None


def _said_anew(rows: list[_Row], queue: pl.DataFrame) -> list[_Row]:
    """The rows without those that still say what the workbook was handed out with, where the pair's other row says something else: one of the two is all that has to be filled in."""
    held = queue.filter(pl.col("decision").is_not_null()).select("pair_id", "decision", "decided_by", "decided_on").iter_rows()
    shown = {pair_id: said for pair_id, *said in held}
    is_old = {row.number: [DECISION_WORDS[row.decision], row.decided_by, _day(row.decided_on)] == shown.get(row.pair_id) for row in rows}
    anew = {row.pair_id for row in rows if not is_old[row.number]}
    return [row for row in rows if not (is_old[row.number] and row.pair_id in anew)]


def _contradicted(rows: list[_Row]) -> set[str]:
    words: dict[str, set[str]] = {}
    for row in rows:
        words.setdefault(row.pair_id, set()).add(row.decision)
    return {pair_id for pair_id, said in words.items() if len(said) > 1}


def _others(row: _Row, rows: list[_Row]) -> str:
    return "、".join(str(r.number) for r in rows if r.pair_id == row.pair_id and r.number != row.number)
