"""Answers of departments weighed: one question each, the newest of a department, the keeper's word where they differ, and a reason for what does not count."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.answers import ROUND_DAYS, weighed
from matching.corrections import corrected
from schemas.exports.verification import CORRECTS, NOTED, RESULTS
from schemas.tables.identity import IDENTITY
from schemas.tables.record import PERSON
from schemas.tables.verification import VERIFICATION_ANSWER, VERIFICATION_STATE

AS_OF = date(2026, 12, 20)
DAY = date(2026, 12, 1)
ROSTER = "HMC-20261124-500157-GA"
ELSEWHERE = "HMC-20261124-500116-GA"
_DEFAULTS: dict[Any, Any] = {pl.String: "", pl.Date: DAY}


def frame(table, given):
    filled = [{c.name: r.get(c.name, (_DEFAULTS.get(c.dtype, [] if isinstance(c.dtype, pl.List) else 1) if c.required else None)) for c in table.columns} for r in given]
    return pl.DataFrame(filled, schema=table.schema, orient="row")


PERSONS = [
    {"person_id": "C1", "name": "张三", "sex": "male", "id_number": "500116201503011234", "id_number_status": "valid", "birth_date": date(2015, 3, 1),
     "guardians": [{"name": "张父", "relation": "father", "id_number": None, "phone": "13811112222"}], "phones": ["13811112222"]},
    {"person_id": "C2", "name": "李四", "id_number": "500116201604021247", "id_number_status": "valid"},
]  # fmt: skip
IDENTITIES = [
    {"person_id": "C1", "state": "live"}, {"person_id": "C2", "state": "live", "id_numbers": ["500116201604021247"]}, {"person_id": "C0", "state": "merged", "merged_into": "CM"},
    {"person_id": "CM", "state": "merged", "merged_into": "C1"}, {"person_id": "C9", "state": "gone"},
]  # fmt: skip


def weigh(*answers: dict[str, Any]) -> list[dict[str, Any]]:
    given = [{"roster_id": ROSTER, "person_id": "C1", "department": "公安", "verified_on": DAY, "source_file": "v.xlsx"} | a for a in answers]
    given = [g | {"record_hash": n, "source_row": n} for n, g in enumerate(given, 1)]
    table = frame(VERIFICATION_ANSWER, given).drop("run_id")
    return weighed(table, frame(IDENTITY, IDENTITIES).lazy(), frame(PERSON, PERSONS).lazy(), AS_OF).sort("source_row").to_dicts()


def says(field: str, value: str | None, **more: Any) -> dict[str, Any]:
    return {"result": "信息有误", "field": field, "value": value} | more


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (says("现居住地", "重庆市永川区胜利路街道"), {"question": "residence", "code": "500118", "township": "胜利路街道"}),
        (says("户籍地", "四川省邻水县"), {"question": "hukou", "code": "511623"}),
        (says("户籍地", "500234"), {"question": "hukou", "code": "500154"}),
        (says("出生日期", "2013年5月"), {"question": "birth_date", "date": date(2013, 5, 31), "date_precision": "month"}),
        (says("来现住地日期", "20260901"), {"question": "arrived_on", "date": date(2026, 9, 1)}),
        (says("性别", "F"), {"question": "sex", "text": "female"}),
        (says("姓 名", "张 三丰（大）"), {"question": "name", "text": "张三丰"}),
        (says("监护人电话", "+86 139-1234-5678"), {"question": "guardian_phone", "text": "13912345678"}),
        ({"result": "已离开", "field": "现居住地", "value": "永川"}, {"question": "residence", "code": "500118"}),
        ({"result": "已离开"}, {"question": "presence", "roster_on": date(2026, 11, 24), "roster_district": "500157"}),
        ({"result": "已离开", "roster_id": " hmc-20261124-5001gx-ga "}, {"question": "presence", "roster_district": "5001GX"}),
        ({"result": "查无此人", "department": "两江新区教育局"}, {"question": "withdrawn", "department": "教育"}),
        ({"result": "已离开", "person_id": "c0 "}, {"person_id": "C1"}),
    ],
)  # fmt: skip
def test_what_an_answer_says_is_read_as_its_question_asks(answer, expected):
    (state,) = weigh(answer)
    assert {"state": "applied", "problem": None} | expected == {k: state[k] for k in ("state", "problem", *expected)}


@pytest.mark.parametrize(
    ("answer", "state", "problem"),
    [
        ({"result": "属实", "person_id": "CX"}, "unusable", "人员编码不在登记库中"),
        ({"result": None}, "unusable", "核实结果未填或不在下拉列表中；只能是：属实、不属实、已离开、信息有误、查无此人"),
        ({"result": "属实", "verified_on": None}, "unusable", "核实日期看不懂，应如 2026-12-01"),
        ({"result": "信息有误"}, "unusable", "未选更正项目"),
        (says("姓名", None), "unusable", "未填更正内容"),
        (says("身高", "150"), "unusable", "更正项目不在下拉列表中；只能是：姓名、性别"),
        (says("现居住地", "桥头"), "unusable", "更正内容看不懂，无法作为现居住地采纳"),
        (says("身份证号", "500116201503011239"), "unusable", "更正内容看不懂，无法作为身份证号采纳"),
        ({"result": "属实", "field": "姓名", "value": "张五"}, "unusable", "核实结果为属实，又填了更正项目或内容"),
        ({"result": "已离开", "roster_id": "九月"}, "unusable", "花名册编号看不懂"),
        ({"result": "属实", "person_id": "C9"}, "noted", "该儿童已无任何部门的记录"),
        (says("在读情况", "已转学"), "noted", None),
        ({"result": "属实", "verified_on": AS_OF + timedelta(days=1)}, "waiting", None),
        (says("身份证号", "500116201604021247"), "contradicted", "该身份证号已属于另一名儿童"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_says_why(answer, state, problem):
    (found,) = weigh(answer)
    assert found["state"] == state
    assert (found["problem"] is None) if problem is None else problem in found["problem"]


LATER = DAY + timedelta(days=5)


@pytest.mark.parametrize(
    ("answers", "states", "disputed"),
    [
        # a department's newer answer stands for it
        ([says("姓名", "张五"), says("姓名", "张六", verified_on=LATER)], ["superseded", "applied"], False),
        # the keeper's word counts, older though it is
        ([says("姓名", "张五"), says("姓名", "张六", department="教育", verified_on=LATER)], ["applied", "contradicted"], True),
        # without the keeper nobody's does
        ([says("姓名", "张五", department="医保"), says("姓名", "张六", department="教育")], ["contradicted", "contradicted"], True),
        # two that agree both count
        ([says("姓名", "张五", department="医保"), says("姓名", "张 五", department="教育")], ["applied", "applied"], False),
        # what an older round said is overtaken
        ([says("姓名", "张五", department="医保", verified_on=LATER - timedelta(days=ROUND_DAYS + 1)), says("姓名", "张六", department="教育", verified_on=LATER)], ["superseded", "applied"], False),
        ([{"result": "属实", "department": "教育"}, {"result": "已离开", "department": "公安"}], ["contradicted", "contradicted"], True),
        ([{"result": "属实", "department": "民政"}, {"result": "已离开", "department": "公安"}], ["confirmed", "contradicted"], True),
        # what a department takes back is its own: it counts, and that another one finds the child is shown
        ([{"result": "属实", "department": "公安"}, {"result": "查无此人", "department": "教育"}], ["confirmed", "applied"], True),
        # a child that left one district and was found in the next: each answer stands for the district of its roster
        ([{"result": "已离开", "department": "民政"}, {"result": "属实", "department": "民政", "roster_id": ELSEWHERE, "verified_on": LATER}], ["applied", "confirmed"], False),
        ([{"result": "查无此人"}, {"result": "查无此人", "roster_id": ELSEWHERE, "verified_on": LATER}], ["applied", "applied"], False),
        ([{"result": "已离开", "department": "民政"}, {"result": "属实", "department": "民政", "verified_on": LATER}], ["superseded", "confirmed"], False),
        # what it took back it can give back, and the other way round
        ([{"result": "查无此人"}, {"result": "属实", "verified_on": LATER}], ["superseded", "confirmed"], False),
        ([{"result": "属实"}, {"result": "不属实", "verified_on": LATER}], ["superseded", "applied"], False),
        ([{"result": "查无此人"}, {"result": "属实", "verified_on": LATER, "roster_id": ELSEWHERE}], ["applied", "confirmed"], False),
        # one department that says two things on one day has no word
        ([says("姓名", "张五"), says("姓名", "张六")], ["contradicted", "contradicted"], True),
        ([says("姓名", "张五"), says("性别", "女")], ["applied", "applied"], False),
        # two children cannot both be given one number
        ([says("身份证号", "50011620170503125X"), says("身份证号", "50011620170503125X", person_id="C2")], ["contradicted", "contradicted"], True),
    ],
)  # fmt: skip
def test_answers_against_each_other(answers, states, disputed):
    found = weigh(*answers)
    assert [f["state"] for f in found] == states
    assert all(f["is_disputed"] == disputed for f in found)
    assert all((f["problem"] is not None) == (f["state"] in ("contradicted", "superseded")) for f in found)


ANSWER = st.fixed_dictionaries(
    {
        "result": st.sampled_from([*RESULTS, None]), "field": st.sampled_from([*CORRECTS, *NOTED, "身高", None]), "person_id": st.sampled_from(["C1", "C2", "C0", "C9", "CX"]),
        "value": st.sampled_from(["永川区", "2013-05-06", "张五", "女", "13912345678", "50011620170503125X", "??", None]), "department": st.sampled_from(["公安", "教育局", None]),
        "verified_on": st.sampled_from([DAY, LATER, None, AS_OF + timedelta(days=3), DAY - timedelta(days=200)]), "roster_id": st.sampled_from([ROSTER, ELSEWHERE, "x"]),
    }
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.lists(ANSWER, min_size=1, max_size=8), st.randoms())
def test_any_answers_in_any_order_each_have_one_state_and_one_value_a_question(answers, rnd):
    table = frame(VERIFICATION_ANSWER, [a | {"record_hash": n, "source_row": n, "source_file": "v"} for n, a in enumerate(answers, 1)]).drop("run_id")
    identity, person = frame(IDENTITY, IDENTITIES), frame(PERSON, PERSONS)
    state = weighed(table, identity.lazy(), person.lazy(), AS_OF)
    assert state.height == len(answers)
    order = list(range(len(answers)))
    rnd.shuffle(order)
    assert weighed(table[order], identity.lazy(), person.lazy(), AS_OF).equals(state)
    said = ["text", "date", "code", "township"]
    applied = state.filter(pl.col("state") == "applied", pl.col("question") != "withdrawn")
    assert applied.select("person_id", "question", *said).unique().height == applied.select("person_id", "question").unique().height
    after = PERSON.conform(corrected(person, state.filter(pl.col("state") == "applied")))
    assert after["person_id"].to_list() == person["person_id"].to_list()
    assert VERIFICATION_STATE.conform(state).equals(state)


def test_what_stood_before_a_correction_is_kept_beside_it():
    told = [says("姓名", "张五"), says("身份证号", "50011620170503125X"), says("监护人电话", "13912345678"), says("监护人姓名", "王奶")]
    given = [{"roster_id": ROSTER, "person_id": "C1", "department": "公安", "verified_on": DAY, "source_file": "v.xlsx", "record_hash": n, "source_row": n} | a for n, a in enumerate(told, 1)]
    person = frame(PERSON, PERSONS)
    state = weighed(frame(VERIFICATION_ANSWER, given).drop("run_id"), frame(IDENTITY, IDENTITIES).lazy(), person.lazy(), AS_OF)
    child, other = corrected(person, state).to_dicts()
    assert (child["name"], child["former_names"]) == ("张五", ["张三"])
    assert (child["id_number"], child["former_id_numbers"], child["id_number_status"]) == ("50011620170503125X", ["500116201503011234"], "valid")
    assert child["birth_date"] == date(2017, 5, 3)
    assert [(g["name"], g["phone"]) for g in child["guardians"]] == [("王奶", "13912345678"), ("张父", "13811112222")]
    assert child["phones"] == ["13811112222", "13912345678"]
    assert other == person.to_dicts()[1]


FATHER = {"name": "张父", "relation": "father", "id_number": "F", "phone": "13811112222"}
MOTHER = {"name": "李母", "relation": "mother", "id_number": "M", "phone": "13911112222"}
NEW = {"name": "王奶", "relation": "guardian", "id_number": None, "phone": None}


@pytest.mark.parametrize(
    ("had", "told", "has"),
    [
        ([FATHER, MOTHER], [says("监护人姓名", "李母")], [MOTHER, FATHER]),
        ([FATHER, MOTHER], [says("监护人姓名", "张父")], [FATHER, MOTHER]),
        ([FATHER, MOTHER], [says("监护人姓名", "王奶")], [NEW, FATHER, MOTHER]),
        ([FATHER, MOTHER], [says("监护人姓名", "李母"), says("监护人电话", "13712345678")], [MOTHER | {"phone": "13712345678"}, FATHER]),
        ([FATHER, MOTHER], [says("监护人电话", "13712345678")], [FATHER | {"phone": "13712345678"}, MOTHER]),
        ([], [says("监护人姓名", "王奶")], [NEW]),
        ([], [says("监护人电话", "13712345678")], [NEW | {"name": None, "phone": "13712345678"}]),
        ([FATHER | {"name": None}], [says("监护人姓名", "王奶")], [NEW, FATHER | {"name": None}]),
    ],
)
def test_a_corrected_guardian_comes_first_with_what_is_known_of_that_person(had, told, has):
    person = frame(PERSON, [PERSONS[0] | {"guardians": had}, PERSONS[1]])
    given = [{"roster_id": ROSTER, "person_id": "C1", "verified_on": DAY, "source_file": "v.xlsx", "record_hash": n, "source_row": n} | a for n, a in enumerate(told, 1)]
    state = weighed(frame(VERIFICATION_ANSWER, given).drop("run_id"), frame(IDENTITY, IDENTITIES).lazy(), person.lazy(), AS_OF)
    assert PERSON.conform(corrected(person, state))["guardians"].to_list() == [has, []]
