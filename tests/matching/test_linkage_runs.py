"""What holds of every run of the linkage: nothing lost, the same tables whatever the order, identifiers that last, decisions that bind."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from matching.evaluation import evaluate
from matching.linkage import Linked, link, link_records
from schemas.tables.record import PERSON_RECORD, RECORD
from tests.matching.linkage_city import city, number, person, records

AS_OF = date(2026, 11, 24)
BORN = date(2015, 3, 2)
BOY, TWIN = number("500106", BORN, 135), number("500106", BORN, 137)
FAMILY = [person("张建国", "father", None, "13512345678"), person("李芳", "mother", None, "13612345678")]


def night(rows: list[dict[str, Any]], before: Linked | None = None, queue: pl.DataFrame | None = None) -> Linked:
    """One run on the rows, with the tables of the run before it."""
    previous = {} if before is None else dict(before.tables)
    if queue is not None:
        previous["review_queue"] = queue
    return link_records(records(rows), previous, AS_OF)


def row(key: str, **values: Any) -> dict[str, Any]:
    return {"feed": "survey", "record_key": key, "name": "张浩宇", "sex": "male", "birth_date": BORN} | values


def ids(linked: Linked) -> dict[str, str]:
    """person_id by record key."""
    return dict(linked.tables["person_record"].select("record_key", "person_id").iter_rows())


@pytest.fixture(scope="module")
def town() -> tuple[pl.DataFrame, pl.DataFrame, Linked]:
    rows, truth = city(1500, seed=5, damage=2.0)
    return rows, truth, link_records(rows, {}, AS_OF)


def test_a_damaged_town_is_put_together(town: tuple[pl.DataFrame, pl.DataFrame, Linked]) -> None:
    _, truth, linked = town
    result = evaluate(linked.tables["person_record"], truth)
    assert result.overall.precision >= 0.9995
    assert result.overall.recall >= 0.985


def test_every_row_has_one_person(town: tuple[pl.DataFrame, pl.DataFrame, Linked]) -> None:
    rows, _, linked = town
    held = linked.tables["person_record"]
    assert held.height == rows.height
    assert held.select("feed", "source_file", "source_row").is_duplicated().sum() == 0
    assert set(held["person_id"]) == set(linked.tables["person"]["person_id"])
    assert linked.tables["person"]["records"].sum() == rows.height


def test_no_person_has_two_numbers_of_its_own(town: tuple[pl.DataFrame, pl.DataFrame, Linked]) -> None:
    rows, _, linked = town
    held = linked.tables["person_record"].filter(pl.col("id_role") == "own").join(rows.select("record_hash", "id_number").unique(), on="record_hash")
    assert held.group_by("person_id").agg(pl.col("id_number").n_unique())["id_number"].max() == 1
    assert linked.tables["person"]["former_id_numbers"].list.len().max() == 0


@pytest.mark.parametrize("exported", [date(2026, 10, 1), date(2026, 11, 20)])
def test_the_number_of_today_is_the_household_register_s_whenever_the_others_were_exported(exported: date) -> None:
    """The number was changed; the school and the insurance, asked later, still hold the old one."""
    home = {"feed": "household", "household_key": "H1", "relatives": FAMILY}
    late = [row(f"late{i}", feed=feed, id_number=BOY, export_date=exported) for i, feed in enumerate(("education", "medical_insurance"))]
    shown = [row("before", id_number=BOY, export_date=date(2026, 11, 1), **home), row("after", id_number=TWIN, export_date=date(2026, 11, 10), **home)]
    child = night([*shown, *late]).tables["person"]
    assert child.select("id_number", "id_number_status", "former_id_numbers").rows() == [(TWIN, "valid", [BOY])]


@pytest.mark.parametrize(("cancelled", "today"), [([True, False], TWIN), ([False, True], BOY), ([None, True], BOY), ([True, None], TWIN)])
def test_a_number_whose_entry_in_the_register_was_cancelled_is_one_the_child_had_before(cancelled: list[bool | None], today: str) -> None:
    """Both entries stand in one export, and the school holds the first of the numbers."""
    home = {"feed": "household", "household_key": "H1", "relatives": FAMILY}
    entries = [row(key, id_number=own, is_cancelled=ended, **home) for key, own, ended in zip(("one", "two"), (BOY, TWIN), cancelled, strict=True)]
    child = night([*entries, row("roll", feed="education", id_number=BOY)]).tables["person"]
    assert child.select("id_number", "id_number_status", "former_id_numbers").rows() == [(today, "valid", [({BOY, TWIN} - {today}).pop()])]


@pytest.mark.parametrize(("moved", "today"), [([True, False], TWIN), ([False, True], BOY), ([None, True], BOY), ([True, True], BOY)])
def test_the_number_of_today_is_that_of_the_entry_that_has_not_ended(moved: list[bool | None], today: str) -> None:
    """The child moved to another household and was given another number there; three rows still hold the first."""
    entries = [
        row(key, feed="household", id_number=own, household_key=key, is_moved_out=ended, relatives=[person("张建国", "father", number("500116", date(1985, 1, 2), 111))])
        for key, own, ended in zip(("H1", "H2"), (BOY, TWIN), moved, strict=True)
    ]
    child = night([*entries, *(row(f"roll{i}", feed="education", id_number=BOY) for i in range(3))]).tables["person"]
    assert child.select("id_number", "id_number_status", "former_id_numbers").rows() == [(today, "valid", [({BOY, TWIN} - {today}).pop()])]


def test_a_number_is_not_given_up_while_another_entry_of_the_register_has_it() -> None:
    home = {"feed": "household", "household_key": "H1", "relatives": FAMILY}
    entries = [row(f"e{i}", id_number=own, is_cancelled=ended, **home) for i, (own, ended) in enumerate([(BOY, True), (BOY, False), (BOY, None), (TWIN, False)])]
    assert night(entries).tables["person"].select("id_number", "former_id_numbers").rows() == [(BOY, [TWIN])]


def test_files_and_rows_shuffled_give_the_same_persons(town: tuple[pl.DataFrame, pl.DataFrame, Linked]) -> None:
    rows, _, linked = town
    moved = rows.sample(fraction=1, shuffle=True, seed=3).with_columns(
        source_file=pl.col("feed") + "_part.csv", source_row=pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).reverse().over("feed")
    )
    other = link_records(moved, {}, AS_OF)
    content = [c for c in PERSON_RECORD.names if c not in ("source_file", "source_row")]
    assert other.tables["person_record"].select(content).sort("record_hash").equals(linked.tables["person_record"].select(content).sort("record_hash"))
    for name in ("person", "review_queue", "identity", "identity_event"):
        assert other.tables[name].equals(linked.tables[name]), name


def test_a_second_night_on_the_same_rows_changes_nothing(town: tuple[pl.DataFrame, pl.DataFrame, Linked]) -> None:
    rows, _, linked = town
    again = link_records(rows, linked.tables, AS_OF)
    for name in ("person_record", "person", "review_queue", "identity"):
        assert again.tables[name].equals(linked.tables[name]), name
    assert again.tables["identity_event"].is_empty()


def test_an_edited_town_keeps_its_identifiers(town: tuple[pl.DataFrame, pl.DataFrame, Linked]) -> None:
    rows, _, linked = town
    edited = rows.with_columns(record_hash=pl.col("record_hash") ^ pl.lit(1, dtype=pl.UInt64))
    again = link_records(edited, linked.tables, AS_OF)
    key = ["feed", "source_file", "source_row"]
    both = linked.tables["person_record"].join(again.tables["person_record"], on=key)
    assert (both["person_id"] == both["person_id_right"]).all()


def test_the_station_reads_and_writes_its_folder(tmp_path: Path) -> None:
    (tmp_path / "record").mkdir()
    records([row("a", id_number=BOY)]).write_parquet(tmp_path / "record" / "survey.parquet")
    records([row("b", feed="education", id_number=BOY)]).write_parquet(tmp_path / "record" / "education.parquet")
    link(tmp_path, AS_OF)
    assert pl.read_parquet(tmp_path / "person_record.parquet")["person_id"].n_unique() == 1
    assert sorted(p.name for p in tmp_path.glob("*.parquet")) == [
        "identity.parquet", "identity_event.parquet", "person.parquet", "person_record.parquet", "review_queue.parquet",
    ]  # fmt: skip


def test_a_night_without_rows_is_a_night(tmp_path: Path) -> None:
    link(tmp_path, AS_OF)
    assert pl.read_parquet(tmp_path / "person.parquet").is_empty()
    before = night([row("a", id_number=BOY)])
    after = link_records(RECORD.empty(), before.tables, AS_OF)
    assert after.tables["identity"]["state"].to_list() == ["gone"]


def test_the_same_row_twice_is_one_child() -> None:
    rows = records([row("a", record_hash=7), row("a", record_hash=7)])
    linked = link_records(rows, {}, AS_OF)
    assert linked.tables["person"].height == 1
    assert linked.tables["person_record"]["link_method"].to_list() == ["probabilistic"] * 2


def test_methods_and_weights_say_how_a_row_came_in() -> None:
    linked = night([
        row("a", feed="household", id_number=BOY), row("b", feed="education", id_number=BOY),
        row("c", feed="health", phones=["13512345678"]), row("d", feed="medical_insurance", phones=["13512345678"], id_number=BOY),
        row("e", name="冉秋月", sex="female", birth_date=date(2020, 1, 1)),
    ])  # fmt: skip
    held = {r["record_key"]: r for r in linked.tables["person_record"].iter_rows(named=True)}
    assert [held[k]["link_method"] for k in "abcde"] == ["id", "id", "probabilistic", "id", "alone"]
    assert held["b"]["linked_to"] == held["a"]["record_hash"]
    assert held["c"]["match_weight"] > 20
    assert 0.95 <= held["c"]["match_probability"] <= 1
    assert held["e"]["match_weight"] is None


def test_a_merge_keeps_the_older_and_says_so() -> None:
    first = night([row("a", feed="health", phones=["13512345678"], export_date=date(2026, 1, 1)), row("z", name="冉秋月")])
    second = night([
        row("a", feed="health", phones=["13512345678"], export_date=date(2026, 1, 1)),
        row("b", feed="education", name="李芳之子", name_kind="newborn", mother_in_name="李芳", birth_date=date(2015, 3, 20)),
        row("z", name="冉秋月"),
    ], first)  # fmt: skip
    assert ids(second)["a"] != ids(second)["b"]
    third = night([
        row("a", feed="health", phones=["13512345678"], export_date=date(2026, 1, 1)),
        row("b", feed="education", phones=["13512345678"]),
        row("z", name="冉秋月"),
    ], second)  # fmt: skip
    assert ids(third) == {"a": ids(first)["a"], "b": ids(first)["a"], "z": ids(first)["z"]}
    event = third.tables["identity_event"].row(0, named=True)
    assert (event["person_id"], event["kind"], event["others"]) == (ids(first)["a"], "merged", [ids(second)["b"]])
    gone = third.tables["identity"].filter(pl.col("person_id") == ids(second)["b"]).row(0, named=True)
    assert (gone["state"], gone["merged_into"]) == ("merged", ids(first)["a"])


def test_a_split_leaves_the_identifier_with_the_larger_part() -> None:
    together = [row(k, feed=f, id_number=BOY) for k, f in (("a", "household"), ("b", "education"), ("c", "health"))]
    first = night(together)
    apart = [*together[:2], row("c", feed="health", name="冉秋月", sex="female", birth_date=date(2019, 1, 1), export_date=date(2026, 11, 20))]
    second = night(apart, first)
    assert ids(second)["a"] == ids(first)["a"]
    assert ids(second)["c"] != ids(first)["a"]
    event = second.tables["identity_event"].row(0, named=True)
    assert (event["person_id"], event["kind"], event["others"]) == (ids(first)["a"], "split", [ids(second)["c"]])
    third = night(together, second)
    assert set(ids(third).values()) == {ids(first)["a"]}
    fourth = night(apart, third)
    assert ids(fourth)["c"] not in {ids(first)["a"], ids(second)["c"]}


def test_a_child_goes_with_its_number_though_more_of_its_rows_turn_out_to_be_a_brother_s() -> None:
    """The survey and the clinic had written the one twin's name, and put it right."""
    entries = [row(key, feed="household", name=name, id_number=own, household_key="H", relatives=FAMILY) for key, name, own in (("one", "张浩宇", BOY), ("two", "张子轩", TWIN))]
    entries[1]["export_date"] = date(2026, 1, 1)
    loose = [row(feed, feed=feed, relatives=FAMILY) for feed in ("survey", "health")]
    first = night([*entries, *loose])
    assert ids(first)["survey"] == ids(first)["health"] == ids(first)["one"]
    second = night([*entries, *(each | {"name": "张子轩", "id_number": TWIN} for each in loose)], first)
    assert [ids(second)[key] for key in ("one", "two")] == [ids(first)[key] for key in ("one", "two")]
    assert ids(second)["survey"] == ids(second)["health"] == ids(second)["two"]
    assert second.tables["identity_event"].select("person_id", "kind", "others").rows() == [(ids(first)["one"], "split", [ids(first)["two"]])]
    assert second.tables["identity"]["state"].to_list() == ["live", "live"]


def test_a_newborn_s_row_does_not_make_one_child_of_two_twins() -> None:
    """One has a passport, the other a number; each is known to several senders, and the row without a name is as near to the one as to the other."""
    one = [row(f"one {feed}", feed=feed, name="张梓溪", relatives=FAMILY, document_number="E12345678", document_type="foreign") for feed in ("education", "medical_insurance")]
    other = [row(f"other {feed}", feed=feed, name="张梓萱", relatives=FAMILY, id_number=BOY) for feed in ("household", "education", "medical_insurance")]
    newborn = row("newborn", feed="disease_control", name="李芳之子", name_kind="newborn", mother_in_name="李芳", relatives=FAMILY)
    linked = night([*one, *other, newborn])
    assert len(set(ids(linked).values())) == 3
    assert set(linked.tables["review_queue"]["cause"]) == {"ambiguous", "doubtful"}


@pytest.mark.parametrize("variant", range(6))
def test_a_child_whose_rows_fall_apart_is_where_its_number_is(variant: int) -> None:
    """The school's row, which held the other two together, is gone; which of them has the smaller hash is chance."""
    newborn = {"name": "李芳之子", "name_kind": "newborn", "mother_in_name": "李芳", "address": f"某街道某路{variant}号"}
    left = [row("number", feed="medical_insurance", id_number=BOY), row("none", feed="health", relatives=FAMILY, **newborn)]
    first = night([*left, row("school", feed="education", id_number=BOY, relatives=FAMILY)])
    assert len(set(ids(first).values())) == 1
    second = night(left, first)
    assert ids(second)["number"] == ids(first)["number"] != ids(second)["none"]


def test_who_comes_to_stand_under_a_child_s_keys_does_not_take_its_identifier_from_a_row_that_is_as_it_was() -> None:
    """Nobody has a number; the survey lists other children under its keys."""
    survey = [row(key, phones=["13512345678"]) for key in ("1", "2")]
    held = row("a", feed="health", phones=["13512345678"])
    first = night([held, *survey])
    assert len(set(ids(first).values())) == 1
    second = night([held, *(row(key, name="冉秋月", sex="female", birth_date=date(2019, 1, 1), phones=["13912345678"]) for key in ("1", "2"))], first)
    assert ids(second)["a"] == ids(first)["a"] != ids(second)["1"]


def test_a_child_who_was_gone_comes_back_as_the_same() -> None:
    first = night([row("a", id_number=BOY), row("z", name="冉秋月")])
    second = night([row("z", name="冉秋月")], first)
    third = night([row("other", feed="education", id_number=BOY), row("z", name="冉秋月")], second)
    assert ids(third)["other"] == ids(first)["a"]
    assert third.tables["person"].filter(pl.col("person_id") == ids(first)["a"])["first_seen"].item() == date(2026, 11, 1)


def listed(*children: tuple[str, date, str]) -> list[dict[str, Any]]:
    """A list that a department numbers from 1: name, birth date and number of each child."""
    return [row(str(i), name=name, birth_date=born, id_number=own, address=f"第{i}户") for i, (name, born, own) in enumerate(children, start=1)]


def by_number(linked: Linked) -> dict[str, str]:
    return dict(linked.tables["person"].select("id_number", "person_id").iter_rows())


def test_a_list_that_is_numbered_anew_gives_nobody_another_child_s_identifier() -> None:
    boy, second, third = ("张浩宇", BORN, BOY), ("冉俊杰", date(2017, 8, 19), number("500106", date(2017, 8, 19), 111)), ("谭子轩", date(2012, 1, 30), number("500106", date(2012, 1, 30), 133))
    newcomer = ("秦博文", date(2019, 11, 4), number("500106", date(2019, 11, 4), 115))
    first = night(listed(boy, second, third))
    turned = night(listed(third, boy, second), first)
    assert by_number(turned) == by_number(first)
    assert turned.tables["identity_event"].is_empty()
    moved_up = night(listed(second, third), turned)
    assert by_number(moved_up) == {own: code for own, code in by_number(first).items() if own != BOY}
    assert moved_up.tables["identity"].filter(pl.col("person_id") == by_number(first)[BOY])["state"].to_list() == ["gone"]
    moved_down = night(listed(newcomer, second, third), moved_up)
    assert {own: code for own, code in by_number(moved_down).items() if own != newcomer[2]} == by_number(moved_up)
    assert by_number(moved_down)[newcomer[2]] not in by_number(first).values()
    assert night(listed(boy, newcomer, second, third), moved_down).tables["identity_event"].is_empty()


def test_a_number_that_was_corrected_stays_the_child_s_whatever_its_birth_date() -> None:
    first = night([row("1", id_number=BOY)])
    born = date(2016, 10, 27)
    second = night([row("1", id_number=number("500106", born, 135), birth_date=born)], first)
    assert ids(second) == ids(first)


def test_identifiers_say_nothing_of_numbers() -> None:
    linked = night([row("a", id_number=BOY)])
    (made,) = set(ids(linked).values())
    assert len(made) == 13
    assert made[0] == "C"
    assert not any(c.islower() for c in made)
    assert BOY[:6] not in made


TWO = [
    row("a", feed="household", id_number=BOY, relatives=FAMILY),
    row("b", feed="education", id_number=TWIN, relatives=FAMILY),
]


def decide(linked: Linked, decision: str, **change: Any) -> pl.DataFrame:
    """The queue with its only pair decided."""
    queue = linked.tables["review_queue"]
    assert queue.height == 1
    values = {"decision": decision, "decided_by": "张三", "decided_on": date(2026, 11, 25)} | change
    return queue.with_columns(**{k: pl.lit(v) for k, v in values.items()}).cast({"decided_on": pl.Date})


def test_a_clerk_may_join_two_numbers_and_it_lasts() -> None:
    first = night(TWO)
    assert len(set(ids(first).values())) == 2
    second = night(TWO, first, decide(first, "same"))
    assert len(set(ids(second).values())) == 1
    assert second.tables["person"]["id_number_status"].to_list() == ["conflicting"]
    assert set(second.tables["person_record"]["link_method"]) == {"review"}
    assert second.tables["identity_event"]["cause"].to_list() == ["review"]
    edited = [each | {"address": "换了地址", "record_key": each["record_key"]} for each in TWO]
    third = night(edited, second)
    assert set(ids(third).values()) == set(ids(second).values())


def test_what_joins_two_against_a_clerk_s_word_is_not_called_the_clerk_s() -> None:
    """A clerk kept the two apart; then both senders hold one number."""
    first = night(TWO)
    kept = night(TWO, first, decide(first, "different"))
    joined = night([TWO[0], TWO[1] | {"id_number": BOY}], kept)
    assert joined.tables["identity_event"].select("kind", "cause").rows() == [("merged", "records")]
    assert joined.tables["review_queue"]["cause"].to_list() == ["contradiction"]


@pytest.mark.parametrize("decision", ["different", "unsure"])
def test_a_clerk_keeps_two_rows_apart(decision: str) -> None:
    alike = [row("a", feed="health", phones=["13512345678"]), row("b", feed="survey", phones=["13512345678"])]
    joined = night(alike)
    assert len(set(ids(joined).values())) == 1
    first = night(TWO)
    queue = decide(first, decision).with_columns(
        left_keys=pl.lit(["health:a"]), right_keys=pl.lit(["survey:b"]), left_records=pl.lit([], dtype=pl.List(pl.UInt64)), right_records=pl.lit([], dtype=pl.List(pl.UInt64))
    )
    second = night(alike, joined, queue)
    assert len(set(ids(second).values())) == 2
    assert second.tables["review_queue"]["decision"].to_list() == [decision]


def test_contradicting_decisions_are_shown() -> None:
    alike = [row(k, feed=f, phones=["13512345678"]) for k, f in (("a", "health"), ("b", "survey"))]
    linked = night(alike)
    base = decide(night(TWO), "same")
    bare = {f"{s}_records": pl.lit([], dtype=pl.List(pl.UInt64)) for s in ("left", "right")}
    keys = {"left_keys": pl.lit(["health:a"]), "right_keys": pl.lit(["survey:b"])}
    queue = pl.concat([
        base.with_columns(pair_id=pl.lit("R1"), **bare, **keys),
        base.with_columns(pair_id=pl.lit("R2"), decision=pl.lit("different"), **bare, **keys),
    ])  # fmt: skip
    second = night(alike, linked, queue)
    assert len(set(ids(second).values())) == 2
    assert set(second.tables["review_queue"].filter(pl.col("cause") == "contradiction")["pair_id"]) == {"R1"}


def test_of_a_chain_that_ends_in_different_one_link_gives_way_and_is_shown() -> None:
    three = [row("a", feed="health"), row("b", feed="survey", name="冉秋月"), row("c", feed="education", name="谭若汐")]
    linked = night(three)
    base = decide(night(TWO), "same")
    bare = {f"{s}_records": pl.lit([], dtype=pl.List(pl.UInt64)) for s in ("left", "right")}
    said = (("R1", "health:a", "survey:b", "same"), ("R2", "survey:b", "education:c", "same"), ("R3", "health:a", "education:c", "different"))
    queue = pl.concat([
        base.with_columns(pair_id=pl.lit(pair), decision=pl.lit(decision), left_keys=pl.lit([left]), right_keys=pl.lit([right]), **bare)
        for pair, left, right, decision in said
    ])  # fmt: skip
    second = night(three, linked, queue)
    of = ids(second)
    assert of["a"] != of["c"]
    assert of["b"] in (of["a"], of["c"])
    shown = set(second.tables["review_queue"].filter(pl.col("cause") == "contradiction")["pair_id"])
    assert shown == ({"R2"} if of["b"] == of["a"] else {"R1"})
    third = night(three, second)
    assert ids(third) == of


def test_the_queue_shows_both_sides_and_why() -> None:
    line = night(TWO).tables["review_queue"].row(0, named=True)
    assert line["cause"] == "two_numbers"
    assert line["gain"] == 1.0
    assert {c["phrase"] for c in line["comparisons"]} >= {"姓名相同", "出生日期相同", "双方各有一个有效的本人证件号，且不同", "父母（监护人）有两人相同"}
    assert sum(c["weight"] for c in line["comparisons"]) == pytest.approx(line["match_weight"], abs=0.2)


def test_twenty_random_nights_keep_identifiers_apart() -> None:
    rows, _ = city(60, seed=11, damage=3.0)
    rng = random.Random(4)
    tables: dict[str, pl.DataFrame] = {}
    given: set[str] = set()
    for _ in range(8):
        part = rows.filter(pl.Series([rng.random() < 0.7 for _ in range(rows.height)]))
        linked = link_records(part, tables, AS_OF)
        register = linked.tables["identity"]
        assert register["person_id"].is_duplicated().sum() == 0
        assert given <= set(register["person_id"])
        given = set(register["person_id"])
        live = register.filter(pl.col("state") == "live")["person_id"]
        assert set(live) == set(linked.tables["person"]["person_id"])
        tables = linked.tables
