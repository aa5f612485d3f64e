"""What every answer has, whatever was asked; and what no request can do to the server."""

import http.client
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg.namespaces import BASE
from kg.web.bodies import OpenFile, kept
from kg.web.headers import finished
from kg_server import Server
from raw_http import reply, request

BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"
LARGE = "/sparql?" + urlencode({"query": f"SELECT * {{ ?s <{BASE}q> ?o . ?x <{BASE}q> ?y }}"})
ANSWERS = [
    ("/", "GET"),
    ("/sparql?query=ASK%7B%7D", "GET"),
    ("/sparql?query=ASK", "GET"),
    ("/sparql", "DELETE"),
    ("/nowhere", "GET"),
    ("/id/a", "HEAD"),
    ("/static/style.css", "GET"),
    ("/queries/nothing-here", "DELETE"),
    ("/sparql", "OPTIONS"),
]


@pytest.mark.parametrize(("path", "method"), ANSWERS)
def test_every_answer_may_be_read_by_any_page_and_guessed_by_none(
    server: Server, path: str, method: str
) -> None:
    headers = server.send(path, method=method).headers
    assert headers["access-control-allow-origin"] == "*"
    assert "KG-Release" in headers["access-control-expose-headers"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["server"] == "kg"


def test_a_page_runs_the_servers_scripts_alone_and_data_runs_in_a_sandbox(server: Server) -> None:
    page = server.send("/", headers={"Accept": BROWSER}).headers["content-security-policy"]
    data = server.send("/id/a.rdf").headers["content-security-policy"]
    assert page.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "unsafe" not in page
    assert data.endswith("; sandbox")


@pytest.mark.parametrize("path", ["/", "/static/style.css", "/sparql?query=ASK%7B%7D"])
def test_an_answer_that_did_not_change_leaves_the_policy_as_it_was(
    server: Server, path: str
) -> None:
    """A browser takes the fields of a 304 for those of the page that it has."""
    tag = server.send(path, headers={"Accept": BROWSER}).headers["etag"]
    again = server.send(path, headers={"Accept": BROWSER, "If-None-Match": tag})
    assert again.status == 304
    assert "content-security-policy" not in again.headers


def test_a_preflight_allows_the_methods_and_fields(server: Server) -> None:
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    reply = server.send("/sparql", method="OPTIONS", headers=asked)
    assert (reply.status, reply.body) == (204, b"")
    assert "POST" in reply.headers["access-control-allow-methods"].split(", ")
    assert "KG-Query-Key" in reply.headers["access-control-allow-headers"].split(", ")
    assert int(reply.headers["access-control-max-age"]) > 0


def test_options_of_the_server_itself_is_answered(server: Server) -> None:
    assert server.send("*", method="OPTIONS").status == 204


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\nb", "a\0b", "caf\u00e9", "\x7f"])
def test_a_field_that_could_begin_another_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="the field location"):
        finished([("Location", value)])


TRAVERSALS = [
    "/static/../app.py",
    "/static/%2e%2e/app.py",
    "/static/..%2fapp.py",
    "/static/..%5capp.py",
    "/static//etc/passwd",
    "/static/%2fetc%2fpasswd",
    "/static/style.css%00.html",
    "/dump/..%2f..%2fHEAD.nq.gz",
    "/dump/%00.nq.gz",
    "/r/..%2f../sparql?query=ASK%7B%7D",
    "/r/../../HEAD",
    "/id/..%2f..%2f..%2fetc%2fpasswd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/%FF%FE",
    "/id/%C3%28",
    "/id/%0d%0aSet-Cookie:%20a=b",
]


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_path_leads_out_of_what_is_served(server: Server, path: str) -> None:
    reply = server.send(path)
    assert (reply.status, "set-cookie" in reply.headers) == (404, False)
    assert b"root:" not in reply.body and b"import" not in reply.body


def test_two_slashes_in_a_row_are_another_iri(server: Server) -> None:
    reply = server.send("/id//a")
    assert (reply.status, "location" in reply.headers) == (404, False)


def test_a_long_query_string_is_answered(server: Server) -> None:
    reply = server.send("/sparql?" + urlencode({"query": "ASK {} #" + "x" * 60_000}))
    assert reply.status == 200


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    target=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40),
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE", "QUERY"]),
    field=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
)
def test_no_request_is_an_error_of_the_server(
    server: Server, target: str, method: str, field: str
) -> None:
    names = ("Accept", "Accept-Encoding", "If-None-Match", "Range", "KG-Query-Id", "Authorization")
    for path in (f"/{target}", f"/sparql?query=ASK%7B%7D&{target}", f"/id/{target}"):
        reply = server.send(path, method=method, headers=dict.fromkeys(names, field))
        assert reply.status < 500


def test_head_of_a_large_answer_has_its_length(server: Server) -> None:
    path = "/sparql?" + urlencode({"query": f"SELECT * {{ ?s <{BASE}q> ?o }}"})
    get, head = server.send(path), server.send(path, method="HEAD")
    assert len(get.body) > 16 * 1024
    assert (head.body, head.headers["content-length"]) == (b"", str(len(get.body)))


def test_a_small_content_stays_in_memory_and_a_large_one_is_a_file() -> None:
    large = kept(bytes(range(256)) * 1000)
    assert kept(b"a") == b"a"
    assert isinstance(large, OpenFile)
    assert b"".join(large.pieces()) == bytes(range(256)) * 1000


def _descriptors(server: Server) -> int:
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in _fronts(server))


def _fronts(server: Server) -> Iterator[int]:
    """The serving process; a worker is a program of its own."""
    for pid in server.children():
        if b"kg.store.worker" not in Path(f"/proc/{pid}/cmdline").read_bytes():
            yield pid


def test_answers_in_files_arrive_whole_and_leave_no_descriptor(server: Server) -> None:
    """Not kept, so each is a file of its own that is closed once it is sent."""
    fresh = f"SELECT * {{ ?s <{BASE}q> ?o BIND(STRUUID() AS ?x) }}"
    path = "/sparql?" + urlencode({"query": fresh})
    server.send(path)
    before = _descriptors(server)
    with ThreadPoolExecutor(2) as clients:
        replies = list(clients.map(server.send, [path] * 60))
    lengths = {(reply.status, len(reply.body)) for reply in replies}
    assert len(lengths) == 1 and min(lengths)[1] > 40_000
    end = time.monotonic() + 5
    while _descriptors(server) > before + 4 and time.monotonic() < end:
        time.sleep(0.05)
    assert _descriptors(server) <= before + 4


def test_an_answer_tells_how_long_it_waited_and_worked(server: Server) -> None:
    timing = server.query("ASK {} # timed").headers["server-timing"]
    names = [part.partition(";dur=")[0] for part in timing.split(", ")]
    times = [float(part.partition(";dur=")[2]) for part in timing.split(", ")]
    assert names == ["queue", "work", "total"]
    assert 0 < times[1] <= times[2]


def test_many_requests_on_one_connection_are_answered_in_turn(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for number in range(50):
        connection.request("GET", f"/sparql?query=ASK%7B%7D%23{number % 7}")
        reply = connection.getresponse()
        assert (reply.status, len(reply.read())) == (200, 26)
    connection.close()


def test_pipelined_requests_are_answered_in_turn(server: Server) -> None:
    one = b"GET /sparql?query=ASK%7B%7D HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(one * 20)
        taken = b""
        while taken.count(b"HTTP/1.1 200 OK") < 20 or not taken.endswith(b"}"):
            part = client.recv(65536)
            assert part
            taken += part
    assert taken.count(b"boolean") == 20


@pytest.mark.parametrize(
    ("hosts", "status"),
    [
        (["Host: example.org"], 200),
        (["Host: [::1]:8080"], 200),
        (["Host:"], 200),
        ([], 400),
        (["Host: a", "Host: b"], 400),
        (["Host: a b"], 400),
        (["Host: a/b"], 400),
    ],
)
def test_a_request_names_one_host(server: Server, hosts: list[str], status: int) -> None:
    """RFC 9112, section 3.2."""
    for target in ("/", "/sparql?query=ASK%7B%7D", "/sparql?query=ASK%7B%7D"):
        assert reply(server.port, request("GET", target, hosts, host=None)).status == status, target


def test_a_method_in_small_letters_is_no_method(server: Server) -> None:
    assert reply(server.port, request("get", "/sparql?query=ASK%7B%7D")).status == 400


def test_a_connection_ends_after_a_body_with_two_lengths(server: Server) -> None:
    """RFC 9112, section 6.1: a proxy may have seen another request."""
    chunked = ["Transfer-Encoding: chunked", "Content-Type: application/sparql-query"]
    asked = (
        request("POST", "/sparql", [*chunked, "Content-Length: 5"]) + b"6\r\nASK {}\r\n0\r\n\r\n"
    )
    answer = reply(server.port, asked)
    assert (answer.status, answer.field("connection")) == (200, "close")


def test_an_update_beside_a_query_is_refused_however_it_is_spelt(server: Server) -> None:
    for name in ("update", "%75pdate"):
        assert server.send(f"/sparql?query=ASK%7B%7D&{name}=x").status == 400
