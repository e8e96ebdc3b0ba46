"""What happened to the children: hukou, stays, dates. Enters: the families' places drawn, births, rates. Leaves: one row per child, the true history.

A history is at most one earlier stay away (`before`, from, to) and the present home (`home`, since). `clock` is the day from which the child counts as
away from the hukou place in the sense of rules/decisions.md 3–6, null where it does not. Days are numbers since 1970-01-01 in the arrays here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sample_data.places import Ints, Places
from sample_data.rates import Rates

Bools = NDArray[np.bool_]
Texts = NDArray[np.str_]
NEVER = -1
SETTLED = 35  # days: nobody moved after that, so that every feed's export can show the move


@dataclass(frozen=True)
class Moves:
    """The stories of a block's families: where each is registered, was and lives, and when it moved (days; NEVER where it did not)."""

    story: Texts
    hukou: Ints
    old_hukou: Ints
    home: Ints
    before: Ints
    before_from: Ints
    before_to: Ints
    home_since: Ints
    hukou_since: Ints


def day(at: date) -> int:
    """A date as days since 1970-01-01."""
    return int(np.datetime64(at).astype("int64"))


def months_before(at: date, months: int) -> date:
    """The day with the same number so many months before, the month's last day where there is none."""
    total = at.year * 12 + at.month - 1 - months
    year, month = divmod(total, 12)
    for number in (at.day, 30, 29, 28):
        try:
            return date(year, month + 1, number)
        except ValueError:
            continue
    raise ValueError(f"no day {months} months before {at}")


def drawn_story(rng: np.random.Generator, size: int, shares: dict[str, float], other: str) -> Texts:
    """A story for each of `size`, by share; `other` for what is left."""
    names = np.array([*shares, other])
    limits = np.cumsum(list(shares.values()))
    return names[np.searchsorted(limits, rng.random(size), side="right")]


def moves(rng: np.random.Generator, families: int, where: Places, as_of: date, rates: Rates) -> Moves:
    """Stories, places and dates of the families."""
    story = drawn_story(rng, families, rates.stories["family"], "at_home")
    hukou, home, before = _drawn_places(rng, story, where)
    old_hukou = hukou.copy()
    moved = story == "hukou_moved"
    hukou = np.where(moved, home, hukou)
    today = day(as_of)

    def ago(low: int, high: int) -> Ints:
        return today - rng.integers(low, high, size=families)

    since = _since(rng, families, as_of)
    left, stay = ago(25, 330), rng.integers(240, 2_000, size=families)
    # story -> (home_since, before_from, before_to)
    none = np.full(families, NEVER)
    summer = ago(110, 145)
    long_ago = ago(400, 1_200)
    gone = ago(250, 600)
    several = ago(SETTLED, 900)
    table: dict[str, tuple[Ints, Ints, Ints]] = {
        "zone": (since, none, none),
        "in_city": (since, none, none),
        "into_city": (since, none, none),
        "hukou_moved": (np.minimum(since, today - 800), none, none),
        "out_of_city": (ago(150, 2_000), none, none),
        "moved": (several, several - stay // 2 - 30, several),
        "zone_then_out": (several, several - stay, several),
        "returned": (left, left - stay, left),
        "returned_long_ago": (long_ago, long_ago - stay, long_ago),
        "summer_gap": (summer + rng.integers(20, 56, size=families), summer - stay, summer),
        "long_gap": (gone + rng.integers(90, 200, size=families), gone - stay, gone),
    }
    home_since, before_from, before_to = none.copy(), none.copy(), none.copy()
    for name, (a, b, c) in table.items():
        here = story == name
        home_since[here], before_from[here], before_to[here] = a[here], b[here], c[here]
    before = np.where(np.isin(story, ("summer_gap", "long_gap")), home, np.where(before_to == NEVER, NEVER, before))
    return Moves(story, hukou, old_hukou, home, before, before_from, before_to, home_since, np.where(moved, ago(40, 700), NEVER))


def _since(rng: np.random.Generator, size: int, as_of: date) -> Ints:
    """Arrival: one in eight within six months, a few on the days around exactly six months, the others years ago."""
    today, half_year = day(as_of), day(months_before(as_of, 6))
    u = rng.random(size)
    recent = rng.integers(half_year + 4, today - SETTLED, size=size)
    edge = half_year + rng.integers(-3, 4, size=size)
    long = half_year - 6 - np.minimum(rng.exponential(900, size=size), 4_300).astype(np.int64)
    return np.where(u < 0.12, recent, np.where(u < 0.15, edge, long))


def _drawn_places(rng: np.random.Generator, story: Texts, where: Places) -> tuple[Ints, Ints, Ints]:
    """Hukou (for hukou_moved: the former one), home and the earlier place away, each pair as its story needs it."""
    size = len(story)
    every = np.ones(len(where.weight), dtype=bool)
    city = where.is_city(np.arange(len(every)))
    zone, outside = where.zone, ~city
    is_zone = np.isin(story, ("zone", "zone_then_out"))
    from_outside = (story == "into_city") | ((story == "hukou_moved") & (rng.random(size) < 0.4))
    hukou = np.where(is_zone, where.draw(rng, size, zone), np.where(from_outside, where.draw(rng, size, outside), where.draw(rng, size, city)))
    centre = rng.random(size) < 0.6

    def away(among: Bools, of: Ints, other: Ints) -> Ints:
        """A place that counts as away from the hukou and lies in another district than `other`."""
        drawn = where.draw(rng, size, among)
        while (bad := ~where.away(of, drawn) | (where.district[drawn] == where.district[other])).any():
            drawn[bad] = where.draw(rng, size, city)[bad]
        return drawn

    in_city = np.where(centre, away(zone, hukou, hukou), away(city, hukou, hukou))
    before = away(city, hukou, in_city)
    other_zone = where.draw(rng, size, zone)
    while (same := where.district[other_zone] == where.district[hukou]).any():
        other_zone[same] = where.draw(rng, size, zone)[same]
    near = _same_district(rng, hukou, where)
    at_hukou = np.where(rng.random(size) < 0.8, hukou, near)
    home = np.select(
        [story == "zone", story == "zone_then_out", np.isin(story, ("at_home", "returned", "returned_long_ago")), story == "out_of_city"],
        [other_zone, away(city & ~zone, hukou, hukou), at_hukou, where.draw(rng, size, outside)],
        default=in_city,
    )
    return hukou, home, np.where(story == "zone_then_out", other_zone, before)


def _same_district(rng: np.random.Generator, of: Ints, where: Places) -> Ints:
    """Another township of the same district, the place itself outside the city."""
    order = np.argsort(where.district, kind="stable")
    district = where.district[order]
    low, high = np.searchsorted(district, where.district[of], side="left"), np.searchsorted(district, where.district[of], side="right")
    return order[low + (rng.random(len(of)) * (high - low)).astype(np.int64)]


def histories(rng: np.random.Generator, family: Ints, birth: Ints, fam: Moves, where: Places, as_of: date, rates: Rates) -> pl.DataFrame:
    """The true history of each child: its family's, cut at its birth, with what happened to it alone. One row per child, in order."""
    size, today = len(family), day(as_of)
    story = fam.story[family].astype("U20")
    hukou, home, old_hukou = fam.hukou[family], fam.home[family].copy(), fam.old_hukou[family]
    since, before = fam.home_since[family].copy(), fam.before[family].copy()
    before_from, before_to, hukou_since = fam.before_from[family].copy(), fam.before_to[family].copy(), fam.hukou_since[family].copy()
    # a child too young for the family's earlier stay only knows the present home
    young = (before_to != NEVER) & (birth > before_to - 200)
    back = np.isin(story, ("returned", "returned_long_ago"))
    story[young & back] = "at_home"
    story[young & np.isin(story, ("moved", "zone_then_out", "summer_gap", "long_gap"))] = "in_city"
    for stay in (before, before_from, before_to):
        stay[young] = NEVER
    since[young & back] = NEVER
    # children of their own story
    child = drawn_story(rng, size, {k: v for k, v in rates.stories["child"].items() if k != "left_behind"}, "")
    age = today - birth
    allowed = (story == "at_home") & ~((child == "boarding_only") & ((age < 12 * 366) | (age > 15.5 * 365))) & ~(np.isin(child, ("duration_unknown", "conflict")) & (age < 500))
    own = (child != "") & allowed
    story[own] = child[own]
    elsewhere = _away_homes(rng, hukou, where)
    goes = np.isin(story, ("duration_unknown", "conflict", "institution", "hukou_not_said"))
    home[goes] = elsewhere[goes]
    since[goes] = today - rng.integers(300, 1_500, size=size)[goes]
    left_behind = (story == "in_city") & (since < today - 400) & (birth < since - 400) & (rng.random(size) < rates.stories["child"]["left_behind"])
    story[left_behind], home[left_behind], since[left_behind] = "left_behind", hukou[left_behind], NEVER
    born_there = (since != NEVER) & (birth >= since)
    since = np.where(born_there, birth, since)
    before_from = np.where(before_from != NEVER, np.maximum(before_from, birth), NEVER)
    hukou_since = np.where(hukou_since != NEVER, np.maximum(hukou_since, birth), NEVER)
    clock = np.where(np.isin(story, ("moved", "summer_gap")), before_from, since)
    clock = np.where(where.away(hukou, home) & ~np.isin(story, ("duration_unknown", "out_of_city")), clock, NEVER)
    frame = pl.DataFrame(
        {
            "story": story, "hukou": hukou, "old_hukou": old_hukou, "home": home, "before": before, "home_since": since,
            "before_from": before_from, "before_to": before_to, "hukou_since": hukou_since, "clock": clock,
            "elsewhere": elsewhere, "born_there": born_there, "is_away": where.away(hukou, home),
        }
    )  # fmt: skip
    return frame.with_columns(pl.col(c).replace(NEVER, None) for c in ("before", "home_since", "before_from", "before_to", "hukou_since", "clock"))


def _away_homes(rng: np.random.Generator, hukou: Ints, where: Places) -> Ints:
    """A place in the city that counts as away from each hukou."""
    city = where.is_city(np.arange(len(where.weight)))
    drawn = where.draw(rng, len(hukou), city)
    while (bad := ~where.away(hukou, drawn)).any():
        drawn[bad] = where.draw(rng, len(hukou), city)[bad]
    return drawn
