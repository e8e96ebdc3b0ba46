"""Which departments know which child, and what they can say. Enters: one row per child with its true history. Leaves: the same with a plan of sightings.

The plan keeps to one law: what the undamaged records say must be enough to decide the child's case one way only (see `reading`). So every child away has
at least one strong sign of its home, a stay that matters to the clock is registered, and weak signs of an earlier place are closed.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sample_data.histories import Bools, day
from sample_data.numbers import check_digit, digits
from sample_data.places import Places

# days before the as-of day on which each department made its export
EXPORTED = {
    "household": 21, "residence": 19, "education": 23, "health": 16, "medical_insurance": 19,
    "disease_control": 15, "disability": 14, "survey": 14, "assistance": 13, "verification": 12, "resource": 12,
}  # fmt: skip
AWAY = ("zone", "in_city", "into_city", "moved", "zone_then_out", "summer_gap", "long_gap")
# known to nobody but one department
QUIET = ("household_only", "birth_date_unknown", "dead")
_NO_SCHOOL = (*QUIET, "out_of_city", "conflict", "duration_unknown", "boarding_only")
_WITHOUT_HOUSEHOLD = ("no_hukou", "hukou_not_said", "other_document", "birth_date_unknown")
_ENROLLED = {3: 0.75, 6: 0.985, 12: 0.98, 15: 0.85}
DOCUMENTS = ("港澳居民来往内地通行证", "台湾居民来往大陆通行证", "港澳台居民居住证", "护照")


def planned(rng: np.random.Generator, kids: pl.DataFrame, where: Places, as_of: date) -> pl.DataFrame:
    """The children with what is known of them: `see_…` flags, school, guardianship, hardships, documents. Dates become dates."""
    kids = _persons(rng, kids, as_of)
    kids = _school_ages(kids, as_of).with_row_index("row").with_columns(
        number=pl.when(pl.col("document").is_not_null()).then("other_number").when(~pl.col("story").is_in(["no_hukou", "birth_date_unknown"])).then("id_number")
    )
    kids = kids.with_columns(**_services(rng, kids, where, as_of))
    return kids.with_columns(pl.col(c).cast(pl.Date) for c in ("birth", "home_since", "before_from", "before_to", "hukou_since", "clock", "corrected_on"))


def chance(rng: np.random.Generator, size: int, rate: float) -> Bools:
    """A draw of true with that chance for each of `size`."""
    return np.asarray(rng.random(size) < rate)


def _persons(rng: np.random.Generator, kids: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """What a child is and needs: guardianship, hardships, a changed id or name, another document than the id."""
    n, story = kids.height, kids["story"].to_numpy()
    ordinary = ~np.isin(story, QUIET)
    plain = np.isin(story, ("at_home", "in_city", "zone"))
    shares = [0.62, 0.27, 0.085, 0.017, 0.004, 0.004]
    guardianship = rng.choice(["父母双方", "父母一方", "祖辈", "其他亲属", "无人监护", "独自居住"], p=shares, size=n)
    guardianship[story == "boarding_only"] = "父母双方"
    guardianship[story == "left_behind"] = "祖辈"
    corrected = chance(rng, n, 0.004) & plain & (kids["birth"].to_numpy() < day(as_of) - 1_500)
    renamed = chance(rng, n, 0.01) & plain & (kids["ethnicity"] == "汉族").to_numpy() & (kids["former_name"] != kids["name"]).to_numpy()
    kind = np.array(DOCUMENTS)[rng.integers(4, size=n)]
    return kids.with_columns(
        guardianship=guardianship,
        hardship=chance(rng, n, 0.04) & ordinary,
        disabled=chance(rng, n, 0.007) & ordinary,
        psych=chance(rng, n, 0.008) & ordinary,
        vagrant=chance(rng, n, 0.0006) & ordinary,
        asked=chance(rng, n, 0.006) & ordinary,
        corrected=corrected,
        corrected_on=pl.Series(np.where(corrected, day(as_of) - rng.integers(60, 1_400, size=n), -1)).replace(-1, None),
        renamed=renamed,
        document=pl.when(pl.Series(story == "other_document")).then(pl.Series(kind)).otherwise(None),
        other_number=_other_numbers(rng, kind, kids),
    )


def _other_numbers(rng: np.random.Generator, kind: NDArray[np.str_], kids: pl.DataFrame) -> pl.Series:
    """The number on a document of 港澳台 and foreign children; the residence permit's has the form of an id."""
    serial = pl.Series(rng.integers(10_000_000, 99_999_999, size=kids.height)).cast(pl.String)
    birth = kids["birth"].cast(pl.Date).dt.strftime("%Y%m%d").cast(pl.Int64).to_numpy()
    number = (rng.choice([810000, 820000, 830000], size=kids.height) * 100_000_000 + birth) * 1000 + rng.integers(1, 499, size=kids.height) * 2 + kids["male"].to_numpy()
    permit = pl.Series(number).cast(pl.String) + pl.Series(check_digit(digits(number, 17)))
    words = pl.DataFrame({"kind": kind, "serial": serial, "permit": permit})
    return words.select(
        pl.when(pl.col("kind") == DOCUMENTS[0]).then(pl.lit("H") + pl.col("serial"))
        .when(pl.col("kind") == DOCUMENTS[1]).then("serial")
        .when(pl.col("kind") == DOCUMENTS[2]).then("permit")
        .otherwise(pl.lit("E") + pl.col("serial")).alias("number")
    )["number"]  # fmt: skip


def _school_ages(kids: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """`school_age` on 1 September of this school year, `stage` (3 kindergarten, 6 primary, 12 junior, 15 senior; null outside) and when it began."""
    exported = as_of - timedelta(days=EXPORTED["education"])
    year = exported.year if exported.month >= 9 else exported.year - 1
    birth = pl.col("birth").cast(pl.Date)
    age = (year - birth.dt.year() - (birth.dt.month() > 8).cast(pl.Int32)).cast(pl.Int32)
    stage = pl.when(age > 17).then(None).when(age >= 15).then(15).when(age >= 12).then(12).when(age >= 6).then(6).when(age >= 3).then(3)
    return kids.with_columns(school_age=age, stage=stage.cast(pl.Int32)).with_columns(
        stage_start=pl.date(year - pl.col("school_age") + pl.col("stage"), 9, 1)
    )


def _services(rng: np.random.Generator, kids: pl.DataFrame, where: Places, as_of: date) -> dict[str, pl.Series | Bools]:
    """Who sees the child, and whether the start of a stay is stated."""
    n, story, today = kids.height, kids["story"].to_numpy(), day(as_of)
    is_away = np.isin(story, AWAY)
    zone = story == "zone"
    birth, since = kids["birth"].to_numpy(), kids["home_since"].fill_null(-1).to_numpy()
    hukou, born_there = kids["hukou"].to_numpy(), kids["born_there"].to_numpy()
    age = (today - birth) / 365.25
    hukou_in_city = where.is_city(hukou)
    surveyed_on = today - rng.integers(56, 110, size=n)
    settled_by_survey = since <= surveyed_on - 5
    back = story == "returned"

    household = hukou_in_city & ~np.isin(story, _WITHOUT_HOUSEHOLD) & (~np.isin(story, ("at_home", "in_city")) | chance(rng, n, 0.99))
    survey = (is_away & (story != "summer_gap") & settled_by_survey & np.where(zone, chance(rng, n, 0.12), chance(rng, n, 0.65))) | (
        np.isin(story, ("at_home", "left_behind", "no_hukou", "hukou_moved")) & chance(rng, n, 0.02)
    )
    survey |= (story == "at_home") & (kids["asked"] | kids["disabled"] | kids["vagrant"]).to_numpy() & chance(rng, n, 0.6)
    survey |= np.isin(story, ("out_of_city", "conflict", "duration_unknown", "boarding_only"))
    survey |= back & settled_by_survey & chance(rng, n, 0.5)
    residence = (is_away & np.where(zone, chance(rng, n, 0.35), chance(rng, n, 0.75))) | np.isin(story, ("moved", "zone_then_out", "summer_gap", "long_gap"))
    residence |= np.isin(story, ("hukou_moved", "returned_long_ago", "other_document", "hukou_not_said")) & chance(rng, n, 0.5)
    residence |= back & (~survey | chance(rng, n, 0.4))

    enrolled = kids["stage"].replace_strict(_ENROLLED, default=0.0, return_dtype=pl.Float64).to_numpy()
    school = ((rng.random(n) < enrolled) & ~np.isin(story, _NO_SCHOOL)) | (story == "boarding_only")
    boarding = (school & (age >= 12) & chance(rng, n, 0.1) & (~is_away | residence | survey)) | (story == "boarding_only")
    at_home_card = np.where(is_away, born_there | chance(rng, n, 0.6), True)
    sign = (school & ~boarding) | (is_away & (residence | survey))
    card = (~np.isin(story, (*QUIET, "conflict", "duration_unknown", "boarding_only"))) & ((chance(rng, n, 0.97) & (at_home_card | hukou_in_city)) | ~sign | born_there)
    at_home_card = at_home_card | ~sign
    card |= (story == "dead") & chance(rng, n, 0.5)
    small = (age < 6.9) & ~np.isin(story, (*QUIET, "conflict", "duration_unknown", "out_of_city"))
    moved_young = ~is_away | born_there | (since - birth < 5 * 365)
    health = small & moved_young & np.where(is_away, chance(rng, n, 0.75), chance(rng, n, 0.92))
    insured = ~np.isin(story, (*QUIET, "conflict")) & chance(rng, n, 0.94)
    insured_at_home = np.where(is_away, chance(rng, n, 0.55), story != "out_of_city") & (story != "duration_unknown")
    insured &= insured_at_home | hukou_in_city
    insured |= (story == "other_document") & ~school
    # of an infant somebody always states when it came: else it could as well have been there from birth (decision 7)
    infant = is_away & (since - birth < 400)
    alone = infant & ~residence & ~survey
    card, at_home_card = card | alone, at_home_card | alone
    residence_states = chance(rng, n, 0.92) | infant | ~np.isin(story, ("in_city", "into_city", "zone"))
    # where no registration gives at least its own date, the surveyor asked since when
    survey_states = (chance(rng, n, 0.85) | infant | ~residence) & (story != "duration_unknown")
    card_states = (chance(rng, n, 0.6) | infant) & (story != "summer_gap")
    stated = (residence & residence_states) | (survey & survey_states) | (card & at_home_card & card_states)
    # a sign of having left the hukou place is given only where the arrival is stated: else two days could be the start
    has_left = is_away & ~born_there & hukou_in_city & stated
    return {
        "see_household": household, "see_residence": residence, "see_survey": survey, "see_school": school, "boarding": boarding,
        "see_card": card, "card_at_home": at_home_card, "see_health": health, "see_insurance": insured, "insured_at_home": insured_at_home,
        "see_old_school": school & has_left & (story != "summer_gap") & (since > birth + 4 * 365) & chance(rng, n, 0.55),
        "see_old_health": small & has_left & chance(rng, n, 0.45),
        "residence_states": residence_states, "survey_states": survey_states, "card_states": card_states,
        "surveyed_on": pl.Series(surveyed_on).cast(pl.Date),
    }  # fmt: skip
