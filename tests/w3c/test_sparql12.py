"""The W3C tests of SPARQL 1.2, over HTTP; see `known_failures` for those that fail."""

import pytest

from kg_server import Server
from w3c.checks import check_query, check_syntax, check_update
from w3c.manifests import W3cTest
from w3c.suites import SPARQL_12, parameters, passed, queries, query_syntax, update_syntax, updates


@pytest.mark.parametrize("test", parameters(queries(SPARQL_12)))
def test_query(loaded: Server, test: W3cTest) -> None:
    check_query(loaded, test)


@pytest.mark.parametrize("test", parameters(query_syntax(SPARQL_12)))
def test_query_syntax(loaded: Server, test: W3cTest) -> None:
    check_syntax(loaded, test)


@pytest.mark.parametrize("test", parameters(updates(SPARQL_12)))
def test_update(emptied: Server, test: W3cTest) -> None:
    check_update(emptied, test)


@pytest.mark.parametrize("test", parameters(update_syntax(SPARQL_12)))
def test_update_syntax(emptied: Server, test: W3cTest) -> None:
    check_syntax(emptied, test)


def test_total() -> None:
    assert passed(SPARQL_12) == (264, 269)
