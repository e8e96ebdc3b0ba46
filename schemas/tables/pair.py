"""Tables of doubtful links: `review_queue`, two persons who may be one, with what speaks for it and what was decided."""

import polars as pl

from schemas.tables.table import Column, Table, req

# one line of the waterfall: what was compared, at which level it came out, the phrase a clerk reads, log2(m/u)
COMPARISON = pl.Struct({"comparison": pl.String, "level": pl.String, "phrase": pl.String, "weight": pl.Float64})
DECISIONS = ("same", "different", "unsure")
CAUSES = ("doubtful", "ambiguous", "two_numbers", "twins", "refused_number", "contradiction", "parents", "giant", "decided")

REVIEW_QUEUE = Table(
    "review_queue",
    "待人工核对，一行为可能是同一人的两名儿童",
    "two persons or records that may be one",
    (
        req("pair_id", pl.String, "核对编号", "stable: the same two persons keep it from run to run"),
        req("left", pl.String, "左方人员编码", "person_id of one side when the pair was first put up"),
        req("right", pl.String, "右方人员编码", "person_id of the other side"),
        req("match_weight", pl.Float64, "匹配权重", "log2 likelihood ratio of the best link between the two"),
        req("match_probability", pl.Float64, "匹配概率", "probability of that link"),
        req("cause", pl.String, "核对原因", f"why a person has to look: {', '.join(CAUSES)}"),
        req("gain", pl.Float64, "决定影响", "record pairs that a decision would settle; the queue is worked in this order"),
        req("left_record", pl.UInt64, "左方记录指纹", "record_hash of the row at the left end of the best link"),
        req("right_record", pl.UInt64, "右方记录指纹", "record_hash of the row at the right end"),
        req("left_records", pl.List(pl.UInt64), "左方全部记录", "record_hash of all rows of the left side: what a decision binds"),
        req("right_records", pl.List(pl.UInt64), "右方全部记录", "record_hash of all rows of the right side"),
        req("left_keys", pl.List(pl.String), "左方记录编号", "feed:record_key of the left side, so that a decision outlives an edited row"),
        req("right_keys", pl.List(pl.String), "右方记录编号", "feed:record_key of the right side"),
        req("comparisons", pl.List(COMPARISON), "逐项比较", "the waterfall, in the order of the model"),
        Column("decision", pl.String, "核对结论", "same, different, unsure; null where nobody has looked"),
        Column("decided_by", pl.String, "核对人", "who decided"),
        Column("decided_on", pl.Date, "核对日期", "when"),
    ),
    ("pair_id",),
)
