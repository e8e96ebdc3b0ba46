"""A night gone on from the last. Enters: a base and tonight's source. Leaves: the night and its weighed pairs, those that would come of all rows anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from matching import anchors
from matching.again.base import Base
from matching.again.numbers import numbers_again
from matching.again.pairs import Before, pair_again
from matching.again.rows import tonights
from matching.again.source import Source
from matching.again.units import Moved, moved, values_again
from matching.model import Model
from matching.night import Night, members_of, night_of
from matching.pairs import Paired
from matching.sets import bits_left


@dataclass(frozen=True)
class Begun:
    """A night of which all is known but its pairs."""

    night: Night
    before: Before
    to: Moved

    def paired(self, model: Model) -> Paired:
        """Its weighed pairs."""
        return pair_again(self.before, self.night, self.to, model)


def go_on(base: Base, source: Source, as_of: date, model: Model) -> Begun | None:
    """The night; none where all is better done anew: too much changed, or units became so many that their values are kept otherwise."""
    rows = tonights(base, source)
    if rows is None:
        return None
    numbers = numbers_again(base, rows, as_of)
    changed = anchors.changed_numbers(rows.records, numbers.own)
    members = members_of(rows.records.count, numbers.own, changed)
    if bits_left(members.count) != bits_left(base.members.count):
        return None
    to = moved(base, rows, numbers, members)
    values = values_again(base, rows, numbers, members, to)
    return Begun(night_of(rows.records, numbers.own, changed, members, values, model), Before(base.pairs, base.over, base.common), to)
