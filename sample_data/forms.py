"""How a row is written down. Enters: typed, damaged sheets. Leaves: text, in the way of the file, with cells written otherwise and named so."""

from __future__ import annotations

import numpy as np
import polars as pl

from sample_data.faults import appended, filled, some
from sample_data.places import Ints
from sample_data.sheet import Block, Sheet
from schemas.exports.contract import Kind
from schemas.exports.feeds import FEEDS

DATES = ("%Y%m%d", "%Y-%m-%d", "%Y/%-m/%-d", "%Y.%m.%d", "%Y年%-m月%-d日")
DIVISIONS = {
    "household": "twelve", "residence": "nine", "education": "six", "health": "nine", "medical_insurance": "six",
    "disease_control": "six", "disability": "full", "survey": "six", "assistance": "county",
}  # fmt: skip
_DATE_STYLE = {"household": 0, "residence": 1, "education": 0, "health": 1, "medical_insurance": 1, "disease_control": 1, "disability": 3, "survey": 2, "assistance": 4}
_FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
_EXCEL_DAY_0 = 25_569  # the serial number of 1970-01-01


def written(sheet: Sheet, block: Block) -> Sheet:
    """The sheet as text; then some cells otherwise, empty cells as placeholders, whole rows twice and rows that can't be accepted."""
    dates = {c.name: sheet.frame[c.name] for c in FEEDS[sheet.feed].columns if c.kind is Kind.DATE}
    divisions = {c.name: sheet.frame[c.name] for c in FEEDS[sheet.feed].columns if c.kind is Kind.DIVISION}
    sheet.frame = sheet.frame.with_columns(_text(sheet, block))
    for name, days in dates.items():
        _date_forms(sheet, block, name, days)
    for name, at in divisions.items():
        _division_forms(sheet, block, name, at)
    _other_forms(sheet, block)
    return _extra_rows(sheet, block)


def _text(sheet: Sheet, block: Block) -> list[pl.Series]:
    """Every column as text in the usual way of the feed."""
    out = []
    style = DATES[_DATE_STYLE[sheet.feed]]
    for column in FEEDS[sheet.feed].columns:
        cells = sheet.frame[column.name]
        if cells.dtype == pl.Null or cells.null_count() == len(cells):
            cells = pl.Series(column.name, [None] * len(cells), dtype=pl.String)
        elif column.kind is Kind.DATE:
            cells = cells.dt.strftime(style)
        elif column.kind is Kind.DIVISION:
            cells = block.where.texts[DIVISIONS[sheet.feed]].gather(cells)
        elif cells.dtype == pl.Boolean:
            words = ("男", "女") if column.kind is Kind.SEX else ("是", "否")
            cells = cells.replace_strict([True, False], list(words), return_dtype=pl.String)
        out.append(cells.alias(column.name))
    if sheet.feed == "education":
        month = sheet.frame["_month"] & sheet.frame["enrolled_on"].is_not_null()
        day = sheet.frame["enrolled_on"]
        out = [pl.select(pl.when(month).then(day.dt.strftime("%Y%m")).otherwise(c)).to_series().alias(c.name) if c.name == "enrolled_on" else c for c in out]
    return out


def _date_forms(sheet: Sheet, block: Block, name: str, days: pl.Series) -> None:
    """Dates in another form, as Excel's serial number, with a time; empty ones as zeros or Excel's day 0."""
    rng, rates = block.rng, block.rates
    if days.dtype != pl.Date:
        return
    rows = some(rng, days.is_not_null().to_numpy() & ~(sheet.frame["_month"].to_numpy() & (name == "enrolled_on")), rates.forms["date_form"])
    which = rng.integers(len(DATES) + 2, size=len(rows))
    for i, style in enumerate((*DATES, "%Y-%m-%d 00:00:00")):
        at = rows[which == i]
        sheet.put(name, at, days[at].dt.strftime(style), "date_form")
    at = rows[which == len(DATES) + 1]
    sheet.put(name, at, (days[at].cast(pl.Int32) + _EXCEL_DAY_0).cast(pl.String), "date_serial")
    if FEEDS[sheet.feed].column(name).need is None:
        rows = some(rng, days.is_null().to_numpy(), rates.forms["date_missing"])
        sheet.put(name, rows, _drawn(rng, ("00000000", "1900-01-01", "1899-12-30"), len(rows)), "date_placeholder")


def _division_forms(sheet: Sheet, block: Block, name: str, at: pl.Series) -> None:
    """Divisions with more digits or fewer, by name, by a code no longer in force."""
    rng, rates, where = block.rng, block.rates, block.where
    if at.dtype == pl.Null or at.dtype == pl.String:
        return
    has = at.is_not_null().to_numpy()
    rows = some(rng, has, rates.forms["division_form"])
    into = (block.kids["story"] == "into_city").to_numpy()[sheet.frame["_child"].to_numpy()]
    styles = ["six", "nine", "twelve", "county", "full", *(["unit"] if name == "residence_division" else [])]
    which = rng.integers(len(styles), size=len(rows))
    for i, style in enumerate(styles):
        chosen = rows[(which == i) & (into[rows] | (style != "unit"))]
        text = where.texts[style].gather(at[chosen])
        other = (text != sheet.frame[name][chosen]).to_numpy()
        sheet.put(name, chosen[other], text.filter(pl.Series(other)), "division_form")
    old = where.table["old6"]
    changed = old.is_not_null().gather(at.fill_null(0)).to_numpy()
    rows = some(rng, has & changed, rates.forms["division_old"])
    sheet.put(name, rows, old.gather(at[rows]), "division_old_code")


def _other_forms(sheet: Sheet, block: Block) -> None:
    """Ids, names, sexes and phones written otherwise; empty cells with a word for none."""
    rng, forms = block.rng, block.rates.forms
    for column in FEEDS[sheet.feed].columns:
        has = filled(sheet, column.name)
        match column.kind:
            case Kind.ID:
                proper = sheet.frame[column.name].str.contains(r"^\d{17}[\dX]$").fill_null(False).to_numpy()
                rows = some(rng, proper, forms["id_form"])
                _write(sheet, column.name, rows, [_id_form(n, k) for n, k in zip(sheet.frame[column.name][rows], rng.integers(8, size=len(rows)), strict=True)])
            case Kind.NAME:
                rows = some(rng, has, forms["name_form"])
                _write(sheet, column.name, rows, [_name_form(n, k) for n, k in zip(sheet.frame[column.name][rows], rng.integers(6, size=len(rows)), strict=True)])
            case Kind.SEX:
                _sex_forms(sheet, block, column.name)
            case Kind.PHONE:
                rows = some(rng, has, forms["phone_form"])
                _write(sheet, column.name, rows, [_phone_form(n, k) for n, k in zip(sheet.frame[column.name][rows], rng.integers(4, size=len(rows)), strict=True)])
                rows = some(rng, has, forms["phone_unusable"])
                sheet.put(column.name, rows, _drawn(rng, ("13800000000", "023-68990000", "11111111111", "无"), len(rows)), "phone_unusable")
        if column.need is None and column.kind in (Kind.ID, Kind.NAME, Kind.PHONE, Kind.ADDRESS):
            rows = some(rng, ~filled(sheet, column.name), forms["placeholder"])
            sheet.put(column.name, rows, _drawn(rng, ("无", "-", "/", "NULL", "待补", "不详"), len(rows)), "placeholder")


def _write(sheet: Sheet, column: str, rows: Ints, made: list[tuple[str, str]]) -> None:
    """Put texts into the rows, each with the fault it came with; an empty fault leaves the cell."""
    for fault in sorted({f for _, f in made if f}):
        at = np.array([i for i, (_, f) in enumerate(made) if f == fault], dtype=np.int64)
        sheet.put(column, rows[at], pl.Series([made[i][0] for i in at]), fault if column in ("id_number", "name") else f"other_{fault}")


def _id_form(number: str, kind: int) -> tuple[str, str]:
    """A number as Excel, keyboards and people write it: readable all the same."""
    match kind:
        case 0:
            return "'" + number, "id_apostrophe"
        case 1:
            return "\t" + number + "  ", "id_blanks"
        case 2:
            return f"{number[:6]} {number[6:14]} {number[14:]}", "id_blanks"
        case 3:
            return f"{number[:6]}-{number[6:14]}-{number[14:]}", "id_dashes"
        case 4:
            return number.translate(_FULL_WIDTH), "id_full_width"
        case 5 if number.endswith("X"):
            return number[:-1] + "x", "id_small_x"
        case 6 if number.endswith("X"):
            return number[:-1] + ("×" if int(number[16]) % 2 else "*"), "id_times_for_x"
        case 7 if "0" in number[6:]:
            return number[:6] + number[6:].replace("0", "O", 1), "id_letter_o"
    return number, ""


def _name_form(name: str, kind: int) -> tuple[str, str]:
    """A name with a mark or a blank too many, or another dot."""
    if "·" in name:
        return name.replace("·", ("•", "．", ".", "", "・", "‧")[kind]), "name_dot"
    match kind:
        case 0:
            return name[0] + " " + name[1:], "name_blank"
        case 1:
            return name[0] + "\u3000" + name[1:], "name_blank"
        case _:
            return name + ("（大）", "*", "1", "(小)")[kind - 2], "name_mark"


def _phone_form(phone: str, kind: int) -> tuple[str, str]:
    """A number with the country, with dashes, with a second one."""
    texts = ("+86" + phone, f"+86-{phone}", f"{phone[:3]}-{phone[3:7]}-{phone[7:]}", f"{phone}/{phone[:3]}{phone[:2:-1]}")
    return texts[kind], "phone_form"


def _sex_forms(sheet: Sheet, block: Block, column: str) -> None:
    rng, forms = block.rng, block.rates.forms
    rows = some(rng, filled(sheet, column), forms["sex_form"])
    which = rng.integers(3, size=len(rows))
    for i, (male, female) in enumerate((("1", "2"), ("M", "F"), ("男性", "女性"))):
        at = rows[which == i]
        sheet.put(column, at, sheet.frame[column][at].replace(["男", "女"], [male, female]), "sex_form")
    rows = some(rng, filled(sheet, column), forms["sex_unknown"])
    sheet.put(column, rows, _drawn(rng, ("0", "9"), len(rows)), "sex_unknown")


def _extra_rows(sheet: Sheet, block: Block) -> Sheet:
    """Copies of rows that lack their key or a needed value, and rows that are there twice."""
    rng, rates = block.rng, block.rates
    needed = [c.name for c in FEEDS[sheet.feed].columns if c.need]
    every = np.ones(sheet.height, dtype=bool)
    rows = some(rng, every, rates.rows["quarantined"])
    which = rng.integers(len(needed), size=len(rows))
    twice = some(rng, every, rates.rows["duplicate_row"])
    same, faults = sheet.frame[twice], sheet.damage()[twice]
    out = sheet
    for i, name in enumerate(needed):
        broken = sheet.frame[rows[which == i]].with_columns(pl.lit(None, pl.String).alias(name))
        out = appended(out, broken.select(sheet.frame.columns), ("quarantined", f"no_{name}"))
    start = out.height
    out = appended(out, same, ("duplicate_row",))
    kept = [(start + i, fault) for i, found in enumerate(faults) for fault in found]
    out.marks += [(np.array([row]), fault) for row, fault in kept]
    return out


def _drawn(rng: np.random.Generator, words: tuple[str, ...], size: int) -> pl.Series:
    return pl.Series(words)[rng.integers(len(words), size=size)]
