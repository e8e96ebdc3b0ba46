"""No hidden small count can be computed back from what is shown and what adds up to what."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publish.suppression import COMPLEMENT, HIDDEN, Counts, Key, Shown


def table(rows: list[tuple[int, ...]], *, with_whole: bool = True) -> Counts:
    """A table whose rows and columns add up to printed totals, and these to one."""
    counts = Counts()
    columns = range(len(rows[0]))
    for r, row in enumerate(rows):
        for c, count in enumerate(row):
            counts.add((f"r{r}", f"c{c}"), count)
        counts.add((f"r{r}",), sum(row))
    for c in columns:
        counts.add((f"c{c}",), sum(row[c] for row in rows))
    for r in range(len(rows)):
        counts.sum((f"r{r}",), [(f"r{r}", f"c{c}") for c in columns])
    for c in columns:
        counts.sum((f"c{c}",), [(f"r{r}", f"c{c}") for r in range(len(rows))])
    if with_whole:
        counts.add(("all",), sum(map(sum, rows)))
        counts.sum(("all",), [(f"r{r}",) for r in range(len(rows))])
        counts.sum(("all",), [(f"c{c}",) for c in columns])
    return counts


def printed(shown: Shown, rows: list[tuple[int, ...]]) -> list[tuple[str, ...]]:
    return [tuple(shown.text(f"r{r}", f"c{c}") for c in range(len(row))) for r, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([(10, 20), (30, 40)], [("10", "20"), ("30", "40")]),
        ([(0, 20), (30, 0)], [("0", "20"), ("30", "0")]),
        # one small count: its row, its column, and then the fourth corner must go too
        ([(3, 20, 50), (30, 40, 60)], [("<5", "—", "50"), ("—", "—", "60")]),
        ([(1234, 5), (7, 8)], [("1,234", "5"), ("7", "8")]),
    ],
)
def test_small_counts_are_hidden_with_what_would_give_them_away(counts: list[tuple[int, ...]], shown: list[tuple[str, ...]]) -> None:
    assert printed(table(counts).settle(), counts) == shown


def test_two_ones_that_add_up_to_a_shown_two_or_three_need_a_third() -> None:
    counts = Counts()
    for name, count in {"a": 1, "b": 1, "c": 60, "all": 62}.items():
        counts.add((name,), count)
    counts.sum(("all",), [("a",), ("b",), ("c",)])
    shown = counts.settle()
    assert [shown.text(k) for k in ("a", "b", "c", "all")] == ["<5", "<5", "—", "62"]


def test_the_whole_goes_where_no_part_is_left_to_hide() -> None:
    counts = Counts()
    for name, count in {"a": 4, "b": 4, "all": 8}.items():
        counts.add((name,), count)
    counts.sum(("all",), [("a",), ("b",)])
    assert counts.settle().text("all") == COMPLEMENT


def test_a_rest_nobody_prints_is_protected_like_any_count() -> None:
    counts = Counts()
    for name, count in {"listed": 40, "in care": 38}.items():
        counts.add((name,), count)
    counts.sum(("listed",), [("in care",)], rest=("not in care",))
    shown = counts.settle()
    assert (shown.text("listed"), shown.text("in care"), shown.value("not in care")) == ("40", COMPLEMENT, None)


def test_one_sum_is_not_judged_without_the_other_it_hangs_together_with() -> None:
    # 12 = 3 + 9 is hidden in both lines; neither line alone tells, the two together would (a + b = 12, b + c = 14, a + c = 8)
    counts = Counts()
    for name, count in {"a": 3, "b": 9, "c": 5, "ab": 12, "bc": 14, "ac": 8}.items():
        counts.add((name,), count)
    for whole in ("ab", "bc", "ac"):
        counts.sum((whole,), [(k,) for k in whole])
    shown = counts.settle()
    assert not {k for k in ("ab", "bc", "ac") if shown.value(k) is not None} >= {"ab", "bc", "ac"}


def test_parts_that_do_not_add_up_are_refused() -> None:
    counts = Counts()
    counts.add(("all",), 5)
    counts.add(("a",), 6)
    with pytest.raises(ValueError, match="the parts of \\('all',\\) do not add up to it: -1 over"):
        counts.sum(("all",), [("a",)])
    with pytest.raises(ValueError, match="-1 over"):
        counts.sum(("all",), [("a",)], rest=("rest",))


def test_what_nobody_counted_is_zero() -> None:
    assert (Counts().settle().text("x"), Counts().settle().value("x")) == ("0", 0)


def possible(counts: Counts, shown: Shown, most: int) -> dict[Key, set[int]]:
    """By trying: every value each hidden count could have for a reader who knows the sums."""
    hidden = sorted(shown.hidden)
    found: dict[Key, set[int]] = {k: set() for k in hidden}
    world: dict[Key, int] = {k: n for k, n in counts.counts.items() if k not in shown.hidden}

    def holds() -> bool:
        known = [s for s in counts.sums if s[0] in world and all(p in world for p in s[1])]
        return all(world[whole] == sum(world[p] for p in parts) for whole, parts in known)

    def search(at: int) -> None:
        if at == len(hidden):
            for key in hidden:
                found[key].add(world[key])
            return
        for value in range(1, 5) if shown.text(*hidden[at]) == HIDDEN else range(5, most):
            world[hidden[at]] = value
            if holds():
                search(at + 1)
        del world[hidden[at]]

    search(0)
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 9)] * 2), min_size=2, max_size=3))
def test_no_small_count_of_a_table_with_totals_can_be_told(rows: list[tuple[int, ...]]) -> None:
    counts = table(rows, with_whole=False)
    shown = counts.settle()
    small = {k for k, n in counts.counts.items() if 0 < n < 5}
    assert small <= shown.hidden
    if len(shown.hidden) == sum(n > 0 for n in counts.counts.values()) or len(shown.hidden) > 5:
        return  # nothing is left to hide, or more than can be tried
    for key, values in possible(counts, shown, 20).items():
        assert len(values) >= 3 or key not in small, (key, values)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 40)] * 3), min_size=2, max_size=4))
def test_counts_of_five_and_more_are_only_hidden_where_a_small_one_is(rows: list[tuple[int, ...]]) -> None:
    shown = table(rows).settle()
    if all(not 0 < n < 5 for n in shown.counts.values()):
        assert not shown.hidden
    assert all(shown.value(*k) == n for k, n in shown.counts.items() if n == 0)
