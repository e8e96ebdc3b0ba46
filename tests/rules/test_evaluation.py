"""How often the answer is right: each cause of an error, and the share."""

from __future__ import annotations

import polars as pl

from rules.evaluation import compare

ROW = {"feed": "survey", "source_file": "survey_20261101.csv"}
# true person: (rows: row number, person found, damage), true outcome and reason, outcome and reason given to the person found
CITY = {
    "right": ([(1, "P1", [])], ("flowing", "flowing"), ("flowing", "flowing")),
    "joined": ([(2, "P2", [])], ("flowing", "flowing"), ("not_flowing", "same_district")),
    "other": ([(3, "P2", []), (4, "P2", [])], ("not_flowing", "same_district"), ("not_flowing", "same_district")),
    "split": ([(5, "P3", []), (6, "P3", []), (7, "P4", [])], ("flowing", "flowing"), ("undetermined", "residence_unknown")),
    "damaged": ([(8, "P5", ["typo", "blank"]), (9, "P5", ["blank"])], ("flowing", "flowing"), ("not_flowing", "under_six_months")),
    "rule": ([(10, "P6", [])], ("not_flowing", "returned"), ("not_flowing", "same_district")),
    "unseen": ([], ("flowing", "flowing"), ("flowing", "flowing")),
}


def test_errors_are_told_with_their_cause() -> None:
    rows = [{**ROW, "source_row": n, "person": person, "person_id": found, "damage": damage} for person, (of, _, _) in CITY.items() for n, found, damage in of]
    frame = pl.DataFrame(rows, schema_overrides={"damage": pl.List(pl.String)})
    truth = pl.DataFrame([{"person": person, "outcome": true[0], "reason": true[1]} for person, (_, true, _) in CITY.items()])
    answers = {found: given for of, _, given in CITY.values() for _, found, _ in of} | {"P4": ("flowing", "flowing"), "P2": ("not_flowing", "same_district")}
    assessment = pl.DataFrame([{"person_id": found, "outcome": given[0], "reason": given[1]} for found, given in answers.items()])
    result = compare(assessment, frame.drop("person", "damage"), frame.drop("person_id"), truth)
    assert (result.children, result.outcome_right, result.reason_right) == (6, 3, 2)
    assert result.accuracy == 0.5
    assert dict(result.errors.select("person", "cause").iter_rows()) == {
        "joined": "records of another child were joined to this one",
        "split": "the child's records were not all joined",
        "damaged": "damaged: blank, typo",
        "rule": "the rule reads undamaged records otherwise than the truth",
    }
    assert result.confusion["children"].sum() == 4


def test_nobody_to_compare() -> None:
    none = pl.DataFrame(schema={"feed": pl.String, "source_file": pl.String, "source_row": pl.Int64, "person": pl.String, "person_id": pl.String, "damage": pl.List(pl.String)})
    truth = pl.DataFrame(schema={"person": pl.String, "outcome": pl.String, "reason": pl.String})
    assessment = pl.DataFrame(schema={"person_id": pl.String, "outcome": pl.String, "reason": pl.String})
    assert compare(assessment, none.drop("person", "damage"), none.drop("person_id"), truth).accuracy == 1.0
