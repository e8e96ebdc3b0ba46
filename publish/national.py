"""The batch for the national system: children it does not know yet, or knows otherwise. Enters: the register, and what was sent since.

Leaves: `全国系统上报_<batch>.xlsx` (it comes back, filled in, through the optional input `national_receipt`) or `.csv`; the batch beside the register.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from publish.handing import Handout, Sender, Tray
from publish.kept import Kept
from publish.national_state import NationalField, load_layout, standing
from publish.reading import newest_run, reading
from publish.workbook import Notes, Sheet, SheetColumn, as_text
from schemas.exports.feeds import FEEDS
from schemas.exports.returned import RECEIPTS
from schemas.tables.handout import NATIONAL_SENT, NATIONAL_STATES

_KINDS = {"new": "新增", "changed": "变更", "left": "退出"}
_STATE_WORDS = dict(zip(NATIONAL_STATES, ("未上报", "有变更待上报", "已上报待回执", "已录入", "已退回"), strict=True))
_HEADINGS = {column.name: column.heading for column in FEEDS["national_receipt"].columns}
_ANSWERS = {"result": 10, "national_id": 20, "reason": 24, "received_on": 12}
PURPOSE = "录入全国儿童福利信息系统"


@dataclass(frozen=True)
class Batch:
    """What was written: its number, its file (None when there was nothing to send), how many children, and how many stood in which state before."""

    batch_id: str
    file: str | None
    children: int
    states: dict[str, int]


def write_national(register: Path, out: Path, sender: Sender, *, as_csv: bool = False) -> Batch:
    """Write what the national system is to be told, and note it as sent.

    Raises:
        LayoutError: publish/fields/national.yaml cannot be used.
    """
    layout, kept = load_layout(), _kept(register)
    _, as_of = newest_run(register)
    with reading(register) as con:
        sent = _sent(con.sql("SELECT * FROM national_sent").pl(), kept.rows())
        con.register("sent", sent.to_arrow())
        entries, cells = standing(con, layout)
    tally = dict(entries.group_by("state").len().iter_rows())
    states = {state: int(tally.get(state, 0)) for state in NATIONAL_STATES}
    batch_id = f"QG-{as_of:%Y%m%d}-{sent.filter(pl.col('sent_on') == as_of)['batch_id'].n_unique() + 1:02d}"
    kind = pl.when(pl.col("state") == "new").then(pl.lit("new")).when("is_listed").then(pl.lit("changed")).otherwise(pl.lit("left"))
    due = entries.filter(pl.col("state").is_in(["new", "changed"])).select("person_id", kind.alias("kind"), "content")
    if not due.height:
        return Batch(batch_id, None, 0, states)
    rows = due.join(cells, on="person_id", how="left", maintain_order="left").with_columns(_written_kind(layout))
    handout = Handout("national", f"全国系统上报_{batch_id}", batch_id, "全国儿童福利信息系统", None, as_of, PURPOSE, due.height, tuple(f.heading for f in layout))
    _write(Tray(register, out, sender), handout, rows, layout, states, as_csv=as_csv)
    kept.add(due.select(pl.lit(batch_id).alias("batch_id"), "person_id", "kind", "content", pl.lit(as_of).alias("sent_on")))
    return Batch(batch_id, f"{handout.file}.{'csv' if as_csv else 'xlsx'}", due.height, states)


def recall_sent(register: Path, work: Path) -> None:
    """Enter what was sent since into `work/previous/national_sent.parquet`, from where it goes into tonight's register."""
    path = work / "previous" / f"{NATIONAL_SENT.name}.parquet"
    _sent(NATIONAL_SENT.conform(pl.read_parquet(path)), _kept(register).rows()).write_parquet(path)


def _sent(held: pl.DataFrame, since: pl.DataFrame) -> pl.DataFrame:
    both = pl.concat([NATIONAL_SENT.conform(held), since])
    return both.unique(NATIONAL_SENT.key, keep="first", maintain_order=True).sort(NATIONAL_SENT.key)


def _kept(register: Path) -> Kept:
    return Kept(register, NATIONAL_SENT.name, NATIONAL_SENT, NATIONAL_SENT.key)


def _written_kind(layout: tuple[NationalField, ...]) -> pl.Expr:
    codes = next((field.codes for field in layout if field.field == "kind"), {})
    return pl.col("kind").replace(_KINDS | codes)


def _write(tray: Tray, handout: Handout, rows: pl.DataFrame, layout: tuple[NationalField, ...], states: dict[str, int], *, as_csv: bool) -> None:
    if as_csv:
        table = as_text(rows.select(field.field for field in layout)).rename({field.field: field.heading for field in layout})
        tray.plain(Handout(**(vars(handout) | {"file": f"{handout.file}.csv"})), b"\xef\xbb\xbf" + table.write_csv().encode())
    else:
        columns = (
            SheetColumn("batch_id", _HEADINGS["batch_id"], 16),
            *(SheetColumn(field.field, field.heading) for field in layout),
            *(SheetColumn(name, _HEADINGS[name], width, RECEIPTS if name == "result" else (), is_input=True) for name, width in _ANSWERS.items()),
        )
        page = Sheet("上报名单", f"全国儿童福利信息系统上报名单　{handout.number}", columns, rows.with_columns(pl.lit(handout.number).alias("batch_id")), frozen=2)
        tray.workbook(Handout(**(vars(handout) | {"file": f"{handout.file}.xlsx"})), [_notes(handout, states, handout.as_of), page])
    tray.close()


def _notes(handout: Handout, states: dict[str, int], as_of: date) -> Notes:
    told = "、".join(f"{_STATE_WORDS[state]}{count}人" for state, count in states.items())
    return Notes(
        "填写说明",
        "全国儿童福利信息系统上报：填写说明",
        (
            ("本批内容", f"批次 {handout.number}，共 {handout.items} 名儿童，统计日期 {as_of}。上报前的录入状态：{told}。"),
            ("做什么", "请按“上报类型”在全国儿童福利信息系统中新增、变更或退出；表头或代码与该系统的模板不一致的，请系统管理员调整（publish/fields/national.yaml）。"),
            ("怎么填", f"录入后在橙色列填写：处理结果（{'、'.join(RECEIPTS)}）、全国系统编号、处理日期；退回的写明原因。"),
            ("填好之后", "改名为 national_receipt_<8位日期如20261201>_<批次>.xlsx，放入收件目录 national_receipt，下一次运行时更新录入状态；未回执的一直列为待回执。"),
            ("保密要求", "本表含儿童个人信息，仅用于录入全国系统，不得转发、上传公共网络或用于其他目的；用后按规定保存或销毁。"),
        ),
    )
