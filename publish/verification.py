"""What became of the departments' answers, for civil affairs: one workbook a night. Enters: the register. Leaves: `核实情况_<as_of>.xlsx`, entered in the export log.

Five sheets: answers that do not count, by file and row, with the reason; answers of departments that differ about one
child; rosters whose answers are overdue; what was corrected, by whom and when; what else does not count of the other sheets that came back.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from publish.handing import Handout, Sender, Tray
from publish.reading import newest_run, query, reading
from publish.returned import NAME, unused_page
from publish.returned import answers as columns_of_answers
from publish.roster_fields import CIVIL_AFFAIRS, Layout
from publish.words import ANSWER_STATE_WORDS, in_words
from publish.workbook import Notes, Sheet, SheetColumn

_NOTED = "须由该部门在本系统更正后随下次数据报送"
_TURNED_AWAY = "未被接受"
_PLACE = (SheetColumn("source_file", "来源文件", 40), SheetColumn("source_row", "行号", 7))
_WHO = (SheetColumn("district", "居住区县", 12), SheetColumn("department", "核实部门", 10), SheetColumn("person_id", "人员编码", 20), SheetColumn("name", "姓名", 10))
_SAID = (
    SheetColumn("result", "核实结果", 10), SheetColumn("field", "更正项目", 13), SheetColumn("value", "更正内容", 24), SheetColumn("verified_by", "核实人", 9),
    SheetColumn("verified_on", "核实日期", 12), SheetColumn("roster_id", "花名册编号", 25),
)  # fmt: skip
_WHY = (SheetColumn("state", "处理", 13), SheetColumn("problem", "原因", 46))


def write_verification(register: Path, out: Path, sender: Sender) -> list[Handout]:
    """Write the workbook; returns it, or nothing where no roster was answered, none is overdue, and all that came back on other sheets counts."""
    _, as_of = newest_run(register)
    with reading(register) as con:
        answers = con.sql(query("verification/answers")).pl()
        turned_away = con.sql(query("verification/turned_away"), params={"answers": columns_of_answers()}).pl()
        returned = con.sql(query("verification/returned")).pl()
        progress = con.sql("SELECT * FROM v_verification_progress").pl()
    late = overdue(progress, as_of, Layout.load())
    if not (answers.height + turned_away.height + late.height + returned.height):
        return []
    of_rosters = pl.col("feed") == "verification"
    unused, others = _unused(answers, turned_away.filter(of_rosters)), unused_page(returned, turned_away.filter(~of_rosters))
    pages = (unused, _disputed(answers), _overdue(late), _corrected(answers), others)
    tray = Tray(register, out, sender)
    handout = Handout(
        "verification", f"核实情况_{as_of}.xlsx", "", CIVIL_AFFAIRS, None, as_of, "核对各部门核实反馈的采纳情况，催办逾期", answers.height, ("姓名", "核实反馈")
    )  # fmt: skip
    tray.workbook(handout, [_notes(as_of, [page.rows.height for page in pages]), *pages])
    return tray.close()


def overdue(progress: pl.DataFrame, as_of: date, layout: Layout) -> pl.DataFrame:
    """The rosters of this quarter on which nothing, or not everything, has come back in time: progress with due_on and days_late."""
    this_quarter = progress.filter(pl.col("quarter") == pl.lit(as_of).dt.truncate("1q"))
    due = this_quarter.with_columns(due_on=pl.col("asked_on") + pl.duration(days=layout.reply_days))
    late = due.filter((pl.col("outstanding") > 0) & (pl.col("due_on") < as_of))
    return late.with_columns(days_late=(pl.lit(as_of) - pl.col("due_on")).dt.total_days()).sort("days_late", "district", "department", descending=[True, False, False])


def _unused(answers: pl.DataFrame, turned_away: pl.DataFrame) -> Sheet:
    """What does not count, rows that intake turned away filled in among it."""
    unused = answers.filter(~pl.col("state").is_in(["confirmed", "applied"])).with_columns(
        pl.when(pl.col("state") == "noted").then(pl.coalesce("problem", pl.lit(_NOTED))).otherwise("problem").alias("problem"),
        pl.coalesce("person_id", "named").alias("person_id"),
        in_words(pl.col("state"), ANSWER_STATE_WORDS),
    )
    both = pl.concat([unused, turned_away.with_columns(state=pl.lit(_TURNED_AWAY))], how="diagonal_relaxed").sort("source_file", "source_row")
    return Sheet("未采纳", "未采纳的核实反馈", (*_PLACE, *_WHY, *_WHO, *_SAID), both, frozen=2)


def _disputed(answers: pl.DataFrame) -> Sheet:
    """The answers that differ, one child's together."""
    differ = answers.filter("is_disputed").with_columns(in_words(pl.col("state"), ANSWER_STATE_WORDS)).sort("person_id", "question", "verified_on", "source_file", "source_row")
    return Sheet("部门间不一致", "各部门答复不一致的儿童，请核定", (*_WHO, *_SAID, *_WHY, *_PLACE), differ, frozen=4)


def _overdue(late: pl.DataFrame) -> Sheet:
    columns = (
        SheetColumn("district_name", "居住区县", 14), SheetColumn("department", "核实部门", 10), SheetColumn("asked_on", "发出日期", 12), SheetColumn("due_on", "应反馈日期", 12),
        SheetColumn("days_late", "逾期天数", 9), SheetColumn("children", "名册儿童数", 11), SheetColumn("answered", "已反馈", 9), SheetColumn("outstanding", "未反馈", 9),
        SheetColumn("last_answer_on", "最近核实日期", 13),
    )  # fmt: skip
    return Sheet("逾期未反馈", "本季度逾期未反馈的花名册", columns, late, frozen=2)


def _corrected(answers: pl.DataFrame) -> Sheet:
    return Sheet("已采纳", "已采纳的更正和变动", (*_WHO, *_SAID, *_PLACE), answers.filter(pl.col("state") == "applied"), frozen=4)


def _notes(as_of: date, rows: list[int]) -> Notes:
    unused, disputed, late, applied, others = rows
    return Notes(
        "说明",
        f"核实情况说明　{as_of}",
        (
            ("本表内容", f"截至{as_of}：未采纳{unused}条，部门间不一致{disputed}条，逾期未反馈的花名册{late}份，已采纳{applied}条，其他表中未采用{others}行。"),
            ("未采纳", "按来源文件和行号列出，并说明原因。行号从表头下一行算起为1。请退回该部门按原因改正后重新报送。没有填写的行不列，下次再报。"),
            ("部门间不一致", "同一儿童各部门答复不同。姓名、性别、出生日期、证件号、户籍地以公安答复为准，居住情况和监护人以民政答复为准；主管部门未答复的均未采纳。"),
            ("逾期未反馈", "以本季度第一份花名册发出日起算。"),
            ("已采纳", "作为认定依据，效力与当面摸排相同，以较新的为准；原数据保留，不被覆盖。"),
            (NAME, "走访表、摸排表、协查答复和全国系统回执中未采用的行或项目，按来源文件和行号列出，填了内容而缺日期或日期看不懂被退回的行也在其中。走访表中“强制报告情形”未采用的，请立即核实；“走访结果”“走访方式”看不懂的，不计为走访；改正后重新报送，下一次运行不再列出。"),
            ("保密要求", "本表含儿童个人信息，仅限民政部门核对使用，用后按规定保存或销毁。"),
        ),
    )
