"""What goes wrong between a child and a file. Enters: typed sheets. Leaves: the same sheets damaged, every fault named in `Sheet.marks`.

Faults here change what a row says; `forms` changes only how it is written. The shares come from `Rates`; the codes are the names of the kinds in rates.yaml, and those written out here and in `forms`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sample_data.fault_words import NAME_FAULTS, birth_name, unreadable
from sample_data.names import confusions
from sample_data.places import Ints
from sample_data.sheet import Block, Sheet
from schemas.exports.contract import Kind
from schemas.exports.feeds import FEEDS

PLACEHOLDERS = ("无", "-", "/", "NULL", "待补", "不详", "未办理", "000000000000000000", "999999999999999999", "111111111111111111", "500000200001010000")
_DAYS_FROM_1900_TO_1904 = 1_462  # between the two systems of serial dates that Excel has
# how the key of a child's second entry differs from the first
_REKEYED = {"education": ("^.", "L"), "residence": ("^.", "R"), "medical_insurance": ("^5000", "5001"), "survey": ("^MP", "MQ"), "assistance": ("^JZ", "JL"),
            "health": ("^(.{9}).", "${1}9"), "disease_control": ("^(.{14}).", "${1}0")}  # fmt: skip


def damage(sheet: Sheet, block: Block) -> Sheet:
    """The sheet with faults in it; children again under another key and quarantined rows come first, so that they are damaged like the others."""
    sheet = _again(sheet, block)
    sheet = _second_cards(sheet, block) if sheet.feed == "disease_control" else sheet
    _names(sheet, block)
    _births_and_sexes(sheet, block)
    if "id_number" in sheet.frame.columns:
        _ids(sheet, block)
    _guardian_ids(sheet, block)
    return sheet


def some(rng: np.random.Generator, eligible: NDArray[np.bool_], share: float) -> Ints:
    """Rows drawn with that chance among the eligible."""
    return np.flatnonzero(eligible & (rng.random(len(eligible)) < share))


def kinds(rng: np.random.Generator, rows: Ints, mix: dict[str, float]) -> dict[str, Ints]:
    """The rows shared out among kinds of a fault by weight."""
    weight = np.cumsum(list(mix.values()))
    which = np.searchsorted(weight / weight[-1], rng.random(len(rows)), side="right")
    return {kind: rows[which == i] for i, kind in enumerate(mix)}


def filled(sheet: Sheet, column: str) -> NDArray[np.bool_]:
    """Which rows have a value in the column."""
    return sheet.frame[column].is_not_null().to_numpy()


def appended(sheet: Sheet, rows: pl.DataFrame, faults: tuple[str, ...]) -> Sheet:
    """The sheet with more rows, all with these faults."""
    at = np.arange(sheet.height, sheet.height + rows.height)
    return Sheet(sheet.feed, pl.concat([sheet.frame, rows]), [*sheet.marks, *((at, fault) for fault in faults if rows.height)])


def _again(sheet: Sheet, block: Block) -> Sheet:
    """The same child twice under different keys."""
    if sheet.feed not in _REKEYED:
        return sheet
    pattern, other = _REKEYED[sheet.feed]
    rows = some(block.rng, np.ones(sheet.height, dtype=bool), block.rates.rows["duplicate_child"])
    again = sheet.frame[rows].with_columns(record_key=pl.col("record_key").str.replace(pattern, other))
    return appended(sheet, again, ("duplicate_child",))


def _second_cards(sheet: Sheet, block: Block) -> Sheet:
    """The card opened in the maternity ward under the mother's name: where the family lived then, ended where it has left."""
    rng, kids = block.rng, block.kids
    child = sheet.frame["_child"].to_numpy()
    eligible = (kids["story"].is_in(["at_home", "in_city", "zone"]) & (kids["hukou"] < block.where.city))[child].to_numpy()
    rows = some(rng, eligible, block.rates.per_feed["second_card"]["disease_control"])
    ward = kids[child[rows]]
    left = (ward["home_since"] > ward["birth"]).fill_null(False)
    card = sheet.frame[rows].with_columns(
        record_key=pl.col("record_key").str.replace("^(.{6}).", "${1}9"),
        name=birth_name(ward["mother"], ward["male"]),
        id_number=pl.lit(None, pl.String),
        opened_on=pl.col("birth_date"),
        moved_in_on=pl.lit(None, pl.Date),
        last_dose_on=pl.col("birth_date"),
        status=pl.when(left).then(pl.lit("迁出")).otherwise(pl.lit("在册")),
        residence_type=pl.lit("本地"),
        clinic_division=pl.when(left).then(ward["hukou"]).otherwise(ward["home"]),
        residence_division=pl.when(left).then(ward["hukou"]).otherwise(ward["home"]),
        address=pl.lit(None, pl.String),
        doses_overdue=pl.lit(None, pl.String),
    )
    urban = pl.Series(block.where.zone)[card["clinic_division"]]
    card = card.with_columns(_part=pl.when(urban).then(pl.lit("urban")).otherwise(pl.lit("county")))
    return appended(sheet, card.select(sheet.frame.columns), ("second_card", "name_at_birth"))


def _names(sheet: Sheet, block: Block) -> None:
    """Names misheard, misread, shortened; unreadable characters; the name at birth."""
    rng, rates, frame = block.rng, block.rates, sheet.frame
    child = frame["_child"].to_numpy()
    at_birth = rates.per_feed["name_at_birth"].get(sheet.feed, 0.0)
    if at_birth:
        newborn = frame["birth_date"].dt.year() >= block.as_of.year - 2
        eligible = newborn.fill_null(False).to_numpy() & ~frame["name"].str.contains("之[子女]$").fill_null(False).to_numpy()
        rows = some(rng, eligible, min(1.0, at_birth * sheet.height / max(1, int(eligible.sum()))))
        kids = block.kids[child[rows]]
        pet = pl.Series(rng.random(len(rows)) < 0.08)
        called = pl.select(pl.when(pet).then(pl.lit("毛毛")).otherwise(birth_name(kids["mother"], kids["male"])))[:, 0]
        sheet.put("name", rows, called, "name_at_birth")
        sheet.put("id_number", rows, pl.Series([None] * len(rows), dtype=pl.String), None)
    whole = ~sheet.frame["name"].str.contains("之[子女]$|毛毛").fill_null(True).to_numpy()
    rare = whole & sheet.frame["name"].str.contains(f"[{''.join(confusions()['rare'])}]").fill_null(False).to_numpy()
    rows = some(rng, rare, rates.forms["rare_unreadable"] if sheet.feed != "household" else 0.0)
    sheet.put("name", rows, unreadable(rng, sheet.frame["name"][rows]), "name_unknown_character")
    wrong = some(rng, whole & ~rare, rates.per_feed["name_wrong"].get(sheet.feed, 0.0))
    for fault, at in kinds(rng, wrong, rates.mix["name_wrong"]).items():
        now = sheet.frame["name"][at]
        changed = NAME_FAULTS[fault](rng, now, block.kids[child[at]])
        really = (changed != now).fill_null(False).to_numpy()
        sheet.put("name", at[really], changed.filter(pl.Series(really)), fault)


def _births_and_sexes(sheet: Sheet, block: Block) -> None:
    """Birth dates mistyped, sexes mistaken."""
    rng, rates = block.rng, block.rates
    sexes = some(rng, filled(sheet, "sex"), rates.per_feed["sex_wrong"].get(sheet.feed, 0.0))
    sheet.put("sex", sexes, ~sheet.frame["sex"][sexes], "sex_wrong")
    if "birth_date" not in sheet.frame.columns:
        return
    wrong = some(rng, filled(sheet, "birth_date"), rates.per_feed["birth_wrong"].get(sheet.feed, 0.0))
    for fault, at in kinds(rng, wrong, rates.mix["birth_wrong"]).items():
        born = sheet.frame["birth_date"][at]
        changed = _other_birth(rng, fault, born)
        usable = ((changed != born) & (changed <= block.as_of)).fill_null(False)
        sheet.put("birth_date", at[usable.to_numpy()], changed.filter(usable), fault)


def _other_birth(rng: np.random.Generator, fault: str, born: pl.Series) -> pl.Series:
    """Birth dates with the fault; the same where it can't be (a day above 12 is no month)."""
    step = pl.lit(pl.Series(rng.choice([-1, 1], size=len(born))))
    b = pl.col("b")
    wrong: dict[str, pl.Expr] = {
        "birth_day_month": pl.when(b.dt.day() <= 12).then(pl.date(b.dt.year(), b.dt.day(), b.dt.month())).otherwise(b),
        "birth_one_off": b + pl.duration(days=step),
        "birth_year": pl.when(step > 0).then(b.dt.offset_by("1y")).otherwise(b.dt.offset_by("-1y")),
        "birth_1904": b - pl.duration(days=_DAYS_FROM_1900_TO_1904),
        "birth_century": b.dt.offset_by("-100y"),
    }
    return pl.DataFrame({"b": born}).select(wrong[fault].alias("b"))["b"]


def _ids(sheet: Sheet, block: Block) -> None:
    """The child's number missing, wrong, or somebody else's; what Excel and masking lose."""
    rng, rates, feed = block.rng, block.rates, sheet.feed
    is_key = FEEDS[feed].column("id_number").need is not None
    has = filled(sheet, "id_number")
    missing = some(rng, has, 0.0 if is_key else rates.per_feed["id_missing"].get(feed, 0.0))
    for fault, at in kinds(rng, missing, rates.mix["id_missing"]).items():
        words = pl.Series([None], dtype=pl.String) if fault == "id_blank" else pl.Series(PLACEHOLDERS)
        sheet.put("id_number", at, words[rng.integers(len(words), size=len(at))], fault)
    has[missing] = False
    child = sheet.frame["_child"].to_numpy()
    documents = block.kids["document"].is_not_null().to_numpy()[child]
    wrong = some(rng, has & ~documents, rates.per_feed["id_wrong"].get(feed, 0.0))
    for fault, at in kinds(rng, wrong, rates.mix["id_wrong"]).items():
        kids = block.kids[child[at]]
        changed = _other_id(rng, fault, sheet.frame[at], kids, block)
        really = changed.is_not_null().to_numpy() & (not is_key or fault in ("id_digit", "id_swap"))
        sheet.put("id_number", at[really], changed.filter(pl.Series(really)), fault)
    has[wrong] = False
    if not is_key:
        lost = some(rng, has & ~documents, rates.per_feed["id_lost"].get(feed, 0.0))
        for fault, at in kinds(rng, lost, rates.mix["id_lost"]).items():
            sheet.put("id_number", at, LOST[fault](sheet.frame["id_number"][at]), fault)


def _other_id(rng: np.random.Generator, fault: str, rows: pl.DataFrame, kids: pl.DataFrame, block: Block) -> pl.Series:
    """A wrong number for each row; null where the fault can't be (no sibling)."""
    number = rows["id_number"]
    match fault:
        case "id_digit":
            return digit_changed(rng, number)
        case "id_swap":
            return digits_swapped(rng, number)
        case "id_guardian":
            fathers = pl.Series(rng.random(kids.height) < 0.5)
            return kids.select(pl.when(fathers).then("father_id").otherwise("mother_id").alias("id"))["id"]
        case "id_sibling":
            sibling = kids["sibling"]
            known = block.kids["number"].gather(sibling.clip(lower_bound=0))
            return pl.DataFrame({"k": known, "s": sibling}).select(pl.when(pl.col("s") >= 0).then("k"))["k"]
        case "id_child_code":
            return rows["record_key"] if "clinic_division" in rows.columns else pl.Series([None] * rows.height, dtype=pl.String)
        case _:
            raise KeyError(fault)


def digit_changed(rng: np.random.Generator, number: pl.Series) -> pl.Series:
    """One digit another one, anywhere in the first 17 (the birth date's year and the place included)."""
    at = rng.integers(0, 17, size=len(number))
    add = rng.integers(1, 10, size=len(number))
    cells = pl.DataFrame({"n": number, "at": at, "add": add})
    digit = pl.col("n").str.slice(pl.col("at"), 1).cast(pl.Int64, strict=False)
    return cells.select(pl.col("n").str.slice(0, pl.col("at")) + ((digit + pl.col("add")) % 10).cast(pl.String) + pl.col("n").str.slice(pl.col("at") + 1))["n"]


def digits_swapped(rng: np.random.Generator, number: pl.Series) -> pl.Series:
    """Two neighbouring digits swapped; null where they are equal."""
    cells = pl.DataFrame({"n": number, "at": rng.integers(8, 16, size=len(number))})
    a, b = pl.col("n").str.slice(pl.col("at"), 1), pl.col("n").str.slice(pl.col("at") + 1, 1)
    swapped = pl.col("n").str.slice(0, pl.col("at")) + b + a + pl.col("n").str.slice(pl.col("at") + 2)
    return cells.select(pl.when(a != b).then(swapped).alias("n"))["n"]


# what Excel keeps of 18 digits: 15 of them, six in scientific notation, what a float of 53 bits holds; and a number made unreadable on purpose
LOST: dict[str, Callable[[pl.Series], pl.Series]] = {
    "id_rounded": lambda n: n.str.slice(0, 15) + "000",
    "id_scientific": lambda n: n.str.slice(0, 1) + "." + n.str.slice(1, 5) + "E+17",
    "id_float": lambda n: (n.str.slice(0, 17) + "0").cast(pl.Float64).cast(pl.Int64).cast(pl.String) + ".0",
    "id_masked": lambda n: n.str.slice(0, 6) + "********" + n.str.slice(14),
}


def _guardian_ids(sheet: Sheet, block: Block) -> None:
    """A guardian's number missing or with a wrong digit."""
    columns = [c.name for c in FEEDS[sheet.feed].columns if c.kind is Kind.ID and c.name != "id_number"]
    for column in columns:
        rows = some(block.rng, filled(sheet, column), block.rates.forms["guardian_id"])
        half = len(rows) // 2
        sheet.put(column, rows[:half], pl.Series([None] * half, dtype=pl.String), "guardian_id_missing")
        sheet.put(column, rows[half:], digit_changed(block.rng, sheet.frame[column][rows[half:]]), "guardian_id_digit")
