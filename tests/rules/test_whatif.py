"""What-if: two laws over the same facts, against assessing each by itself; facts kept of a run and of no other."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from rules import parts
from rules.assessment import assess
from rules.kept import FactsNotKeptError, Kept, keep, kept
from rules.law import Law
from rules.law_file import LawError
from rules.whatif import compare, overridden
from tests.rules.random_histories import Row, histories
from tests.rules.rule_children import children_frame, facts_of

AS_OF = date(2026, 11, 24)
LAW = Law.load()


def known(count: int) -> Kept:
    lives = histories(count, random.Random(11))
    rows: dict[str, list[Row]] = defaultdict(list)
    for number, life in enumerate(lives):
        for feed, of_feed in life.rows.items():
            rows[feed] += [{"person_id": f"{number:04d}"} | row for row in of_feed]
    return Kept(children_frame([{"person_id": f"{number:04d}"} | life.child for number, life in enumerate(lives)]).lazy(), facts_of(rows))


KNOWN = known(400)


def outcomes(law: Law) -> dict[str, tuple[str, str, str | None]]:
    answers = assess(KNOWN.children, KNOWN.facts, AS_OF, law.on(AS_OF), law.version).assessment
    return {row[0]: row[1:] for row in answers.select("person_id", "outcome", "reason", "residence_district").iter_rows()}


@pytest.mark.parametrize("words", [{"months": "5"}, {"months": "12", "zone": "+500116,-500106"}, {"age": "3"}, {"gap_days": "0"}, {"evidence/old_after_months": "1"}, {"months": "6"}])
def test_what_enters_and_leaves_is_what_differs_between_two_assessments(words: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "CHILDREN_AT_ONCE", 90)
    other = overridden(LAW, words)
    found = compare(KNOWN, AS_OF, LAW, other)
    now, then = outcomes(LAW), outcomes(other)
    assert found.children == len(now)
    assert {o: (a, b) for o, a, b in found.outcomes.iter_rows()} == {
        o: (sum(x[0] == o for x in now.values()), sum(x[0] == o for x in then.values())) for o in {x[0] for x in (*now.values(), *then.values())}
    }
    came = [then[child][2] for child in now if then[child][0] == "flowing" and (now[child][0] != "flowing" or now[child][2] != then[child][2])]
    went = [now[child][2] for child in now if now[child][0] == "flowing" and (then[child][0] != "flowing" or now[child][2] != then[child][2])]
    by_district = {district: (before, enter, leave, after) for district, before, enter, leave, after in found.districts.iter_rows()}
    assert Counter(came) == {district: row[1] for district, row in by_district.items() if row[1]}
    assert Counter(went) == {district: row[2] for district, row in by_district.items() if row[2]}
    assert all(before + enter - leave == after for before, enter, leave, after in by_district.values())
    assert found.reasons["children"].sum() == sum(now[child][1] != then[child][1] for child in now)
    assert found.reasons.is_empty() == (words == {"months": "6"})


def test_a_parameter_that_settles_not_who_counts() -> None:
    with pytest.raises(LawError, match=r"^no parameter months_away; "):
        overridden(LAW, {"months_away": "5"})
    with pytest.raises(LawError, match=r"^vaccination/grace_months: has no part in who counts as flowing; what has: age/limit_years, evidence/confidence, "):
        overridden(LAW, {"months": "5", "vaccination/grace_months": "3"})


def test_facts_are_kept_of_the_last_run_alone(tmp_path: Path) -> None:
    work, folder = tmp_path / "work", tmp_path / "facts"
    (work / "facts").mkdir(parents=True)
    KNOWN.children.with_columns(name=pl.lit("张三")).collect().write_parquet(work / "person.parquet")
    for feed, frame in KNOWN.facts.items():
        frame.collect().write_parquet(work / "facts" / f"{feed}.parquet")
    keep(work, folder, "first")
    keep(work, folder, "second")
    keep(work, folder, "second")
    assert [path.name for path in folder.iterdir()] == ["second"]
    again = kept(folder, "second")
    assert set(again.facts) == set(KNOWN.facts)
    assert "name" not in again.children.collect_schema(), "nothing that names a child is kept"
    assert compare(again, AS_OF, LAW, LAW).children == 400
    with pytest.raises(FactsNotKeptError, match=r"^the register is of run first, and facts/ beside it has the facts of run second: run childflow run again, then ask$"):
        kept(folder, "first")
    with pytest.raises(FactsNotKeptError, match=r"^the register is of run first, and none/ beside it has no facts: run childflow run again, then ask$"):
        kept(tmp_path / "none", "first")
