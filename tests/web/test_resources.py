"""`/id/…`: what a release says of one IRI."""

import pytest

from kg.media import GRAPH_FORMATS, Format
from kg.namespaces import BASE
from kg.store.base import Release
from kg_server import Server

TRIPLE = f'<{BASE}a> <{BASE}p> "one" .\n'.encode()


def test_a_resource_is_described_in_turtle_by_default(server: Server, release: Release) -> None:
    reply = server.send("/id/a")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/turtle; charset=utf-8")
    assert reply.headers["kg-release"] == release.name


def test_a_resource_is_its_triples(server: Server) -> None:
    assert server.send("/id/a", headers={"Accept": "application/n-triples"}).body == TRIPLE


@pytest.mark.parametrize("format", GRAPH_FORMATS, ids=lambda format: format.name)
def test_a_resource_comes_in_every_graph_format(server: Server, format: Format) -> None:
    reply = server.send("/id/a", headers={"Accept": format.media_type})
    assert (reply.status, reply.headers["content-type"]) == (200, format.content_type)
    assert b"one" in reply.body


def test_the_format_parameter_wins(server: Server) -> None:
    assert server.send("/id/a?format=ntriples", headers={"Accept": "text/turtle"}).body == TRIPLE


@pytest.mark.parametrize("format", GRAPH_FORMATS, ids=lambda format: format.suffix)
def test_a_suffix_chooses_the_format(server: Server, format: Format) -> None:
    reply = server.send(f"/id/a.{format.suffix}", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (reply.status, reply.headers["content-type"]) == (200, format.content_type)


def test_a_suffix_of_nothing_known_is_404(server: Server) -> None:
    detail = f"nothing is said here of <{BASE}nothing>"
    assert server.send("/id/nothing.ttl").problem["detail"] == detail


def test_a_description_that_was_asked_by_query_does_not_make_it_known(server: Server) -> None:
    assert server.query(f"DESCRIBE <{BASE}nobody>").status == 200
    assert server.send("/id/nobody").status == 404


def test_a_resource_cannot_be_had_as_a_table(server: Server) -> None:
    assert server.send("/id/a", headers={"Accept": "text/csv"}).status == 406


HOSTILE = [
    "nothing",
    "a%3E%20?p%20?o%20%7D%20%23",
    "a%3E%7B%7D",
    "%5Cu003e",
    "a%0Ab",
    "a%20b",
    "a%25zz",
    "%FF",
    "a%00",
    "..%2F..%2Fetc",
]


@pytest.mark.parametrize("path", HOSTILE)
def test_what_is_no_known_iri_is_404(server: Server, path: str) -> None:
    reply = server.send(f"/id/{path}")
    assert (reply.status, reply.problem["title"]) == (404, "Not found")
