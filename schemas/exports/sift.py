"""Which rows under the headings are no records: blank ones, totals and signatures, headings repeated half way.

Enters: a batch with its layout. Leaves: expressions that are true for such rows.
"""

from __future__ import annotations

import polars as pl

from schemas.exports.contract import Feed
from schemas.exports.headings import Layout, fold
from schemas.exports.reading import cell

# a cell that begins a total or signature row; what may stand behind it is a colon and a name, or a count
_FOOTER = (
    r"^(?:(?:本页|本表|总)?(?:合计|总计|小计|共计|总数|合计数|总人数)|填表人|填报人|制表人|审核人|复核人|经办人|负责人|单位负责人|"
    r"填表单位|填报单位|制表单位|填表日期|填报日期|制表日期|报送日期|联系人)(?:[:：].*|[0-9]+[人条行名个户]?)?$"
)
_NOTE = r"^(?:注|说明|备注|填表说明|注意事项)[:：].*$"


def _stripped(position: int) -> pl.Expr:
    """A cell without blanks; null where nothing is left."""
    text = pl.col(cell(position)).str.replace_all(r"[\s\u3000\u00a0\u200b\ufeff]+", "")
    return pl.when(text != "").then(text)


def blank_row(width: int) -> pl.Expr:
    """Whether a row of so many columns holds nothing at all."""
    empty = pl.all_horizontal(pl.col(cell(i)).is_null() | (pl.col(cell(i)).str.strip_chars() == "") for i in range(width))
    return (empty & (pl.col("beyond").list.len() == 0)).fill_null(True)


def total_row(feed: Feed, layout: Layout) -> pl.Expr:
    """Whether a row is a total, a signature, a note or the headings again: it begins so, and lacks what every record has.

    A record whose first cell happens to read 合计 stays a record, for it has its key and all it needs.
    """
    filled = [_stripped(i) for i in range(len(layout.headings))]
    first = pl.coalesce(filled)
    lone = pl.sum_horizontal(f.is_not_null().cast(pl.UInt16) for f in filled) == 1
    needed = [(c, layout.positions[c.name]) for c in feed.columns if c.need]
    lacks = pl.any_horizontal((_stripped(i).is_null() | _stripped(i).str.contains(_FOOTER)) for _, i in needed)
    again = pl.all_horizontal((_stripped(i) == pl.lit(fold(layout.headings[i]))).fill_null(False) for _, i in needed)
    footer = first.str.contains(_FOOTER) & lacks
    note = first.str.contains(_NOTE) & lone
    return (footer | note | again).fill_null(False) & (pl.col("fault").is_null() | (pl.col("fault") == "ragged_row"))
