"""Alerts about guardianship, help and disability. Enters: a `Night`. Leaves: cause rows."""

from __future__ import annotations

import polars as pl

from rules.alert_kinds import Night, cause
from rules.basis import newest, rows, surveys
from rules.key_care import other_township
from rules.signs import certificates, lives_with, living_alone, relief_of, unguarded
from rules.visits import counted, situations
from schemas.filled import filled
from schemas.tables.assessment import RESTRICTED_CATEGORIES

_GRANDPARENTS_OR_OTHERS = ("祖父母", "外祖父母", "其他亲属")


def guardianship(night: Night) -> pl.LazyFrame:
    """With grandparents or other relatives; alone; with nobody to guard (the last two are reported at once, 实施方案二(三)1)."""
    surveyed = newest(surveys(night.facts, night.as_of), "guardianship", pl.col("seen_on"))
    by_register = (
        lives_with(night.facts, night.as_of)
        .filter(pl.col("lives_with_relation").is_in(_GRANDPARENTS_OR_OTHERS))
        .join(surveyed, on="person_id", how="anti")
    )
    says = filled("摸排监护情况为{}", "guardianship")
    return pl.concat(
        [
            cause(surveyed.filter(pl.col("guardianship").is_in(["祖辈", "其他亲属"])), "guardianship_check", says),
            cause(night.of("guardianship_check").filter(pl.col("accompanied") == "other_guardian"), "guardianship_check"),
            cause(by_register, "guardianship_check", filled("流动人口登记同住人为{}", "lives_with_relation")),
            cause(living_alone(night.facts, night.as_of, night.p), "living_alone", pl.col("says")),
            cause(unguarded(night.facts, night.as_of, night.p).filter(pl.col("guardianship") == "无人监护"), "no_guardian", says),
        ]
    )


def dangers(night: Night) -> pl.LazyFrame:
    """What a visit found that goes to the police at once (实施方案二(三)1), beside living alone."""
    kinds = {"监护人不履行监护责任": "guardian_neglect", "疑似家庭暴力": "suspected_violence", "疑似意外伤害或不法侵害": "suspected_harm"}
    found = situations(night.facts, night.as_of, night.p)
    return pl.concat([cause(found.filter(pl.col("situation") == situation), kind, pl.col("says")) for situation, kind in kinds.items()])


def needs(night: Night) -> pl.LazyFrame:
    """Signs of a key-care category in a child who is not on the list: nobody can say yet (possible_key_care), or the rule leaves it out."""
    restricted = pl.col("category").is_in(RESTRICTED_CATEGORIES)
    says = pl.col("says")
    return pl.concat(
        [
            cause(night.found, "possible_key_care", says, is_restricted=restricted),
            cause(night.found.filter(pl.col("category") != "self_requested_aid"), "needs_outside_list", says, is_restricted=restricted),
        ]
    )


def help_asked(night: Night) -> pl.LazyFrame:
    """Help asked for: no visit since, or nobody can say whether the child lives in another township than its hukou's."""
    asked = night.found.filter(pl.col("category") == "self_requested_aid")
    made = counted(night.facts, night.as_of, night.p).group_by("person_id").agg(pl.col("visited_on").max())
    waiting = asked.join(made, on="person_id", how="left").filter(
        pl.col("visited_on").is_null() | (pl.col("visited_on") <= pl.col("since"))
    )
    unknown = night.of("help_asked_township_unknown").filter(
        other_township().is_null() & pl.col("hukou_district").is_not_null() & pl.col("residence_district").is_not_null()
    )
    return pl.concat(
        [
            cause(waiting, "help_asked_no_visit", pl.col("says")),
            cause(asked.join(unknown, on="person_id", how="semi"), "help_asked_township_unknown", pl.col("says")),
        ]
    )


def visit_overdue(night: Night) -> pl.LazyFrame:
    """A key-care child past its visit's date; only where visits are taken in at all, else every child would be late."""
    if "visit" not in night.facts and not night.p["visits/survey_counts_as_visit"]:
        return cause(night.child.clear(), "visit_overdue")
    late = night.key_care.filter(pl.col("visit_state") == "overdue").group_by("person_id").agg(pl.len())
    return cause(late, "visit_overdue")


def disability(night: Night) -> pl.LazyFrame:
    """A certificate that has expired or whose standing nobody knows, and a child disabled by the survey's word with no certificate."""
    held = certificates(night.facts, night.as_of)
    valid = held.filter(pl.col("standing") == "valid")
    doubtful = held.filter(pl.col("standing") == "doubtful").join(valid, on="person_id", how="anti")
    surveyed = night.found.filter((pl.col("category") == "disability") & (pl.col("feed") == "survey"))
    says = (
        pl.when(pl.col("expires_on") < night.as_of)
        .then(pl.lit("残疾人证已过有效期"))
        .otherwise(filled("残疾人证状态：{}", pl.col("status").fill_null("未填")))
    )
    return pl.concat(
        [
            cause(doubtful, "disability_certificate_expired", says),
            cause(
                surveyed.join(held.filter(pl.col("standing") != "ended"), on="person_id", how="anti"),
                "disabled_without_certificate",
                pl.col("says"),
            ),
        ]
    )


def relief_undated(night: Night) -> pl.LazyFrame:
    """Relief that counts for so many months only, without the date from which they run."""
    limited = [relief["kind"] for relief in relief_of(night.p) if relief["months"] is not None]
    undated = pl.col("kind").is_in(limited) & pl.col("granted_on").is_null() & pl.col("left_station_on").is_null()
    return cause(rows(night.facts, "assistance").filter(undated), "relief_undated", filled("{}记录无日期", "kind"))
