"""Ten planted stories told in Chinese and English, word for word, and what must not be in any of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.journey.told_stories import GOLDEN, STORIES, persons, told

# our own names for things, which no reader should have to know
CODES = re.compile(r"\b[a-z]+_[a-z_]+\b|\b(?:None|null|nan|bit|p =)\b")


@pytest.fixture(scope="module")
def known(tiny_register: Path) -> dict[str, str]:
    return persons(tiny_register)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", STORIES)
def test_a_story_is_told_word_for_word(tiny_register: Path, known: dict[str, str], name: str, lang: str) -> None:
    expected = (GOLDEN / f"{name}.{lang}.txt").read_text("utf-8")
    assert told(tiny_register, known[name], lang) == expected, "read what changed; if it is right: python -m tests.journey.told_stories REGISTER"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.txt")), ids=lambda path: path.name)
def test_no_code_of_ours_is_in_a_story(path: Path) -> None:
    text = re.sub(r"\[[^\]]*\]", "", path.read_text("utf-8"))  # where a row was found
    assert not CODES.findall(text)
    if path.name.endswith(".zh.txt"):
        assert not re.findall(r"[a-z]{3,}", re.sub(r"childflow explain --register REGISTER --lang zh|--and", "", text))


def test_every_story_has_both_languages_and_no_other_text_lies_about() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {f"{name}.{lang}.txt" for name in STORIES for lang in ("zh", "en")}
