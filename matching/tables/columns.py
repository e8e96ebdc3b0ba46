"""Tables ready to compare: a model and one or two files go in; units, their ids and integer-coded columns come out.

A unit is a row; those of the first table come first, each table in the order of its ids, so that nothing rests on where a row stood. Values are codes
(ranks of the sorted distinct values, -1 for none), so that comparing touches each distinct text once.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from matching.names import display, folded, surname
from matching.tables.read import read_table
from matching.tables.sounds import sounds
from matching.tables.spec import ColumnSpec, Key, Spec
from matching.tables.spec_levels import SOUNDS, LinkError

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Coded:
    """A column of all units.

    Attributes:
        held: unit, code; several rows a unit where the column is a set. values: the distinct values, sorted (String, Float64 or Date).
        count: how many units there are.
    """

    spec: ColumnSpec
    held: pl.DataFrame
    values: pl.Series
    count: int

    @cached_property
    def codes(self) -> Codes:
        """The code of each unit, -1 where it has none (single-valued columns)."""
        out = np.full(self.count, -1, dtype=np.int64)
        out[self.held["unit"].to_numpy()] = self.held["code"].to_numpy()
        return out

    @cached_property
    def present(self) -> npt.NDArray[np.bool_]:
        """Whether each unit has a value."""
        out = np.zeros(self.count, dtype=np.bool_)
        out[self.held["unit"].to_numpy()] = True
        return out

    @cached_property
    def texts(self) -> list[str]:
        """The distinct values as text; dates as eight digits."""
        return (self.values.dt.strftime("%Y%m%d") if self.values.dtype == pl.Date else self.values.cast(pl.String)).to_list()

    @cached_property
    def shares(self) -> npt.NDArray[np.float64]:
        """The share of the units with a value that have each one."""
        holders = max(self.held["unit"].n_unique(), 1)
        return np.bincount(self.held["code"].to_numpy(), minlength=len(self.values)) / holders


@dataclass(frozen=True)
class Tables:
    """One or two tables: `units` (table, id), the columns by name, the first unit of the second table, and notes for people on what was not read."""

    units: pl.DataFrame
    columns: dict[str, Coded]
    across: int | None
    notes: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many units there are."""
        return self.units.height

    @property
    def possible(self) -> int:
        """How many pairs there are."""
        if self.across is None:
            return self.count * (self.count - 1) // 2
        return self.across * (self.count - self.across)


def prepare(spec: Spec, files: list[Path]) -> Tables:
    """Reads and codes the tables.

    Raises:
        LinkError: more than two files, a column that a table lacks, no value in it, an id missing or in two rows.
    """
    if len(files) not in (1, 2):
        raise LinkError(f"one table is deduplicated and two are linked; {len(files)} were given")
    if spec.one_to_one and len(files) == 1:
        raise LinkError(f"{spec.file}: one_to_one goes with two tables, and one was given")
    names = [f.name.split(".")[0] for f in files]
    if len(files) == 2 and names[0] == names[1]:
        names = [f"{n}_{i}" for i, n in enumerate(names, start=1)]
    notes: list[str] = []
    frames = [_table(spec, file, name, notes) for file, name in zip(files, names, strict=True)]
    whole = pl.concat(frames).with_row_index("unit")
    columns = {name: _coded(column, whole.select("unit", value=pl.col(f"column {name}"))) for name, column in spec.columns.items()}
    return Tables(whole.select("unit", "table", "id"), columns, frames[0].height if len(files) == 2 else None, tuple(notes))


def _table(spec: Spec, file: Path, name: str, notes: list[str]) -> pl.DataFrame:
    """table, id, and `column <name>` for each column of the model, in the order of the ids."""
    frame = read_table(file)
    for heading in (spec.id_column, *(c.heading for c in spec.columns.values())):
        if heading not in frame.columns:
            near = get_close_matches(heading, frame.columns, 1)
            raise LinkError(
                f"{spec.file} names the column '{heading}', which {file.name} does not have{f'; did you mean {near[0]}?' if near else ''}; it has: {', '.join(frame.columns)}"
            )
    ids = frame[spec.id_column]
    if ids.dtype != pl.String:
        raise LinkError(f"{file.name}: the id column '{spec.id_column}' holds lists; an id must be one value")
    if empty := ids.null_count():
        raise LinkError(f"{file.name}: {empty} rows have no id in '{spec.id_column}', the first is row {ids.is_null().arg_true()[0] + 1}; every row needs one")
    if (twice := ids.is_duplicated()).any():
        at = [i + 1 for i in (ids == ids[twice.arg_true()[0]]).arg_true()[:2]]
        raise LinkError(f"{file.name}: ids in '{spec.id_column}' stand in more than one row ({ids.filter(twice).n_unique()} ids, first in rows {at[0]} and {at[1]}); every row needs its own")
    # by a name of ours, for polars reads headings such as * as patterns
    told = pl.DataFrame([ids.alias("id"), *(frame[c.heading].alias(f"column {n}") for n, c in spec.columns.items())])
    cells = told.select(pl.lit(name).alias("table"), "id", *(_cells(c, f"column {n}", told.schema[f"column {n}"]) for n, c in spec.columns.items()))
    for n, column in spec.columns.items():
        filled, read = frame[column.heading].count(), cells[f"column {n}"].count()
        if not read:
            raise LinkError(f"{file.name}: column '{column.heading}' has no {column.kind} in any of {frame.height} rows; leave it out of {spec.file}, or mend it (kind, format, missing)")
        if read < filled and column.kind in ("number", "date"):
            notes.append(f"{file.name}: {filled - read} of {filled} cells in '{column.heading}' are no {column.kind} and count as not filled in")
    return cells.sort("id")


def _cells(column: ColumnSpec, name: str, dtype: pl.DataType) -> pl.Expr:
    """The cells of a column, read by its kind; null where there is nothing to compare."""
    cell = pl.col(name)
    if column.kind == "set":
        parts = cell if isinstance(dtype, pl.List) else cell.str.split(column.separator)
        members = parts.list.eval(_text(column, pl.element())).list.drop_nulls().list.unique()
        return pl.when(members.list.len() > 0).then(members)
    if isinstance(dtype, pl.List):
        raise LinkError(f"column '{column.heading}' holds lists; its kind must be set, not {column.kind}")
    if column.kind == "number":
        return _text(column, cell).str.replace_all(",", "").cast(pl.Float64, strict=False).fill_nan(None)
    if column.kind == "date":
        return pl.coalesce(_text(column, cell).str.to_date(each, strict=False) for each in column.formats)
    return _text(column, cell)


def _text(column: ColumnSpec, cell: pl.Expr) -> pl.Expr:
    text = folded(display(cell)) if column.kind == "name" else cell.str.strip_chars().str.to_lowercase()
    text = pl.when(~cell.is_in(list(column.missing))).then(text) if column.missing else text
    text = text.str.replace_all(column.strip, "") if column.strip else text
    return pl.when(text.str.len_chars() > 0).then(text)


def _coded(column: ColumnSpec, cells: pl.DataFrame) -> Coded:
    """A column as codes."""
    held = cells.explode("value") if column.kind == "set" else cells
    held = held.drop_nulls()
    values = held["value"].unique().sort()
    codes = pl.DataFrame({"value": values}).with_row_index("code")
    held = held.join(codes, on="value", how="left", maintain_order="left").select("unit", "code")
    return Coded(column, held, values, cells.height)


def key_values(tables: Tables, key: Key) -> pl.DataFrame:
    """What a blocking rule goes by: unit, value (UInt32); a unit may have several."""
    column = tables.columns[key.column]
    if key.take is None:
        return column.held.select("unit", value="code")
    taken = pl.DataFrame({"taken": _taken(column, key)}).with_row_index("code")
    taken = (taken.explode("taken") if isinstance(taken.schema["taken"], pl.List) else taken).drop_nulls().filter(pl.col("taken") != "")
    numbers = taken.select("taken").unique().sort("taken").with_row_index("value")
    taken = taken.join(numbers, on="taken").select("code", "value")
    return column.held.join(taken, on="code").select("unit", "value").unique().sort("unit", "value")


def _taken(column: Coded, key: Key) -> pl.Series:
    """What the key takes of each distinct value: a text, or by pinyin a list of them; nothing or empty where it has none."""
    if key.take in SOUNDS:
        return sounds(column.texts, key.take)
    text, taken = pl.col("text"), pl.lit(None, dtype=pl.String)
    match key.take:
        case "first":
            taken = pl.when(text.str.len_chars() >= key.size).then(text.str.head(key.size))
        case "letters":
            taken = text.str.extract_all(r"[\p{L}\p{N}]").list.sort().list.join("")
        case "year":
            taken = text.str.head(4)
        case "month":
            taken = text.str.head(6)
        case "surname":
            taken = surname(text)
        case _:
            taken = text.str.slice(surname(text).str.len_chars())
    return pl.DataFrame({"text": column.texts}, schema={"text": pl.String}).select(taken.alias("taken"))["taken"]
