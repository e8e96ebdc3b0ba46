"""From a cell's text to its value. Enters: text as departments write it. Leaves: polars expressions for cleaned text, dates, sexes, flags and lists.

Every expression gives null for what it cannot read; nothing is guessed. Formats and placeholders are those of contracts/feeds.md, "Quirks".
"""

from __future__ import annotations

import polars as pl

# what departments write for "none"; long runs of one digit stand where a number was demanded
PLACEHOLDERS = frozenset({"", "无", "-", "—", "－", "/", "／", "NULL", "null", "Null", "待补", "不详", "未办理", "N/A", "NA", "None", "nan"})
_NUMBER_PLACEHOLDER = r"^(?:0{6,}|9{9,}|1{9,})$"
_BLANKS = r"[\s\u{00A0}\u{3000}\u{200B}-\u{200D}\u{FEFF}\u{2000}-\u{200A}]+"
# the same characters one by one: stripping a set is an order of magnitude faster than a regular expression on the bulk of intake
_EDGES = "".join(map(chr, (*range(9, 14), *range(28, 33), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200E), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF)))
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
_NO_DATES = ("1900-01-01", "1899-12-30", "1899-12-31")


def clean_text(text: pl.Expr) -> pl.Expr:
    """The text without blanks and marks around it, placeholders null; characters private to one decoder folded."""
    bare = text.str.replace_many(list(_PRIVATE_USE), list(_PRIVATE_USE.values())).str.strip_chars_start(_EDGES + "'‘’`").str.strip_chars_end(_EDGES)
    return bare.str.replace(_NUMBER_PLACEHOLDER, "").replace(sorted(PLACEHOLDERS), None)


def clean_code(text: pl.Expr) -> pl.Expr:
    """As `clean_text`, for columns whose words include 无: only an empty cell is null."""
    bare = text.str.replace_all(f"^{_BLANKS}|{_BLANKS}$", "")
    return pl.when(bare != "").then(bare)


def half_width(text: pl.Expr) -> pl.Expr:
    """Full-width digits, letters and marks as half-width ones (Unicode NFKC)."""
    return text.str.normalize("NFKC")


def _parts(text: pl.Expr) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Year, month, day as whole numbers; month and day null where the text has none, all null where it is no date."""
    bare = half_width(text).str.replace_all(_BLANKS, " ").str.replace(r"(?:\s|T)\d{1,2}:\d{2}.*$", "").str.replace(r"\.0$", "").str.strip_chars()
    marked = bare.str.extract_groups(r"^(?P<y>\d{4}|\d{2})\s?[-/.年]\s?(?P<m>\d{1,2})(?:\s?[-/.月]\s?(?P<d>\d{1,2})\s?日?|\s?月)?$")
    solid = bare.str.extract_groups(r"^(?P<y>(?:19|20)\d{2})(?:(?P<m>\d{2})(?P<d>\d{2})?(?:\d{6})?)?年?$")
    serial = bare.str.extract(r"^(\d{5})(?:\.\d+)?$", 1).cast(pl.Int32)
    day = pl.when(serial.is_between(*_SERIAL)).then(pl.date(1899, 12, 30) + pl.duration(days=serial))
    short = marked.struct.field("y").str.len_chars() == 2

    def number(part: str) -> pl.Expr:
        return pl.coalesce(marked.struct.field(part), solid.struct.field(part)).cast(pl.Int32)

    # a year of two digits stands only before a full date
    year = pl.when(short & marked.struct.field("d").is_null()).then(None).when(short).then(number("y") + 2000).otherwise(number("y"))
    return pl.coalesce(day.dt.year(), year), pl.coalesce(day.dt.month().cast(pl.Int32), number("m")), pl.coalesce(day.dt.day().cast(pl.Int32), number("d"))


def _possible(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """Whether the parts are a possible date in the years that children and their papers can have."""
    last = pl.date(year, month, 1).dt.month_end().dt.day().cast(pl.Int32)
    return year.is_between(1900, 2100) & (month.is_null() | month.is_between(1, 12)) & (day.is_null() | day.is_between(1, last))


def _safe(parts: tuple[pl.Expr, pl.Expr, pl.Expr]) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """The parts, null where they can be no date; a month outside 1-12 must not reach the calendar."""
    year, month, day = parts
    within = year.is_between(1900, 2100) & (month.is_null() | month.is_between(1, 12))
    return pl.when(within).then(year), pl.when(within).then(month), pl.when(within).then(day)


def date(text: pl.Expr) -> pl.Expr:
    """The date; of a month or a year alone, the latest day it can mean (decision 7). Null where the text is none or means "no date"."""
    year, month, day = _safe(_parts(text))
    found = (
        pl.when(month.is_null())
        .then(pl.date(year, 12, 31))
        .when(day.is_null())
        .then(pl.date(year, month, 1).dt.month_end())
        .when(_possible(year, month, day))
        .then(pl.date(year, month, pl.when(_possible(year, month, day)).then(day)))
    )
    return pl.when(~found.dt.to_string("%Y-%m-%d").is_in(_NO_DATES)).then(found)


def date_precision(text: pl.Expr) -> pl.Expr:
    """day, month or year; null where `date` is null."""
    _, month, day = _safe(_parts(text))
    return pl.when(date(text).is_not_null()).then(
        pl.when(month.is_null()).then(pl.lit("year")).when(day.is_null()).then(pl.lit("month")).otherwise(pl.lit("day"))
    )


def sex(text: pl.Expr) -> pl.Expr:
    """male or female (GB/T 2261.1: 1 male, 2 female; 0 unknown and 9 unstated are null)."""
    bare = half_width(text).str.replace_all(_BLANKS, "").str.to_uppercase()
    words = {"男": "male", "1": "male", "M": "male", "男性": "male", "MALE": "male", "女": "female", "2": "female", "F": "female", "女性": "female", "FEMALE": "female"}
    return bare.replace_strict(words, default=None, return_dtype=pl.String)


def flag(text: pl.Expr) -> pl.Expr:
    """True, false or null of 是/否 and their like."""
    bare = half_width(text).str.replace_all(_BLANKS, "").str.to_uppercase()
    words = {"是": True, "1": True, "Y": True, "YES": True, "TRUE": True, "有": True, "否": False, "0": False, "N": False, "NO": False, "FALSE": False, "没有": False}
    return bare.replace_strict(words, default=None, return_dtype=pl.Boolean)


def year(text: pl.Expr) -> pl.Expr:
    """A calendar year of four digits."""
    return half_width(text).str.extract(r"^\s*((?:19|20)\d{2})(?:\.0)?年?(?:度)?\s*$", 1).cast(pl.Int16)


def values(text: pl.Expr) -> pl.Expr:
    """The values of a list cell, parted by semicolon, comma or 、, in order."""
    parted = half_width(text).str.replace_all(r"[,、|]", ";").str.split(";").list.eval(pl.element().str.strip_chars())
    return parted.list.eval(pl.element().filter(pl.element() != ""))
