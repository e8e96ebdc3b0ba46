"""What people are called. Enters: a random generator, sexes and parents. Leaves: surnames and given names as text.

Surnames by the weights of schemas/reference/surname_weights_faker.csv with the ones common in Chongqing raised; given names from the published
rankings (newborn_names_mps.csv) for one child in seven, else put together from characters popular in these years.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml
from numpy.typing import NDArray

from sample_data.places import REFERENCE

Names = NDArray[np.object_]
_LOCAL = {"冉": 4.0, "向": 3.0, "田": 2.0, "谭": 3.0, "覃": 4.0, "秦": 3.0, "黎": 3.0, "李": 1.2}
_COMPOUND = {"欧阳": 0.10, "令狐": 0.02, "尉迟": 0.01, "上官": 0.02, "司马": 0.02, "诸葛": 0.02}
_FIRST = {
    True: "宇浩梓子俊奕沐嘉博文睿思明泽天一佳铭晨志瑞星锦弘皓景书承亦禹诗宸楷骏智柏启家承若",
    False: "梓欣诗雨语若思佳一可依子梦馨静雅艺苡沐汐婉晨紫心芷晓玥雪锦清妍悦欣钰嘉琪熙诺书",
}
_LAST = {
    True: "轩豪涵辰宇泽航杰文博然阳铭睿晨宸熙昊逸诚霖源韬翔鹏鑫远恒毅峰程墨瑜洋龙凯俊栋朗",
    False: "涵怡桐妍彤萱瑶琪婷汐玥诺欣悦雯琳菲月瑾溪蕊颖洁晴熙宁灵柔婕钰冉媛沫嫣晗萌依雪",
}
_SINGLE = {True: "浩轩睿博宇鑫杰航阳晨帆锐昊凯", False: "欣悦婷琪颖萱妍彤雪静雯晴玥倩"}
_RARE = "䶮㼆𬱖堃喆甯峯珺翀垚"
_ADULT_FIRST = {True: "建国志小文永明春世光正德海晓俊立家大云", False: "小秀晓春玉美丽红海雪文金桂艳淑素明兴"}
_ADULT_LAST = {True: "伟强勇军杰涛超斌波辉刚平华林峰兵云龙明飞", False: "芳娟敏静丽艳燕霞玲梅英琼容红蓉群会兰莉萍"}
_UYGHUR = {
    True: ("阿卜杜拉", "买买提", "艾力", "吐尔逊", "玉素甫", "艾尔肯", "依布拉音"),
    False: ("阿依古丽", "古丽娜尔", "热依汗", "帕提古丽", "阿米娜", "祖丽胡马尔"),
}
_TIBETAN = {True: ("扎西次仁", "多吉", "洛桑尼玛", "次仁顿珠", "丹增"), False: ("卓玛", "央金拉姆", "格桑卓玛", "次仁央宗", "白玛")}
_YI_CLAN = ("吉克", "阿苏", "沙马", "阿尔", "马海", "吉木")
_YI = {True: ("尔古", "拉铁", "木呷", "尔布", "阿木"), False: ("阿依", "阿呷", "依各", "乌萨", "嫫嘎")}
# nationalities whose names keep their own form, by the first two digits of the place of the hukou
OWN_FORM = {"65": "维吾尔族", "54": "藏族"}


@cache
def confusions() -> dict[str, Any]:
    """sample_data/confusions.yaml."""
    loaded: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "confusions.yaml").read_text("utf-8"))
    return loaded


@cache
def _surnames() -> tuple[Names, NDArray[np.float64]]:
    table = pl.read_csv(REFERENCE / "surname_weights_faker.csv")
    weights = dict(zip(table["surname"], table["weight_percent"], strict=True)) | {"肖": 0.5, "付": 0.4, "龚": 0.4}
    weights |= {name: weights.get(name, 0.15) * factor for name, factor in _LOCAL.items()} | _COMPOUND
    return np.array(list(weights), dtype=object), np.cumsum(list(weights.values()))


@cache
def _ranked(male: bool) -> tuple[Names, NDArray[np.float64]]:
    """Published top names with weight falling with rank, those of several years and places added up."""
    table = pl.read_csv(REFERENCE / "newborn_names_mps.csv").filter(pl.col("sex_or_char") == ("男" if male else "女"))
    weights = table.group_by("name", maintain_order=True).agg((1.0 / (pl.col("rank") + 2)).sum().alias("weight"))
    return weights["name"].to_numpy().astype(object), np.cumsum(weights["weight"].to_numpy())


def surnames(rng: np.random.Generator, size: int) -> Names:
    """Surnames drawn by weight."""
    pool, cumulated = _surnames()
    return pool[np.searchsorted(cumulated / cumulated[-1], rng.random(size), side="right")]


def given_names(rng: np.random.Generator, male: NDArray[np.bool_], rare: float) -> Names:
    """Children's given names; a share `rare` of them holds a character that many systems lack."""
    out = np.empty(len(male), dtype=object)
    for is_male in (True, False):
        here = np.flatnonzero(male == is_male)
        pool, cumulated = _ranked(is_male)
        ranked = pool[np.searchsorted(cumulated / cumulated[-1], rng.random(len(here)), side="right")]
        made = _pick(rng, _FIRST[is_male], len(here)) + _pick(rng, _LAST[is_male], len(here))
        single = _pick(rng, _SINGLE[is_male], len(here))
        kind = rng.random(len(here))
        out[here] = np.where(kind < 0.15, ranked, np.where(kind < 0.87, made, single))
    unusual = rng.random(len(male)) < rare
    first = np.array([name[0] for name in out[unusual]], dtype=object)
    out[unusual] = first + _pick(rng, _RARE, int(unusual.sum()))
    return out


def adult_names(rng: np.random.Generator, surname: Names, male: bool) -> Names:
    """Full names of adults of one sex."""
    two = rng.random(len(surname)) < 0.75
    first = np.where(two, _pick(rng, _ADULT_FIRST[male], len(surname)), "")
    return np.asarray(surname + first + _pick(rng, _ADULT_LAST[male], len(surname)), dtype=object)


def twin_names(rng: np.random.Generator, first: Names, male: NDArray[np.bool_]) -> Names:
    """Given names that share the first character with the twin's."""
    last = np.where(male, _pick(rng, _LAST[True], len(first)), _pick(rng, _LAST[False], len(first)))
    same = np.array([len(a) > 1 and a[1] == b for a, b in zip(first, last, strict=True)], dtype=bool)
    last = np.where(same, np.where(male, "凌", "芸"), last)
    return np.array([a[0] for a in first], dtype=object) + last


def own_form(rng: np.random.Generator, nationality: str, male: bool, size: int) -> Names:
    """Full names in the form of the nationality: Uyghur and Yi with the dot U+00B7 (民委发〔2016〕33号), Tibetan without."""
    if nationality == "维吾尔族":
        return np.asarray(_pick(rng, _UYGHUR[male], size) + "·" + _pick(rng, _UYGHUR[True], size), dtype=object)
    if nationality == "藏族":
        return _pick(rng, _TIBETAN[male], size)
    return np.asarray(_pick(rng, _YI_CLAN, size) + "·" + _pick(rng, _YI[male], size), dtype=object)


def _pick(rng: np.random.Generator, pool: str | tuple[str, ...], size: int) -> Names:
    return np.array(list(pool), dtype=object)[rng.integers(len(pool), size=size)]
