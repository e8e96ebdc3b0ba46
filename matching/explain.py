"""Why: a register and a person (or two) go in; the rows, the links that hold them, and a waterfall of weights in words come out.

Links are compared anew from the rows of the persons asked about, with their numbers judged as the run judged them; names weigh as the model's base frequency
has them, and the weight of the run itself stands beside.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from matching import apart
from matching.as_judged import night_as_judged
from matching.clustering import CAUSES
from matching.model import Model, load_model
from matching.night import Night
from matching.pairs import compared_pairs
from matching.review import waterfall
from matching.scoring import WEIGHED, weigh
from schemas.tables.record import RECORD

# in Chinese and in English
METHODS = {
    "id": ("凭本人有效证件号关联", "linked by the child's own valid id number"),
    "probabilistic": ("凭姓名、出生日期、亲属等综合比对关联", "linked by comparing name, birth date, relatives and the rest"),
    "review": ("凭人工核对结论关联", "linked by a clerk's decision"),
    "alone": ("没有其他记录与之关联", "no other record is linked to it"),
}
ROLES = {
    "own": ("证件号为本人所有", "the id number is the child's own"),
    "guardian": ("证件号栏内是监护人的号码，不作为本人证件号", "the id number is a guardian's and does not count as the child's"),
    "sibling": ("证件号栏内是兄弟姐妹的号码，不作为本人证件号", "the id number is a sibling's and does not count as the child's"),
}


class UnknownPersonError(Exception):
    """The register has no person of that identifier."""


@dataclass(frozen=True)
class Line:
    """One comparison of a link: label and phrase in Chinese, comparison and level in English, and its weight in bits."""

    label: str
    phrase: str
    english: str
    weight: float


@dataclass(frozen=True)
class LinkedRow:
    """One row of a person and the link that holds it, `says` in Chinese, `english` in English; `weight` and `probability` are null where nothing does."""

    feed: str
    source_file: str
    source_row: int
    record_key: str | None
    method: str
    says: str
    english: str
    weight: float | None
    probability: float | None
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class PairAnswer:
    """Why two persons are, or are not, one: the best link between their rows, and what stands against joining them, in Chinese and in English."""

    left: str
    right: str
    weight: float | None
    probability: float | None
    lines: tuple[Line, ...]
    obstacles: tuple[str, ...]
    english: tuple[str, ...]


def links(register: Path, person_id: str) -> list[LinkedRow]:
    """The rows of a person in the order of feed, file and row, each with its strongest link.

    Raises:
        UnknownPersonError: no row of the register belongs to that person.
    """
    held, record = _rows_of(register, [person_id])
    model = load_model()
    night, weighed = _compared(register, record, held, model)
    unit = dict(night.records.recs.join(night.members, on="rec").select("record_hash", "unit").iter_rows())
    lines = {frozenset(ends): comparisons for *ends, comparisons in weighed.select("l", "r", "comparisons").iter_rows()}
    return [_row(row, lines.get(frozenset((unit[row["record_hash"]], unit.get(row["linked_to"])))), model) for row in held.iter_rows(named=True)]


def pair(register: Path, left: str, right: str) -> PairAnswer:
    """Why the persons `left` and `right` are two, or what would make them one.

    Raises:
        UnknownPersonError: the register does not know one of them.
    """
    held, record = _rows_of(register, [left, right])
    model = load_model()
    night, weighed = _compared(register, record, held, model)
    owner = night.records.recs.join(night.members, on="rec").join(held.select("record_hash", "person_id").unique(), on="record_hash")
    owner = owner.select("unit", "person_id").unique()
    across = weighed.join(owner, left_on="l", right_on="unit").join(owner, left_on="r", right_on="unit", suffix="_r").filter(pl.col("person_id") != pl.col("person_id_r"))
    trusted = {person for person, flag in owner.join(night.trust, on="unit").select("person_id", "is_trusted").iter_rows() if flag}
    obstacles = [CAUSES["two_numbers"]] if trusted == {left, right} else []
    if across.is_empty():
        return _answer(left, right, None, (), [*obstacles, ("两人没有可以比较的内容", "nothing of theirs can be compared")])
    obstacles += [CAUSES[found] for found in across["cause"].drop_nulls().unique().sort()]
    best = across.sort("match_weight", "l", "r", descending=[True, False, False]).row(0, named=True)
    probability = best["match_probability"]
    if probability < model.link:
        obstacles.append((
            f"综合可能性 {probability:.1%}，低于自动关联的标准 {model.link:.0%}", f"taken together the probability is {probability:.1%}, below the {model.link:.0%} it takes to link"
        ))  # fmt: skip
    obstacles += [CAUSES[cause] for cause in _queued(register, held)]
    return _answer(left, right, best, _lines(best["comparisons"], model), obstacles)


def _answer(left: str, right: str, best: dict[str, Any] | None, lines: tuple[Line, ...], obstacles: list[tuple[str, str]]) -> PairAnswer:
    """The answer; each obstacle once."""
    said = list(dict.fromkeys(obstacles))
    weight, probability = (None, None) if best is None else (best["match_weight"], best["match_probability"])
    return PairAnswer(left, right, weight, probability, lines, tuple(zh for zh, _ in said), tuple(en for _, en in said))


def _rows_of(register: Path, persons: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The person_record rows and the RECORD rows of some persons."""
    with duckdb.connect(str(register), read_only=True) as con:
        held = con.execute("SELECT * FROM person_record WHERE list_contains($persons, person_id)", {"persons": persons}).pl()
        record = con.execute(
            "SELECT r.* FROM record r JOIN person_record p USING (feed, source_file, source_row) WHERE list_contains($persons, p.person_id)", {"persons": persons}
        ).pl()
    for person in persons:
        if held.filter(pl.col("person_id") == person).is_empty():
            raise UnknownPersonError(f"the register has no person {person}: check the code, or look into its table identity for the one it was merged into")
    # a register that is older than a column has none of it
    record = record.with_columns(pl.lit(None, dtype=dtype).alias(name) for name, dtype in RECORD.schema.items() if name not in record.columns)
    return held.sort("feed", "source_file", "source_row"), RECORD.conform(record).sort(RECORD.key)


def _queued(register: Path, held: pl.DataFrame) -> list[str]:
    """Why clustering kept the two apart, and whether a clerk did, as the review queue has it; a side that is called otherwise by now is known by its rows.

    Args:
        held: person_id and record_hash of the rows of both.
    """
    sides = held.group_by("person_id", maintain_order=True).agg("record_hash")
    one, other = sides["record_hash"].to_list()
    with duckdb.connect(str(register), read_only=True) as con:
        found = con.execute(
            """SELECT cause, decision FROM review_queue
            WHERE (list_contains($pair, "left") AND list_contains($pair, "right"))
            OR (list_has_any($one::UBIGINT[], left_records) AND list_has_any($other::UBIGINT[], right_records))
            OR (list_has_any($other::UBIGINT[], left_records) AND list_has_any($one::UBIGINT[], right_records)) ORDER BY pair_id""",
            {"pair": sides["person_id"].to_list(), "one": one, "other": other},
        ).fetchall()
    causes = ["decided" if decision in ("different", "unsure") else cause for cause, decision in found]
    return [cause for cause in causes if cause in CAUSES and cause != "doubtful"]


def _compared(register: Path, record: pl.DataFrame, held: pl.DataFrame, model: Model) -> tuple[Night, pl.DataFrame]:
    """Every pair of units among the rows, weighed, with `comparisons`, and `cause` where the two never meet."""
    with duckdb.connect(str(register), read_only=True) as con:
        night = night_as_judged(con, record, held, model)
    units = pl.DataFrame({"l": range(night.units.count)}, schema={"l": pl.UInt32})
    pairs = units.join(units.rename({"l": "r"}), how="cross").filter(pl.col("l") < pl.col("r"))
    weighed = weigh(compared_pairs(pairs, night.trusted, night.units, model), model)
    return night, weighed.select("l", "r", *WEIGHED, cause=apart.cause(model), comparisons=waterfall(weighed, model))


def _row(row: dict[str, object], comparisons: list[dict[str, object]] | None, model: Model) -> LinkedRow:
    says, english = METHODS[str(row["link_method"])]
    if role := row.get("id_role"):
        chinese_role, english_role = ROLES[str(role)]
        says, english = f"{says}；{chinese_role}", f"{english}; {english_role}"
    shown = comparisons if row["link_method"] in ("probabilistic", "review") else None
    return LinkedRow(
        feed=str(row["feed"]),
        source_file=str(row["source_file"]),
        source_row=int(str(row["source_row"])),
        record_key=None if row["record_key"] is None else str(row["record_key"]),
        method=str(row["link_method"]),
        says=says,
        english=english,
        weight=_number(row["match_weight"]),
        probability=_number(row["match_probability"]),
        lines=_lines(shown, model),
    )


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))


def _lines(comparisons: list[dict[str, object]] | None, model: Model) -> tuple[Line, ...]:
    """The waterfall, with each comparison's and level's English name beside the Chinese."""
    names = {comparison.label: comparison.name for comparison in model.comparisons}
    return tuple(
        Line(
            label=str(c["comparison"]),
            phrase=str(c["phrase"]),
            english=f"{names.get(str(c['comparison']), 'family')}: {c['level']}".replace("_", " "),
            weight=float(str(c["weight"])),
        )
        for c in comparisons or ()
    )
