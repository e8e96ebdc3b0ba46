"""The report's counts and what adds up to what. Enters: the figures of sql/report. Leaves: `Shown`, with the small ones hidden over the whole report.

Keys: `flowing[, district | region, code]`, `undetermined`, `in care`, `alerts` likewise; `origin[, group], code`; `flow, group, region`; `pair, origin, district`;
`outcome`, `reason`, `event`, `age`, `accompanied`, `care`, `department`, `kind`, `service`, `verified` with their codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import polars as pl

from publish.suppression import Counts, Key, Shown
from schemas.reference import lists
from schemas.tables.assessment import OUTCOME_OF, OUTCOMES, SERVICE_STATUSES

QUARTER_DAYS = 92  # the longest quarter: what is compared with, and how old an export may be before a survey was missed
REGIONS = ("中心城区", "主城新区", "渝东北", "渝东南")
OTHER_PROVINCES = "其他省份"
NAMED_PROVINCES = 2  # provinces that are a source of their own in the picture of flows
TOP_ORIGINS = 14
TOP_PAIRS = 12
_WORTH_NAMING = 10  # a flow between two places that is listed by itself

Figures = Mapping[str, pl.DataFrame]


@cache
def regions() -> dict[str, str]:
    """The region of each district of the city."""
    return dict(lists.read("cq_regions.csv").iter_rows())


def shown(figures: Figures) -> Shown:
    """All counts of the report, settled together."""
    return every_count(figures).settle()


def every_count(figures: Figures) -> Counts:
    """All counts of the report and the sums between them."""
    counts = Counts()
    _outcomes(counts, figures["outcomes"])
    _districts(counts, figures["districts"])
    _flows(counts, figures["flows"])
    for topic in ("age", "accompanied"):
        part = figures["children"].filter(pl.col("topic") == topic)
        _parts(counts, ("flowing",), {(topic, item): n for item, n in part.select("item", "children").iter_rows()})
    _care(counts, figures["key_care"])
    _alerts(counts, figures["alerts"])
    services(counts, figures["services"].select("item", "status", "district", "children"))
    _verified(counts, figures["verification"])
    for kind, night, quarter in figures["ledger_events"].iter_rows():
        counts.add(("event", kind, "quarter"), quarter)
        counts.add(("event", kind, "night"), night)
        counts.sum(("event", kind, "quarter"), [("event", kind, "night")], rest=("event", kind, "before"))
    # a first night lists everybody who flows, and says so
    if counts.counts.get(("event", "listed", "night")) == counts.counts["flowing",]:
        counts.sum(("flowing",), [("event", "listed", "night")])
    for department, state, n in figures["answers"].iter_rows():
        counts.add(("answers", department, state), n)
    counts.add(("review",), figures["review"].item())
    _alike(counts)
    return counts


def shown_before(history: pl.DataFrame) -> Shown:
    """Outcomes and services of an earlier night, settled as that night's report would have."""
    counts = _outcomes_of(history)
    given = history.filter(pl.col("topic") == "service").select("item", pl.col("state").alias("status"), "district", pl.col("figure").alias("children"))
    services(counts, given)
    _alike(counts)
    return counts.settle()


def outcomes_before(history: pl.DataFrame) -> Shown:
    """Outcomes of an earlier night alone."""
    return _outcomes_of(history).settle()


def _outcomes_of(history: pl.DataFrame) -> Counts:
    counts = Counts()
    outcomes = history.filter(pl.col("topic") == "outcome").group_by("item", "state").agg(pl.col("figure").sum().alias("children"))
    _outcomes(counts, outcomes.select(pl.col("state").alias("outcome"), pl.col("item").alias("reason"), "children").sort("reason"))
    return counts


def _parts(counts: Counts, whole: Key, parts: Mapping[Key, int], rest: Key | None = None) -> None:
    for key, count in parts.items():
        counts.add(key, count)
    counts.sum(whole, parts, rest)


def _outcomes(counts: Counts, outcomes: pl.DataFrame) -> None:
    given = {reason: n for _, reason, n in outcomes.select("outcome", "reason", "children").iter_rows()}
    for outcome in OUTCOMES:
        reasons = [r for r in given if OUTCOME_OF[r] == outcome]
        counts.add((outcome,), sum(given[r] for r in reasons))
        _parts(counts, (outcome,), {("reason", r): given[r] for r in reasons})
    counts.add(("all",), sum(given.values()))
    counts.sum(("all",), [(o,) for o in OUTCOMES])


def _districts(counts: Counts, districts: pl.DataFrame) -> None:
    """By district, of flowing children by region too; what is elsewhere or nowhere is a rest."""
    mine = districts.filter(pl.col("district").is_in(list(regions())))
    codes = mine["district"].to_list()
    counts.add(("in care",), int(districts["key_care"].sum()))
    counts.add(("alerts",), int(districts["alerts"].sum()))
    for topic, column in (("flowing", "flowing"), ("undetermined", "undetermined"), ("in care", "key_care"), ("alerts", "alerts")):
        values = dict(zip(codes, mine[column], strict=True))
        _parts(counts, (topic,), {(topic, "district", d): n for d, n in values.items()}, rest=(topic, "elsewhere"))
    for region in REGIONS:
        inside = [("flowing", "district", d) for d in codes if regions()[d] == region]
        counts.add(("flowing", "region", region), sum(counts.counts[k] for k in inside))
        counts.sum(("flowing", "region", region), inside)
    for d in codes:
        counts.sum(("flowing", "district", d), [("in care", "district", d)], rest=("flowing", "not in care", d))


def _flows(counts: Counts, flows: pl.DataFrame) -> None:
    """Origins one by one and in groups, groups to regions, and the largest flows between two places."""
    groups = origin_groups(flows)
    placed = flows.drop_nulls().with_columns(
        pl.col("origin").replace_strict(groups).alias("group"), pl.col("district").replace_strict(regions(), default="不明").alias("region")
    )
    origins: dict[str, int] = dict(placed.group_by("origin").agg(pl.col("children").sum()).sort("children", "origin", descending=[True, False]).iter_rows())
    named = top_origins(flows)
    for origin, n in origins.items():
        counts.add(("origin", origin), n, printed=origin in named)
    if others := [("origin", o) for o in origins if o not in named]:
        counts.add(("other origins",), sum(counts.counts[k] for k in others))
        counts.sum(("other origins",), others)
        counts.sum(("flowing",), [("other origins",), *(("origin", o) for o in named)], rest=("origin", "unknown"))
    else:
        counts.sum(("flowing",), [("origin", o) for o in named], rest=("origin", "unknown"))
    cells = {(g, r): n for g, r, n in placed.group_by("group", "region").agg(pl.col("children").sum()).sort("group", "region").iter_rows()}
    for group in sorted(set(groups.values())):
        inside = [("origin", o) for o in origins if groups[o] == group]
        counts.add(("origin", "group", group), sum(counts.counts[k] for k in inside))
        counts.sum(("origin", "group", group), inside)
        _parts(counts, ("origin", "group", group), {("flow", group, r): n for (g, r), n in cells.items() if g == group})
    for region in REGIONS:
        if ("flowing", "region", region) in counts.counts:
            counts.sum(("flowing", "region", region), [("flow", g, r) for g, r in cells if r == region], rest=("flow", "unknown", region))
    _pairs(counts, placed)


def _pairs(counts: Counts, placed: pl.DataFrame) -> None:
    """The largest flows, each a part of its origin, its district and its flow between group and region."""
    largest = top_pairs(placed).rows(named=True)
    for row in largest:
        counts.add(("pair", row["origin"], row["district"]), row["children"])
    for column, whole in (("origin", ("origin",)), ("district", ("flowing", "district"))):
        for code in sorted({row[column] for row in largest}):
            inside = [("pair", row["origin"], row["district"]) for row in largest if row[column] == code]
            counts.sum((*whole, code), inside, rest=("pair", column, "rest", code))
    for group, region in sorted({(row["group"], row["region"]) for row in largest}):
        inside = [("pair", row["origin"], row["district"]) for row in largest if (row["group"], row["region"]) == (group, region)]
        counts.sum(("flow", group, region), inside, rest=("pair", "rest", group, region))


def top_pairs(flows: pl.DataFrame) -> pl.DataFrame:
    """The largest flows between two places that are worth naming; a flow from outside the city starts in a province."""
    placed = flows.drop_nulls(["origin", "district"]).filter(pl.col("children") >= _WORTH_NAMING)
    return placed.sort("children", "origin", "district", descending=[True, False, False]).head(TOP_PAIRS)


def top_origins(flows: pl.DataFrame) -> list[str]:
    """The origins that are printed by name: most children first."""
    sums = flows.drop_nulls().group_by("origin").agg(pl.col("children").sum()).sort("children", "origin", descending=[True, False])
    return sums["origin"].head(TOP_ORIGINS).to_list()


def origin_groups(flows: pl.DataFrame) -> dict[str, str]:
    """Each origin's group in the picture of flows: the city's regions, the provinces most children come from, the other provinces."""
    sums = flows.drop_nulls("origin").group_by("origin").agg(pl.col("children").sum()).sort("children", "origin", descending=[True, False])
    outside = [o for o in sums["origin"] if o not in regions()]
    names = {o: regions().get(o, OTHER_PROVINCES) for o in sums["origin"]}
    return names | {o: lists.provinces().get(o[:2], OTHER_PROVINCES) for o in outside[:NAMED_PROVINCES]}


def _care(counts: Counts, care: pl.DataFrame) -> None:
    """By category: flowing and other children, and of both together those whose visit is overdue."""
    for category, flowing, others, overdue in care.select("category", "flowing", "others", "overdue").iter_rows():
        counts.add(("care", category), flowing + others, printed=False)
        _parts(counts, ("care", category), {("care", category, "flowing"): flowing, ("care", category, "others"): others})
        counts.add(("care", category, "overdue"), overdue, expendable=True)
        counts.sum(("care", category), [("care", category, "overdue")], rest=("care", category, "in time"))


def _alerts(counts: Counts, alerts: pl.DataFrame) -> None:
    """Open and overdue by department and kind, and what was closed by kind."""
    for state in ("open", "overdue"):
        counts.add(("alerts", state), int(alerts[state].sum()), printed=state == "overdue")
        for department, part in _split(alerts, "department"):
            counts.add(("department", department, state), int(part[state].sum()))
            kinds: dict[Key, int] = {("kind", kind, department, state): n for kind, n in part.select("kind", state).iter_rows()}
            _parts(counts, ("department", department, state), kinds)
        counts.sum(("alerts", state), [("department", d, state) for d in alerts["department"].unique().sort()])
    counts.sum(("alerts",), [("alerts", "open"), ("alerts", "overdue")])
    for kind, part in _split(alerts, "kind"):
        counts.add(("kind", kind, "closed"), int(part["closed"].sum()))


def services(counts: Counts, given: pl.DataFrame) -> None:
    """By item and status, over the city and by region. Columns: item, status, district, children."""
    placed = given.with_columns(pl.col("district").replace_strict(regions(), default="不明").alias("region"))
    for item, part in _split(placed, "item"):
        by_region = {(r, s): n for r, s, n in part.group_by("region", "status").agg(pl.col("children").sum()).sort("region", "status").iter_rows()}
        for area in sorted({r for r, _ in by_region}):
            _owed(counts, (item, area), {s: by_region.get((area, s), 0) for s in SERVICE_STATUSES}, ("flowing", "region", area), printed=False)
        _owed(counts, (item,), {s: sum(n for (_, t), n in by_region.items() if t == s) for s in SERVICE_STATUSES}, ("flowing",), printed=True)
        for status in SERVICE_STATUSES:
            counts.sum(("service", item, status), [("service", item, area, status) for area in sorted({r for r, _ in by_region})])


def _alike(counts: Counts) -> None:
    """Items that equally many are owed, and categories with as many children: who knows the service list knows which of them are the same children."""
    first: dict[int, Key] = {}
    for key, n in sorted(counts.counts.items()):
        is_whole = (key[0] == "service" and len(key) == 2) or (key[0] == "care" and key[2:] == ("flowing",))
        if n and is_whole and first.setdefault(n, key) != key:
            counts.sum(first[n], [key])


def _owed(counts: Counts, of: Key, by_status: Mapping[str, int], everybody: Key, *, printed: bool) -> None:
    """How many are owed an item, and by status; where everybody is, that number is known from elsewhere."""
    owed = ("service", *of)
    counts.add(owed, sum(by_status.values()), printed=printed, expendable=True)
    _parts(counts, owed, {(*owed, s): n for s, n in by_status.items()})
    if counts.counts.get(everybody) == counts.counts[owed]:
        counts.sum(everybody, [owed])


def _verified(counts: Counts, verification: pl.DataFrame) -> None:
    """By result, and by region who has an answer."""
    results = verification.group_by("result").agg(pl.col("children").sum()).sort("result")
    _parts(counts, ("flowing",), {("verified", r): n for r, n in results.iter_rows()})
    placed = verification.filter(pl.col("result") != "none").with_columns(pl.col("district").replace_strict(regions(), default="不明").alias("region"))
    counts.add(("answered",), int(placed["children"].sum()))
    _parts(counts, ("answered",), {("answered", r): n for r, n in placed.group_by("region").agg(pl.col("children").sum()).sort("region").iter_rows()})
    counts.sum(("answered",), [("verified", r) for r in results["result"] if r != "none"])
    for region in REGIONS:
        if ("answered", region) in counts.counts:
            counts.sum(("flowing", "region", region), [("answered", region)], rest=("unanswered", region))


def _split(frame: pl.DataFrame, column: str) -> list[tuple[str, pl.DataFrame]]:
    return [(part[column][0], part) for part in frame.sort(column, maintain_order=True).partition_by(column, maintain_order=True)]
