"""The lexical form of a value: what is said of a date is neither filled up nor cut."""

from __future__ import annotations

import pytest

from kg.namespaces import XSD
from kg.publishing.values import lexical


@pytest.mark.parametrize("day", ["--10-24", "--02-29", "--12-31"])
def test_a_day_of_an_unstated_year_is_kept(day: str) -> None:
    assert lexical(day, XSD + "gMonthDay") == day


@pytest.mark.parametrize("value", ["10-24", "--13-01", "--10-32", "--10-00", "2017-10-24", True])
def test_what_is_no_such_day_is_refused(value: object) -> None:
    assert lexical(value, XSD + "gMonthDay") is None


LARGEST = "170141183460469231731.687303715884105727"


@pytest.mark.parametrize("value", ["0.000000000000000001", LARGEST, "-" + LARGEST])
def test_a_number_within_the_engines_range_is_kept(value: str) -> None:
    assert lexical(value, XSD + "decimal") == value


@pytest.mark.parametrize(
    "value", ["0.0000000000000000001", "170141183460469231731.687303715884105728", "1e999999"]
)
def test_a_number_beyond_the_engines_range_is_refused(value: str) -> None:
    """The engine computes with 128 bits, 18 digits of them after the point; beyond is unbound."""
    assert lexical(value, XSD + "decimal") is None


def test_a_whole_number_has_64_bits() -> None:
    assert lexical(2**63 - 1, XSD + "integer") == "9223372036854775807"
    assert lexical(2**63, XSD + "integer") is None
