"""A made-up city for the tests of linkage: a seed and a size go in, a RECORD frame and its truth (feed, source_file, source_row, person, damage) come out."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import polars as pl

from matching.sets import Sets
from schemas.tables.record import RECORD

SURNAMES = "李王张刘陈杨黄赵周吴徐孙马朱胡郭何高林罗冉向田谭覃秦黎蒋邓冯"
GIVEN = "浩宇轩辰泽子墨涵欣怡雨桐诗琪梓豪博文俊杰若汐沐宸一诺依语思睿嘉佳明伟建国志强丽芳敏静娟霞燕玲红梅平刚磊洋勇艳萍鹏飞龙凤"
DISTRICTS = [f"5001{n:02d}" for n in range(1, 18)] + ["511623", "520302"]
# feed: share of children it knows, share without an id, with a wrong id, with a wrong name, with a wrong birth date
FEEDS = {
    "household": (0.75, 0.0, 0.0, 0.002, 0.002),
    "education": (0.70, 0.015, 0.01, 0.015, 0.005),
    "health": (0.45, 0.28, 0.03, 0.04, 0.01),
    "medical_insurance": (0.85, 0.01, 0.01, 0.01, 0.003),
    "disease_control": (0.60, 0.20, 0.03, 0.04, 0.02),
    "residence": (0.25, 0.02, 0.02, 0.02, 0.01),
    "survey": (0.35, 0.15, 0.02, 0.03, 0.02),
    "disability": (0.02, 0.0, 0.0, 0.01, 0.01),
}
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def number(place: str, born: date, sequence: int) -> str:
    """A number that passes GB 11643."""
    body = f"{place}{born:%Y%m%d}{sequence:03d}"
    return body + "10X98765432"[sum(w * int(c) for w, c in zip(_WEIGHTS, body, strict=True)) % 11]


@dataclass
class Child:
    """One true child."""

    person: str
    name: str
    sex: str
    born: date
    id_number: str
    hukou: str
    place: str
    town: str
    address: str
    father: dict[str, Any]
    mother: dict[str, Any]
    siblings: list[Child] = field(default_factory=list)


def children(count: int, rng: random.Random, twins: float = 0.02) -> list[Child]:
    """Children in families; a fifth have siblings, some are twins."""
    out: list[Child] = []
    while len(out) < count:
        out += _family(len(out), rng, twins)
    return out[:count]


def _given(rng: random.Random) -> str:
    return "".join(rng.choices(GIVEN, k=rng.choice((1, 2, 2, 2))))


def _adult(rng: random.Random, surname: str, sex: int) -> dict[str, Any]:
    born = date(1975, 1, 1) + timedelta(days=rng.randrange(6000))
    return {
        "name": surname + _given(rng),
        "id_number": number(rng.choice(DISTRICTS), born, rng.randrange(0, 499) * 2 + sex),
        "phone": f"1{rng.choice('3589')}{rng.randrange(10**9):09d}",
    }


def _family(start: int, rng: random.Random, twins: float) -> list[Child]:
    surname = rng.choices(SURNAMES, weights=range(len(SURNAMES), 0, -1))[0]
    father, mother = _adult(rng, surname, 1), _adult(rng, rng.choice(SURNAMES), 0)
    hukou, place = rng.choice(DISTRICTS), rng.choice(DISTRICTS[:17])
    town, address = f"镇{rng.randrange(20)}", f"幸福路{rng.randrange(3000)}号{rng.randrange(99)}室"
    dates = [date(2011, 1, 1) + timedelta(days=rng.randrange(5400)) for _ in range(rng.choice((1, 1, 1, 2, 2, 3)))]
    if rng.random() < twins:
        dates.append(dates[0])
    family: list[Child] = []
    sequence: dict[date, int] = {}
    shared = rng.choice(GIVEN)
    for born in dates:
        sex = rng.choice((0, 1))
        given = _given(rng)
        if dates.count(born) > 1 and rng.random() < 0.5:
            given = shared + rng.choice(GIVEN)
        sequence[born] = sequence.get(born, rng.randrange(1, 400)) + 1
        family.append(
            Child(f"P{start + len(family)}", surname + given, ("female", "male")[sex], born,
                  number(hukou, born, sequence[born] * 2 + sex), hukou, place, town, address, father, mother)
        )  # fmt: skip
    for child in family:
        child.siblings = [c for c in family if c is not child]
    return family


def city(count: int, seed: int, damage: float = 1.0, twins: float = 0.02) -> tuple[pl.DataFrame, pl.DataFrame]:
    """RECORD rows and truth of `count` children; `damage` multiplies the rates."""
    rng = random.Random(seed)
    rows: list[dict[str, Any]] = []
    truth: list[dict[str, Any]] = []
    for child in children(count, rng, twins):
        for feed, (known, *rates) in FEEDS.items():
            for _ in range(2 if feed == "survey" and rng.random() < 0.4 else 1):
                if rng.random() < known:
                    row, faults = _row(child, feed, len(rows), rates, damage, rng)
                    rows.append(row)
                    truth.append({k: row[k] for k in ("feed", "source_file", "source_row")} | {"person": child.person, "damage": faults})
    schema = {"feed": pl.String, "source_file": pl.String, "source_row": pl.UInt32, "person": pl.String, "damage": pl.List(pl.String)}
    return records(rows), pl.DataFrame(truth, schema=schema)


def records(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """RECORD from dictionaries; what is left out is null (feed, file, row number, hash and export date have defaults)."""
    base: dict[str, Any] = dict.fromkeys(RECORD.names) | {"export_date": date(2026, 11, 1), "warnings": [], "relatives": [], "phones": []}
    full = []
    for i, row in enumerate(rows):
        each = base | {"source_row": i + 1, "source_file": f"{row['feed']}.csv", "record_key": f"K{i}", "record_hash": _hash(row, i)} | row
        each["name_folded"] = each["name_folded"] or each["name"]
        each["name_kind"] = each["name_kind"] or ("absent" if each["name"] is None else "full")
        each["birth_date_precision"] = each["birth_date_precision"] or (None if each["birth_date"] is None else "day")
        each["id_number_status"] = each["id_number_status"] or ("valid" if each["id_number"] else "absent")
        each["phones"] = sorted({*each["phones"], *(r["phone"] for r in each["relatives"] if r["phone"])})
        full.append(each)
    return RECORD.conform(pl.DataFrame(full, schema=RECORD.schema, orient="row"))


def _hash(row: dict[str, Any], i: int) -> int:
    return random.Random(repr(sorted((k, repr(v)) for k, v in row.items() if k != "source_row"))).getrandbits(63)


def person(name: str | None, relation: str, id_number: str | None = None, phone: str | None = None) -> dict[str, Any]:
    """A relative of a row."""
    return {"name": name, "relation": relation, "id_number": id_number, "phone": phone}


def _row(child: Child, feed: str, i: int, rates: list[float], damage: float, rng: random.Random) -> tuple[dict[str, Any], list[str]]:
    hit = lambda rate: rng.random() < rate * damage  # noqa: E731
    no_id, bad_id, bad_name, bad_date = rates
    faults: list[str] = []
    row: dict[str, Any] = {
        "feed": feed, "source_file": f"{feed}.csv", "name": child.name, "sex": child.sex, "birth_date": child.born, "id_number": child.id_number,
        "hukou_code": child.hukou, "place_code": child.place, "place_township": child.town, "record_key": f"{feed[:2]}{i}", "source_row": i + 1,
    }  # fmt: skip
    row["relatives"] = _relatives(child, feed, rng)
    if feed == "medical_insurance":
        row["phones"] = [rng.choice((child.father, child.mother))["phone"]]
        row["place_township"] = None
    if feed in ("education", "health", "disease_control", "survey") and rng.random() < 0.7:
        row["address"] = child.address
    if rng.random() < 0.15:
        row["place_code"], row["place_township"], row["address"] = rng.choice(DISTRICTS), f"镇{rng.randrange(20)}", None
    if feed in ("health", "disease_control") and hit(0.04):
        row |= {"name": f"{child.mother['name']}之{'子' if child.sex == 'male' else '女'}", "name_kind": "newborn", "mother_in_name": child.mother["name"]}
        row |= {"id_number": None}
        faults.append("newborn")
    elif hit(bad_name):
        row["name"], row["name_kind"] = _wrong_name(child.name, rng)
        faults.append("name_wrong")
    if hit(bad_date):
        row["birth_date"] = _wrong_date(child.born, rng)
        faults.append("birth_wrong")
    if hit(0.003):
        row["sex"] = "female" if child.sex == "male" else "male"
        faults.append("sex_wrong")
    if row["id_number"] and hit(no_id):
        row["id_number"] = None
        faults.append("id_missing")
    elif row["id_number"] and hit(bad_id):
        row |= _wrong_id(child, rng, faults)
    return row, faults


def _relatives(child: Child, feed: str, rng: random.Random) -> list[dict[str, Any]]:
    father, mother = child.father, child.mother
    with_number = feed in ("household", "health", "education")
    both = [
        person(father["name"], "father", father["id_number"] if with_number else None, father["phone"]),
        person(mother["name"], "mother", mother["id_number"] if with_number else None, mother["phone"]),
    ]
    if feed == "medical_insurance":
        return []
    return both if rng.random() < 0.7 else [rng.choice(both)]


def _wrong_name(name: str, rng: random.Random) -> tuple[str, str]:
    kind = rng.randrange(4)
    if kind == 0:
        return name[:-1] + "□", "partial"
    if kind == 1:
        return name[:-1] + rng.choice(GIVEN), "full"
    if kind == 2 and len(name) > 2:
        return name[:-1], "full"
    return rng.choice(SURNAMES) + name[1:], "full"


def _wrong_date(born: date, rng: random.Random) -> date:
    kind = rng.randrange(3)
    if kind == 0 and born.day <= 12:
        return born.replace(month=born.day, day=born.month)
    if kind == 1:
        return born.replace(year=born.year + rng.choice((-1, 1)), day=min(born.day, 28))
    return born + timedelta(days=rng.choice((-1, 1, 10, 30)))


def _wrong_id(child: Child, rng: random.Random, faults: list[str]) -> dict[str, Any]:
    kind = rng.randrange(10)
    if kind == 0 and child.siblings:
        faults.append("id_sibling")
        return {"id_number": rng.choice(child.siblings).id_number}
    if kind == 1:
        faults.append("id_guardian")
        return {"id_number": rng.choice((child.father, child.mother))["id_number"]}
    if kind in (2, 3):
        faults.append("id_rounded")
        return {"id_number": None, "id_partial": child.id_number[:15] + "???", "id_number_status": "excel_rounded"}
    faults.append("id_wrong")
    at = rng.randrange(6, 17)
    digit = str((int(child.id_number[at]) + rng.randrange(1, 10)) % 10)
    return {"id_number": child.id_number[:at] + digit + child.id_number[at + 1 :], "id_number_status": "checksum_failed"}


def sets(values: dict[str, Any]) -> Sets:
    """The columns unit (as many as there are rows) and value as the sets that blocking goes by."""
    table = pl.DataFrame(values, schema={"unit": pl.UInt32, "value": pl.UInt32})
    return Sets.of(table, table.height)
