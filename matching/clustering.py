"""Who belongs together: weighed edges between units go in, clusters and the edges that were refused come out.

Best edge first. A cluster never holds two trusted numbers, two units that a reviewer keeps apart, or two that were compared and contradict each
other (twins). A unit that two clusters claim about equally well, where only one can have it, goes to neither but to review.
Components in which nothing can conflict are joined whole (scipy); only the others are walked through edge by edge.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

# why two clusters were not joined, for people: in Chinese, in English
CAUSES = {
    "two_numbers": (
        "双方各有一个有效的本人证件号，且不同，须经人工核对或户籍登记证明变更才可合并",
        "each has a valid number of its own and they differ: only a clerk, or a change the household register shows, may join them",
    ),
    "twins": ("同日出生、同一家庭而姓名或性别不符，按双胞胎处理", "born the same day into one family with another name or sex: taken for twins"),
    "contradiction": ("两条记录相互矛盾", "two of their records contradict each other"),
    "parents": ("双方记录所列父亲或母亲不是同一人，而其余内容不足以认定", "two of their records name another father or mother, and the rest does not outweigh that"),
    "ambiguous": ("另有同样可能的对象，不能确定是哪一个", "another child is about as likely, and it cannot be told which"),
    "giant": ("合并后记录过多，须人工核对", "together they would have more records than are ever joined without a clerk"),
    "decided": ("人工核对结论为不是同一人或不能确定", "a clerk decided that they are two, or could not tell"),
    "exclusive": ("两条记录在不得不同的项目上不同", "they differ where one person's records must not"),
    "doubtful": ("可能性介于自动关联与不予关联之间", "likely enough for a clerk to look, not for joining them"),
}
# clusters of more units than this are never built automatically
GIANT = 40
# what several senders say
SEVERAL = 2
Parts = npt.NDArray[np.int64]
_PAIRS = pl.Schema({"l": pl.UInt32, "r": pl.UInt32, "cause": pl.String})


@dataclass(frozen=True)
class Clustering:
    """The outcome: `cluster` (unit, cluster: its smallest unit) for every unit, and `refused` edges (l, r, cause)."""

    cluster: pl.DataFrame
    refused: pl.DataFrame


@dataclass(frozen=True)
class Constraints:
    """What clusters must keep to.

    Attributes:
        trusted: for each unit whether it has a trusted number of its own (numbers of one child are one unit).
        apart: pairs l, r that never meet, with `cause`; "decided" where a reviewer said so.
        together: pairs l, r that a reviewer joined; they go first and override everything but a reviewer's own "different".
        exclusive: further values of each unit, a column of integers each with nulls: two different ones in one column never meet.
        giant: clusters of more units than this are not built.
        sources: a bit for each sender of each unit. wavering: pairs l, r that are two for all their names say, with `cause`. What several senders say of each of two
            is no slip of the pen: such a link joins only where one of the two clusters has a single sender, and of two clusters whose names several senders waver on
            with several, only what one child alone would share makes one.
    """

    trusted: pl.Series
    apart: pl.DataFrame
    together: pl.DataFrame
    exclusive: tuple[pl.Series, ...] = ()
    giant: int = GIANT
    sources: pl.Series | None = None
    wavering: pl.DataFrame = field(default_factory=_PAIRS.to_frame)

    def among(self, units: pl.Series, number: npt.NDArray[np.uint32]) -> Constraints:
        """What some units must keep to; `number`: what each of them is called there."""
        has = np.zeros(len(self.trusted), dtype=np.bool_)
        has[units.to_numpy()] = True
        apart, together, wavering = (
            _renumbered(pairs.filter(has[pairs["l"].to_numpy()] & has[pairs["r"].to_numpy()]), number) for pairs in (self.apart, self.together, self.wavering)
        )
        sources = None if self.sources is None else self.sources.gather(units)
        exclusive = tuple(e.gather(units) for e in self.exclusive)
        return replace(self, trusted=self.trusted.gather(units), apart=apart, together=together, exclusive=exclusive, sources=sources, wavering=wavering)

    def keys(self) -> pl.DataFrame:
        """A column of values for each of `exclusive`, and first the trusted number: each trusted unit is a value of its own."""
        own = pl.Series("k0", np.arange(len(self.trusted), dtype=np.int64)).to_frame().select(pl.when(self.trusted).then("k0"))
        return own.hstack([each.cast(pl.Int64).alias(f"k{i}") for i, each in enumerate(self.exclusive, start=1)])


def cluster_units(edges: pl.DataFrame, limits: Constraints, margin: float) -> Clustering:
    """Clusters from edges l, r, match_weight (those above the link threshold only).

    Args:
        edges: candidate links, with `is_firm` where the limits have sources: whether the two share what only one child would. limits: the constraints.
        margin: bits by which the best of several links that exclude each other must lead.
    """
    count = len(limits.trusted)
    is_firm = pl.lit(True) if limits.sources is None else pl.col("is_firm")
    wanted = pl.concat([
        edges.select("l", "r", "match_weight", is_firm=is_firm, decided=pl.lit(False)),
        limits.together.select("l", "r", match_weight=pl.lit(float("inf")), is_firm=pl.lit(True), decided=pl.lit(True)),
    ]).sort("decided", "match_weight", "l", "r", descending=[True, True, False, False])  # fmt: skip
    wanted = wanted.unique(["l", "r"], keep="first", maintain_order=True)
    linked = pl.concat([wanted["l"], wanted["r"]]).unique().sort()
    own = np.arange(count, dtype=np.uint32)
    number = own.copy()
    number[linked.to_numpy()] = np.arange(len(linked))
    found = _clustered(_renumbered(wanted, number), limits.among(linked, number), margin)
    back = linked.to_numpy()
    own[back] = back[found.cluster["cluster"].to_numpy()]
    return Clustering(pl.DataFrame({"unit": np.arange(count, dtype=np.uint32), "cluster": own}), _renumbered(found.refused, back))


def _renumbered(pairs: pl.DataFrame, number: npt.NDArray[np.uint32]) -> pl.DataFrame:
    """Pairs l, r under other numbers."""
    return pairs.with_columns(pl.Series(side, number[pairs[side].to_numpy()], dtype=pl.UInt32) for side in ("l", "r"))


def _clustered(wanted: pl.DataFrame, limits: Constraints, margin: float) -> Clustering:
    """The same of units that all have an edge, numbered without a gap; `wanted`: their edges, best first."""
    count = len(limits.trusted)
    part = _components(count, wanted)
    troubled = _troubled(part, limits)
    walk = _Walk(limits, margin, troubled)
    refused = walk.through(wanted.filter(pl.col("l").is_in(troubled.implode())))
    calm = wanted.filter(~pl.col("l").is_in(troubled.implode()))
    label = _components(count, calm)
    label = walk.relabel(label)
    smallest = pl.DataFrame({"unit": np.arange(count, dtype=np.uint32), "label": label})
    smallest = smallest.with_columns(cluster=pl.col("unit").min().over("label"))
    return Clustering(smallest.select("unit", "cluster"), pl.DataFrame(refused, schema={"l": pl.UInt32, "r": pl.UInt32, "cause": pl.String}, orient="row"))


def _components(count: int, edges: pl.DataFrame) -> Parts:
    """The connected component of each unit."""
    left, right = edges["l"].to_numpy(), edges["r"].to_numpy()
    graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _troubled(part: Parts, limits: Constraints) -> pl.Series:
    """The units of components in which a constraint could bite: two numbers, a pair apart or wavering, a giant."""
    keys = limits.keys()
    units = pl.DataFrame({"unit": np.arange(len(part), dtype=np.uint32), "part": part}).hstack(keys)
    several = pl.any_horizontal(pl.col(k).drop_nulls().n_unique() > 1 for k in keys.columns)
    numbers = units.group_by("part").agg(several=several).filter("several")["part"]
    large = units.group_by("part").agg(pl.len()).filter(pl.col("len") > limits.giant)["part"]
    parts = units.select("unit", "part")
    pairs = pl.concat([limits.apart.select("l", "r"), limits.wavering.select("l", "r")])
    apart = pairs.join(parts, left_on="l", right_on="unit").join(parts, left_on="r", right_on="unit", suffix="_r")
    apart_parts = apart.filter(pl.col("part") == pl.col("part_r"))["part"]
    bad = pl.concat([numbers, large, apart_parts]).unique()
    return units.filter(pl.col("part").is_in(bad.implode()))["unit"]


def _both_ways(pairs: pl.DataFrame, units: pl.Series) -> dict[int, dict[int, str]]:
    """The cause of each pair of some units, by either end; of several that which comes first."""
    out: dict[int, dict[int, str]] = defaultdict(dict)
    among = pairs.filter(pl.col("l").is_in(units.implode()) & pl.col("r").is_in(units.implode()))
    for left, right, cause in among.sort("l", "r", "cause", descending=[False, False, True]).iter_rows():
        out[left][right] = cause
        out[right][left] = cause
    return out


class _Walk:
    """Best edge first through the components that may conflict."""

    def __init__(self, limits: Constraints, margin: float, units: pl.Series) -> None:
        self._keys = dict(zip(units.to_list(), limits.keys()[units.to_numpy()].rows(), strict=True))
        self._giant = limits.giant
        self._margin = margin
        self._root: dict[int, int] = {}
        self._held: dict[int, tuple[int | None, ...]] = {}
        self._apart, self._wavering = (_both_ways(pairs, units) for pairs in (limits.apart, limits.wavering))
        self._members: dict[int, list[int]] = {}
        self._sources: dict[int, int] = {} if limits.sources is None else dict(zip(units.to_list(), limits.sources.gather(units).to_list(), strict=True))

    def through(self, edges: pl.DataFrame) -> list[tuple[int, int, str]]:
        """Joins what may be joined; the edges that were refused, with why."""
        refused = []
        rivals = self._rivals(edges.select("l", "r", "match_weight", "decided").rows())
        for left, right, weight, is_firm, decided in edges.select("l", "r", "match_weight", "is_firm", "decided").iter_rows():
            a, b = self._find(left), self._find(right)
            if a == b:
                continue
            if decided:
                cause = self._contradiction(a, b)
            else:
                cause = None if is_firm else self._hesitates(left, right, a, b)
                cause = cause or self._conflict(a, b) or self._ambiguous(left, right, weight, rivals)
            if cause is None:
                self._join(a, b)
            else:
                refused.append((left, right, cause))
        return refused

    def relabel(self, label: Parts) -> Parts:
        """The labels, with the walked units under labels of their own."""
        out = label.copy()
        for unit in self._root:
            out[unit] = label.size + self._find(unit)
        return out

    def _rivals(self, rows: list[tuple[int, int, float, bool]]) -> dict[int, list[tuple[float, int]]]:
        """The edges of each unit: weight and the other end."""
        out: dict[int, list[tuple[float, int]]] = defaultdict(list)
        for left, right, weight, decided in rows:
            self._find(left)
            self._find(right)
            if not decided:
                out[left].append((weight, right))
                out[right].append((weight, left))
        return out

    def _ambiguous(self, left: int, right: int, weight: float, rivals: dict[int, list[tuple[float, int]]]) -> str | None:
        """Whether either end has another edge nearly as good, to a cluster it could join and that excludes this one."""
        for here, there in ((left, right), (right, left)):
            for other_weight, other in rivals[here]:
                if other == there or weight - other_weight >= self._margin:
                    continue
                a, b = self._find(there), self._find(other)
                own = self._find(here)
                if own not in (a, b) and a != b and self._excludes(a, b) and not self._excludes(own, b):
                    return "ambiguous"
        return None

    def _are_known(self, units: Collection[int]) -> bool:
        """Whether several senders know some units of one cluster."""
        sources = 0
        for unit in units:
            sources |= self._sources[unit]
        return sources.bit_count() >= SEVERAL

    def _contradiction(self, a: int, b: int) -> str | None:
        """Whether a reviewer both joined two clusters and kept them apart."""
        return "contradiction" if "decided" in self._causes(a, b) else None

    def _hesitates(self, left: int, right: int, a: int, b: int) -> str | None:
        """Why a link does not join two clusters, whose names say that they are two."""
        direct = self._wavering.get(left, {}).get(right)
        return direct if direct and self._are_known(self._members[a]) and self._are_known(self._members[b]) else self._two_names(a, b)

    def _two_names(self, a: int, b: int) -> str | None:
        """Why two clusters are two whatever links them: several senders waver on each of them with several of the other."""
        found = [(unit, other, cause) for unit in self._members[a] for other, cause in self._wavering.get(unit, {}).items() if other in self._root and self._find(other) == b]
        is_known = found and self._are_known({unit for unit, _, _ in found}) and self._are_known({other for _, other, _ in found})
        return min(cause for _, _, cause in found) if is_known else None

    def _excludes(self, a: int, b: int) -> str | None:
        """Why two clusters are never one, or None."""
        return self._conflict(a, b) or self._two_names(a, b)

    def _conflict(self, a: int, b: int) -> str | None:
        """Why two clusters may not be one, or None."""
        clash = [x is not None and y is not None and x != y for x, y in zip(self._held[a], self._held[b], strict=True)]
        if any(clash):
            return "two_numbers" if clash[0] else "exclusive"
        if causes := self._causes(a, b):
            return min(causes)
        return "giant" if len(self._members[a]) + len(self._members[b]) > self._giant else None

    def _causes(self, a: int, b: int) -> set[str]:
        """What keeps units of two clusters apart."""
        small, large = (a, b) if len(self._members[a]) <= len(self._members[b]) else (b, a)
        reach = ((other, cause) for unit in self._members[small] for other, cause in self._apart.get(unit, {}).items())
        return {cause for other, cause in reach if other in self._root and self._find(other) == large}

    def _join(self, a: int, b: int) -> None:
        keep, lose = min(a, b), max(a, b)
        self._root[lose] = keep
        self._held[keep] = tuple(y if x is None else x for x, y in zip(self._held[keep], self._held.pop(lose), strict=True))
        self._members[keep] += self._members.pop(lose)

    def _find(self, unit: int) -> int:
        if unit not in self._root:
            self._root[unit] = unit
            self._held[unit] = self._keys[unit]
            self._members[unit] = [unit]
        path = [unit]
        while self._root[path[-1]] != path[-1]:
            path.append(self._root[path[-1]])
        for each in path:
            self._root[each] = path[-1]
        return path[-1]
