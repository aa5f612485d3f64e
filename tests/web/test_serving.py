"""The server as a process: starting, refusing to start, ending, and a connection that breaks."""

import http.client
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from kg.errors import BadArgument, KgError
from kg.settings import Settings
from kg.store.base import Release
from kg.web.serving import serve
from kg_server import Server, environment, running, start
from processes import at_work, eventually

SLOW = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"


def _alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def _gone(pids: list[int]) -> bool:
    """Whether all of them end within five seconds."""
    end = time.monotonic() + 5
    while time.monotonic() < end and any(map(_alive, pids)):
        time.sleep(0.02)
    return not any(map(_alive, pids))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_ends_the_server_and_its_workers(
    folder: Path, release: Release, tmp_path: Path, number: signal.Signals
) -> None:
    with running(folder, tmp_path / "log", workers=1) as server:
        children = server.children()
        assert len(children) >= 2
        assert server.stop(number) == 0
        assert _gone(children)
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_query_that_runs_is_answered_before_the_end(
    folder: Path, release: Release, tmp_path: Path
) -> None:
    with running(folder, tmp_path / "log", workers=1) as server, ThreadPoolExecutor(1) as client:
        last = client.submit(server.query, SLOW, timeout=1)
        assert eventually(lambda: at_work(server))
        assert server.stop() == 0
        assert last.result().problem["title"] == "Deadline exceeded"


def test_a_killed_server_leaves_no_orphan(folder: Path, release: Release, tmp_path: Path) -> None:
    with running(folder, tmp_path / "log", workers=1) as server:
        children = server.children()
        server.stop(signal.SIGKILL)
        assert _gone(children)


def test_a_port_in_use_is_told_before_anything_starts(server: Server, tmp_path: Path) -> None:
    log = tmp_path / "log"
    second = start(tmp_path / "none", server.port, log)
    assert (second.wait(timeout=20), second.communicate()[0]) == (8, "")
    assert log.read_text() == (
        f"127.0.0.1:{server.port} cannot be listened on: Address already in use\n"
        "  End the program that has it, or choose another with --port or --host.\n"
    )


def test_of_two_servers_started_at_once_on_a_port_one_serves(
    folder: Path, release: Release, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    both = [start(folder, port, tmp_path / name, workers=1) for name in "ab"]
    end = time.monotonic() + 30
    while time.monotonic() < end and all(process.poll() is None for process in both):
        time.sleep(0.02)
    codes = [process.poll() for process in both]
    for process in both:
        process.terminate()
        process.communicate(timeout=20)
    assert sorted(codes, key=str) == [8, None]


@pytest.mark.parametrize("host", ["nosuch.invalid", "192.0.2.1"])
def test_a_host_that_is_not_here_is_told_without_the_remedy_of_a_port_in_use(host: str) -> None:
    with pytest.raises(BadArgument, match=f"{host}:8080 cannot be listened on") as caught:
        serve(Path("none"), Settings(), host, 8080, print)
    assert "--host" in caught.value.remedy


def test_no_folder_for_temporary_files_is_told_as_what_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A container with a read-only root has none unless it is given one."""

    def none() -> str:
        raise FileNotFoundError

    monkeypatch.setattr(tempfile, "gettempdir", none)
    with pytest.raises(KgError, match="no folder for temporary files") as caught:
        serve(Path("none"), Settings(), "127.0.0.1", 0, print)
    assert "TMPDIR" in caught.value.remedy


def test_a_store_that_cannot_be_opened_is_one_message(tmp_path: Path) -> None:
    process = start(tmp_path / "none", 0, tmp_path / "log")
    assert (process.wait(timeout=20), process.communicate()[0]) == (5, "")
    assert (tmp_path / "log").read_text() == (
        f"{tmp_path / 'none'} has no release yet\n  Make one with kg build.\n"
    )


def test_a_damaged_release_is_one_message_and_no_server(
    folder: Path, release: Release, tmp_path: Path
) -> None:
    """A worker meets the damage, in a process below the serving one."""
    copy = tmp_path / "store"
    shutil.copytree(folder, copy)
    (copy / "releases" / release.name / "public" / "CURRENT").unlink()
    process = start(copy, 0, tmp_path / "log")
    assert (process.wait(timeout=20), process.communicate()[0]) == (5, "")
    message = (tmp_path / "log").read_text()
    assert release.name in message
    assert "Traceback" not in message


def test_a_client_that_leaves_half_way_harms_no_one(server: Server) -> None:
    query = "SELECT%20*%20WHERE%20%7B%20%3Fs%20%3Fp%20%3Fo%20%7D"
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(f"GET /sparql?query={query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        client.recv(10)
    assert server.query("ASK {}").status == 200


def test_an_answer_cut_on_the_way_breaks_visibly(tmp_path: Path) -> None:
    """The length was sent; a file that turns out shorter leaves the client short of it."""
    with _program(FAILING, tmp_path) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/")
        reply = connection.getresponse()
        assert (reply.status, reply.getheader("Content-Length")) == (200, str(FULL_SIZE))
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            reply.read()
        connection.close()


FULL_SIZE = 2_000_000
FAILING = f"""
import os, sys, tempfile
from pathlib import Path
from flask import Flask
from granian import Granian
from granian.constants import Interfaces
from kg.settings import Settings
from kg.web.answers import Reply
from kg.web.bodies import OpenFile
from kg.web.front import Front
from kg.web.running import Running

app = Flask("failing")

class Store:
    folder = Path("nowhere")

@app.get("/")
def answer():
    file = tempfile.TemporaryFile()
    file.write(bytes({FULL_SIZE} // 2))
    file.flush()
    content = OpenFile(os.dup(file.fileno()), {FULL_SIZE})
    return Reply(200, [("content-length", "{FULL_SIZE}")], content).response()

Granian(
    "app", port=int(sys.argv[1]), interface=Interfaces.RSGI, websockets=False, log_enabled=False
).serve(target_loader=lambda: Front(app, Store(), Settings(), Running()), wrap_loader=False)
"""


def test_an_error_that_nobody_expected_is_500_and_the_next_request_is_answered(
    tmp_path: Path,
) -> None:
    with _program(BROKEN, tmp_path) as port:
        told = []
        for path in ("/raises", "/splits", "/breaks-off", "/good"):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", path)
            reply = connection.getresponse()
            told.append((reply.status, reply.getheader("Content-Type"), reply.read()[:4]))
            connection.close()
    assert told == [(500, "application/problem+json", b'{"ty')] * 3 + [(200, "text/plain", b"good")]


BROKEN = """
import sys
from pathlib import Path
from granian import Granian
from granian.constants import Interfaces
from kg.settings import Settings
from kg.web.front import Front
from kg.web.running import Running

class Store:
    folder = Path("nowhere")

def breaking_off():
    yield b"half"
    raise OSError("the disk is gone")

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/raises":
        raise ZeroDivisionError
    value = "text/plain\\r\\nSet-Cookie: a=b" if path == "/splits" else "text/plain"
    start_response("200 OK", [("Content-Type", value)])
    return breaking_off() if path == "/breaks-off" else [b"good"]

Granian(
    "app", port=int(sys.argv[1]), interface=Interfaces.RSGI, websockets=False, log_enabled=False
).serve(target_loader=lambda: Front(app, Store(), Settings(), Running()), wrap_loader=False)
"""


@contextmanager
def _program(text: str, folder: Path) -> Iterator[int]:
    """A port of this machine at which the program listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    program = folder / "program.py"
    program.write_text(text)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, program, str(port)], stdout=log, stderr=log, env=environment()
        )
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_for(port: int) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
