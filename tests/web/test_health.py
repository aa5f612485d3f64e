"""/health/live and /health/ready: what they rest on, and that nothing holds them up."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copytree

import pytest

from kg.store.base import Release
from kg_server import Server, running
from processes import command, eventually, kill, workers
from web.test_access_log import line_of
from web.writable import writable_server

SLOW = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"


def ready(server: Server) -> tuple[int, bytes]:
    reply = server.send("/health/ready")
    return reply.status, reply.body


@pytest.mark.parametrize(("path", "said"), [("live", b"the server lives\n"), ("ready", b"ready\n")])
def test_a_server_that_can_answer_says_so(server: Server, path: str, said: bytes) -> None:
    reply = server.send(f"/health/{path}")
    assert (reply.status, reply.body) == (200, said)
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
def test_the_paths_of_operators_take_the_methods_of_reading(server: Server, path: str) -> None:
    head, posted = server.send(path, method="HEAD"), server.send(path, method="POST", body=b"x")
    options = server.send(path, method="OPTIONS")
    assert (head.status, head.body) == (200, b"")
    assert posted.problem["status"] == 405
    assert sorted(posted.headers["allow"].split(", ")) == ["GET", "HEAD", "OPTIONS"]
    assert (options.status, options.headers["access-control-allow-origin"]) == (204, "*")


@pytest.mark.parametrize("path", ["/health", "/health/", "/health/other", "/r/1/health/live"])
def test_there_are_no_other_paths_of_health(server: Server, path: str) -> None:
    assert server.send(path).status == 404


def test_a_head_that_cannot_be_read_is_not_ready_and_mended_is(
    folder: Path, release: Release, tmp_path: Path
) -> None:
    store = copytree(folder, tmp_path / "store")
    with running(store, tmp_path / "log", workers=1) as server:
        (store / "HEAD").rename(tmp_path / "HEAD")
        gone = ready(server)
        live = server.send("/health/live").status
        answered = server.query("ASK {}").status
        (tmp_path / "HEAD").rename(store / "HEAD")
        assert (gone, live, answered) == (
            (503, b"not ready: HEAD cannot be followed (store)\n"),
            200,
            200,
        )
        assert ready(server) == (200, b"ready\n")


def test_a_server_whose_workers_were_all_killed_gets_ready_without_a_query(
    folder: Path, release: Release, tmp_path: Path
) -> None:
    with running(folder, tmp_path / "log", workers=1) as server:
        for worker in workers(server):
            kill(worker)
        assert eventually(lambda: ready(server)[0] == 503, 2.0)
        assert ready(server)[1] in (b"not ready: no worker has started\n", b"ready\n")
        assert eventually(lambda: ready(server)[0] == 200)


def test_health_is_told_while_every_worker_and_the_queue_is_busy(
    folder: Path, release: Release, tmp_path: Path
) -> None:
    with (
        running(
            folder, tmp_path / "log", workers=1, queue_length=1, queue_seconds=5, deadline=3
        ) as server,
        ThreadPoolExecutor(4) as clients,
    ):
        busy = [clients.submit(server.query, f"{SLOW} # {number}") for number in range(4)]
        # One is evaluated, one waits, and for two there is no room.
        assert eventually(lambda: sum(each.done() for each in busy) == 2)
        told = [server.send(f"/{path}").status for path in ("health/live", "health/ready")]
        measured = server.send("/metrics").body.decode()
        assert sum(each.done() for each in busy) == 2
        statuses = sorted(each.result().status for each in busy)
    assert (told, statuses) == ([200, 200], [503] * 4)
    assert 'kg_workers{state="busy"} 1.0' in measured
    assert "kg_queue_length 1.0" in measured


def test_health_is_told_while_no_thread_is_free(_built_once: Path, tmp_path: Path) -> None:
    """Queries and writes that wait hold all threads; pages are refused then."""
    folder = copytree(_built_once, tmp_path / "store")
    limits = {"workers": 1, "queue_length": 40}
    with (
        writable_server(folder, tmp_path / "log", queue_seconds=15.0, **limits) as writable,
        ThreadPoolExecutor(90) as clients,
    ):
        server = writable.server
        assert writable.put("/graphs/first", "<broken").status == 400  # starts the writer
        programs = (b"kg.store.worker", b"kg.publishing.writer")
        stopped = [pid for pid in server.children() if any(it in command(pid) for it in programs)]
        try:
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
            for number in range(44):
                clients.submit(server.send, f"/id/{number}")
                clients.submit(writable.put, f"/graphs/other{number}", "<broken")
            assert eventually(lambda: server.send("/static/style.css").status == 503, 12.0)
            told = [server.send(f"/{path}").status for path in ("health/live", "health/ready")]
            assert (told, server.send("/static/style.css").status) == ([200, 200], 503)
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)


def test_looks_at_health_are_not_in_the_log(server: Server, folder: Path) -> None:
    server.send("/health/live?x=first")
    server.send("/health/nothing")
    log = folder.parent / "server.log"
    assert "path=/health/nothing" in line_of(log, "/health/nothing")
    assert "path=/health/live" not in log.read_text()
