"""What place a text means. Enters: division codes of any age and system, names, addresses. Leaves: code in force today, township, words as written.

Nine-digit codes clash between two systems (302 of the city's mean another township), so a code is read in its feed's system and townships are compared by
(district, name). Old codes are mapped forward: GB/T 2260 revisions, and the changes of 2025-11-06 by township (schemas/reference/SOURCES.md).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import NamedTuple, TypeVar

import polars as pl

from schemas.reference import lists

SYSTEMS = ("MCA", "NBS")
_Meaning = TypeVar("_Meaning")
_CODE = re.compile(r"(\d{6})(\d{3})?(?:\d{3})?(?:\.0)?")
_CODE_BESIDE_NAME = re.compile(r"(?P<before>[^\d()\[\]]*)[(\[]?(?P<code>\d{6}|\d{9}|\d{12})[)\]]?[(\[]?(?P<behind>[^\d()\[\]]*)[)\]]?")
_TOWNSHIP = re.compile(r"^([\u4e00-\u9fff]{1,10}?(?:街道|镇|乡))")
# a people of one character always has its 族: the 水 of 彭水 and the 白 of 长白 are of the place
_PEOPLES = (
    "(?:(?:蒙古|维吾尔|布依|朝鲜|土家|哈尼|哈萨克|傈僳|拉祜|东乡|纳西|景颇|柯尔克孜|达斡尔|仫佬|布朗|撒拉|毛南|仡佬|锡伯|阿昌|普米|塔吉克|俄罗斯|鄂温克|保安|裕固|独龙|鄂伦春)族?|"
    "(?:回|藏|苗|彝|壮|满|侗|瑶|白|傣|黎|佤|畲|水|土|羌|怒|各)族)+"
)
_SUFFIX = re.compile(f"(?:{_PEOPLES}自治[区州县旗]|自治[区州县旗]|特别行政区|地区|省|市|区|县|州|盟|旗)$")


class Place(NamedTuple):
    """A place that a text means.

    Attributes:
        code: six characters in force today, `5001GX` for 高新区, a province or prefecture outside the city; null where unknown.
        township: its name; null where not said.
        written: the six digits as written, or those of the name as written.
        level: township, district, zone, city, province; null where nothing of the text is known.
        warning: division_old_code, division_container, division_unknown, division_ambiguous, township_unknown; null where all is well.
    """

    code: str | None
    township: str | None
    written: str | None
    level: str | None
    warning: str | None


UNKNOWN = Place(None, None, None, None, "division_unknown")


def resolve(values: pl.Series, system: str = "MCA") -> pl.DataFrame:
    """Each distinct text and the place it means.

    Args:
        values: division texts, nulls and repeats allowed. system: the code system of nine-digit codes, MCA or NBS.

    Returns:
        text, code, township, written, level, warning; one row per distinct text, in order of the text.
    """
    texts = values.cast(pl.String).drop_nulls().unique().sort()
    rows = [(text, *place(text, system)) for text in texts]
    names = ["text", *Place._fields]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


@lru_cache(maxsize=2**16)
def place(text: str, system: str = "MCA") -> Place:
    """The place that one text means; `UNKNOWN` where it means none we know."""
    bare = re.sub(r"[\s/,，、|>\-—]+", "", unicodedata.normalize("NFKC", text))
    if coded := _CODE.fullmatch(bare):
        return _of_code(coded[1], coded[2], system)
    both = _CODE_BESIDE_NAME.fullmatch(bare)
    if both and bool(both["before"]) != bool(both["behind"]):
        return _of_both(place(both["code"], system), _of_name(both["before"] or both["behind"]))
    return _of_name(bare)


def _of_both(coded: Place, named: Place) -> Place:
    """The place of a code that stands beside a name: the finer of the two where one lies in the other, none where they contradict each other.

    Of two townships the name's stands: nine digits mean different ones in the two systems.
    """
    if coded.code is None or named.code is None:
        return coded if named.code is None else named
    if coded.code == named.code:
        return coded if named.township is None and coded.township is not None else named
    for wide, narrow in ((coded, named), (named, coded)):
        if str(narrow.code).startswith(str(wide.code).rstrip("0")) and wide.level in ("province", "city"):
            return narrow
    if named.code == lists.HIGH_TECH_ZONE and coded.code in lists.zone_hosts("高新区直管园"):
        return named
    return UNKNOWN._replace(warning="division_ambiguous")


def _of_code(six: str, three: str | None, system: str) -> Place:
    if six in lists.CONTAINERS:
        return Place(None, None, six, "city", "division_container")
    if three not in (None, "000") and six.startswith("50"):
        found = _township(six + str(three), system)
        if found is not None:
            township, code = found
            return Place(code, township, six, "township", "division_old_code" if six in lists.successors() else None)
    lost = "township_unknown" if three not in (None, "000") else None
    if six in lists.counties():
        return Place(six, None, six, "district", lost if six.startswith("50") else None)
    if six in lists.successors():
        return Place(lists.successors()[six], None, six, "district", lost or "division_old_code")
    return _elsewhere(six)


def _township(nine: str, system: str) -> tuple[str, str] | None:
    """The township of a code: in the feed's own system, or in the other where only that one has it."""
    for table in (system, *(s for s in SYSTEMS if s != system)):
        if nine in lists.township_codes(table):
            return lists.township_codes(table)[nine]
    return None


def _elsewhere(six: str) -> Place:
    """A code outside the city's districts of today and before."""
    if six.startswith("50"):
        return Place(None, None, six, "city", "division_unknown")
    if six[:2] not in lists.provinces():
        return UNKNOWN
    if six[2:] == "0000":
        return Place(six, None, six, "province", None)
    if six[4:] == "00" and (six[:4] in lists.prefectures() or six in lists.former_names()):
        return Place(six, None, six, "city", None)
    if six in lists.former_names():
        return Place(six, None, six, "district", None)
    return Place(f"{six[:2]}0000", None, six, "province", "division_unknown")


def _of_name(text: str) -> Place:
    province, rest = _leading(text, _province_names())
    if province in (None, lists.CITY):
        rest = re.sub(r"^市辖区(?=.)|^县(?=[\u4e00-\u9fff]{2})", "", rest)
        district, behind = _leading(rest, _city_names())
        if district is not None:
            return _with_township(*district, behind)
        if province == lists.CITY or text in ("市辖区", "重庆"):
            return _lone_township(rest) or Place(None, None, lists.CITY_CODE, "city", "division_container" if not rest or rest == "市辖区" else "division_unknown")
        found = _lone_township(rest)
        if found is not None:
            return found
    return _outside(province, rest)


def _leading(text: str, names: Mapping[str, _Meaning]) -> tuple[_Meaning | None, str]:
    """The longest of the names that the text starts with, as what it stands for, and what is behind it; (None, text) without one."""
    for length in range(min(len(text), 16), 1, -1):
        if text[:length] in names:
            return names[text[:length]], text[length:]
    return None, text


@cache
def _province_names() -> dict[str, str]:
    full = set(lists.provinces().values())
    short = {name[:-1] if name[-1] in "省市" else name[: 3 if name.startswith("内蒙古") else 2]: name for name in full}
    return {**short, **{name: name for name in full}}


@cache
def _city_names() -> dict[str, tuple[str, str]]:
    """Names of the city's districts and zones, of today and before, whole and short -> (code today, as written)."""
    names: dict[str, tuple[str, str]] = {}
    for old, code in lists.old_district_names().items():
        names[old] = (lists.successors().get(code, code), code)
    for code, county in lists.counties().items():
        if county.province == lists.CITY:
            names[county.name] = (code, code)
    for name in list(names):
        short = _short(name)
        for form in (short, f"{short}县") if name.endswith("自治县") else (short,):
            if len(form) >= 2:
                names.setdefault(form, names[name])
    zones = lists.read("zone_names.csv").iter_rows()
    return names | {name: (code, written) for name, code, written in zones}


def _with_township(code: str, written: str, behind: str) -> Place:
    """A district, and the township that the text names behind it."""
    old = "division_old_code" if written in lists.successors() else None
    level = "zone" if code == lists.HIGH_TECH_ZONE else "district"
    if not behind:
        return Place(code, None, written, level, old)
    for length in range(min(len(behind), 12), 1, -1):
        name = behind[:length]
        now = lists.township_places().get((written, name)) or lists.township_places().get((code, name))
        if now is not None or (code == lists.HIGH_TECH_ZONE and name in lists.zone_townships("高新区直管园")):
            return Place(now or code, name, written, "township", old)
    named = _TOWNSHIP.match(behind)
    return Place(code, None, written, level, "township_unknown" if named else old)


def _lone_township(text: str) -> Place | None:
    """A township named alone, where only one district has one of that name."""
    homes = _homes().get(text, ())
    return Place(homes[0], text, homes[0], "township", None) if len(homes) == 1 else None


@cache
def _homes() -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for (_, name), now in lists.township_places().items():
        found.setdefault(name, set()).add(now)
    return {name: tuple(sorted(codes)) for name, codes in found.items()}


def _outside(province: str | None, text: str) -> Place:
    """A county, prefecture or province outside the city by name."""
    for city, prefix, heads in _cities(province):
        head = next((h for h in heads if text.startswith(h)), None)
        if head is None:
            continue
        behind = text[len(head) :]
        county = _county(behind, province, prefix)
        # 朝阳区 is no place in 朝阳市: a short name counts only before a whole one
        if county is not None or behind == "" or province is not None or head == city or len(behind) >= 3:
            code = county or f"{prefix}00"
            return Place(code, None, code, "district" if county else "city", "division_unknown" if behind and county is None else None)
    alone = _county(text, province)
    if alone is not None:
        return Place(alone, None, alone, "district", None)
    if province is not None:
        prefix = next(p for p, name in lists.provinces().items() if name == province)
        return Place(f"{prefix}0000", None, f"{prefix}0000", "province", "division_unknown" if text else None)
    several = any(text[:length] in _counties(None, "").whole for length in range(1, len(text) + 1))
    return UNKNOWN._replace(warning="division_ambiguous") if several else UNKNOWN


@cache
def _cities(province: str | None) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """The prefectures outside the city, of one province or of all, longest name first: name, four-digit prefix, and what a text may call them."""
    found = sorted({(c.city, c.code[:4]) for c in _inside(province, "") if c.city}, key=lambda c: (-len(c[0]), c))
    return tuple((city, prefix, tuple(h for h in _heads(city) if len(h) >= 2)) for city, prefix in found)


def _heads(city: str) -> tuple[str, str, str]:
    short = _short(city)
    return city, f"{short}州" if city.endswith("自治州") else short, short


def _inside(province: str | None, prefix: str) -> list[lists.County]:
    """The counties outside the city, of one province or of all, of one prefecture or of all."""
    return [c for c in lists.counties().values() if province in (None, c.province) and c.province != lists.CITY and c.code.startswith(prefix)]


@cache
def _short(name: str) -> str:
    """A place's name without what kind of place it is."""
    return _SUFFIX.sub("", name)


class _Counties(NamedTuple):
    """Counties by their whole names and by their short ones, of two characters and more."""

    whole: dict[str, set[str]]
    short: dict[str, set[str]]


@cache
def _counties(province: str | None, prefix: str) -> _Counties:
    found = _Counties({}, {})
    for county in _inside(province, prefix):
        short = _short(county.name)
        found.whole.setdefault(county.name, set()).add(county.code)
        if len(short) >= 2:
            found.short.setdefault(short, set()).add(county.code)
            if county.name.endswith("自治县"):
                found.whole.setdefault(f"{short}县", set()).add(county.code)
    return found


def _county(text: str, province: str | None, prefix: str = "") -> str | None:
    """The one county outside the city that the text starts with, by whole name or, where that fails, by its short one; null where none or several."""
    among = _counties(province, prefix)
    whole = set().union(*(among.whole.get(text[:length], ()) for length in range(1, len(text) + 1)))
    for codes in (whole, among.short.get(text, set())):
        if len(codes) == 1:
            return next(iter(codes))
    return None
