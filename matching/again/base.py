"""What linkage worked out on one night, kept for the next. Enters: records, whose numbers they hold, the units and their pairs. Leaves: files in a folder, and all of it again.

It rests on the records and the day alone, never on what persons are called or what clerks decided: whatever register it lies beside, what is made of it is what
would be made without it. Arrays lie as they are in memory, so that of a large night only what is looked at is read.
"""

from __future__ import annotations

import json
import shutil
import uuid
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from matching.coding import LONG, SPARSE, Records
from matching.features import Members
from matching.frequencies import MOST_HOLDERS
from matching.model import Model
from matching.night import Night
from matching.pairs import PAIR, Paired
from matching.sets import Sets, Whole
from schemas.in_order import in_order

_WHOLE = "whole.json"
_READ_BYTES = 2**20
# what hashes are made by must be what it was
_PROBE = int(pl.Series(["childflow"]).hash().item())


@dataclass(frozen=True)
class Base:
    """A night that may be gone on from.

    Attributes:
        as_of: the day ages were counted on. records: the distinct rows; when they were seen is not kept. own, changed, members: as `matching.night.Night` has them.
        values: the units' values. pairs: l, r, rule, both_trusted and the levels of all pairs. over: the units of blocks over the cap.
        common: the numbers that too many units held to tell of one child, by attribute.
    """

    as_of: date
    records: Records
    own: pl.DataFrame
    changed: pl.DataFrame
    members: Members
    values: dict[str, Sets]
    pairs: pl.DataFrame
    over: npt.NDArray[np.uint64]
    common: dict[str, Whole]


class Keeping:
    """A base in the making: beside the one that stands, and in its place when it is whole. It is written while the night goes on."""

    def __init__(self, folder: Path, night: Night) -> None:
        """`folder`: where a base stands, or none does yet. What the night has now is kept, whatever is let go of it later."""
        self._folder = folder
        for left in folder.parent.glob(f".{folder.name}-*"):
            shutil.rmtree(left)
        self._making = folder.with_name(f".{folder.name}-{uuid.uuid4().hex}")
        self._making.mkdir(parents=True, mode=0o700)
        self._pool = ThreadPoolExecutor(1)
        self._attributes, records = list(night.units.values), night.records
        tables = {"rows": records.rows.drop("first_seen", "last_seen"), "names": records.names, "own": night.own, "changed": night.changed}
        tables |= {name: getattr(records, name) for name in LONG} | {f"sparse-{name}": records.sparse[name] for name in SPARSE}
        arrays = {"unit": night.held.unit, "head": night.held.head}
        for name, sets in night.units.values.items():
            arrays |= {f"{name}-start": sets.start, f"{name}-value": sets.value}
        arrays |= {f"common-{name}": value for name, value in night.units.common.items()}
        self._written = [self._pool.submit(self._write, tables, {}), self._pool.submit(self._write, {}, arrays)]

    def when_rows_are_written(self, then: Callable[[], None]) -> None:
        """Do something when the rows are written, which the night may let go of then; what units have it holds for long."""
        self._written[0].add_done_callback(lambda _: then())

    def finish(self, paired: Paired, as_of: date, model: Model) -> None:
        """Keep the pairs too; what was kept stands from now on.

        Raises:
            OSError: something could not be written.
        """
        pairs = paired.weighed.select(*PAIR, "both_trusted", *(each.name for each in model.comparisons))
        files = self._write({"pairs": pairs}, {"over": paired.over})
        for written in self._written:
            files |= written.result()
        self._pool.shutdown()
        told = {"as_of": as_of.isoformat(), "attributes": self._attributes, "hash": _PROBE, "files": files}
        (self._making / _WHOLE).write_text(json.dumps(told), "ascii")
        shutil.rmtree(self._folder, ignore_errors=True)
        self._making.rename(self._folder)

    def _write(self, tables: dict[str, pl.DataFrame], arrays: dict[str, Any]) -> dict[str, int]:
        """The files' fingerprints by name; what is written is let go of."""
        files = []
        for name in list(tables):
            files.append(self._making / f"{name}.arrow")
            tables.pop(name).write_ipc(files[-1], compression="uncompressed")
        for name in list(arrays):
            files.append(self._making / f"{name}.npy")
            np.save(files[-1], arrays.pop(name))
        return {file.name: _fingerprint(file) for file in files}


def read_base(folder: Path) -> Base | None:
    """The base in a folder; none where none stands, or not as it was put there."""
    told = _told(folder / _WHOLE)
    if told.get("hash") != _PROBE or told.get("files") != _fingerprints(folder):
        return None

    def table(name: str) -> pl.DataFrame:
        return pl.read_ipc(folder / f"{name}.arrow")

    def array(name: str) -> npt.NDArray[np.uint32]:
        return np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r"))

    records = Records(
        table("rows"), table("names"), {name: table(f"sparse-{name}") for name in SPARSE},
        of_row=np.zeros(0, dtype=np.uint32), **{name: table(name) for name in LONG},
    )  # fmt: skip
    values = {name: Sets(array(f"{name}-start"), array(f"{name}-value")) for name in told["attributes"]}
    common = {name: np.load(folder / f"common-{name}.npy") for name in MOST_HOLDERS}
    members, over = Members(array("unit"), array("head")), np.load(folder / "over.npy")
    return Base(date.fromisoformat(told["as_of"]), records, table("own"), table("changed"), members, values, table("pairs"), over, common)


def _told(file: Path) -> dict[str, Any]:
    """What is said of a base when it is whole; nothing where that is not there or damaged."""
    try:
        told = json.loads(file.read_text("ascii"))
    except (FileNotFoundError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _fingerprints(folder: Path) -> dict[str, int]:
    """What tells a damaged file; who may write into the folder may write a register too."""
    files = sorted(f for f in folder.iterdir() if f.name != _WHOLE)
    return dict(zip((f.name for f in files), in_order(_fingerprint, files), strict=True))


def _fingerprint(file: Path) -> int:
    found, held = 0, bytearray(_READ_BYTES)
    with file.open("rb", buffering=0) as stream:
        while size := stream.readinto(held):
            found = zlib.crc32(memoryview(held)[:size], found)
    return found
