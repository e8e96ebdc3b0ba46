"""Who each row is, and what each person is: records and the outcome of linkage go in; person_record part by part, PERSON and IDENTITY bucket by bucket come out.

A bucket is a range of person_ids, so that memory holds the rows of some persons and never those of all.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from matching import identifiers
from matching.anchors import ROLE
from matching.buckets import Buckets
from matching.coding import FEED, RELATION, numbered
from matching.holding import Holding
from matching.identity import living
from matching.people import Told, people
from schemas.in_order import in_order
from schemas.tables.record import DOCUMENT_TYPES, ID_STATUSES, NAME_KINDS, PERSON_RECORD

# reads RECORD from its beginning, part by part, always in the same order
Source = Callable[[], Iterator[pl.DataFrame]]
# rows of one bucket: persons are some five rows each
_BUCKET_ROWS = 250_000
_OF_PERSONS = (
    "record_hash", "feed", "record_key", "export_date", "name", "name_kind", "former_name", "sex", "birth_date", "birth_date_precision", "id_number",
    "id_number_status", "key_id_number", "document_type", "ethnicity", "is_cancelled", "is_moved_out",
)  # fmt: skip
_LISTS = ("relatives", "phones")
# the columns of RECORD that are read
TOLD = (*_OF_PERSONS, *_LISTS, "source_file", "source_row", "warnings")
# few words, often: numbers on the way
_WORDS = {
    "feed": FEED, "name_kind": pl.Enum(NAME_KINDS), "sex": pl.Enum(["male", "female"]), "birth_date_precision": pl.Enum(["day", "month", "year"]),
    "id_number_status": pl.Enum(ID_STATUSES), "document_type": pl.Enum(DOCUMENT_TYPES),
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What linkage found out about the distinct rows and the persons.

    Attributes:
        of_row: the rec of each row of the source. person: the person of each rec, by its place in `seen`. role: whose number each rec holds.
        holding: what holds each rec. seen: person_id, first_seen, last_seen, in the order of person_id. changed: packed numbers that were changed.
    """

    of_row: npt.NDArray[np.uint32]
    person: npt.NDArray[np.uint32]
    role: pl.Series
    holding: Holding
    seen: pl.DataFrame
    changed: pl.Series


class Gathering:
    """The tables of persons, made from the source in two goes: `person_record` hands on every part, then `persons` every bucket."""

    def __init__(self, source: Source, outcome: Outcome, folder: Path | None) -> None:
        """`folder`: where rows wait for their bucket; in memory where none is given."""
        self._source = source
        self._outcome = outcome
        self._changed = outcome.changed.to_frame("n").select(identifiers.unpacked(pl.col("n"))).to_series()
        self._width = max(1, outcome.seen.height * _BUCKET_ROWS // max(1, len(outcome.of_row)))
        self._count = -(-outcome.seen.height // self._width)
        if folder is not None:
            # there where the station is tried once more
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
        self._rows, self._relatives, self._phones = (Buckets(self._count, folder and folder / name) for name in ("rows", *_LISTS))

    def person_record(self) -> Iterator[pl.DataFrame]:
        """PERSON_RECORD of each part of the source, in its order."""
        return in_order(self._part, numbered(self._source()))

    def persons(self) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
        """PERSON and the living of IDENTITY, bucket by bucket, in the order of person_id."""
        return in_order(self._bucket, range(self._count))

    def _part(self, numbered: tuple[int, int, pl.DataFrame]) -> pl.DataFrame:
        """PERSON_RECORD of a part; what it tells of persons is kept until their bucket's turn."""
        number, first, part = numbered
        recs = self._outcome.of_row[first : first + part.height]
        person, role = self._outcome.person[recs], self._outcome.role.gather(recs)
        self._keep(part.with_columns(person_id=person, is_own=role == "own"), number)
        held = self._outcome.holding.of(recs).with_columns(id_role=role, person_id=self._outcome.seen["person_id"].gather(person))
        return PERSON_RECORD.conform(part.select(set(PERSON_RECORD.names) - set(held.columns)).hstack(held))

    def _keep(self, part: pl.DataFrame, number: int) -> None:
        """Keep what is told of persons; relatives and phones by themselves, a row each."""
        relatives = part.select("person_id", "export_date", "relatives").explode("relatives", empty_as_null=False, keep_nulls=False).unnest("relatives").cast({"relation": RELATION})
        phones = part.select("person_id", phone="phones").explode("phone", empty_as_null=False, keep_nulls=False).drop_nulls()
        rows = part.select("person_id", "is_own", *_OF_PERSONS).with_columns(pl.col(c).cast(dtype) for c, dtype in _WORDS.items())
        for buckets, told in ((self._rows, rows), (self._relatives, relatives), (self._phones, phones)):
            buckets.add(told, told["person_id"].to_numpy() // np.uint32(self._width), number)

    def _bucket(self, bucket: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        seen = self._outcome.seen.slice(bucket * self._width, self._width)
        rows, relatives, phones = (
            each.take(bucket).with_columns((pl.col("person_id") - bucket * self._width).cast(pl.UInt32)) for each in (self._rows, self._relatives, self._phones)
        )
        rows = rows.with_columns(own_id=pl.when("is_own").then("id_number"))
        listed = rows.select("record_hash", "own_id", person="person_id", feed_key=pl.col("feed").cast(pl.String) + ":" + pl.col("record_key"))
        rows = rows.with_columns(id_birth=identifiers.birth_date(pl.col("own_id")), id_sex=identifiers.sex(pl.col("own_id")))
        return people(Told(rows, relatives, phones, seen, self._changed)), living(listed, seen)


def roles(own: pl.DataFrame, count: int) -> pl.Series:
    """Whose number each of `count` rows holds, null where it has none."""
    return pl.repeat(None, count, dtype=ROLE, eager=True).to_physical().scatter(own["rec"], own["id_role"].to_physical()).cat.to(ROLE)
