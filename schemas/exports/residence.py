"""residence 公安: the floating-population register and residence permits (流动人口登记、居住证)."""

from schemas.exports.contract import Export, Kind, cell, code, key, need


class Residence(Export):
    """One registration of one child at one address."""

    record_key: str = key("登记编号")
    name: str = need("姓名", Kind.NAME)
    sex: str = cell("性别", Kind.SEX)
    birth_date: str = cell("出生日期", Kind.DATE)
    id_number: str = cell("公民身份号码", Kind.ID)
    hukou_division: str = cell("户籍地区划", Kind.DIVISION)
    hukou_address: str = cell("户籍地址", Kind.ADDRESS)
    residence_division: str = need("居住地区划", Kind.DIVISION)
    address: str = cell("居住地址", Kind.ADDRESS)
    reason: str = code("居住事由", "务工", "经商", "随迁", "投靠亲友", "就学", "借读", "其他")
    arrived_on: str = cell("来本地日期", Kind.DATE)
    registered_on: str = cell("登记日期", Kind.DATE)
    cancelled_on: str = cell("注销日期", Kind.DATE)
    cancel_reason: str = code("注销原因", "返回户籍地", "迁往他处", "死亡", "到期", "其他")
    permit_number: str = cell("居住证号", Kind.KEY)
    permit_issued_on: str = cell("居住证签发日期", Kind.DATE)
    permit_expires_on: str = cell("居住证有效期至", Kind.DATE)
    lives_with_name: str = cell("同住人姓名", Kind.NAME)
    lives_with_id: str = cell("同住人身份号码", Kind.ID)
    lives_with_relation: str = code("与同住人关系", "父亲", "母亲", "祖父母", "外祖父母", "其他亲属", "其他", "无同住人")
    phone: str = cell("联系电话", Kind.PHONE)
