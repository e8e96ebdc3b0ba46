"""disease_control 疾控: the immunisation register (预防接种)."""

from schemas.exports.contract import Export, Kind, cell, code, key, need


class DiseaseControl(Export):
    """One immunisation card. Its 18-digit key looks like an id number and is none."""

    record_key: str = key("儿童编码", form=r"\d{18}")
    name: str = need("姓名", Kind.NAME)
    sex: str = cell("性别", Kind.SEX)
    birth_date: str = need("出生日期", Kind.DATE)
    id_number: str = cell("身份证号", Kind.ID)
    birth_certificate: str = cell("出生医学证明编号", Kind.KEY)
    mother_name: str = cell("母亲姓名", Kind.NAME)
    father_name: str = cell("父亲姓名", Kind.NAME)
    phone: str = cell("联系电话", Kind.PHONE)
    hukou_division: str = cell("户籍地区划", Kind.DIVISION)
    residence_division: str = cell("现居住地区划", Kind.DIVISION)
    address: str = cell("现住址", Kind.ADDRESS)
    residence_type: str = code("居住属性", "本地", "流动", "临时")
    moved_in_on: str = cell("迁入日期", Kind.DATE)
    opened_on: str = cell("建卡日期", Kind.DATE)
    clinic: str = cell("管理单位")
    clinic_division: str = need("管理单位区划", Kind.DIVISION)
    status: str = code("在册状态", "在册", "迁出", "死亡", "失访")
    last_dose_on: str = cell("最近接种日期", Kind.DATE)
    doses_overdue: str = cell("应种未种", Kind.LIST)
