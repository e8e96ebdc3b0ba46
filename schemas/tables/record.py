"""Tables of the matching rooms: `record` (what linkage compares), `person_record` (who it is), `person` (one child)."""

import polars as pl

from schemas.tables.table import Column, Table, req

# one adult (or sibling, or whoever the row says lives with the child); relation is one of RELATIONS
RELATIVE = pl.Struct({"name": pl.String, "relation": pl.String, "id_number": pl.String, "phone": pl.String})
RELATIONS = (
    "father", "mother", "grandfather", "grandmother", "maternal_grandfather", "maternal_grandmother", "grandparent", "maternal_grandparent",
    "brother", "sister", "guardian", "lives_with", "other",
)  # fmt: skip

# what became of the text in a child's id column
ID_STATUSES = (
    "valid",  # passes GB 11643 (18 characters, possible date, check digit)
    "checksum_failed", "impossible_date", "wrong_length",
    "excel_rounded",  # digits after the 15th lost, `5.0E+17`, or the cell held a number
    "masked", "child_code",  # disease control's 18-digit code in the id column
    "other_document", "placeholder", "absent",
)  # fmt: skip
NAME_KINDS = ("full", "newborn", "nickname", "latin", "partial", "absent")
DOCUMENT_TYPES = ("mainland", "hmt", "foreign", "none")

_PROVENANCE = (
    req("feed", pl.String, "数据来源", "the feed"),
    req("source_file", pl.String, "来源文件", "bare name of the file the row was found in"),
    req("source_row", pl.UInt32, "来源行号（标题下第一行为1）", "row number, 1 being the first under the headings"),
)

RECORD = Table(
    "record",
    "标准化后的来源记录，一行对应一条被接受的来源数据",
    "one accepted row of a feed, standardised",
    (
        *_PROVENANCE,
        req("record_hash", pl.UInt64, "记录内容指纹", "fixed hash of the feed and the row's cells; equal for equal rows, whatever file they lie in"),
        req("export_date", pl.Date, "部门导出日期", "the day the department made the export"),
        Column("record_key", pl.String, "部门记录编号", "the department's own key of the row"),
        Column("name", pl.String, "姓名", "the child's name, blanks and trailing marks removed"),
        Column("name_folded", pl.String, "姓名（归一）", "the name for comparing: simplified characters, variants and dots folded; never empty when name is not"),
        Column("name_kind", pl.String, "姓名类型", "full, newborn (某某之子), nickname, latin, partial (a character unreadable), absent"),
        Column("mother_in_name", pl.String, "姓名所含母亲姓名", "the mother's (or father's) name that a newborn's name carries"),
        Column("former_name", pl.String, "曾用名", "former name"),
        Column("sex", pl.String, "性别", "male or female"),
        Column("birth_date", pl.Date, "出生日期", "birth date as the row says"),
        Column("birth_date_precision", pl.String, "出生日期精度", "day, month or year"),
        Column("id_number", pl.String, "身份证件号（规范）", "18 characters, only where id_number_status is valid or checksum_failed or impossible_date"),
        req("id_number_status", pl.String, "证件号状态", f"what became of the text in the id column: {', '.join(ID_STATUSES)}"),
        Column("id_partial", pl.String, "证件号残留", "18 characters with ? for what was lost, of a rounded or masked number"),
        Column("key_id_number", pl.String, "编号内证件号", "the valid id number inside the record key (学籍号 G…, 残疾人证号); may be an older one"),
        Column("document_type", pl.String, "证件类别", "mainland, hmt (港澳台), foreign, none; null where not said"),
        Column("document_number", pl.String, "其他证件号", "number of a document that is no mainland id"),
        Column("birth_certificate", pl.String, "出生医学证明编号", "birth certificate number"),
        Column("ethnicity", pl.String, "民族", "ethnic group, full name of GB/T 3304"),
        Column("relatives", pl.List(RELATIVE), "亲属监护人", "the adults the row names, with relation, number and phone"),
        Column("phones", pl.List(pl.String), "电话", "all usable phone numbers of the row, sorted"),
        Column("hukou_code", pl.String, "户籍区划", "hukou division code as resolved today (see divisions)"),
        Column("hukou_township", pl.String, "户籍乡镇街道", "hukou township by name"),
        Column("place_code", pl.String, "所在区划", "the division where this row places the child"),
        Column("place_township", pl.String, "所在乡镇街道", "its township by name"),
        Column("address", pl.String, "地址", "address as written"),
        Column("household_key", pl.String, "户号", "household number"),
        Column("is_moved_out", pl.Boolean, "户口已迁出（迁出）", "the household register's entry ended when the child moved out: where another entry has another number, that one counts"),
        Column("is_cancelled", pl.Boolean, "户口已注销（其他注销）", "the household register's entry was cancelled, though the child lives: its number was given up where the child has another"),
        req("warnings", pl.List(pl.String), "提示", "what was faulty and done without, as codes"),
    ),
    ("feed", "source_file", "source_row"),
)

PERSON_RECORD = Table(
    "person_record",
    "来源记录与儿童的对应关系，一行对应一条被接受的来源数据",
    "one accepted row of a feed, and the child it belongs to",
    (
        *_PROVENANCE,
        req("record_hash", pl.UInt64, "记录内容指纹", "fixed hash of the feed and the row's cells"),
        Column("record_key", pl.String, "部门记录编号", "the department's own key of the row"),
        req("person_id", pl.String, "人员编码", "the child"),
        req("link_method", pl.String, "关联方式", "id, probabilistic, review or alone"),
        Column("match_weight", pl.Float64, "匹配权重", "log2 likelihood ratio of the strongest link that holds the row in its cluster; null where alone, and where a decision joins rows that were not compared"),
        Column("match_probability", pl.Float64, "匹配概率", "probability of that link"),
        Column("linked_to", pl.UInt64, "最强关联记录", "record_hash of the row at the other end of that link"),
        Column("id_role", pl.String, "证件号归属", "whose number the id column holds: own, guardian, sibling; null where none"),
        req("warnings", pl.List(pl.String), "提示", "what was faulty and done without, as codes"),
    ),
    ("feed", "source_file", "source_row"),
)

PERSON = Table(
    "person",
    "儿童，汇集各部门数据后一人一行",
    "one child, all feeds put together",
    (
        req("person_id", pl.String, "人员编码", "stable identifier of the child"),
        Column("name", pl.String, "姓名", "name"),
        req("former_names", pl.List(pl.String), "曾用名及其他写法", "other names seen"),
        Column("sex", pl.String, "性别", "male or female"),
        Column("birth_date", pl.Date, "出生日期", "birth date"),
        Column("birth_date_precision", pl.String, "出生日期精度", "day, month or year"),
        Column("id_number", pl.String, "身份证号", "id number"),
        req("id_number_status", pl.String, "身份证号状态", "valid, invalid, absent, conflicting"),
        req("former_id_numbers", pl.List(pl.String), "曾用身份证号", "valid numbers the child had before"),
        Column("document_type", pl.String, "证件类别", "mainland, hmt, foreign, none; null where not said"),
        Column("ethnicity", pl.String, "民族", "ethnic group"),
        req("guardians", pl.List(RELATIVE), "监护人", "guardians: name, relation, id_number, phone"),
        req("phones", pl.List(pl.String), "联系电话", "phones"),
        req("records", pl.UInt32, "记录数", "number of rows of all feeds"),
        req("feeds", pl.List(pl.String), "数据来源", "feeds that know the child, sorted"),
        req("first_seen", pl.Date, "首次出现", "earliest export date that showed the child, over all runs"),
        req("last_seen", pl.Date, "最近出现", "latest export date that showed the child"),
    ),
    ("person_id",),
)
