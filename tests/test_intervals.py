"""Intervals: each operation beside the same operation on sampled members."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise, product
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kg.errors import BadArgument
from kg.intervals import EMPTY, Interval, Relation, interval, parse, point

REPOSITORY = Path(__file__).parents[1]
TINY = Fraction(1, 10**12)
FAR = Fraction(10**12)
NEAR = Fraction(1, 10**6)
"""Ends are multiples of a half up to 5: samples come nearer to an end than this, or it is wrong."""
GRID = [Fraction(quarter, 4) for quarter in range(-24, 25)]

ends = st.none() | st.integers(-10, 10).map(lambda half: Fraction(half, 2))
flags = st.booleans()
intervals = st.builds(
    lambda one, two, one_open, two_open: interval(
        *(sorted((one, two)) if one is not None and two is not None else (one, two)),
        lower_open=one_open,
        upper_open=two_open,
    ),
    ends,
    ends,
    flags,
    flags,
)


def holds(one: Interval, value: Fraction) -> bool:
    """Membership, by the definition of each kind of end."""
    if one.is_empty:
        return False
    above = one.lower is None or value > one.lower or (value == one.lower and not one.lower_open)
    below = one.upper is None or value < one.upper or (value == one.upper and not one.upper_open)
    return above and below


def members(one: Interval) -> list[Fraction]:
    """A grid, points far out, each end that belongs to it, points beside the ends and zero."""
    ends = [end for end in (one.lower, one.upper, Fraction(0)) if end is not None]
    beside = [end + side for end in ends for side in (0, TINY, -TINY)]
    return [value for value in (*GRID, FAR, -FAR, *beside) if holds(one, value)]


def fits(made: Interval, values: Iterable[Fraction]) -> bool:
    """Whether the interval holds all values, and they reach its ends, which are closed if met."""
    found = list(values)
    if not found:
        return made.is_empty
    least, most = min(found), max(found)
    return (
        all(holds(made, value) for value in found)
        and _reached(made.lower, least, open=made.lower_open)
        and _reached(made.upper, most, open=made.upper_open)
    )


def _reached(end: Fraction | None, nearest: Fraction, *, open: bool) -> bool:
    if end is None:
        return abs(nearest) > 1 / NEAR
    return abs(nearest - end) < NEAR if open else nearest == end


# --- laws beside members ------------------------------------------------------------------


@given(intervals, intervals)
def test_contains_is_what_all_members_say(one: Interval, other: Interval) -> None:
    assert one.contains(other) == all(holds(one, value) for value in members(other))


@given(intervals)
def test_a_number_is_contained_where_it_is_a_member(one: Interval) -> None:
    values = [*GRID, FAR, -FAR]
    assert [one.contains(value) for value in values] == [holds(one, value) for value in values]


@given(intervals, intervals)
def test_overlapping_and_disjoint_are_what_members_say(one: Interval, other: Interval) -> None:
    shared = any(holds(other, value) for value in members(one))
    assert (one.overlaps(other), one.is_disjoint(other)) == (shared, not shared)


@given(intervals, intervals)
def test_the_intersection_holds_what_both_hold(one: Interval, other: Interval) -> None:
    either = [*members(one), *members(other)]
    both = [value for value in either if holds(one, value) and holds(other, value)]
    assert fits(one.intersection(other), both)


@given(intervals, intervals)
def test_the_hull_is_the_smallest_that_holds_both(one: Interval, other: Interval) -> None:
    assert fits(one.hull(other), [*members(one), *members(other)])


@pytest.mark.parametrize(
    ("made", "of"),
    [
        (Interval.sum, operator.add),
        (Interval.difference, operator.sub),
        (Interval.product, operator.mul),
    ],
)
@given(one=intervals, other=intervals)
@example(one=interval(0, 1, lower_open=True), other=interval(0))
@example(one=interval(0, 0), other=interval())
@example(one=interval(0, 1, lower_open=True), other=interval(1))
def test_arithmetic_is_sound_and_tight(
    made: Callable[[Interval, Interval], Interval],
    of: Callable[[Fraction, Fraction], Fraction],
    one: Interval,
    other: Interval,
) -> None:
    results = [of(x, y) for x, y in product(members(one), members(other))]
    assert fits(made(one, other), results)


@given(intervals, intervals)
@example(interval(3, 3), interval(0, 5))
@example(interval(0, 0), interval(-1, 1))
@example(interval(1, 2), interval(0, 0))
def test_a_ratio_is_sound_and_tight(one: Interval, other: Interval) -> None:
    results = [x / y for x, y in product(members(one), members(other)) if y]
    assert fits(one.ratio(other), results)


@given(intervals, intervals)
def test_a_relative_difference_is_sound_and_tight(one: Interval, other: Interval) -> None:
    results = [abs(x - y) / abs(y) for x, y in product(members(one), members(other)) if y]
    assert fits(one.relative_difference(other), results)


@given(intervals)
def test_magnitude_and_negation_are_sound_and_tight(one: Interval) -> None:
    assert fits(one.magnitude(), [abs(value) for value in members(one)])
    assert fits(one.negated(), [-value for value in members(one)])


@given(intervals, intervals)
def test_the_relation_is_what_contains_and_overlaps_say(one: Interval, other: Interval) -> None:
    within, around = other.contains(one), one.contains(other)
    expected = Relation.CONTAINED if within or around else Relation.OVERLAPPING
    if within and around:
        expected = Relation.EQUAL
    if (one.lower, one.upper) == (None, None) or (other.lower, other.upper) == (None, None):
        expected = Relation.UNDECIDABLE
    if not one.overlaps(other):
        expected = Relation.DISJOINT
    assert one.relation(other) == other.relation(one) == expected


@given(intervals, intervals)
def test_intervals_with_the_same_members_are_one_value(one: Interval, other: Interval) -> None:
    assert (one == other) == (one.contains(other) and other.contains(one))
    assert one != other or str(one) == str(other)


# --- text ---------------------------------------------------------------------------------


@given(intervals)
def test_what_is_written_is_read_again(one: Interval) -> None:
    assert parse(str(one)) == one


@given(*(st.fractions(max_denominator=10**6),) * 2, flags, flags)
def test_what_has_no_end_in_decimals_is_rounded_outwards_and_closed(
    one: Fraction, two: Fraction, lower_open: bool, upper_open: bool
) -> None:
    exact = interval(*sorted((one, two)), lower_open=lower_open, upper_open=upper_open)
    written = parse(str(exact))
    assert written.contains(exact)
    for end, rounded, is_open, stays_open in (
        (exact.lower, written.lower, exact.lower_open, written.lower_open),
        (exact.upper, written.upper, exact.upper_open, written.upper_open),
    ):
        assert end is not None
        assert rounded is not None
        assert abs(end - rounded) < Fraction(1, 10**18)
        assert stays_open == (is_open and end == rounded)


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (interval(3000, lower_open=True), "(3000,)"),
        (interval(None, Decimal("0.50")), "(,0.5]"),
        (interval(Decimal("-0.05"), 7), "[-0.05,7]"),
        (interval(), "(,)"),
        (interval(3, 3, upper_open=True), "empty"),
        (interval(5, 3), "empty"),
        (point(1).ratio(point(3)), "[0.333333333333333333,0.333333333333333334]"),
        (point(-1).ratio(point(3)), "[-0.333333333333333334,-0.333333333333333333]"),
    ],
)
def test_an_interval_is_written_in_one_way(one: Interval, text: str) -> None:
    assert str(one) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [("[,5]", "(,5]"), (" ( 1 , +2.50 ) ", "(1,2.5)"), ("[.5,1.]", "[0.5,1]"), (" empty", "empty")],
)
def test_a_text_may_be_written_in_others(text: str, written: str) -> None:
    assert str(parse(text)) == written


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "[1]",
        "[1,2",
        "[1;2]",
        "[2,1]",
        "[a,b]",
        "[1e9,)",
        "[1,2]3",
        "[--1,2]",
        "[1 2,3]",
        "[.,1]",
        "[NaN,)",
        "[\u0661,2]",
        f"[{'9' * 41},)",
        f"[0.{'1' * 19},1]",
        "[" * 10_000,
        f"[{'1' * 10_000},{'2' * 10_000}]",
    ],
)
def test_what_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(BadArgument):
        parse(text)


# --- the vocabulary -----------------------------------------------------------------------


def test_the_relations_are_the_concepts_of_the_scheme() -> None:
    scheme = (REPOSITORY / "ontology" / "concepts" / "interval-relation.ttl").read_text()
    concepts = re.findall(r"^code:(\w+)\n    a skos:Concept ;", scheme, re.MULTILINE)
    assert sorted(concepts) == sorted(Relation)


def test_nothing_is_disjoint_from_what_it_equals_but_the_empty_interval() -> None:
    assert EMPTY.relation(EMPTY) == EMPTY.relation(interval()) == Relation.DISJOINT
    assert point(3).relation(point(3)) == Relation.EQUAL


def test_neighbours_that_share_no_end_are_disjoint() -> None:
    parts = [interval(0, 1, upper_open=True), interval(1, 2), interval(2, 3, lower_open=True)]
    assert [one.relation(other) for one, other in pairwise(parts)] == [Relation.DISJOINT] * 2
