"""How two names compare: a table of distinct names goes in, the level of each pair of them comes out.

Names are compared as distinct pairs and joined back, so the work follows the number of different spellings, not of records. Sounds are sets of
readings (覃 is Qín or Tán): two names sound the same where any reading of one is a reading of the other.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
from rapidfuzz import process
from rapidfuzz.distance import OSA

from matching import names as parts

# levels of the comparison `name`, best first; the numbers live in model.yaml
SAME, SOUND, UNREADABLE, GIVEN, SHORT, ORDER, NEAR, DROPPED, SURNAME, DIFFERENT = range(10)
LEVELS = ("same", "same_sound", "unreadable", "other_surname", "shortened", "order", "one_character", "dropped", "surname_only", "different")

_UNREADABLE = r"[?？□〓\u{E000}-\u{F8FF}*＊]|[A-Za-z]+"
# a name of so many characters is no Han name; its first part alone is a usual short form
_MINORITY = 5
# sounds that dictation confuses: zh/z, ch/c, sh/s, final ng/n, n/l, f/h
_CONFUSED = str.maketrans({"l": "n", "f": "h"})


def near_sound(sound: str) -> str:
    """A reading with the sounds that dictation confuses made one."""
    for written, heard in (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n")):
        sound = sound.replace(written, heard)
    return sound.translate(_CONFUSED)


def _joined(sound: str) -> str:
    """A reading without its blanks, as a name in Latin letters is written."""
    return sound.replace(" ", "")


def name_table(names: pl.Series) -> pl.DataFrame:
    """Every distinct name once, sorted, with what is compared of it.

    Args:
        names: folded names, with nulls and repeats.

    Returns:
        One row a name: code (UInt32, its rank), name, surname, given, sounds and near_sounds (lists of readings without blanks, in which dictation's
        confusions are made one).
    """
    distinct = names.drop_nulls().unique().sort()
    table = pl.DataFrame({"name": distinct}, schema={"name": pl.String}).with_row_index("code").with_columns(surname=parts.surname(pl.col("name")))
    table = table.with_columns(given=pl.col("name").str.slice(pl.col("surname").str.len_chars()))
    heads, tails = (_sounds(table[part], of) for part, of in (("surname", parts.surname_sounds), ("given", parts.given_sounds)))
    spoken = table.select("code", "surname", "given").join(heads, on="surname").join(tails, on="given", suffix="_given")
    readings = spoken.group_by("code").agg(
        *((pl.col(kind) + pl.col(f"{kind}_given")).unique().sort().alias(f"{kind}s") for kind in ("sound", "near_sound"))
    )
    return table.join(readings, on="code", how="left", maintain_order="left")


def _sounds(texts: pl.Series, of: Callable[[str], list[str]]) -> pl.DataFrame:
    """The distinct texts (surnames, or given names), each with a row for every sound and near_sound it has."""
    rows = [(text, _joined(sound), _joined(near_sound(sound))) for text in texts.unique().sort() for sound in of(text)]
    return pl.DataFrame(rows, schema={texts.name: pl.String, "sound": pl.String, "near_sound": pl.String}, orient="row")


def compare_names(pairs: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """The level of each pair of names.

    Args:
        pairs: columns a, b: codes of the name table; any order, repeats allowed.
        table: what `name_table` made.

    Returns:
        Distinct a, b with `level` (Int8, an index into LEVELS).
    """
    distinct = pairs.select("a", "b").unique()
    same = distinct.filter(pl.col("a") == pl.col("b")).with_columns(level=pl.lit(SAME, dtype=pl.Int8))
    other = distinct.filter(pl.col("a") != pl.col("b"))
    columns = _looks(table, pl.concat([other["a"], other["b"]]).unique())
    joined = other.join(columns, left_on="a", right_on="code", how="left", maintain_order="left").join(
        columns, left_on="b", right_on="code", how="left", suffix="_b", maintain_order="left"
    )
    edits = process.cpdist(joined["pattern"].to_list(), joined["pattern_b"].to_list(), scorer=OSA.distance, score_cutoff=3)
    joined = joined.with_columns(edits=pl.Series(edits, dtype=pl.Int32))
    return pl.concat([same, joined.select("a", "b", level=_level().cast(pl.Int8))]).sort("a", "b")


def _looks(table: pl.DataFrame, codes: pl.Series) -> pl.DataFrame:
    """The rows of some names, with what is looked at: pattern (unreadable places as ?), holes (how many), size, bag (characters sorted), is_latin."""
    chosen = table.join(codes.rename("code").to_frame(), on="code", how="semi")
    return chosen.with_columns(is_latin=~pl.col("name").str.contains(r"[\p{Han}?？□〓\u{E000}-\u{F8FF}]")).with_columns(
        pattern=pl.when("is_latin").then("name").otherwise(pl.col("name").str.replace_all(_UNREADABLE, "?")),
        bag=pl.col("name").str.extract_all(r"\w").list.sort().list.join(""),
    ).with_columns(
        holes=pl.col("pattern").str.count_matches("?", literal=True).cast(pl.Int32), size=pl.col("pattern").str.len_chars().cast(pl.Int32)
    )  # fmt: skip


def _level() -> pl.Expr:
    """The first level that holds, on a joined pair of rows of two names."""
    shorter, longer = pl.min_horizontal("size", "size_b"), pl.max_horizontal("size", "size_b")
    holes = pl.col("holes") + pl.col("holes_b")
    prefix = pl.col("name").str.starts_with(pl.col("name_b")) | pl.col("name_b").str.starts_with(pl.col("name"))
    same_letters = pl.col("is_latin") & pl.col("is_latin_b") & (pl.col("edits") <= 2) & (shorter >= 6)
    return (
        pl.when((holes > 0) & (pl.col("size") == pl.col("size_b")) & (pl.col("edits") <= holes) & (pl.col("edits") < longer)).then(UNREADABLE)
        .when(pl.col("sounds").list.set_intersection("sounds_b").list.len() > 0).then(SOUND)
        .when((pl.col("given") == pl.col("given_b")) & (pl.col("given") != "")).then(GIVEN)
        .when(prefix & (longer >= _MINORITY) & (shorter >= 2)).then(SHORT)
        .when((pl.col("bag") == pl.col("bag_b")) & (shorter >= 2)).then(ORDER)
        .when((pl.col("near_sounds").list.set_intersection("near_sounds_b").list.len() > 0) | same_letters).then(NEAR)
        .when((pl.col("edits") == 1) & (pl.col("size") == pl.col("size_b")) & (longer >= 3)).then(NEAR)
        .when((pl.col("edits") == 1) & (pl.col("size") != pl.col("size_b")) & (shorter >= 2)).then(DROPPED)
        .when((pl.col("surname") == pl.col("surname_b")) & (pl.col("surname") != "")).then(SURNAME)
        .otherwise(DIFFERENT)
    )  # fmt: skip
