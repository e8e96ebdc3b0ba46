"""How texts sound: distinct texts go in, the ways each may sound come out. Chinese by pinyin (sets of readings), Latin letters by jellyfish's codes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import jellyfish

from matching.names import readings

_LETTERS = re.compile(r"[^A-Z]")
_CODES: dict[str, Callable[[str], str]] = {
    "soundex": jellyfish.soundex,
    "metaphone": jellyfish.metaphone,
    "nysiis": jellyfish.nysiis,
    "match_rating": jellyfish.match_rating_codex,
}


def sounds(texts: Iterable[str], how: str) -> list[list[str]]:
    """For each text the sorted ways it may sound; none where it has nothing that sounds.

    Args:
        how: pinyin, soundex (Russell 1918), metaphone (Philips 1990), nysiis (Taft 1970) or match_rating (Moore 1977).
    """
    if how == "pinyin":
        return [sorted(readings(text)) for text in texts]
    code = _CODES[how]
    bare = (_LETTERS.sub("", text.upper()) for text in texts)
    return [[code(text)] if text else [] for text in bare]
