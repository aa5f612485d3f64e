"""Whatever one client sends, it gets a clear status soon, and the next is answered at once."""

from __future__ import annotations

import shutil
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pytest

from hostile_cases import (
    BODY_BYTES,
    CROSS,
    DEEP,
    DIRECT,
    DOCUMENTS,
    ENDLESS,
    MIB,
    QUERIES,
    QUERY,
    QUERY_BYTES,
    REQUESTS,
)
from kg.namespaces import GRAPH
from kg.store.tokens import Scope, Tokens
from kg_server import Server, running
from processes import alive, descriptors, eventually, front, resident, workers
from raw_http import (
    Malformed,
    RawReply,
    connect,
    exchange,
    read_reply,
    replies,
    reply,
    request,
    send,
)

DEADLINE = 0.6
QUEUE_SECONDS = 0.5
SLOWEST = 1.0
"""Seconds that a body may take to arrive, and that a client may read nothing."""
WORKERS = 2
QUEUE_LENGTH = 32
SOON = 1.0
GROWTH = 100 * MIB
"""Bytes that the front may have more after a hostile client than before all of them."""
MANY = 200

_unlike = count()


@dataclass(frozen=True, slots=True)
class Target:
    """The server that all of them meet, and what its front was before."""

    server: Server
    token: str
    front: int
    resident: int
    descriptors: int
    largest: list[int]

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server.port


@pytest.fixture(scope="module")
def target(_built_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("hostile")
    store = shutil.copytree(_built_once, folder / "store")
    token = Tokens(store).create("hostile", (Scope.WRITE,), days=1, now=datetime.now(UTC))
    with running(
        store,
        folder / "log",
        workers=WORKERS,
        deadline=DEADLINE,
        queue_seconds=QUEUE_SECONDS,
        queue_length=QUEUE_LENGTH,
        worker_memory=400 * MIB,
        answer_bytes=8 * MIB,
        spool_memory=64 * 1024,
        query_bytes=QUERY_BYTES,
        body_bytes=BODY_BYTES,
        body_seconds=SLOWEST,
        send_seconds=SLOWEST,
        write_bytes=16 * MIB,
        write_seconds=1.5,
        client_rate=10**9,
    ) as server:
        assert _simple(server).status == 200
        serving = front(server)
        yield Target(server, token, serving, resident(serving), descriptors(serving), [])


@pytest.fixture(autouse=True)
def _unharmed(target: Target) -> Iterator[None]:
    """After each of them: the same front, its memory back, its workers whole, and an answer."""
    yield
    # Of clients that have just left, the last are noticed some milliseconds later.
    assert eventually(lambda: _soon(target), SOON)
    assert alive(target.front)
    assert eventually(lambda: len(workers(target.server)) == WORKERS + 1)
    assert front(target.server) == target.front
    assert eventually(lambda: descriptors(target.front) <= target.descriptors + 8, SLOWEST + 3)
    target.largest.append(resident(target.front))
    assert target.largest[-1] < target.resident + GROWTH


def _simple(server: Server) -> RawReply:
    """The answer to a small query that no cache has."""
    return _posted(server.port, f"ASK {{ VALUES ?n {{ {next(_unlike)} }} ?s a ?o }}")


def _posted(port: int, query: str, *fields: str, seconds: float = 10.0) -> RawReply:
    """The answer to a query by POST."""
    return reply(port, _post(query, *fields), seconds=seconds)


def _post(query: str, *fields: str) -> bytes:
    return request("POST", "/sparql", [DIRECT, *fields], query.encode())


# --- queries ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [pytest.param(query, expected, id=name) for name, query, expected in QUERIES],
)
def test_a_hostile_query_is_answered_in_time(
    target: Target, query: str, expected: set[tuple[int, str]]
) -> None:
    begun = time.monotonic()
    answer = _posted(target.port, query)
    assert time.monotonic() - begun < DEADLINE + 2  # of these one is for a machine that is busy
    assert (answer.status, _title(answer)) in expected


def _title(answer: RawReply) -> str:
    return "" if answer.status == 200 else str(answer.problem["title"])


# --- requests ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "expected"),
    [pytest.param(parts, expected, id=name) for name, parts, expected in REQUESTS],
)
def test_a_hostile_request_is_answered_in_time(
    target: Target, parts: list[bytes], expected: set[int]
) -> None:
    """Status 0 is a connection that was closed without a word, as for what is no HTTP."""
    begun = time.monotonic()
    with connect(target.port) as client:
        sent = send(client, parts)
        try:
            status = read_reply(client).status
        except (Malformed, ConnectionResetError):
            status = 0
    assert time.monotonic() - begun < SLOWEST + 2
    assert status in expected | (set() if sent else {0})


LINE_BREAKS = ["%0D%0ASet-Cookie:%20a=b", "%0d%0a%0d%0a<html>", "%0A", "%0D", "%E5%98%8A", "%00"]
PATHS = [
    f"{QUERY}&format={{}}",
    f"{QUERY}&timeout={{}}",
    f"{QUERY}&rows={{}}",
    f"{QUERY}&default-graph-uri=http://x/{{}}",
    "/id/{}",
    "/id/{}.ttl",
    "/graphs?graph=http://x/{}",
    "/graphs/{}",
    "/dump/{}.nq.gz",
    "/r/{}/sparql?query=ASK%7B%7D",
    "/queries/{}",
    "/{}",
    "/static/{}",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS"])
def test_a_line_break_in_a_request_makes_no_field(target: Target, path: str, method: str) -> None:
    for part in LINE_BREAKS:
        answer = reply(target.port, request(method, path.format(part)))
        assert answer.status in {200, 204, 400, 401, 403, 404, 405, 406, 414}
        assert not {name for name, _ in answer.fields} & {"set-cookie", "<html>"}


@pytest.mark.parametrize("name", ["KG-Query-Id", "KG-Query-Key", "If-None-Match", "Origin"])
@pytest.mark.parametrize("value", ["a\x0bb", "\x7f" * 20, "caf\xe9-caf\xe9", "%0D%0AX: y", '"'])
def test_the_value_of_a_field_is_not_given_back_unread(
    target: Target, name: str, value: str
) -> None:
    answer = reply(target.port, request("GET", QUERY, [f"{name}: {value}"]))
    assert answer.status in {200, 400}
    assert "x" not in {name for name, _ in answer.fields}


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../kg-store.json",
        "/static/%2e%2e/%2e%2e/app.py",
        "/static/..%2f..%2fapp.py",
        "/static/....//....//app.py",
        "/static/%2fetc%2fpasswd",
        "//etc/passwd",
        "/static//etc/passwd",
        "/static/..%5c..%5capp.py",
        "/static/style.css%00.txt",
        "/dump/../HEAD",
        "/dump/..%2f..%2fHEAD.nq.gz",
        "/r/..%2f..%2f/sparql?query=ASK%7B%7D",
        "/r/%2e%2e/dump/x.nq.gz",
        "/id/../../HEAD",
        "/graphs/..%2f..%2fkg-store.json",
        "http://other/static/../app.py",
    ],
)
def test_no_path_leads_out_of_what_is_served(target: Target, path: str) -> None:
    answer = reply(target.port, request("GET", path))
    assert answer.status in {400, 404}
    assert not any(word in answer.body for word in (b"root:", b"def create_app", b'"format"'))


# --- writes -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "document"), [pytest.param(kind, text, id=name) for name, kind, text in DOCUMENTS]
)
def test_a_hostile_document_is_refused_in_time(target: Target, kind: str, document: str) -> None:
    answer = _put(target, document.encode(), kind)
    assert (answer.status, _title(answer)) in {
        (400, "Malformed data"),
        (503, "Worker died"),
        (503, "Memory exceeded"),
        (503, "Deadline exceeded"),
    }
    assert b"root:" not in answer.body
    assert _soon(target)


def test_a_document_over_the_limit_is_413(target: Target) -> None:
    answer = _put(target, b"#" * (16 * MIB + 1), "text/turtle")
    assert (answer.status, answer.problem["limit"]) == (413, 16 * MIB)


@pytest.mark.parametrize(
    ("update", "status"),
    [
        ("INSERT DATA { GRAPH <a:g> " + "{" * DEEP + "}" * DEEP + " }", 400),
        (" ; ".join(["CLEAR SILENT GRAPH <a:g>"] * 4_000), 204),
        (f"INSERT {{ GRAPH <{GRAPH}x> {{ ?a ?b ?l }} }} WHERE {{ {CROSS} }}", 503),
    ],
    ids=["deep", "4,000 operations", "a cross product"],
)
def test_a_hostile_update_is_refused_in_time(target: Target, update: str, status: int) -> None:
    fields = ["Content-Type: application/sparql-update", f"Authorization: Bearer {target.token}"]
    parts = request("POST", "/sparql", fields, update.encode())
    assert reply(target.port, parts, seconds=30).status == status


def _put(target: Target, content: bytes, kind: str) -> RawReply:
    graph = quote(GRAPH + "hostile", safe="")
    fields = [f"Content-Type: {kind}", f"Authorization: Bearer {target.token}"]
    parts = request("PUT", f"/graphs?graph={graph}", fields, content)
    return reply(target.port, parts, seconds=30)


# --- crowds -------------------------------------------------------------------------------


def test_200_clients_with_endless_queries_are_all_answered(target: Target) -> None:
    """Two run, some wait, the others are told at once; each has its status in bounded time."""
    begun = time.monotonic()
    with ThreadPoolExecutor(MANY) as crowd:
        sent = [
            crowd.submit(_posted, target.port, f"{ENDLESS} #{n}", seconds=30) for n in range(MANY)
        ]
        titles = Counter(_title(client.result()) for client in sent)
    assert time.monotonic() - begun < DEADLINE + QUEUE_SECONDS + 2
    assert set(titles) == {"Deadline exceeded", "Busy"}
    assert WORKERS <= titles["Deadline exceeded"] <= 3 * WORKERS


@pytest.mark.parametrize(
    ("first", "status"),
    [
        (f"GET {QUERY} HTTP/1.1\r\nHost: x\r\nX: ", 0),
        (
            f"POST /sparql HTTP/1.1\r\nHost: x\r\n{DIRECT}\r\nTransfer-Encoding: chunked\r\n\r\n"
            "270f\r\n#",
            408,
        ),
    ],
    ids=["head", "chunk"],
)
def test_200_clients_whose_request_never_ends_are_cut_off(
    target: Target, first: str, status: int
) -> None:
    """A byte now and then does not help; others are answered meanwhile. 0: cut without a word."""
    with _crowd(target) as clients:
        for client in clients.sockets:
            client.sendall(first.encode())
        assert clients.dripped(b"x", meanwhile=lambda: _soon(target)) == Counter({status: MANY})


CSV = "Accept: text/csv"
BIG = "SELECT ?a ?b ?d ?e {{ ?a ?b ?c . ?d ?e ?f }} LIMIT 20000 #{}"


@pytest.mark.parametrize("reads", [False, True], ids=["nothing", "a byte now and then"])
def test_200_clients_that_do_not_read_are_cut_off_or_harm_no_one(
    target: Target, reads: bool
) -> None:
    """Each has an answer of some megabytes under way, none of which waits in the front's memory."""
    query = BIG.format(reads)
    assert len(_posted(target.port, query, CSV).body) > 3 * MIB
    with _crowd(target, receive_buffer=4096) as clients:
        for client in clients.sockets:
            client.sendall(_post(query, CSV))
        end = time.monotonic() + SLOWEST + 0.5
        while time.monotonic() < end:
            if reads:
                assert all(client.recv(1) for client in clients.sockets)
            assert _soon(target)
            time.sleep(0.2)
        assert resident(target.front) < target.resident + GROWTH


def test_a_client_that_does_not_read_is_cut_off_in_time(target: Target) -> None:
    with connect(target.port, receive_buffer=4096) as client:
        client.sendall(_post(BIG.format("cut"), CSV))
        time.sleep(2 * SLOWEST + 1)
        with pytest.raises((Malformed, ConnectionResetError)):
            read_reply(client)


def test_200_clients_that_leave_in_the_middle_of_an_answer_leave_nothing(target: Target) -> None:
    with _crowd(target, receive_buffer=4096) as clients:
        for client in clients.sockets:
            client.sendall(_post(BIG.format("left"), CSV))
        assert all(client.recv(10) for client in clients.sockets)
        clients.reset()


def test_200_clients_that_leave_before_their_answer_leave_nothing(target: Target) -> None:
    with _crowd(target) as clients:
        for number, client in enumerate(clients.sockets):
            query = f"{ENDLESS} # {number}"
            client.sendall(_post(query, CSV))
        time.sleep(0.1)
        clients.reset()


def test_requests_that_nobody_reads_the_answers_of_are_cut_off(target: Target) -> None:
    """Pipelined on one connection, which takes neither all requests nor all answers."""
    many = request("GET", QUERY) * 20_000
    with connect(target.port, seconds=SLOWEST + 1, receive_buffer=4096) as client:
        with pytest.raises((TimeoutError, BrokenPipeError, ConnectionResetError)):
            client.sendall(many * 20)
        assert _soon(target)


def test_pipelined_requests_are_answered_in_order(target: Target) -> None:
    queries = [f"{QUERY}&format={name}" for name in ("json", "xml", "json", "xml")]
    parts = b"".join(request("GET", path) for path in queries[:3])
    parts += request("GET", queries[3], ["Connection: close"])
    types = [answer.field("content-type") for answer in exchange(target.port, parts)]
    assert types == ["application/sparql-results+json", "application/sparql-results+xml"] * 2


class _crowd:
    """As many clients, connected."""

    def __init__(self, target: Target, *, receive_buffer: int = 0) -> None:
        self._open = ExitStack()
        self.sockets = [
            self._open.enter_context(connect(target.port, receive_buffer=receive_buffer))
            for _ in range(MANY)
        ]

    def __enter__(self) -> _crowd:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def reset(self) -> None:
        """Leave without a good-bye."""
        for client in self.sockets:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()

    def dripped(self, piece: bytes, *, meanwhile: Callable[[], bool]) -> Counter[int]:
        """The status of each, which sends a piece now and then until it is answered or cut."""
        waiting, statuses = set(self.sockets), Counter[int]()
        end = time.monotonic() + SLOWEST + 2
        while waiting and time.monotonic() < end:
            for client in list(waiting):
                status = _dripped(client, piece)
                if status is not None:
                    waiting.remove(client)
                    statuses[status] += 1
            assert meanwhile()
            time.sleep(0.05)
        assert not waiting
        return statuses


def _dripped(client: socket.socket, piece: bytes) -> int | None:
    """The status of a client that sends a piece more; 0 where it was cut, None for none yet."""
    client.setblocking(False)
    try:
        data = client.recv(65536)
    except BlockingIOError:
        try:
            client.send(piece)
        except (BrokenPipeError, ConnectionResetError):
            return 0
        return None
    except ConnectionResetError:
        return 0
    return next((answer.status for answer in replies(data)), 0)


def _soon(target: Target) -> bool:
    """Whether a small query is answered now, and not refused; late is a failure."""
    begun = time.monotonic()
    status = _simple(target.server).status
    assert time.monotonic() - begun < SOON
    return status == 200


def test_a_client_that_leaves_frees_its_worker(_built_once: Path, tmp_path: Path) -> None:
    """The deadline is far: what runs for nobody would keep the others out for a minute."""
    store = shutil.copytree(_built_once, tmp_path / "store")
    with running(store, tmp_path / "log", workers=1, deadline=60.0, queue_seconds=30.0) as server:
        assert _simple(server).status == 200
        for number in range(3):
            with connect(server.port) as client:
                query = f"{ENDLESS} # {number}"
                client.sendall(_post(query, CSV))
                time.sleep(0.2)
            begun = time.monotonic()
            assert _simple(server).status == 200
            assert time.monotonic() - begun < SOON


# --- afterwards ---------------------------------------------------------------------------


def test_the_front_has_its_memory_back_after_all_of_them(target: Target) -> None:
    grown = resident(target.front) - target.resident
    print(  # noqa: T201 - the figure is wanted with -s
        f"front: {target.resident / MIB:.1f} MiB before, {resident(target.front) / MIB:.1f} after"
        f" {len(target.largest)} hostile clients, at most {max(target.largest) / MIB:.1f}"
    )
    assert grown < GROWTH
