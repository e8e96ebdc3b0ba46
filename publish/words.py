"""The register's codes as staff read them. Enters: columns of codes. Leaves: columns of Chinese words."""

from __future__ import annotations

import polars as pl

from schemas.exports.feeds import FEEDS
from schemas.tables.assessment import CATEGORIES, OUTCOMES, REASONS

SEXES = {"male": "男", "female": "女"}
OUTCOME_WORDS = dict(zip(OUTCOMES, ("流动儿童", "不属于流动儿童", "待核实"), strict=True))
REASON_WORDS = dict(
    zip(
        REASONS,
        (
            "已死亡", "出生日期不明", "已满16周岁", "非内地户籍（港澳台及外籍）", "在福利机构养育", "户籍地不明", "仅在外寄宿就读", "居住地不明",
            "各方数据相互矛盾", "已返回户籍地", "居住在市外", "户籍与居住在同一区县", "户籍与居住均在中心城区", "离开户籍地时间不明", "离开户籍地未满6个月",
            "符合流动儿童标准",
        ),
        strict=True,
    )
)  # fmt: skip
CATEGORY_WORDS = dict(zip(CATEGORIES, ("家庭生活困难", "自身残疾", "监护缺失", "流浪", "心理和行为异常", "主动求助"), strict=True))
DIRECTIONS = {"in_city": "市内跨区县", "into_city": "市外流入", "out_of_city": "流出市外", "none": ""}
ACCOMPANIED = {"both": "父母双方", "one": "父母一方", "other_guardian": "其他监护人", "none": "无人同住", "unknown": "不明"}
ID_STATUSES = {"valid": "有效", "invalid": "号码有误", "absent": "无", "conflicting": "号码相互矛盾"}
RELATION_WORDS = {
    "father": "父亲", "mother": "母亲", "grandfather": "祖父", "grandmother": "祖母", "maternal_grandfather": "外祖父",
    "maternal_grandmother": "外祖母", "grandparent": "祖父母", "maternal_grandparent": "外祖父母", "brother": "兄弟", "sister": "姐妹",
    "guardian": "监护人", "lives_with": "同住人", "other": "其他",
}  # fmt: skip
FEED_WORDS = {name: f"{feed.department}{feed.title}" for name, feed in FEEDS.items()}


def in_words(column: pl.Expr, words: dict[str, str]) -> pl.Expr:
    """The codes as words; a code that has none stays as it is, so that nothing is lost in print."""
    return column.replace(words)
