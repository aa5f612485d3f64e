"""Whatever bytes come in, what goes out is HTTP as documented, and the server lives.

Requests are made of parts that are each right, odd or wrong, so that most get far.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree
from urllib.parse import quote_from_bytes, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg.namespaces import BASE, GRAPH
from kg.store.base import Release
from kg.store.tokens import Scope, Tokens
from kg_server import Server, running
from processes import alive, eventually, front, workers
from raw_http import Malformed, RawReply, connect, read_reply, received, replies, send

DOCUMENT = Path(__file__).parents[2] / "docs" / "http.md"
_ROW = re.compile(r"^\|([^|]*)\|", re.MULTILINE)
ERRORS = {
    int(status)
    for row in _ROW.findall(DOCUMENT.read_text())
    for status in re.findall(r"\b[1-5]\d\d\b", row)
}
FINE = {200, 201, 204, 206, 304}
BEFORE_US = {400, 413, 414, 431, 505}
"""What the reader of heads answers by itself, without a body, before anything of ours is asked."""
TEXTS = {"application/problem+json", "text/plain; charset=utf-8", "text/html; charset=utf-8"}
REPORT = "text/turtle; charset=utf-8"
SECONDS = 5.0
MANY = settings(
    max_examples=1500,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


LIMITS = {
    "workers": 2,
    "deadline": 1.0,
    "queue_seconds": 2.0,
    "body_seconds": 0.3,
    "send_seconds": 1.0,
    "body_bytes": 20_000,
    "write_bytes": 20_000,
    "query_bytes": 10_000,
    "client_rate": 10**9,
}


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """A server that gives up soon, of a store that may be written with the token."""

    server: Server
    token: str

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server.port


@pytest.fixture(scope="module")
def fuzzed(_built_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    folder = tmp_path_factory.mktemp("fuzz")
    store = copytree(_built_once, folder / "store")
    token = Tokens(store).create("fuzz", (Scope.WRITE,), days=1, now=datetime.now(UTC))
    with _unharmed(store, folder / "log") as server:
        yield Fuzzed(server, token)


@pytest.fixture(scope="module")
def reading(
    folder: Path, release: Release, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with _unharmed(folder, tmp_path_factory.mktemp("reading") / "log") as server:
        yield server


@contextmanager
def _unharmed(store: Path, log: Path) -> Iterator[Server]:
    """After all of them the front is the same, its workers are whole, and it met no surprise."""
    with running(store, log, **LIMITS) as server:
        serving = front(server)
        yield server
        assert alive(serving)
        assert eventually(lambda: len(workers(server)) == LIMITS["workers"] + 1)
        assert server.query("ASK {}").status == 200
    assert not re.search("Traceback|event=failed", log.read_text())


# --- requests made of parts -----------------------------------------------------------------

TOKEN = "TOKEN"  # noqa: S105 - no secret
"""What stands for the token, which is another one each time."""
QUERIES = [
    "ASK {}",
    "SELECT * { ?s ?p ?o } LIMIT 3",
    f"SELECT ?o {{ <{BASE}a> ?p ?o }}",
    f"CONSTRUCT WHERE {{ <{BASE}a> ?p ?o }}",
    f"DESCRIBE <{BASE}a>",
    "SELECT (NOW() AS ?now) {}",
    "ASK { SERVICE <http://127.0.0.1:9/> {} }",
    "SELECT ?x { BIND(1/0 AS ?x) }",
    'SELECT ("\\u0001" AS ?x) {}',
    "CLEAR ALL",
    "INSERT DATA { GRAPH <http://ex/g> { <a:a> <a:b> 1 } }",
    "ASK {",
    "",
    "\N{ZERO WIDTH SPACE}ASK {} # \N{GRINNING FACE}\n",
    "ASK { FILTER(" + "(" * 200,
]
PATHS = [
    *("/", "/sparql", "/graphs", "/graphs/one", "/graphs/new", "/id/a", "/id/a.ttl", "/id/"),
    *("/static/style.css", "/static/../app.py", "/queries/abcdefgh", "/nothing", "*", "//", "/r/"),
    *("/dump/x.nq.gz", "/r/x/sparql", "/sparql/", "/SPARQL", "/%", "/id/%00", "/id/%ff", "/id/é"),
    *("/id/a b", "/id/<>", "/graphs?default", f"/graphs?graph={GRAPH}one", "/graphs?graph="),
    *("/cite", "/cite?title=x", "/cite?release=1", "/c/0123456789abcdef", "/c/x/verify?at=HEAD"),
    *("http://other/sparql", "/id/a?format=xml", "/id/a?format=jsonld&format=csv", "/r/x/id/a"),
]
TYPES = [
    *("application/sparql-query", "application/x-www-form-urlencoded", "text/turtle", "text/html"),
    *(
        "application/sparql-update",
        "application/sparql-query; charset=utf-16",
        "multipart/form-data",
    ),
    *("multipart/form-data; boundary=x", "application/ld+json", "application/rdf+xml", "*/*", ";"),
    *("application/sparql-query;charset=UTF-8", "APPLICATION/SPARQL-QUERY", "text/plain, text/xml"),
]
ACCEPTS = [
    *(
        "*/*",
        "text/csv",
        "application/sparql-results+xml;q=0.5, */*;q=0.1",
        "text/html",
        "image/png",
    ),
    *(
        "text/turtle",
        "application/ld+json",
        "text/*;q=0",
        ";;;",
        ",",
        "*",
        "a/b;q=x",
        "*/*;q=9",
        "",
    ),
]
VALUES = st.one_of(
    st.sampled_from(
        ["", "0", "1", "-1", "nan", "inf", "1e3", "0.5", "5", "json", "csv", "xml", "x"]
    ),
    st.sampled_from(
        ["turtle", "jsonld", "rdfxml", "nquads", GRAPH + "one", GRAPH + "x", "a:b", "<"]
    ),
    st.sampled_from(
        ["http://[", "http://ex/%zz", "*", '"', 'W/"x"', "\N{SNOWMAN}", "\0", "\r\nX: y"]
    ),
    st.text(max_size=20),
)
PARAMETERS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("query", "query", "query", "update", "format", "timeout", "rows", "graph"),
                *("default", "default-graph-uri", "named-graph-uri", "using-graph-uri"),
                *("using-named-graph-uri", "release", "", "other"),
            ]
        ),
        st.one_of(st.sampled_from(QUERIES), VALUES),
    ),
    max_size=2,
)
FIELD_VALUES = st.one_of(
    st.sampled_from([*ACCEPTS, *TYPES, "gzip", "zstd;q=0.5, *;q=0", "identity;q=0", "bytes=0-5"]),
    st.sampled_from(["bytes=9-", "100-continue", "close", "upgrade", "Bearer kg_x", "Basic YTpi"]),
    st.text(
        st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30
    ),
)
FIELDS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("Accept", "Accept", "Accept-Encoding", "If-None-Match", "If-Match", "Range"),
                *("Authorization", "Content-Encoding", "Origin", "KG-Query-Id", "KG-Query-Key"),
                *(
                    "Access-Control-Request-Method",
                    "Expect",
                    "X-Forwarded-For",
                    "Cookie",
                    "If-Range",
                ),
            ]
        ),
        FIELD_VALUES,
    ),
    max_size=3,
)
METHODS = st.sampled_from(
    [
        "GET",
        "GET",
        "GET",
        "POST",
        "POST",
        "POST",
        "HEAD",
        "PUT",
        "DELETE",
        "OPTIONS",
        "PATCH",
        "BREW",
    ]
)
BODIES = st.one_of(
    st.sampled_from([query.encode() for query in QUERIES]),
    PARAMETERS.map(lambda pairs: urlencode(pairs, errors="surrogatepass").encode()),
    st.binary(max_size=60),
    st.sampled_from(
        [b"<a:a> <a:b> 1 .", b"{}", b"<rdf:RDF/>", b"--x\r\n\r\n\r\n--x--", b"\xff" * 30_000]
    ),
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, list[bytes]]:
    """The method, and a request with its body, whole and framed as HTTP has it."""
    method, path = draw(METHODS), draw(st.one_of(st.just("/sparql"), st.sampled_from(PATHS)))
    asked = draw(st.lists(st.sampled_from(QUERIES).map(lambda query: ("query", query)), max_size=1))
    parameters = urlencode([*asked, *draw(PARAMETERS)], errors="surrogatepass")
    raw = quote_from_bytes(draw(st.binary(max_size=8)), safe="&=+;/?:@%")
    separator = "&" if "?" in path else "?"
    target = f"{path}{separator}{parameters}{raw}" if draw(st.booleans()) else path
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in draw(FIELDS)]
    parts: list[bytes] = []
    if method in ("POST", "PUT", "DELETE", "PATCH") or draw(st.integers(0, 9)) == 0:
        lines += [
            f"Content-Type: {kind}" for kind in draw(st.lists(st.sampled_from(TYPES), max_size=1))
        ]
        framing, parts = _framed(draw(BODIES), draw(st.booleans()))
        lines.append(framing)
    if draw(st.booleans()):
        lines.append(f"Authorization: Bearer {TOKEN}")
    head = "\r\n".join(lines).encode("utf-8", "surrogatepass")
    return method, [head + b"\r\n\r\n", *parts]


def _framed(body: bytes, chunked: bool) -> tuple[str, list[bytes]]:
    if not chunked:
        return f"Content-Length: {len(body)}", [body]
    middle = len(body) // 2
    chunks = [chunk for chunk in (body[:middle], body[middle:]) if chunk]
    return "Transfer-Encoding: chunked", [
        *(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n" for chunk in chunks),
        b"0\r\n\r\n",
    ]


UPDATES = [
    "INSERT DATA { GRAPH <http://ex/g> { <a:a> <a:b> 1 } }",
    "WITH <http://ex/g> DELETE { ?s ?p ?o } INSERT { ?s ?p 2 } WHERE { ?s ?p ?o }",
    "DELETE WHERE { GRAPH <http://ex/g> { ?s ?p ?o } } ; CREATE SILENT GRAPH <http://ex/h>",
    "DROP GRAPH <http://ex/none>",
    "COPY <http://ex/g> TO <http://ex/h>",
    "CLEAR ALL",
    "INSERT DATA { <a:a> <a:b> 1 }",
    "LOAD <http://127.0.0.1:9/>",
    "INSERT { GRAPH ?g { ?s ?p 1 } } WHERE { GRAPH ?g { ?s ?p ?o } }",
    f"INSERT DATA {{ GRAPH <http://ex/g> {{ <a:a> a <{BASE}ns/FigureClaim> }} }}",
    "INSERT DATA {",
    "",
]
GRAPHS = [
    *("/graphs", "/graphs/new", "/graphs?default", "/graphs?graph=http%3A%2F%2Fex%2Fg", "/graphs/"),
    *(
        "/graphs?graph=g",
        "/graphs?graph=http://ex/g&graph=http://ex/h",
        "/graphs?graph=http://ex/h&default",
    ),
    *(
        "/graphs/new?default",
        f"/graphs?graph={GRAPH}ontology",
        "/r/x/graphs/new",
        "/graphs/%C3%A9%20",
    ),
]
DOCUMENTS = [
    ("text/turtle", b"<a:a> <a:b> 1 ."),
    ("text/turtle", b"<a:a> <a:b> <b> ."),
    ("text/turtle", b"<a:a> <a:b"),
    ("text/turtle", b""),
    ("application/n-triples", b"_:a <a:b> _:c ."),
    ("application/n-quads", b"<a:a> <a:b> <a:c> <a:g> ."),
    ("application/ld+json", b'{"@id": "a:a", "a:b": 1}'),
    ("application/ld+json", b"["),
    ("application/rdf+xml", b"<x/>"),
    (
        "multipart/form-data; boundary=x",
        b"--x\r\nContent-Type: text/turtle\r\n\r\n<a:a> <a:b> 1 .\r\n--x--",
    ),
    ("text/html", b"<p>"),
]
SENSIBLE = st.one_of(
    st.sampled_from(QUERIES).map(
        lambda it: ("GET", f"/sparql?{urlencode({'query': it})}", "", b"")
    ),
    st.sampled_from(QUERIES).map(
        lambda it: ("POST", "/sparql", "application/sparql-query", it.encode())
    ),
    st.sampled_from(UPDATES).map(
        lambda it: ("POST", "/sparql", "application/sparql-update", it.encode())
    ),
    st.tuples(
        st.sampled_from(["GET", "PUT", "POST", "DELETE"]),
        st.sampled_from(GRAPHS),
        st.sampled_from(DOCUMENTS),
    ).map(lambda it: (it[0], it[1], *it[2])),
)


@st.composite
def sensible_requests(draw: st.DrawFn) -> tuple[str, list[bytes]]:
    """A request whose parts belong together, but for a field or two."""
    method, target, kind, body = draw(SENSIBLE)
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {TOKEN}"]
    lines += [f"{name}: {value}" for name, value in draw(FIELDS)[:1]]
    parts: list[bytes] = []
    if kind and method != "GET":
        framing, parts = _framed(body, draw(st.booleans()))
        lines += [f"Content-Type: {kind}", framing]
    return method, ["\r\n".join(lines).encode() + b"\r\n\r\n", *parts]


@MANY
@given(request=requests())
def test_every_request_gets_an_answer_as_documented(
    fuzzed: Fuzzed, request: tuple[str, list[bytes]]
) -> None:
    _check_answer(fuzzed, *request)


@settings(MANY, max_examples=400)
@given(request=sensible_requests())
def test_every_request_that_may_write_gets_an_answer_as_documented(
    fuzzed: Fuzzed, request: tuple[str, list[bytes]]
) -> None:
    _check_answer(fuzzed, *request)


def _check_answer(fuzzed: Fuzzed, method: str, parts: list[bytes]) -> None:
    with connect(fuzzed.port, seconds=SECONDS) as client:
        send(client, [part.replace(TOKEN.encode(), fuzzed.token.encode()) for part in parts])
        reply = read_reply(client, seconds=SECONDS, head=method == "HEAD")
    _check(reply, head=method == "HEAD")


def _check(reply: RawReply, *, head: bool = False) -> None:
    """The status is in the table, an error says what was wrong, and no field is odd."""
    kind = reply.field("content-type")
    if not kind and reply.status in BEFORE_US:
        assert reply.body == b""
        return
    assert reply.status in FINE | ERRORS, reply
    assert reply.field("x-content-type-options") == "nosniff"
    assert not {name for name, _ in reply.fields} & {"x", "set-cookie"}
    if reply.status >= 400:
        assert kind in TEXTS or (reply.status, kind) == (422, REPORT), reply
        if kind == "application/problem+json" and not head:
            members = json.loads(reply.body)
            assert members["status"] == reply.status
            assert members["detail"]
            assert "Traceback" not in members["detail"]
        assert b"Traceback" not in reply.body


# --- the parameters of the protocol ---------------------------------------------------------

GOOD = {
    "query": QUERIES[:6],
    "format": [
        "json",
        "xml",
        "csv",
        "tsv",
        "turtle",
        "ntriples",
        "nquads",
        "trig",
        "rdfxml",
        "jsonld",
    ],
    "timeout": ["0.5", "1", "1000"],
    "rows": ["1", "2", "1000"],
    "default-graph-uri": [GRAPH + "one", GRAPH + "two", GRAPH + "none", GRAPH + "secret"],
    "named-graph-uri": [GRAPH + "one", GRAPH + "many", GRAPH + "secret"],
}
ONCE = ("format", "timeout", "rows")


@st.composite
def protocol_parameters(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Parameters that are each right: their combination may be refused for its format alone."""
    pairs = [("query", draw(st.sampled_from(GOOD["query"])))]
    for name in ONCE:
        pairs += [
            (name, value) for value in draw(st.lists(st.sampled_from(GOOD[name]), max_size=1))
        ]
    for name in ("default-graph-uri", "named-graph-uri"):
        pairs += [
            (name, value) for value in draw(st.lists(st.sampled_from(GOOD[name]), max_size=3))
        ]
    return draw(st.permutations(pairs))


WAYS = ["get", "form", "direct", "form in both"]


@settings(MANY, max_examples=400)
@given(pairs=protocol_parameters(), ways=st.permutations(WAYS))
def test_the_ways_to_send_the_same_parameters_give_the_same_answer(
    reading: Server, pairs: list[tuple[str, str]], ways: list[str]
) -> None:
    """SPARQL 1.1 Protocol, 2.1: by GET, by a form, and direct with the others in the URL."""
    first, second = (_answered(reading, pairs, way) for way in ways[:2])
    assert first.status in {200, 406}
    if "NOW" not in dict(pairs)["query"]:
        assert (first.status, first.body) == (second.status, second.body)


def _answered(server: Server, pairs: list[tuple[str, str]], way: str) -> RawReply:
    query = [pair for pair in pairs if pair[0] == "query"]
    others = [pair for pair in pairs if pair[0] != "query"]
    kind = "application/x-www-form-urlencoded"
    if way == "get":
        reply = server.send(f"/sparql?{urlencode(pairs)}")
    elif way == "form":
        reply = server.post(urlencode(pairs).encode(), kind)
    elif way == "direct":
        body = query[0][1].encode()
        reply = server.post(body, "application/sparql-query", f"/sparql?{urlencode(others)}")
    else:
        reply = server.post(urlencode(query).encode(), kind, f"/sparql?{urlencode(others)}")
    raw = RawReply(reply.status, tuple(reply.headers.items()), reply.body)
    _check(raw)
    return raw


# --- bytes that are hardly requests -----------------------------------------------------------

PIECES = st.sampled_from(
    [
        *(b"GET ", b"POST ", b"/sparql", b"?query=ASK%7B%7D", b" HTTP/1.1", b" HTTP/1.0", b"\r\n"),
        *(b"Host: x\r\n", b"Content-Length: 6\r\n", b"Content-Length: 3\r\n", b"\r\n\r\n", b"\n"),
        *(b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n", b"6\r\n"),
        *(
            b"ASK {}",
            b"0\r\n\r\n",
            b"0;x=y\r\nX: y\r\n\r\n",
            b"Content-Type: application/sparql-query\r\n",
        ),
        *(
            b"Connection: close\r\n",
            b"Connection: upgrade\r\n",
            b"Expect: 100-continue\r\n",
            b": ",
            b" ",
        ),
        *(
            b"\0",
            b"\xff",
            b"X",
            b"%",
            b"*",
            b"http://x/",
            b"-1\r\n",
            b"ffffffffffffffff\r\n",
            b"X" * 9000,
        ),
    ]
)
GARBAGE = st.lists(st.one_of(PIECES, st.binary(max_size=6)), min_size=1, max_size=12).map(b"".join)
START = b"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\nHost: x\r\n"


@MANY
@given(data=st.one_of(GARBAGE, GARBAGE.map(lambda rest: START + rest)), leave=st.booleans())
def test_bytes_that_are_hardly_requests_get_answers_or_the_end_of_the_connection(
    fuzzed: Fuzzed, data: bytes, leave: bool
) -> None:
    """Either the client leaves at once, or it tells that it sends no more and reads to the end."""
    with connect(fuzzed.port, seconds=SECONDS) as client:
        sent = send(client, [data])
        if leave:
            return
        with suppress(OSError):  # the server has ended the connection already
            client.shutdown(socket.SHUT_WR)
        answered = received(client, SECONDS, sent=sent)
    for reply in replies(answered, head=b"HEAD" in data):
        assert reply.whole
        _check(reply)


def test_the_strict_reader_is_strict() -> None:
    """What these tests rest on."""
    for bad in (
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nA: b\nC: d\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore\r\n\r\n",
        b"HTTP/2 200\r\nContent-Length: 0\r\n\r\n",
    ):
        with pytest.raises(Malformed):
            list(replies(bad))
    short = next(replies(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody"))
    assert (short.body, short.whole) == (b"body", False)


def test_the_table_of_statuses_is_read_from_the_documentation() -> None:
    assert {400, 401, 403, 404, 405, 406, 408, 412, 413, 415, 422, 429, 503} <= ERRORS
    assert 500 not in ERRORS
