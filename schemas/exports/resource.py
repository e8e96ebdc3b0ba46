"""resource: places that offer help (关爱资源), an input of ours beside the contract's ten feeds; without it nothing is suggested."""

from schemas.exports.contract import Export, Kind, cell, code, key, need

KINDS = (
    "未成年人救助保护机构", "未成年人保护工作站", "儿童福利机构", "儿童之家", "童心港湾", "阳光驿站", "渝好空间", "心理服务机构", "康复机构",
    "家庭教育指导站", "托育机构", "社会工作服务站", "社会组织", "其他",
)  # fmt: skip
REACHES = ("乡镇街道", "区县", "全市")


class Resource(Export):
    """One place and what it offers; a place that offers different help to different ages has a row for each."""

    record_key: str = key("资源编号")
    name: str = need("资源名称")
    kind: str = code("资源类型", *KINDS)
    place_division: str = need("所在区划", Kind.DIVISION)
    address: str = cell("地址", Kind.ADDRESS)
    offers: str = need("服务内容", Kind.LIST)
    reach: str = code("服务范围", *REACHES)
    age_from: str = cell("服务年龄起", Kind.NUMBER)
    age_to: str = cell("服务年龄止", Kind.NUMBER)
    capacity: str = cell("容量", Kind.NUMBER)
    in_use: str = cell("已用", Kind.NUMBER)
    open_from: str = cell("服务开始日期", Kind.DATE)
    open_until: str = cell("服务截止日期", Kind.DATE)
    contact_phone: str = cell("联系电话", Kind.PHONE)
