"""Which record shows that a child has a service. Enters: facts, where each child lives. Leaves: one row per record that says has, missing or unknown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import polars as pl

from rules.basis import ROW, Facts, begun, newest, rows, runs_on, surveys
from rules.law import Parameters
from rules.signs import had_lately, relief_of
from rules.vaccination import overdue
from schemas.filled import filled
from schemas.reference import lists

# what a row can show of
SHOWN = (
    "enrolled", "insured", "immunised", "child_health", "subsidised", "rehabilitated", "remote_care", "hardship_relief", "orphan_relief",
    "temporary_relief",
)  # fmt: skip
HAS, MISSING, UNKNOWN = "has", "missing", "unknown"
# what a row of one kind weighs against another about the same service: the highest decides
_WEIGHT = {MISSING: 1, UNKNOWN: 2, HAS: 3}
_OVERRIDES = 4


def shows(facts: Facts, child: pl.LazyFrame, as_of: date, p: Parameters, *wanted: str) -> pl.LazyFrame:
    """What the records say of each service that a record can show, for the given children.

    Of several rows about one service those that say `has` decide, then `unknown`, then `missing`; a survey that found a
    child out of school after enrolment overrides the school roll.

    Args:
        child: person_id, birth_date, sex, residence_district, residence_division.
        wanted: enrolled, insured, immunised, child_health, subsidised, rehabilitated, remote_care, relief; none means all.

    Returns:
        ROW, show (one of SHOWN), status, says. Children
        without any row about a service are absent.
    """
    makers: dict[str, Callable[[], pl.LazyFrame]] = {
        "enrolled": lambda: _enrolled(facts, as_of),
        "insured": lambda: _insured(facts, as_of),
        "immunised": lambda: _immunised(facts, child, as_of, p),
        "child_health": lambda: _child_health(facts, child, as_of),
        "subsidised": lambda: _subsidised(facts, as_of, p),
        "rehabilitated": lambda: _rehabilitated(facts, as_of, p),
        "remote_care": lambda: _remote_care(facts, child, as_of),
        "relief": lambda: _relief(facts, as_of, p),
    }
    found = pl.concat([makers[show]() for show in wanted or makers]).join(child.select("person_id"), on="person_id", how="semi")
    deciding = pl.col("weight") == pl.col("weight").max().over("person_id", "show")
    return found.filter(deciding).drop("weight")


def _show(frame: pl.LazyFrame, show: str | pl.Expr, status: str | pl.Expr, says: str | pl.Expr, *, overrides: bool = False) -> pl.LazyFrame:
    answer = pl.lit(status) if isinstance(status, str) else status
    return frame.select(
        *ROW,
        (pl.lit(show) if isinstance(show, str) else show).alias("show"),
        answer.alias("status"),
        (pl.lit(says) if isinstance(says, str) else says).alias("says"),
        (pl.lit(_OVERRIDES) if overrides else answer.replace_strict(_WEIGHT, return_dtype=pl.Int32)).cast(pl.Int32).alias("weight"),
    )


def _enrolled(facts: Facts, as_of: date) -> pl.LazyFrame:
    roll = rows(facts, "education").filter(begun(as_of, "enrolled_on"))
    left = pl.col("left_on").is_not_null() & (pl.col("left_on") <= as_of)
    status = (
        pl.when(left | pl.col("status").is_in(["转出", "毕业", "退学"]))
        .then(pl.lit(MISSING))
        .when(pl.col("status") == "在读")
        .then(pl.lit(HAS))
        .otherwise(pl.lit(UNKNOWN))
    )
    says = pl.when(left).then(pl.lit("学籍已离校")).otherwise(filled("学籍状态：{}", pl.col("status").fill_null("未填")))
    answered = newest(surveys(facts, as_of), "schooling", pl.col("seen_on"))
    attends = _show(answered.filter(pl.col("schooling") == "在学"), "enrolled", UNKNOWN, "摸排登记为在学")
    enrolled_last = roll.group_by("person_id").agg(pl.col("enrolled_on").max())
    out = (
        answered.filter(pl.col("schooling").is_in(["辍学", "未入学"]))
        .join(enrolled_last, on="person_id", how="left")
        .filter(pl.col("enrolled_on").is_null() | (pl.col("seen_on") >= pl.col("enrolled_on")))
    )
    return pl.concat(
        [
            _show(roll, "enrolled", status, says),
            attends,
            _show(out, "enrolled", MISSING, filled("摸排登记为{}", "schooling"), overrides=True),
        ]
    )


def _insured(facts: Facts, as_of: date) -> pl.LazyFrame:
    regular = pl.col("status") == "正常参保"
    this_year = pl.col("paid_year") >= as_of.year
    status = (
        pl.when(regular & this_year)
        .then(pl.lit(HAS))
        .when(regular.fill_null(True) & this_year.fill_null(True))
        .then(pl.lit(UNKNOWN))
        .otherwise(pl.lit(MISSING))
    )
    says = filled(
        "参保状态：{}；缴费年度：{}", pl.col("status").fill_null("未填"), pl.col("paid_year").cast(pl.String).fill_null("未填")
    )
    return _show(_insurance(facts, as_of), "insured", status, says)


def _insurance(facts: Facts, as_of: date) -> pl.LazyFrame:
    return rows(facts, "medical_insurance").filter(begun(as_of, "insured_on"))


def lives_there(*places: str) -> pl.Expr:
    """Whether one of the places is where the child lives; null where no place, or no residence, is known, or one is 高新区 and the other a district that holds a part of it."""
    homes = ("residence_district", "residence_division")
    here = pl.any_horizontal(*((pl.col(place) == pl.col(home)).fill_null(False) for place in places for home in homes))
    around = sorted(lists.zone_hosts("高新区直管园"))
    may_be = pl.any_horizontal(
        *((pl.col(a) == lists.HIGH_TECH_ZONE) & pl.col(b).is_in(around) for place in places for home in homes for a, b in ((place, home), (home, place)))
    ).fill_null(False)
    known = pl.any_horizontal(*(pl.col(place).is_not_null() for place in places)) & pl.any_horizontal(
        *(pl.col(home).is_not_null() for home in homes)
    )
    return pl.when(known & (here | ~may_be)).then(here)


def cards(facts: Facts, child: pl.LazyFrame) -> pl.LazyFrame:
    """The immunisation card that counts for each child: in use before not, where the child lives before elsewhere, then the newest dose.

    Returns:
        the card's facts, `lives_there`, and the child's birth_date and sex (the card's own where the child's is unknown).
    """
    own = child.select(
        "person_id", "residence_district", "residence_division", pl.col("birth_date").alias("known_birth"), pl.col("sex").alias("known_sex")
    )
    joined = (
        rows(facts, "disease_control")
        .join(own, on="person_id")
        .with_columns(
            lives_there("clinic_code", "residence_code").alias("lives_there"),
            pl.coalesce("known_birth", "birth_date").alias("birth_date"),
            pl.coalesce("known_sex", "sex").alias("sex"),
            pl.col("status").fill_null("未填").alias("status"),
        )
    )
    in_use = pl.col("status") == "在册"
    return newest(joined, "status", in_use, pl.col("lives_there"), pl.col("last_dose_on"), pl.col("moved_in_on"), pl.col("opened_on"))


def _immunised(facts: Facts, child: pl.LazyFrame, as_of: date, p: Parameters) -> pl.LazyFrame:
    card = cards(facts, child)
    late = overdue(card, as_of, p)
    in_use = pl.col("status") == "在册"
    due = pl.col("doses").list.join("、")
    status = (
        pl.when(due.is_not_null() | pl.col("status").is_in(["迁出", "失访", "死亡"]))
        .then(pl.lit(MISSING))
        .when(~in_use)
        .then(pl.lit(UNKNOWN))
        .when(pl.col("lives_there"))
        .then(pl.lit(HAS))
        .when(pl.col("lives_there").is_null())
        .then(pl.lit(UNKNOWN))
        .otherwise(pl.lit(MISSING))
    )
    says = (
        pl.when(~in_use)
        .then(filled("预防接种卡状态：{}", "status"))
        .when(due.is_not_null())
        .then(filled("逾期未种：{}", due))
        .when(pl.col("lives_there"))
        .then(pl.lit("居住地在册，无逾期未种"))
        .when(pl.col("lives_there").is_null())
        .then(pl.lit("在册单位是否在居住地不明"))
        .otherwise(pl.lit("在册单位不在居住地"))
    )
    return _show(card.join(late, on=ROW, how="left"), "immunised", status, says)


def _child_health(facts: Facts, child: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    files = rows(facts, "health").join(child.select("person_id", "residence_district", "residence_division"), on="person_id")
    opened = runs_on(as_of, "opened_on", "closed_on") & (pl.col("close_reason").is_null() | pl.col("closed_on").is_not_null())
    elsewhere = lives_there("residence_code").not_().fill_null(False)
    status = pl.when(opened & ~elsewhere).then(pl.lit(HAS)).otherwise(pl.lit(MISSING))
    says = (
        pl.when(~opened)
        .then(pl.lit("儿童健康管理已结案"))
        .when(elsewhere)
        .then(pl.lit("儿童健康管理不在居住地"))
        .otherwise(pl.lit("儿童健康管理在管"))
    )
    return _show(files, "child_health", status, says)


def _subsidised(facts: Facts, as_of: date, p: Parameters) -> pl.LazyFrame:
    granted = pl.col("subsidy").is_in(list(p["key_care/subsidies"]))
    current = _insurance(facts, as_of).filter((pl.col("status") == "正常参保") & (pl.col("paid_year") >= as_of.year))
    status = pl.when(granted).then(pl.lit(HAS)).when(pl.col("subsidy").is_null()).then(pl.lit(UNKNOWN)).otherwise(pl.lit(MISSING))
    return _show(current, "subsidised", status, filled("资助参保身份：{}", pl.col("subsidy").fill_null("未填")))


def _rehabilitated(facts: Facts, as_of: date, p: Parameters) -> pl.LazyFrame:
    recent = pl.col("rehabilitated_on").dt.offset_by(f"{p['services/rehabilitation_months']}mo") >= as_of
    status = (
        pl.when(pl.col("rehabilitation") & recent.fill_null(True))
        .then(pl.lit(HAS))
        .when(pl.col("rehabilitation").is_null())
        .then(pl.lit(UNKNOWN))
        .otherwise(pl.lit(MISSING))
    )
    says = (
        pl.when(pl.col("rehabilitation"))
        .then(pl.lit("已享受康复救助"))
        .when(~pl.col("rehabilitation"))
        .then(pl.lit("未享受康复救助"))
        .otherwise(pl.lit("康复救助未填"))
    )
    says = pl.when(pl.col("rehabilitation") & ~recent).then(pl.lit("近期没有康复记录")).otherwise(says)
    return _show(rows(facts, "disability"), "rehabilitated", status, says)


def _remote_care(facts: Facts, child: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    filed = rows(facts, "medical_insurance").filter(pl.col("remote_care_code").is_not_null() & begun(as_of, "remote_care_on"))
    placed = filed.join(child.select("person_id", "residence_district", "residence_division"), on="person_id")
    return _show(placed.filter(lives_there("remote_care_code")), "remote_care", HAS, "异地就医备案到居住地")


def _relief(facts: Facts, as_of: date, p: Parameters) -> pl.LazyFrame:
    """Relief that runs (shows `hardship_relief`, `orphan_relief`) or was had lately (`temporary_relief`), by the kinds of key care."""
    shown = {"低保": "hardship_relief", "特困": "hardship_relief", "低保边缘": "hardship_relief", "返贫监测": "hardship_relief",
             "孤儿": "orphan_relief", "事实无人抚养儿童": "orphan_relief", "临时救助": "temporary_relief"}  # fmt: skip
    months = {relief["kind"]: relief["months"] for relief in relief_of(p) if relief["months"] is not None}
    granted = rows(facts, "assistance").filter(pl.col("kind").is_in(list(shown)))
    lasts = pl.col("kind").replace_strict(months, default=None, return_dtype=pl.Int32)
    had = pl.when(lasts.is_null()).then(runs_on(as_of, "granted_on", "stopped_on")).otherwise(had_lately(lasts, as_of))
    return _show(granted.filter(had), pl.col("kind").replace_strict(shown, return_dtype=pl.String), HAS, filled("救助台账：{}", "kind"))
