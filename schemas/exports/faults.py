"""Why a file or a row was not accepted, in words for the clerk who sent it.

Enters: a reason code such as `missing_need:name` and the feed. Leaves: the Chinese sentence. A file's fault travels as `UnreadableFileError`.
"""

from __future__ import annotations

from schemas.exports.contract import Feed


class UnreadableFileError(Exception):
    """A whole file can't be taken in. Its text is Chinese, for the department, and never holds a value of a cell."""


class UnbalancedFiguresError(Exception):
    """Rows in are not accepted + quarantined: a fault of ours, which must stop the feed."""


# code before the colon -> sentence; {heading} is the department's own word for the column
_REASONS = {
    "missing_key": "缺少“{heading}”，这是识别该行的编号，必须填写",
    "missing_need": "缺少“{heading}”，该项必须填写",
    "unreadable_need": "“{heading}”无法识别，请按规定格式重新填写",
    "impossible_need": "“{heading}”晚于本表导出日期，请核对",
    "key_stored_as_number": "“{heading}”在表格中存成了数值，末几位已丢失；请把该列设为“文本”后重新录入",
    "ragged_row": "本行的列数与表头不一致，可能是内容中多了或少了分隔符",
    "broken_quotes": "本行的引号不成对，无法分列",
    "undecodable_bytes": "本行含有无法解码的字节（乱码），请从原系统重新导出",
    "id_stored_as_number": "“{heading}”在表格中存成了数值，末几位已丢失，按未填处理；请把该列设为“文本”后重新录入",
    "odd_key": "“{heading}”的位数或格式与规定不符，已照收，请核对",
}


def say(code: str, feed: Feed) -> str:
    """The Chinese sentence of a row's reason or warning.

    Args:
        code: `<reason>` or `<reason>:<column>`.

    Raises:
        KeyError: a code that has no sentence.
    """
    reason, _, column = code.partition(":")
    heading = feed.column(column).heading if column else ""
    return _REASONS[reason].format(heading=heading)
