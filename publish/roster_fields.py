"""Which department sees which child, and what of it. Enters: publish/fields/roster.yaml. Leaves: `Recipient`s, and a roster's columns as expressions.

The expressions read the frame of sql/roster_children.sql, one row per flowing child.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from publish.disclosure import mask_id, mask_phone
from publish.words import ACCOMPANIED, CATEGORY_WORDS, DIRECTIONS, FEED_WORDS, ID_STATUSES, RELATION_WORDS, SEXES, in_words
from schemas.exports.feeds import FEEDS
from schemas.tables.assessment import CATEGORIES

_LAYOUT = Path(__file__).parent / "fields" / "roster.yaml"
CIVIL_AFFAIRS = "民政"


class RosterLayoutError(Exception):
    """publish/fields/roster.yaml cannot be used; says which entry, and what was allowed."""


@dataclass(frozen=True)
class Field:
    """A column of a roster: its heading, and its width in characters."""

    heading: str
    width: float


FIELDS: dict[str, Field] = {
    "name": Field("姓名", 10),
    "former_names": Field("曾用名及其他写法", 14),
    "sex": Field("性别", 5.5),
    "birth_date": Field("出生日期", 11.5),
    "id_number": Field("身份证号", 21),
    "id_number_status": Field("证号状态", 9),
    "hukou": Field("户籍地", 20),
    "residence": Field("现居住地", 18),
    "away_since": Field("离开户籍地日期", 11.5),
    "is_inferred": Field("日期为推定", 7),
    "months_away": Field("离开月数", 6),
    "direction": Field("流动方向", 10),
    "accompanied": Field("随同情况", 10),
    "turns_16_on": Field("年满16周岁日期", 11.5),
    "guardian": Field("监护人", 15),
    "guardian_phone": Field("监护人电话", 13),
    "guardians": Field("监护人详情", 34),
    "phones": Field("联系电话", 13),
    "key_care": Field("重点关爱类别", 14),
    "key_care_basis": Field("重点关爱依据", 26),
    "next_visit_due": Field("下次走访期限", 11.5),
    "school": Field("在读学校", 20),
    "grade": Field("年级", 8),
    "insurance": Field("参保情况", 18),
    "to_check": Field("请重点核实", 26),
    "all_to_check": Field("待办与服务缺口", 28),
    "first_listed_on": Field("首次列入日期", 11.5),
    "verification": Field("最近核实", 16),
    "feeds": Field("数据来源", 18),
}
# what only civil affairs may ever be given, whatever the file says
_CIVIL_AFFAIRS_FIELDS = frozenset({"key_care", "key_care_basis", "next_visit_due", "all_to_check", "guardians", "verification", "feeds"})


@dataclass(frozen=True)
class Recipient:
    """A department that gets rosters.

    Attributes:
        code: two letters in the roster's number; `check`: what it is asked, in words.
        concerns: names of conditions, one of which must hold.
        feeds: the department's own; `id_number`: full or held; `phone`: full or masked.
        fields: names of FIELDS, in order.
    """

    department: str
    code: str
    purpose: str
    check: str
    concerns: tuple[str, ...]
    feeds: tuple[str, ...]
    id_number: str
    phone: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """The whole of roster.yaml."""

    reply_days: int
    correctable: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, Any]]
    civil_affairs_only: tuple[str, ...]
    recipients: tuple[Recipient, ...]

    @classmethod
    def load(cls, path: Path = _LAYOUT) -> Layout:
        """Read and check the file.

        Raises:
            RosterLayoutError: a key, field, condition or feed that is not known, or a field that only civil affairs may see.
        """
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        _expect(raw, {"reply_days", "correctable", "conditions", "civil_affairs_only", "departments"}, "top level")
        for name, condition in raw["conditions"].items():
            _allow(condition, {"age_from", "age_to", "feed", "category"}, f"conditions/{name}")
            _allow([condition["feed"]] if "feed" in condition else [], set(FEEDS), f"conditions/{name}/feed")
            _allow([condition["category"]] if "category" in condition else [], set(CATEGORIES), f"conditions/{name}/category")
        recipients = tuple(_recipient(name, entry, set(raw["conditions"])) for name, entry in raw["departments"].items())
        return cls(int(raw["reply_days"]), tuple(raw["correctable"]), raw["conditions"], tuple(raw["civil_affairs_only"]), recipients)

    def due(self, as_of: date) -> date:
        """The day by which the answer should be back."""
        return as_of + timedelta(days=self.reply_days)

    def concerns(self, recipient: Recipient) -> pl.Expr:
        """Whether the child is on the department's roster; an unknown age is nobody's reason to leave a child out."""
        return pl.any_horizontal(_holds(self.conditions[name]) for name in recipient.concerns)

    def columns(self, recipient: Recipient) -> list[pl.Expr]:
        """The recipient's columns, named as in FIELDS."""
        made = _expressions(recipient, self.civil_affairs_only)
        return [made[name].alias(name) for name in recipient.fields]


def _recipient(department: str, entry: Mapping[str, Any], conditions: set[str]) -> Recipient:
    where = f"departments/{department}"
    _expect(entry, {"code", "purpose", "check", "concerns", "feeds", "id_number", "phone", "fields"}, where)
    _allow(entry["concerns"], conditions, f"{where}/concerns")
    _allow(entry["feeds"], set(FEEDS), f"{where}/feeds")
    _allow([entry["id_number"]], {"full", "held"} if department == CIVIL_AFFAIRS else {"held"}, f"{where}/id_number")
    _allow([entry["phone"]], {"full", "masked"}, f"{where}/phone")
    _allow(entry["fields"], set(FIELDS) - (frozenset() if department == CIVIL_AFFAIRS else _CIVIL_AFFAIRS_FIELDS), f"{where}/fields")
    return Recipient(
        department, entry["code"], entry["purpose"], entry["check"], tuple(entry["concerns"]), tuple(entry["feeds"]), entry["id_number"],
        entry["phone"], tuple(entry["fields"]),
    )  # fmt: skip


def _expect(entry: Mapping[str, Any], keys: set[str], where: str) -> None:
    _allow(entry, keys, where)
    if missing := sorted(keys - set(entry)):
        raise RosterLayoutError(f"roster.yaml, {where}: missing: {', '.join(missing)}")


def _allow(given: Any, allowed: set[str], where: str) -> None:
    if unknown := sorted(set(given) - allowed):
        raise RosterLayoutError(f"roster.yaml, {where}: not allowed: {', '.join(unknown)}; allowed: {', '.join(sorted(allowed))}")


def _holds(condition: Mapping[str, Any]) -> pl.Expr:
    parts = [pl.lit(True)]
    if "age_from" in condition:
        parts.append(pl.col("age").fill_null(condition["age_from"]) >= condition["age_from"])
    if "age_to" in condition:
        parts.append(pl.col("age").fill_null(condition["age_to"]) <= condition["age_to"])
    if "feed" in condition:
        parts.append(pl.col("feeds").list.contains(condition["feed"]).fill_null(False))
    if "category" in condition:
        parts.append(pl.col("categories").list.contains(condition["category"]).fill_null(False))
    return pl.all_horizontal(parts)


def _expressions(recipient: Recipient, civil_affairs_only: tuple[str, ...]) -> dict[str, pl.Expr]:
    plain = (
        "name", "former_names", "birth_date", "away_since", "is_inferred", "months_away", "turns_16_on", "phones", "next_visit_due", "school", "grade",
        "first_listed_on",
    )  # fmt: skip
    first = pl.col("guardians").list.first().struct
    return {name: pl.col(name) for name in plain} | {
        "sex": in_words(pl.col("sex"), SEXES),
        "id_number": _id_number(recipient),
        "id_number_status": in_words(pl.col("id_number_status"), ID_STATUSES),
        "hukou": _joined("hukou_place", "hukou_township"),
        "residence": _joined("residence_place", "residence_township"),
        "direction": in_words(pl.col("direction"), DIRECTIONS),
        "accompanied": in_words(pl.col("accompanied"), ACCOMPANIED),
        "guardian": _with_relation(first.field("name"), first.field("relation")),
        "guardian_phone": _phone(recipient, pl.coalesce(first.field("phone"), pl.col("phones").list.first())),
        "guardians": _guardians(),
        "insurance": _joined("insurance_place", "insurance_year", "insurance_status", separator=" "),
        "key_care": pl.col("categories").list.eval(in_words(pl.element(), CATEGORY_WORDS)).list.join("、"),
        "key_care_basis": pl.col("care_basis").list.join("\n"),
        "to_check": _notes(pl.element().struct.field("department") == recipient.department, civil_affairs_only),
        "all_to_check": _notes(pl.lit(True), ()),
        "verification": _joined("verification", "verified_on", separator=" "),
        "feeds": pl.col("feeds").list.eval(in_words(pl.element(), FEED_WORDS)).list.join("、"),
    }


def _id_number(recipient: Recipient) -> pl.Expr:
    number = pl.col("id_number")
    if recipient.id_number == "full":
        return number
    holds = (pl.col("feeds_with_id").list.set_intersection(list(recipient.feeds)).list.len() > 0).fill_null(False)
    return pl.when(holds).then(number).otherwise(mask_id(number, beside_birth_date="birth_date" in recipient.fields))


def _phone(recipient: Recipient, phone: pl.Expr) -> pl.Expr:
    return phone if recipient.phone == "full" else mask_phone(phone)


def _joined(*names: str, separator: str = "") -> pl.Expr:
    return pl.concat_str([pl.col(name).cast(pl.String) for name in names], separator=separator, ignore_nulls=True)


def _with_relation(name: pl.Expr, relation: pl.Expr) -> pl.Expr:
    return pl.concat_str(name, pl.lit("（"), in_words(relation, RELATION_WORDS).fill_null("关系不明"), pl.lit("）"))


def _guardians() -> pl.Expr:
    one = pl.element().struct
    line = (_with_relation(one.field("name").fill_null("姓名不明"), one.field("relation")), one.field("id_number").fill_null(""), one.field("phone").fill_null(""))
    return pl.col("guardians").list.eval(pl.concat_str(line, separator=" ").str.strip_chars()).list.join("\n")


def _notes(mine: pl.Expr, withheld: tuple[str, ...]) -> pl.Expr:
    """What there is to check. For any department but civil affairs nothing that rests on, or speaks of, a psychiatric or behavioural entry."""
    note = pl.element().struct
    kept = ~note.field("is_restricted") & ~pl.any_horizontal(*(note.field("what").str.contains(word, literal=True) for word in withheld)) if withheld else True
    return pl.col("notes").list.eval(note.field("what").filter(mine & kept)).list.join("\n")
