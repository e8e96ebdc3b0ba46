"""The look of the review workbook: possible matches one above the other, what differs marked, the decision beside.

Enters: one row per side of each pair (sql/review_sides.sql). Leaves: the pages of the workbook.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from publish.contradictions import Torn
from publish.disclosure import mask_id
from publish.words import CATEGORY_WORDS, FEED_WORDS, ID_STATUSES, OUTCOME_WORDS, RELATION_WORDS, SEXES, in_words
from publish.workbook import Notes, Sheet, SheetColumn

DECISION_WORDS = {"同一人": "same", "不同人": "different", "不确定": "unsure"}
CAUSE_WORDS = {
    "doubtful": "相似但把握不足", "ambiguous": "与多人相似", "two_numbers": "两个不同的有效证件号", "twins": "疑似多胞胎",
    "refused_number": "证件号疑为他人所有", "contradiction": "数据相互矛盾", "parents": "所列父母不同", "giant": "合并后记录过多",
    "decided": "已核对",
}  # fmt: skip
PAIR, DECISION, DECIDED_BY, DECIDED_ON, REMARK = "核对编号", "核对结论", "核对人", "核对日期", "备注"
SHEET = "待核对名单"

COLUMNS = (
    SheetColumn("pair_id", PAIR, 13),
    SheetColumn("side", "一方", 5),
    SheetColumn("name", "姓名", 11),
    SheetColumn("sex", "性别", 5),
    SheetColumn("birth_date", "出生日期", 11),
    SheetColumn("id_number", "身份证号（遮盖）", 20),
    SheetColumn("id_number_status", "证号状态", 9),
    SheetColumn("guardians", "监护人", 20),
    SheetColumn("phones", "联系电话", 13),
    SheetColumn("hukou", "户籍地", 16),
    SheetColumn("residence", "现居住地", 16),
    SheetColumn("feeds", "数据来源", 18),
    SheetColumn("standing", "目前认定", 12),
    SheetColumn("why", "比较依据（甲行：像同一人；乙行：不像）", 36),
    SheetColumn("weight", "把握", 13),
    SheetColumn("decision", DECISION, 10, choices=tuple(DECISION_WORDS), is_input=True),
    SheetColumn("decided_by", DECIDED_BY, 9, is_input=True),
    SheetColumn("decided_on", DECIDED_ON, 11, is_input=True),
    SheetColumn("remark", REMARK, 16, is_input=True),
)
# what is compared at a glance: a difference in one of these catches the eye
_COMPARED = ("name", "sex", "birth_date", "id_number", "guardians", "phones", "hukou", "residence")
_LISTS = {"guardians", "phones"}

NOTES = Notes(
    "填写说明",
    "疑似同一儿童核对表：填写说明",
    (
        ("这是什么", "系统把各部门数据中可能是同一名儿童、但自己拿不准的两份档案列在一起，请您判断。每一对占上下两行：“甲”行和“乙”行，核对编号相同。"),
        ("怎么看", "两行中不一致的内容以橙底、加粗、下划线标出。“比较依据”列写明系统比较了什么：甲行是支持同一人的理由，乙行是反对的理由，括号内的数字越大分量越重。"),
        ("怎么填", "在“核对结论”列选择：同一人、不同人、不确定；并填写核对人和核对日期（如 2026-12-01）。每一对只需填一行（甲行或乙行均可），三项缺一不可。"),
        ("先做哪些", "名单已排好序：以前的结论互相矛盾的在最前（“把握”列写明哪几对，已填的结论请改正其中一个）；其次是关系到是否列入流动儿童或重点关爱名单的，再次是一次判断能理清最多记录的。做不完时，从上往下做即可。"),
        ("拿不准时", "双胞胎的监护人、电话、住址和生日都相同，不能据此认定为同一人，请看姓名、性别和证件号。仍拿不准请选“不确定”，该对会留在下次名单中。"),
        ("填错了", "同一对前后填了不同结论时，两个都不会采纳，并会指出在第几行。以后重新核对、再次导入，以最后导入的为准，以前的结论仍保留备查。"),
        ("填好之后", "请另存一份再填写（系统每晚会重新生成本文件），保存为 xlsx，交系统管理员用 childflow review import 导入；结论自下一次运行起生效，并长期有效。"),
        ("保密要求", "本表含儿童个人信息，仅供民政部门核对使用，不得转发、上传公共网络或用于其他目的；用后按规定保存或销毁。"),
    ),
)  # fmt: skip


def review_sheet(sides: pl.DataFrame, found: Sequence[Torn] = ()) -> Sheet:
    """The sheet of the pairs, two rows each, pairs shaded in turn; `found` are the contradictions, told beside each of their pairs."""
    told = [(pair, f"结论互相矛盾：{each.says()}") for each in found for pair in each.pairs]
    torn = pl.DataFrame(told, schema={"pair_id": pl.String, "conflict": pl.String}, orient="row").group_by("pair_id", maintain_order=True).agg(pl.col("conflict").str.join("\n"))
    rows = _rows(sides.join(torn, on="pair_id", how="left", maintain_order="left"))
    pair = pl.col("pair_id").rle_id()
    return Sheet(
        SHEET, "疑似同一儿童核对表", COLUMNS, rows, frozen=3,
        bands=sides.select(pair % 2 == 1).to_series(), marks=_differences(rows),
    )  # fmt: skip


def _rows(sides: pl.DataFrame) -> pl.DataFrame:
    return sides.join(_reasons(sides), on=["pair_id", "side"], how="left", maintain_order="left").select(
        "pair_id",
        pl.when(pl.col("side") == 1).then(pl.lit("甲")).otherwise(pl.lit("乙")).alias("side"),
        _name(),
        in_words(pl.col("sex"), SEXES),
        pl.col("birth_date").cast(pl.String),
        mask_id(pl.col("id_number"), beside_birth_date=False),
        in_words(pl.col("id_number_status"), ID_STATUSES),
        _guardians(),
        pl.col("phones").list.join("\n"),
        "hukou",
        "residence",
        pl.col("feeds").list.eval(in_words(pl.element(), FEED_WORDS)).list.join("、"),
        _standing(),
        "why",
        _weight(),
        in_words(pl.col("decision"), {code: word for word, code in DECISION_WORDS.items()}),
        "decided_by",
        "decided_on",
    )


def _name() -> pl.Expr:
    former = pl.col("former_names").list.join("、")
    return pl.concat_str(pl.col("name").fill_null("（无姓名）"), pl.when(former != "").then("\n又作：" + former).otherwise(pl.lit(""))).alias("name")


def _guardians() -> pl.Expr:
    one = pl.element().struct
    relation = in_words(one.field("relation"), RELATION_WORDS).fill_null("")
    parts = (one.field("name").fill_null("（无姓名）"), pl.lit(" "), relation, pl.lit(" "), one.field("phone").fill_null(""))
    return pl.col("guardians").list.eval(pl.concat_str(parts).str.strip_chars()).list.join("\n")


def _standing() -> pl.Expr:
    care = pl.col("categories").list.eval(in_words(pl.element(), CATEGORY_WORDS)).list.join("、")
    return pl.concat_str(in_words(pl.col("outcome"), OUTCOME_WORDS), pl.when(care != "").then("\n" + care).otherwise(pl.lit(""))).alias("standing")


def _weight() -> pl.Expr:
    """Odds and cause on the first row of the pair only."""
    percent = (pl.col("match_probability") * 100).round(0).cast(pl.Int32).cast(pl.String) + "%"
    return pl.when(pl.col("side") == 1).then(pl.concat_str(percent, pl.lit("\n"), pl.coalesce("conflict", in_words(pl.col("cause"), CAUSE_WORDS)))).alias("weight")


def _reasons(sides: pl.DataFrame) -> pl.DataFrame:
    """`pair_id, side, why`: what speaks for one child on the first side's row, what speaks against on the second's; the heaviest first."""
    one = pl.col("comparisons").struct
    lines = (
        sides.filter(pl.col("side") == 1)
        .select("pair_id", "comparisons")
        .explode("comparisons")
        .select("pair_id", one.field("comparison"), one.field("phrase"), one.field("weight").round(1))
        .filter(pl.col("weight").abs() > 0)
        .sort("pair_id", pl.col("weight").abs(), "comparison", descending=[False, True, False])
    )
    sign = pl.when(pl.col("weight") > 0).then(pl.lit("+")).otherwise(pl.lit("−"))
    phrase = pl.concat_str(pl.col("phrase").fill_null(""), pl.lit("（"), sign, pl.col("weight").abs().cast(pl.String), pl.lit("）"))
    side = pl.when(pl.col("weight") > 0).then(1).otherwise(2).cast(pl.Int32)
    return lines.with_columns(phrase.alias("why"), side.alias("side")).group_by("pair_id", "side", maintain_order=True).agg(pl.col("why").str.join("\n"))


def _differences(rows: pl.DataFrame) -> pl.DataFrame:
    """True in both rows of a pair where both say something and what they say differs; lists differ when they share nothing."""
    marks = []
    for name in _COMPARED:
        text = pl.col(name)
        other = pl.coalesce(text.shift(1).over("pair_id"), text.shift(-1).over("pair_id"))
        both = text.fill_null("").str.len_chars().gt(0) & other.fill_null("").str.len_chars().gt(0)
        differs = text.str.split("\n").list.set_intersection(other.str.split("\n")).list.len() == 0 if name in _LISTS else text != other
        marks.append((both & differs).fill_null(False).alias(name))
    return rows.select(marks)
