"""Id numbers (GB 11643-1999). Enters: the text of id columns, and what else the row says. Leaves: the number, what became of the text, what is left of a spoilt one.

The place part never makes a number invalid: it is where the number was first given, under the codes of that day.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matching import digits
from matching.digits import BORN_BETWEEN, Numbers, as_number, check_digits, numbers
from schemas import cells

# digits of every script are digits to a regular expression; a number has these alone
_FORM = r"^[0-9]{17}[0-9X]$"
LENGTH = digits.LENGTH
# a packed number is its seventeen digits and its check digit in four bits: the digits from the fifteenth on, and what stands before them
_CHECK_BITS = 16
TAIL = 1000 * _CHECK_BITS
_OF_A_FOREIGNER = 9
_PLACES_HMT = ("810000", "820000", "830000")
# years in which a child code of the immunisation register can have been given (its digits 11-14)
_CODE_YEARS = ("2005", "2030")


def bare(text: pl.Expr) -> pl.Expr:
    """The text without blanks, quotes and dashes, half-width, upper case; × and * as a last character are X, the letter O is zero."""
    return cells.unless(_FORM, text, _bare)


def _bare(text: pl.Expr) -> pl.Expr:
    shown = text.str.normalize("NFKC").str.to_uppercase().str.replace_all(r"[\s'`’‘\-–—_]", "")
    ended = shown.str.replace(r"^(\d{17})[×✕✖*]$", "${1}X")
    return pl.when(ended.str.contains(r"^[0-9O]{17}[0-9OX]$")).then(ended.str.replace_all("O", "0")).otherwise(ended)


def passes_checksum(number: pl.Expr) -> pl.Expr:
    """Whether the 18th character is the check digit of the 17 before it (GB 11643-1999, ISO 7064 MOD 11-2). False for text of another form."""
    return number.map_batches(lambda texts: pl.Series(numbers(texts).right), return_dtype=pl.Boolean, is_elementwise=True)


def birth_date(number: pl.Expr) -> pl.Expr:
    """The birth date that an 18-character number carries; null where it is none."""
    day = number.str.slice(6, 8).str.to_date("%Y%m%d", strict=False)
    return pl.when((number.str.len_chars() == 18) & day.dt.year().is_between(*BORN_BETWEEN)).then(day)


def sex(number: pl.Expr) -> pl.Expr:
    """male or female by the 17th digit, odd for male."""
    digit = number.str.slice(16, 1).cast(pl.Int32, strict=False)
    return pl.when(digit % 2 == 1).then(pl.lit("male")).when(digit % 2 == 0).then(pl.lit("female"))


def packed(number: pl.Expr) -> pl.Expr:
    """An 18-character number as one UInt64 and no other's; null of anything else. `packed // TAIL` are the first fourteen characters, `% TAIL` the last four."""
    check = number.str.slice(17, 1).replace("X", "10").cast(pl.UInt64, strict=False)
    whole = number.str.slice(0, 17).cast(pl.UInt64, strict=False) * _CHECK_BITS + check
    return pl.when(number.str.len_bytes() == LENGTH).then(whole)


def unpacked(number: pl.Expr) -> pl.Expr:
    """The text of a packed number."""
    check = (number % _CHECK_BITS).cast(pl.String).replace("10", "X")
    return (number // _CHECK_BITS).cast(pl.String).str.zfill(LENGTH - 1) + check


def packed_day(number: pl.Expr) -> pl.Expr:
    """The eight digits of the birth date in a packed number."""
    return number // TAIL % 10**8


def packed_birth(number: pl.Expr) -> pl.Expr:
    """The birth date that a valid packed number carries."""
    day = packed_day(number).cast(pl.Int32)
    return pl.date(day // 10000, day // 100 % 100, day % 100)


def packed_is_female(number: pl.Expr) -> pl.Expr:
    """Whether the 17th digit of a packed number is even."""
    return number // _CHECK_BITS % 2 == 0


def rounding(number: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """The first fifteen digits of a packed number, and whether nothing but zeros stands behind them."""
    return number // (100 * _CHECK_BITS), number % (100 * _CHECK_BITS) == 0


def from_fifteen(number: pl.Expr) -> pl.Expr:
    """The 18 characters of an old number of 15 (`19` put before the year, check digit appended); null for other text."""
    body = pl.when(number.str.contains(r"^[0-9]{15}$")).then(number.str.slice(0, 6) + "19" + number.str.slice(6, 9))
    return body.map_batches(_with_check, return_dtype=pl.String, is_elementwise=True)


def _with_check(bodies: pl.Series) -> pl.Series:
    there = bodies.drop_nulls()
    return bodies.scatter(bodies.is_not_null().arg_true(), there + check_digits(there))


def examine(rows: pl.DataFrame) -> pl.DataFrame:
    """What the text of the child's id column is.

    Args:
        rows: text (placeholders null), exported (date), record_key (an immunisation code may stand in the id column), document (what the row's
            document column says, null where it has none).

    Returns:
        The rows with number (18 characters where usable or nearly so), status (schemas.tables.record.ID_STATUSES), partial (18 characters, ? for what
        is lost), document_type (mainland, hmt, foreign, none) and document_number.
    """
    nothing = pl.lit(None, dtype=pl.String)
    valid, absent = pl.Series(_is_plainly_valid(rows)), rows.get_column("text").is_null()
    plain = rows.with_columns(
        number="text",
        status=pl.when(valid).then(pl.lit("valid")).otherwise(pl.lit("absent")),
        partial=nothing,
        document_type=pl.when(valid).then(_by_place(pl.col("text"))).otherwise("document"),
        document_number=nothing,
    )
    at = (~(valid | absent)).arg_true()
    looked_at = _examined(rows[at])
    return plain.with_columns(plain.get_column(c).scatter(at, looked_at.get_column(c)) for c in plain.columns[rows.width :])


def _is_plainly_valid(rows: pl.DataFrame) -> NDArray[np.bool_]:
    """Which texts are numbers in the usual form with nothing wrong, and no foreigner's card or immunisation code."""
    seen = numbers(rows.get_column("text"))
    is_key = rows.select((pl.col("text") == pl.col("record_key")).fill_null(False)).to_series().to_numpy()
    plain: NDArray[np.bool_] = _is_possible(seen, rows.get_column("exported")) & (seen.first != _OF_A_FOREIGNER) & ~is_key
    return plain


def _is_possible(seen: Numbers, exported: pl.Series) -> NDArray[np.bool_]:
    """Which are right numbers of someone born by the day of the export."""
    day = exported.to_frame("day").select(as_number(pl.col("day")).fill_null(0)).to_series().to_numpy()
    possible: NDArray[np.bool_] = seen.right & (seen.born > 0) & (seen.born <= day)
    return possible


def _by_place(number: pl.Expr) -> pl.Expr:
    return pl.when(number.str.slice(0, 6).is_in(_PLACES_HMT)).then(pl.lit("hmt")).otherwise(pl.lit("mainland"))


def _examined(rows: pl.DataFrame) -> pl.DataFrame:
    """`examine`, each text looked at from all sides."""
    seen = rows.with_columns(shown=bare(pl.col("text"))).with_columns(tail=pl.col("shown").str.extract(r"^(\d{18})\.0+$", 1))
    # digits that a double cannot hold never went through one, so they are whole
    whole = pl.col("tail").cast(pl.Int64, strict=False)
    seen = seen.with_columns(rounded=(whole.cast(pl.Float64).cast(pl.Int64) == whole).fill_null(False), shown=pl.coalesce("tail", "shown"))
    shown = pl.col("shown")
    seen = seen.with_columns(
        long=shown.str.contains(_FORM).fill_null(False),
        right=passes_checksum(shown),
        possible=(birth_date(shown) <= pl.col("exported")).fill_null(False),
        is_key=(shown == pl.col("record_key")).fill_null(False),
        exponent=shown.str.extract(r"^(\d\.?\d*)E\+?1[4-8]$", 1),
        masked=(shown.str.contains(r"^[\dX*]{18}$") & shown.str.contains("**", literal=True)).fill_null(False),
        permit=shown.str.contains(r"^[HM]\d{8,10}$").fill_null(False),
        passport=shown.str.contains(r"^(?:[A-Z]{1,3}\d{6,9}|\d{8}|\d{10}\([A-Z]\))$").fill_null(False),
        said=(pl.col("document").is_in(["hmt", "foreign"]) & (shown.str.len_chars() >= 6)).fill_null(False),
    ).with_columns(
        code_like=pl.col("is_key") | (~pl.col("possible") & shown.str.slice(10, 4).is_between(pl.lit(_CODE_YEARS[0]), pl.lit(_CODE_YEARS[1]))),
    )
    return _left_over(seen.with_columns(status=_status())).drop(
        "shown", "tail", "rounded", "long", "right", "possible", "is_key", "exponent", "masked", "permit", "passport", "said", "code_like"
    )


def _status() -> pl.Expr:
    """One of ID_STATUSES, the first that fits."""
    shown, long = pl.col("shown"), pl.col("long")
    first_of = (
        (shown.is_null() | (shown == "") | shown.str.contains(cells.NUMBER_PLACEHOLDER), "absent"),
        (pl.col("exponent").is_not_null() | pl.col("rounded"), "excel_rounded"),
        # a foreigner's permanent residence card is built like an id number; one that is not is a slip of the pen
        (long & shown.str.starts_with("9") & pl.col("right") & pl.col("possible"), "other_document"),
        (long & pl.col("right") & pl.col("possible") & ~pl.col("is_key"), "valid"),
        (long & pl.col("code_like"), "child_code"),
        (long & shown.str.ends_with("000") & ~pl.col("right"), "excel_rounded"),
        (long & ~pl.col("possible"), "impossible_date"),
        (long, "checksum_failed"),
        (pl.col("masked"), "masked"),
        (pl.col("permit") | pl.col("passport") | pl.col("said"), "other_document"),
    )
    return pl.coalesce(*(pl.when(fits).then(pl.lit(word)) for fits, word in first_of), pl.lit("wrong_length"))


def _left_over(seen: pl.DataFrame) -> pl.DataFrame:
    """number, partial, document_type and document_number by the status."""
    shown, status = pl.col("shown"), pl.col("status")
    spoilt = status == "excel_rounded"
    partial = (
        pl.when(spoilt & pl.col("exponent").is_not_null())
        .then(pl.col("exponent").str.replace(".", "", literal=True).str.pad_end(18, "?"))
        .when(spoilt)
        .then(shown.str.slice(0, 15) + "???")
        .when(status == "masked")
        .then(shown.str.replace_all("*", "?", literal=True))
        .when(status == "wrong_length")
        .then(_lengthened(shown, pl.col("exported")))
    )
    by_number = (
        pl.when(status == "valid")
        .then(_by_place(shown))
        .when((status == "other_document") & pl.col("long"))
        .then(pl.lit("foreign"))
        .when((status == "other_document") & pl.col("permit"))
        .then(pl.lit("hmt"))
    )
    # a permit to the mainland is renewed: the letter and eight digits stay
    document_number = pl.when(pl.col("permit")).then(shown.str.slice(0, 9)).otherwise(shown)
    return seen.with_columns(
        number=pl.when(status.is_in(["valid", "checksum_failed", "impossible_date"])).then(shown),
        partial=partial,
        document_type=pl.coalesce(pl.when(status == "valid").then(by_number), "document", by_number),
        document_number=pl.when(status == "other_document").then(document_number),
    )


def _lengthened(shown: pl.Expr, exported: pl.Expr) -> pl.Expr:
    """18 characters of a text of 15 or 17 digits, whose end was lost, or that is in the form of 15 without century and check digit; null where its birth date is none."""
    as_cut = (shown + "???").str.slice(0, LENGTH)
    as_old = shown.str.slice(0, 6) + "20" + shown.str.slice(6) + "?"
    return (
        pl.when(shown.str.contains(r"^(?:\d{15}|\d{17})$") & (birth_date(as_cut) <= exported)).then(as_cut)
        .when(shown.str.contains(r"^\d{15}$") & (birth_date(as_old) <= exported)).then(as_old)
    )  # fmt: skip


def of_relatives(texts: pl.Series) -> pl.DataFrame:
    """The numbers of adults.

    Args:
        texts: cells, placeholders null.

    Returns:
        number (18 characters with a possible date, an old one of 15 brought to 18; null for anything else) and status (valid, checksum_failed,
        wrong_length, absent), a row for each cell.
    """
    seen = numbers(texts)
    usual = seen.born > 0
    plain = pl.DataFrame({"number": texts, "usual": usual, "right": seen.right}).select(
        "number",
        status=pl.when("right").then(pl.lit("valid")).when("usual").then(pl.lit("checksum_failed")).otherwise(pl.lit("absent")),
    )
    at = (texts.is_not_null() & ~pl.Series(usual)).arg_true()
    looked_at = _of_relatives(texts.gather(at))
    return plain.with_columns(plain.get_column(c).scatter(at, looked_at.get_column(c)) for c in plain.columns)


def _of_relatives(texts: pl.Series) -> pl.DataFrame:
    """`of_relatives` for texts in any form."""
    seen = texts.rename("text").to_frame().with_columns(shown=bare(pl.col("text")))
    seen = seen.with_columns(long=pl.when(pl.col("shown").str.contains(_FORM)).then("shown").otherwise(from_fifteen(pl.col("shown"))))
    seen = seen.with_columns(number=pl.when(birth_date(pl.col("long")).is_not_null()).then("long"))
    status = (
        pl.when(pl.col("text").is_null())
        .then(pl.lit("absent"))
        .when(pl.col("number").is_null())
        .then(pl.lit("wrong_length"))
        .when(passes_checksum(pl.col("number")))
        .then(pl.lit("valid"))
        .otherwise(pl.lit("checksum_failed"))
    )
    return seen.select("number", status=status)


def in_key(record_key: pl.Expr, exported: pl.Expr) -> pl.Expr:
    """The valid number inside a record key: `G` and the id (学籍号), or the id with category, level and reissue behind (残疾人证号)."""
    rows = pl.struct(record_key.alias("key"), exported.alias("day"))
    return rows.map_batches(lambda s: _in_keys(s.struct.field("key"), s.struct.field("day")), return_dtype=pl.String, is_elementwise=True)


def _in_keys(keys: pl.Series, exported: pl.Series) -> pl.Series:
    """`in_key` of each: first by its digits, which few keys of another make have by chance, then by its form."""
    key = pl.col("key")
    is_roll = key.str.starts_with("G") & (key.str.len_bytes() == LENGTH + 1)
    long = keys.to_frame("key").with_row_index("at").filter(key.str.len_bytes() > LENGTH)
    long = long.with_columns(inside=pl.when(is_roll).then(key.str.slice(1)).otherwise(key.str.slice(0, LENGTH)))
    possible = long.filter(pl.Series(_is_possible(numbers(long["inside"]), exported.gather(long["at"]))))
    found = possible.filter(is_roll | key.str.contains(r"^[0-9]{17}[0-9X][1-7][1-4](?:B[0-9]+)?$"))
    return pl.repeat(None, len(keys), dtype=pl.String, eager=True).scatter(found["at"], found["inside"])
