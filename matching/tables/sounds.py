"""How texts sound: distinct texts go in, the ways each may sound come out. Chinese by pinyin (sets of readings), Latin letters by jellyfish's codes."""

from __future__ import annotations

import re
from collections.abc import Callable

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


def sounds(texts: list[str], how: str) -> pl.Series:
    """How each text sounds: by pinyin a list of all ways it may (List of String), else its code (String); null where it has nothing that sounds.

    Args:
        how: pinyin, soundex (Russell 1918), metaphone (Philips 1990), nysiis (Taft 1970) or match_rating (Moore 1977).
    """
    if how == "pinyin":
        cells = pl.DataFrame({"name": texts}, schema={"name": pl.String})
        return cells.join(name_table(cells["name"]).select("name", "sounds"), on="name", how="left", maintain_order="left")["sounds"]
    code = _CODES[how]
    bare = (_LETTERS.sub("", text.upper()) for text in texts)
    return pl.Series([code(text) if text else None for text in bare], dtype=pl.String)
