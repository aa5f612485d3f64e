"""Dates and moments as people write them."""

from __future__ import annotations

import pytest

from kg.query.telling import day, moment


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2017-10-05", "5 October 2017"),
        ("2026-01-02T03:04:05Z", "2 January 2026"),
        ("2026-01-02T23:04:05+02:00", "2 January 2026"),
        ("2017-12", "December 2017"),
        ("2017", "2017"),
        ("2017-13", "2017-13"),
        ("2017-02-30", "2017-02-30"),
        ("", ""),
    ],
)
def test_a_day_or_a_month_is_told_in_words_and_anything_else_as_it_is(text: str, told: str) -> None:
    assert day(text) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-01-02T03:04:05Z", "2 January 2026, 03:04:05 UTC"),
        ("2026-01-02T03:04:05+02:00", "2026-01-02T03:04:05+02:00"),
        ("2026-01-02", "2026-01-02"),
    ],
)
def test_a_moment_of_utc_is_told_with_its_day_and_anything_else_as_it_is(
    text: str, told: str
) -> None:
    assert moment(text) == told
