"""Two servers of plain stores: one that holds the data of the queries, one to write to."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from kg_server import Server, running
from w3c.endpoint import UPDATE, insertion, needed
from w3c.suites import SPARQL_10, SPARQL_11, SPARQL_12, queries

_MIB = 1024 * 1024


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Each file that a query needs is a graph of its name; the default graph is empty."""
    with _plain(tmp_path_factory.mktemp("w3c-queries")) as server:
        reply = server.post(
            insertion(needed(queries([*SPARQL_10, *SPARQL_11, *SPARQL_12]))).encode(), UPDATE
        )
        assert reply.status < 300, reply.body
        yield server


@pytest.fixture(scope="session")
def _writable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with _plain(tmp_path_factory.mktemp("w3c-updates")) as server:
        yield server


@pytest.fixture
def emptied(_writable: Server) -> Server:
    """A server that holds nothing and takes writes."""
    reply = _writable.post(b"DROP ALL", UPDATE)
    assert reply.status < 300, reply.body
    return _writable


def _plain(folder: Path) -> AbstractContextManager[Server]:
    return running(
        folder / "store",
        folder / "server.log",
        plain=True,
        workers=2,
        query_bytes=2 * _MIB,
        body_bytes=2 * _MIB,
    )
