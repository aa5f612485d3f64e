"""SPARQL 1.1 Service Description: GET of the endpoint without a query."""

from __future__ import annotations

import json

import pytest
from rdflib import RDF, RDFS, BNode, Graph, Literal, Namespace, URIRef

from kg.media import GRAPH_FORMATS, N_TRIPLES
from kg.namespaces import BASE, GRAPH
from kg.settings import Settings
from kg.store.base import Release
from kg.store.functions import function_iris
from kg.store.releases import Releases
from kg.store.rewriting import rewritten
from kg.web.functions import FUNCTIONS
from kg_server import Server
from web.writable import Writable

SD = Namespace("http://www.w3.org/ns/sparql-service-description#")
VOID = Namespace("http://rdfs.org/ns/void#")
SERVICE = BASE + "service#"
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


def test_the_limits_are_told_in_words_and_as_values(server: Server) -> None:
    graph = _described(server)
    (service,) = graph.subjects(RDF.type, SD.Service)
    comments = " ".join(map(str, graph.objects(service, RDFS.comment)))
    assert "A query may take 3 s, have 400000 bytes" in comments
    limits = Settings(deadline=3.0, query_bytes=400_000, answer_bytes=1024 * 1024)
    assert {
        str(name).removeprefix(SERVICE): value.toPython()
        for name, value in graph.predicate_objects(service)
        if str(name).startswith(SERVICE) and isinstance(value, Literal)
    } == {
        "deadlineSeconds": limits.deadline,
        "queryBytes": limits.query_bytes,
        "queryNesting": limits.nesting,
        "answerRows": limits.answer_rows,
        "answerBytes": limits.answer_bytes,
        "queriesPerMinute": limits.client_rate,
    }


def test_a_server_that_is_written_tells_what_a_write_may_have(writable: Writable) -> None:
    (limit,) = _described(writable.server).objects(None, URIRef(SERVICE + "writeBytes"))
    assert isinstance(limit, Literal) and limit.toPython() == Settings().write_bytes


def test_the_default_graph_is_told_in_words_and_counted(server: Server) -> None:
    graph = _described(server)
    (default,) = graph.objects(None, SD.defaultGraph)
    assert "set union of all public named graphs" in str(graph.value(default, RDFS.comment))
    assert graph.value(default, VOID.triples) == Literal(303)  # one triple is in two graphs


def test_it_leads_to_the_descriptions_of_the_dataset(server: Server) -> None:
    graph = _described(server)
    (dataset,) = graph.subjects(RDF.type, SD.Dataset)
    links = sorted(map(str, graph.objects(dataset, RDFS.seeAlso)))
    assert links == [server.url + ".well-known/void", server.url + "catalog"]
    assert [server.send("/" + link.removeprefix(server.url)).status for link in links] == [200, 200]


WKT = "^^<http://www.opengis.net/ont/geosparql#wktLiteral>"
ONE, TWO = (
    f'"POLYGON(({points}))"{WKT}' for points in ("0 0,0 2,2 2,2 0,0 0", "1 1,1 3,3 3,3 1,1 1")
)
METRE = "<http://www.opengis.net/def/uom/OGC/1.0/metre>"
ARGUMENTS = {
    "date": '"2017-10-25"',
    "dayTimeDuration": '"P3DT4H"',
    "duration": '"P1Y2M3DT4H"',
    "gDay": '"---25"',
    "gMonth": '"--10"',
    "gMonthDay": '"--10-25"',
    "gYear": '"2017"',
    "gYearMonth": '"2017-10"',
    "time": '"10:00:00Z"',
    "yearMonthDuration": '"P1Y2M"',
    "distance": f'"POINT(0 0)"{WKT}, "POINT(0 1)"{WKT}, {METRE}',
    "length": f'"LINESTRING(0 0,0 1)"{WKT}, {METRE}',
    "relate": f'{ONE}, {TWO}, "T*T******"',
}
OF_ONE = "asGeoJSON centroid convexHull coordinateDimension dimension envelope getSRID isEmpty"
OF_ONE += " isSimple spatialDimension"


def _arguments(function: str) -> str:
    name = function.rpartition("#")[2].rpartition("/")[2]
    return ARGUMENTS.get(name) or (ONE if name in OF_ONE.split() else f"{ONE}, {TWO}")


def test_every_function_that_is_told_of_gives_a_value(server: Server) -> None:
    told = set(map(str, _described(server).objects(None, SD.extensionFunction)))
    functions = sorted(FUNCTIONS)
    assert told == {*functions, *function_iris()}  # those of intervals: tests/query/test_functions
    called = " ".join(
        f"(<{function}>({_arguments(function)}) AS ?v{place})"
        for place, function in enumerate(functions)
    )
    reply = server.query(f"SELECT {called} {{}}", accept="application/sparql-results+json")
    (solution,) = json.loads(reply.body)["results"]["bindings"]
    assert len(solution) == len(functions)


def test_what_is_told_of_the_language_is_so(server: Server) -> None:
    query = (
        'VERSION "1.2" SELECT ?a ?b ?c ?d ?e WHERE { VALUES ?x { 1 }'
        " LATERAL { SELECT ?x ?a { BIND(<<( <a:s> <a:p> 1 )>> AS ?a) } }"
        ' BIND("x"@en--ltr AS ?b)'
        ' BIND(ADJUST("2017-10-25T10:00:00Z"^^xsd:dateTime, "PT1H"^^xsd:dayTimeDuration) AS ?c)'
        ' BIND("2017-10-25"^^xsd:date - "2017-10-20"^^xsd:date AS ?d)'
        ' BIND("P1D"^^xsd:dayTimeDuration + "P1D"^^xsd:dayTimeDuration AS ?e)'
        " OPTIONAL { << ?s ?p ?o ~ ?r >> ?q ?v } OPTIONAL { ?s2 ?p2 ?o2 {| ?q2 ?v2 |} } }"
    )
    reply = server.query(query, accept="application/sparql-results+json")
    assert reply.status == 200, reply.body
    (solution,) = json.loads(reply.body)["results"]["bindings"]
    assert sorted(solution) == ["a", "b", "c", "d", "e"]
