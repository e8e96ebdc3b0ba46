"""disability 残联: disability certificates (残疾人证)."""

from schemas.exports.contract import Export, Kind, cell, code, key, need


class Disability(Export):
    """One certificate: its key is an 18-digit id, category 1-7, level 1-4, and `Bn` behind when reissued."""

    record_key: str = key("残疾人证号", form=r"\d{17}[0-9X][1-7][1-4](B\d+)?")
    name: str = need("姓名", Kind.NAME)
    sex: str = cell("性别", Kind.SEX)
    ethnicity: str = cell("民族")
    category: str = code("残疾类别", "视力", "听力", "言语", "肢体", "智力", "精神", "多重")
    level: str = code("残疾等级", "一级", "二级", "三级", "四级")
    hukou_division: str = cell("户籍地区划", Kind.DIVISION)
    address: str = cell("现住址", Kind.ADDRESS)
    residence_division: str = cell("现住地区划", Kind.DIVISION)
    guardian_name: str = cell("监护人姓名", Kind.NAME)
    guardian_phone: str = cell("监护人电话", Kind.PHONE)
    issued_on: str = cell("发证日期", Kind.DATE)
    expires_on: str = cell("有效期至", Kind.DATE)
    status: str = code("证件状态", "有效", "过期", "注销")
    rehabilitation: str = cell("康复救助", Kind.FLAG)
    rehabilitation_division: str = cell("康复机构区划", Kind.DIVISION)
    rehabilitated_on: str = cell("最近康复日期", Kind.DATE)
