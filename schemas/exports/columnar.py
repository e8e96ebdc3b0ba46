"""Reads `.parquet`: text as it is, numbers and dates as the text a person would have typed.

Enters: a path and the feed. Leaves: a `Reading`. A whole number keeps all its digits, so an id stored as one is as good as text; a floating
one has lost them above fifteen digits.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.exports.contract import Feed, Kind
from schemas.exports.faults import UnreadableFileError
from schemas.exports.headings import read_headings
from schemas.exports.reading import EXACT_DIGITS, Reading, cell

BATCH_ROWS = 65_536
# where a moment falls on a day: the city's midnight is 16:00 of the day before in UTC, in which most programs store it
_CITY_TIME = "Asia/Shanghai"
# what is written in more digits than a number of 32 bits keeps
_LONG = (Kind.KEY, Kind.ID, Kind.DATE, Kind.DIVISION, Kind.PHONE)
# stands in the cells of a column that is none of ours and has no text
_NOT_SHOWN = "（无法显示）"
_PLAIN = (
    pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal128,
    pa.types.is_date, pa.types.is_timestamp, pa.types.is_time, pa.types.is_null,
)  # fmt: skip


def read_parquet(path: Path, feed: Feed) -> Reading:
    """Opens a Parquet file.

    Raises:
        UnreadableFileError: damaged or encrypted, a needed column missing, a column of nested or binary values.
    """
    try:
        file = pq.ParquetFile(path, page_checksum_verification=True)
        headings = file.schema_arrow.names
    except (pa.ArrowException, OSError, UnicodeDecodeError) as e:
        raise UnreadableFileError("Parquet文件不完整或已损坏，请重新导出") from e
    layout = read_headings(feed, headings).require()
    for name, i in layout.positions.items():
        column = file.schema_arrow.field(i)
        # of eight digits, a date's, a number of 32 bits has lost the last already
        is_short = pa.types.is_floating(column.type) and column.type != pa.float64() and feed.column(name).kind in _LONG
        if is_short or not _is_plain(column.type):
            raise UnreadableFileError(f"列“{column.name}”的类型（{column.type}）无法当作文本读取；请以文本列重新导出")
    exact = [i for n, i in layout.positions.items() if feed.column(n).is_number]
    return Reading(layout, "parquet", _batches(file, exact, {i: feed.column(n).heading for n, i in layout.positions.items()}))


def _is_plain(kind: pa.DataType) -> bool:
    """Whether values of a type have a text of their own; a list of texts has."""
    is_a = pa.types
    if is_a.is_dictionary(kind):
        return _is_plain(kind.value_type)
    if is_a.is_list(kind) or is_a.is_large_list(kind):
        return not is_a.is_nested(kind.value_type) and _is_plain(kind.value_type)
    return any(is_it(kind) for is_it in _PLAIN)


def _batches(file: pq.ParquetFile, exact: list[int], ours: dict[int, str]) -> Iterator[pl.DataFrame]:
    first = 1
    names = [cell(i) for i in range(len(file.schema_arrow.names))]
    try:
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            frame = pl.DataFrame([pl.Series(n, _shown(c, ours.get(i))) for i, (n, c) in enumerate(zip(names, batch.columns, strict=True))])
            rounded = [
                pl.when(~(pl.col(cell(i)).abs() < EXACT_DIGITS) & ~pl.col(cell(i)).is_nan()).then(pl.lit(i, dtype=pl.UInt16))
                for i in exact
                if frame.schema[cell(i)].is_float()
            ]
            yield frame.select(
                pl.int_range(first, first + pl.len(), dtype=pl.UInt32).alias("source_row"),
                pl.lit(None, dtype=pl.String).alias("fault"),
                pl.lit([], dtype=pl.List(pl.String)).alias("beyond"),
                (pl.concat_list(rounded).list.drop_nulls() if rounded else pl.lit([], dtype=pl.List(pl.UInt16))).alias("rounded"),
                *(_text(n, frame.schema[n]) for n in names),
            )
            first += frame.height
    except (pa.ArrowException, OSError) as e:
        raise UnreadableFileError("Parquet文件的数据部分已损坏，请重新导出") from e
    except pl.exceptions.PolarsError as e:
        raise UnreadableFileError("Parquet文件中有无法读取的类型（例如不存在的时区）；请以文本列重新导出") from e


def _shown(column: pa.Array, heading: str | None) -> pa.Array | list[str]:
    """A column that polars can take, which believes that text is UTF-8 and breaks where it is not; `heading` of one of ours, which must be one."""
    if not _is_plain(column.type):
        return [_NOT_SHOWN] * len(column)
    try:
        column.validate(full=True)
    except pa.ArrowInvalid as e:
        if heading is not None:
            raise UnreadableFileError(f"列“{heading}”的文本不是UTF-8编码，或数据已损坏；请以UTF-8编码的文本列重新导出") from e
        return [_NOT_SHOWN] * len(column)
    return column


def _text(name: str, dtype: pl.DataType) -> pl.Expr:
    """One column as text."""
    value = pl.col(name)
    if dtype == pl.Boolean:
        return pl.when(value).then(pl.lit("是")).when(~value).then(pl.lit("否")).alias(name)
    if dtype.is_float():
        whole = value.is_finite() & (value == value.round()) & (value.abs() < 9e18)
        return pl.when(whole).then(value.cast(pl.Int64, strict=False).cast(pl.String)).when(value.is_not_nan()).then(value.cast(pl.String)).alias(name)
    if isinstance(dtype, pl.Decimal):
        return value.cast(pl.String).str.replace(r"(\.\d*?)0+$", "${1}").str.replace(r"\.$", "").alias(name)
    if isinstance(dtype, pl.Datetime):
        value = value if dtype.time_zone is None else value.dt.convert_time_zone(_CITY_TIME)
        day = value.dt.truncate("1d") == value
        return pl.when(day).then(value.dt.strftime("%Y-%m-%d")).otherwise(value.dt.strftime("%Y-%m-%d %H:%M:%S")).alias(name)
    if isinstance(dtype, pl.List):
        return value.cast(pl.List(pl.String)).list.join(";").alias(name)
    return value.cast(pl.String).alias(name)
