"""How names go wrong. Enters: names and the children they belong to. Leaves: the names as somebody misheard, misread or shortened them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import polars as pl

from sample_data.names import confusions
from sample_data.places import REFERENCE


@cache
def _others(kind: str) -> dict[str, str]:
    """Each character's confusable ones."""
    out: dict[str, str] = {}
    for group in confusions()[kind]:
        for character in group:
            out[character] = out.get(character, "") + group.replace(character, "")
    return out


def _confused(rng: np.random.Generator, name: pl.Series, kind: str) -> pl.Series:
    """One character that can be mistaken replaced by one it is mistaken for; names without such a character stay."""
    others = _others(kind)
    draws = rng.random((len(name), 2))
    out = []
    for text, (where, which) in zip(name, draws, strict=True):
        at = [i for i, c in enumerate(text) if c in others]
        if at:
            i = at[int(where * len(at))]
            text = text[:i] + others[text[i]][int(which * len(others[text[i]]))] + text[i + 1 :]
        out.append(text)
    return pl.Series(out, dtype=pl.String)


@cache
def _readings() -> dict[str, str]:
    table = pl.read_csv(REFERENCE / "surname_readings.csv")
    plain = table["reading_as_surname"].str.normalize("NFD").str.replace_all("[\u0300-\u036f ]", "")
    return dict(zip(table["surname"], plain, strict=True))


@cache
def _sound(text: str) -> str:
    from pypinyin import lazy_pinyin

    return "".join(lazy_pinyin(text))


def pinyin(name: str) -> str:
    """The name in capital letters, as systems without Chinese characters keep it."""
    readings = _readings()
    long = 2 if name[:2] in readings and len(name) > 2 else 1
    return (readings.get(name[:long], _sound(name[:long])) + _sound(name[long:])).upper()


def birth_name(mother: pl.Series, male: pl.Series) -> pl.Series:
    """某某之子 or 某某之女."""
    return pl.DataFrame({"m": mother, "s": male}).select(pl.col("m") + pl.when("s").then(pl.lit("之子")).otherwise(pl.lit("之女")))["m"]


def unreadable(rng: np.random.Generator, name: pl.Series) -> pl.Series:
    """The rare character as `?`, `□`, its usual form, pinyin or a private-use code point."""
    rare = confusions()["rare"]
    out = []
    for text, draw in zip(name, rng.integers(5, size=len(name)), strict=True):
        for character, (form, sound, private) in rare.items():
            text = text.replace(character, ("?", "□", form, sound, private)[draw])
        out.append(text)
    return pl.Series(out, dtype=pl.String)


def _dropped(_: np.random.Generator, name: pl.Series, __: pl.DataFrame) -> pl.Series:
    return pl.select(pl.when(name.str.len_chars() > 2).then(name.str.slice(0, 2)).otherwise(name)).to_series()


def _swapped(_: np.random.Generator, name: pl.Series, __: pl.DataFrame) -> pl.Series:
    return name.str.replace("^(.)(.)(.)$", "${1}${3}${2}")


def _former(_: np.random.Generator, name: pl.Series, kids: pl.DataFrame) -> pl.Series:
    own = name.str.contains("·") | (kids["ethnicity"] == "藏族")
    return pl.DataFrame({"n": name, "f": kids["former_name"], "o": own}).select(pl.when("o").then("n").otherwise("f"))["n"]


# fault -> what becomes of the names; a name that can't go wrong this way stays as it is
NAME_FAULTS: dict[str, Callable[[np.random.Generator, pl.Series, pl.DataFrame], pl.Series]] = {
    "name_homophone": lambda rng, name, _: _confused(rng, name, "homophones"),
    "name_look_alike": lambda rng, name, _: _confused(rng, name, "look_alikes"),
    "name_dropped": _dropped,
    "name_swapped": _swapped,
    "name_former": _former,
    "name_pinyin": lambda _, name, __: pl.Series([pinyin(n) for n in name], dtype=pl.String),
}
