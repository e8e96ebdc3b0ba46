"""How two names compare: a table of distinct names goes in, the level of each pair of them comes out.

Names are compared as distinct pairs and joined back, so the work follows the number of different spellings, not of records. Sounds are sets of
readings (覃 is Qín or Tán): two names sound the same where any reading of one is a reading of the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl
from rapidfuzz import process
from rapidfuzz.distance import OSA

from matching import names as parts
from schemas.reference import lists

# levels of the comparison `name`, best first; the numbers live in model.yaml
SAME, SOUND, UNREADABLE, GIVEN, SHORT, ORDER, NEAR, DROPPED, SURNAME, DIFFERENT = range(10)
LEVELS = ("same", "same_sound", "unreadable", "other_surname", "shortened", "order", "one_character", "dropped", "surname_only", "different")

_UNREADABLE = r"[?？□〓\u{E000}-\u{F8FF}*＊]|[A-Za-z]+"
# a name of so many characters is no Han name; its first part alone is a usual short form
_MINORITY = 5
Bits = npt.NDArray[np.uint64]
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
        One row a name: code (UInt32, its rank), name, surname, given, and sounds (list of readings without blanks).
    """
    distinct = names.drop_nulls().unique().sort()
    table = pl.DataFrame({"name": distinct}, schema={"name": pl.String}).with_row_index("code").with_columns(surname=parts.surname(pl.col("name")))
    table = table.with_columns(given=pl.col("name").str.slice(pl.col("surname").str.len_chars()))
    return table.join(_readings(table, _joined).rename({"readings": "sounds"}), on="code", how="left", maintain_order="left")


def _readings(table: pl.DataFrame, heard: Callable[[str], str]) -> pl.DataFrame:
    """code, readings of some names: every surname's with every given name's, as `heard`; worked out once for each different surname and given name."""
    halves = []
    for part, of in (("surname", parts.surname_sounds), ("given", parts.given_sounds)):
        said = [(text, heard(sound)) for text in table[part].unique().sort() for sound in of(text)]
        halves.append(table.select("code", part).join(pl.DataFrame(said, schema={part: pl.String, "said": pl.String}, orient="row"), on=part))
    # nearly every name has one reading
    spoken = halves[0].join(halves[1], on="code").select("code", readings=pl.col("said") + pl.col("said_right"))
    single = spoken.filter(pl.col("code").is_unique()).with_columns(pl.concat_list("readings"))
    several = spoken.filter(pl.col("code").is_duplicated()).group_by("code").agg(pl.col("readings").unique().sort())
    return pl.concat([single, several])


@dataclass(frozen=True)
class Looked:
    """Names with what is compared of them.

    Attributes:
        table: name, surname, given, sounds, near_sounds and what `_looks` tells. written, sounded: a bit for each of a name's characters, and of its readings.
        is_plain: whether a name is Han characters and nothing else. place: where the name of each code lies in these.
    """

    table: pl.DataFrame
    written: Bits
    sounded: Bits
    is_plain: npt.NDArray[np.bool_]
    place: npt.NDArray[np.uint32]

    def nothing_in_common(self, at: Sequence[npt.NDArray[np.uint32]]) -> pl.Series:
        """Pairs of Han names that share neither a character nor a reading: every level but the last asks for one of them. Most pairs are told by a few bits of each name."""
        shares = (self.written[at[0]] & self.written[at[1]]) | (self.sounded[at[0]] & self.sounded[at[1]])
        return pl.Series(self.is_plain[at[0]] & self.is_plain[at[1]] & (shares == 0), dtype=pl.Boolean)


def look_at(table: pl.DataFrame, codes: pl.Series) -> Looked:
    """Some names of a name table, looked at once for all pairs of them."""
    heard = _heard(table, codes)
    code = heard["code"].to_numpy()
    place = np.zeros(int(code.max(initial=0)) + 1, dtype=np.uint32)
    place[code] = np.arange(len(code))
    written, sounded = _bits(heard, pl.col("name").str.split("")), _bits(heard, pl.concat_list("sounds", "near_sounds"))
    is_plain = heard["name"].str.contains(r"^\p{Han}{2,}$").to_numpy()
    return Looked(_looks(heard.drop("code")), written, sounded, is_plain, place)


def compare_names(pairs: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """The level of each pair of names.

    Args:
        pairs: columns a, b: codes of the name table; any order, repeats allowed.
        table: what `name_table` made.

    Returns:
        Distinct a, b with `level` (Int8, an index into LEVELS).
    """
    return compare_looked(pairs, look_at(table, pl.concat([pairs["a"], pairs["b"]]).unique()))


def compare_looked(pairs: pl.DataFrame, names: Looked) -> pl.DataFrame:
    """The same of names that were looked at."""
    distinct = pairs.select("a", "b").unique()
    same = distinct.filter(pl.col("a") == pl.col("b")).with_columns(level=pl.lit(SAME, dtype=pl.Int8))
    other = distinct.filter(pl.col("a") != pl.col("b"))
    nothing = names.nothing_in_common([names.place[other[side].to_numpy()] for side in ("a", "b")])
    apart = other.filter(nothing).with_columns(level=pl.lit(DIFFERENT, dtype=pl.Int8))
    other = other.filter(~nothing)
    left, right = (names.table[names.place[other[side].to_numpy()]] for side in ("a", "b"))
    joined = other.hstack(left).hstack(right.rename(lambda column: f"{column}_b"))
    edits = process.cpdist(joined["pattern"].to_list(), joined["pattern_b"].to_list(), scorer=OSA.distance, score_cutoff=3)
    joined = joined.with_columns(edits=pl.Series(edits, dtype=pl.Int32))
    return pl.concat([same, apart, joined.select("a", "b", level=_level().cast(pl.Int8))]).sort("a", "b")


def _heard(table: pl.DataFrame, codes: pl.Series) -> pl.DataFrame:
    """The rows of some names, in the order of their codes, with near_sounds (readings in which dictation's confusions are made one)."""
    chosen = table.join(codes.rename("code").to_frame(), on="code", how="semi").sort("code")
    near = _readings(chosen, lambda sound: _joined(near_sound(sound)))
    return chosen.join(near.rename({"readings": "near_sounds"}), on="code", how="left", maintain_order="left")


def _bits(names: pl.DataFrame, values: pl.Expr) -> Bits:
    """Of each name one of 64 bits for each of its values."""
    long = names.select(value=values).with_row_index("row").explode("value", empty_as_null=False, keep_nulls=False).drop_nulls()
    out = np.zeros(names.height, dtype=np.uint64)
    np.bitwise_or.at(out, long["row"].to_numpy(), np.uint64(1) << (long["value"].hash().to_numpy() % np.uint64(64)))
    return out


def _looks(heard: pl.DataFrame) -> pl.DataFrame:
    """Names with what is looked at: shape (look-alikes made one), pattern (unreadable places as ?), holes (how many), size, bag (characters sorted), is_latin."""
    return heard.with_columns(is_latin=~pl.col("name").str.contains(r"[\p{Han}?？□〓\u{E000}-\u{F8FF}]")).with_columns(
        pattern=pl.when("is_latin").then("name").otherwise(pl.col("name").str.replace_all(_UNREADABLE, "?")),
        shape=pl.col("name").str.replace_many(*_shapes()),
        bag=pl.col("name").str.extract_all(r"\w").list.sort().list.join(""),
    ).with_columns(
        holes=pl.col("pattern").str.count_matches("?", literal=True).cast(pl.Int32), size=pl.col("pattern").str.len_chars().cast(pl.Int32)
    )  # fmt: skip


@cache
def _shapes() -> tuple[list[str], list[str]]:
    """Characters that look like another, and the first of their group, which stands for all."""
    pairs = [(character, group[0]) for group in lists.read("look_alikes.csv")["characters"] for character in group[1:]]
    return [p[0] for p in pairs], [p[1] for p in pairs]


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
        .when((pl.col("edits") == 1) & (pl.col("size") == pl.col("size_b")) & ((longer >= 3) | (pl.col("shape") == pl.col("shape_b")))).then(NEAR)
        .when((pl.col("edits") == 1) & (pl.col("size") != pl.col("size_b")) & (shorter >= 2)).then(DROPPED)
        .when((pl.col("surname") == pl.col("surname_b")) & (pl.col("surname") != "")).then(SURNAME)
        .otherwise(DIFFERENT)
    )  # fmt: skip
