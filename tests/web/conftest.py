"""The stores that several of these tests look at, and a server of each."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree

import pytest

from kg.namespaces import BASE, GRAPH
from kg.store.base import Commit, NamedGraph, Owner, Release
from kg.store.embedded import commit
from kg.store.releases import Releases
from kg_server import Server, running
from two_releases import make_store
from web.writable import Writable, writable_server

ONE = f'<{BASE}a> <{BASE}p> "one" .\n<{BASE}shared> <{BASE}p> "both" .\n'
TWO = f'<{BASE}b> <{BASE}p> "two" .\n<{BASE}shared> <{BASE}p> "both" .\n'
SECRET = f'<{BASE}hidden> <{BASE}p> "restricted text" .\n'
MANY = "".join(f'<{BASE}many/{number}> <{BASE}q> "{number}" .\n' for number in range(300))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("web") / "store"


@pytest.fixture(scope="session")
def release(folder: Path) -> Release:
    graphs = (
        NamedGraph(GRAPH + "one", ONE.encode(), Owner.DATA),
        NamedGraph(GRAPH + "two", TWO.encode(), Owner.DATA),
        NamedGraph(GRAPH + "many", MANY.encode(), Owner.DERIVED),
        NamedGraph(GRAPH + "secret", SECRET.encode(), Owner.DATA, restricted=True),
    )
    change = Commit(
        graphs=graphs,
        owners=frozenset({Owner.DATA, Owner.DERIVED}),
        who="test",
        message="the test's graphs",
        shapes_digest="",
        files={"context.jsonld": b'{"@context": {"ex": "https://w3id.org/reported-figures/"}}'},
    )
    made = commit(folder, change, now=datetime(2024, 1, 1, tzinfo=UTC))
    assert made is not None
    return made


@pytest.fixture(scope="session")
def server(folder: Path, release: Release) -> Iterator[Server]:
    """Limits are low, so that the tests that reach them are quick."""
    with running(
        folder,
        folder.parent / "server.log",
        workers=2,
        deadline=3.0,
        worker_memory=400 * 1024 * 1024,
        answer_bytes=1024 * 1024,
        spool_memory=16 * 1024,
        queue_seconds=0.4,
        query_bytes=400_000,
        body_bytes=500_000,
    ) as running_server:
        yield running_server


@pytest.fixture(scope="session")
def writable(_built_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writable]:
    """A server of the miniature project that may be written; tests write graphs of their own."""
    folder = copytree(_built_once, tmp_path_factory.mktemp("writable") / "store")
    with writable_server(folder, folder.parent / "server.log", workers=1) as server:
        yield server


@pytest.fixture(scope="session")
def two_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of two releases, to read or to copy."""
    return make_store(tmp_path_factory.mktemp("history"))


@pytest.fixture(scope="session")
def two(two_folder: Path) -> tuple[Release, Release]:
    before, after = Releases.open(two_folder).all()
    return before, after


@pytest.fixture(scope="session")
def history(two_folder: Path) -> Iterator[Server]:
    with running(two_folder, two_folder.parent / "log", workers=1) as server:
        yield server
