"""What the machine could do at best at a station. Enters: the files the station reads and writes. Leaves: processor seconds to read those bytes, sort those keys, write those tables.

Nothing is understood on the way: a Parquet file is decoded to Arrow batches and encoded again, any other file is copied. It is a floor no program reaches.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

_BLOCK = 8 * 2**20
# what each station reads and writes, in the run's folder; $inbox, $register and $out are what they say
READS: dict[str, tuple[str, ...]] = {
    "recall": ("$register",),
    "intake": ("$inbox",),
    "standardise": ("accepted/**/*.parquet",),
    "link": ("record/*", "previous/person_record.parquet", "previous/person.parquet"),
    "facts": ("standard/*", "person_record.parquet"),
    "decide": ("facts/*", "person.parquet"),
    "publish": ("record/*", "person_record.parquet", "person.parquet", "residence_episode.parquet", "assessment.parquet", "service_gap.parquet", "alert.parquet"),
    "hand-out": ("$register",),
}
WRITES: dict[str, tuple[str, ...]] = {
    "recall": ("previous/*",),
    "intake": ("accepted/**/*.parquet", "quarantine/*"),
    "standardise": ("standard/*", "record/*"),
    "link": ("person_record.parquet", "person.parquet", "review_queue.parquet", "identity.parquet"),
    "facts": ("facts/*",),
    "decide": ("residence_episode.parquet", "assessment.parquet", "key_care.parquet", "alert.parquet", "service_gap.parquet"),
    "publish": ("$register",),
    "hand-out": ("$out",),
}
# stations that cannot do without bringing all their rows into one order
_SORTS = ("link", "facts", "decide", "publish")


def at_best(station: str, work: Path, places: dict[str, Path]) -> float:
    """Processor seconds: read what the station reads, sort one key of each row where it must, write what it writes."""
    scratch = work / "best.tmp"
    seconds, rows = 0.0, 0
    try:
        for is_output, patterns in ((False, READS.get(station, ())), (True, WRITES.get(station, ()))):
            for file in _files(work, places, patterns):
                spent, seen = _passed(file, scratch, is_output)
                seconds += spent
                rows += 0 if is_output else seen
    finally:
        scratch.unlink(missing_ok=True)
    if station in _SORTS:
        keys = np.random.default_rng(1).integers(0, 2**63, size=max(rows, 1))
        start = time.process_time()
        keys.sort()
        seconds += time.process_time() - start
    return seconds


def _files(work: Path, places: dict[str, Path], patterns: tuple[str, ...]) -> list[Path]:
    found: list[Path] = []
    for pattern in patterns:
        for place in [places[pattern[1:]]] if pattern.startswith("$") else sorted(work.glob(pattern)):
            # a table may be a folder of files
            found += sorted(p for p in place.rglob("*") if p.is_file()) if place.is_dir() else [place] if place.exists() else []
    return found


def _passed(file: Path, scratch: Path, is_output: bool) -> tuple[float, int]:
    """Processor seconds to read a file, or to write one like it; and its rows, where it is a table."""
    if file.suffix != ".parquet":
        return _copied(file, scratch, is_output), 0
    table = pq.ParquetFile(file)
    reading = writing = 0.0
    with pq.ParquetWriter(scratch, table.schema_arrow, compression="zstd", compression_level=1) as out:
        batches = table.iter_batches(batch_size=2**17)
        while True:
            start = time.process_time()
            batch = next(batches, None)
            reading += time.process_time() - start
            if batch is None:
                break
            if is_output:
                start = time.process_time()
                out.write_batch(batch)
                writing += time.process_time() - start
    return (writing if is_output else reading), table.metadata.num_rows


def _copied(file: Path, scratch: Path, is_output: bool) -> float:
    reading = writing = 0.0
    with file.open("rb") as source, scratch.open("wb") as target:
        while True:
            start = time.process_time()
            block = source.read(_BLOCK)
            reading += time.process_time() - start
            if not block:
                break
            if is_output:
                start = time.process_time()
                target.write(block)
                writing += time.process_time() - start
    return writing if is_output else reading
