"""A workbook's package, looked over before it is opened: cells too far apart, as one stray blank puts them."""

from __future__ import annotations

import io

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter

from schemas.exports import package
from schemas.exports.faults import UnreadableFileError
from tests.schemas.intake_desk import grid, valid_row, workbook_bytes

NAME = "household_20261101.xlsx"
GOOD = workbook_bytes(grid("household", [valid_row("household")]))


def with_cells(*places: tuple[int, int]) -> bytes:
    """The good workbook with a blank typed into some cells."""
    book = openpyxl.load_workbook(io.BytesIO(GOOD))
    for row, column in places:
        book["数据"].cell(row, column).value = " "
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("places", "corner"),
    [([(1_048_576, 16_384)], "第1048576行、XFD列"), ([(1, 16_384), (5000, 1)], "第5000行、XFD列"), ([(1_048_576, 65)], "第1048576行、BM列"), ([(990_000, 68)], "第990000行、BP列")],
    ids=["the last cell", "the last column", "the last row", "below and beside"],
)
def test_a_stray_blank_far_away_is_refused_before_room_is_made_for_all_between(desk, places, corner):
    desk.put("household", NAME, with_cells(*places))
    assert desk.take("household").receipt(NAME)["message"] == f"工作表的内容远至{corner}，范围过大，不能读取；请删除数据区以外的零散内容（空格也算），另存为.xlsx后重新报送"


@pytest.mark.parametrize("places", [[(5000, 3)], [(3, 1000)], [(5000, 100)]], ids=["below", "beside", "both"])
def test_a_stray_blank_not_so_far_away_costs_no_row(desk, places):
    desk.put("household", NAME, with_cells(*places))
    assert desk.take("household").accepted.height == 1


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 3000), st.integers(1, 900)), max_size=4), st.sampled_from([1000, 50_000, 400_000]), st.sampled_from([40, 500, 2**20]))
def test_what_lies_too_far_apart_is_what_a_second_reader_finds_so(tmp_path_factory, places, most, read_bytes):
    path = tmp_path_factory.getbasetemp() / NAME
    path.write_bytes(with_cells(*places))
    seen = openpyxl.load_workbook(path)["数据"]
    rows, columns = seen.max_row, max(seen.max_column, 26)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(package, "MOST_CELLS", most)
        patch.setattr(package, "_COLUMNS", 0)
        patch.setattr(package, "_READ_BYTES", read_bytes)
        if rows * columns <= most:
            package.look_over(path)
        else:
            with pytest.raises(UnreadableFileError, match=f"第{rows}行、{get_column_letter(columns)}列"):
                package.look_over(path)
