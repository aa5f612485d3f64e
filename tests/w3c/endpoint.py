"""What the tests of the suite send to a server, and what they read from its answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode, urljoin

from pyoxigraph import (
    BlankNode,
    DefaultGraph,
    NamedNode,
    Quad,
    QueryResultsFormat,
    RdfFormat,
    Triple,
    parse,
)

from kg_server import Reply, Server
from w3c.manifests import Data, Term, W3cTest, path_of, quads_of
from w3c.results import Graph, Result, Solutions, read_csv, read_results

QUERY: Final = "application/sparql-query"
UPDATE: Final = "application/sparql-update"
_NO_GRAPH: Final = "urn:x-w3c:no-graph"
"""The default graph of a query without data."""
_RESULTS: Final = {
    "application/sparql-results+json": QueryResultsFormat.JSON,
    "application/sparql-results+xml": QueryResultsFormat.XML,
    "text/tab-separated-values": QueryResultsFormat.TSV,
}
_ACCEPTED: Final = {
    "srx": "application/sparql-results+xml",
    "srj": "application/sparql-results+json",
    "tsv": "text/tab-separated-values",
    "csv": "text/csv",
}
_EITHER: Final = "application/sparql-results+json, application/n-triples"
_EVERYTHING: Final = "SELECT ?g ?s ?p ?o { { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } }"
_ORDER: Final = re.compile(r"\bORDER\s+BY\b", re.IGNORECASE)
_FROM: Final = re.compile(r"\bFROM\s+(?:NAMED\s+)?<([^>]+)>", re.IGNORECASE)


def text_of(test: W3cTest) -> str:
    """The query or update as a client of the suite sends it: its base is its own file.

    The BASE takes no line of its own, so that what follows keeps its lines.
    """
    return f"BASE <{test.request}> {path_of(test.request).read_bytes().decode()}"


def asked(server: Server, test: W3cTest) -> Reply:
    """The reply to a query, over the graphs that the test names."""
    return _posted(server, test, _dataset(test), _ACCEPTED.get(_suffix(test.result), _EITHER))


def tried(server: Server, test: W3cTest) -> Reply:
    """The reply to a query or an update of which only the syntax matters."""
    if test.is_update:
        return server.post(text_of(test).encode(), UPDATE)
    return _posted(server, test, [("default-graph-uri", _NO_GRAPH)], "*/*")


def _posted(server: Server, test: W3cTest, dataset: list[tuple[str, str]], accept: str) -> Reply:
    return server.send(
        f"/sparql?{urlencode(dataset)}",
        method="POST",
        body=text_of(test).encode(),
        headers={"Content-Type": QUERY, "Accept": accept},
    )


def _dataset(test: W3cTest) -> list[tuple[str, str]]:
    """The dataset parameters of the protocol; none where the query describes its dataset."""
    if _described(test):
        return []
    default = [("default-graph-uri", each.file) for each in test.data if not each.graph]
    named = [("named-graph-uri", each.graph) for each in test.data if each.graph]
    inner = [("named-graph-uri", name) for each in test.data for name in _named_in(each.file)]
    return [*(default or [("default-graph-uri", _NO_GRAPH)]), *named, *inner]


def _described(test: W3cTest) -> list[str]:
    """The graphs that a query names in FROM: files beside it."""
    return [urljoin(test.request, name) for name in _FROM.findall(text_of(test))]


def _named_in(file: str) -> set[str]:
    """The graphs that a file of quads names."""
    return {
        quad.graph_name.value
        for quad in quads_of(file)
        if not isinstance(quad.graph_name, DefaultGraph)
    }


def answer_of(reply: Reply, query: str) -> Result:
    """The answer in a reply; in an order, if the query asks for one."""
    kind = reply.headers["content-type"].partition(";")[0]
    if kind == "text/csv":
        return read_csv(reply.body)
    if kind in _RESULTS:
        result = read_results(reply.body, _RESULTS[kind])
        if isinstance(result, Solutions) and _ORDER.search(query):
            return replace(result, ordered=True)
        return result
    return Graph(frozenset(parse(reply.body, RdfFormat.from_media_type(kind))))


def held(server: Server) -> list[Quad]:
    """Everything the server holds, its graphs by name."""
    reply = server.query(_EVERYTHING, accept="application/sparql-results+json")
    solutions = read_results(reply.body, QueryResultsFormat.JSON)
    assert isinstance(solutions, Solutions), reply.body
    return [_quad(row) for row in solutions.rows]


def _quad(row: Mapping[str, Any]) -> Quad:
    return Quad(row["s"], row["p"], row["o"], row.get("g", DefaultGraph()))


def _suffix(iri: str) -> str:
    return iri.rpartition(".")[2]


# --- data ---------------------------------------------------------------------------------


def needed(tests: Iterable[W3cTest]) -> list[Data]:
    """What a store holds for these queries: each file in a graph that has the IRI of the file."""
    wanted = {Data(each.file, each.graph or each.file) for test in tests for each in test.data}
    wanted |= {Data(name, name) for test in tests for name in _described(test)}
    names = [each.graph for each in wanted]
    assert len(names) == len(set(names)), "two files want to be the same graph"
    return sorted(wanted, key=lambda each: each.file)


def insertion(data: Iterable[Data]) -> str:
    """An INSERT DATA of these files."""
    return f"INSERT DATA {{\n{''.join(map(_line, statements(data)))}}}"


def statements(data: Iterable[Data]) -> Iterator[Quad]:
    """What these files say, each in its graph, the blank nodes of each its own."""
    for position, each in enumerate(data):
        for quad in quads_of(each.file):
            subject, predicate, object = _apart(quad.triple, position)
            yield Quad(subject, predicate, object, _graph(quad, each))


def _graph(quad: Quad, data: Data) -> NamedNode | BlankNode | DefaultGraph:
    if data.graph and isinstance(quad.graph_name, DefaultGraph):
        return NamedNode(data.graph)
    return quad.graph_name


def _apart(triple: Triple, position: int) -> Triple:
    subject, object = (_renamed(term, position) for term in (triple.subject, triple.object))
    assert isinstance(subject, NamedNode | BlankNode)
    return Triple(subject, triple.predicate, object)


def _renamed(term: Term, position: int) -> Term:
    if isinstance(term, BlankNode):
        return BlankNode(f"f{position}{term.value}")
    return _apart(term, position) if isinstance(term, Triple) else term


def _line(quad: Quad) -> str:
    if quad.graph_name == DefaultGraph():
        return f"{quad.triple} .\n"
    return f"GRAPH {quad.graph_name} {{ {quad.triple} }}\n"
