"""The functions `rff:` over HTTP: in queries, in updates, in the description of the service."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from rdflib import Graph, URIRef

from kg.media import CSV, RDF_XML, TURTLE, XML, Format
from kg.namespaces import FUNCTION, GRAPH
from kg.store.functions import function_iris
from kg.web.functions import FUNCTIONS
from kg_server import Server
from web.writable import Writable

QUERY = 'SELECT (rff:ratio(500, "(4200,)") AS ?share) {}'
SHARE = "(0,0.119047619047619048]"


def test_a_query_may_call_a_function(server: Server) -> None:
    reply = server.query(QUERY, accept="application/sparql-results+json")
    assert reply.status == 200, reply.body
    assert json.loads(reply.body)["results"]["bindings"] == [
        {"share": {"type": "literal", "value": SHARE, "datatype": FUNCTION + "interval"}}
    ]


@pytest.mark.parametrize("format", [CSV, XML], ids=lambda format: format.name)
def test_an_interval_is_written_in_every_format(server: Server, format: Format) -> None:
    reply = server.query(QUERY, accept=format.media_type)
    assert (reply.status, SHARE.encode() in reply.body) == (200, True)


@pytest.mark.parametrize("format", [TURTLE, RDF_XML], ids=lambda format: format.name)
def test_an_interval_may_be_in_a_graph(server: Server, format: Format) -> None:
    query = "CONSTRUCT { <urn:a> <http://ex/p> ?x } WHERE { BIND(rff:sum(1, 2) AS ?x) }"
    reply = server.query(query, accept=format.media_type)
    assert (reply.status, b"[3,3]" in reply.body) == (200, True)


def test_an_answer_with_functions_is_kept_as_any_other(server: Server) -> None:
    tag = server.query(QUERY).headers["etag"]
    again = server.send(f"/sparql?query={quote(QUERY)}", headers={"If-None-Match": tag})
    assert again.status == 304


def test_a_function_that_is_none_of_them_is_the_clients_matter(server: Server) -> None:
    reply = server.query("SELECT (rff:overlap(1, 2) AS ?x) {}")
    assert (reply.status, reply.problem["type"].rpartition("/")[2]) == (400, "unknown-function")
    assert "docs/functions.md" in json.dumps(reply.problem)


def test_a_query_that_computes_too_long_is_ended(server: Server) -> None:
    many = " ".join(str(number) for number in range(300))
    query = (
        f"SELECT (MAX(rff:lower(rff:product(?a, ?b, ?c))) AS ?x) {{ VALUES ?a {{ {many} }} "
        f"VALUES ?b {{ {many} }} VALUES ?c {{ {many} }} }}"
    )
    reply = server.send(f"/sparql?timeout=1&query={quote(query)}")
    assert (reply.status, reply.problem["type"].rpartition("/")[2]) == (503, "deadline-exceeded")


def test_an_update_may_call_a_function(writable: Writable) -> None:
    update = (
        f"INSERT {{ GRAPH <{GRAPH}computed> {{ <http://ex/s> <http://ex/p> ?x }} }} "
        "WHERE { BIND(rff:upper(rff:sum(1, 2.5)) AS ?x) }"
    )
    assert writable.update(update).status == 204
    assert writable.ask(f"GRAPH <{GRAPH}computed> {{ ?s ?p 3.5 }}")


def test_the_description_lists_all_functions(server: Server) -> None:
    reply = server.send("/sparql", headers={"Accept": "application/n-triples"})
    listed = (
        Graph()
        .parse(data=reply.body, format="nt")
        .objects(None, URIRef("http://www.w3.org/ns/sparql-service-description#extensionFunction"))
    )
    assert sorted(map(str, listed)) == sorted([*function_iris(), *FUNCTIONS])
