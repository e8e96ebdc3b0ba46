"""verification: what a department answered on a roster (核实反馈)."""

from schemas.exports.contract import Export, Kind, cell, code, key, need

RESULTS = ("属实", "不属实", "已离开", "信息有误", "查无此人")
# a roster's number: the night it was cut from, the district of residence it lists, the department's two letters
ROSTER_ID = r"^HMC-(\d{8})-([0-9A-Z]{6})-[A-Z]{2}$"
# 更正项目 -> what it corrects, and the department whose word on it weighs most
CORRECTS = {
    "姓名": ("name", "公安"), "性别": ("sex", "公安"), "出生日期": ("birth_date", "公安"), "身份证号": ("id_number", "公安"), "户籍地": ("hukou", "公安"),
    "现居住地": ("residence", "民政"), "来现住地日期": ("arrived_on", "民政"), "监护人姓名": ("guardian_name", "民政"), "监护人电话": ("guardian_phone", "民政"),
}  # fmt: skip
# 更正项目 that only the department's own system can put right: kept and shown, the next export brings it
NOTED = ("在读情况", "参保情况", "接种情况", "残疾情况", "其他")


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
