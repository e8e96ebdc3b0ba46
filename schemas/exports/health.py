"""health 卫生健康: birth certificate and child-health file (出生医学证明、0—6岁儿童健康管理)."""

from schemas.exports.contract import Export, Kind, cell, code, key, need


class Health(Export):
    """One child-health file."""

    record_key: str = key("档案编号", form=r"\d{17}")
    birth_certificate: str = cell("出生医学证明编号", Kind.KEY)
    name: str = cell("姓名", Kind.NAME)
    sex: str = cell("性别", Kind.SEX)
    birth_date: str = need("出生日期", Kind.DATE)
    id_number: str = cell("身份证号", Kind.ID)
    mother_name: str = cell("母亲姓名", Kind.NAME)
    mother_id_number: str = cell("母亲身份证号", Kind.ID)
    father_name: str = cell("父亲姓名", Kind.NAME)
    father_id_number: str = cell("父亲身份证号", Kind.ID)
    phone: str = cell("联系电话", Kind.PHONE)
    hukou_division: str = cell("户籍地区划", Kind.DIVISION)
    residence_division: str = cell("现住地区划", Kind.DIVISION)
    address: str = cell("现住址", Kind.ADDRESS)
    opened_on: str = cell("建档日期", Kind.DATE)
    clinic: str = cell("建档机构")
    last_visit_on: str = cell("最近随访日期", Kind.DATE)
    closed_on: str = cell("结案日期", Kind.DATE)
    close_reason: str = code("结案原因")
    development: str = code("心理行为发育", "未见异常", "预警征象阳性", "已转诊")
