"""exchange_reply, national_receipt: what other places and the national system answer; inputs of ours beside the contract's ten feeds.

Both are optional, and speak of a child by 人员编码, as the notice or the batch that went out named it.
"""

from schemas.exports.contract import Export, Kind, cell, code, key, need

REPLIES = ("属实", "查无此人", "已返回户籍地", "户籍已迁出", "信息有误")
LISTED_AS = ("流动儿童", "留守儿童", "困境儿童", "未登记")
RECEIPTS = ("已录入", "退回")


class ExchangeReply(Export):
    """What another place answered on one child of a notice (异地协查答复)."""

    notice_id: str = key("告知编号")
    person_id: str = key("人员编码")
    result: str = code("核查结果", *REPLIES)
    listed_as: str = code("当地登记类别", *LISTED_AS)
    value: str = cell("更正内容")
    replied_by: str = cell("答复人")
    replied_on: str = need("答复日期", Kind.DATE)
    remark: str = cell("备注")


class NationalReceipt(Export):
    """What the national system (全国儿童福利信息系统) made of one child of a batch (录入回执)."""

    batch_id: str = key("上报批次")
    person_id: str = key("人员编码")
    result: str = need("处理结果", Kind.CODE, codes=RECEIPTS)
    national_id: str = cell("全国系统编号")
    reason: str = cell("退回原因")
    received_on: str = need("处理日期", Kind.DATE)
