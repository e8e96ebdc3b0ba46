"""What the police know. Enters: a block of children with its plan. Leaves: the sheets of the household and the residence register."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from sample_data.numbers import padded, scrambled
from sample_data.sheet import Block, Sheet, address, district, drawn, nth, sheet, spread
from sample_data.sightings import AWAY, EXPORTED

_HOME = "市儿童福利院"


def household(block: Block) -> Sheet:
    """Children registered in the city; a moved hukou and a changed number leave a second, ended row under the same household."""
    kids = block.kids.filter("see_household")
    n = kids.height
    dead = kids["story"] == "dead"
    now = kids.select(
        _child="row",
        household_key=pl.lit("50") + district("hukou", block.where, kids) + padded(kids["family"], 9),
        id_number="id_number",
        name="name",
        former_name=pl.when("renamed").then("former_name"),
        sex="male",
        ethnicity="ethnicity",
        birth_date="birth",
        relation_to_head=pl.when(pl.col("guardianship") == "祖辈").then(pl.when("male").then(pl.lit("孙子")).otherwise(pl.lit("孙女")))
        .otherwise(pl.when("male").then(pl.lit("子")).otherwise(pl.lit("女"))),
        hukou_division="hukou",
        hukou_address=address("hukou", block.where, kids),
        father_name="father",
        father_id_number="father_id",
        mother_name="mother",
        mother_id_number="mother_id",
        guardian_name=pl.when(pl.col("story") == "institution").then(pl.lit(_HOME)).when(pl.col("family") % 3 > 0).then("father").otherwise("mother"),
        guardian_id_number=pl.when(pl.col("story") == "institution").then(None).when(pl.col("family") % 3 > 0).then("father_id").otherwise("mother_id"),
        hukou_since=pl.coalesce("hukou_since", pl.when(pl.Series(block.rng.random(n) < 0.7)).then(pl.col("birth"))),
        hukou_status=pl.when(dead).then(pl.lit("死亡注销")).otherwise(pl.lit("正常")),
        status_on=pl.when(dead).then(pl.date(block.as_of.year, block.as_of.month, 1) - spread(block.rng, 40, 700, n)).otherwise(None),
    ).with_columns(status_on=pl.max_horizontal("status_on", pl.when(dead).then("birth_date")))  # fmt: skip
    left = (kids["story"] == "hukou_moved") & (kids["old_hukou"] < block.where.city)
    former_place = now.filter(left).with_columns(
        hukou_division=kids.filter(left)["old_hukou"],
        hukou_address=address("old_hukou", block.where, kids.filter(left)),
        household_key=pl.lit("50") + district("old_hukou", block.where, kids.filter(left)) + padded(kids.filter(left)["family"], 9),
        hukou_status=pl.lit("迁出"),
        status_on=pl.col("hukou_since"),
        hukou_since=pl.col("birth_date"),
    )
    changed = kids["corrected"]
    former_number = now.filter(changed).with_columns(
        id_number=kids.filter(changed)["former_id"], hukou_status=pl.lit("其他注销"), status_on=kids.filter(changed)["corrected_on"]
    )
    return sheet("household", pl.concat([now, former_place, former_number]))


def residence(block: Block) -> Sheet:
    """Registrations of children away from their hukou place: the present home, the place before, and rows that expired and were made anew."""
    kids = block.kids.filter("see_residence")
    here = kids.filter(pl.col("story").is_in([*AWAY, "hukou_moved", "other_document", "hukou_not_said"]))
    lived = here.with_columns(home_since=pl.coalesce("home_since", pl.max_horizontal("birth", pl.lit(block.as_of - timedelta(days=900)))))
    now = _registration(block, lived, "home", "home_since", serial=1)
    then = kids.filter(pl.col("before").is_not_null())
    ended = _registration(block, then, "before", "before_from", serial=2).with_columns(
        arrived_on=then["before_from"],
        cancelled_on=then["before_to"],
        cancel_reason=pl.when(then["story"].is_in(["moved", "zone_then_out"])).then(pl.lit("迁往他处")).otherwise(pl.lit("返回户籍地")),
    )
    ended = ended.with_columns(pl.min_horizontal(c, "cancelled_on") for c in ("registered_on", "permit_issued_on"))
    again = (block.rng.random(now.height) < 0.03) & (now["arrived_on"] < block.as_of - timedelta(days=500)).fill_null(False).to_numpy()
    expired = now.filter(pl.Series(again)).with_columns(
        record_key=pl.lit("L") + pl.col("record_key").str.slice(1), cancelled_on=pl.col("registered_on") + pl.duration(days=380), cancel_reason=pl.lit("到期")
    )
    return sheet("residence", pl.concat([now, ended, expired]))


def _registration(block: Block, kids: pl.DataFrame, at: str, since: str, serial: int) -> pl.DataFrame:
    """One row per child at the place, since the day; some don't state the arrival."""
    n, rng = kids.height, block.rng
    exported = block.as_of - timedelta(days=EXPORTED["residence"])
    registered = pl.min_horizontal(pl.col(since) + spread(rng, 2, 60, n), pl.lit(exported))
    permit = pl.Series(rng.random(n) < 0.4)
    issued = pl.min_horizontal(registered + pl.duration(days=190), pl.lit(exported))
    relation = pl.col("guardianship").replace_strict({"祖辈": "祖父母", "其他亲属": "其他亲属", "独自居住": "无同住人", "无人监护": "其他"}, default=None)
    with_father = pl.col("family") % 2 == 0
    parent = pl.col("guardianship").is_in(["父母双方", "父母一方"])
    return kids.select(
        _child="row",
        record_key=pl.lit("D") + district(at, block.where, kids) + padded(scrambled(kids["child"].to_numpy() * 4 + serial, 3), 12),
        name="name",
        sex="male",
        birth_date="birth",
        id_number="number",
        hukou_division=pl.when(pl.col("story") != "hukou_not_said").then(pl.when(pl.col("document").is_null()).then("old_hukou")),
        hukou_address=pl.when(pl.col("document").is_null() & (pl.col("story") != "hukou_not_said")).then(address("old_hukou", block.where, kids)),
        residence_division=at,
        address=address(at, block.where, kids),
        reason=drawn(rng, ("随迁", "投靠亲友", "就学", "借读", "其他"), (0.75, 0.12, 0.08, 0.02, 0.03), n),
        arrived_on=pl.when("residence_states").then(since),
        registered_on=registered,
        cancelled_on=pl.lit(None, pl.Date),
        cancel_reason=pl.lit(None, pl.String),
        permit_number=pl.when(permit).then(pl.lit("50") + district(at, block.where, kids) + nth(kids, 10)),
        permit_issued_on=pl.when(permit).then(issued),
        permit_expires_on=pl.when(permit).then(issued + pl.duration(days=365)),
        lives_with_name=pl.when(parent).then(pl.when(with_father).then("father").otherwise("mother")).when(pl.col("guardianship") == "祖辈").then("grandmother"),
        lives_with_id=pl.when(parent).then(pl.when(with_father).then("father_id").otherwise("mother_id")).when(pl.col("guardianship") == "祖辈").then("grandmother_id"),
        lives_with_relation=pl.when(parent).then(pl.when(with_father).then(pl.lit("父亲")).otherwise(pl.lit("母亲"))).otherwise(relation),
        phone=pl.when(with_father).then("father_phone").otherwise("mother_phone"),
    )  # fmt: skip
