"""A made-up city that moves in time. Enters: a city as `write_city` left it, a later day. Leaves: its inbox as departments would have sent it by then, truth/changes.parquet.

The rows the departments hold are the city's state: read once from its inbox, changed by `sample_data.changes`, and sent anew, part by part, where something
changed; on the first day of a quarter every part is sent. truth/records.parquet follows; truth/children.parquet tells of the first day alone.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from sample_data.files import Inbox, plan
from sample_data.places import places
from sample_data.rates import CityError
from sample_data.truth import RECORDS
from schemas.exports.feeds import CHILD_FEEDS
from schemas.exports.intake import take_in

_STATE = {"person": pl.String, "part": pl.String, "source_file": pl.String, "source_row": pl.UInt32, "damage": pl.List(pl.String)}
_CHANGES = {"on": pl.Date, "person": pl.String, "change": pl.String}


@dataclass
class MovingCity:
    """The rows of every department on a day, each with its child and the file it was last sent in.

    Attributes:
        feeds: by feed, our columns as text, with person, part, source_file, source_row (of the last sending) and damage. serial: of the next newcomer.
        changed: the parts (feed, part) to send. told: what happened since the last sending.
    """

    folder: Path
    day: date
    seed: int
    children: int
    serial: int
    feeds: dict[str, pl.DataFrame]
    changed: set[tuple[str, str]] = field(default_factory=set)
    told: list[pl.DataFrame] = field(default_factory=list)

    @classmethod
    def load(cls, folder: Path) -> MovingCity:
        """The city in a folder: as it was moved last, or as it was written.

        Raises:
            CityError: there is no city.
        """
        if not (folder / "city.json").exists():
            raise CityError(f"{folder} holds no city: write one first, with `childflow sample --out {folder}`")
        card = json.loads((folder / "city.json").read_text("utf-8"))
        day = date.fromisoformat(card.get("moved_to", card["as_of"]))
        kept = folder / "moving"
        feeds = {f: pl.read_parquet(kept / f"{f}.parquet") for f in CHILD_FEEDS} if kept.exists() else _read(folder, day)
        return cls(folder, day, card["seed"], card["children"], card.get("serial", 0), feeds)

    def put(self, feed: str, rows: pl.Series, **values: pl.Expr) -> None:
        """Give the columns of these rows (a mask) other values."""
        frame = self.feeds[feed]
        self._mark(feed, frame.filter(rows))
        self.feeds[feed] = frame.with_columns(pl.when(rows).then(value).otherwise(pl.col(name)).alias(name) for name, value in values.items())

    def add(self, feed: str, rows: pl.DataFrame) -> None:
        """Further rows: some of the feed's columns as text, person, and optionally part; what is not given is empty."""
        frame = self.feeds[feed]
        given = rows if "part" in rows.columns else rows.with_columns(part=pl.lit(""))
        made = given.select(pl.col(n).cast(t) if n in given.columns else pl.lit(None, t).alias(n) for n, t in frame.schema.items()).with_columns(pl.col("damage").fill_null([]))
        self._mark(feed, made)
        self.feeds[feed] = pl.concat([frame, made])

    def drop(self, feed: str, rows: pl.Series) -> None:
        """The department strikes these rows (a mask)."""
        self._mark(feed, self.feeds[feed].filter(rows))
        self.feeds[feed] = self.feeds[feed].filter(~rows)

    def tell(self, persons: pl.Series, change: str, day: date) -> None:
        """Enter what happened to these children into the truth."""
        self.told.append(pl.DataFrame({"person": persons}).select(on=pl.lit(day), person="person", change=pl.lit(change)))

    def part_of(self, feed: str, code6: pl.Expr) -> pl.Expr:
        """The part of a district's rows, by the division's six digits."""
        codes = places().table["code6"].unique().to_list()
        inbox = Inbox(self.folder / "inbox", self.day, self.children)
        urban = places().table.filter("zone")["code6"].unique()
        match feed:
            case "education" | "survey":
                return code6.replace_strict({c: _part_in(inbox.plan(feed, c).name) for c in codes}, default="others", return_dtype=pl.String)
            case "disease_control":
                return pl.when(code6.is_in(urban.implode())).then(pl.lit("urban")).otherwise(pl.lit("county"))
            case _:
                return pl.lit("")

    def send(self, day: date, *, everything: bool = False) -> int:
        """Write the parts that changed (or all) as exports of the day in place of the older ones; returns the number of files."""
        due = sorted(self.changed | ({(f, p) for f, frame in self.feeds.items() for p in frame["part"].unique()} if everything else set()))
        inbox = Inbox(self.folder / "inbox", day, self.children)
        for feed, part in due:
            columns = [c.name for c in CHILD_FEEDS[feed].columns]
            to = plan(feed, part, day, self.children, day)
            for old in (self.folder / "inbox" / feed).glob("*"):
                if _part_in(old.name) == part:
                    old.unlink()
            frame = self.feeds[feed].with_row_index("_at")
            here = frame.filter(pl.col("part") == part)
            first = inbox.append(to, here.select(columns))
            placed = here.select("_at", source_file=pl.lit(to.name), source_row=(pl.int_range(pl.len()) + first).cast(pl.UInt32))
            self.feeds[feed] = frame.update(placed, on="_at").drop("_at")
        inbox.close()
        self.changed, self.day = set(), day
        self._keep()
        return len(due)

    def _mark(self, feed: str, rows: pl.DataFrame) -> None:
        self.changed |= {(feed, part) for part in rows["part"].unique()}

    def _keep(self) -> None:
        """The state and the truth on disk."""
        kept, truth = self.folder / "moving", self.folder / "truth"
        kept.mkdir(exist_ok=True)
        for feed, frame in self.feeds.items():
            frame.write_parquet(kept / f"{feed}.parquet")
        live = [frame.select(feed=pl.lit(feed), **{n: n for n in _STATE if n != "part"}, expect_quarantined=pl.lit(False)) for feed, frame in self.feeds.items()]
        pl.concat(live).select(list(RECORDS)).cast(RECORDS).write_parquet(truth / "records.parquet")
        path = truth / "changes.parquet"
        before = [pl.read_parquet(path)] if path.exists() else []
        pl.concat([pl.DataFrame(schema=_CHANGES), *before, *self.told]).write_parquet(path)
        self.told = []
        card = json.loads((self.folder / "city.json").read_text("utf-8")) | {"moved_to": self.day.isoformat(), "serial": self.serial}
        (self.folder / "city.json").write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", "utf-8")


def generator(city: MovingCity, day: date) -> np.random.Generator:
    """The random numbers of a day: the same for the same city."""
    return np.random.default_rng([city.seed, day.toordinal()])


def _part_in(name: str) -> str:
    """What stands behind the date in a file's name; a delta belongs to the part it adds to."""
    stem = name.removesuffix(".gz").rsplit(".", 1)[0]
    found = stem.split("_2", 1)[1].split("_", 1)
    return found[1].removesuffix("_delta").removesuffix("delta") if len(found) > 1 else ""


def _read(folder: Path, day: date) -> dict[str, pl.DataFrame]:
    """The rows of every feed that a careful reader accepts, as written, with the children that the truth knows."""
    known = pl.read_parquet(folder / "truth" / "records.parquet").select("feed", "source_file", "source_row", "person", "damage")
    feeds = {}
    with TemporaryDirectory() as there:
        work = Path(there)
        for feed, contract in CHILD_FEEDS.items():
            take_in(feed, folder / "inbox", work / "store", work, day)
            rows = pl.read_parquet(work / "accepted" / f"{feed}.parquet").join(known, on=["feed", "source_file", "source_row"], how="inner", maintain_order="left")
            parts = {name: _part_in(name) for name in rows["source_file"].unique()}
            rows = rows.with_columns(part=pl.col("source_file").replace_strict(parts, return_dtype=pl.String))
            feeds[feed] = rows.select(*(c.name for c in contract.columns), *_STATE)
        shutil.rmtree(work / "store", ignore_errors=True)
    return feeds
