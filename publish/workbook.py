"""Workbooks for people: frames in, an .xlsx out whose every cell is text that no program takes for a formula.

Enters: `Notes` (a page of instructions) and `Sheet`s (a frame with its columns' headings). Leaves: the same bytes for the same content, built in
memory and moved into place whole, so that no cell of it ever lies in a temporary folder.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter
from msoffcrypto.format.ooxml import OOXMLFile

from publish.looks import Looks

ROWS_PER_SHEET = 200_000  # a sheet can hold 1,048,576; what is longer goes on in a further sheet that still opens on an office machine
CELL_LIMIT = 32_767  # characters that one cell can hold
_CUT = "…（内容过长，已截断）"
_CREATED = datetime(2024, 11, 1, tzinfo=UTC)  # fixed, so that equal content gives equal bytes
_WIDEST = 42.0  # characters
_LINE, _TALLEST = 14.5, 400.0  # points; a row can be 409 high
_A4, _A3 = 9, 8  # paper sizes
_A4_HOLDS, _A3_HOLDS = 260.0, 370.0  # the width in characters that can still be read on one sheet of it
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}


@dataclass(frozen=True)
class SheetColumn:
    """One column of a sheet.

    Attributes:
        name: the frame's column; a column the frame does not have is left empty, to be filled in.
        heading: what stands above it.
        width: in characters; None takes it from the content.
        choices: the words of a drop-down; anything else is refused by the spreadsheet program, unless they are suggestions (`is_open`).
        is_input: the recipient fills it in; shown on a colour of its own.
    """

    name: str
    heading: str
    width: float | None = None
    choices: tuple[str, ...] = ()
    is_input: bool = False
    is_open: bool = False


@dataclass(frozen=True)
class Notes:
    """A page to read: a title, and paragraphs each with a short label beside it."""

    name: str
    title: str
    paragraphs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Sheet:
    """A page of rows.

    Attributes:
        name: the tab; `title`: the line above the headings.
        rows: the frame; values that are not text are written as people write them.
        frozen: how many columns stay in view when scrolling sideways.
        bands: per row, whether it is shaded; None shades every second row.
        marks: boolean columns named like the sheet's: the cells that must catch the eye.
    """

    name: str
    title: str
    columns: tuple[SheetColumn, ...]
    rows: pl.DataFrame
    frozen: int = 1
    bands: pl.Series | None = None
    marks: pl.DataFrame | None = None


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Every column as the text a person would write: dates ISO, booleans 是/否, lists joined by `；`, null as an empty text.

    Control characters are dropped (line breaks stay), text beyond a cell's limit is cut and says so, and a text that a spreadsheet program could
    take for a formula (first character = + - @ in either width, or a tab) gets an apostrophe in front, as OWASP's note on CSV injection
    advises; a lone dash is left alone.
    """
    return frame.select(_harmless(_plain(pl.col(name), dtype)).alias(name) for name, dtype in frame.schema.items())


def _plain(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.Boolean:
        return pl.when(column).then(pl.lit("是")).when(~column).then(pl.lit("否"))
    if isinstance(dtype, pl.List):
        return column.list.eval(pl.element().cast(pl.String)).list.join("；", ignore_nulls=True)
    return column.cast(pl.String)


def _harmless(text: pl.Expr) -> pl.Expr:
    clean = text.str.replace_all("\r\n?", "\n").str.replace_all("[\\x00-\\x08\\x0b-\\x1f\\x7f\u2028\u2029\ufeff]", "").fill_null("")
    risky = clean.str.contains("^[\\s\u3000]*[=+@＝＋＠\t]") | clean.str.contains("^[\\s\u3000]*[-－][\\s\\S]*\\S")
    quoted = pl.when(risky).then(pl.concat_str(pl.lit("'"), clean)).otherwise(clean)
    fits = quoted.str.len_chars() <= CELL_LIMIT
    return pl.when(fits).then(quoted).otherwise(pl.concat_str(quoted.str.head(CELL_LIMIT - len(_CUT)), pl.lit(_CUT)))


def build_workbook(pages: Sequence[Notes | Sheet]) -> bytes:
    """The workbook with these pages in order, as bytes.

    Raises:
        ValueError: two pages of one name, a name no spreadsheet program takes, or a drop-down whose words are longer than 255 characters.
    """
    _check_names(pages)
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, _OPTIONS) as book:
        book.set_properties({"created": _CREATED, "author": "childflow", "title": pages[0].title if pages else ""})
        looks = Looks(book)
        for page in pages:
            if isinstance(page, Notes):
                _write_notes(book, looks, page)
            else:
                _write_sheet(book, looks, page)
    return stream.getvalue()


def write_workbook(path: Path, pages: Sequence[Notes | Sheet], password: str | None = None) -> str:
    """Write the workbook, whole or not at all, locked where there is a password; returns the sha256 of its bytes."""
    content = build_workbook(pages)
    if password is not None:
        content = locked(content, password)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
    return hashlib.sha256(content).hexdigest()


def locked(workbook: bytes, password: str) -> bytes:
    """The workbook encrypted as spreadsheet programs do it: agile encryption of ECMA-376 ([MS-OFFCRYPTO] 2.3.4.10), AES-256, 100,000 rounds of SHA-512."""
    stream = io.BytesIO()
    OOXMLFile(io.BytesIO(workbook)).encrypt(password, stream)
    return stream.getvalue()


def _check_names(pages: Sequence[Notes | Sheet]) -> None:
    names = [page.name for page in pages]
    if len(set(names)) != len(names):
        raise ValueError(f"two sheets of one name: {', '.join(names)}")
    for name in names:
        if not 0 < len(name) <= 27 or any(c in name for c in "[]:*?/\\'"):
            raise ValueError(f"not a sheet name: {name!r} (1 to 27 characters, none of []:*?/\\')")


def _write_notes(book: Any, looks: Looks, page: Notes) -> None:
    sheet = book.add_worksheet(page.name)
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 92)
    sheet.set_row(0, 30)
    sheet.write_string(0, 0, page.title, looks.title)
    text = as_text(pl.DataFrame(page.paragraphs, schema=["label", "text"], orient="row"))
    heights = _heights(text, {"text": 88.0}, 20.0)
    for at, ((label, body), height) in enumerate(zip(text.iter_rows(), heights, strict=True), start=2):
        sheet.set_row(at, height + 6)
        sheet.write_string(at, 0, label, looks.label)
        sheet.write_string(at, 1, body, looks.paragraph)
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _write_sheet(book: Any, looks: Looks, page: Sheet) -> None:
    text = as_text(page.rows)
    marks = page.marks if page.marks is not None else pl.DataFrame()
    bands = page.bands if page.bands is not None else pl.Series([at % 2 == 1 for at in range(text.height)], dtype=pl.Boolean)
    widths = {c.name: c.width or _width(c.heading, text[c.name] if c.name in text.columns else None) for c in page.columns}
    heights = _heights(text, widths, _LINE)
    for part, offset in enumerate(range(0, max(text.height, 1), ROWS_PER_SHEET)):
        sheet = book.add_worksheet(page.name if part == 0 else f"{page.name}({part + 1})")
        shaded = bands.slice(offset, ROWS_PER_SHEET).to_list()
        _set_up(sheet, looks, page, list(widths.values()), heights[offset : offset + len(shaded)])
        for at, column in enumerate(page.columns):
            marked = marks[column.name].slice(offset, len(shaded)).fill_null(False).to_list() if column.name in marks.columns else None
            cells = text[column.name].slice(offset, len(shaded)).to_list() if column.name in text.columns else [""] * len(shaded)
            for row, value in enumerate(cells):
                look = looks.cells[column.is_input, marked is not None and marked[row], shaded[row]]
                if value:
                    sheet.write_string(row + 2, at, value, look)
                else:
                    sheet.write_blank(row + 2, at, None, look)


def _set_up(sheet: Any, looks: Looks, page: Sheet, widths: list[float], heights: list[float]) -> None:
    """Title, headings, widths, heights, drop-downs, and how the sheet scrolls and prints."""
    last, wide = len(heights) + 1, len(page.columns) - 1
    sheet.set_row(0, 26)
    sheet.write_string(0, 0, page.title, looks.title)
    sheet.set_row(1, 32)
    for row, height in enumerate(heights, start=2):
        sheet.set_row(row, height)
    for at, column in enumerate(page.columns):
        sheet.write_string(1, at, column.heading, looks.heading_input if column.is_input else looks.heading)
        sheet.set_column(at, at, widths[at])
        if column.choices and heights:
            _drop_down(sheet, at, last, column)
    sheet.freeze_panes(2, page.frozen)
    if heights:
        sheet.autofilter(1, 0, last, wide)
        sheet.ignore_errors({"number_stored_as_text": f"A3:XFD{last + 1}"})
    sheet.set_paper(_A3 if sum(widths) > _A4_HOLDS else _A4)
    sheet.set_landscape()
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.fit_to_pages(math.ceil(sum(widths) / _A3_HOLDS), 0)
    sheet.repeat_rows(0, 1)
    if sum(widths) > _A3_HOLDS and page.frozen:
        sheet.repeat_columns(0, page.frozen - 1)
    sheet.set_footer("&L&A&R第 &P 页，共 &N 页")


def _drop_down(sheet: Any, at: int, last: int, column: SheetColumn) -> None:
    if len(",".join(column.choices)) > 255:
        raise ValueError(f"the drop-down of {column.heading} is longer than the 255 characters a spreadsheet program takes")
    sheet.data_validation(
        2, at, last, at,
        {
            "validate": "list", "source": list(column.choices), "error_title": "请从列表中选择",
            "error_message": f"“{column.heading[:20]}”只能填写下拉列表中的内容。", "show_error": not column.is_open,
        },
    )  # fmt: skip


def _width(heading: str, cells: pl.Series | None) -> float:
    """Wide enough for the heading in two lines and for nineteen cells of twenty, a Chinese character counting two."""
    head = _longest(pl.Series([heading]))
    longest = _longest(cells) if cells is not None else 0.0
    return min(max(head / 2 + 3, longest + 2, 6.0), _WIDEST)


def _longest(cells: pl.Series) -> float:
    """How wide nineteen of twenty of these texts are."""
    return float(cells.to_frame("cell").select(_display(pl.col("cell")).quantile(0.95, "higher")).item() or 0)


def _display(text: pl.Expr) -> pl.Expr:
    """How wide a text is in columns of a typewriter: two for a Chinese character or mark, one for any other."""
    return text.str.len_chars() + text.str.count_matches("[^\\x00-\\x{2000}]")


def _heights(text: pl.DataFrame, widths: dict[str, float], line: float) -> list[float]:
    """The height of each row in points, so that every wrapped cell can be read whole; not every program finds it by itself."""
    lines = [
        pl.col(name).str.split("\n").list.eval((_display(pl.element()) / max(width - 1.5, 1.0)).ceil().clip(1)).list.sum()
        for name, width in widths.items()
        if name in text.columns
    ]
    if not lines or not text.height:
        return [line + 4] * text.height
    return text.select((pl.max_horizontal(lines) * line + 4).clip(upper_bound=_TALLEST)).to_series().to_list()
