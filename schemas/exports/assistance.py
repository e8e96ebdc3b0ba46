"""assistance 民政: relief rolls and the street-relief stations (救助)."""

from schemas.exports.contract import Export, Kind, cell, key, need

KINDS = ("低保", "特困", "孤儿", "事实无人抚养儿童", "临时救助", "低保边缘", "返贫监测", "流浪救助")


class Assistance(Export):
    """One grant of relief to one child, or one stay in a relief station."""

    record_key: str = key("救助编号")
    name: str = cell("姓名", Kind.NAME)
    sex: str = cell("性别", Kind.SEX)
    birth_date: str = cell("出生日期", Kind.DATE)
    id_number: str = cell("证件号码", Kind.ID)
    kind: str = need("类别", Kind.CODE, codes=KINDS)
    hukou_division: str = cell("户籍地区划", Kind.DIVISION)
    aid_division: str = cell("救助地区划", Kind.DIVISION)
    guardian_name: str = cell("监护人姓名", Kind.NAME)
    guardian_id_number: str = cell("监护人身份号码", Kind.ID)
    phone: str = cell("联系电话", Kind.PHONE)
    granted_on: str = cell("认定日期", Kind.DATE)
    stopped_on: str = cell("停止日期", Kind.DATE)
    left_station_on: str = cell("离站日期", Kind.DATE)
    destination: str = cell("去向")
