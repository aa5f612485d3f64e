"""The W3C tests of SPARQL 1.0, over HTTP; see `known_failures` for those that fail."""

import pytest

from kg_server import Server
from w3c.checks import check_query, check_syntax
from w3c.manifests import W3cTest
from w3c.suites import SPARQL_10, parameters, passed, queries, query_syntax


@pytest.mark.parametrize("test", parameters(queries(SPARQL_10)))
def test_query(loaded: Server, test: W3cTest) -> None:
    check_query(loaded, test)


@pytest.mark.parametrize("test", parameters(query_syntax(SPARQL_10)))
def test_query_syntax(loaded: Server, test: W3cTest) -> None:
    check_syntax(loaded, test)


def test_total() -> None:
    assert passed(SPARQL_10) == (467, 482)
