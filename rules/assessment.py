"""The answer for each child. Enters: facts and children as of a day. Leaves: assessment and residence_episode, all children at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from rules import clock, eligibility, grounds, hukou, residence, standing
from rules.accompaniment import accompanied
from rules.basis import ROW, Facts
from rules.evidence import claims
from rules.law import Parameters
from rules.places import with_place_named
from rules.timeline import STATED, in_order
from schemas.filled import filled
from schemas.tables.assessment import ASSESSMENT, RESIDENCE_EPISODE

_FLAGS = ("is_dead", "in_institution", "is_outside_mainland")


@dataclass(frozen=True)
class Answers:
    """What the rule says: ASSESSMENT and RESIDENCE_EPISODE, in the order of their keys."""

    assessment: pl.DataFrame
    episodes: pl.DataFrame


def assess(children: pl.LazyFrame, facts: Facts, as_of: date, p: Parameters, version: str) -> Answers:
    """Apply the rule for a day to each child.

    Args:
        children: person_id, birth_date, birth_date_precision, document_type; one row a child.
        facts: the rows of these children by feed.
        version: of the law, written beside each answer.
    """
    child = children.select("person_id", "birth_date", "birth_date_precision", "document_type").collect()
    claimed = claims(facts, as_of, p).collect()
    told = claimed.lazy().select(*ROW, "confirmed_on")
    registered = hukou.readings(facts, told, as_of, p).collect()
    cases = _cases(child, registered)
    former = hukou.earlier(facts, as_of, p).collect()
    ordered = with_place_named(in_order(claimed.lazy(), cases.lazy(), former.lazy(), as_of, p), as_of)
    places = residence.now(ordered, cases, as_of, p)
    readings = places.join(cases, on="case")
    timed = readings.join(clock.run(ordered, readings, former, as_of, p), on="reading", how="left")
    flags = _flags(child, facts, as_of)
    known = timed.join(flags.select("person_id", *_FLAGS), on="person_id", how="left").join(_boards_only(ordered, readings, p), on="reading", how="left")
    ready = known.with_columns(pl.col(name).fill_null(False) for name in (*_FLAGS, "boards_only"))
    judged = eligibility.judged(eligibility.prepared(ready, as_of, p), as_of)
    answers = _described(judged, readings, ordered, registered, facts, flags, as_of, p)
    return Answers(
        ASSESSMENT.conform(answers.with_columns(pl.lit(as_of).alias("as_of"), pl.lit(version).alias("rule_version"))).sort(ASSESSMENT.key),
        _episodes(ordered, judged),
    )


def _cases(child: pl.DataFrame, registered: pl.DataFrame) -> pl.DataFrame:
    """Each child with each hukou it may have: case (running number), the child, and hukou_<what> of the record that gives it."""
    named = {name: f"hukou_{name}" for name in ("feed", "record_hash", "source_file", "source_row", "code", "township", "written", "district", "in_zone", "in_city", "since")}
    return (
        child.join(registered.drop("says").rename(named), on="person_id", how="left").sort("person_id", "hukou_district", nulls_last=True).with_row_index("case")
    )


def _boards_only(ordered: pl.DataFrame, readings: pl.DataFrame, p: Parameters) -> pl.DataFrame:
    """Whether a child only boards away: a boarder's school elsewhere, a survey that finds it with a parent at the hukou place, and nothing else elsewhere (decision 16)."""
    running = ordered.select("case", "feed", "is_ended", "at_home", "boards", "with_parent", "strength").filter(~pl.col("is_ended"))
    away = ~pl.col("at_home")
    boards = running.filter(pl.col("boards") & away).select("case").unique()
    with_parent = running.filter((pl.col("feed") == "survey") & pl.col("at_home") & pl.col("with_parent")).select("case").unique()
    else_where = running.filter(~pl.col("boards") & away & (pl.col("strength") > p["evidence/strength"]["medical_insurance"])).select("case").unique()
    cases = boards.join(with_parent, on="case").join(else_where, on="case", how="anti")
    return readings.join(cases, on="case", how="semi").select("reading", pl.lit(True).alias("boards_only"))


def _flags(child: pl.DataFrame, facts: Facts, as_of: date) -> pl.DataFrame:
    """What settles an answer before any place: person_id, the three flags, and the rows that say so (`shown`)."""
    told = (("is_dead", standing.deaths(facts, as_of)), ("in_institution", standing.institutions(facts, as_of)), ("is_outside_mainland", standing.outside_mainland(facts)))
    shown = pl.concat([frame.with_columns(pl.lit(name).alias("flag")) for name, frame in told]).collect()
    documents = child.filter(pl.col("document_type").is_in(["hmt", "foreign"])).select("person_id", pl.lit("is_outside_mainland").alias("flag"))
    flagged = pl.concat([shown.select("person_id", "flag"), documents]).unique()
    wide = child.select("person_id").with_columns(
        pl.col("person_id").is_in(flagged.filter(pl.col("flag") == name).get_column("person_id").implode()).alias(name) for name in _FLAGS
    )
    return wide.join(shown.group_by("person_id").agg(pl.struct(*ROW[1:], "says", "flag").alias("shown")), on="person_id", how="left")


def _described(
    judged: pl.DataFrame, readings: pl.DataFrame, ordered: pl.DataFrame, registered: pl.DataFrame, facts: Facts, flags: pl.DataFrame, as_of: date, p: Parameters
) -> pl.DataFrame:
    """The answers in the words of ASSESSMENT."""
    disputed = pl.col("disputed")
    # a child that went back lives at the hukou place of that day
    home = pl.when(pl.col("kind") == "return").then("district").otherwise("hukou_district").alias("hukou_district")
    living = judged.filter(pl.col("district").is_not_null()).select("person_id", "district", home)
    counted = pl.col("reason").is_in(["duration_unknown", "conflicting_evidence"]) | pl.col("at_home") | pl.col("both_in_zone")
    since = pl.when(~counted.fill_null(True)).then(pl.when(pl.col("long_enough") & pl.col("certainly_long")).then("certain_since").otherwise("away_since"))
    by = pl.when(pl.col("long_enough") & pl.col("certainly_long")).then("certain_by").otherwise("away_by")
    timed = judged.with_columns(since.alias("away_since"), by.alias("away_by"))
    settling = flags.select("person_id", "shown").drop_nulls().explode("shown").unnest("shown")
    told = (
        timed.join(accompanied(facts, living.lazy(), as_of, p).collect(), on="person_id", how="left")
        .join(grounds.evidence(timed, readings, ordered, registered, settling, facts, as_of), on="person_id", how="left")
        .with_columns(pl.col("accompanied").fill_null("unknown"))
    )
    months = f"{p['residence/months_required']}mo"
    return told.with_columns(
        *(pl.when(~disputed).then(column).alias(name) for name, column in (("residence_district", "district"), ("residence_division", "code"), ("residence_township", "township"))),
        pl.col("away_since").dt.offset_by(months).alias("six_months_on"),
        eligibility.months_between("away_since", as_of).alias("months_away"),
        (eligibility.is_inferred() & pl.col("away_since").is_not_null()).alias("is_inferred"),
        eligibility.direction().alias("direction"),
        pl.col("evidence").fill_null([]),
        _confidence(as_of, p).alias("confidence"),
        _conditions(told, as_of),
    )


def _conditions(told: pl.DataFrame, as_of: date) -> pl.Series:
    """The conditions of each child in order with their answers, those after the deciding one included: one list a row of `told`."""
    answers = [(c.name, c.holds, c.detail) for c in eligibility.conditions(as_of)]
    with_whom = pl.col("accompanied")
    answers.append(("accompanied", pl.when(with_whom != "unknown").then(with_whom != "none"), filled("accompanied={}", with_whom)))
    columns = told.select(
        pl.struct(
            pl.lit(name).alias("condition"),
            pl.when(holds).then(pl.lit("yes")).when(~holds).then(pl.lit("no")).otherwise(pl.lit("unknown")).alias("answer"),
            detail.alias("detail"),
        ).alias(name)
        for name, holds, detail in answers
    ).get_columns()
    # stacked, dealt out row by row and cut into lists: ten times as fast as concat_list of structs
    place = pl.int_range(len(columns) * told.height, eager=True)
    dealt = (place % len(columns)) * told.height + place // len(columns)
    stacked = pl.concat([column.rename("conditions") for column in columns])
    return stacked.gather(dealt).reshape((told.height, len(columns))).arr.to_list()


def _confidence(as_of: date, p: Parameters) -> pl.Expr:
    """0 to 1 (evidence/confidence): the least certain of hukou and residence, less where the start is inferred or the sign is old."""
    share = p["evidence/confidence"]
    old = pl.col("confirmed_on").dt.offset_by(f"{p['evidence/old_after_months']}mo") < as_of
    hukou_share = pl.when(pl.col("from_register")).then(share["household"]).otherwise(share["other_hukou"])
    place = pl.col("feed").replace_strict(share, default=1.0, return_dtype=pl.Float64) * pl.when(old.fill_null(False)).then(share["old"]).otherwise(1.0)
    start = pl.when((pl.col("away_by") > STATED).fill_null(False) & pl.col("away_since").is_not_null()).then(share["inferred"]).otherwise(1.0)
    by_document = pl.col("reason").is_in(["deceased", "age_16_or_over", "no_mainland_hukou", "institutional_care"])
    return (
        pl.when(pl.col("outcome") == "undetermined")
        .then(share["undetermined"])
        .when(by_document)
        .then(share["document"])
        .otherwise(pl.min_horizontal(hukou_share, place) * start)
        .round(4)
    )


def _episodes(ordered: pl.DataFrame, judged: pl.DataFrame) -> pl.DataFrame:
    """The stays of the reading that stands; none is current where readings disagree."""
    claim = pl.when(~pl.col("disputed")).then("claim").alias("claim")
    stays = residence.episodes(ordered, judged.select("case", claim, "district", "began"))
    return RESIDENCE_EPISODE.conform(stays).sort(*RESIDENCE_EPISODE.key, "to_date", "strength", nulls_last=True)
