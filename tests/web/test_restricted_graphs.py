"""No road of the protocols, reading or writing, tells whether a restricted graph is there."""

from __future__ import annotations

import gzip
import statistics
import time
from urllib.parse import quote, urlencode

import pytest

from kg.namespaces import GRAPH
from kg.store.base import Release
from kg.store.releases import Releases
from kg_server import Reply, Server
from web.writable import Writable, indirect

SECRET, ABSENT = GRAPH + "secret", GRAPH + "absent"
"""One of these is a restricted graph of the store, and the other is none."""
ONE = "<http://ex/s> <http://ex/p> 1 ."
_VARYING = ("date", "server-timing", "kg-query-id", "etag", "x-request-id")


def _told(reply: Reply, name: str) -> tuple[int, dict[str, str], bytes]:
    """All that a reply tells, but for the name of the graph that was asked for."""
    fields = {
        field: value.replace(name, "…")
        for field, value in reply.headers.items()
        if field not in _VARYING
    }
    content = reply.body.replace(name.encode(), b"...").replace(quote(name).encode(), b"...")
    fields.pop("content-length", None)
    return reply.status, fields, content


READS = [
    *("/graphs?graph={iri}", "/graphs/{name}", "/id/graph/{name}", "/r/1/graphs/{name}"),
    *("/r/1/graphs?graph={iri}", "/r/1/id/graph/{name}", "/graphs/{name}?format=turtle"),
    "/sparql?default-graph-uri={iri}&query=ASK{{?s+?p+?o}}",
    "/sparql?named-graph-uri={iri}&query=ASK{{GRAPH+?g{{?s+?p+?o}}}}",
    "/r/1/sparql?default-graph-uri={iri}&query=ASK{{?s+?p+?o}}",
    "/sparql?query=ASK{{GRAPH+<{iri}>{{?s+?p+?o}}}}",
    "/sparql?query=ASK+FROM+<{iri}>{{?s+?p+?o}}",
    "/sparql?query=ASK+FROM+NAMED+<{iri}>{{GRAPH+?g{{?s+?p+?o}}}}",
    "/sparql?query=DESCRIBE+<{iri}>",
    "/sparql?query=DESCRIBE+?s+FROM+<{iri}>{{?s+?p+?o}}",
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", READS)
def test_a_read_of_it_is_that_of_one_that_is_not_there(
    server: Server, release: Release, path: str, method: str
) -> None:
    secret, absent = (
        _told(
            server.send(
                path.format(iri=quote(iri, safe=""), name=iri.removeprefix(GRAPH)), method=method
            ),
            iri.removeprefix(GRAPH),
        )
        for iri in (SECRET, ABSENT)
    )
    assert secret == absent
    assert b"restricted text" not in secret[2]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/graphs/secret", indirect(SECRET), "/r/1/graphs/secret"])
def test_the_graph_store_does_not_know_it(
    server: Server, release: Release, path: str, method: str
) -> None:
    assert server.send(path, method=method).status == 404


def test_the_union_and_the_description_do_not_hold_it(server: Server, release: Release) -> None:
    for path in ("/graphs?default", "/r/1/graphs?default", "/sparql", "/r/1/sparql"):
        body = server.send(path, headers={"Accept": "application/n-triples"}).body
        assert body and b"restricted text" not in body and b"secret" not in body


def test_a_condition_does_not_tell_of_it(server: Server, release: Release) -> None:
    for iri in (SECRET, ABSENT):
        assert server.send(indirect(iri), headers={"If-None-Match": "*"}).status == 404


def test_the_time_of_an_answer_does_not_tell_of_it(server: Server, release: Release) -> None:
    seconds: dict[str, list[float]] = {SECRET: [], ABSENT: []}
    for _ in range(60):
        for iri, taken in seconds.items():
            begun = time.perf_counter()
            server.send(indirect(iri))
            taken.append(time.perf_counter() - begun)
    secret, absent = (statistics.median(taken) for taken in seconds.values())
    assert abs(secret - absent) < 0.5 * max(secret, absent)


# --- writes -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hidden(writable: Writable) -> str:
    """The IRI of a restricted graph in the store that may be written."""
    releases = Releases.open(writable.folder)
    states = releases.restricted(releases.head())
    assert states, "the miniature has no restricted graph"
    return states[0].iri


WRITES = [
    ("PUT", {}),
    ("POST", {}),
    ("DELETE", {}),
    ("PUT", {"If-Match": "*"}),
    ("PUT", {"If-None-Match": "*"}),
    ("DELETE", {"If-Match": f'"{"0" * 64}"'}),
]


@pytest.mark.parametrize(("method", "headers"), WRITES)
def test_a_write_to_it_is_refused_as_one_to_a_neighbour(
    writable: Writable, hidden: str, method: str, headers: dict[str, str]
) -> None:
    absent = hidden[:-1] + ("0" if hidden[-1] != "0" else "1")
    refused = [
        _told(writable.send(method, indirect(iri), ONE, headers=headers), iri)
        for iri in (hidden, absent)
    ]
    assert refused[0] == refused[1]
    assert refused[0][0] == 403


UPDATES = [
    "INSERT DATA {{ GRAPH <{iri}> {{ <a:> <a:> 1 }} }}",
    "DELETE WHERE {{ GRAPH <{iri}> {{ ?s ?p ?o }} }}",
    "CLEAR GRAPH <{iri}>",
    "DROP SILENT GRAPH <{iri}>",
    "CREATE GRAPH <{iri}>",
    "COPY <{iri}> TO <http://ex/copy>",
    "MOVE <{iri}> TO <http://ex/moved>",
    "INSERT {{ GRAPH <http://ex/copy> {{ ?s ?p ?o }} }} WHERE {{ GRAPH <{iri}> {{ ?s ?p ?o }} }}",
    "INSERT {{ GRAPH <http://ex/copy> {{ ?s ?p ?o }} }} USING <{iri}> WHERE {{ ?s ?p ?o }}",
]


@pytest.mark.parametrize("update", UPDATES)
def test_an_update_that_names_it_tells_nothing(
    writable: Writable, hidden: str, update: str
) -> None:
    absent = hidden[:-1] + ("0" if hidden[-1] != "0" else "1")
    told = [_told(writable.update(update.format(iri=iri)), iri) for iri in (hidden, absent)]
    assert told[0] == told[1]
    assert writable.server.send(indirect("http://ex/copy")).status == 404


def test_the_dataset_of_an_update_does_not_reach_it(writable: Writable, hidden: str) -> None:
    update = "INSERT { GRAPH <http://ex/copy> { ?s ?p ?o } } WHERE { ?s ?p ?o }"
    assert writable.update(update, **{"using-graph-uri": hidden}).status == 204
    update = "INSERT { GRAPH <http://ex/copy> { ?s ?p ?o } } WHERE { GRAPH ?g { ?s ?p ?o } }"
    assert writable.update(update, **{"using-named-graph-uri": hidden}).status == 204
    assert writable.server.send(indirect("http://ex/copy")).status == 404


def test_it_is_still_there_and_still_hidden_after_writes(writable: Writable, hidden: str) -> None:
    name = writable.put("/graphs/beside", ONE).headers["kg-release"]
    releases = Releases.open(writable.folder)
    assert hidden in {state.iri for state in releases.restricted(releases.named(name))}
    assert writable.server.send(indirect(hidden)).status == 404
    for suffix in ("nq", "trig"):
        content = gzip.decompress(writable.server.send(f"/dump/{name}.{suffix}.gz").body)
        assert hidden.encode() not in content
    query = urlencode({"query": f"ASK {{ GRAPH <{hidden}> {{ ?s ?p ?o }} }}"})
    assert b"true" not in writable.server.send(f"/sparql?{query}").body
