"""The table of known failures names tests of the suite."""

from collections.abc import Iterable

import pytest

from w3c.known_failures import KNOWN_FAILURES, NOT_EVALUATED
from w3c.suites import (
    GRAPH_STORE,
    PROTOCOL,
    SERVICE_DESCRIPTION,
    SPARQL_10,
    SPARQL_11,
    SPARQL_12,
    passed,
)

_ALL = [*SPARQL_10, *SPARQL_11, *SPARQL_12, *PROTOCOL, *GRAPH_STORE, *SERVICE_DESCRIPTION]


@pytest.mark.parametrize("table", [KNOWN_FAILURES, NOT_EVALUATED])
def test_every_name_is_a_test(table: Iterable[str]) -> None:
    assert passed(_ALL)[1] == 482 + 505 + 269 + 34 + 13 + 3
    assert set(table) - {test.name for test in _ALL} == set()


def test_only_texts_that_are_right_may_stay_without_an_answer() -> None:
    kinds = {test.kind for test in _ALL if test.name in NOT_EVALUATED}
    assert all(kind.startswith("Positive") for kind in kinds)
    assert set(NOT_EVALUATED).isdisjoint(KNOWN_FAILURES)
