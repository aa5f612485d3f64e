"""Marks on a scale: what is closed, open, endless or only near; and how far the scale goes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kg.intervals import Interval, interval, point
from kg.query.claims import Claim, Source
from kg.query.views.compare import Figure
from kg.web.pages.intervals_drawn import Kind, Mark, Scale, marks_of, says, scale_of, told

NEAR = interval()


def figure(
    bounds: Interval | None,
    value: int | Decimal | None = None,
    derived: Interval | None = None,
    *,
    inherited: bool = False,
) -> Figure:
    claim = Claim("https://example.org/c", {}, (), Source())
    exact = None if value is None else point(value).lower
    return Figure(1, claim, exact, bounds, inherited, derived, None, of_nobody=False)


def drawn(*figures: Figure, readings: bool = False, asked: Kind | None = None) -> tuple[Mark, ...]:
    scale = scale_of(figures, percent=False, readings=readings, asked=asked)
    return marks_of(figures, scale, readings=readings)


def scale(*values: int, asked: Kind | None = None) -> Scale:
    figures = [figure(point(value), value) for value in values]
    return scale_of(figures, percent=False, readings=False, asked=asked)


def test_a_bare_number_is_a_point_within_the_scale() -> None:
    one, other = drawn(figure(point(2926), 2926), figure(point(6000), 6000))
    assert (one.shape, other.shape) == ("point", "point")
    assert 3 < one.at < other.at <= 97


@pytest.mark.parametrize(
    ("bounds", "start", "end", "words"),
    [
        (interval(3000, lower_open=True), "open", "unbounded", "more than 3\u202f000"),
        (interval(5600), "closed", "unbounded", "5\u202f600 or more"),
        (interval(None, 3000, upper_open=True), "unbounded", "open", "less than 3\u202f000"),
        (interval(None, 40), "unbounded", "closed", "40 or less"),
        (interval(20, 30), "closed", "closed", "20 to 30"),
    ],
)
def test_ends_are_drawn_as_the_words_bound_them(
    bounds: Interval, start: str, end: str, words: str
) -> None:
    (mark,) = drawn(figure(bounds))
    assert mark.start and mark.end
    assert (mark.start.kind, mark.end.kind, mark.says) == (start, end, words)


def test_what_has_no_end_runs_beyond_its_number() -> None:
    (mark,) = drawn(figure(interval(40_000, lower_open=True), 40_000))
    assert mark.start and mark.end
    assert mark.end.at - mark.start.at > 10


def test_an_approximate_number_has_no_bounds_and_its_reading_is_drawn_when_asked_for() -> None:
    about = figure(NEAR, 300, interval(250, 350, upper_open=True))
    (plain,), (read,) = drawn(about), drawn(about, readings=True)
    assert (plain.shape, plain.derived, plain.says) == (
        "near",
        None,
        "near 300; how near is not said",
    )
    assert read.derived and read.derived[0].at < read.at < read.derived[1].at
    assert read.derived_says == "250 to less than 350"


def test_what_gives_no_number_is_not_drawn() -> None:
    (mark,) = drawn(figure(None))
    assert (mark.shape, mark.says) == ("nothing", "no number is given")


def test_a_bound_that_may_be_lent_says_so() -> None:
    assert "if the words before" in says(figure(interval(300), inherited=True), percent=False)


def test_a_scale_begins_at_zero_unless_asked_otherwise() -> None:
    assert (scale(2920, 6000).low, scale(2920, 6000).kind) == (0, Kind.ZERO)
    assert scale(2920, 6000, asked=Kind.FIT).low > 0


def test_a_scale_is_logarithmic_where_one_number_is_a_hundred_times_another() -> None:
    assert scale(40, 5000).kind is Kind.LOG
    assert scale(40, 4000).kind is Kind.ZERO
    assert scale(40, 5000).ticks[0].label == "10"


def test_zero_keeps_a_scale_from_being_logarithmic() -> None:
    asked = scale(0, 5000, asked=Kind.LOG)
    assert (asked.kind, asked.may_log, asked.chosen) == (Kind.ZERO, False, True)
    assert not scale(0, 5000).chosen


@pytest.mark.parametrize("values", [(), (0,), (7,), (1, 1), (10**30,)])
@pytest.mark.parametrize("asked", [None, *Kind])
def test_any_numbers_have_a_scale_with_two_ends(values: tuple[int, ...], asked: Kind) -> None:
    made = scale(*values, asked=asked)
    assert made.low < made.high
    assert len(made.ticks) >= 2
    assert all(3 <= made.at(value) <= 97 for value in values)


def test_a_ratio_is_told_in_percent() -> None:
    quarter = point(Decimal("0.25")).lower
    assert quarter is not None
    assert told(quarter, percent=True) == "25\u202f%"
    assert told(quarter, percent=False) == "0.25"
