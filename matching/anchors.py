"""The id-first pass: coded rows go in, whose number each row's id column holds comes out. It takes the bulk without comparing pairs.

A number's *anchor* is the name it goes by: the household register's, else the most frequent name of the rows whose birth date is the number's own.
A row owns its number where its birth date agrees and its name does not contradict the anchor, or where the name agrees though the date is
mistyped. A number goes by a further name too where two feeds have it so, with the number's birth date, and no other number of that day does: a child renamed. What is left holds a guardian's number (an adult's, or one that a relative of the row has) or a sibling's.
"""

from __future__ import annotations

from datetime import date

import polars as pl
from rapidfuzz import process
from rapidfuzz.distance import OSA

from matching import identifiers
from matching import name_levels as levels
from matching.coding import Records
from matching.sets import Flags
from schemas.in_order import in_order

# how the row's birth date agrees with the number's
AGREES, UNKNOWN, TYPO, CONTRADICTS = range(4)
ADULT_YEARS = 18
# what so many feeds say of a number is no slip of one of them
SEVERAL_FEEDS = 2
# a row is no adult's when its own birth date lies this far from the number's
GENERATION_DAYS = 12 * 365

ROLE: pl.DataType = pl.Enum(["own", "guardian", "sibling"])
SIBLINGS = ["brother", "sister"]
# rows that are judged at once
_SHARE_ROWS = 500_000

OWN_SCHEMA = pl.Schema({  # type: ignore[arg-type]
    "rec": pl.UInt32, "own_id": pl.UInt64, "id_role": ROLE, "id_birth": pl.Date, "id_is_female": pl.Boolean,
    "name_level": pl.Int8, "date_level": pl.Int8, "anchor_rec": pl.UInt32,
})  # fmt: skip


def own_numbers(records: Records, as_of: date, some: Flags | None = None) -> pl.DataFrame:
    """Whose number each row holds.

    Args:
        records: the distinct rows.
        as_of: the day ages are counted on.
        some: the rows that are asked about; all where it is not given.

    Returns:
        One row a row with a valid number (OWN_SCHEMA): own_id (the number, packed, null unless own), id_role (own, guardian, sibling), and of the own ones
        id_birth, id_is_female (what the number says), name_level (against the anchor, null where the row's name cannot say), date_level, anchor_rec.
    """
    told = _told(records, some)
    # numbers of one birth date have to do with each other, wherever they were given, and with no others
    shares = max(1, -(-told.height // _SHARE_ROWS))
    share = told.select(identifiers.packed_day(pl.col("number")) % shares).to_series()
    found = in_order(lambda n: _own_of(told.filter(share == n), records, as_of), range(shares))
    return pl.concat([OWN_SCHEMA.to_frame(), *found]).sort("rec")


def _own_of(told: pl.DataFrame, records: Records, as_of: date) -> pl.DataFrame:
    """The same of the rows of some birth dates."""
    rows = _candidates(told, records, as_of)
    judged = _judge(rows, _anchors(rows), records.names)
    judged = judged.join(_first_rows(judged), on="number", how="left", maintain_order="left")
    own = pl.col("is_own")
    role = pl.when(own).then(pl.lit("own")).when("is_guardian").then(pl.lit("guardian")).otherwise(pl.lit("sibling"))
    return judged.select(
        "rec",
        own_id=pl.when(own).then("number"),
        id_role=role.cast(ROLE),
        id_birth=pl.when(own).then("id_birth"),
        id_is_female=pl.when(own).then("id_is_female"),
        name_level=pl.when(own).then("name_level").cast(pl.Int8),
        date_level=pl.when(own).then("date_level").cast(pl.Int8),
        anchor_rec=pl.when(own).then("anchor_rec"),
    )


def _first_rows(judged: pl.DataFrame) -> pl.DataFrame:
    """number, anchor_rec: the row that speaks for each number: the household register's, else the one whose name and date agree best."""
    rank = (
        (pl.col("feed") != "household").cast(pl.Int64) * 256
        + pl.col("name_level").fill_null(15).cast(pl.Int64) * 16
        + pl.col("date_level").cast(pl.Int64)
    )
    best = judged.filter("is_own").group_by("number").agg(best=(rank * 2**32 + pl.col("rec").cast(pl.Int64)).min())
    return best.select("number", anchor_rec=(pl.col("best") % 2**32).cast(pl.UInt32))


def _told(records: Records, some: Flags | None) -> pl.DataFrame:
    """Rows with a valid number, and whether it is a relative's of theirs: `by_sibling` is null where it is none's, true where brothers and sisters alone have it;
    and `is_keyed_otherwise`: whether the record key has another number of that day."""
    number = records.rows["number"]
    near = records.relatives.select("rec", "relation", "number").drop_nulls("number")
    near = near.filter(near["number"] == number.gather(near["rec"]))
    held = near.group_by("rec").agg(by_sibling=pl.col("relation").is_in(SIBLINGS).all())
    keys = records.sparse["key_number"].select("rec", key="value", number=number.gather(records.sparse["key_number"]["rec"])).filter(pl.col("key") != pl.col("number"))
    keyed = keys.filter(identifiers.packed_birth(pl.col("key")) == identifiers.packed_birth(pl.col("number")))["rec"]
    rows = records.rows.select("feed", "number", "name_code", "is_informative", "is_female", "birth_date", "precision").with_row_index("rec")
    rows = rows.with_columns(is_keyed_otherwise=pl.repeat(False, records.count, eager=True).scatter(keyed, True))
    asked = number.is_not_null() if some is None else number.is_not_null() & pl.Series(some)
    return rows.filter(asked).join(held, on="rec", how="left", maintain_order="left")


def _candidates(told: pl.DataFrame, records: Records, as_of: date) -> pl.DataFrame:
    """The rows with what the number says of birth date and sex, how the date agrees, the former name, and whether the number is a relative's."""
    rows = told.join(records.sparse["former_code"].rename({"value": "former_code"}), on="rec", how="left", maintain_order="left")
    rows = rows.with_columns(
        id_birth=identifiers.packed_birth(pl.col("number")), id_is_female=identifiers.packed_is_female(pl.col("number"))
    )
    rows = _with_date_level(rows).with_columns(is_adult=pl.col("id_birth").dt.offset_by(f"{ADULT_YEARS}y") <= as_of)
    agrees = pl.col("date_level").is_in([AGREES, TYPO])
    far = (pl.col("birth_date") - pl.col("id_birth")).dt.total_days().abs() > GENERATION_DAYS
    return rows.with_columns(
        is_guardian=(pl.col("is_adult") & ~agrees & far.fill_null(True)) | (pl.col("by_sibling").not_().fill_null(False) & ~agrees),
        is_relative=pl.col("by_sibling").is_not_null() & ~agrees,
        sex_differs=(pl.col("is_female") != pl.col("id_is_female")).fill_null(False),
    )


def _with_date_level(rows: pl.DataFrame) -> pl.DataFrame:
    """How the row's birth date agrees with its number's; a mistyped one is a digit wrong or two swapped."""
    same_year = pl.col("birth_date").dt.year() == pl.col("id_birth").dt.year()
    same_month = same_year & (pl.col("birth_date").dt.month() == pl.col("id_birth").dt.month())
    agrees = (
        pl.when(pl.col("precision") == "day").then(pl.col("birth_date") == pl.col("id_birth"))
        .when(pl.col("precision") == "month").then(same_month)
        .otherwise(same_year)
    )  # fmt: skip
    level = pl.when(pl.col("birth_date").is_null()).then(UNKNOWN).when(agrees).then(AGREES).otherwise(CONTRADICTS)
    rows = rows.with_columns(date_level=level.cast(pl.Int8))
    odd = rows.filter(pl.col("date_level") == CONTRADICTS).select("rec", "birth_date", "id_birth")
    written, numbered = (odd[side].dt.strftime("%Y%m%d").to_list() for side in ("birth_date", "id_birth"))
    edits = pl.Series(process.cpdist(written, numbered, scorer=OSA.distance, score_cutoff=2), dtype=pl.Int32)
    swapped = (
        (pl.col("birth_date").dt.day() == pl.col("id_birth").dt.month())
        & (pl.col("birth_date").dt.month() == pl.col("id_birth").dt.day())
        & same_year
    )
    typos = odd.filter((edits <= 1) | swapped)["rec"]
    return rows.with_columns(
        date_level=pl.when(pl.col("rec").is_in(typos.implode())).then(pl.lit(TYPO, dtype=pl.Int8)).otherwise("date_level")
    )


def _anchors(rows: pl.DataFrame) -> pl.DataFrame:
    """The name each number goes by: number, anchor_code, former (list of codes: former names by the anchor's rows, and further names), id_birth.

    A number that only contradicting rows carry is trusted where two feeds have it with the same name.
    """
    possible = rows.filter("is_informative", ~pl.col("is_guardian"), ~pl.col("is_relative"))
    named = possible.group_by("number", "name_code").agg(
        rank=pl.when(pl.col("feed") == "household").then(pl.lit(-1, dtype=pl.Int8)).otherwise("date_level").min(),
        count=pl.len(),
        feeds=pl.col("feed").n_unique(),
        id_birth=pl.col("id_birth").first(),
    )
    named = named.filter((pl.col("rank") < CONTRADICTS) | (pl.col("feeds") >= SEVERAL_FEEDS))
    best = named.sort("number", "rank", pl.col("count") * -1, "name_code").unique("number", keep="first", maintain_order=True)
    told = possible.drop_nulls("former_code").join(best, on=["number", "name_code"], how="semi").select("number", code="former_code")
    others = named.join(best, on=["id_birth", "name_code"], how="anti")
    agreeing = possible.filter(pl.col("date_level") == AGREES).join(others, on=["number", "name_code"], how="semi")
    agreeing = agreeing.group_by("number", "name_code").agg(pl.col("feed").n_unique()).filter(pl.col("feed") >= SEVERAL_FEEDS)
    former = pl.concat([told, agreeing.select("number", code="name_code")]).group_by("number").agg(former=pl.col("code").unique().sort())
    best = best.join(former, on="number", how="left")
    return best.select("number", "id_birth", anchor_code="name_code", former=pl.col("former").fill_null([]))


def _judge(rows: pl.DataFrame, anchors: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """Each row with name_level against its number's anchor, and is_own."""
    rows = rows.join(anchors.select("number", "anchor_code"), on="number", how="left", maintain_order="left")
    same = (pl.col("is_informative") & (pl.col("name_code") == pl.col("anchor_code"))).fill_null(False)
    doubtful = rows.filter(~same)
    anchor_names = pl.concat([
        anchors.select("number", anchor="anchor_code"),
        anchors.select("number", anchor="former").explode("anchor", empty_as_null=False, keep_nulls=False),
    ])  # fmt: skip
    row_names = pl.concat([
        doubtful.filter("is_informative").select("rec", "number", a="name_code"),
        doubtful.select("rec", "number", a="former_code"),
    ]).drop_nulls()  # fmt: skip
    level = compare_best(row_names.join(anchor_names, on="number").rename({"anchor": "b"}), names)
    elsewhere = doubtful.filter("is_informative").join(
        anchors.select("id_birth", name_code="anchor_code", other="number"), on=["id_birth", "name_code"]
    ).filter(pl.col("other") != pl.col("number")).select("rec", anchors_another=True).unique()  # fmt: skip
    rows = rows.join(level, on="rec", how="left", maintain_order="left").join(elsewhere, on="rec", how="left", maintain_order="left")
    rows = rows.with_columns(
        name_level=pl.when(same).then(pl.lit(levels.SAME, dtype=pl.Int8)).otherwise("name_level"),
        has_anchor=pl.col("anchor_code").is_not_null(),
    )
    return rows.with_columns(is_own=_is_own() & ~pl.col("is_guardian") & ~pl.col("is_relative"))


def compare_best(crossed: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """The best name level of each row: rec, name_level; `crossed` has rec, a, b (codes of names)."""
    compared = levels.compare_names(crossed, names)
    return crossed.join(compared, on=["a", "b"]).group_by("rec").agg(name_level=pl.col("level").min())


def _is_own() -> pl.Expr:
    """Whether the number is the row's own, from how date, name and sex agree."""
    name, day = pl.col("name_level"), pl.col("date_level")
    silent = name.is_null() & pl.col("has_anchor")
    nobody = ~pl.col("has_anchor")
    twin = pl.col("anchors_another").fill_null(False) & (name != levels.SAME)
    strong = name <= levels.UNREADABLE
    # a number of the same day inside the record key may be the child's own, and that in the column its twin's
    fair = (name <= levels.DROPPED) & ~pl.col("sex_differs") & ~twin & ~pl.col("is_keyed_otherwise")
    return (
        pl.when(pl.col("feed") == "household").then(True)
        .when(day <= UNKNOWN).then(pl.when(nobody | silent).then(~pl.col("sex_differs") | (day == AGREES)).otherwise((strong & ~twin) | fair))
        .when(day == TYPO).then(pl.when(nobody | silent).then(~pl.col("sex_differs")).otherwise((strong & ~twin) | fair))
        .otherwise((name <= levels.SOUND) & ~pl.col("sex_differs") & ~twin)
        .fill_null(False)
    )  # fmt: skip


def changed_numbers(records: Records, own: pl.DataFrame) -> pl.DataFrame:
    """Numbers that the household register itself shows to be one child's: pairs old_id, new_id (packed, old_id < new_id).

    Two household rows of the same name and sex are one child where they stand in the same household, or name the same parent by number, and
    their birth dates are equal or a typing slip apart: no family gives two children one name. Cousins may stand in one household; their parents differ. Of a
    name with a character that cannot be read nobody knows whether it is one: twins share the other, and their rare ones are lost alike.
    """
    rows = (
        records.rows.select("feed", "name_code", "is_informative", "is_female", "birth_date", "precision")
        .with_row_index("rec")
        .filter(pl.col("feed") == "household", "is_informative")
    )
    rows = rows.join(own.filter(pl.col("own_id").is_not_null()).select("rec", "own_id"), on="rec")
    rows = rows.select("rec", "own_id", "name_code", "is_female", born=pl.when(pl.col("precision") == "day").then("birth_date"))
    parents = records.relatives.filter(pl.col("relation").is_in(["father", "mother"])).select("rec", value="number").drop_nulls()
    ties = pl.concat([records.sparse["household"], parents])
    tied = rows.join(ties, on="rec")
    # a mix of both, as a first sieve; the join below compares them
    mixed = tied["value"] ^ (tied["name_code"].cast(pl.UInt64) * 2**32)
    tied = tied.filter(mixed.is_duplicated()).unique()
    both = tied.join(tied, on=["value", "name_code"], suffix="_b").filter(
        pl.col("own_id") < pl.col("own_id_b"), (pl.col("is_female") == pl.col("is_female_b")).fill_null(True)
    )
    both = both.filter(~records.names["name"].gather(both["name_code"]).str.contains("?", literal=True))
    both = both.select("own_id", "own_id_b", "born", "born_b", "rec", "rec_b").unique().sort("own_id", "own_id_b", "rec", "rec_b")
    dates = [both[side].dt.strftime("%Y%m%d").fill_null("").to_list() for side in ("born", "born_b")]
    close = pl.Series(process.cpdist(*dates, scorer=OSA.distance, score_cutoff=2), dtype=pl.Int32) <= 1
    unknown = both["born"].is_null() | both["born_b"].is_null()
    shown = both.filter(close | unknown).join(_of_other_parents(both, records), on=["rec", "rec_b"], how="anti")
    return shown.select(old_id="own_id", new_id="own_id_b").unique().sort("old_id", "new_id")


def _of_other_parents(pairs: pl.DataFrame, records: Records) -> pl.DataFrame:
    """Of pairs rec, rec_b those whose rows both name a father, or both a mother, and share none of them by name or number."""
    parents = records.relatives.filter(pl.col("relation").is_in(["father", "mother"])).select("rec", "relation", "name_code", "number")
    both = pairs.select("rec", "rec_b").join(parents, on="rec").join(parents, left_on=["rec_b", "relation"], right_on=["rec", "relation"], suffix="_b")
    is_same = ((pl.col("name_code") == pl.col("name_code_b")) | (pl.col("number") == pl.col("number_b"))).fill_null(False)
    return both.group_by("rec", "rec_b").agg(is_same.any().alias("is_same")).filter(~pl.col("is_same")).select("rec", "rec_b")
