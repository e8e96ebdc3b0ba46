"""survey 民政: the quarterly survey (季度摸排) by the town's supervisor and the village's children's director."""

from schemas.exports.contract import Export, Kind, cell, code, key, need


class Survey(Export):
    """One child as one surveyor found it."""

    record_key: str = key("摸排编号")
    quarter: str = code("摸排季度")
    name: str = need("姓名", Kind.NAME)
    sex: str = cell("性别", Kind.SEX)
    birth_date: str = cell("出生日期", Kind.DATE)
    id_number: str = cell("证件号码", Kind.ID)
    hukou_division: str = cell("户籍地区划", Kind.DIVISION)
    hukou_address: str = cell("户籍地址", Kind.ADDRESS)
    residence_division: str = need("现住地区划", Kind.DIVISION)
    address: str = cell("现住址", Kind.ADDRESS)
    arrived_on: str = cell("来现住地日期", Kind.DATE)
    left_hukou_on: str = cell("离开户籍地日期", Kind.DATE)
    presence: str = code("在住情况", "在住", "已返回户籍地", "已迁往他处")
    father_name: str = cell("父亲姓名", Kind.NAME)
    father_phone: str = cell("父亲电话", Kind.PHONE)
    mother_name: str = cell("母亲姓名", Kind.NAME)
    mother_phone: str = cell("母亲电话", Kind.PHONE)
    guardian_name: str = cell("监护人姓名", Kind.NAME)
    guardian_relation: str = code("监护人关系")
    guardian_id_number: str = cell("监护人身份号码", Kind.ID)
    guardian_phone: str = cell("监护人电话", Kind.PHONE)
    guardianship: str = code("监护情况", "父母双方", "父母一方", "祖辈", "其他亲属", "无人监护", "独自居住")
    hardship: str = cell("家庭困难", Kind.FLAG)
    disabled: str = cell("残疾", Kind.FLAG)
    vagrant: str = cell("流浪", Kind.FLAG)
    psych_behaviour: str = cell("心理行为异常", Kind.FLAG)
    asked_for_help: str = cell("主动求助", Kind.FLAG)
    help_wanted: str = cell("求助内容")
    schooling: str = code("在学情况", "在学", "辍学", "未入学", "学龄前")
    surveyor: str = cell("摸排人")
    surveyed_on: str = cell("摸排日期", Kind.DATE)
