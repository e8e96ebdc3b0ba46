"""What each row says of where a child was, and when. Enters: the facts of the feeds as of a day. Leaves: claims, one stay a row, with strength and dates (decisions, 'The residence timeline')."""

from __future__ import annotations

from datetime import date

import polars as pl

from rules import answers
from rules.basis import ROW, Facts, earliest, rows, surveys
from rules.law import Parameters
from schemas.filled import filled

CLAIM_COLUMNS = (
    *ROW, "kind", "code", "township", "written", "stated", "firm", "seen", "own_last", "confirmed_on", "is_ended", "ended_on", "leaves",
    "onward", "clears", "boards", "with_parent", "strength", "says",
)  # fmt: skip


_WORDS = ("is_ended", "leaves", "onward", "clears", "boards", "with_parent")


def claims(facts: Facts, as_of: date, p: Parameters) -> pl.LazyFrame:
    """Every claim that a row makes about where a child was, as known on a day. Dates after the export or the day itself count as missing.

    Returns:
        person_id and provenance, and:
        kind: `stay` (lives at `code`), `was` (lived there until it went back to the hukou place), `return` (went from `code` to live at
            the hukou place), `left` (left the hukou place for an unknown one).
        stated: the arrival a row states. firm: the earliest registration, permit, enrolment or opening. seen: the earliest day seen there.
        own_last: the latest date of the row itself. confirmed_on: the last day it was confirmed (the export's for a status that still runs).
        is_ended, ended_on: the row itself is known to have ended. leaves: it ended because the child left that place.
        clears: it says that the child lives in this place and left every other one.
        boards: a boarder's school, no sign of residence by itself. with_parent: a survey that found it with a parent.
        strength: rank of its kind of record; says: what the row says, in Chinese.
    """
    readings = [_survey(facts, as_of), _returned(facts, as_of), _left_hukou(facts, as_of), _residence(facts, as_of), _went_back(facts, as_of),
                _school(facts, as_of), _immunisation(facts, as_of), _health(facts, as_of), _insurance(facts, as_of), _certificate(facts, as_of), _answered(facts, as_of)]  # fmt: skip
    rank = pl.col("feed").replace_strict(p["evidence/strength"], return_dtype=pl.Int16)
    claimed = pl.concat([reading.with_columns(rank.alias("strength")).select(CLAIM_COLUMNS) for reading in readings])
    return answers.upheld(claimed, facts, as_of, p)


def limit(as_of: date) -> pl.Expr:
    """The last day of which a row can tell: its export's, or the day looked at."""
    return pl.min_horizontal(pl.col("export_date"), pl.lit(as_of))


def day(column: str, as_of: date) -> pl.Expr:
    """A date of a row: of a month or a year the latest day it can mean; null where it lies after what the row can tell of."""
    return pl.when(earliest(column) <= limit(as_of)).then(pl.min_horizontal(pl.col(column), limit(as_of)))


def _by(arrived: pl.Expr, column: str, seen: pl.Expr) -> pl.Expr:
    """An arrival of which only month or year is known was no later than the day on which the same row has the child there, where that day lies in it."""
    return pl.when(earliest(column) <= seen).then(pl.min_horizontal(arrived, seen)).otherwise(arrived)


def _known(frame: pl.LazyFrame, as_of: date, *columns: str) -> pl.LazyFrame:
    """The rows already written on a day: not those whose every date lies after it. A date after the export is an error and says nothing."""
    possible = [pl.when(earliest(column) <= pl.col("export_date")).then(earliest(column)) for column in columns]
    return frame.filter((pl.min_horizontal(*possible) <= as_of).fill_null(True))


def _ended(column: str, says_so: pl.Expr, as_of: date) -> pl.Expr:
    """Whether a row has ended: on a day that has come, or by its word alone where no day still to come is given."""
    still_to_come = (earliest(column) > as_of) & (earliest(column) <= pl.col("export_date"))
    return day(column, as_of).is_not_null() | (says_so.fill_null(False) & ~still_to_come.fill_null(False))


def _claim(frame: pl.LazyFrame, stem: str, says: pl.Expr, **values: pl.Expr | None) -> pl.LazyFrame:
    """A frame of claims: what a feed does not say is null, and a claim neither ended nor clearing."""
    defaults: dict[str, pl.Expr] = {
        "kind": pl.lit("stay"),
        **{name: pl.lit(None, pl.Date) for name in ("stated", "firm", "seen", "own_last", "ended_on")},
        **{name: pl.lit(False) for name in _WORDS},
    }
    given = {name: value for name, value in values.items() if value is not None}
    place = (pl.col(f"{stem}_{part}").alias(part) for part in ("code", "township", "written"))
    made = frame.select(*ROW, *place, says.alias("says"), *((defaults | given)[name].alias(name) for name in (*defaults, "confirmed_on")))
    return made.with_columns(pl.col(name).fill_null(False) for name in _WORDS)


def said(*parts: pl.Expr) -> pl.Expr:
    """A text of those parts that have a value."""
    return pl.concat_str(*parts, separator="，", ignore_nulls=True)


def dated(label: str, column: str) -> pl.Expr:
    """`登记日期2024-03-01`, with the precision the row has; null where it has none."""
    written = pl.col(column)
    shown = (
        pl.when(pl.col(f"{column}_precision") == "year")
        .then(written.dt.to_string("%Y年"))
        .when(pl.col(f"{column}_precision") == "month")
        .then(written.dt.to_string("%Y年%m月"))
        .otherwise(written.dt.to_string("%Y-%m-%d"))
    )
    return filled("{}{}", pl.lit(label), shown)


def _seen_by_survey(facts: Facts, as_of: date) -> pl.LazyFrame:
    arrived, left_hukou = (_by(day(column, as_of), column, pl.col("seen_on")) for column in ("arrived_on", "left_hukou_on"))
    return surveys(facts, as_of).with_columns(pl.col("presence").fill_null("在住"), arrived.alias("arrived"), left_hukou.alias("left_hukou"))


def _survey_says() -> pl.Expr:
    return said(
        filled("{}摸排{}", pl.col("seen_on").dt.to_string("%Y-%m-%d"), pl.col("presence")),
        dated("来现住地日期", "arrived_on"),
        dated("离开户籍地日期", "left_hukou_on"),
        filled("监护情况{}", pl.col("guardianship")),
    )


def _survey(facts: Facts, as_of: date) -> pl.LazyFrame:
    """Where the surveyor found the child. 已迁往他处: where it went and still lives. 已返回户籍地: the stay that ended by then."""
    gone = pl.col("presence") == "已返回户籍地"
    here = pl.col("presence") == "在住"
    return _claim(
        _seen_by_survey(facts, as_of),
        "residence",
        _survey_says(),
        kind=pl.when(gone).then(pl.lit("was")).otherwise(pl.lit("stay")),
        stated=pl.coalesce("arrived", pl.when(here | gone).then("left_hukou")),
        seen=pl.when(~gone).then("seen_on"),
        own_last=pl.col("seen_on"),
        confirmed_on=pl.col("seen_on"),
        is_ended=gone,
        ended_on=pl.when(gone).then("seen_on"),
        leaves=gone,
        clears=pl.col("presence") == "已迁往他处",
        with_parent=pl.col("guardianship").is_in(["父母双方", "父母一方"]),
    )


def _returned(facts: Facts, as_of: date) -> pl.LazyFrame:
    """已返回户籍地: lives at the hukou place from 摸排日期."""
    back = _seen_by_survey(facts, as_of).filter(pl.col("presence") == "已返回户籍地")
    there = pl.col("seen_on")
    return _claim(back, "residence", _survey_says(), kind=pl.lit("return"), stated=there, own_last=there, confirmed_on=there, clears=pl.lit(True))


def _left_hukou(facts: Facts, as_of: date) -> pl.LazyFrame:
    """离开户籍地日期 before the arrival at the present place: away in between, at a place unknown."""
    left = _seen_by_survey(facts, as_of).filter((pl.col("left_hukou") < pl.coalesce("arrived", "seen_on")) & (pl.col("arrived").is_not_null() | (pl.col("presence") == "已迁往他处")))
    until = pl.coalesce("arrived", "seen_on")
    return _claim(
        left, "residence", _survey_says(), kind=pl.lit("left"), stated=pl.col("left_hukou"), own_last=until, confirmed_on=pl.col("seen_on"), is_ended=pl.lit(True), ended_on=until
    )


def _residence(facts: Facts, as_of: date) -> pl.LazyFrame:
    """A registration: runs until it is cancelled. A permit that expired says nothing of leaving."""
    firm = pl.min_horizontal(day("registered_on", as_of), day("permit_issued_on", as_of))
    arrived = _by(day("arrived_on", as_of), "arrived_on", firm)
    cancelled = day("cancelled_on", as_of)
    ended = _ended("cancelled_on", pl.col("cancel_reason").is_not_null(), as_of)
    last = pl.max_horizontal(arrived, day("registered_on", as_of), day("permit_issued_on", as_of))
    return _claim(
        _registrations(facts, as_of),
        "residence",
        _registration_says(),
        stated=arrived,
        firm=firm,
        own_last=last,
        confirmed_on=pl.when(ended).then(pl.coalesce(cancelled, last, limit(as_of))).otherwise(limit(as_of)),
        is_ended=ended,
        ended_on=cancelled,
        leaves=ended & pl.col("cancel_reason").is_in(["返回户籍地", "迁往他处"]),
        onward=ended & (pl.col("cancel_reason") == "迁往他处"),
    )


def _went_back(facts: Facts, as_of: date) -> pl.LazyFrame:
    """注销原因 返回户籍地: lives at the hukou place from 注销日期."""
    cancelled = day("cancelled_on", as_of)
    back = _registrations(facts, as_of).filter(_ended("cancelled_on", pl.lit(True), as_of) & (pl.col("cancel_reason") == "返回户籍地"))
    return _claim(back, "residence", _registration_says(), kind=pl.lit("return"), stated=cancelled, own_last=cancelled, confirmed_on=pl.coalesce(cancelled, limit(as_of)))


def _registrations(facts: Facts, as_of: date) -> pl.LazyFrame:
    return _known(rows(facts, "residence"), as_of, "arrived_on", "registered_on", "permit_issued_on")


def _registration_says() -> pl.Expr:
    return said(
        pl.lit("流动人口登记"),
        dated("来本地日期", "arrived_on"),
        dated("登记日期", "registered_on"),
        dated("居住证签发", "permit_issued_on"),
        dated("注销日期", "cancelled_on"),
        filled("注销原因{}", pl.col("cancel_reason")),
    )


def _school(facts: Facts, as_of: date) -> pl.LazyFrame:
    """An enrolment. 转出 is leaving the place, but not a boarder's; 毕业 and 退学 end the enrolment only. 休学 runs on unconfirmed."""
    enrolled, left = day("enrolled_on", as_of), day("left_on", as_of)
    ended = _ended("left_on", pl.col("status").is_in(["转出", "毕业", "退学"]), as_of)
    idle = pl.col("status") == "休学"
    return _claim(
        _known(rows(facts, "education"), as_of, "enrolled_on"),
        "school",
        said(filled("学籍{}", pl.col("status").fill_null("在册")), dated("入学", "enrolled_on"), dated("离校", "left_on"), pl.when(pl.col("boarding")).then(pl.lit("寄宿"))),
        firm=enrolled,
        own_last=enrolled,
        confirmed_on=pl.when(ended).then(pl.coalesce(left, enrolled, limit(as_of))).when(idle.fill_null(False)).then(pl.coalesce(enrolled, limit(as_of))).otherwise(limit(as_of)),
        is_ended=ended,
        ended_on=left,
        leaves=ended & (pl.col("status") == "转出") & ~pl.col("boarding").fill_null(False),
        boards=pl.col("boarding"),
    )


def _immunisation(facts: Facts, as_of: date) -> pl.LazyFrame:
    """A card at a clinic, where the child lives or, that unsaid, where the clinic is. 迁出 and 失访 have no date of their own: the last dose is the last sign."""
    moved, opened, dose = (day(column, as_of) for column in ("moved_in_on", "opened_on", "last_dose_on"))
    ended = pl.col("status").is_in(["迁出", "失访", "死亡"])
    last = pl.max_horizontal(moved, opened, dose)
    known = _known(rows(facts, "disease_control"), as_of, "moved_in_on", "opened_on", "last_dose_on")
    lives_there = pl.col("residence_code").is_not_null()
    place = known.with_columns(pl.when(lives_there).then(f"residence_{part}").otherwise(f"clinic_{part}").alias(f"card_{part}") for part in ("code", "township", "written"))
    return _claim(
        place,
        "card",
        said(filled("预防接种{}", pl.col("status").fill_null("在册")), dated("迁入日期", "moved_in_on"), dated("建卡日期", "opened_on"), dated("最近接种", "last_dose_on")),
        stated=moved,
        firm=opened,
        seen=dose,
        own_last=last,
        confirmed_on=pl.when(ended).then(pl.coalesce(last, limit(as_of))).otherwise(limit(as_of)),
        is_ended=ended,
        leaves=pl.col("status") == "迁出",
    )


def _health(facts: Facts, as_of: date) -> pl.LazyFrame:
    """A child-health file: runs until it is closed."""
    opened, visited, closed = (day(column, as_of) for column in ("opened_on", "last_visit_on", "closed_on"))
    ended = _ended("closed_on", pl.col("close_reason").is_not_null(), as_of)
    last = pl.max_horizontal(opened, visited)
    return _claim(
        _known(rows(facts, "health"), as_of, "opened_on", "last_visit_on"),
        "residence",
        said(pl.lit("儿童健康档案"), dated("建档日期", "opened_on"), dated("最近随访", "last_visit_on"), dated("结案日期", "closed_on"), filled("结案原因{}", pl.col("close_reason"))),
        firm=opened,
        seen=visited,
        own_last=last,
        confirmed_on=pl.when(ended).then(pl.coalesce(closed, last, limit(as_of))).otherwise(limit(as_of)),
        is_ended=ended,
        ended_on=closed,
        leaves=ended & pl.col("close_reason").str.contains("迁|搬|转"),
    )


def _insurance(facts: Facts, as_of: date) -> pl.LazyFrame:
    """Where care is filed for, else where the child is insured. Neither 参保日期 nor 备案日期 is ever a start."""
    filed_on, insured_on = day("remote_care_on", as_of), day("insured_on", as_of)
    files = pl.col("remote_care_code").is_not_null() & (filed_on.is_not_null() | pl.col("remote_care_on").is_null())
    known = _known(rows(facts, "medical_insurance"), as_of, "insured_on").with_columns(files.alias("files"))
    place = known.with_columns(pl.when("files").then(f"remote_care_{part}").otherwise(f"insured_{part}").alias(f"care_{part}") for part in ("code", "township", "written"))
    last = pl.coalesce(pl.when("files").then(filed_on), insured_on)
    ended = pl.col("status") == "终止参保"
    runs = pl.col("status").is_null() | (pl.col("status") == "正常参保")
    return _claim(
        place,
        "care",
        said(pl.when("files").then(pl.lit("异地就医备案")).otherwise(pl.lit("参保地")), pl.col("status"), pl.when("files").then(dated("备案日期", "remote_care_on"))),
        own_last=last,
        confirmed_on=pl.when(runs).then(limit(as_of)).otherwise(pl.coalesce(last, limit(as_of))),
        is_ended=ended,
    )


def _certificate(facts: Facts, as_of: date) -> pl.LazyFrame:
    """The 现住地 on a disability certificate: as weak as insurance, and never a start."""
    last = pl.max_horizontal(day("issued_on", as_of), day("rehabilitated_on", as_of))
    return _claim(
        _known(rows(facts, "disability"), as_of, "issued_on"),
        "residence",
        pl.lit("残疾人证登记现住地"),
        own_last=last,
        confirmed_on=pl.coalesce(last, limit(as_of)),
        is_ended=pl.col("status") == "注销",
    )


def _answered(facts: Facts, as_of: date) -> pl.LazyFrame:
    """Where a department's answer says that the child lives; with it the child has left every other place."""
    given = answers.claims(facts, as_of).rename({part: f"answered_{part}" for part in ("code", "township", "written")})
    return _claim(given, "answered", pl.col("says"), **{name: pl.col(name) for name in ("stated", "seen", "own_last", "confirmed_on")}, clears=pl.lit(True))
