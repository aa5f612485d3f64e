"""An answer that breaks is an error to every client: none takes a part of it for the whole.

Clients ask for CSV, of which any part that ends with a line reads as a whole.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from select import select

import pytest

from kg.namespaces import BASE
from kg.store.base import Release
from kg_server import Server, running
from processes import alive, eventually, front, kill, seconds_at_work, spooled, workers
from raw_http import connect, received, replies, request
from sparql_clients import CLIENTS, Client

MIB = 1024 * 1024
ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
ROWS, FEW = 90_000, 30_000
# Digests: no coding makes them so small that a broken connection has already brought them all.
BIG = (
    f"SELECT (SHA512(CONCAT(STR(?a), STR(?b))) AS ?digest) {{ ?a <{BASE}q> ?n . ?b <{BASE}q> ?m }}"
)
SMALLER = f"{BIG} LIMIT {FEW}"
_unlike = count()


@pytest.fixture(scope="module")
def one(
    folder: Path, release: Release, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server that evaluates one query at a time."""
    log = tmp_path_factory.mktemp("broken") / "log"
    with running(
        folder,
        log,
        workers=1,
        deadline=20.0,
        queue_seconds=15.0,
        spool_memory=64 * 1024,
        client_rate=10**9,
    ) as server:
        yield server


@pytest.fixture(params=CLIENTS, ids=str)
def client(request: pytest.FixtureRequest) -> Client:
    return CLIENTS[request.param]


@pytest.fixture
def asking() -> Iterator[Callable[[Client, str, str], Future[int]]]:
    """Asks in a thread of its own."""
    with ThreadPoolExecutor(4) as threads:
        yield lambda client, url, query: threads.submit(client, f"{url}sparql", query)


Asking = Callable[[Client, str, str], "Future[int]"]


def test_the_whole_answer_comes_where_nothing_breaks(one: Server, client: Client) -> None:
    assert client(f"{one.url}sparql", SMALLER) == FEW


def test_a_worker_killed_while_it_evaluates_is_an_error(
    one: Server, client: Client, asking: Asking
) -> None:
    asked = asking(client, one.url, _unlike_others(ENDLESS))
    kill(_at_work(one))
    assert asked.exception(timeout=10)
    _answers(one)


def test_a_worker_killed_while_it_writes_is_an_error(
    one: Server, client: Client, asking: Asking
) -> None:
    """The file of its answer has some megabytes by then, and not all."""
    asked = asking(client, one.url, _unlike_others(SMALLER))
    worker = eventually(lambda: next((pid for pid in workers(one) if spooled(pid) > MIB), 0))
    assert worker
    kill(worker)
    assert asked.exception(timeout=10)
    _answers(one)


def test_a_worker_killed_after_it_has_answered_harms_no_answer(
    one: Server, client: Client, asking: Asking
) -> None:
    """The answer is on its way to a client, through a relay that waits half-way."""
    with _relay(one.port) as relay:
        asked = asking(client, relay.url, _unlike_others(SMALLER))
        relay.wait_half_way()
        for worker in workers(one):
            kill(worker)
        relay.go_on()
        assert asked.result(timeout=20) == FEW
    _answers(one)


def test_workers_killed_while_a_query_waits_give_it_the_whole_answer_or_an_error(
    one: Server, client: Client, asking: Asking
) -> None:
    first = asking(CLIENTS["urllib"], one.url, _unlike_others(ENDLESS))
    _at_work(one)
    waiting = asking(client, one.url, _unlike_others(SMALLER))
    time.sleep(0.1)
    for worker in workers(one):
        kill(worker)
    assert first.exception(timeout=10)
    assert waiting.exception(timeout=20) or waiting.result() == FEW
    _answers(one)


def test_workers_killed_at_any_moment_give_the_whole_answer_or_an_error(
    one: Server, seconds: float, client: Client, asking: Asking
) -> None:
    """Each client at another moment of the same answer."""
    moment = (list(CLIENTS.values()).index(client) + 1) / len(CLIENTS)
    asked = asking(client, one.url, _unlike_others(SMALLER))
    time.sleep(moment * seconds)
    for worker in workers(one):
        kill(worker)
    assert asked.exception(timeout=20) or asked.result() == FEW
    _answers(one)


@pytest.fixture(scope="module")
def seconds(one: Server) -> float:
    """How long an answer takes to be made."""
    begun = time.monotonic()
    assert one.query(_unlike_others(SMALLER), accept="text/csv").status == 200
    return time.monotonic() - begun


def test_a_server_killed_while_it_sends_is_an_error(
    folder: Path, release: Release, tmp_path: Path, client: Client, asking: Asking
) -> None:
    with _small(folder, tmp_path) as server, _relay(server.port) as relay:
        asked = asking(client, relay.url, _unlike_others(BIG))
        relay.wait_half_way()
        serving = front(server)
        server.process.kill()
        kill(serving)
        assert eventually(lambda: not alive(serving))
        relay.go_on()
        assert asked.exception(timeout=20)


def test_a_server_told_to_end_while_it_sends_gives_the_whole_answer(
    folder: Path, release: Release, tmp_path: Path, asking: Asking
) -> None:
    with _small(folder, tmp_path) as server, _relay(server.port) as relay:
        asked = asking(CLIENTS["urllib"], relay.url, _unlike_others(BIG))
        relay.wait_half_way()
        server.process.terminate()
        time.sleep(0.3)
        relay.go_on()
        assert asked.result(timeout=20) == ROWS


def test_an_answer_cut_by_the_server_is_shorter_than_it_says(
    folder: Path, release: Release, tmp_path: Path
) -> None:
    """What the clients above rest on, seen without any of them."""
    with _small(folder, tmp_path) as server, connect(server.port, receive_buffer=4096) as slow:
        fields = ["Content-Type: application/sparql-query", "Accept: text/csv"]
        slow.sendall(request("POST", "/sparql", fields, BIG.encode()))
        begun = b""
        while len(begun) < MIB:
            begun += slow.recv(65536)
        kill(front(server))
        (reply,) = replies(begun + received(slow, 10))
    assert (reply.status, reply.whole) == (200, False)
    assert 0 < len(reply.body) < int(reply.field("content-length"))


@contextmanager
def _small(folder: Path, place: Path) -> Iterator[Server]:
    """A server that the test may kill."""
    with running(folder, place / "log", workers=1, spool_memory=64 * 1024) as server:
        yield server


def _unlike_others(query: str) -> str:
    """The query in a form that no cache has."""
    return f"{query} # {next(_unlike)}"


def _at_work(server: Server) -> int:
    """The worker that evaluates now: the one that takes processor time."""
    before = {pid: seconds_at_work(pid) for pid in workers(server)}

    def busy() -> int:
        now = {pid: seconds_at_work(pid) for pid in workers(server)}
        return next((pid for pid in now if now[pid] - before.get(pid, now[pid]) > 0.1), 0)

    worker = eventually(busy)
    assert worker
    return worker


def _answers(server: Server) -> None:
    """The next client is answered."""
    assert server.query(_unlike_others("ASK {}")).status == 200


class _Relay:
    """Passes one connection on to a server, and stops half-way in the answer until told."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/"
        self._half_way = threading.Event()
        self._told = threading.Event()
        self._thread = threading.Thread(target=self._pass_on, daemon=True)
        self._thread.start()

    def wait_half_way(self) -> None:
        """Wait until the client has a part of the answer."""
        assert self._half_way.wait(15)

    def go_on(self) -> None:
        """Pass the rest on."""
        self._told.set()

    def close(self) -> None:
        """End what is left of it."""
        self.go_on()
        self._listening.close()
        self._thread.join(20)

    def _pass_on(self) -> None:
        try:
            client, _ = self._listening.accept()
        except OSError:
            return
        with client, connect(self._port, seconds=20, receive_buffer=4096) as server:
            server.sendall(client.recv(65536))
            passed = 0
            while piece := _piece(server, client):
                if passed > MIB and not self._half_way.is_set():
                    self._half_way.set()
                    self._told.wait(20)
                passed += len(piece)
                with suppress(OSError):
                    client.sendall(piece)


def _piece(server: socket.socket, client: socket.socket) -> bytes:
    """What the server sent; nothing where it ended the connection, or the client did."""
    readable, _, _ = select([server, client], [], [], 20)
    try:
        return server.recv(65536) if server in readable else b""
    except ConnectionResetError:
        return b""


@contextmanager
def _relay(port: int) -> Iterator[_Relay]:
    relay = _Relay(port)
    try:
        yield relay
    finally:
        relay.close()
