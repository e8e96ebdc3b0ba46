"""What a night goes on from: since when children are in key care, and what is open of children that were merged. Enters: the last register's ledger, key_care and alert, tonight's identifiers."""

from __future__ import annotations

from datetime import date

import polars as pl

_ENTRY = ["person_id", "category"]
_FOREVER = date(9999, 12, 31)


def remembered(ledger: pl.LazyFrame, key_care: pl.LazyFrame, identity: pl.LazyFrame, as_of: date) -> pl.DataFrame:
    """Who was in which category on a day, without a break since when: by the ledger, for a night that ran for an earlier day has a list of that day alone.

    Args:
        ledger, key_care: LEDGER and KEY_CARE of the last register. identity: IDENTITY of tonight; a merged child goes on from the entries of both its identifiers.

    Returns:
        person_id, category, since (null where the last list had no such entry), first_listed_on.
    """
    merged = identity.filter(pl.col("state") == "merged").select("person_id", "merged_into").collect().lazy()
    stands = pl.coalesce("merged_into", "person_id").alias("person_id")
    entries = (
        ledger.filter(pl.col("superseded_at").is_null(), pl.col("categories").list.len() > 0)
        .select("person_id", "valid_from", pl.col("valid_to").fill_null(_FOREVER), category="categories")
        .explode("category", empty_as_null=False)
        .join(merged, on="person_id", how="left")
        .with_columns(stands)
        .sort(*_ENTRY, "valid_from", "valid_to")
    )
    breaks = (pl.col("valid_from") > pl.col("valid_to").cum_max().shift()).fill_null(False).over(_ENTRY)
    runs = entries.with_columns(run=breaks.cum_sum().over(_ENTRY)).group_by(*_ENTRY, "run").agg(pl.col("valid_from").min(), pl.col("valid_to").max())
    running = runs.filter((pl.col("valid_from") <= as_of) & (pl.col("valid_to") >= as_of)).select(*_ENTRY, first_listed_on="valid_from")
    since = key_care.join(merged, on="person_id", how="left").with_columns(stands).group_by(_ENTRY).agg(pl.col("since").min())
    return running.join(since, on=_ENTRY, how="left").sort(_ENTRY).collect()


def taken_over(alert: pl.LazyFrame, identity: pl.LazyFrame) -> pl.DataFrame:
    """The alerts that are open under identifiers that were merged.

    Returns:
        person_id (who stands for the child now), was (the identifier it was raised for), alert_id, raised_on.
    """
    merged = identity.filter(pl.col("state") == "merged").select("person_id", "merged_into").collect().lazy()
    still = alert.filter(pl.col("state") != "closed").join(merged, on="person_id")
    return still.select("alert_id", "raised_on", was="person_id", person_id="merged_into").sort("alert_id").collect()
