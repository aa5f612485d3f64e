"""The end of a server: running answers first, whoever comes until then, and nothing left behind."""

from __future__ import annotations

import signal
import socket
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from kg.namespaces import BASE
from kg.store.base import Release
from kg_server import Reply, running
from processes import alive, at_work, eventually
from raw_http import connect, received, replies, request
from web.test_health import SLOW, ready

LONG = f"SELECT * {{ ?s <{BASE}q> ?o . ?x <{BASE}q> ?y . ?v <{BASE}q> ?w }} LIMIT 100000"


def test_until_a_running_query_is_answered_others_are_and_ready_is_not(
    folder: Path, release: Release, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with (
        running(folder, log, workers=2, deadline=5.0) as server,
        ThreadPoolExecutor(1) as client,
    ):
        children = server.children()
        last: Future[Reply] = client.submit(server.query, SLOW)
        assert eventually(lambda: at_work(server))
        server.process.send_signal(signal.SIGTERM)
        assert eventually(lambda: ready(server)[0] == 503)
        assert ready(server)[1] == b"not ready: the server is shutting down\n"
        assert server.send("/health/live").status == 200
        assert server.query("ASK {} # new").status == 200
        assert last.result().problem["title"] == "Deadline exceeded"
        assert server.process.wait(timeout=20) == 0
    assert eventually(lambda: not any(map(alive, children)))
    assert "event=stopping running=1" in log.read_text()


def test_an_answer_that_is_being_sent_arrives_whole(
    folder: Path, release: Release, tmp_path: Path
) -> None:
    with running(folder, tmp_path / "log", workers=1, spool_memory=1024) as server:
        target = "/sparql?query=" + "".join(f"%{byte:02x}" for byte in LONG.encode())
        with connect(server.port, seconds=20) as client:
            client.sendall(request("GET", target, ["Accept: text/csv", "Connection: close"]))
            client.recv(1, socket.MSG_PEEK)  # the answer is on its way, and larger than any buffer
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            (found,) = replies(received(client, 20))
        assert server.process.wait(timeout=20) == 0
    assert (found.status, found.whole) == (200, True)
    assert found.body.count(b"\r\n") == 100_001


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGKILL], ids=lambda it: it.name)
def test_a_second_signal_ends_at_once_and_leaves_nothing(
    folder: Path, release: Release, tmp_path: Path, second: signal.Signals
) -> None:
    with (
        running(folder, tmp_path / "log", workers=1, deadline=30) as server,
        ThreadPoolExecutor(1) as client,
    ):
        children = server.children()
        last = client.submit(server.query, SLOW)
        assert eventually(lambda: at_work(server))
        server.process.send_signal(signal.SIGTERM)
        assert eventually(lambda: ready(server)[0] == 503)
        server.process.send_signal(second)
        assert eventually(lambda: not any(map(alive, children)))
        server.process.wait(timeout=5)
        assert isinstance(last.exception(), OSError)


def test_systemd_is_told_of_the_start_and_the_end(
    folder: Path, release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """sd_notify(3)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with running(folder, tmp_path / "log", workers=1) as server:
            assert manager.recv(100) == b"READY=1"
            server.stop()
        assert manager.recv(100) == b"STOPPING=1"
