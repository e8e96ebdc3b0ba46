"""What every register promises, broken on purpose: the night is not published and says what is wrong."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from publish.checks import PromiseBrokenError
from publish.order import Order, order_of
from schemas.tables.verification import VERIFICATION_STATE
from tests.publish.register_city import child, night

AS_OF = date(2026, 11, 24)
FILE = {"feed": "survey", "source_file": "survey_20261102.csv"}
OLD, NEW = "500106201503011237", "50010620150301101X"
OTHER = {"feed": "survey", "source_file": "other.csv", "state": "accepted"}
RECEIPT = FILE | {"rows_in": 2, "rows_accepted": 2, "state": "accepted"}


def two_rows(person: str, *numbers: str) -> dict[str, list[dict[str, Any]]]:
    """Two more rows of a child, each with a number of its own."""
    placed = [FILE | {"source_row": n, "record_hash": 90 + n, "person_id": person, "link_method": "id", "id_role": "own"} for n, _ in enumerate(numbers, 1)]
    read = [FILE | {"source_row": n, "record_hash": 90 + n, "id_number": number, "id_number_status": "valid"} for n, number in enumerate(numbers, 1)]
    return {"person_record": placed, "record": read, "feed_receipt": [RECEIPT]}


def test_a_register_that_holds_them_is_published(tmp_path: Path):
    assert night(tmp_path, 1, AS_OF, [child("A")], **two_rows("A", "500106201503011237", "500106201503011237")).version.exists()


@pytest.mark.parametrize("missing", ["first", "last"])
def test_a_row_without_its_record(tmp_path: Path, missing: str):
    more = two_rows("A", "500106201503011237", "500106201503011237")
    del more["record"][0 if missing == "first" else -1]
    with pytest.raises(PromiseBrokenError, match=rf"no row of record or the other way round .*: survey survey_20261102\.csv: {1 if missing == 'first' else 2}\n"):
        night(tmp_path, 1, AS_OF, [child("A")], **more)


OTHERS_KNOWN = {"former_id_numbers": [OLD], "id_number": NEW}
SAID_SAME = {"pair_id": "R1", "left": "X", "right": "Y", "decision": "same"}


def two_numbers(tmp_path: Path, status: str, feed: str = "survey", **decided: Any) -> Path:
    """A night with a child of two numbers, whose other number is kept as a former one, as matching/people.py keeps every other number there is."""
    more = two_rows("A", OLD, NEW)
    for rows in more.values():
        rows[:] = [each | {"feed": feed, "source_file": f"{feed}_20261102.csv", "record_key": f"K{n}"} for n, each in enumerate(rows, 1)]
    queue = [SAID_SAME | decided] if decided else []
    return night(tmp_path, 1, AS_OF, [child("A", id_number_status=status, **OTHERS_KNOWN)], **more, review_queue=queue).version


@pytest.mark.parametrize(("status", "feed"), [("conflicting", "survey"), ("conflicting", "household"), ("valid", "survey")])
@pytest.mark.parametrize("decided", [{}, {"decision": "different", "left": "A"}, {"left_records": [77]}], ids=["undecided", "said different", "said of another"])
def test_a_child_with_two_numbers(tmp_path: Path, status: str, feed: str, decided: dict[str, Any]):
    with pytest.raises(PromiseBrokenError, match=r"several valid id numbers of its own, .*: A: 2\n"):
        two_numbers(tmp_path, status, feed, **decided)


@pytest.mark.parametrize("decided", [{"left": "A"}, {"right_records": [91]}, {"left_keys": ["survey:K2"]}], ids=["by identifier", "by row", "by record key"])
def test_a_child_with_two_numbers_by_a_reviewer_s_word(tmp_path: Path, decided: dict[str, Any]):
    assert two_numbers(tmp_path, "conflicting", **decided).exists()


def test_a_child_whose_number_the_household_register_shows_as_changed(tmp_path: Path):
    assert two_numbers(tmp_path, "valid", "household").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"feed_receipt": [OTHER | {"rows_in": 3, "rows_quarantined": 2}]}, r"rows in are not accepted \+ quarantined .*: survey other\.csv: 3 0 2\n"),
        ({"feed_receipt": [OTHER | {"rows_in": 1, "rows_quarantined": 1}]}, r"the quarantine does not hold what the receipts say .*: survey other\.csv: 1 0\n"),
        ({"feed_receipt": [OTHER | {"rows_in": 2, "rows_accepted": 2, "rows_replaced": 1}]}, r"accepted rows are not the rows .*: survey other\.csv: 2 1 0\n"),
        (two_rows("Z", OLD, OLD), r"belongs to no person .*: survey survey_20261102\.csv: 1; survey survey_20261102\.csv: 2\n"),
        ({"identity": [{"person_id": "A", "state": "merged", "merged_into": "B"}]}, r"an identifier that was merged stands for a person again .*: A\n"),
    ],
    ids=["rows in", "rows quarantined", "rows accepted", "rows of nobody", "an identifier that was merged"],
)
def test_counts_that_do_not_add_up_and_rows_of_nobody(tmp_path: Path, more: dict[str, Any], said: str):
    with pytest.raises(PromiseBrokenError, match=said):
        night(tmp_path, 1, AS_OF, [child("A")], **more)


def test_an_answer_that_nobody_weighed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    nothing = VERIFICATION_STATE.empty()
    monkeypatch.setattr("tests.publish.register_city._weigh", lambda work, _: nothing.write_parquet(work / "verification_state.parquet"))
    with pytest.raises(PromiseBrokenError, match=r"answers kept and answers weighed are not the same .*: 10001: 1 0\n"):
        night(tmp_path, 1, AS_OF, [child("A")], answers=[{"roster_id": "R", "person_id": "A"}])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"assessment": [child("B") | {"as_of": AS_OF}]}, r"not the same children .*: B: 0 1\n"),
        ({"person": [child("B")]}, r"not the same children .*: B: 1 0\n"),
        ({"person": [child("B")], "assessment": [child("C") | {"as_of": AS_OF}]}, r"not the same children .*: B: 1 0; C: 0 1\n"),
        ({"person": [child("A")], "assessment": [child("A") | {"as_of": AS_OF}]}, r"several rows of person have one key"),
    ],
    ids=["no person", "no assessment", "another", "both twice"],
)
def test_persons_and_assessments_that_are_not_the_same(tmp_path: Path, more: dict[str, list[dict[str, Any]]], said: str):
    with pytest.raises(PromiseBrokenError, match=said):
        night(tmp_path, 1, AS_OF, [child("A")], **more)


@pytest.mark.parametrize(
    ("rows", "order"),
    [
        ([("a", 1), ("a", 2), ("b", 1)], Order.STRICT),
        ([("a", 1), ("a", 1), ("b", 1)], Order.ASCENDING),
        ([("a", 2), ("a", 1)], Order.NONE),
        ([("a", 1), ("a", 1), ("a", 0)], Order.NONE),
        ([("b", 1), ("a", 2)], Order.NONE),
        ([("a", 1), ("a", None), (None, 1), (None, None)], Order.STRICT),
        ([("a", None), ("a", None)], Order.ASCENDING),
        ([("a", None), ("a", 1)], Order.NONE),
        ([("一", 1), ("丁", 1)], Order.STRICT),
        ([], Order.STRICT),
    ],
)
def test_in_which_order_files_lie(tmp_path: Path, rows: list[tuple[str | None, int | None]], order: Order):
    """In one file, and cut into two at every place."""
    frame = pl.DataFrame(rows, schema={"k": pl.String, "n": pl.Int64}, orient="row")
    for cut in range(len(rows) + 1):
        files = [tmp_path / "1.parquet", tmp_path / "2.parquet"]
        for file, part in zip(files, (frame.head(cut), frame.slice(cut)), strict=True):
            part.write_parquet(file)
        assert order_of(files, ("k", "n")) is order
