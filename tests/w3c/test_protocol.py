"""The W3C tests of the SPARQL 1.1 Protocol, over HTTP."""

import pytest

from kg_server import Server
from w3c.endpoint import UPDATE, insertion
from w3c.exchanges import run
from w3c.manifests import W3cTest
from w3c.suites import PROTOCOL, parameters, passed


@pytest.mark.parametrize("test", parameters(PROTOCOL))
def test_exchange(emptied: Server, test: W3cTest) -> None:
    if test.data:
        assert emptied.post(insertion(test.data).encode(), UPDATE).status < 300
    run(emptied, test)


def test_total() -> None:
    assert passed(PROTOCOL) == (34, 34)
