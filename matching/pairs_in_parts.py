"""Blocking and comparing, a part at a time: each step goes from files to files and looks at nothing else, so that any worker may do it, and do it again.

Enters: the units of a night, laid out in files. Leaves: the weighed pairs and the report of blocking, those of `matching.pairs.pair_up`. A first step takes the rules
that begin with one attribute, and of its values those of one bucket: a block lies in one bucket, whole. Pairs are exchanged by the bucket of their smaller unit, so that
a second step sees all rules that found a pair, and compares it once. Buckets go by a fixed hash of numbers.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from matching.blocking import CHILD_RULES, FURTHER, REPORT_SCHEMA, block
from matching.comparisons import Units
from matching.frequencies import Shares
from matching.model import Model, load_model
from matching.night import Night
from matching.pairs import PAIR, Paired, Pairing, weighed_pairs
from matching.sets import Sets, mixed
from schemas.buckets import write_whole

# one bucket of values, and one of pairs, for so many units: a step also reads the further values of its units, which lie anywhere, so many small ones read much twice
UNITS_BLOCKED, UNITS_COMPARED = 2**22, 2**20
_COUNTED = ("pairs_possible", "blocks_over_cap", "pairs_dropped")
_FREQUENCIES = ("name", "same_sound", "other_surname", "birth")
# number of the step, first attribute of its rules, bucket of its values, number of buckets of pairs
Keyed = tuple[int, str, int, int]
# does a step for each of its parts, wherever that may be
Each = Callable[[Callable[..., None], Iterable[Any], Path], None]


def pairing_in_parts(folder: Path, each: Each) -> Pairing:
    """The way to the weighed pairs by way of files in a folder, which is made and removed; `each` does the steps."""

    def pair_up(night: Night, _: Model) -> Paired:
        parts = lay_out(night, folder)
        each(block_part, parts, folder)
        numbers = range(parts[0][3])
        each(compare_part, [(number, len(parts)) for number in numbers], folder)
        weighed = pl.concat([pl.read_parquet(_file(folder, "weighed", number)) for number in numbers]).sort("l", "r")
        report = _report(weighed, [pl.read_parquet(_file(folder, "counted", number)) for number in range(len(parts))])
        shutil.rmtree(folder)
        return Paired(weighed, report, None)

    return pair_up


def lay_out(night: Night, folder: Path) -> list[Keyed]:
    """Write what the steps read; the parts of the first."""
    units = night.units
    buckets, slices = (max(1, -(-units.count // most)) for most in (UNITS_BLOCKED, UNITS_COMPARED))
    firsts = sorted({rule.attributes[0] for rule in CHILD_RULES})
    for name, sets in units.values.items():
        _write(sets.table(), folder, "values", name)
    for attribute in firsts:
        table = units.values[attribute].table()
        of = bucket_of(table["value"], buckets)
        for bucket in range(buckets):
            _write(table.filter(of == bucket), folder, f"keys_{attribute}", bucket)
    for kind in _FREQUENCIES:
        shares = units.frequencies[kind]
        _write(pl.DataFrame({"value": shares.value, "share": shares.share}), folder, "frequencies", kind)
    for name, values in units.common.items():
        _write(pl.DataFrame({"value": values}), folder, "common", name)
    for name, table in {"names": units.names, "partial": units.partial, "trusted": night.trust.select("is_trusted")}.items():
        _write(table, folder, "units", name)
    return [(number, *part, slices) for number, part in enumerate((a, b) for a in firsts for b in range(buckets))]


def block_part(part: Keyed, folder: Path) -> None:
    """The pairs that the rules beginning with an attribute find in one bucket of its values, and their counts."""
    number, attribute, bucket, slices = part
    trusted = _trusted(folder)
    rules = {i: rule for i, rule in enumerate(CHILD_RULES) if rule.attributes[0] == attribute}
    keys = pl.read_parquet(_file(folder, f"keys_{attribute}", bucket))
    of = _chosen(keys["unit"], len(trusted))
    others = {name for rule in rules.values() for name in rule.attributes[1:]} | set(FURTHER)
    values = {attribute: Sets.again(keys, len(trusted))} | {name: _rows_of(folder, name, of) for name in sorted(others)}
    blocked = block(values, trusted, tuple(rules.values()))
    rule = pl.Series("rule", np.array(list(rules), dtype=np.uint8)[blocked.pairs["rule"].to_numpy()])
    found = blocked.pairs.with_columns(rule, bucket=pl.Series(bucket_of(blocked.pairs["l"], slices))).sort("bucket", "l", "r")
    _write(found, folder, "pairs", number)
    _write(blocked.report.with_columns(index=pl.Series(list(rules), dtype=pl.UInt8)), folder, "counted", number)


def compare_part(part: tuple[int, int], folder: Path) -> None:
    """The pairs of one bucket, each once and by the first rule that found it, compared and weighed; `part`: the bucket, and how many first steps there were."""
    bucket, steps = part
    found = pl.scan_parquet([_file(folder, "pairs", number) for number in range(steps)]).filter(pl.col("bucket") == bucket)
    pairs = found.group_by("l", "r").agg(pl.col("rule").min()).select(PAIR).sort("l", "r").collect()
    trusted = _trusted(folder)
    of = _chosen(pl.concat([pairs["l"], pairs["r"]]), len(trusted))
    units = Units(
        count=len(trusted),
        values={file.stem: _rows_of(folder, file.stem, of) for file in sorted((folder / "values").glob("*.parquet"))},
        names=pl.read_parquet(_file(folder, "units", "names")),
        partial=pl.read_parquet(_file(folder, "units", "partial")),
        frequencies={kind: _shares(folder, kind) for kind in _FREQUENCIES},
        common={file.stem: pl.read_parquet(file)["value"].to_numpy() for file in sorted((folder / "common").glob("*.parquet"))},
    )
    _write(weighed_pairs(pairs, trusted, units, load_model()), folder, "weighed", bucket)


def bucket_of(values: pl.Series, buckets: int) -> npt.NDArray[np.uint32]:
    """The bucket of each number, by the finish of splitmix64 (`matching.sets.mixed`)."""
    return (mixed(values.to_numpy()) % np.uint64(buckets)).astype(np.uint32)


def _report(weighed: pl.DataFrame, counted: list[pl.DataFrame]) -> pl.DataFrame:
    """The counts of all buckets, rule by rule."""
    new = np.bincount(weighed["rule"].to_numpy(), minlength=len(CHILD_RULES))
    summed = pl.concat(counted).group_by("index").agg(pl.col("rule").first(), pl.col(_COUNTED).sum()).sort("index")
    return summed.with_columns(pairs_new=pl.Series(new)).match_to_schema(REPORT_SCHEMA, extra_columns="ignore", integer_cast="upcast")


def _chosen(units: pl.Series, count: int) -> npt.NDArray[np.bool_]:
    wanted = np.zeros(count, dtype=np.bool_)
    wanted[units.to_numpy()] = True
    return wanted


def _trusted(folder: Path) -> npt.NDArray[np.bool_]:
    return pl.read_parquet(_file(folder, "units", "trusted"))["is_trusted"].to_numpy()


def _shares(folder: Path, kind: str) -> Shares:
    table = pl.read_parquet(_file(folder, "frequencies", kind))
    return Shares(table["value"].to_numpy(), table["share"].to_numpy())


def _rows_of(folder: Path, attribute: str, of: npt.NDArray[np.bool_]) -> Sets:
    """What some units have; nothing of all others."""
    table = pl.read_parquet(_file(folder, "values", attribute))
    return Sets.again(table.filter(of[table["unit"].to_numpy()]), len(of))


def _file(folder: Path, kind: str, name: str | int) -> Path:
    return folder / kind / f"{name}.parquet"


def _write(table: pl.DataFrame, folder: Path, kind: str, name: str | int) -> None:
    write_whole(table, _file(folder, kind, name))
