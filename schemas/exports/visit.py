"""visit: what visits found (走访记录), an input of ours beside the contract's ten feeds; a visit sheet that was handed out comes back through it."""

from schemas.exports.contract import Export, Kind, cell, code, key

WAYS = ("入户", "学校", "其他地点", "电话视频")
RESULTS = ("见到儿童", "未见到儿童", "已离开", "查无此人")
# the four situations of 实施方案二(三)1 in which the police are told at once, and that there is none
SITUATIONS = ("无", "独自居住", "监护人不履行监护责任", "疑似家庭暴力", "疑似意外伤害或不法侵害")


class Visit(Export):
    """One visit to one child whom the register knows."""

    person_id: str = key("人员编码")
    visited_on: str = key("走访日期", Kind.DATE)
    sheet_id: str = cell("走访表编号")
    way: str = code("走访方式", *WAYS)
    result: str = code("走访结果", *RESULTS)
    situation: str = code("强制报告情形", *SITUATIONS)
    reported_on: str = cell("报告公安日期", Kind.DATE)
    still_needs_help: str = cell("仍需帮扶", Kind.FLAG)
    visited_by: str = cell("走访人")
    remark: str = cell("走访情况")
