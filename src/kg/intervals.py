"""Intervals of numbers and their arithmetic: exact, with ends that are closed, open or unbounded.

Ends are fractions, so that quotients lose nothing. Each operation gives the smallest interval that
holds what it makes of any member of the one and any member of the other. Only what is written is
rounded: outwards, to 18 decimal places.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple

from kg.errors import BadArgument

Number = int | Decimal | Fraction

PLACES: Final = 18
"""Decimal places that are written: as many as the engine's decimals have."""


class Relation(StrEnum):
    """How two intervals lie to each other: the names of the scheme of interval relations."""

    EQUAL = "equalIntervals"
    OVERLAPPING = "overlappingIntervals"
    CONTAINED = "containedInterval"
    DISJOINT = "disjointIntervals"
    UNDECIDABLE = "undecidableIntervals"


class _Cut(NamedTuple):
    """A place between numbers: just below `value`, or just above it."""

    value: Fraction | float
    above: bool


@dataclass(frozen=True, slots=True)
class Interval:
    """A set of numbers without gaps; made by `interval`, so that one set has one form.

    An end that is None is unbounded, and counts as open.
    """

    lower: Fraction | None
    upper: Fraction | None
    lower_open: bool
    upper_open: bool

    @property
    def is_empty(self) -> bool:
        """Whether it has no member."""
        return self._low >= self._high

    @property
    def is_whole(self) -> bool:
        """Whether it has no bound at all."""
        return self.lower is None and self.upper is None

    def contains(self, other: Interval | Number) -> bool:
        """Whether a number is a member, or every member of the other interval is."""
        within = other if isinstance(other, Interval) else point(other)
        return within.is_empty or (self._low <= within._low and within._high <= self._high)

    def overlaps(self, other: Interval) -> bool:
        """Whether they share a member."""
        return not self.intersection(other).is_empty

    def is_disjoint(self, other: Interval) -> bool:
        """Whether they share no member."""
        return not self.overlaps(other)

    def relation(self, other: Interval) -> Relation:
        """The first that holds: disjoint, undecidable, equal, contained (either way), overlapping.

        What has no bound at all, such as “about 40”, decides nothing.
        """
        if self.is_disjoint(other):
            return Relation.DISJOINT
        if self.is_whole or other.is_whole:
            return Relation.UNDECIDABLE
        if self == other:
            return Relation.EQUAL
        contained = self.contains(other) or other.contains(self)
        return Relation.CONTAINED if contained else Relation.OVERLAPPING

    def intersection(self, other: Interval) -> Interval:
        """What both hold."""
        return _between(max(self._low, other._low), min(self._high, other._high))

    def hull(self, other: Interval) -> Interval:
        """The smallest interval that contains both."""
        if self.is_empty or other.is_empty:
            return other if self.is_empty else self
        return _between(min(self._low, other._low), max(self._high, other._high))

    def sum(self, other: Interval) -> Interval:
        """All x + y."""
        if self.is_empty or other.is_empty:
            return EMPTY
        return interval(
            None if self.lower is None or other.lower is None else self.lower + other.lower,
            None if self.upper is None or other.upper is None else self.upper + other.upper,
            lower_open=self.lower_open or other.lower_open,
            upper_open=self.upper_open or other.upper_open,
        )

    def negated(self) -> Interval:
        """All -x."""
        return interval(
            None if self.upper is None else -self.upper,
            None if self.lower is None else -self.lower,
            lower_open=self.upper_open,
            upper_open=self.lower_open,
        )

    def difference(self, other: Interval) -> Interval:
        """All x - y."""
        return self.sum(other.negated())

    def product(self, other: Interval) -> Interval:
        """All x · y."""
        if self.is_empty or other.is_empty:
            return EMPTY
        corners = [_corner(one, two) for one in self._ends for two in other._ends]
        least = min(corners, key=lambda end: (end.value, not end.closed))
        most = max(corners, key=lambda end: (end.value, end.closed))
        return _between(
            _Cut(least.value, above=not least.closed), _Cut(most.value, above=most.closed)
        )

    def ratio(self, other: Interval) -> Interval:
        """The hull of all x / y with y not 0; empty where there are none."""
        by_positive, by_negative = self._ratios(other)
        return by_positive.hull(by_negative)

    def magnitude(self) -> Interval:
        """All |x|."""
        return self.intersection(_NOT_NEGATIVE).hull(self.negated().intersection(_NOT_NEGATIVE))

    def relative_difference(self, reference: Interval) -> Interval:
        """The hull of all |x - y| / |y|, for y of `reference` that are not 0."""
        apart = [ratio.difference(point(1)).magnitude() for ratio in self._ratios(reference)]
        return apart[0].hull(apart[1])

    def __str__(self) -> str:
        """`[3000,)`, `(0.1,0.5]`, `empty`; what has more decimal places is rounded outwards."""
        if self.is_empty:
            return "empty"
        lower, wider_below = _rounded(self.lower, up=False)
        upper, wider_above = _rounded(self.upper, up=True)
        opening = "(" if self.lower_open and not wider_below else "["
        closing = ")" if self.upper_open and not wider_above else "]"
        return f"{opening}{lower},{upper}{closing}"

    def _ratios(self, other: Interval) -> tuple[Interval, Interval]:
        """All x / y with y above 0, and all with y below; there may be a gap between them."""
        above, below = other.intersection(_POSITIVE), other.negated().intersection(_POSITIVE)
        return self.product(_reciprocal(above)), self.negated().product(_reciprocal(below))

    @property
    def _low(self) -> _Cut:
        return _Cut(-math.inf if self.lower is None else self.lower, self.lower_open)

    @property
    def _high(self) -> _Cut:
        return _Cut(math.inf if self.upper is None else self.upper, not self.upper_open)

    @property
    def _ends(self) -> tuple[_End, _End]:
        return (
            _End(self._low.value, not self.lower_open),
            _End(self._high.value, not self.upper_open),
        )


def interval(
    lower: Number | None = None,
    upper: Number | None = None,
    *,
    lower_open: bool = False,
    upper_open: bool = False,
) -> Interval:
    """The numbers from `lower` to `upper`, without those ends that are open; None is unbounded.

    Where the ends leave nothing between them, it is `EMPTY`.
    """
    made = Interval(
        None if lower is None else Fraction(lower),
        None if upper is None else Fraction(upper),
        lower is None or lower_open,
        upper is None or upper_open,
    )
    return EMPTY if made.is_empty else made


def point(value: Number) -> Interval:
    """The interval of one number."""
    return interval(value, value)


def parse(text: str) -> Interval:
    """The interval of a text such as `[3000,)`, `(0.1, 0.5]` or `empty`.

    Raises BadArgument for another text, and for one whose lower end is above its upper end.
    """
    if text.strip() == "empty":
        return EMPTY
    match = _TEXT.fullmatch(text)
    if not match:
        raise BadArgument(f"“{text[:_SHOWN]}” is no interval", remedy=_REMEDY)
    opening, low, high, closing = match.groups()
    lower, upper = number(low) if low else None, number(high) if high else None
    if lower is not None and upper is not None and lower > upper:
        raise BadArgument(f"“{text}” begins above its end", remedy="Exchange the ends.")
    return interval(lower, upper, lower_open=opening == "(", upper_open=closing == ")")


def number(text: str) -> Fraction:
    """The number of a text such as `-12.5`.

    Raises BadArgument for another text, and for more than 40 digits before the point or 18 after.
    """
    if not _NUMBER.fullmatch(text):
        raise BadArgument(f"“{text[:_SHOWN]}” is no number", remedy="Write it in decimals.")
    return Fraction(text)


def decimal(value: Fraction) -> str:
    """The number in decimals; what has more than 18 places is rounded down."""
    return _decimal(math.floor(value * 10**PLACES))


EMPTY: Final = Interval(Fraction(0), Fraction(0), lower_open=True, upper_open=True)
"""The interval without members; its ends say nothing."""

_POSITIVE: Final = interval(0, lower_open=True)
_NOT_NEGATIVE: Final = interval(0)
_SHOWN: Final = 80
_NUMBER: Final = re.compile(
    rf"[+-]?(?:[0-9]{{1,40}}(?:\.[0-9]{{0,{PLACES}}})?|\.[0-9]{{1,{PLACES}}})"
)
_TEXT: Final = re.compile(r"\s*([\[(])\s*([^\s,]*)\s*,\s*([^\s,\])]*)\s*([\])])\s*")
_REMEDY: Final = "Write it as [3000,), (0.1,0.5], or empty."


class _End(NamedTuple):
    """An end of an interval, or a product of two: a number or an infinity, attained or not."""

    value: Fraction | float
    closed: bool


def _corner(one: _End, other: _End) -> _End:
    """The product of two ends; 0 times an infinity is 0, which is what each member near it gives.

    A zero that is attained makes the product attained, whatever the other end is.
    """
    closed = one.closed and other.closed
    if not one.value or not other.value:
        zero = (one.closed and not one.value) or (other.closed and not other.value)
        return _End(Fraction(0), closed or zero)
    if isinstance(one.value, Fraction) and isinstance(other.value, Fraction):
        return _End(one.value * other.value, closed)
    return _End(math.inf if (one.value > 0) == (other.value > 0) else -math.inf, closed=False)


def _reciprocal(positive: Interval) -> Interval:
    """All 1 / y of an interval above 0."""
    if positive.is_empty:
        return EMPTY
    return interval(
        1 / positive.upper if positive.upper else 0,
        1 / positive.lower if positive.lower else None,
        lower_open=positive.upper_open,
        upper_open=positive.lower_open,
    )


def _between(low: _Cut, high: _Cut) -> Interval:
    return interval(
        low.value if isinstance(low.value, Fraction) else None,
        high.value if isinstance(high.value, Fraction) else None,
        lower_open=low.above,
        upper_open=not high.above,
    )


def _rounded(value: Fraction | None, *, up: bool) -> tuple[str, bool]:
    """A number in decimals, nothing for None, and whether it was moved to have few enough."""
    if value is None:
        return "", False
    scaled = value * 10**PLACES
    whole = math.ceil(scaled) if up else math.floor(scaled)
    return _decimal(whole), whole != scaled


def _decimal(scaled: int) -> str:
    digits = f"{abs(scaled):0{PLACES + 1}d}"
    places = digits[-PLACES:].rstrip("0")
    sign = "-" if scaled < 0 else ""
    return f"{sign}{digits[:-PLACES]}.{places}".removesuffix(".")
