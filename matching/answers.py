"""What departments answered, made usable. Enters: tonight's answers and all before, identifiers and persons as linkage left them. Leaves: verification_state, facts/verification, the persons corrected.

Each answer speaks to one question about one child. A department's newest answer to a question stands for it; where departments differ within a round,
the word of the one that keeps the matter counts (schemas.exports.verification.CORRECTS), and nobody's where that one is silent. What does not count says why.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from matching.answer_cells import typed
from matching.corrections import ASKED, corrected
from schemas.exports.feeds import CHILD_FEEDS
from schemas.exports.verification import CORRECTS, NOTED, RESULTS, ROSTER_ID
from schemas.filled import filled
from schemas.growing import ROW_GROUP, GrowingParquet
from schemas.reference.divisions import resolve
from schemas.reference.lists import HIGH_TECH_ZONE
from schemas.tables.record import PERSON
from schemas.tables.verification import VERIFICATION_ANSWER, VERIFICATION_FACTS, VERIFICATION_STATE

# answers on the rosters of one quarter's work are one round; what an older round said has been overtaken (the plan names no span)
ROUND_DAYS = 90
DEPARTMENTS = tuple(sorted({feed.department for feed in CHILD_FEEDS.values()}))
_QUESTIONS = {field: question for field, (question, _) in CORRECTS.items()}
_KEEPERS = dict(CORRECTS.values()) | {"presence": "民政"}
_FOR_RULES = ("presence", "withdrawn", "hukou", "residence", "arrived_on")
_GIVEN = [c for c in VERIFICATION_ANSWER.names if c != "run_id"]


def weigh_answers(work: Path, as_of: date) -> None:
    """Weigh every answer ever given, as it stands on this night, and let those that count speak.

    Args:
        work: the run's folder: standard/verification, previous/verification_answer, identity, person. as_of: the day the run is for.
    """
    identity, person = (pl.scan_parquet(work / f"{name}.parquet") for name in ("identity", "person"))
    state = weighed(_every_answer(work), identity, person, as_of)
    state.write_parquet(work / "verification_state.parquet")
    applied = state.filter(pl.col("state") == "applied")
    there = person.select("person_id").filter(pl.col("person_id").is_in(applied["person_id"].implode())).collect()
    applied = applied.join(there, on="person_id", how="semi")
    facts = applied.filter(pl.col("question").is_in(_FOR_RULES)).with_columns(feed=pl.lit("verification"))
    (work / "facts").mkdir(exist_ok=True)
    VERIFICATION_FACTS.conform(facts).sort(VERIFICATION_FACTS.key).write_parquet(work / "facts" / "verification.parquet")
    _correct(work / "person.parquet", applied)


def same_corrections(work: Path, as_of: date) -> bool:
    """Whether tonight's answers correct the persons as those of the last night did.

    Args:
        work: the run's folder: standard/verification, and of the last register verification_answer, verification_state, identity and person.
    """
    identity, person, then = (pl.scan_parquet(work / "previous" / f"{name}.parquet") for name in ("identity", "person", "verification_state"))
    tonight = weighed(_every_answer(work), identity, person, as_of)
    return _correcting(tonight).equals(_correcting(VERIFICATION_STATE.conform(then.collect())))


def _correcting(state: pl.DataFrame) -> pl.DataFrame:
    return state.filter(pl.col("state") == "applied", pl.col("question").is_in(ASKED)).select("record_hash", "person_id").sort("record_hash")


def _every_answer(work: Path) -> pl.DataFrame:
    """VERIFICATION_ANSWER without run_id: what was answered up to the last night, and tonight."""
    before = VERIFICATION_ANSWER.conform(pl.read_parquet(work / "previous" / "verification_answer.parquet")).select(_GIVEN)
    tonight = pl.read_parquet(work / "standard" / "verification.parquet").select(_GIVEN)
    fresh = tonight.sort("record_hash", "source_file", "source_row").unique("record_hash", keep="first", maintain_order=True)
    return pl.concat([before, fresh.join(before, on="record_hash", how="anti").cast(before.schema)])


def _correct(file: Path, applied: pl.DataFrame) -> None:
    """The persons with what departments corrected, in the order they lie in; memory holds a part of them."""
    touched = pl.col("person_id").is_in(applied.filter(pl.col("question").is_in(ASKED)).get_column("person_id").implode())
    persons, made = pl.scan_parquet(file), file.with_suffix(".corrected")
    count, fixed = persons.select(pl.len(), fixed=touched.sum()).collect().row(0)
    if not fixed:
        return
    with GrowingParquet(made) as out:
        for first in range(0, count, ROW_GROUP):
            part = persons.slice(first, ROW_GROUP).collect()
            out.write(PERSON.conform(corrected(part, applied)) if part.select(touched.any()).item() else part)
    made.replace(file)


def weighed(answers: pl.DataFrame, identity: pl.LazyFrame, person: pl.LazyFrame, as_of: date) -> pl.DataFrame:
    """VERIFICATION_STATE of the answers.

    Args:
        answers: VERIFICATION_ANSWER without run_id, each once. identity: every identifier ever given. person: tonight's persons.
    """
    read = typed(_placed(_asked(_known(answers, identity))))
    judged = read.with_columns(problem=_problem(), state=pl.lit(None, pl.String))
    judged = judged.with_columns(state=_first_state(as_of))
    taken = _numbers_taken(judged, person, identity)
    judged = judged.join(taken, on="record_hash", how="left").with_columns(
        state=pl.when("is_taken").then(pl.lit("contradicted")).otherwise("state"),
        problem=pl.when("is_taken").then(pl.lit("该身份证号已属于另一名儿童，未采纳，请两地核对")).otherwise("problem"),
    )
    weighed = _compared(judged)
    out = weighed.with_columns(is_disputed=(pl.col("is_disputed") | pl.col("is_taken")).fill_null(False))
    return VERIFICATION_STATE.conform(out).sort(VERIFICATION_STATE.key)


def _known(answers: pl.DataFrame, identity: pl.LazyFrame) -> pl.DataFrame:
    """The answers under the identifier that stands for the child now; null where nobody ever had it."""
    named = answers.rename({"person_id": "named"}).with_columns(pl.col("named").str.normalize("NFKC").str.to_uppercase().str.replace_all(r"\s", ""))
    merged = identity.filter(pl.col("state") == "merged").select("person_id", "merged_into").collect()
    concerned = pl.concat([named["named"], merged["person_id"], merged["merged_into"]]).unique()
    given = identity.select("person_id", "state", "merged_into").filter(pl.col("person_id").is_in(concerned.implode())).collect()
    now = given.select(named="person_id", person_id=pl.coalesce("merged_into", "person_id"))
    while True:
        further = now.join(now.rename({"named": "person_id", "person_id": "next"}), on="person_id", how="left", maintain_order="left")
        if (further["next"] == further["person_id"]).fill_null(True).all():
            break
        now = further.select("named", person_id=pl.coalesce("next", "person_id"))
    gone = given.filter(pl.col("state") == "gone").select("person_id", is_gone=pl.lit(True))
    return named.join(now, on="named", how="left", maintain_order="left").join(gone, on="person_id", how="left", maintain_order="left")


def _asked(answers: pl.DataFrame) -> pl.DataFrame:
    """With the department by its short name and the question that each answer speaks to; a departed child's new place is a correction of its place."""
    said = pl.col("department").fill_null("")
    named = pl.coalesce(pl.when(said.str.contains(d, literal=True)).then(pl.lit(d)) for d in DEPARTMENTS)
    field = pl.col("field").str.normalize("NFKC").str.replace_all(r"\s", "")
    about = field.replace_strict(_QUESTIONS, default=None, return_dtype=pl.String)
    result = pl.col("result")
    question = (
        pl.when((result == "信息有误") | ((result == "已离开") & (about == "residence"))).then(about)
        .when(result.is_in(["属实", "已离开"])).then(pl.lit("presence"))
        .when(result.is_in(["不属实", "查无此人"])).then(pl.lit("withdrawn"))
    )  # fmt: skip
    return answers.with_columns(department=pl.coalesce(named, "department"), field=field, question=question)


def _placed(answers: pl.DataFrame) -> pl.DataFrame:
    """With the day and the district of the roster, read from its number; the district by its code of today."""
    number = pl.col("roster_id").str.normalize("NFKC").str.to_uppercase().str.replace_all(r"\s", "")
    parts = answers.with_columns(
        roster_on=number.str.extract(ROSTER_ID, 1).str.to_date("%Y%m%d", strict=False), _listed=number.str.extract(ROSTER_ID, 2)
    )
    places = resolve(parts["_listed"]).select(_listed="text", _today="code")
    here = pl.when(pl.col("_listed") == HIGH_TECH_ZONE).then("_listed").otherwise("_today")
    return parts.join(places, on="_listed", how="left", maintain_order="left").with_columns(roster_district=here).drop("_listed", "_today")


def _problem() -> pl.Expr:
    """Why an answer cannot be used, the first reason that holds; null where it can."""
    blank = pl.col("value").is_null()
    corrects = pl.col("question").is_in(list(_KEEPERS)) & (pl.col("question") != "presence")
    read = pl.any_horizontal(pl.col(name).is_not_null() for name in ("text", "date", "code"))
    said = (
        (pl.col("person_id").is_null(), pl.lit("人员编码不在登记库中，可能被改动；请按花名册原编码填写")),
        (pl.col("result").is_null(), pl.lit(f"核实结果未填或不在下拉列表中；只能是：{'、'.join(RESULTS)}")),
        (pl.col("verified_on").is_null(), pl.lit("核实日期看不懂，应如 2026-12-01")),
        (pl.col("is_gone").fill_null(False), pl.lit("该儿童已无任何部门的记录，答复只作保存")),
        ((pl.col("result") == "信息有误") & pl.col("field").is_null(), pl.lit("核实结果为信息有误，但未选更正项目")),
        ((pl.col("result") == "信息有误") & blank, pl.lit("核实结果为信息有误，但未填更正内容")),
        (
            (pl.col("result") == "信息有误") & pl.col("question").is_null() & ~pl.col("field").is_in(NOTED),
            pl.lit(f"更正项目不在下拉列表中；只能是：{'、'.join([*CORRECTS, *NOTED])}"),
        ),
        (corrects & ~read, filled("更正内容看不懂，无法作为{}采纳", pl.col("field"))),
        (
            (pl.col("result") == "属实") & (pl.col("field").is_not_null() | ~blank),
            pl.lit("核实结果为属实，又填了更正项目或内容，含义不明；有更正的请选信息有误"),
        ),
        (
            (pl.col("question").is_in(["withdrawn", "arrived_on"]) | ((pl.col("question") == "presence") & (pl.col("result") == "已离开"))) & pl.col("roster_district").is_null(),
            pl.lit("花名册编号看不懂，不知所答的是哪一区县的名单；请按花名册原编号填写"),
        ),
    )  # fmt: skip
    return pl.coalesce(*(pl.when(wrong.fill_null(False)).then(why) for wrong, why in said), pl.lit(None, pl.String))


def _first_state(as_of: date) -> pl.Expr:
    """The state of an answer taken by itself."""
    return (
        pl.when(pl.col("is_gone") & pl.col("result").is_not_null() & pl.col("verified_on").is_not_null()).then(pl.lit("noted"))
        .when(pl.col("problem").is_not_null()).then(pl.lit("unusable"))
        .when(pl.col("verified_on") > as_of).then(pl.lit("waiting"))
        .when(pl.col("question").is_null()).then(pl.lit("noted"))
        .when(pl.col("result") == "属实").then(pl.lit("confirmed"))
        .otherwise(pl.lit("applied"))
    )  # fmt: skip


def _numbers_taken(judged: pl.DataFrame, person: pl.LazyFrame, identity: pl.LazyFrame) -> pl.DataFrame:
    """record_hash, is_taken: corrections to a number that is another child's, by its records or by another answer."""
    wanted = judged.filter((pl.col("question") == "id_number") & (pl.col("state") == "applied")).select("record_hash", "person_id", "text")
    is_wanted = pl.col("text").is_in(wanted["text"].implode())
    by_records = person.filter(pl.col("id_number_status") == "valid").select("person_id", text="id_number")
    by_identity = identity.filter(pl.col("state") == "live").select("person_id", text="id_numbers").explode("text", empty_as_null=False, keep_nulls=False)
    held = pl.concat([by_records.filter(is_wanted).collect(), by_identity.filter(is_wanted).collect(), wanted.select("person_id", "text")]).unique()
    others = wanted.join(held, on="text", suffix="_other").filter(pl.col("person_id") != pl.col("person_id_other"))
    return others.select("record_hash", is_taken=pl.lit(True)).unique()


def _taken_back() -> pl.Expr:
    """Whether the same department has since said the contrary of the same district's list: that the child is there after all, or is not."""
    is_there = (pl.col("question") == "presence") & (pl.col("state") == "confirmed")
    is_not = pl.col("question") == "withdrawn"
    last_there, last_not = (pl.col("verified_on").filter(said).max().over("person_id", "department", "roster_district") for said in (is_there, is_not))
    return (is_there & (pl.col("verified_on") < last_not) | is_not & (pl.col("verified_on") < last_there)).fill_null(False)


def _compared(judged: pl.DataFrame) -> pl.DataFrame:
    """Each answer against the others on the same child: what was overtaken, and where departments differ."""
    counts = pl.col("state").is_in(["confirmed", "applied"])
    said = pl.concat_str(*(pl.col(c).cast(pl.String).fill_null("") for c in ("text", "date", "code", "township")), pl.col("state"), separator="|")
    # whether a child is there is said of the district that the roster lists: a child that left one and was found in the next answers to both
    here, department = pl.col("roster_district").fill_null("不明"), pl.col("department").fill_null("不明")
    # of what a department withdraws, only its own feeds are concerned: no other answer stands against it
    matter = (
        pl.when(pl.col("question") == "withdrawn").then(filled("withdrawn {} {}", here, department))
        .when(pl.col("question") == "presence").then(filled("presence {}", here))
        .otherwise("question")
    )  # fmt: skip
    ranked = judged.filter(counts).with_columns(said=said, matter=matter)
    own = ["person_id", "matter", "department"]
    ranked = ranked.with_columns(
        newest_own=pl.col("verified_on").max().over(own), newest=pl.col("verified_on").max().over("person_id", "matter")
    )
    overtaken = (pl.col("verified_on") < pl.col("newest_own")) | (pl.col("verified_on") < pl.col("newest").dt.offset_by(f"-{ROUND_DAYS}d"))
    changed_mind = (pl.col("said").n_unique().over(*own, "verified_on") > 1)
    standing = ranked.filter(~(overtaken | _taken_back()))
    keeper = pl.col("question").replace_strict(_KEEPERS, default=None, return_dtype=pl.String)
    differ = pl.col("said").n_unique().over("person_id", "matter") > 1
    is_keeper = (pl.col("department") == keeper).fill_null(False) & ~changed_mind
    decided = is_keeper.any().over("person_id", "matter")
    lost = standing.with_columns(loses=differ & ~is_keeper, decided=decided, differs=differ).select("record_hash", "loses", "decided", "differs")
    present = (pl.col("question") == "presence") & (pl.col("state") == "confirmed")
    absent = pl.col("question").is_in(["presence", "withdrawn"]) & (pl.col("state") == "applied")
    place = ["person_id", "roster_district"]
    doubtful = standing.group_by(place).agg(is_doubted=present.any() & absent.any())
    seen = judged.join(lost, on="record_hash", how="left", maintain_order="left").join(doubtful, on=place, how="left", maintain_order="left", nulls_equal=True)
    loses, stands = pl.col("loses").fill_null(False), pl.col("loses").is_not_null()
    return seen.with_columns(
        state=pl.when(loses).then(pl.lit("contradicted")).when(counts & ~stands).then(pl.lit("superseded")).otherwise("state"),
        problem=pl.when(loses & pl.col("decided")).then(pl.lit("与主管部门的答复不一致，以主管部门为准"))
        .when(loses).then(pl.lit("各部门答复不一致，均未采纳，请民政部门核定"))
        .when(counts & ~stands).then(pl.lit("已有较新的答复"))
        .otherwise("problem"),
        is_disputed=pl.col("differs").fill_null(False) | (pl.col("is_doubted").fill_null(False) & stands & pl.col("question").is_in(["presence", "withdrawn"])),
    )  # fmt: skip
