"""Identifiers that last: merges, splits, children who come back, lists numbered anew, and who a child is where its rows fall apart."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import polars as pl
import pytest

from matching.linkage import Linked, link_records
from tests.matching.linkage_city import city, number
from tests.matching.nights import AS_OF, BORN, BOY, FAMILY, TWIN, ids, night, row


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


def test_random_nights_keep_identifiers_apart() -> None:
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
