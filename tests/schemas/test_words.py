"""Every code of the tables has a word in both languages."""

import pytest

from schemas.reference.words import words
from schemas.tables import assessment as tables
from schemas.tables.verification import STATES

SETS = {
    "outcome": tables.OUTCOMES, "reason": tables.REASONS, "category": tables.CATEGORIES, "service_status": tables.SERVICE_STATUSES,
    "direction": ("in_city", "into_city", "out_of_city", "none"), "accompanied": ("both", "one", "other_guardian", "none", "unknown"),
    "answer_state": STATES,
}  # fmt: skip


@pytest.mark.parametrize("name", SETS)
def test_every_code_has_a_word_in_both_languages_and_no_other_code_has(name):
    for lang in ("zh", "en"):
        assert tuple(words(name, lang)) == SETS[name]
    assert all(words(name, "en").values())


def test_two_codes_never_share_a_word():
    for name in SETS:
        for lang in ("zh", "en"):
            said = list(words(name, lang).values())
            assert len(said) == len(set(said))
