"""Validators and what a cache may do with an answer: RFC 9110, section 13, and RFC 9111."""

from urllib.parse import urlencode

import pytest

from kg.namespaces import BASE, GRAPH
from kg.store.base import Release
from kg.web.conditions import has
from kg_server import Server

QUERY = f"SELECT ?o WHERE {{ <{BASE}a> <{BASE}p> ?o }}"


def path(query: str = QUERY, **parameters: str) -> str:
    return "/sparql?" + urlencode({"query": query} | parameters)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ('"a"', True),
        ('W/"a"', True),
        ('"b", W/"a" , "c"', True),
        ('"b"', False),
        ("a", False),
        ('"ab"', False),
        ("", False),
        (None, False),
    ],
)
def test_a_field_names_an_etag(field: str | None, expected: bool) -> None:
    assert has(field, '"a"') is expected


@pytest.mark.parametrize("condition", ["{}", "W/{}", '"other", {}', "*"])
def test_what_the_client_has_is_304_with_its_validators(server: Server, condition: str) -> None:
    given = server.send(path())
    etag = given.headers["etag"]
    reply = server.send(path(), headers={"If-None-Match": condition.format(etag)})
    assert (reply.status, reply.body) == (304, b"")
    for name in ("etag", "cache-control", "vary", "kg-release", "access-control-allow-origin"):
        assert reply.headers[name] == given.headers[name]
    assert "content-length" not in reply.headers


def test_304_needs_no_evaluation(server: Server) -> None:
    """Its ETag is known from the question; the query would take longer than its deadline."""
    slow = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
    never_asked = f"{QUERY} # of another spelling"
    assert server.send(path(slow, timeout="0.1")).status == 503
    etag = server.send(path(never_asked)).headers["etag"]
    again = server.send(
        path(never_asked, timeout="7"), headers={"If-None-Match": etag, "Accept": "text/x, */*"}
    )
    assert (again.status, "kg-query-id" in again.headers) == (304, False)


def test_another_answer_has_another_etag(server: Server) -> None:
    asked = [
        server.send(path()),
        server.send(path(QUERY + " ")),
        server.send(path(format="csv")),
        server.send(path(rows="1")),
        server.send(path(**{"default-graph-uri": GRAPH + "one"})),
        server.send(path(**{"named-graph-uri": GRAPH + "one"})),
        server.send(path(), headers={"Accept-Encoding": "gzip"}),
    ]
    etags = {reply.headers["etag"] for reply in asked}
    assert len(etags) == len(asked)
    assert all(etag.startswith('"') and etag.endswith('"') for etag in etags)


def test_the_same_answer_has_one_etag_however_it_is_asked(server: Server) -> None:
    get = server.send(path(format="json"), headers={"Accept-Encoding": "identity"})
    named = server.send(path(timeout="2"), headers={"Accept": "application/json"})
    post = server.post(QUERY.encode(), "application/sparql-query")
    assert get.headers["etag"] == named.headers["etag"] == post.headers["etag"]


def test_a_post_is_never_304(server: Server) -> None:
    """RFC 9110, 13.1.2: only GET and HEAD are."""
    given = server.post(QUERY.encode(), "application/sparql-query")
    headers = {
        "Content-Type": "application/sparql-query",
        "If-None-Match": given.headers["etag"],
    }
    reply = server.send("/sparql", method="POST", body=QUERY.encode(), headers=headers)
    assert (reply.status, reply.body) == (200, given.body)


def test_an_answer_of_head_is_asked_for_again_and_one_of_a_release_is_not(
    server: Server, release: Release
) -> None:
    head, at = server.send(path()), server.send(f"/r/{release.name}{path()}")
    assert head.headers["cache-control"] == "no-cache"
    assert at.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (head.headers["etag"], head.body) == (at.headers["etag"], at.body)


@pytest.mark.parametrize(
    "call", ["NOW()", "rand()", "UUID()", "STRUUID ()", "BNODE()", 'BNODE("a")', "1+NOW( )"]
)
def test_an_answer_that_is_new_each_time_is_not_kept(server: Server, call: str) -> None:
    query = f"SELECT ({call} AS ?x) {{}}"
    first, second = server.send(path(query)), server.send(path(query))
    for reply in (first, second):
        assert (reply.status, reply.headers["cache-control"]) == (200, "no-store")
        assert "etag" not in reply.headers
        assert "kg-query-id" in reply.headers


def test_words_of_such_functions_in_strings_and_names_do_not_count(server: Server) -> None:
    query = f'SELECT ?now {{ BIND("NOW() RAND()" AS ?now) }} # UUID() {BASE}rand()'
    assert server.send(path(query)).headers["cache-control"] == "no-cache"


def test_an_error_is_not_kept(server: Server) -> None:
    reply = server.query("SELECT")
    assert (reply.headers["cache-control"], "etag" in reply.headers) == ("no-store", False)


@pytest.mark.parametrize("path", ["/sparql?query=ASK%7B%7D", "/graphs?default", "/id/a"])
def test_what_is_read_must_be_in_the_state_that_if_match_names(server: Server, path: str) -> None:
    """RFC 9110, section 13.1.1."""
    tag = server.send(path).headers["etag"]
    for field, status in (
        (tag, 200),
        ("*", 200),
        (f'"x", {tag}', 200),
        ('"x"', 412),
        (f"W/{tag}", 412),
    ):
        assert server.send(path, headers={"If-Match": field}).status == status, field
