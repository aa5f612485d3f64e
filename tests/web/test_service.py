"""SPARQL 1.1 Service Description: GET of the endpoint without a query."""

from __future__ import annotations

import pytest
from rdflib import RDF, BNode, Graph, Literal, Namespace, URIRef

from kg.media import GRAPH_FORMATS, N_TRIPLES
from kg.namespaces import GRAPH
from kg.store.base import Release
from kg.store.releases import Releases
from kg.store.rewriting import rewritten
from kg_server import Server
from web.writable import Writable

SD = Namespace("http://www.w3.org/ns/sparql-service-description#")
VOID = Namespace("http://rdfs.org/ns/void#")
FORMATS = Namespace("http://www.w3.org/ns/formats/")


def _described(server: Server, path: str = "/sparql", accept: str = "*/*") -> Graph:
    reply = server.send(path, headers={"Accept": accept})
    assert reply.status == 200, reply.body
    media_type = reply.headers["content-type"].partition(";")[0]
    (format,) = [each for each in GRAPH_FORMATS if each.media_type == media_type]
    return Graph().parse(data=rewritten(reply.body, format, N_TRIPLES), format="nt")


def _named(graph: Graph) -> dict[str, int]:
    """The size of each graph that is described, by its IRI."""
    return {
        str(graph.value(node, SD.name)): int(
            str(graph.value(graph.value(node, SD.graph), VOID.triples))
        )
        for node in graph.subjects(RDF.type, SD.NamedGraph)
    }


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "text/turtle",
        "application/rdf+xml",
        "application/n-triples",
        "application/ld+json",
    ],
)
def test_the_endpoint_describes_itself(server: Server, accept: str) -> None:
    graph = _described(server, accept=accept)
    (service,) = graph.subjects(RDF.type, SD.Service)
    assert list(graph.objects(service, SD.endpoint)) == [URIRef(server.url + "sparql")]
    assert (service, SD.feature, SD.UnionDefaultGraph) in graph
    assert (service, SD.feature, SD.BasicFederatedQuery) not in graph
    formats = set(graph.objects(service, SD.resultFormat))
    assert {FORMATS.SPARQL_Results_JSON, FORMATS.Turtle, FORMATS["JSON-LD"]} <= formats


def test_the_format_may_be_in_the_address(server: Server) -> None:
    reply = server.send("/sparql?format=ntriples", headers={"Accept": "text/html"})
    assert reply.headers["content-type"] == "application/n-triples"


def test_a_browser_gets_the_page(server: Server) -> None:
    reply = server.send("/sparql", headers={"Accept": "text/html,*/*;q=0.8"})
    assert reply.headers["content-type"] == "text/html; charset=utf-8"


def test_another_parameter_is_no_wish_for_the_description(server: Server) -> None:
    assert server.send("/sparql?quary=ASK{}").status == 400


def test_the_public_graphs_are_named_with_their_sizes(server: Server, release: Release) -> None:
    graph = _described(server)
    (dataset,) = graph.subjects(RDF.type, SD.Dataset)
    assert isinstance(graph.value(dataset, SD.defaultGraph), BNode)
    assert _named(graph) == {GRAPH + "one": 2, GRAPH + "two": 2, GRAPH + "many": 300}
    assert not any("secret" in str(term) for triple in graph for term in triple)


def test_updates_are_told_of_where_they_are_taken(server: Server, writable: Writable) -> None:
    (query, update) = (SD.SPARQL11Query, SD.SPARQL11Update)
    read_only, written = _described(server), _described(writable.server)
    assert set(read_only.objects(None, SD.supportedLanguage)) == {query}
    assert set(written.objects(None, SD.supportedLanguage)) == {query, update}
    assert set(read_only.objects(None, SD.inputFormat)) == set()
    assert FORMATS.Turtle in set(written.objects(None, SD.inputFormat))


def test_an_earlier_release_describes_what_it_had(writable: Writable) -> None:
    first = Releases.open(writable.folder).named("1")
    writable.put("/graphs/later", "<http://ex/s> <http://ex/p> 1 .")
    graph = _described(writable.server, f"/r/{first.name}/sparql")
    assert _named(graph) == {state.iri: state.quads for state in first.graphs}
    (endpoint,) = graph.objects(None, SD.endpoint)
    assert endpoint == URIRef(f"{writable.server.url}r/{first.name}/sparql")
    assert (None, SD.supportedLanguage, SD.SPARQL11Update) not in graph


def test_a_description_that_was_read_is_not_sent_again(server: Server) -> None:
    tag = server.send("/sparql").headers["etag"]
    assert server.send("/sparql", headers={"If-None-Match": tag}).status == 304
    head = server.send("/sparql", method="HEAD")
    assert (head.status, head.body, head.headers["etag"]) == (200, b"", tag)


def test_a_host_that_makes_no_iri_is_refused(server: Server) -> None:
    reply = server.send("/sparql", headers={"Host": "a<b>"})
    assert reply.status == 400


def test_the_limits_are_told(server: Server) -> None:
    (comment,) = _described(server).objects(
        None, URIRef("http://www.w3.org/2000/01/rdf-schema#comment")
    )
    assert isinstance(comment, Literal) and "A query may take 3 s" in comment
