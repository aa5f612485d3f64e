"""Figures as marks on one scale: where each begins and ends, in percent of the width."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

from kg.intervals import Interval, decimal
from kg.query.views.compare import Figure
from kg.web.pages.linking import number

_LEFT: Final = 3.0
_RIGHT: Final = 97.0
"""Where the scale begins and ends; what has no end runs beyond it."""
_RANGE: Final = 100
"""Times that the largest number is the smallest, from which on a scale is logarithmic."""
_TICKS: Final = 4
_FURTHER: Final = 1.15


class Kind(StrEnum):
    """How numbers become places."""

    ZERO = "zero"
    FIT = "fit"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class Tick:
    """A number of the scale, and its place."""

    label: str
    at: float


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers from `low` to `high` as places."""

    kind: Kind
    low: float
    high: float
    percent: bool
    ticks: tuple[Tick, ...] = ()
    may_log: bool = False
    """Whether all numbers are above zero."""
    chosen: bool = False
    """Whether the reader asked for this kind."""

    def at(self, value: Fraction | float) -> float:
        """The place of a number."""
        low, high, here = (self._straight(each) for each in (self.low, self.high, float(value)))
        part = (here - low) / (high - low)
        return round(_LEFT + min(max(part, 0.0), 1.0) * (_RIGHT - _LEFT), 2)

    def told(self, value: Fraction) -> str:
        """A number as this scale writes it."""
        return told(value, percent=self.percent)

    def _straight(self, value: float) -> float:
        return math.log10(max(value, self.low)) if self.kind is Kind.LOG else value


@dataclass(frozen=True, slots=True)
class Ending:
    """An end of a mark: `closed`, `open` or `unbounded`."""

    kind: str
    at: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A figure as it is drawn; `shape` is `point`, `near`, `range` or `nothing`.

    `says` is the same in words. `derived` are the ends of a reading of ours.
    """

    figure: Figure
    shape: str
    says: str
    at: float = 0.0
    start: Ending | None = None
    end: Ending | None = None
    derived: tuple[Ending, Ending] | None = None
    derived_says: str = ""


def scale_of(
    figures: Sequence[Figure], *, percent: bool, readings: bool, asked: Kind | None = None
) -> Scale:
    """One scale for all of these: from zero, unless the reader asks otherwise or ranges demand."""
    values = sorted(float(value) for figure in figures for value in _ends(figure, readings))
    low, high = (values[0], values[-1]) if values else (0.0, 1.0)
    may_log = low > 0
    kind = asked or (Kind.LOG if may_log and high / low > _RANGE else Kind.ZERO)
    if kind is Kind.LOG and not may_log:
        kind = Kind.ZERO
    if any(_runs_on(figure, high) for figure in figures):
        high *= _FURTHER  # so that what has no end is seen to go on
    if kind is Kind.LOG:
        low, high = 10.0 ** math.floor(math.log10(low)), 10.0 ** math.ceil(math.log10(high))
        high = max(high, low * 10)
        steps = range(round(math.log10(low)), round(math.log10(high)) + 1)
        every = max(1, len(steps) // _TICKS)
        at = [10.0**step for step in steps[::every]]
    else:
        low = min(low, 0.0) if kind is Kind.ZERO or high <= low else low
        step = _step((high - low) or 1.0)
        low = math.floor(low / step) * step
        high = max(math.ceil(high / step) * step, low + step)
        at = [low + step * index for index in range(round((high - low) / step) + 1)]
    bare = Scale(kind, low, high, percent)
    ticks = tuple(Tick(told(_exact(value), percent=percent), bare.at(value)) for value in at)
    return Scale(kind, low, high, percent, ticks, may_log, asked is not None)


def marks_of(figures: Sequence[Figure], scale: Scale, *, readings: bool) -> tuple[Mark, ...]:
    """Each figure as it is drawn; readings of ours only where they are asked for."""
    return tuple(_mark(figure, scale, readings) for figure in figures)


def told(value: Fraction, *, percent: bool) -> str:
    """A number for people: thousands apart, a ratio in percent."""
    text = decimal(_rounded(value * 100 if percent else value))
    whole, dot, places = text.partition(".")
    return number(whole) + dot + places + ("\u202f%" if percent else "")


def told_interval(bounds: Interval, *, percent: bool) -> str:
    """An interval in words."""
    lower = None if bounds.lower is None else told(bounds.lower, percent=percent)
    upper = None if bounds.upper is None else told(bounds.upper, percent=percent)
    if lower is None and upper is None:
        return "no bounds are given"
    if bounds.lower == bounds.upper:
        return f"{lower}"
    if upper is None:
        return f"more than {lower}" if bounds.lower_open else f"{lower} or more"
    if lower is None:
        return f"less than {upper}" if bounds.upper_open else f"{upper} or less"
    first = f"more than {lower}" if bounds.lower_open else f"{lower}"
    last = f"less than {upper}" if bounds.upper_open else f"{upper}"
    return f"{first} to {last}"


def says(figure: Figure, *, percent: bool) -> str:
    """What the number of a figure says, in words."""
    if figure.bounds is None:
        return "no number is given"
    if figure.is_approximate and figure.value is not None:
        return f"near {told(figure.value, percent=percent)}; how near is not said"
    text = told_interval(figure.bounds, percent=percent)
    if figure.inherited:
        text += ", if the words before an earlier number hold for this one too"
    return text


def _mark(figure: Figure, scale: Scale, readings: bool) -> Mark:
    words = says(figure, percent=scale.percent)
    if figure.bounds is None:
        return Mark(figure, "nothing", words)
    derived, derived_says = None, ""
    if readings and figure.derived is not None:
        derived = _endings(figure.derived, scale)
        derived_says = told_interval(figure.derived, percent=scale.percent)
    if figure.is_approximate and figure.value is not None:
        near = scale.at(figure.value)
        return Mark(figure, "near", words, near, derived=derived, derived_says=derived_says)
    if figure.bounds.lower == figure.bounds.upper and figure.bounds.lower is not None:
        return Mark(figure, "point", words, scale.at(figure.bounds.lower))
    start, end = _endings(figure.bounds, scale)
    return Mark(figure, "range", words, start.at, start, end)


def _endings(bounds: Interval, scale: Scale) -> tuple[Ending, Ending]:
    start = (
        Ending("unbounded", 0.5)
        if bounds.lower is None
        else Ending("open" if bounds.lower_open else "closed", scale.at(bounds.lower))
    )
    end = (
        Ending("unbounded", 99.5)
        if bounds.upper is None
        else Ending("open" if bounds.upper_open else "closed", scale.at(bounds.upper))
    )
    return start, end


def _ends(figure: Figure, readings: bool) -> Iterable[Fraction]:
    intervals = [figure.bounds, figure.derived if readings else None]
    ends = [end for each in intervals if each for end in (each.lower, each.upper)]
    return [end for end in (figure.value, *ends) if end is not None]


def _runs_on(figure: Figure, high: float) -> bool:
    """Whether it has no upper end, and begins where the numbers end."""
    bounds = figure.bounds
    return (
        bounds is not None
        and bounds.upper is None
        and bounds.lower is not None
        and float(bounds.lower) > high / _FURTHER
    )


def _step(span: float) -> float:
    """The distance of ticks: 1, 2 or 5 times a power of ten."""
    rough = span / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    return next(each * power for each in (1, 2, 5, 10) if each * power >= rough * 0.999999)


def _exact(value: float) -> Fraction:
    return Fraction(f"{value:.12g}")


def _rounded(value: Fraction) -> Fraction:
    """No more places than a person reads."""
    return Fraction(round(value * 10_000), 10_000)
