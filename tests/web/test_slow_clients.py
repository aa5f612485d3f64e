"""Clients that send slowly, or read nothing: they hold nobody else, and are cut off in time."""

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from kg.namespaces import BASE
from kg.store.base import Release
from kg_server import Server, running

LARGE = f"SELECT * {{ ?s <{BASE}q> ?o . ?x <{BASE}q> ?y . ?s ?p ?o }}"
DIRECT = "Content-Type: application/sparql-query\r\n"


@pytest.fixture(scope="module")
def impatient(
    folder: Path, release: Release, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server that waits two seconds for a body, and as long for a client to read."""
    log = tmp_path_factory.mktemp("impatient") / "log"
    with running(folder, log, workers=2, body_seconds=2.0, send_seconds=2.0) as server:
        yield server


@contextlib.contextmanager
def clients(server: Server, number: int, sent: str) -> Iterator[list[socket.socket]]:
    """So many connections that have each sent this."""
    with contextlib.ExitStack() as opened:
        made = []
        for _ in range(number):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", server.port))
            client.sendall(sent.encode())
            made.append(opened.enter_context(client))
        yield made


def seconds_of_a_page(server: Server) -> float:
    started = time.monotonic()
    assert server.send("/").status == 200
    assert server.query("ASK {}").status == 200
    return time.monotonic() - started


def front_memory(server: Server) -> int:
    """Resident bytes of the serving process."""
    pages = (
        int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        for pid in server.children()
        if b"kg.store.worker" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    )
    return sum(pages) * 4096


def test_those_who_read_nothing_hold_no_thread_and_no_memory(impatient: Server) -> None:
    path = "/sparql?" + urlencode({"query": LARGE})
    whole = impatient.send(path)
    assert len(whole.body) > 10_000_000
    before = front_memory(impatient)
    with clients(impatient, 70, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n") as reading:
        time.sleep(0.5)
        assert seconds_of_a_page(impatient) < 2
        assert front_memory(impatient) - before < 64 * 1024 * 1024
        time.sleep(4)  # the kernel has ended them by now, and says so
        for client in reading:
            client.settimeout(5)
            assert _read_to_the_end(client) < len(whole.body)
    assert impatient.send(path).body == whole.body


def test_those_who_send_slowly_hold_no_thread_and_get_408(impatient: Server) -> None:
    head = f"POST /sparql HTTP/1.1\r\nHost: x\r\n{DIRECT}Content-Length: 100\r\n\r\nASK"
    started = time.monotonic()
    with clients(impatient, 200, head) as sending:
        assert seconds_of_a_page(impatient) < 2
        for client in sending:
            client.settimeout(10)
            answer = client.recv(4096)
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert b"connection: close" in answer.lower()
        assert 1.5 < time.monotonic() - started < 8


def test_a_body_that_comes_byte_by_byte_is_cut_off_as_well(impatient: Server) -> None:
    """Its bytes keep coming; it is the whole body that must come in time."""
    head = f"POST /sparql HTTP/1.1\r\nHost: x\r\n{DIRECT}Content-Length: 10000\r\n\r\n"
    with clients(impatient, 1, head) as (client,):
        client.settimeout(0.1)
        end = time.monotonic() + 6
        answer = b""
        while not answer and time.monotonic() < end:
            client.sendall(b"A")
            with contextlib.suppress(TimeoutError):
                answer = client.recv(4096)
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_body_with_a_false_length_is_not_waited_for(impatient: Server) -> None:
    head = f"POST /sparql HTTP/1.1\r\nHost: x\r\n{DIRECT}Content-Length: {10**12}\r\n\r\nASK"
    with clients(impatient, 1, head) as (client,):
        client.settimeout(10)
        assert client.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_idle_connections_keep_nobody_out(impatient: Server) -> None:
    with clients(impatient, 300, "GET / HTTP/1.1\r\nHost:"):
        assert seconds_of_a_page(impatient) < 2


def _read_to_the_end(client: socket.socket) -> int:
    read = 0
    with contextlib.suppress(ConnectionError):
        while part := client.recv(65536):
            read += len(part)
    return read
