"""What school, clinic and insurance know. Enters: a block of children with its plan. Leaves: sheets of education, health, insurance, immunisation."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from sample_data.numbers import check_digit, digits, padded, scrambled
from sample_data.sheet import Block, Sheet, address, district, drawn, sheet, spread
from sample_data.sightings import AWAY, EXPORTED
from schemas.filled import filled

_GRADES = {3: ("小班", "中班", "大班"), 6: ("一年级", "二年级", "三年级", "四年级", "五年级", "六年级"), 12: ("初一", "初二", "初三"), 15: ("高一", "高二", "高三")}
_SCHOOLS = {3: ("实验幼儿园", "新星幼儿园", "蓓蕾幼儿园"), 6: ("第一小学", "实验小学", "人民小学", "希望小学"), 12: ("第二中学", "实验中学", "育才中学"), 15: ("中学", "第一中学", "职业教育中心")}
_DOSES = ("麻腮风2", "乙脑减毒2", "百白破5", "A群C群流脑多糖2", "脊灰4", "甲肝减毒1")


def education(block: Block) -> Sheet:
    """The school roll: where the child goes now, the row left behind at the school before, and the roll of those who left the city."""
    kids, rng = block.kids, block.rng
    exported = block.as_of - timedelta(days=EXPORTED["education"])
    now = kids.filter("see_school").with_columns(school_at=pl.when(pl.col("story") == "boarding_only").then("elsewhere").otherwise("home"))
    arrived = pl.when(pl.col("story").is_in([*AWAY, "returned", "hukou_not_said"])).then("home_since")
    transferred = (arrived > pl.col("stage_start")) & ((arrived - pl.col("birth")).dt.total_days() > 3 * 365)
    entered = pl.when(transferred).then(pl.min_horizontal(arrived + spread(rng, 0, 20, now.height), pl.lit(exported))).otherwise("stage_start")
    # a family that arrived after 1 September with a child not yet three: the roll begins with the arrival
    entered = pl.max_horizontal(entered, arrived)
    now = now.with_columns(entered=entered).with_columns(_month=(pl.col("entered") == pl.col("stage_start")) & pl.Series(rng.random(now.height) < 0.6))
    current = _enrolment(block, now, "school_at", "home").with_columns(enrolled_on=now["entered"], status=drawn(rng, ("在读", "休学"), (0.996, 0.004), now.height))
    left = kids.filter(pl.col("see_old_school") | ((pl.col("story") == "out_of_city") & (pl.col("school_age") >= 6)))
    old = _enrolment(block, left, "hukou", "hukou").with_columns(
        enrolled_on=pl.min_horizontal(left["stage_start"], left["home_since"] - timedelta(days=200)),
        status=pl.lit("转出"),
        left_on=left["home_since"] - timedelta(days=3),
        boarding=pl.lit(False),
        _month=pl.lit(False),
    )
    return sheet("education", pl.concat([current, old], how="diagonal"))


def _enrolment(block: Block, kids: pl.DataFrame, at: str, lives: str) -> pl.DataFrame:
    """One row per child: its school in the place `at`, its address in the place `lives`."""
    n, rng = kids.height, block.rng
    stage = kids["stage"].fill_null(15)
    kind = kids["child"].to_numpy() % 3
    school = pl.Series([_SCHOOLS[s][k] for s, k in zip(stage, kind, strict=True)], dtype=pl.String)
    grade = pl.Series([_GRADES[s][min(max(a - s, 0), len(_GRADES[s]) - 1)] for s, a in zip(stage, kids["school_age"].fill_null(17), strict=True)], dtype=pl.String)
    parent, grand = pl.col("guardianship").is_in(["父母双方", "父母一方"]), pl.col("guardianship") == "祖辈"
    first = pl.when(parent & (pl.col("family") % 2 == 0)).then(pl.lit("father")).when(parent).then(pl.lit("mother")).when(grand).then(pl.lit("grandmother"))
    kids = kids.with_columns(first=first, second=pl.when(pl.col("guardianship") == "父母双方").then(pl.when(pl.col("family") % 2 == 0).then(pl.lit("mother")).otherwise(pl.lit("father"))))
    division = district(at, block.where, kids)
    in_home = pl.col("story") == "institution"
    return kids.select(
        _child="row",
        _month=pl.col("_month") if "_month" in kids.columns else pl.lit(False),
        _part=division,
        record_key=_roll_number(kids, division),
        name=pl.when(pl.col("renamed") & pl.Series(rng.random(n) < 0.5)).then("former_name").otherwise("name"),
        sex="male",
        birth_date="birth",
        id_type=pl.coalesce("document", pl.when(pl.col("number").is_null()).then(pl.lit("无")).otherwise(drawn(rng, ("居民身份证", "户口簿"), (0.9, 0.1), n))),
        id_number="number",
        ethnicity="ethnicity",
        hukou_division=_hukou(block, kids, 0.03),
        address=pl.when(in_home).then(_institution(block, kids)).otherwise(address(lives, block.where, kids)),
        school_id=division + padded(kids["child"].to_numpy() % 3 + stage.to_numpy() * 10, 4),
        school=block.where.table[kids[at].fill_null(0)]["county"] + school,
        school_division=at,
        grade=grade,
        class_name=filled("{}班", pl.Series(kids["child"].to_numpy() // 7 % 8 + 1)),
        boarding="boarding",
        migrant_worker_child=pl.col("story").is_in(["in_city", "into_city", "moved"]),
        **_guardian("first", 1),
        **_guardian("second", 2),
        psych_level=pl.when(pl.col("psych") & pl.Series(rng.random(n) < 0.5)).then(pl.lit("重点关注")).otherwise(drawn(rng, ("无", "一般关注"), (0.98, 0.02), n)),
    )


def _guardian(who: str, number: int) -> dict[str, pl.Expr]:
    """The four columns of a guardian by the word in column `who`."""
    people = ("father", "mother", "grandmother")

    def of(suffix: str) -> pl.Expr:
        return pl.coalesce(pl.when(pl.col(who) == p).then(f"{p}{suffix}") for p in people)

    words = {"father": "父亲", "mother": "母亲", "grandmother": "祖母"}
    return {
        f"guardian{number}_name": of(""),
        f"guardian{number}_relation": pl.col(who).replace_strict(words, default=None),
        f"guardian{number}_id_number": of("_id"),
        f"guardian{number}_phone": of("_phone"),
    }


def _roll_number(kids: pl.DataFrame, division: pl.Series) -> pl.Expr:
    """学籍号: G and the id at the time (an old one stays), else J and a number from school area, birth and serial (notes, section 5)."""
    born = kids["birth"].dt.strftime("%Y%m%d")
    serial = padded(kids["child"].to_numpy() % 1000, 3)
    whole = division.cast(pl.Int64).to_numpy() * 10**11 + born.cast(pl.Int64).to_numpy() * 1000 + serial.cast(pl.Int64).to_numpy()
    without = pl.lit("J") + division + born + serial + pl.Series(check_digit(digits(whole, 17))).replace("X", "0")
    own = pl.lit("G") + pl.when("corrected").then("former_id").otherwise("id_number")
    return pl.when(pl.col("number").is_null() | pl.col("document").is_not_null()).then(without).otherwise(own)


def _hukou(block: Block, kids: pl.DataFrame, blank: float) -> pl.Expr:
    """The hukou as another department wrote it down: left out for some, where the household register has it anyway; not said for some stories."""
    unknown = pl.col("story").is_in(["no_hukou", "hukou_not_said", "other_document"]) | (pl.col("see_household") & pl.Series(block.rng.random(kids.height) < blank))
    return pl.when(~unknown).then("old_hukou")


def _institution(block: Block, kids: pl.DataFrame) -> pl.Series:
    return block.where.table[kids["home"]]["full"] + "儿童福利院"


def health(block: Block) -> Sheet:
    """Child-health files: at home, and those closed where the family left; a newborn's file may still carry the mother's name (see faults)."""
    kids, rng = block.kids, block.rng
    exported = block.as_of - timedelta(days=EXPORTED["health"])
    now = kids.filter("see_health")
    start = pl.when(pl.col("story").is_in(AWAY) & ~pl.col("born_there")).then("home_since").otherwise("birth")
    current = _file(block, now, "home", 1).with_columns(
        opened_on=now.select(pl.min_horizontal(start + spread(rng, 4, 40, now.height), pl.lit(exported)).alias("x"))["x"],
    )
    last = pl.min_horizontal(pl.col("opened_on") + spread(rng, 0, 400, now.height), pl.lit(exported))
    left = kids.filter("see_old_health")
    old = _file(block, left, "hukou", 2).with_columns(opened_on=left["birth"] + timedelta(days=6), closed_on=left["home_since"], close_reason=pl.lit("迁出"))
    return sheet("health", pl.concat([current.with_columns(last_visit_on=last), old.with_columns(last_visit_on=pl.max_horizontal("opened_on", pl.col("closed_on") - timedelta(days=30)))], how="diagonal"))


def _file(block: Block, kids: pl.DataFrame, at: str, serial: int) -> pl.DataFrame:
    n, rng = kids.height, block.rng
    number = kids["child"].to_numpy()
    psych = pl.col("psych") & pl.Series(rng.random(n) < 0.6)
    fatherless = pl.Series(rng.random(n) < 0.05)
    return kids.select(
        _child="row",
        record_key=block.where.texts["nine"][kids[at]].str.pad_end(9, "0") + padded(number // 50_000 % 450 * 2 + serial, 3) + padded(number % 50_000 * 2 + serial - 1, 5),
        birth_certificate=_certificate(kids),
        name="name",
        sex="male",
        birth_date="birth",
        id_number="number",
        mother_name="mother",
        mother_id_number="mother_id",
        father_name=pl.when(~fatherless).then("father"),
        father_id_number=pl.when(~fatherless).then("father_id"),
        phone="mother_phone",
        hukou_division=_hukou(block, kids, 0.08),
        residence_division=at,
        address=pl.when(pl.col("story") == "institution").then(_institution(block, kids)).otherwise(address(at, block.where, kids)),
        clinic=block.where.table[kids[at]]["township"].fill_null("") + "社区卫生服务中心",
        development=pl.when(psych).then(pl.lit("预警征象阳性")).otherwise(drawn(rng, ("未见异常", None), (0.9, 0.1), n)),
    )


def _certificate(kids: pl.DataFrame) -> pl.Expr:
    """出生医学证明编号: a letter and nine digits, of which the first two are the province's."""
    letter = pl.Series(np.array(list("PQRSTUV"))[kids["birth"].dt.year().to_numpy() % 7])
    return letter + pl.lit("50") + padded(scrambled(kids["child"].to_numpy(), 11) % 10**7, 7)


def medical_insurance(block: Block) -> Sheet:
    """Resident insurance at home or at the hukou place; a second number where the first was never ended."""
    kids, rng = block.kids.filter("see_insurance"), block.rng
    n = kids.height
    kids = kids.with_columns(insured_at=pl.when(pl.col("insured_at_home") & (pl.col("story") != "out_of_city")).then("home").otherwise("hukou"))
    first_of_january = pl.date(pl.col("birth").dt.year() + pl.Series(rng.integers(0, 4, size=n)), 1, 1)
    insured = pl.min_horizontal(pl.max_horizontal("birth", first_of_january), pl.date(block.as_of.year, 1, 1))
    files_away = (pl.col("insured_at") != pl.col("home")) & (pl.Series(rng.random(n) < 0.4) | (pl.col("story") == "out_of_city"))
    subsidy = (
        pl.when(pl.col("story") == "institution").then(pl.lit("孤儿"))
        .when(pl.col("hardship") & pl.Series(rng.random(n) < 0.4)).then(pl.lit("低保对象"))
        .when(pl.col("disabled") & pl.Series(rng.random(n) < 0.3)).then(pl.lit("重度残疾人"))
        .otherwise(pl.lit("无"))
    )  # fmt: skip
    changed = pl.col("corrected") & pl.Series(rng.random(n) < 0.4)
    rows = kids.select(
        _child="row",
        _part=district("insured_at", block.where, kids),
        record_key=pl.lit("5000") + padded(scrambled(kids["child"].to_numpy(), 5), 16),
        name=pl.when(pl.col("renamed") & pl.Series(rng.random(n) < 0.4)).then("former_name").otherwise("name"),
        id_type=pl.coalesce("document", pl.when(pl.col("number").is_null()).then(pl.lit("其他")).otherwise(pl.lit("居民身份证"))),
        id_number=pl.when(changed).then("former_id").otherwise("number"),
        sex="male",
        birth_date="birth",
        insured_division="insured_at",
        scheme=pl.lit("城乡居民基本医疗保险"),
        status=drawn(rng, ("正常参保", "暂停参保"), (0.97, 0.03), n),
        insured_on=pl.max_horizontal(insured, "birth"),
        paid_year=drawn(rng, (str(block.as_of.year), str(block.as_of.year - 1)), (0.95, 0.05), n),
        subsidy=subsidy,
        remote_care_division=pl.when(files_away).then("home"),
        remote_care_on=pl.when(files_away).then(pl.coalesce(pl.col("home_since") + timedelta(days=20), "birth")),
        phone=pl.when(pl.col("family") % 3 == 0).then("father_phone").otherwise("mother_phone"),
    )
    return sheet("medical_insurance", rows)


def disease_control(block: Block) -> Sheet:
    """Immunisation cards: moved to the clinic at home or still at the hukou place; and the maternity ward's second card under 某某之子."""
    kids, rng = block.kids.filter("see_card"), block.rng
    n = kids.height
    exported = block.as_of - timedelta(days=EXPORTED["disease_control"])
    at_home = pl.col("card_at_home") & (pl.col("story") != "out_of_city")
    away = pl.col("story").is_in(AWAY)
    kids = kids.with_columns(card_at=pl.when(at_home).then("home").otherwise("hukou"), arrived=at_home & away)
    opened = (
        pl.when(pl.col("arrived") & ~pl.col("born_there")).then(pl.col("home_since") + spread(rng, 3, 60, n))
        .when("born_there").then("birth")
        .otherwise(pl.col("birth") + spread(rng, 0, 30, n))
    )  # fmt: skip
    status = (
        pl.when(pl.col("story") == "dead").then(pl.lit("死亡"))
        .when(pl.col("story") == "out_of_city").then(pl.lit("迁出"))
        .when(~at_home & pl.Series(rng.random(n) < 0.3)).then(pl.lit("失访"))
        .otherwise(pl.lit("在册"))
    )  # fmt: skip
    age = (pl.lit(block.as_of) - pl.col("birth")).dt.total_days()
    last = pl.min_horizontal(pl.col("birth") + pl.duration(days=(age * 0.7).cast(pl.Int64)), pl.col("birth") + timedelta(days=2_250))
    overdue = (age > 300) & (age < 2_400) & pl.Series(rng.random(n) < 0.03)
    rows = kids.select(
        _child="row",
        _part=_half("card_at", block, kids),
        record_key=_card_number(kids, block),
        name=pl.when(pl.col("renamed") & pl.Series(rng.random(n) < 0.5)).then("former_name").otherwise("name"),
        sex="male",
        birth_date="birth",
        id_number="number",
        birth_certificate=pl.when(pl.Series(rng.random(n) < 0.7)).then(_certificate(kids)),
        mother_name="mother",
        father_name="father",
        phone=pl.when(pl.col("family") % 4 == 0).then("father_phone").otherwise("mother_phone"),
        hukou_division=_hukou(block, kids, 0.06),
        residence_division="card_at",
        address=pl.when(pl.col("story") == "institution").then(_institution(block, kids)).otherwise(address("card_at", block.where, kids)),
        residence_type=pl.when("arrived").then(pl.lit("流动")).otherwise(pl.lit("本地")),
        moved_in_on=pl.when(pl.col("arrived") & pl.col("card_states")).then("home_since"),
        opened_on=pl.min_horizontal(opened, pl.lit(exported)),
        clinic=block.where.table[kids["card_at"]]["township"].fill_null("") + "预防接种门诊",
        clinic_division="card_at",
        status=status,
        last_dose_on=pl.when(~pl.col("arrived") | (last >= opened)).then(last),
        doses_overdue=pl.when(overdue).then(pl.Series(np.array([f"{a};{b}" for a in _DOSES for b in _DOSES if a < b])[rng.integers(15, size=n)])),
    )  # fmt: skip
    return sheet("disease_control", rows)


def _half(at: str, block: Block, kids: pl.DataFrame) -> pl.Series:
    """The two files of the immunisation register: the main urban zone and the other districts."""
    return pl.Series(np.where(block.where.zone[kids[at].to_numpy()], "urban", "county"))


def _card_number(kids: pl.DataFrame, block: Block) -> pl.Series:
    """儿童编码: clinic (10), birth year (4), serial (4); no two children alike."""
    number = kids["child"].to_numpy()
    clinic = district("card_at", block.where, kids) + padded(number // 9_000 % 9_000 + 1, 4)
    return clinic + kids["birth"].dt.strftime("%Y") + padded(number % 9_000 + 1_000, 4)


def insurance_delta_day(as_of: date) -> date:
    """The day of the delta that one district sends after its export."""
    return as_of - timedelta(days=EXPORTED["medical_insurance"] - 7)
