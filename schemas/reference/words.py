"""Codes in words. Enters: the name of a code set of words.yaml and a language. Leaves: code -> word."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import yaml

Lang = Literal["zh", "en"]


@cache
def words(code_set: str, lang: Lang = "zh") -> dict[str, str]:
    """The words of a code set, in the file's order.

    Raises:
        KeyError: there is no such code set.
    """
    given = yaml.safe_load((Path(__file__).parent / "words.yaml").read_text("utf-8"))
    return {code: word[lang] for code, word in given[code_set].items()}
