"""The W3C tests of the SPARQL 1.1 Graph Store HTTP Protocol, direct and indirect, over HTTP."""

import pytest

from kg_server import Server
from w3c.exchanges import run
from w3c.manifests import W3cTest
from w3c.suites import GRAPH_STORE, parameters, passed


@pytest.mark.parametrize("test", parameters(GRAPH_STORE))
def test_exchange(emptied: Server, test: W3cTest) -> None:
    run(emptied, test)


def test_total() -> None:
    assert passed(GRAPH_STORE) == (13, 13)
