"""Names. Enters: names as departments write them. Leaves: the name to show, the name to compare, what kind it is, surname and given name, readings.

Every step is script-safe: a name that is not empty never becomes empty.
"""

from __future__ import annotations

import math
import unicodedata
from functools import cache
from itertools import product

import opencc
import polars as pl
from pypinyin import Style, pinyin

from schemas import cells
from schemas.reference import lists

_HAN = r"\p{Han}"
# a name of such characters alone is shown as it is
_PLAIN = r"^[\u{3400}-\u{4DBF}\u{4E00}-\u{9FFF}]+$"
_DOTS = r"[•・‧．.∙⋅·\u{2010}-\u{2015}\-]"
# what stands where a character could not be written
_UNREADABLE = r"[?？□■〓\u{FFFD}○\u{E000}-\u{F8FF}]"
_NICKNAMES = ["毛毛", "宝宝", "小宝", "大宝", "二宝", "三宝", "贝贝", "妞妞", "乐乐", "豆豆", "囡囡", "丫丫", "皮皮", "小毛", "毛头", "妹妹", "弟弟", "娃娃", "幺妹", "幺儿", "小妹", "婴儿", "新生儿", "男婴", "女婴", "未取名", "未命名", "待取名"]
# what stands where a relative's name was asked for, beside the words for what relation it is
_NOBODY = ["家长", "监护人", "本人", "同上", "亲属", "亲戚", "其他", "其他亲属", "老师", "班主任", "未知", "不知", "不知道", "不明", "暂无", "没有", "空", "已故", "去世", "死亡", "失踪", "失联", "离异"]
_MOST_READINGS = 8


def display(text: pl.Expr) -> pl.Expr:
    """The name without blanks between characters, trailing marks and counters; separators as · (民委发〔2016〕33号)."""
    return cells.unless(_PLAIN, text, _displayed)


def _displayed(text: pl.Expr) -> pl.Expr:
    bare = text.str.normalize("NFKC").str.replace_all(r"[\s\u{200B}-\u{200D}]+", " ").str.strip_chars()
    bare = bare.str.replace_all(f"({_HAN}|{_UNREADABLE}|·) +", "${1}").str.replace_all(f" +({_HAN}|{_UNREADABLE})", "${1}")
    dotted = bare.str.replace_all(f"({_HAN}){_DOTS}+", "${1}·").str.replace(r"·$", "")
    # a rare character is sometimes described in brackets: 张(韦华)
    described = dotted.str.replace(r"^(\p{Han})[(\[【][^)\]】]*[)\]】]$", "${1}?")
    unmarked = described.str.replace(r"[(\[【][^)\]】]*[)\]】]?$", "").str.replace(r"[*#\d\s]+$", "")
    return pl.when(unmarked.str.len_chars() > 0).then(unmarked).otherwise(text)


def folded(name: pl.Expr) -> pl.Expr:
    """The name for comparing: simplified characters, variants joined, no dots and blanks, Latin letters upper case, unreadable characters as ?."""
    return cells.where(_to_fold(), name, _folded)


def _folded(name: pl.Expr) -> pl.Expr:
    table = _folding()
    bare = name.str.replace_all(_UNREADABLE, "?").str.replace_many(list(table), list(table.values())).str.to_uppercase().str.replace_all(r"[·\s'’]", "")
    return pl.when(bare.str.len_chars() > 0).then(bare).otherwise(name)


@cache
def _to_fold() -> str:
    """A pattern of the names that folding may change: any with more than Han characters, or with a character that is compared as another."""
    return f"[^\\p{{Han}}]|[{''.join(_folding())}]"


@cache
def _folding() -> dict[str, str]:
    """Traditional and variant characters -> the character they are compared as."""
    convert = opencc.OpenCC("t2s").convert
    common = [chr(c) for c in range(0x4E00, 0x9FFF)]
    table = {c: s for c, s in zip(common, convert("".join(common)), strict=True) if c != s}
    variants = lists.read("character_variants.csv").select("variant", "character").iter_rows()
    return table | dict(variants)


def kind(name: pl.Expr) -> pl.Expr:
    """full, newborn, nickname, latin, partial or absent."""
    return (
        pl.when(name.is_null())
        .then(pl.lit("absent"))
        .when(parent_in_name(name).is_not_null())
        .then(pl.lit("newborn"))
        .when(name.is_in(_NICKNAMES) | _is_pet_name(name))
        .then(pl.lit("nickname"))
        .when(name.str.contains(_UNREADABLE))
        .then(pl.lit("partial"))
        .when(~name.str.contains(_HAN))
        .then(pl.lit("latin"))
        .otherwise(pl.lit("full"))
    )


def _is_pet_name(name: pl.Expr) -> pl.Expr:
    """Whether a name is one character twice (豪豪), or 小 and one (小宇), and no surname is in it."""
    first = name.str.slice(0, 1)
    twice = (first == name.str.slice(1, 1)) & first.str.contains(_HAN) & ~first.is_in([s for s in surname_readings() if len(s) == 1])
    return (name.str.len_chars() == 2) & (twice | (first == "小"))


def parent_in_name(name: pl.Expr) -> pl.Expr:
    """The parent's name that a newborn's name carries (王丽 of 王丽之女); null for any other name."""
    return name.str.extract(r"^(.{2,8}?)之(?:长|次|大|小|幼|双胞胎)?(?:子|女|男|婴|儿)[0-9A-Z一二甲乙]?$", 1)


def of_relative(name: pl.Expr) -> pl.Expr:
    """The name of a relative; null where a word stands there that is nobody's name (父亲, 家长, 已故), and would make one family of all who have it."""
    words = [*_NOBODY, *lists.read("relation_words.csv").get_column("word")]
    return pl.when(~name.is_in(words)).then(name)


def surname(name: pl.Expr) -> pl.Expr:
    """The surname of a folded name; empty where it has none: a name longer than any Han name, or in Latin letters, is all given name."""
    size = name.str.len_chars()
    double = name.str.slice(0, 2).is_in([s for s in surname_readings() if len(s) == 2]) & (size > 2)
    return (
        pl.when(~name.str.contains(f"^{_HAN}").fill_null(False)).then(pl.lit(""))
        .when(double).then(pl.when(size <= 5).then(name.str.slice(0, 2)).otherwise(pl.lit("")))
        .when(size <= 4).then(name.str.slice(0, 1))
        .otherwise(pl.lit(""))
    )  # fmt: skip


@cache
def surname_readings() -> dict[str, frozenset[str]]:
    """Surname -> its readings without tones, syllables joined; those of the list come first, for the general dictionary reads surnames wrongly."""
    found: dict[str, frozenset[str]] = {}
    for surname, reading, _ in lists.read("surname_readings.csv").iter_rows():
        found[surname] = frozenset(_toneless(r) for r in reading.replace("、", "/").split("/"))
    for surname, _ in lists.read("surname_weights_faker.csv").iter_rows():
        found.setdefault(surname, frozenset({"".join(_character(c)[0] for c in surname)}))
    return found | {"覃": frozenset({"qin", "tan"}), "隗": frozenset({"wei", "kui"})}


def surname_sounds(surname: str) -> list[str]:
    """All ways a surname may sound; the empty one is silent.

    A set, for 覃 is Qín or Tán: two names sound alike where the sets meet.
    """
    if not surname:
        return [""]
    return sorted(surname_readings().get(surname) or {"".join(_character(c)[0] for c in surname)})


@cache
def given_sounds(given: str) -> list[str]:
    """All ways a given name may sound, at most 8: toneless syllables joined by blanks; Latin letters are their own reading."""
    if not any(_is_han(c) for c in given):
        return [given.lower()]
    syllables = [_character(c) for c in given]
    if math.prod(map(len, syllables)) > _MOST_READINGS:
        syllables = [s[:1] for s in syllables]
    return [" ".join(each) for each in product(*syllables)]


@cache
def _character(character: str) -> tuple[str, ...]:
    """The two most common toneless readings of a character; itself where it has none."""
    found = pinyin(character, style=Style.NORMAL, heteronym=True)[0]
    return tuple(dict.fromkeys(found))[:2]


def _toneless(reading: str) -> str:
    bare = unicodedata.normalize("NFD", reading.replace("ü", "v")).encode("ascii", "ignore").decode()
    return bare.replace(" ", "").lower()


def _is_han(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or "\U00020000" <= character <= "\U0003ffff"
