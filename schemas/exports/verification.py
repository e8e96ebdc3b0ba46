"""verification: what a department answered on a roster (核实反馈)."""

from schemas.exports.contract import Export, Kind, cell, code, key, need

RESULTS = ("属实", "不属实", "已离开", "信息有误", "查无此人")


class Verification(Export):
    """One answer about one child of one roster."""

    roster_id: str = key("花名册编号")
    person_id: str = key("人员编码")
    department: str = cell("核实部门")
    result: str = code("核实结果", *RESULTS)
    field: str = cell("更正项目")
    value: str = cell("更正内容")
    verified_by: str = cell("核实人")
    verified_on: str = need("核实日期", Kind.DATE)
    remark: str = cell("备注")
