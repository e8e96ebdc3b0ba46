"""How texts sound: distinct texts go in, the ways each may sound come out. Chinese by pinyin (sets of readings), Latin letters by jellyfish's codes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import jellyfish
import polars as pl

from matching.name_levels import name_table

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
        cells = pl.DataFrame({"name": texts}, schema={"name": pl.String})
        return cells.join(name_table(cells["name"]).select("name", "sounds"), on="name", how="left", maintain_order="left")["sounds"].to_list()
    code = _CODES[how]
    bare = (_LETTERS.sub("", text.upper()) for text in texts)
    return [[code(text)] if text else [] for text in bare]
