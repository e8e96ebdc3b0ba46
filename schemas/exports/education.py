"""education 教育: the school roll (学籍)."""

from schemas.exports.contract import Export, Kind, cell, code, key, need

RELATIONS = ("父亲", "母亲", "祖父", "祖母", "外祖父", "外祖母", "兄", "姐", "其他")
ID_TYPES = ("居民身份证", "户口簿", "港澳居民来往内地通行证", "台湾居民来往大陆通行证", "港澳台居民居住证", "护照", "其他", "无")


class Education(Export):
    """One enrolment of one child in one school."""

    record_key: str = key("学籍号", form=r"G\d{17}[0-9X]|[JL]\d{18}")
    name: str = need("姓名", Kind.NAME)
    sex: str = cell("性别", Kind.SEX)
    birth_date: str = cell("出生日期", Kind.DATE)
    id_type: str = code("身份证件类型", *ID_TYPES)
    id_number: str = cell("身份证件号", Kind.ID)
    ethnicity: str = cell("民族")
    hukou_division: str = cell("户口所在地行政区划", Kind.DIVISION)
    address: str = cell("现住址", Kind.ADDRESS)
    school_id: str = cell("学校标识码", Kind.KEY)
    school: str = cell("学校名称")
    school_division: str = need("学校所在区划", Kind.DIVISION)
    grade: str = cell("年级")
    class_name: str = cell("班级")
    enrolled_on: str = cell("入学年月", Kind.DATE)
    status: str = code("就读状态", "在读", "休学", "转出", "毕业", "退学")
    left_on: str = cell("离校日期", Kind.DATE)
    boarding: str = cell("是否寄宿", Kind.FLAG)
    migrant_worker_child: str = cell("是否进城务工人员随迁子女", Kind.FLAG)
    guardian1_name: str = cell("监护人1姓名", Kind.NAME)
    guardian1_relation: str = code("监护人1关系", *RELATIONS)
    guardian1_id_number: str = cell("监护人1证件号", Kind.ID)
    guardian1_phone: str = cell("监护人1电话", Kind.PHONE)
    guardian2_name: str = cell("监护人2姓名", Kind.NAME)
    guardian2_relation: str = code("监护人2关系", *RELATIONS)
    guardian2_id_number: str = cell("监护人2证件号", Kind.ID)
    guardian2_phone: str = cell("监护人2电话", Kind.PHONE)
    psych_level: str = code("心理关注等级", "无", "一般关注", "重点关注")
