"""What holds of any table of texts, in any format: it comes back equal, and no row is lost."""

from __future__ import annotations

import codecs
import gzip
import re
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.exports import encoding as encoding_module
from schemas.exports.feeds import FEEDS
from schemas.exports.reader import read
from tests.schemas.intake_desk import Desk, as_file, csv_text, headings, valid_row

FEED = FEEDS["assistance"]
WIDTH = len(FEED.columns)
QUICK = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# what a cell of an export can hold: marks of the format itself, line breaks, rare characters, blanks
letters = st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufdd0\ufdd1\ufeff\ufffe\uffff")
marks = st.sampled_from([",", "\t", '"', '""', "\n", "'", " ", "　", "张", "𬱖", "·", "=", "，", ";", "0", "00"])
texts = st.lists(st.one_of(marks, letters), max_size=6).map("".join)
tables = st.lists(st.lists(texts, min_size=WIDTH, max_size=WIDTH), max_size=12)


def cells_of(content: bytes, format_: str) -> list[list[str]]:
    """What the reader makes of a file, nulls as empty texts; rows that are faulty would not have the width."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x.{format_}"
        path.write_bytes(content)
        batches = list(read(path, format_, FEED).batches)
    frame = pl.concat(batches) if batches else pl.DataFrame()
    if frame.is_empty():
        return []
    assert frame["fault"].null_count() == frame.height
    assert frame["source_row"].to_list() == list(range(1, frame.height + 1))
    return [["" if v is None else v for v in row] for row in frame.select(pl.col("^c\\d+$")).rows()]


@QUICK
@given(tables, st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]), st.sampled_from([",", "\t"]), st.sampled_from(["\n", "\r\n"]), st.integers(64, 4096))
def test_any_table_comes_back_equal_from_text(table, encoding, separator, line_end, block):
    content = csv_text([headings("assistance"), *table], separator, line_end).encode(encoding)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding_module, "BLOCK", max(block, 800))  # the first block must hold the headings
        assert cells_of(content, "csv") == table
        assert cells_of(gzip.compress(content), "csv.gz") == table


@QUICK
@given(tables)
def test_any_table_comes_back_equal_from_parquet(table):
    assert cells_of(as_file([headings("assistance"), *table], "parquet"), "parquet") == table


in_xml = st.lists(st.one_of(st.sampled_from(["张", "𬱖", ",", '"', "&", "<", "0", " ", "\n", "·"]), st.characters(categories=["Lo", "Nd", "Po"])), max_size=5).map("".join)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.lists(in_xml.filter(lambda t: not t.startswith("=")), min_size=WIDTH, max_size=WIDTH), max_size=6))
def test_any_table_comes_back_equal_from_a_workbook(table):
    read_back = [[t.strip() for t in row] for row in cells_of(as_file([headings("assistance"), *table], "xlsx"), "xlsx")]
    table = [[t.strip() for t in row] for row in table]  # XML keeps blanks at the ends only where it is told to
    while table and not any(table[-1]):
        table = table[:-1]  # a workbook does not say how many blank rows come last
    assert read_back[: len(table)] == table
    assert not any(any(row) for row in read_back[len(table) :])


faults = st.sampled_from(["good", "no key", "no name", "bad kind", "short", "long", "blank", "total", "bytes", "quote", "placeholder"])


@QUICK
@given(st.lists(faults, max_size=25), st.sampled_from(["utf-8", "gb18030"]))
def test_no_row_is_lost_whatever_is_wrong_with_it(kinds, encoding):
    lines = [headings("assistance")]
    for i, kind in enumerate(kinds):
        # a quote before a text can't be taken for the end of a cell that an earlier stray quote opened
        given = {"record_key": "" if kind == "no key" else f"K{i}", "name": "" if kind == "no name" else "测"}
        row = valid_row("assistance", **given, kind={"bad kind": "别", "placeholder": "无"}.get(kind, "低保"))
        cells = [row.get(h, "") for h in headings("assistance")]
        cells = {"short": cells[:5], "long": [*cells, "x"], "blank": [], "total": ["合计", str(i)]}.get(kind, cells)
        lines.append([c + ("@@" if kind == "bytes" and c == f"K{i}" else "") for c in cells])
    content = csv_text(lines).encode(encoding).replace(b"@@", b"\xff")
    for i, kind in enumerate(kinds):
        if kind == "quote":
            content = content.replace(f"K{i},".encode(), f'K{i},"'.encode())
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        desk.put("assistance", "assistance_20261101.csv", content)
        taken = desk.take("assistance")
    receipt = taken.receipt("assistance_20261101.csv")
    if receipt["state"] == "rejected":
        assert kinds.count("bytes") * 2 > len(kinds) - kinds.count("blank") - kinds.count("total")
        return
    assert (receipt["rows_blank"], receipt["rows_total"]) == (kinds.count("blank"), kinds.count("total"))
    assert taken.accepted["source_row"].to_list() == [i for i, k in enumerate(kinds, 1) if k in ("good", "no name")]
    turned = {"no key": "missing_key:record_key", "bad kind": "unreadable_need:kind", "placeholder": "missing_need:kind", "short": "ragged_row",
              "long": "ragged_row", "bytes": "undecodable_bytes", "quote": "broken_quotes"}  # fmt: skip
    assert taken.reasons() == {i: [turned[k]] for i, k in enumerate(kinds, 1) if k in turned}


octets = st.lists(st.one_of(st.sampled_from([b"\r", b"\n", b"\r\n", b",", "张".encode(), "张".encode()[:2], b"\xff", b"\xf0\x9f\x98", "𬱖".encode(), "张三".encode("gb18030")]), st.binary(max_size=3)), max_size=30).map(b"".join)


@settings(max_examples=200, deadline=None)
@given(octets, st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]), st.integers(1, 9))
def test_a_text_is_decoded_the_same_wherever_its_blocks_are_cut(content, encoding, size):
    # a text is taken for one with a byte order mark where it begins with one, and only there
    content = {"utf-8": b"x", "utf-8-sig": codecs.BOM_UTF8, "gb18030": b""}[encoding] + content
    blocks = [content[:9], *(content[at : at + size] for at in range(9, len(content), size))]
    utf8 = b"".join(encoding_module.as_utf8(blocks, encoding))
    lines = [encoding_module.marked(line) for line in re.findall(b"[^\n]*\n|[^\n]+", utf8)]
    whole = content.decode(encoding, errors="childflow-mark").removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    assert b"".join(lines).decode() == whole
