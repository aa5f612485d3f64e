"""`/r/<release>/…`: every path that reads, at an earlier release."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from kg.namespaces import BASE, GRAPH
from kg.store.base import NamedGraph, Owner, Release
from kg.store.embedded import commit
from kg_server import Server, running
from store_parts import change

QUERY = f"SELECT ?o WHERE {{ <{BASE}a> <{BASE}p> ?o }}"
ASKED = "sparql?" + urlencode({"query": QUERY, "format": "csv"})
BROWSER = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def newer(
    folder: Path, release: Release, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Release]]:
    """A server of a store with a second release, and that release."""
    store = shutil.copytree(folder, tmp_path_factory.mktemp("releases") / "store")
    said = f'<{BASE}a> <{BASE}p> "new" .\n<{BASE}fresh> <{BASE}p> "x" .\n'.encode()
    graph = NamedGraph(GRAPH + "one", said, Owner.DATA)
    second = commit(store, change(graph), now=datetime(2024, 2, 2, tzinfo=UTC))
    assert second
    with running(store, store.parent / "log", workers=1) as server:
        yield server, second


def test_a_query_is_answered_from_the_release_that_is_named(
    newer: tuple[Server, Release], release: Release
) -> None:
    server, second = newer
    answers = {
        prefix: server.send(f"{prefix}/{ASKED}").body.split()[1]
        for prefix in ("", f"/r/{release.name}", f"/r/{second.name}", "/r/1", "/r/2")
    }
    assert list(answers.values()) == [b"new", b"one", b"new", b"one", b"new"]


def test_a_number_may_mean_another_release_one_day_and_a_name_never(
    newer: tuple[Server, Release], release: Release
) -> None:
    server, _ = newer
    cached = [
        server.send(f"/r/{name}/{ASKED}").headers["cache-control"] for name in ("1", release.name)
    ]
    assert cached == ["no-cache", "public, max-age=31536000, immutable"]


def test_a_resource_is_known_only_where_it_was(
    newer: tuple[Server, Release], release: Release
) -> None:
    server, second = newer
    paths = ("/id/fresh", f"/r/{second.name}/id/fresh.nt", f"/r/{release.name}/id/fresh")
    assert [server.send(path).status for path in paths] == [200, 200, 404]


@pytest.mark.parametrize("accept", ["text/turtle", "text/html"])
def test_an_unknown_resource_says_which_release_has_it(
    newer: tuple[Server, Release], release: Release, accept: str
) -> None:
    server, second = newer
    reply = server.send(f"/r/{release.name}/id/fresh", headers={"Accept": accept})
    assert (reply.status, second.name in reply.body.decode()) == (404, True)
    nowhere = server.send(f"/r/{release.name}/id/nowhere", headers={"Accept": accept})
    assert (nowhere.status, second.name in nowhere.body.decode()) == (404, False)


def test_a_graph_and_a_dump_are_those_of_the_release(
    newer: tuple[Server, Release], release: Release
) -> None:
    server, second = newer
    graph = f"graphs?graph={quote(GRAPH + 'two', safe='')}"
    assert server.send(f"/r/{release.name}/{graph}").status == 200
    assert server.send(f"/r/{second.name}/{graph}").status == 404
    dumps = [
        server.send(f"/r/{at}/dump/{release.name}.nq.gz").status
        for at in (release.name, second.name)
    ]
    assert dumps == [200, 404]


def test_its_home_tells_of_it_and_leads_to_it(
    newer: tuple[Server, Release], release: Release
) -> None:
    server, _ = newer
    page = server.send(f"/r/{release.name}/", headers=BROWSER)
    assert page.headers["kg-release"] == release.name
    assert f'href="/r/{release.name}/sparql"'.encode() in page.body


@pytest.mark.parametrize("name", ["9", "9-000000000000", "x", "HEADS", "1-", "..", "%00"])
@pytest.mark.parametrize("path", ["sparql?query=ASK%7B%7D", "id/a", ""])
def test_an_unknown_release_is_404(newer: tuple[Server, Release], name: str, path: str) -> None:
    assert newer[0].send(f"/r/{name}/{path}").status == 404


@pytest.mark.parametrize("slashes", ["/", "//"])
def test_a_redirect_names_no_host(
    newer: tuple[Server, Release], release: Release, slashes: str
) -> None:
    """The field Host is the client's: whoever keeps the answer would send others there."""
    path = f"{slashes}r/{release.name}"
    reply = newer[0].send(f"{path}?a=%2F%0A", headers={"Host": "elsewhere.example"})
    assert (reply.status, reply.headers["location"]) == (308, f"/r/{release.name}/?a=%2F%0A")
    assert (reply.headers["cache-control"], reply.body) == ("no-cache", b"")


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_nothing_is_written_below_a_release(
    newer: tuple[Server, Release], release: Release, method: str
) -> None:
    reply = newer[0].send(f"/r/{release.name}/graphs/x", method=method, body=b"")
    assert reply.status == 405


def test_an_update_of_a_release_is_refused(newer: tuple[Server, Release], release: Release) -> None:
    reply = newer[0].post(b"CLEAR ALL", "application/sparql-update", f"/r/{release.name}/sparql")
    assert reply.status == 403


def test_head_by_its_name_is_the_release_that_is_served(
    newer: tuple[Server, Release], release: Release
) -> None:
    server, second = newer
    replies = [server.send(f"/r/{at}/id/fresh") for at in ("HEAD", release.name)]
    assert [reply.status for reply in replies] == [200, 404]
    assert replies[0].headers["kg-release"] == second.name
    assert "immutable" not in replies[0].headers["cache-control"]
