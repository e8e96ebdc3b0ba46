"""Which rows under the headings are no records: blank ones, totals and signatures, headings repeated half way.

Enters: a batch with its layout. Leaves: two masks over its rows.
"""

from __future__ import annotations

import re

import polars as pl

from schemas.exports.contract import Feed
from schemas.exports.headings import Layout, fold
from schemas.exports.reading import cell

# a cell that begins a total or signature row; what may stand behind it is a colon and a name, or a count
_FOOTER = (
    r"^(?:(?:本页|本表|总)?(?:合计|总计|小计|共计|总数|合计数|总人数)|填表人|填报人|制表人|审核人|复核人|经办人|负责人|单位负责人|"
    r"填表单位|填报单位|制表单位|填表日期|填报日期|制表日期|报送日期|联系人)(?:[:：(（].*|[0-9]+[人条行名个户]?)?$"
)
# the first characters of those words
_BEGINS = "本总合小共填报制审复经负单联"
_BLANKS = r"[\s\u3000\u00a0\u200b\ufeff]"
_NOTE = r"^(?:注|说明|备注|填表说明|注意事项)[:：].*$"


def sift(batch: pl.DataFrame, feed: Feed, layout: Layout) -> tuple[pl.Series, pl.Series]:
    """Which rows are blank, and which are totals, signatures, notes or the headings again.

    A record whose first cell happens to read 合计 stays a record, for it has its key and all it needs: so only rows that lack
    something needed (or repeat its heading) are looked at cell by cell.
    """
    needed = [layout.positions[c.name] for c in feed.columns if c.need]
    width = len(layout.headings)
    numbered = batch.lazy().with_row_index("at").filter(pl.any_horizontal(_may_lack(i, layout) for i in needed))
    suspects = numbered.select("at", "fault", "beyond", *(_squeezed(i) for i in range(width))).collect()
    odd = pl.any_horizontal(_lacks(i) | _is_heading(i, layout) for i in needed).fill_null(True)
    verdicts = suspects.lazy().filter(odd).select("at", blank=_blank(width), total=_total(needed, layout)).collect()
    return _mask(verdicts.filter("blank"), batch.height), _mask(verdicts.filter("total"), batch.height)


def _mask(rows: pl.DataFrame, height: int) -> pl.Series:
    mask = pl.repeat(False, height, eager=True)
    return mask.scatter(rows.get_column("at"), True) if rows.height else mask


def _may_lack(position: int, layout: Layout) -> pl.Expr:
    """Whether a cell is worth a closer look: empty, or begins as its heading or the word of a total row does."""
    text = pl.col(cell(position))
    first = "".join(re.escape(written[:1]) for written in _written(position, layout))
    return text.is_null() | text.str.contains(f"^{_BLANKS}*(?:$|[{_BEGINS}{first}])")


def _squeezed(position: int) -> pl.Expr:
    """A cell without its blanks; null where nothing is left."""
    text = pl.col(cell(position)).str.replace_all(f"{_BLANKS}+", "")
    return pl.when(text != "").then(text).alias(cell(position))


def _lacks(position: int) -> pl.Expr:
    """Whether a squeezed cell is blank or itself the word of a total row."""
    text = pl.col(cell(position))
    return text.is_null() | text.str.contains(_FOOTER)


def _is_heading(position: int, layout: Layout) -> pl.Expr:
    """Whether a squeezed cell is its heading again."""
    return pl.col(cell(position)).is_in(_written(position, layout))


def _written(position: int, layout: Layout) -> tuple[str, str]:
    """A heading as it came and without the marks around it."""
    return layout.headings[position], fold(layout.headings[position])


def _blank(width: int) -> pl.Expr:
    return pl.all_horizontal(pl.col(cell(i)).is_null() for i in range(width)) & (pl.col("beyond").list.len() == 0)


def _total(needed: list[int], layout: Layout) -> pl.Expr:
    filled = [pl.col(cell(i)) for i in range(len(layout.headings))]
    first = pl.coalesce(filled)
    lone = pl.sum_horizontal(f.is_not_null().cast(pl.UInt16) for f in filled) == 1
    again = pl.all_horizontal(_is_heading(i, layout).fill_null(False) for i in needed)
    footer = first.str.contains(_FOOTER) & pl.any_horizontal(_lacks(i) for i in needed)
    note = first.str.contains(_NOTE) & lone
    return (footer | note | again) & (pl.col("fault").is_null() | (pl.col("fault") == "ragged_row"))
