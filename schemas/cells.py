"""From a cell's text to its value. Enters: text as departments write it. Leaves: polars expressions for cleaned text, dates, sexes, flags and lists.

Every expression gives null for what it cannot read; nothing is guessed. Formats and placeholders are those of contracts/feeds.md, "Quirks".
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping

import polars as pl

# what departments write for "none"; long runs of one digit stand where a number was demanded
PLACEHOLDERS = frozenset({
    "", "无", "-", "—", "－", "/", "／", "NULL", "null", "Null", "待补", "不详", "未办理", "N/A", "NA", "None", "nan",
    # what a spreadsheet shows where a formula came to nothing, and writes into a CSV
    "#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!",
})  # fmt: skip
NUMBER_PLACEHOLDER = r"^(?:0{6,}|9{9,}|1{9,})$"
_BLANKS = r"[\s\u{00A0}\u{3000}\u{200B}-\u{200D}\u{FEFF}\u{2000}-\u{200A}]+"
# the same characters one by one: stripping a set is an order of magnitude faster than a regular expression on the bulk of intake
_EDGES = "".join(map(chr, (*range(9, 14), *range(28, 33), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200E), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF)))
# what keeps a spreadsheet from taking a number for one: a mark before it, or a formula that says it as text (`="500106…"`)
_MARKS, _FORMULA = "'‘’`", '="'
# GB18030-2005 bytes that Python maps to private use, and the characters the 2022 edition gives them
_PRIVATE_USE = dict(
    zip(
        "\ue81e\ue826\ue82b\ue82c\ue832\ue843\ue854\ue864\ue78d\ue78e\ue78f\ue790\ue791\ue792\ue793\ue794\ue795\ue796\ue7c7",
        "\u9fb4\u9fb5\u9fb6\u9fb7\u9fb8\u9fb9\u9fba\u9fbb\ufe10\ufe12\ufe11\ufe13\ufe14\ufe15\ufe16\ufe17\ufe18\ufe19\u1e3f",
        strict=True,
    )
)
# days since 1899-12-30 that a date cell of 1927-2063 holds, and the marks that mean "no date"
_SERIAL = (10_000, 60_000)
_ISO = r"^(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}$"
# what spreadsheets and databases put where there is no date; missing, and not unreadable
_NO_DATE = r"^(?:1900[-/.年]?0?1[-/.月]?0?1日?|1899[-/.年]?12[-/.月]?3[01]日?|0+(?:[-/.年]0+[-/.月]0+日?)?)(?:[ T].*)?$"
# from 16:00 on in UTC, said by the mark behind the time, it is the next day in the city: programs that keep moments write its midnight so
_NEXT_DAY = r"[T\s](?:1[6-9]|2[0-3]):\d{2}(?::\d{2}(?:\.\d+)?)?\s?(?:Z|\+00:?00)$"
_NO_DATES = (dt.date(1900, 1, 1), dt.date(1899, 12, 30), dt.date(1899, 12, 31))


_EDGE = "".join(f"\\u{{{ord(c):X}}}" for c in _EDGES)
# a text in which there is anything to clean: a blank or mark at an end, a formula, a placeholder, a character private to one decoder
_UNCLEAN = f"^[{_EDGE}{_MARKS}]|^{_FORMULA}|[{_EDGE}]$|{NUMBER_PLACEHOLDER}|^(?:{'|'.join(map(re.escape, sorted(PLACEHOLDERS)))})$|[{''.join(_PRIVATE_USE)}]"


def clean_text(text: pl.Expr) -> pl.Expr:
    """The text without blanks and marks around it, placeholders null; characters private to one decoder folded."""
    return where(_UNCLEAN, text, _cleaned)


def _cleaned(text: pl.Expr) -> pl.Expr:
    bare = text.str.replace_many(list(_PRIVATE_USE), list(_PRIVATE_USE.values())).str.strip_chars_start(_EDGES + _MARKS).str.strip_chars_end(_EDGES)
    said = bare.str.strip_chars_start(f'{_EDGES}{_MARKS}="').str.strip_chars_end(_EDGES + '"')
    bare = pl.when(bare.str.starts_with(_FORMULA)).then(said).otherwise(bare)
    return bare.str.replace(NUMBER_PLACEHOLDER, "").replace(sorted(PLACEHOLDERS), None)


def clean_date(text: pl.Expr) -> pl.Expr:
    """As `clean_text`; null too where the text stands for no date."""
    return where(f"{_UNCLEAN}|^(?:1900|1899|0)", text, _cleaned_date)


def _cleaned_date(text: pl.Expr) -> pl.Expr:
    cleaned = _cleaned(text)
    return pl.when(~cleaned.str.contains(_NO_DATE)).then(cleaned)


def clean_code(text: pl.Expr) -> pl.Expr:
    """As `clean_text`, for columns whose words include 无: only an empty cell is null."""
    bare = text.str.replace_all(f"^{_BLANKS}|{_BLANKS}$", "")
    return pl.when(bare != "").then(bare)


def unless(plain: str, text: pl.Expr, made: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """`made(text)` for texts that the pattern does not match, once per distinct one; a text in the usual form is what it would give back anyway."""
    return text.map_batches(lambda cells: _remade(cells, ~cells.str.contains(plain), made), return_dtype=pl.String, is_elementwise=True)


def where(odd: str, text: pl.Expr, made: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """`made(text)` for texts that the pattern matches, once per distinct one; it would give any other back as it is."""
    return text.map_batches(lambda cells: _remade(cells, cells.str.contains(odd), made), return_dtype=pl.String, is_elementwise=True)


def _remade(cells: pl.Series, is_odd: pl.Series, made: Callable[[pl.Expr], pl.Expr]) -> pl.Series:
    odd = is_odd.arg_true()
    if not len(odd):
        return cells
    texts = cells.gather(odd).rename("text").to_frame()
    known = texts.unique().select("text", made=made(pl.col("text")))
    return cells.scatter(odd, texts.join(known, on="text", how="left", maintain_order="left").get_column("made"))


def half_width(text: pl.Expr) -> pl.Expr:
    """Full-width digits, letters and marks as half-width ones (Unicode NFKC)."""
    return text.str.normalize("NFKC")


def date(text: pl.Expr) -> pl.Expr:
    """The date; of a month or a year alone, the latest day it can mean (decision 7). Null where the text is none or means "no date"."""
    return text.map_batches(lambda cells: dated(cells).get_column("date"), return_dtype=pl.Date, is_elementwise=True)


def date_precision(text: pl.Expr) -> pl.Expr:
    """day, month or year; null where `date` is null."""
    return text.map_batches(lambda cells: dated(cells).get_column("precision"), return_dtype=pl.String, is_elementwise=True)


def dated(cells: pl.Series) -> pl.DataFrame:
    """text, date and precision of each cell, read once per distinct text: a column of a feed has far fewer of those than rows."""
    texts = cells.cast(pl.String).rename("text")
    distinct = texts.unique().drop_nulls().to_frame()
    is_iso = distinct.get_column("text").str.contains(_ISO)
    known = pl.concat([_iso(distinct.filter(is_iso)), _read(distinct.filter(~is_iso))])
    known = known.with_columns(date=pl.when(~pl.col("date").is_in(_NO_DATES)).then("date"))
    known = known.with_columns(precision=pl.when(pl.col("date").is_not_null()).then("precision"))
    return texts.to_frame().join(known, on="text", how="left", maintain_order="left")


def _iso(texts: pl.DataFrame) -> pl.DataFrame:
    """text, date and precision of dates as 2015-03-01."""
    return texts.with_columns(date=pl.col("text").str.to_date("%Y-%m-%d", strict=False), precision=pl.lit("day"))


def _read(texts: pl.DataFrame) -> pl.DataFrame:
    """text, date and precision of dates in any writing."""
    precision = pl.when(pl.col("month").is_null()).then(pl.lit("year")).when(pl.col("day").is_null()).then(pl.lit("month")).otherwise(pl.lit("day"))
    in_city = pl.when(pl.col("text").str.contains(_NEXT_DAY)).then(pl.col("date").dt.offset_by("1d")).otherwise("date")
    return _possible(_parts(texts)).select("text", in_city, precision=precision)


def _parts(texts: pl.DataFrame) -> pl.DataFrame:
    """text with year, month, day as whole numbers, and day_serial; null where the text does not have them."""
    bare = half_width(pl.col("text")).str.replace_all(_BLANKS, " ").str.replace(r"(?:\s|T)\d{1,2}:\d{2}.*$", "").str.replace(r"\.0$", "").str.strip_chars()
    marked = r"^(?P<y>\d{4}|\d{2})\s?[-/.年]\s?(?P<m>\d{1,2})(?:\s?[-/.月]\s?(?P<d>\d{1,2})\s?日?|\s?月)?$"
    solid = r"^(?P<y>(?:19|20)\d{2})(?:(?P<m>\d{2})(?P<d>\d{2})?(?:\d{6})?)?年?$"
    found = texts.with_columns(bare=bare).with_columns(
        marked=pl.col("bare").str.extract_groups(marked),
        solid=pl.col("bare").str.extract_groups(solid),
        serial=pl.col("bare").str.extract(r"^(\d{5})(?:\.\d+)?$", 1).cast(pl.Int32),
    )
    parts = found.with_columns(
        pl.coalesce(pl.col("marked").struct.field(part), pl.col("solid").struct.field(part)).cast(pl.Int32).alias(name)
        for part, name in (("y", "year"), ("m", "month"), ("d", "day"))
    )
    # a year of two digits stands only before a full date
    return parts.with_columns(
        year=pl.when(pl.col("year") >= 100).then("year").when(pl.col("day").is_not_null()).then(pl.col("year") + 2000),
        serial=pl.when(pl.col("serial").is_between(*_SERIAL)).then("serial"),
    ).drop("bare", "marked", "solid")


def _possible(parts: pl.DataFrame) -> pl.DataFrame:
    """text, year, month, day and `date`, null where the parts are no day of the calendar; of a month or a year its last day."""
    within = pl.col("year").is_between(1900, 2100) & (pl.col("month").is_null() | pl.col("month").is_between(1, 12))
    safe = parts.with_columns(year=pl.when(within).then("year"))
    last = pl.when(pl.col("year").is_not_null()).then(pl.date(pl.col("year"), pl.col("month").fill_null(12), 1).dt.month_end())
    timed = safe.with_columns(last=last)
    day = pl.when(pl.col("day").is_between(1, pl.col("last").dt.day().cast(pl.Int32))).then("day")
    exact = pl.col("last").dt.offset_by("-1mo").dt.month_end() + pl.duration(days=day)
    whole = pl.when(pl.col("day").is_null()).then("last").otherwise(exact)
    serial = pl.date(1899, 12, 30) + pl.duration(days=pl.col("serial"))
    by_serial = pl.col("serial").is_not_null()
    return timed.with_columns(
        date=pl.when(by_serial).then(serial).otherwise(whole),
        month=pl.when(by_serial).then(1).otherwise("month"),
        day=pl.when(by_serial).then(1).otherwise("day"),
    )


def once(text: pl.Expr, made: Callable[[pl.Expr], pl.Expr], dtype: pl.DataType | type[pl.DataType]) -> pl.Expr:
    """`made(text)`, worked out once per distinct text: for columns that hold a few words."""
    return text.map_batches(lambda cells: _once(cells, made, dtype), return_dtype=dtype, is_elementwise=True)


def _once(cells: pl.Series, made: Callable[[pl.Expr], pl.Expr], dtype: pl.DataType | type[pl.DataType]) -> pl.Series:
    known = cells.drop_nulls().unique().rename("text").to_frame().with_columns(made=made(pl.col("text")))
    return cells.replace_strict(known["text"], known["made"], default=None, return_dtype=dtype)


def _squeezed(text: pl.Expr) -> pl.Expr:
    """Without blanks, in upper case; a code that was written as a decimal number (`1.0`) as a whole one."""
    return half_width(text).str.replace_all(_BLANKS, "").str.to_uppercase().str.replace(r"^(\d)\.0+$", "${1}")


def sex(text: pl.Expr) -> pl.Expr:
    """male or female (GB/T 2261.1: 1 male, 2 female; 0 unknown and 9 unstated are null)."""
    words = {"男": "male", "1": "male", "M": "male", "男性": "male", "MALE": "male", "女": "female", "2": "female", "F": "female", "女性": "female", "FEMALE": "female"}
    return once(text, lambda written: _squeezed(written).replace_strict(words, default=None, return_dtype=pl.String), pl.String)


def flag(text: pl.Expr, also: Mapping[str, bool] | None = None) -> pl.Expr:
    """True, false or null of 是/否 and their like; `also`: further words, just as they are written."""
    words = {"是": True, "1": True, "Y": True, "YES": True, "TRUE": True, "有": True, "否": False, "0": False, "N": False, "NO": False, "FALSE": False, "没有": False}

    def told(written: pl.Expr) -> pl.Expr:
        said = _squeezed(written).replace_strict(words, default=None, return_dtype=pl.Boolean)
        return pl.coalesce(written.replace_strict(also, default=None, return_dtype=pl.Boolean), said) if also else said

    return once(text, told, pl.Boolean)


def year(text: pl.Expr) -> pl.Expr:
    """A calendar year of four digits."""
    return once(text, lambda written: half_width(written).str.extract(r"^\s*((?:19|20)\d{2})(?:\.0)?年?(?:度)?\s*$", 1).cast(pl.Int16), pl.Int16)


def count(text: pl.Expr) -> pl.Expr:
    """A whole number of up to six digits, with or without a unit behind it (`20人`, `6岁`, `15.0`)."""
    return once(text, lambda written: half_width(written).str.extract(r"^\s*(\d{1,6})(?:\.0+)?\s*[人个名张床位周岁]*\s*$", 1).cast(pl.Int32), pl.Int32)


def values(text: pl.Expr) -> pl.Expr:
    """The values of a list cell, parted by semicolon, comma or 、, in order."""
    parted = half_width(text).str.replace_all(r"[,、|]", ";").str.split(";").list.eval(pl.element().str.strip_chars())
    return parted.list.eval(pl.element().filter(pl.element() != ""))
