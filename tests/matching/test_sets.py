"""Sets of values against plain Python sets."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import identifiers
from matching.buckets import Buckets
from matching.sets import Sets, mixed, stored

UNITS = 6
tables = st.lists(st.tuples(st.integers(0, UNITS - 1), st.integers(-3, 3)), max_size=30)


MAKERS = [(Sets.of, pl.Int64), (Sets.of, pl.Int32), (Sets.of, pl.String), (Sets.exactly, pl.Int64)]


@settings(max_examples=80, deadline=None)
@given(tables, st.sampled_from(MAKERS))
def test_what_pairs_share_is_what_plain_sets_share(table: list[tuple[int, int]], maker: tuple[Callable[[pl.DataFrame, int], Sets], type[pl.DataType]]) -> None:
    make, dtype = maker
    plain = [{v for u, v in table if u == unit} for unit in range(UNITS)]
    frame = pl.DataFrame(table, schema={"unit": pl.UInt32, "value": pl.Int64}, orient="row")
    sets = make(frame.with_columns(pl.col("value").cast(dtype)), UNITS)
    again = Sets.again(sets.table(), UNITS)
    assert np.array_equal(again.start, sets.start) and np.array_equal(again.value, sets.value)
    pairs = list(itertools.product(range(UNITS), repeat=2))
    left, right = (np.array([p[i] for p in pairs], dtype=np.uint32) for i in (0, 1))
    assert sets.sizes().tolist() == [len(p) for p in plain]
    assert sets.both(left, right).tolist() == [bool(plain[a]) and bool(plain[b]) for a, b in pairs]
    assert sets.common(left, right).tolist() == [len(plain[a] & plain[b]) for a, b in pairs]
    shares = [bool(plain[a] & plain[b]) for a, b in pairs]
    assert sets.shared(left, right).tolist() == shares
    assert [each.tolist() for each in sets.agreement(left, right)] == [sets.both(left, right).tolist(), shares]
    assert sorted(sets.of_units(left).tolist()) == sorted(sets.value.tolist() * UNITS)
    place, a, b = sets.crossed(left, right)
    assert [len(plain[x]) * len(plain[y]) for x, y in pairs] == np.bincount(place, minlength=len(pairs)).tolist()
    assert len({*zip(place.tolist(), a.tolist(), b.tolist(), strict=True)}) == len(place)


@settings(max_examples=40, deadline=None)
@given(tables)
def test_values_come_back_where_they_are_read_back(table: list[tuple[int, int]]) -> None:
    frame = pl.DataFrame(table, schema={"unit": pl.UInt32, "value": pl.Int64}, orient="row")
    expected = sorted({(u, v) for u, v in table})
    for sets, back in ((Sets.exactly(frame, UNITS), np.int64), (Sets.of(frame.cast({"value": pl.Int32}), UNITS), np.int32)):
        assert sorted(zip(sets.holders().tolist(), sets.value.view(back).tolist(), strict=True)) == expected
    shared = stored(frame["value"], UNITS)
    assert set(zip(frame["unit"].to_list(), shared.tolist(), strict=True)) == {*zip(*(c.tolist() for c in (Sets.of(frame, UNITS).holders(), Sets.of(frame, UNITS).value)), strict=True)}


def test_near_numbers_are_mixed_apart() -> None:
    keys = mixed(np.arange(10_000, dtype=np.uint32))
    assert len(np.unique(keys)) == 10_000
    assert len(np.unique(keys >> np.uint64(54))) == 1024


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**17 - 1), st.sampled_from("0123456789X"))
def test_a_packed_number_comes_back_whole(digits: int, check: str) -> None:
    text = f"{digits:017d}{check}"
    front, is_round = identifiers.rounding(pl.col("n"))
    told = pl.DataFrame({"t": [text]}).select(n=identifiers.packed(pl.col("t"))).select(
        "n", text=identifiers.unpacked(pl.col("n")), front=front, is_round=is_round, head=pl.col("n") // identifiers.TAIL, tail=pl.col("n") % identifiers.TAIL,
        is_female=identifiers.packed_is_female(pl.col("n")),
    ).row(0, named=True)  # fmt: skip
    assert told["text"] == text
    assert (told["front"], told["is_round"]) == (int(text[:15]), text.endswith("000"))
    assert (told["head"], told["tail"]) == (int(text[:14]), int(text[14:17]) * 16 + (10 if check == "X" else int(check)))
    assert told["is_female"] == (int(text[16]) % 2 == 0)


def test_only_eighteen_characters_are_packed() -> None:
    texts = ["50010620150302135", "5001062015030213522", "50010620150302135?", "50010620150302X352", "", None, "500106201503021352"]
    packed = pl.DataFrame({"t": texts}).select(identifiers.packed(pl.col("t"))).to_series()
    assert packed.is_null().to_list() == [True] * 6 + [False]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 4), max_size=8), max_size=5), st.booleans())
def test_buckets_lose_nothing_and_keep_the_order(tmp_path_factory, frames: list[list[int]], on_disk: bool) -> None:
    folder = tmp_path_factory.mktemp("buckets") / "held" if on_disk else None
    buckets, number = Buckets(5, folder), 0
    expected: dict[int, list[int]] = {bucket: [] for bucket in range(5)}
    given: list[tuple[pl.DataFrame, np.ndarray, int]] = []
    for frame in frames:
        rows = list(range(number, number + len(frame)))
        number += len(frame)
        given.append((pl.DataFrame({"n": rows}, schema={"n": pl.Int64}), np.array(frame, dtype=np.uint32), len(given)))
        for bucket, row in zip(frame, rows, strict=True):
            expected[bucket].append(row)
    for each in reversed(given):
        buckets.add(*each)
    for bucket, rows in expected.items():
        if rows:
            assert buckets.take(bucket)["n"].to_list() == rows
    if folder is not None:
        assert not list(folder.iterdir())
