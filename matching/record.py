"""The record that linkage compares. Enters: a feed's standardised rows. Leaves: RECORD, the same columns for every feed."""

from __future__ import annotations

import polars as pl

from matching import identifiers, names
from schemas.exports.contract import Feed, Kind
from schemas.gathering import gathered, long_of
from schemas.reference import lists
from schemas.tables.record import RECORD, RELATIVE

# the columns of one adult: name, relation (a word of ours, or the column that says it), number, phone
_RELATIVES: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "education": tuple((f"guardian{n}_name", f"guardian{n}_relation", f"guardian{n}_id_number", f"guardian{n}_phone") for n in (1, 2)),
    "household": (
        ("father_name", "father", "father_id_number", ""),
        ("mother_name", "mother", "mother_id_number", ""),
        ("guardian_name", "guardian", "guardian_id_number", ""),
    ),
    "residence": (("lives_with_name", "lives_with_relation", "lives_with_id", ""),),
    "health": (("mother_name", "mother", "mother_id_number", ""), ("father_name", "father", "father_id_number", "")),
    "disease_control": (("mother_name", "mother", "", ""), ("father_name", "father", "", "")),
    "disability": (("guardian_name", "guardian", "", "guardian_phone"),),
    "survey": (
        ("father_name", "father", "", "father_phone"),
        ("mother_name", "mother", "", "mother_phone"),
        ("guardian_name", "guardian_relation", "guardian_id_number", "guardian_phone"),
    ),
    "assistance": (("guardian_name", "guardian", "guardian_id_number", ""),),
}
# where a row places the child; the second where the first says nothing
_PLACES = {
    "education": ("school",), "residence": ("residence",), "health": ("residence",), "medical_insurance": ("insured",),
    "disease_control": ("residence", "clinic"), "disability": ("residence",), "survey": ("residence",), "assistance": ("aid",),
}  # fmt: skip

# how an entry of the household register ended
_ENDED = {"is_cancelled": "其他注销", "is_moved_out": "迁出"}


def record_of(standard: pl.DataFrame, feed: Feed) -> pl.DataFrame:
    """RECORD of a feed's standardised rows, in their order."""
    made = standard.with_columns(
        (pl.col("record_key") if "record_key" in standard.columns else pl.col("id_number")).alias("record_key"),
        pl.col("name").alias("name") if "name" in standard.columns else pl.lit(None, dtype=pl.String).alias("name"),
    )
    made = made.with_columns(
        names.folded(pl.col("name")).alias("name_folded"),
        names.kind(pl.col("name")).alias("name_kind"),
        names.parent_in_name(pl.col("name")).alias("mother_in_name"),
        identifiers.in_key(pl.col("record_key"), pl.col("export_date")).alias("key_id_number"),
        _relatives(standard, feed).alias("relatives"),
        _phones(standard, feed).alias("phones"),
        _place(feed, "code").alias("place_code"),
        _place(feed, "township").alias("place_township"),
        _address(feed).alias("address"),
        *(((pl.col("hukou_status") == word) if "hukou_status" in standard.columns else pl.lit(None, dtype=pl.Boolean)).alias(name) for name, word in _ENDED.items()),
        *(_ethnicity() if "ethnicity" in standard.columns else []),
    )
    absent = [c for c in RECORD.columns if c.name not in made.columns]
    fallback = {"id_number_status": "absent"}
    made = made.with_columns(pl.lit(fallback.get(c.name), dtype=c.dtype).alias(c.name) for c in absent)
    return RECORD.conform(made)


def _relatives(standard: pl.DataFrame, feed: Feed) -> pl.Series:
    none = pl.lit(None, dtype=pl.String)
    found = []
    for column, relation, number, phone in _RELATIVES.get(feed.name, ()):
        name = names.of_relative(pl.col(column))
        person = pl.struct(
            name.alias("name"),
            _relation(relation).alias("relation"),
            (pl.col(number) if number else none).alias("id_number"),
            (pl.col(phone).list.first() if phone else none).alias("phone"),
        )
        said = [name.is_not_null(), *([pl.col(number).is_not_null()] if number else []), *([pl.col(phone).list.len() > 0] if phone else [])]
        found.append((pl.any_horizontal(said), person))
    return gathered(long_of(standard, found), standard.height, RELATIVE)


def _relation(relation: str) -> pl.Expr:
    """The relation in our word: given, or read from the column that says it."""
    if not relation.endswith("_relation"):
        return pl.lit(relation)
    words = dict(lists.read("relation_words.csv").select("word", "relation").iter_rows())
    default = "lives_with" if relation.startswith("lives_with") else "guardian"
    return pl.col(relation).replace_strict(words, default=pl.lit(default), return_dtype=pl.String).fill_null(default)


def _phones(standard: pl.DataFrame, feed: Feed) -> pl.Series:
    columns = [c.name for c in feed.columns if c.kind is Kind.PHONE]
    if len(columns) == 1:
        return standard.get_column(columns[0]).fill_null(pl.Series([[]], dtype=pl.List(pl.String)))
    found = long_of(standard, [(pl.col(c).list.len() > 0, pl.col(c)) for c in columns])
    each = found.explode("value").unique().sort("row", "value")
    return gathered(each, standard.height, pl.String)


def _place(feed: Feed, part: str) -> pl.Expr:
    stems = _PLACES.get(feed.name, ())
    if not stems:
        return pl.lit(None, dtype=pl.String)
    first = pl.col(f"{stems[0]}_{part}")
    return first if len(stems) == 1 else pl.when(pl.col(f"{stems[0]}_code").is_not_null()).then(first).otherwise(pl.col(f"{stems[1]}_{part}"))


def _address(feed: Feed) -> pl.Expr:
    present = [c.name for c in feed.columns if c.name in ("address", "hukou_address")]
    return pl.coalesce(sorted(present)) if present else pl.lit(None, dtype=pl.String)


def _ethnicity() -> list[pl.Expr]:
    """The ethnic group by its full name of GB/T 3304, from its code, its short name or an old one."""
    words: dict[str, str] = {"毛难": "毛南族", "崩龙": "德昂族"}
    for code, name, _ in lists.read("gbt3304_ethnic.csv").iter_rows():
        words |= {name: name, name.removesuffix("族"): name, code: name, code.lstrip("0"): name}
    bare = pl.col("ethnicity").str.replace(r"^(毛难|崩龙)族$", "${1}")
    return [bare.replace_strict(words, default=None, return_dtype=pl.String).alias("ethnicity")]
