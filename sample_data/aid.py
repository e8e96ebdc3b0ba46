"""What civil affairs and the disabled persons' federation know. Enters: a block of children with its plan. Leaves: sheets of disability, survey, assistance."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl

from sample_data.numbers import padded, scrambled
from sample_data.sheet import Block, Sheet, address, district, drawn, nth, sheet, spread
from sample_data.sightings import EXPORTED
from schemas.filled import filled

_CATEGORIES = ("视力", "听力", "言语", "肢体", "智力", "精神", "多重")
_LEVELS = ("一级", "二级", "三级", "四级")
_WANTED = ("申请临时生活救助", "希望协助转学", "需要心理辅导", "请求康复训练补贴", "希望有人接送上学")
_SURVEYORS = ("王桂芳", "李建国", "冉启明", "张晓燕", "陈永红", "田茂华")


def disability(block: Block) -> Sheet:
    """Certificates: number = id, category, level, and B1 where reissued; one in twelve has expired."""
    kids = block.kids.filter(pl.col("disabled") & pl.col("number").is_not_null() & pl.col("document").is_null() & (pl.col("birth") < block.as_of - timedelta(days=900)))
    n, rng = kids.height, block.rng
    category, level = rng.integers(7, size=n), rng.integers(4, size=n)
    again, expired = pl.Series(rng.random(n) < 0.06), pl.Series(rng.random(n) < 0.08)
    issued = pl.max_horizontal(pl.col("birth") + timedelta(days=800), pl.lit(block.as_of) - spread(rng, 60, 3_300, n))
    expires = pl.when(expired).then(pl.lit(block.as_of) - spread(rng, 20, 300, n)).otherwise(issued + timedelta(days=3_652))
    lives = pl.when(pl.col("story") == "out_of_city").then("hukou").otherwise("home")
    kids = kids.with_columns(lives=lives, treated=pl.Series(rng.random(n) < 0.3))
    rows = kids.select(
        _child="row",
        record_key=pl.col("id_number") + pl.Series(category + 1).cast(pl.String) + pl.Series(level + 1).cast(pl.String) + pl.when(again).then(pl.lit("B1")).otherwise(pl.lit("")),
        name="name",
        sex="male",
        ethnicity="ethnicity",
        category=pl.Series(np.array(_CATEGORIES)[category]),
        level=pl.Series(np.array(_LEVELS)[level]),
        hukou_division="hukou",
        address=address("hukou", block.where, kids),
        guardian_name="father",
        guardian_phone="father_phone",
        issued_on=issued,
        expires_on=expires,
        status=pl.when(expired).then(pl.lit("过期")).otherwise(pl.lit("有效")),
        rehabilitation="treated",
        rehabilitation_division=pl.when("treated").then("hukou"),
        rehabilitated_on=pl.when("treated").then(pl.lit(block.as_of) - spread(rng, 40, 200, n)),
    )
    return sheet("disability", rows.with_columns(pl.min_horizontal("issued_on", pl.col("expires_on") - timedelta(days=1))))


def survey(block: Block) -> Sheet:
    """The quarter's survey: children away where they live, those gone elsewhere or back, and some at home; a conflict is one child found in two places."""
    kids = block.kids.filter("see_survey")
    returned = pl.col("story") == "returned"
    left = pl.col("story") == "out_of_city"
    found = kids.with_columns(
        found_at=pl.when(returned).then("before").when(pl.col("story") == "boarding_only").then("hukou").otherwise("home"),
        town=pl.when(left).then("hukou").when(returned).then("before").otherwise("home"),
        presence=pl.when(returned).then(pl.lit("已返回户籍地")).when(left).then(pl.lit("已迁往他处")).otherwise(pl.lit("在住")),
        arrived=pl.when("survey_states").then(pl.when(returned).then("before_from").when(pl.col("is_away")).then("home_since")),
    )
    twice = kids.filter(pl.col("story") == "conflict").with_columns(
        found_at="hukou", town="hukou", presence=pl.lit("在住"), arrived=pl.lit(None, pl.Date), child=pl.col("child") + 50_000_000
    )
    rows = pl.concat([_found(block, found), _found(block, twice)])
    return sheet("survey", rows)


def _found(block: Block, kids: pl.DataFrame) -> pl.DataFrame:
    n, rng = kids.height, block.rng
    quarter = filled("{}Q{}", pl.col("surveyed_on").dt.year(), pl.col("surveyed_on").dt.quarter())
    parent, grand = pl.col("guardianship").is_in(["父母双方", "父母一方"]), pl.col("guardianship") == "祖辈"
    schooling = pl.when("see_school").then(pl.lit("在学")).when(pl.col("school_age") < 6).then(pl.lit("学龄前")).otherwise(pl.lit(None, pl.String))
    return kids.select(
        _child="row",
        _part=district("town", block.where, kids),
        record_key=pl.lit("MP") + quarter + district("town", block.where, kids) + padded(scrambled(kids["child"].to_numpy(), 7) % 10**9, 9),
        quarter=quarter,
        name="name",
        sex="male",
        birth_date="birth",
        id_number="number",
        hukou_division=pl.when(~pl.col("story").is_in(["no_hukou", "hukou_not_said", "other_document"])).then("hukou"),
        hukou_address=pl.when(~pl.col("story").is_in(["no_hukou", "hukou_not_said", "other_document"])).then(address("hukou", block.where, kids)),
        residence_division="found_at",
        address=address("found_at", block.where, kids),
        arrived_on="arrived",
        left_hukou_on=pl.when(pl.Series(rng.random(n) < 0.4) & ~pl.col("born_there") & (pl.col("story") == "in_city")).then("arrived"),
        presence="presence",
        father_name="father",
        father_phone="father_phone",
        mother_name="mother",
        mother_phone="mother_phone",
        guardian_name=pl.when(parent).then(pl.when(pl.col("family") % 2 == 0).then("father").otherwise("mother")).when(grand).then("grandmother"),
        guardian_relation=pl.when(parent).then(pl.when(pl.col("family") % 2 == 0).then(pl.lit("父亲")).otherwise(pl.lit("母亲"))).when(grand).then(pl.lit("祖母")),
        guardian_id_number=pl.when(parent).then(pl.when(pl.col("family") % 2 == 0).then("father_id").otherwise("mother_id")).when(grand).then("grandmother_id"),
        guardian_phone=pl.when(grand).then("grandmother_phone").when(parent).then(pl.when(pl.col("family") % 2 == 0).then("father_phone").otherwise("mother_phone")),
        guardianship="guardianship",
        hardship="hardship",
        disabled="disabled",
        vagrant="vagrant",
        psych_behaviour="psych",
        asked_for_help="asked",
        help_wanted=pl.when("asked").then(pl.Series(np.array(_WANTED)[rng.integers(len(_WANTED), size=n)])),
        schooling=schooling,
        surveyor=pl.Series(np.array(_SURVEYORS)[rng.integers(len(_SURVEYORS), size=n)]),
        surveyed_on="surveyed_on",
    )


def assistance(block: Block) -> Sheet:
    """Relief: hardship on the rolls, children of the state, nights in a relief station; and the child nobody can tell the birth date of."""
    rng = block.rng
    kids = block.kids.with_columns(
        kind=pl.when(pl.col("story").is_in(["birth_date_unknown"]) | pl.col("vagrant")).then(pl.lit("流浪救助"))
        .when(pl.col("story") == "institution").then(pl.lit("孤儿"))
        .when(pl.col("hardship") & pl.Series(rng.random(block.kids.height) < 0.7))
        .then(drawn(rng, ("低保", "特困", "事实无人抚养儿童", "临时救助", "低保边缘", "返贫监测"), (0.55, 0.03, 0.05, 0.17, 0.1, 0.1), block.kids.height))
    ).filter(pl.col("kind").is_not_null())  # fmt: skip
    n = kids.height
    exported = block.as_of - timedelta(days=EXPORTED["assistance"])
    unknown = pl.col("story") == "birth_date_unknown"
    street = pl.col("kind") == "流浪救助"
    granted = pl.max_horizontal(pl.lit(exported) - pl.when(street).then(spread(rng, 20, 300, n)).otherwise(spread(rng, 30, 1_200, n)), "birth")
    lives = pl.when((pl.col("story") == "out_of_city") | ~pl.col("card_at_home")).then("hukou").otherwise("home")
    ended = pl.Series(rng.random(n) < 0.12) & ~street
    kids = kids.with_columns(aid_at=lives).with_columns(aid_at=pl.when(pl.col("aid_at") < block.where.city).then("aid_at").otherwise("home"))
    rows = kids.select(
        _child="row",
        record_key=pl.lit("JZ") + district("aid_at", block.where, kids) + nth(kids, 10),
        name="name",
        sex="male",
        birth_date=pl.when(~unknown).then("birth"),
        id_number="number",
        kind="kind",
        hukou_division=pl.when(~pl.col("story").is_in(["no_hukou", "hukou_not_said", "other_document", "birth_date_unknown"])).then("hukou"),
        aid_division="aid_at",
        guardian_name=pl.when(pl.col("story") == "institution").then(pl.lit("市儿童福利院")).when(~unknown).then("father"),
        guardian_id_number=pl.when(~unknown & (pl.col("story") != "institution")).then("father_id"),
        phone=pl.when(~unknown).then("father_phone"),
        granted_on=granted,
        stopped_on=pl.when(ended).then(granted + timedelta(days=20)),
        left_station_on=pl.when(street).then(granted + timedelta(days=2)),
        destination=pl.when(street).then(drawn(rng, ("移送流出地", "由亲属接回", "儿童福利机构"), (0.5, 0.4, 0.1), n)),
    )
    return sheet("assistance", rows)
