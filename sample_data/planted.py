"""The planted stories. Enters: stories.yaml, where every row is written out as a department would send it. Leaves: sheets of text, and the truth of each child.

What a child's rows have in common stands once under `common`; a row takes of it the columns its feed has, and states the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from sample_data.files import Inbox
from sample_data.places import places
from sample_data.truth import CHILDREN
from schemas.exports.feeds import CHILD_FEEDS, FEEDS
from schemas.tables.assessment import OUTCOME_OF


@cache
def _loaded() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "stories.yaml").read_text("utf-8"))
    return loaded


AS_OF: date = _loaded()["as_of"]
FEWEST = 100  # children a city must have for the stories to be planted in it


def stories() -> list[dict[str, Any]]:
    """The planted children, as the file has them."""
    return list(_loaded()["children"])


@dataclass(frozen=True)
class Told:
    """Rows of one feed, as text under our names, with whose they are and what is wrong with them."""

    feed: str
    frame: pl.DataFrame
    persons: pl.Series
    damage: pl.Series

    def parts(self) -> list[str]:
        """What stands behind the date of the files the rows go into."""
        return self.frame["_part"].unique().sort().to_list()

    def of(self, part: str) -> Told:
        """The rows of one part."""
        here = self.frame["_part"] == part
        return Told(self.feed, self.frame.filter(here), self.persons.filter(here), self.damage.filter(here))


def sheets(told: list[dict[str, Any]]) -> list[Told]:
    """The rows of the children, feed by feed in the order of the feeds.

    Raises:
        KeyError: a row states a column that its feed does not have.
    """
    return [made for feed in CHILD_FEEDS if (made := _sheet(feed, told)).frame.height]


def _sheet(feed: str, told: list[dict[str, Any]]) -> Told:
    columns = [c.name for c in FEEDS[feed].columns]
    rows, persons, damage = [], [], []
    for child in told:
        for row in (r for r in child["rows"] if r["feed"] == feed):
            stated = {k: v for k, v in row.items() if k not in ("feed", "damage")}
            unknown = sorted(set(stated) - set(columns))
            if unknown:
                raise KeyError(f"stories.yaml: {child['person']}: {feed} has no column {', '.join(unknown)}")
            cells = {c: stated.get(c, child["common"].get(c)) for c in columns}
            rows.append({c: None if v is None else str(v) for c, v in cells.items()} | {"_part": _part(feed, cells)})
            persons.append(child["person"])
            damage.append(sorted(row.get("damage", [])))
    schema = dict.fromkeys([*columns, "_part"], pl.String)
    return Told(feed, pl.DataFrame(rows, schema=schema), pl.Series(persons, dtype=pl.String), pl.Series(damage, dtype=pl.List(pl.String)))


def _part(feed: str, cells: dict[str, Any]) -> str:
    """The file a row belongs to: by school, by town surveyed, by clinic."""
    match feed:
        case "education":
            return str(cells["school_division"])[:6]
        case "survey":
            here = str(cells["residence_division"])
            return (here if here.startswith("50") else str(cells["hukou_division"]))[:6]
        case "disease_control":
            zone = places().table.filter("zone")["code6"].unique()
            return "urban" if str(cells["clinic_division"])[:6] in zone else "county"
        case "medical_insurance":
            return "500116" if str(cells["insured_division"]).startswith("500116") else ""
        case _:
            return ""


def children(told: list[dict[str, Any]]) -> pl.DataFrame:
    """The truth of each child."""
    rows = [
        {
            "person": c["person"], "outcome": OUTCOME_OF[c["reason"]], "reason": c["reason"], "because": c["tells"], "story": "planted",
            "name": c["common"].get("name"), "born": c.get("born"), "hukou": c.get("hukou"), "home": c.get("home"), "since": c.get("since"),
            "is_inferred": c.get("is_inferred", False), "direction": c.get("direction", "none"), "twin_of": c.get("twin_of"), "flags": c.get("flags", []),
        }
        for c in told
    ]  # fmt: skip
    return pl.DataFrame(rows, schema={k: v for k, v in CHILDREN.items() if not rows or k in rows[0]}).select(
        pl.col(k) if not rows or k in rows[0] else pl.lit(None, v).alias(k) for k, v in CHILDREN.items()
    )


def send_answers(inbox: Inbox) -> None:
    """What departments answered on a roster of an earlier quarter: about persons this register has not met."""
    _send(inbox, "verification", _loaded()["answers"])


def send_resources(inbox: Inbox) -> None:
    """The places that offer help (resources.yaml)."""
    _send(inbox, "resource", yaml.safe_load((Path(__file__).parent / "resources.yaml").read_text("utf-8")))


def _send(inbox: Inbox, feed: str, given: list[dict[str, Any]]) -> None:
    columns = [c.name for c in FEEDS[feed].columns]
    rows = [{c: None if row.get(c) is None else str(row[c]) for c in columns} for row in given]
    inbox.append(inbox.plan(feed, ""), pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String)))
