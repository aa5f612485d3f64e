"""The query operation of SPARQL 1.1 Protocol, section 2.1, over real HTTP."""

import gzip
import json
import socket
from urllib.parse import urlencode

import pytest

from kg.namespaces import BASE, GRAPH
from kg.store.base import Release
from kg_server import Server

FORM = "application/x-www-form-urlencoded"
DIRECT = "application/sparql-query"
ONE = f"SELECT ?o WHERE {{ <{BASE}a> <{BASE}p> ?o }}"
ALL = f"SELECT ?o WHERE {{ ?s <{BASE}p> ?o }} ORDER BY ?o"
CSV = b"o\r\none\r\n"


def test_a_query_comes_by_get(server: Server) -> None:
    assert server.query(ONE, accept="text/csv").body == CSV


def test_a_query_comes_by_post_of_a_form(server: Server) -> None:
    body = urlencode({"query": ONE, "format": "csv"}).encode()
    assert server.post(body, FORM).body == CSV


def test_a_query_comes_by_post_direct_with_parameters_in_the_url(server: Server) -> None:
    reply = server.post(ONE.encode(), f"{DIRECT}; charset=UTF-8", "/sparql?format=csv")
    assert reply.body == CSV


def test_a_body_comes_in_chunks_without_a_length(server: Server) -> None:
    parts = iter([ONE[:20].encode(), ONE[20:].encode()])
    reply = server.post(parts, DIRECT, "/sparql?format=csv")
    assert reply.body == CSV


def test_an_answer_has_length_type_release_and_vary(server: Server, release: Release) -> None:
    reply = server.query(ONE, accept="text/csv")
    wanted = {
        "content-type": "text/csv; charset=utf-8",
        "content-length": str(len(CSV)),
        "kg-release": release.name,
        "vary": "Accept, Accept-Encoding",
        "cache-control": "no-cache",
    }
    assert {name: reply.headers.get(name) for name in wanted} == wanted


def test_an_answer_spooled_to_a_file_is_sent_with_its_length(server: Server) -> None:
    reply = server.query(f"SELECT ?s ?o WHERE {{ ?s <{BASE}q> ?o }}")
    assert len(reply.body) > 16 * 1024
    assert int(reply.headers["content-length"]) == len(reply.body)
    assert len(json.loads(reply.body)["results"]["bindings"]) == 300
    assert "transfer-encoding" not in reply.headers


def test_head_has_the_headers_of_get_and_no_body(server: Server) -> None:
    path = "/sparql?" + urlencode({"query": ONE})
    server.send(path)  # what was evaluated has the time that it took in its head
    get, head = server.send(path), server.send(path, method="HEAD")
    assert {**head.headers, "date": ""} == {**get.headers, "date": ""}
    assert (head.status, head.body) == (200, b"")


def test_options_lists_the_methods(server: Server) -> None:
    reply = server.send("/sparql", method="OPTIONS")
    assert (reply.status, reply.body, "content-type" in reply.headers) == (204, b"", False)
    assert set(reply.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


def test_the_first_rows_are_given_and_the_answer_says_so(server: Server) -> None:
    path = "/sparql?" + urlencode({"query": ALL, "format": "csv", "rows": 2})
    reply = server.send(path)
    assert (reply.body, reply.headers["kg-truncated"]) == (b"o\r\nboth\r\none\r\n", "rows=2")
    assert server.send(path).headers["kg-truncated"] == "rows=2"  # also from what is kept


def test_an_answer_with_no_more_rows_is_not_cut(server: Server) -> None:
    reply = server.send("/sparql?" + urlencode({"query": ALL, "format": "csv", "rows": 3}))
    assert (reply.body.split(), "kg-truncated" in reply.headers) == (
        [b"o", b"both", b"one", b"two"],
        False,
    )


def test_ask_is_answered_as_json(server: Server) -> None:
    reply = server.query("ASK {}")
    assert reply.headers["content-type"] == "application/sparql-results+json"
    assert json.loads(reply.body) == {"head": {}, "boolean": True}


def test_a_graph_is_answered_as_turtle_by_default(server: Server) -> None:
    reply = server.query(f"CONSTRUCT WHERE {{ <{BASE}a> ?p ?o }}")
    assert reply.headers["content-type"] == "text/turtle; charset=utf-8"
    assert b'"one"' in reply.body


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ([], ["both", "one", "two"]),
        ([("default-graph-uri", GRAPH + "one")], ["both", "one"]),
        (
            [("default-graph-uri", GRAPH + "one"), ("default-graph-uri", GRAPH + "two")],
            ["both", "one", "two"],
        ),
        ([("named-graph-uri", GRAPH + "one")], []),
    ],
    ids=["none", "one", "two that share a triple", "named only"],
)
def test_dataset_parameters_choose_the_default_graph(
    server: Server, parameters: list[tuple[str, str]], expected: list[str]
) -> None:
    fields = [("query", ALL), ("format", "csv"), *parameters]
    reply = server.send("/sparql?" + urlencode(fields))
    assert reply.body.decode().split() == ["o", *expected]


def test_dataset_parameters_choose_the_named_graphs(server: Server) -> None:
    fields = [
        ("query", "SELECT DISTINCT ?g WHERE { GRAPH ?g { ?s ?p ?o } } ORDER BY ?g"),
        ("format", "csv"),
        ("named-graph-uri", GRAPH + "one"),
        ("named-graph-uri", GRAPH + "two"),
    ]
    reply = server.send("/sparql?" + urlencode(fields))
    assert reply.body.decode().split() == ["g", GRAPH + "one", GRAPH + "two"]


BAD_PARAMETERS = [
    ("format=csv&timeout=1", "the parameter query is missing"),
    ("query=ASK+%7B%7D&query=ASK+%7B%7D", "the parameter query is given 2 times"),
    ("query=ASK+%7B%7D&format=csv&format=xml", "the parameter format is given 2 times"),
    ("query=%FF", "the request is not UTF-8"),
    ("update=CLEAR+ALL", "an update came by GET"),
    ("query=ASK+%7B%7D&timeout=-1", "timeout is '-1'"),
    ("query=ASK+%7B%7D&timeout=soon", "timeout is 'soon'"),
    ("query=ASK+%7B%7D&timeout=nan", "timeout is 'nan'"),
    ("query=ASK+%7B%7D&rows=0", "rows is '0'"),
    ("query=ASK+%7B%7D&rows=1e3", "rows is '1e3'"),
    ("query=ASK+%7B%7D&default-graph-uri=one", "default-graph-uri is 'one'"),
    ("query=ASK+%7B%7D&named-graph-uri=http://x/%3E", "named-graph-uri is 'http://x/>'"),
    ("query=ASK+%7B%7D&default-graph-uri=http://[", "default-graph-uri is 'http://['"),
    ("query=ASK+%7B%7D&default-graph-uri=http://a:b/", "default-graph-uri is 'http://a:b/'"),
    ("query=ASK+%7B%7D&named-graph-uri=http://x/%25zz", "named-graph-uri is 'http://x/%zz'"),
    ("query=ASK+%7B%7D&" + "&".join(["a=b"] * 1000), "there are more than 1000 parameters"),
]


@pytest.mark.parametrize(("parameters", "detail"), BAD_PARAMETERS)
def test_a_bad_parameter_is_named(server: Server, parameters: str, detail: str) -> None:
    reply = server.send(f"/sparql?{parameters}")
    assert (reply.status, reply.problem["detail"]) == (400, detail)


def test_a_query_in_both_url_and_body_is_refused(server: Server) -> None:
    path = "/sparql?" + urlencode({"query": ONE})
    reply = server.post(ONE.encode(), DIRECT, path)
    assert (reply.status, reply.problem["detail"]) == (400, "the parameter query is given 2 times")


def test_a_body_that_is_not_utf8_is_refused(server: Server) -> None:
    reply = server.post(b"ASK {} #\xff", DIRECT)
    assert (reply.status, reply.problem["detail"]) == (400, "the request is not UTF-8")


@pytest.mark.parametrize("kind", ["text/plain", f"{DIRECT}; charset=utf-16", None])
def test_a_body_of_another_type_is_415(server: Server, kind: str | None) -> None:
    reply = server.post(b"ASK {}", kind)
    assert (reply.status, reply.problem["title"]) == (415, "Unsupported media type")


def test_a_compressed_body_is_415(server: Server) -> None:
    headers = {"Content-Type": DIRECT, "Content-Encoding": "gzip"}
    body = gzip.compress(b"ASK {}")
    reply = server.send("/sparql", method="POST", body=body, headers=headers)
    detail = f"a body of type {DIRECT} in Content-Encoding gzip is not taken here"
    assert (reply.status, reply.problem["detail"]) == (415, detail)


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"CLEAR ALL", "application/sparql-update"), (b"update=CLEAR+ALL", FORM)],
)
def test_an_update_by_post_is_forbidden_without_tokens(
    server: Server, body: bytes, kind: str
) -> None:
    reply = server.post(body, kind)
    assert (reply.status, reply.problem["title"]) == (403, "Forbidden")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_413_and_names_it(server: Server, chunked: bool) -> None:
    query = b"ASK {}" + b"#" * 500_000
    body = iter([query[:6], query[6:]]) if chunked else query
    reply = server.post(body, DIRECT)
    assert (reply.status, reply.problem["limit"]) == (413, 500_000)


def test_a_body_at_the_limit_is_read_whole(server: Server) -> None:
    """Its query is over the limit of a query, so the answer tells how much was read."""
    reply = server.post(iter([b"ASK {}", b"#" * 499_994]), DIRECT)
    assert reply.problem["detail"] == "the query has 500000 bytes; the limit is 400000"


def test_half_a_body_is_not_taken_for_a_query(server: Server) -> None:
    head = f"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: {DIRECT}\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(f"{head}Content-Length: 100\r\n\r\nASK {{}}".encode())
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1000).startswith(b"HTTP/1.1 400 ")


def test_a_query_over_the_limit_is_413_and_names_it(server: Server) -> None:
    body = b"ASK {}" + b"#" * 400_000
    reply = server.post(body, DIRECT)
    assert (reply.status, reply.problem["limit"]) == (413, 400_000)
