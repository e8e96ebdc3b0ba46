"""The facts of a feed: its standardised columns without anything that names a person, with the child each row belongs to.

Rules see these and nothing else. Division columns come in threes: `<stem>_code` (six characters, in force today; province or prefecture codes
outside the city; 5001GX for 高新区), `<stem>_township` (its name), `<stem>_written` (the six digits or the name as the row had it).
Date columns come in twos: the latest day the text can mean, and its precision (day, month, year).
"""

import polars as pl

from schemas.exports.contract import Feed, Kind
from schemas.tables.table import Column, Table, req

_TYPES: dict[Kind, tuple[pl.DataType | type[pl.DataType], ...]] = {
    Kind.DATE: (pl.Date, pl.String),
    Kind.ID: (pl.String, pl.String),
    Kind.DIVISION: (pl.String, pl.String, pl.String),
    Kind.FLAG: (pl.Boolean,),
    Kind.YEAR: (pl.Int16,),
    Kind.NUMBER: (pl.Int32,),
    Kind.LIST: (pl.List(pl.String),),
    Kind.PHONE: (pl.List(pl.String),),
}


def standard_schema(feed: Feed) -> dict[str, pl.DataType | type[pl.DataType]]:
    """The polars types of a feed's standardised columns, in the order of the contract."""
    return {
        name: dtype
        for column in feed.columns
        for name, dtype in zip(column.standard_columns, _TYPES.get(column.kind, (pl.String,)), strict=True)
    }


def facts(feed: Feed) -> Table:
    """The table of a feed's facts."""
    schema = standard_schema(feed)
    return Table(
        f"facts_{feed.name}",
        f"{feed.title}事实（不含身份信息）",
        f"facts of {feed.name}, nothing that names a person",
        (
            req("person_id", pl.String, "人员编码", "the child"),
            req("feed", pl.String, "数据来源", "the feed"),
            req("source_file", pl.String, "来源文件", "file the row was found in"),
            req("source_row", pl.UInt32, "来源行号", "row number"),
            req("record_hash", pl.UInt64, "记录内容指纹", "fixed hash of the row"),
            req("export_date", pl.Date, "部门导出日期", "the day of the export"),
            Column("document_type", pl.String, "证件类别", "mainland, hmt, foreign, none; null where the row does not say"),
            req("in_institution", pl.Boolean, "在福利机构", "the row's address or guardian is a welfare institution"),
            *(Column(name, schema[name], name, name) for name in feed.fact_columns),
        ),
        ("person_id", "record_hash", "source_file", "source_row"),
    )
