"""household 公安: the household register (户籍), children registered in the city."""

from schemas.exports.contract import Export, Kind, cell, code, key, need


class Household(Export):
    """One child's entry in one household."""

    household_key: str = cell("户号", Kind.KEY)
    id_number: str = key("公民身份号码", Kind.ID, form=r"\d{17}[0-9X]")
    name: str = need("姓名", Kind.NAME)
    former_name: str = cell("曾用名", Kind.NAME)
    sex: str = cell("性别", Kind.SEX)
    ethnicity: str = cell("民族")
    birth_date: str = cell("出生日期", Kind.DATE)
    relation_to_head: str = cell("与户主关系")
    hukou_division: str = need("户籍地区划", Kind.DIVISION)
    hukou_address: str = cell("户籍地址", Kind.ADDRESS)
    father_name: str = cell("父亲姓名", Kind.NAME)
    father_id_number: str = cell("父亲身份号码", Kind.ID)
    mother_name: str = cell("母亲姓名", Kind.NAME)
    mother_id_number: str = cell("母亲身份号码", Kind.ID)
    guardian_name: str = cell("监护人姓名", Kind.NAME)
    guardian_id_number: str = cell("监护人身份号码", Kind.ID)
    hukou_since: str = cell("迁入日期", Kind.DATE)
    hukou_status: str = code("户口状态", "正常", "迁出", "死亡注销", "其他注销")
    status_on: str = cell("状态日期", Kind.DATE)
