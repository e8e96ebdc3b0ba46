"""medical_insurance 医保: resident medical insurance (参保)."""

from schemas.exports.contract import Export, Kind, cell, code, key, need

SUBSIDIES = ("无", "特困人员", "低保对象", "孤儿", "事实无人抚养儿童", "重度残疾人", "返贫致贫监测对象")


class MedicalInsurance(Export):
    """One child's insurance in one place."""

    record_key: str = key("人员编号")
    name: str = need("姓名", Kind.NAME)
    id_type: str = code("证件类型")
    id_number: str = cell("证件号码", Kind.ID)
    sex: str = cell("性别", Kind.SEX)
    birth_date: str = cell("出生日期", Kind.DATE)
    insured_division: str = need("参保地区划", Kind.DIVISION)
    scheme: str = code("险种")
    status: str = code("参保状态", "正常参保", "暂停参保", "终止参保")
    insured_on: str = cell("参保日期", Kind.DATE)
    paid_year: str = cell("缴费年度", Kind.YEAR)
    subsidy: str = code("资助参保身份", *SUBSIDIES)
    remote_care_division: str = cell("异地就医备案地区划", Kind.DIVISION)
    remote_care_on: str = cell("备案日期", Kind.DATE)
    phone: str = cell("联系电话", Kind.PHONE)
