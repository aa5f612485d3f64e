"""The suites by name: their tests as parameters for pytest, those known to fail marked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import pytest

from w3c.known_failures import KNOWN_FAILURES
from w3c.manifests import W3cTest, w3c_tests
from w3c_suite import is_there

_ABSENT: Final = "the W3C test suite is not there; KG_W3C_TESTS may name its folder"
_PROTOCOLS: Final = ("protocol", "graph-store-protocol", "service-description")
_ALL_11: Final = w3c_tests("sparql11/manifest-all.ttl")


def _of_11(folder: str) -> list[W3cTest]:
    return [test for test in _ALL_11 if test.folder == folder]


SPARQL_10: Final = w3c_tests("sparql10/manifest.ttl")
SPARQL_11: Final = [test for test in _ALL_11 if test.folder not in (*_PROTOCOLS, "entailment")]
"""All but entailment, which the engine has not, and the protocols, which are counted apart."""
SPARQL_12: Final = w3c_tests("sparql12/manifest.ttl")
PROTOCOL: Final = _of_11("protocol")
GRAPH_STORE: Final = _of_11("graph-store-protocol")
SERVICE_DESCRIPTION: Final = _of_11("service-description")


def queries(tests: Iterable[W3cTest]) -> list[W3cTest]:
    """Those that compare the answer to a query."""
    return [test for test in tests if test.kind in ("QueryEvaluationTest", "CSVResultFormatTest")]


def updates(tests: Iterable[W3cTest]) -> list[W3cTest]:
    """Those that compare what an update leaves."""
    return [test for test in tests if test.kind == "UpdateEvaluationTest"]


def query_syntax(tests: Iterable[W3cTest]) -> list[W3cTest]:
    """Those that take or refuse the text of a query."""
    return [test for test in tests if "Syntax" in test.kind and not test.is_update]


def update_syntax(tests: Iterable[W3cTest]) -> list[W3cTest]:
    """Those that take or refuse the text of an update."""
    return [test for test in tests if "Syntax" in test.kind and test.is_update]


def parameters(tests: Iterable[W3cTest]) -> list[Any]:
    """Each test under its name. Where the suite is not there, one that is skipped for all to see.

    The suite is no part of the repository; in CI a skip is a failure. A suite that is there and has
    no such tests is an error: its tests would be lost in silence.
    """
    if not is_there():
        return [pytest.param(None, id="absent", marks=pytest.mark.skip(reason=_ABSENT))]
    found = [pytest.param(test, id=test.name, marks=_marks(test)) for test in tests]
    assert found, "the W3C suite is there, and none of these tests is in it"
    return found


def passed(tests: list[W3cTest]) -> tuple[int, int]:
    """How many pass and how many there are, as long as each test ends as its mark says."""
    if not is_there():
        pytest.skip(_ABSENT)
    return sum(test.name not in KNOWN_FAILURES for test in tests), len(tests)


def _marks(test: W3cTest) -> list[pytest.MarkDecorator]:
    reason = KNOWN_FAILURES.get(test.name)
    if reason is None:
        return []
    return [pytest.mark.xfail(reason=reason, strict=True, raises=AssertionError)]
