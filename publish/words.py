"""The register's codes as staff read them. Enters: columns of codes. Leaves: columns of Chinese words."""

from __future__ import annotations

import polars as pl

from schemas.exports.feeds import FEEDS
from schemas.reference.words import words

SEXES = words("sex")
OUTCOME_WORDS = words("outcome")
REASON_WORDS = words("reason")
CATEGORY_WORDS = words("category")
EVENT_WORDS = words("event")
ANSWER_STATE_WORDS = words("answer_state")
DIRECTIONS = words("direction")
ACCOMPANIED = words("accompanied")
ID_STATUSES = words("id_number_status")
RELATION_WORDS = words("relation")
FEED_WORDS = {name: f"{feed.department}{feed.title}" for name, feed in FEEDS.items()}


def in_words(column: pl.Expr, words: dict[str, str]) -> pl.Expr:
    """The codes as words; a code that has none stays as it is, so that nothing is lost in print."""
    return column.replace(words)
