"""What intake turned away, sent back: per department one workbook of the rows that were not accepted and the files that could not be read.

Enters: the register. Leaves: `退回_<department>_<as_of>.xlsx`: a page of instructions, the rejected files, and per feed the rows with every reason in
words and their cells as they came, all text, to be corrected and exported again.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from publish.handing import Handout, Sender, Tray
from publish.register import connect
from publish.workbook import Notes, Sheet, SheetColumn, as_text
from schemas.exports.contract import Feed
from schemas.exports.feeds import FEEDS

# who looks after files that no feed claims
_HOST = "民政"
_DEPARTMENTS = {name: feed.department for name, feed in FEEDS.items()}
# rows of one feed that a workbook lists; where a whole export was turned away, a million of them would take the night's memory, and nobody corrects them one by one
LISTED = 20_000
# of more rows, some with each of the reasons
_ROWS = """
WITH ranked AS (
    SELECT *, row_number() OVER (PARTITION BY feed, reasons_zh ORDER BY source_file, source_row) AS alike FROM quarantine
)
SELECT feed, source_file, source_row, reasons_zh, original FROM ranked
QUALIFY row_number() OVER (PARTITION BY feed ORDER BY alike, source_file, source_row) <= $listed
ORDER BY feed, source_file, source_row
"""
_COUNTS = "SELECT feed, count(*) AS rows FROM quarantine GROUP BY feed ORDER BY feed"
_FILES = "SELECT feed, source_file, message FROM feed_receipt WHERE state = 'rejected' ORDER BY feed, source_file, sha256"
_AS_OF = "SELECT as_of FROM run ORDER BY started_at DESC, run_id DESC LIMIT 1"
_FIXED = (SheetColumn("_reasons", "退回原因", 42), SheetColumn("_file", "来源文件", 34), SheetColumn("_row", "行号", 8))


def write_workbooks(register: Path, out: Path, sender: Sender) -> list[Handout]:
    """Writes a workbook for every department with something to correct; returns what was written, by department."""
    with connect(register) as con:
        rows, files, counts = con.sql(_ROWS, params={"listed": LISTED}).pl(), con.sql(_FILES).pl(), con.sql(_COUNTS).pl()
        ((as_of,),) = con.sql(_AS_OF).fetchall()
    tray = Tray(register, out, sender)
    for department in sorted({*_DEPARTMENTS.values()}):
        if (theirs_rows := _of(rows, department)).height + (theirs_files := _of(files, department)).height:
            _write(department, theirs_rows, theirs_files, int(_of(counts, department)["rows"].sum()), as_of, tray)
    return tray.close()


def _of(frame: pl.DataFrame, department: str) -> pl.DataFrame:
    return frame.filter(pl.col("feed").replace_strict(_DEPARTMENTS, default=_HOST, return_dtype=pl.String) == department)


def _write(department: str, rows: pl.DataFrame, files: pl.DataFrame, count: int, as_of: date, tray: Tray) -> None:
    """`rows`: those that are listed; `count`: of all that were turned away."""
    pages: list[Notes | Sheet] = [_notes(department, count, rows.height, files.height)]
    if files.height:
        columns = (SheetColumn("source_file", "文件", 40), SheetColumn("message", "未能读取的原因", 90))
        pages.append(Sheet("拒收文件", f"{department}：未能读取的文件", columns, files))
    for feed in FEEDS.values():
        if (theirs := rows.filter(pl.col("feed") == feed.name)).height:
            pages.append(_sheet(feed, theirs))
    handout = Handout("quarantine", f"退回_{department}_{as_of}.xlsx", "", department, None, as_of, "更正后重新报送", rows.height + files.height, ("原始单元格",))
    tray.workbook(handout, pages)


def _notes(department: str, rows: int, listed: int, files: int) -> Notes:
    more = "" if listed == rows else f"行数太多，本表列出其中{listed}行，每一种退回原因都有；同一原因的请在原系统中统一更正后重新导出。"
    return Notes(
        "说明",
        f"{department}报送数据退回说明",
        (
            ("退回内容", f"未被接受的数据{rows}行，未能读取的文件{files}个。{more}其余数据已正常接收。"),
            ("怎么改", "请按“退回原因”在原系统中更正后重新导出报送；不必在本表中修改。一行有多个原因的，已全部列出。"),
            ("行号", "行号从表头下一行算起为1，与报送文件中的顺序一致（空白行、合计行也计入）。"),
            ("号码", "身份证件号、编号等请以文本格式保存；存成数值后末几位会丢失，无法恢复。"),
            ("保密", "本表含个人信息，仅供本部门更正数据使用，用后请按规定销毁。"),
        ),
    )


def _sheet(feed: Feed, rows: pl.DataFrame) -> Sheet:
    """The rows of one feed: reasons, place, then every cell under the heading it came with, the contract's headings first."""
    rows = rows.with_row_index("_at")
    cells = (
        rows.select("_at", "original")
        .explode("original")
        .unnest("original")
        .drop_nulls("heading")
        .group_by("_at", "heading", maintain_order=True)
        .agg(pl.col("value").drop_nulls().str.join("；"))
    )
    came = cells.get_column("heading").unique(maintain_order=True).to_list()
    known = [c.heading for c in feed.columns if c.heading in came]
    headings = known + sorted(h for h in came if h not in known)
    names = {h: f"_cell{i}" for i, h in enumerate(headings)}
    wide = cells.with_columns(pl.col("heading").replace_strict(names, return_dtype=pl.String)).pivot("heading", index="_at", values="value")
    shown = rows.select(
        "_at",
        pl.col("reasons_zh").list.join("；").alias("_reasons"),
        pl.col("source_file").alias("_file"),
        pl.col("source_row").cast(pl.String).alias("_row"),
    )
    harmless = as_text(pl.DataFrame({"heading": headings}, schema={"heading": pl.String})).get_column("heading")  # a sender's heading is a sender's text
    columns = (*_FIXED, *(SheetColumn(names[h], text) for h, text in zip(headings, harmless, strict=True)))
    return Sheet(feed.title, f"{feed.department}{feed.title}：未被接受的数据行", columns, shown.join(wide, on="_at", how="left", maintain_order="left"), frozen=3)
