"""Blocking and comparing in parts, against the night in one process."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from matching import pairs_in_parts
from matching.again.source import Source
from matching.coding import code_parts
from matching.linkage import link
from matching.model import load_model
from matching.night import Night, prepare_records
from matching.pairs import pair_up
from matching.pairs_in_parts import bucket_of, pairing_in_parts
from matching.standardise import standardise
from sample_data.tiny import FOLDER
from schemas.exports.feeds import CHILD_FEEDS
from schemas.exports.intake import take_in

AS_OF = date(2026, 11, 24)
TABLES = ("person", "person_record", "review_queue", "identity", "identity_event")


def backwards(step: Callable[..., None], of: Iterable[Any], folder: Path) -> None:
    """Steps from last to first, the last twice, beside what a worker that died left half written."""
    said = list(of)
    for part in [*said[::-1], said[-1]]:
        step(part, folder)
    (folder / "pairs").mkdir(exist_ok=True)
    (folder / "pairs" / ".0.parquet-half").write_bytes(b"PAR1")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small city's records."""
    folder = tmp_path_factory.mktemp("work")
    for feed in CHILD_FEEDS:
        take_in(feed, FOLDER / "inbox", folder / "store", folder, AS_OF)
        standardise(feed, folder)
    return folder


@pytest.fixture(scope="module")
def night(work: Path) -> Night:
    files = sorted((work / "record").glob("*.parquet"))
    return prepare_records(code_parts(Source.of_files(files).parts()), AS_OF, load_model())


@pytest.mark.parametrize(("blocked", "compared"), [(10**6, 10**6), (100, 30), (40, 10**6)])
def test_pairs_and_report_are_those_of_one_process_whatever_the_parts(night, tmp_path, monkeypatch, blocked, compared):
    monkeypatch.setattr(pairs_in_parts, "UNITS_BLOCKED", blocked)
    monkeypatch.setattr(pairs_in_parts, "UNITS_COMPARED", compared)
    some = night.units.values["phone"].value[:40]
    night = replace(night, units=replace(night.units, common={**night.units.common, "phone": np.unique(some)}))
    paired = pairing_in_parts(tmp_path / "link", backwards)(night, load_model())
    whole = pair_up(night, load_model())
    assert paired.weighed.height > 100
    assert (paired.weighed["phone"] == load_model().comparison("phone").position("common")).any()
    assert paired.weighed.schema == whole.weighed.schema and paired.weighed.equals(whole.weighed)
    assert paired.report.equals(whole.report)


def test_linkage_by_way_of_parts_writes_the_same_tables(work, tmp_path, monkeypatch):
    monkeypatch.setattr(pairs_in_parts, "UNITS_COMPARED", 50)
    found = {}
    for name, how in (("one", pair_up), ("parts", pairing_in_parts(tmp_path / "link", backwards))):
        link(work, AS_OF, how)
        found[name] = {table: pl.read_parquet(work / f"{table}.parquet") for table in TABLES}
    for table in TABLES:
        assert found["one"][table].equals(found["parts"][table]), table


def test_the_bucket_of_a_number_is_fixed():
    """Written down, so that another library or version cannot change it unseen; the first is splitmix64's first output from the state 0."""
    values = pl.Series([0x9E3779B97F4A7C15, 0, 1, 2**64 - 1], dtype=pl.UInt64)
    assert int(bucket_of(values, 2**32 - 1)[0]) == 0xE220A8397B1DCDAF % (2**32 - 1)
    assert bucket_of(values, 7).tolist() == [2, 0, 6, 0]
