"""The tables of the law are held to their words: every message by its text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from rules.alert_kinds import kinds_of
from rules.law import Parameters
from rules.law_file import LawError
from rules.services import items_of
from rules.signs import relief_of
from tests.rules.care_cases import AS_OF, LAW, P

READERS: dict[str, Callable[[Parameters], list[dict[str, Any]]]] = {"alerts/kinds": kinds_of, "services/items": items_of, "key_care/relief": relief_of}
WRONG = [
    ("alerts/kinds", {"severity": "terrible"}, "alerts/kinds.yaml, row 'living_alone', severity: 'terrible' is not allowed; allowed: info, warning, urgent, report"),
    ("alerts/kinds", {"department": "消防"}, "alerts/kinds.yaml, row 'living_alone', department: '消防' is not allowed; allowed: 公安, 教育, 卫生健康, 医保, 疾控, 残联, 民政"),
    ("alerts/kinds", {"district": "anywhere"}, "alerts/kinds.yaml, row 'living_alone', district: 'anywhere' is not allowed; allowed: residence, hukou, own"),
    ("alerts/kinds", {"applies_to": ["flowing", "all"]}, "alerts/kinds.yaml, row 'living_alone', applies_to: 'all' is not allowed; allowed: flowing, watch, exempt, undetermined, other, gone"),
    ("alerts/kinds", {"due_days": -1}, "alerts/kinds.yaml, row 'living_alone', due_days: -1 is not a whole number of zero or more"),
    ("alerts/kinds", {"due_days": "soon"}, "alerts/kinds.yaml, row 'living_alone', due_days: 'soon' is not a whole number of zero or more"),
    ("alerts/kinds", {"kind": "no_guardian"}, "alerts/kinds.yaml, row 'no_guardian': written twice; a kind has one row"),
    ("services/items", {"aspect": "老有所养"}, "services/items.yaml, row '预防接种', aspect: '老有所养' is not allowed; allowed: 幼有所育, 学有所教, 病有所医, 住有所居, 弱有所扶, 发展保障"),
    ("services/items", {"shown_by": "guesswork"}, "services/items.yaml, row '预防接种', shown_by: 'guesswork' is not allowed; allowed: enrolled, insured, immunised"),
    ("services/items", {"condition": "rich"}, "services/items.yaml, row '预防接种', condition: 'rich' is not allowed; allowed: any, school_age, into_city, subsidisable, family_hardship"),
    ("services/items", {"no_record": "has"}, "services/items.yaml, row '预防接种', no_record: 'has' is not allowed; allowed: missing, unknown"),
    ("services/items", {"from_months": 1.5}, "services/items.yaml, row '预防接种', from_months: 1.5 is not a whole number of zero or more"),
    ("key_care/relief", {"category": "poor"}, "key_care/relief.yaml, row '低保', category: 'poor' is not allowed; allowed: family_hardship, disability, guardianship_missing"),
    ("key_care/relief", {"kind": "五保"}, "key_care/relief.yaml, row '五保', kind: '五保' is not allowed; allowed: 低保, 特困, 孤儿"),
]  # fmt: skip


def edited(key: str, change: dict[str, Any]) -> Parameters:
    """The law with the first row changed; of the alerts the one of a child that lives alone."""
    rows = P[key]
    at = next((n for n, row in enumerate(rows) if row.get("kind") == "living_alone"), 0)
    return LAW.with_overrides({key: [{**row, **change} if n == at else row for n, row in enumerate(rows)]}).on(AS_OF)


@pytest.mark.parametrize(("key", "change", "message"), WRONG, ids=[f"{key} {change}" for key, change, _ in WRONG])
def test_a_wrong_row_is_named_with_what_is_allowed(key: str, change: dict[str, Any], message: str) -> None:
    with pytest.raises(LawError, match=re.escape(message)):
        READERS[key](edited(key, change))


def test_a_table_without_a_column_is_named_with_the_columns_it_must_have() -> None:
    rows = [{name: value for name, value in row.items() if name != "severity"} for row in P["alerts/kinds"]]
    with pytest.raises(LawError, match=re.escape("alerts/kinds.yaml, row 'about_to_reach_six_months': no severity; every row has kind, severity, department, district, applies_to, due_days")):
        kinds_of(LAW.with_overrides({"alerts/kinds": rows}).on(AS_OF))


@pytest.mark.parametrize("key", READERS)
def test_the_tables_as_they_are_keep_to_their_words(key: str) -> None:
    assert READERS[key](P) == P[key]
