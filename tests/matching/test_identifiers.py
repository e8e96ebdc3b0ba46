"""What an id column's text is taken for, form by form."""

from datetime import date

import polars as pl
import pytest

from matching.identifiers import examine


def card(body: str) -> str:
    """Seventeen digits with their check digit (GB 11643)."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


OWN = card("51092320250228245")
CASES = [
    ("a right number", OWN, "valid", "mainland"),
    ("its first digit slipped to 9", "9" + OWN[1:], "checksum_failed", None),
    ("its first digit slipped to 9, the date gone too", "9109232025022999", "wrong_length", None),
    ("eighteen nines in full width", "９" * 18, "absent", None),
    ("eighteen ones with an apostrophe", "'" + "1" * 18, "absent", None),
    ("a foreigner's permanent residence card", card("91115620150312003"), "other_document", "foreign"),
    ("the same card born tomorrow", card("91115620261125003"), "impossible_date", None),
    ("a residence permit of Hong Kong", card("81000020150312003"), "valid", "hmt"),
    ("a permit to the mainland", "H1234567801", "other_document", "hmt"),
]


@pytest.mark.parametrize(("text", "status", "document"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_text_is_taken_for_what_it_is(text, status, document):
    given = pl.DataFrame({"text": [text], "exported": [date(2026, 11, 24)], "record_key": ["K1"], "document": pl.Series([None], dtype=pl.String)})
    seen = examine(given).row(0, named=True)
    assert (seen["status"], seen["document_type"]) == (status, document)


@pytest.mark.parametrize("at", range(18))
def test_one_wrong_digit_never_makes_another_document_of_a_number(at):
    wrong = [OWN[:at] + d + OWN[at + 1 :] for d in "0123456789" if d != OWN[at]]
    given = pl.DataFrame({"text": wrong, "exported": [date(2026, 11, 24)] * len(wrong), "record_key": ["K"] * len(wrong), "document": pl.Series([None] * len(wrong), dtype=pl.String)})
    assert set(examine(given)["status"]) <= {"checksum_failed", "impossible_date", "child_code", "excel_rounded"}


LEFT_OVER = [
    ("the last three digits gone", OWN[:15], OWN[:15] + "???"),
    ("the check digit gone", OWN[:17], OWN[:17] + "?"),
    ("a digit in the middle gone", OWN[:7] + OWN[8:], None),
    ("in the form of fifteen, without century and check digit", OWN[:6] + OWN[8:17], OWN[:17] + "?"),
    ("an adult's in the form of fifteen", "510923850228245", None),
    ("sixteen digits", OWN[:16], None),
]


@pytest.mark.parametrize(("text", "partial"), [c[1:] for c in LEFT_OVER], ids=[c[0] for c in LEFT_OVER])
def test_what_is_left_of_a_number_that_is_too_short_is_told(text, partial):
    given = pl.DataFrame({"text": [text], "exported": [date(2026, 11, 24)], "record_key": ["K1"], "document": pl.Series([None], dtype=pl.String)})
    seen = examine(given).row(0, named=True)
    assert (seen["status"], seen["number"], seen["partial"]) == ("wrong_length", None, partial)
