"""What somebody should act on (发现预警). Enters: facts, assessments, key care and the last register's alerts. Leaves: alert, opened once, carried, closed with a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import duckdb
import polars as pl

from rules import alerts_of_care as care
from rules import alerts_of_place as place
from rules import alerts_of_service as service
from rules.alert_kinds import Night, children_of
from rules.basis import Facts, listed, newest, rows
from rules.law import Parameters
from rules.signs import signs
from schemas.tables.assessment import ALERT

FINDINGS: tuple[Callable[[Night], pl.LazyFrame], ...] = (
    place.dates_ahead,
    place.unknowns,
    place.not_seen,
    place.id_number_conflict,
    place.hukou_moved,
    place.death_or_cancellation,
    place.left_behind_and_flowing,
    service.unsurveyed,
    service.out_of_school,
    service.vaccination_overdue,
    service.not_insured_this_year,
    care.guardianship,
    care.dangers,
    care.needs,
    care.help_asked,
    care.visit_overdue,
    care.disability,
    care.relief_undated,
)
_KEY = ["person_id", "kind", "discriminator"]
_NONE_UNDER_OTHERS = pl.DataFrame(schema={"alert_id": pl.String, "raised_over": pl.Date})


def raise_alerts(
    children: pl.LazyFrame,
    facts: Facts,
    episodes: pl.LazyFrame,
    assessment: pl.LazyFrame,
    key_care: pl.LazyFrame,
    previous: Mapping[str, pl.LazyFrame],
    as_of: date,
    p: Parameters,
    *,
    found: pl.LazyFrame | None = None,
    last_on: date | None = None,
) -> pl.DataFrame:
    """Tonight's alerts together with those of the last register.

    An alert keeps its number and the day it was raised while its cause lasts; when the cause is gone it is closed with a
    reason and kept; when the cause comes back it is raised anew under the same number. The same night run twice gives the same.
    A merged child goes on from what was open under the identifier that ended: it is under a number of the one that stands, from the same day.
    A night for an earlier day than `last_on` says nothing of later ones: what is open of a child that is still known stays open, what was closed after its day stays closed.

    Args:
        children: person_id, birth_date, sex, id_number_status, feeds, last_seen.
        episodes, assessment, key_care: RESIDENCE_EPISODE, ASSESSMENT and KEY_CARE of tonight.
        previous: tables of the last register by name; `alert`, and of merged children `taken_over` (`rules.remembered`), are read where they are there.
        found: the signs of need, where they are at hand. last_on: the latest day that a night has run for.

    Returns:
        ALERT in the order of its key. Messages name no person and no number.
    """
    child = children_of(children, assessment).collect().lazy()
    shown = (signs(facts, as_of, p) if found is None else found).collect().lazy()
    night = Night(facts, episodes, child, shown, key_care, as_of, p)
    before = previous["alert"].collect() if "alert" in previous else ALERT.empty()
    settled = before.filter(pl.col("closed_on") > as_of)
    found_tonight = _numbered(_described(night, pl.concat([finding(night) for finding in FINDINGS])).collect())
    current = found_tonight.join(settled.select("alert_id"), on="alert_id", how="anti", maintain_order="left")
    others = _under_others(current, previous["taken_over"].collect()) if "taken_over" in previous else _NONE_UNDER_OTHERS
    return ALERT.conform(pl.concat([_opened(current, before, others, as_of), _closed(current, before, night, is_late=last_on is not None and last_on > as_of)])).sort(ALERT.key)


def _described(night: Night, causes: pl.LazyFrame) -> pl.LazyFrame:
    """One row per alert: the causes of children to whom the kind applies, with what the kind's row of the table says."""
    kinds = pl.LazyFrame(night.kinds).rename({"district": "whose"})
    applies = kinds.select("kind", pl.col("applies_to").alias("group")).explode("group", empty_as_null=True)
    mine = (
        causes.join(night.child.select("person_id", "group"), on="person_id")
        .join(applies, on=["kind", "group"], how="semi")
        .collect()
        .lazy()
    )
    evidence = listed(mine.filter(pl.col("feed").is_not_null()), _KEY, "evidence")
    alerts = mine.group_by(_KEY).agg(pl.col("is_restricted").any(), pl.col("district").max(), pl.col("due_on").max())
    whose = pl.when(pl.col("whose") == "hukou").then(pl.coalesce("hukou_district", "residence_district")).otherwise(_home())
    shown = pl.coalesce("evidence", pl.when(pl.col("assessed_on").list.len() > 0).then("assessed_on"), "last_evidence", "assessed_on")
    return (
        alerts.join(evidence, on=_KEY, how="left")
        .join(night.child.select("person_id", "hukou_district", "residence_district", "assessed_on"), on="person_id")
        .join(_last_known(night), on="person_id", how="left")
        .join(kinds.drop("applies_to"), on="kind")
        .with_columns(shown.alias("evidence"), pl.coalesce("district", whose, "last_district").alias("district"))
    )


def _last_known(night: Night) -> pl.LazyFrame:
    """Where a child that is placed nowhere now, nor by its hukou, was last, or else was given relief: person_id, last_district, last_evidence. Somebody must be told."""
    nowhere = night.child.filter(pl.col("hukou_district").is_null() & pl.col("residence_district").is_null()).select("person_id")
    stays = night.episodes.join(nowhere, on="person_id", how="semi").sort("person_id", "confirmed_on", "from_date", "division")
    last = stays.unique(subset="person_id", keep="last", maintain_order=True).select("person_id", "division", "evidence")
    aided = rows(night.facts, "assistance").join(nowhere, on="person_id", how="semi").with_columns(says=pl.lit("救助登记"))
    by_relief = listed(aided, ["person_id"], "shown").join(newest(aided, "aid_code").select("person_id", "aid_code"), on="person_id", how="left")
    known = nowhere.join(last, on="person_id", how="left").join(by_relief, on="person_id", how="left")
    return known.select("person_id", pl.coalesce("division", "aid_code").alias("last_district"), pl.coalesce("evidence", "shown").alias("last_evidence"))


def _home() -> pl.Expr:
    """The district that can act: of residence where that lies in the city, else of the hukou, else whatever is known."""
    in_city = pl.col("residence_district").str.starts_with("50")
    return pl.when(in_city).then("residence_district").otherwise(pl.coalesce("hukou_district", "residence_district"))


def _numbered(alerts: pl.DataFrame) -> pl.DataFrame:
    """The alerts with `alert_id`: A and sixteen digits of the md5 of child, kind and what tells two of a kind apart."""
    with duckdb.connect() as connection:
        connection.register("alerts", alerts.select(_KEY).with_row_index("position").to_arrow())
        made = connection.sql(
            "select position, 'A' || substr(md5(person_id || '|' || kind || '|' || discriminator), 1, 16) as alert_id from alerts order by position"
        ).pl()
    return alerts.with_columns(made.get_column("alert_id"))


def _under_others(current: pl.DataFrame, taken_over: pl.DataFrame) -> pl.DataFrame:
    """alert_id of tonight, raised_over: since when the same is open under identifiers that were merged into the child's."""
    asked = current.select(*_KEY, now="alert_id").join(taken_over.select("person_id", "was").unique(), on="person_id")
    numbered = _numbered(asked.with_columns(person_id="was"))
    return numbered.join(taken_over.select("alert_id", "raised_on"), on="alert_id").group_by(alert_id="now").agg(raised_over=pl.col("raised_on").min())


def _opened(current: pl.DataFrame, before: pl.DataFrame, others: pl.DataFrame, as_of: date) -> pl.DataFrame:
    was = before.select(
        "alert_id",
        pl.col("raised_on").alias("raised_before"),
        pl.col("state").alias("state_before"),
        pl.col("times_raised").alias("times_before"),
    )
    still = pl.col("state_before").is_not_null() & (pl.col("state_before") != "closed")
    raised = pl.min_horizontal(pl.when(still).then("raised_before"), "raised_over", pl.lit(as_of))
    times = pl.col("times_before").fill_null(0) + pl.when(still).then(0).otherwise(1)
    return (
        current.join(was, on="alert_id", how="left")
        .join(others, on="alert_id", how="left")
        .with_columns(raised.alias("raised_on"), times.alias("times_raised"))
        .with_columns(pl.coalesce("due_on", pl.col("raised_on") + pl.duration(days=pl.col("due_days"))).alias("due_on"))
        .with_columns(
            _open_state(as_of).alias("state"),
            pl.lit(None).cast(pl.Date).alias("closed_on"),
            pl.lit(None).cast(pl.String).alias("closed_reason"),
        )
        .select(pl.col(column.name).cast(column.dtype) for column in ALERT.columns)
    )


def _open_state(as_of: date) -> pl.Expr:
    return pl.when(pl.col("due_on") < as_of).then(pl.lit("overdue")).otherwise(pl.lit("open"))


def _closed(current: pl.DataFrame, before: pl.DataFrame, night: Night, *, is_late: bool) -> pl.DataFrame:
    """The alerts of the last register whose cause is gone: closed tonight with the reason, unless later nights know better of the child; those closed before are kept as they are."""
    gone = before.join(current.select("alert_id"), on="alert_id", how="anti")
    kinds = pl.DataFrame(night.kinds).select("kind", "applies_to")
    known = gone.join(night.child.select("person_id", "group", "reason").collect(), on="person_id", how="left").join(kinds, on="kind", how="left")
    why = (
        pl.when(pl.col("group").is_null())
        .then(pl.lit("该人员编码已并入其他儿童或不再出现"))
        .when(pl.col("reason") == "deceased")
        .then(pl.lit("儿童已登记死亡"))
        .when(pl.col("reason") == "age_16_or_over")
        .then(pl.lit("儿童已年满十六周岁"))
        .when(~pl.col("applies_to").list.contains(pl.col("group")))
        .then(pl.lit("认定结果已变化，不再属于该类预警的对象"))
        .when(pl.col("applies_to").is_null())
        .then(pl.lit("该类预警已停用"))
        .otherwise(pl.lit("引发预警的情形已消失"))
    )
    was_open = pl.col("state") != "closed"
    ends = was_open & (pl.col("group").is_null() | pl.lit(not is_late))
    return known.with_columns(
        pl.when(ends).then(pl.max_horizontal("raised_on", pl.lit(night.as_of))).otherwise("closed_on").alias("closed_on"),
        pl.when(ends).then(why).otherwise("closed_reason").alias("closed_reason"),
        pl.when(was_open & ~ends).then(_open_state(night.as_of)).otherwise(pl.lit("closed")).alias("state"),
    ).select(pl.col(column.name).cast(column.dtype) for column in ALERT.columns)
