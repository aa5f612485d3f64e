"""No road of HTTP leads to a restricted graph."""

import gzip
from urllib.parse import urlencode

import pytest

from kg.namespaces import BASE, GRAPH
from kg.store.base import Release
from kg_server import Server

SECRET = GRAPH + "secret"
HIDDEN = f"<{BASE}hidden>"
QUERIES = [
    "SELECT * WHERE { ?s ?p ?o }",
    "SELECT * WHERE { GRAPH ?g { ?s ?p ?o } }",
    f"SELECT ?o WHERE {{ GRAPH <{SECRET}> {{ ?s ?p ?o }} }}",
    f"CONSTRUCT {{ ?s ?p ?o }} FROM <{SECRET}> WHERE {{ ?s ?p ?o }}",
    f"CONSTRUCT {{ ?s ?p ?o }} FROM NAMED <{SECRET}> WHERE {{ GRAPH ?g {{ ?s ?p ?o }} }}",
    f"CONSTRUCT {{ ?s ?p ?o }} FROM <{GRAPH}one> FROM <{SECRET}> WHERE {{ ?s ?p ?o }}",
    f"DESCRIBE {HIDDEN}",
    f"DESCRIBE <{SECRET}>",
    f"CONSTRUCT WHERE {{ {HIDDEN} ?p ?o }}",
]
DATASETS = [
    [],
    [("default-graph-uri", SECRET)],
    [("named-graph-uri", SECRET)],
    [("default-graph-uri", SECRET), ("named-graph-uri", SECRET)],
]


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("query", QUERIES)
def test_no_query_sees_it(server: Server, query: str, dataset: list[tuple[str, str]]) -> None:
    reply = server.send("/sparql?" + urlencode([("query", query), *dataset]))
    assert reply.status == 200
    assert b"restricted text" not in reply.body


@pytest.mark.parametrize("path", ["/id/hidden", "/id/graph/secret"])
def test_its_resources_are_unknown(server: Server, path: str) -> None:
    assert server.send(path).status == 404


@pytest.mark.parametrize("suffix", ["nq", "trig"])
def test_no_dump_holds_it(server: Server, release: Release, suffix: str) -> None:
    content = gzip.decompress(server.send(f"/dump/{release.name}.{suffix}.gz").body)
    assert b'"one"' in content
    assert b"restricted text" not in content and SECRET.encode() not in content


def test_no_page_names_it(server: Server) -> None:
    assert b"secret" not in server.send("/").body
