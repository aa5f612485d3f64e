"""A real server of a real store on this machine, in a process of its own."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

PROGRAM = """
import json, sys
from pathlib import Path
from kg.errors import KgError
from kg.settings import Settings
from kg.web.serving import serve

folder, port, settings = sys.argv[1:]
try:
    serve(Path(folder), Settings(**json.loads(settings)), "127.0.0.1", int(port),
          lambda url: print(url, flush=True))
except KgError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: every header by its lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        """The body as problem details; fails on another type."""
        assert self.headers["content-type"] == "application/problem+json", self.body
        members: dict[str, Any] = json.loads(self.body)
        return members


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its URL and its first process."""

    url: str
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(urlsplit(self.url).port or 0)

    def send(
        self,
        path: str,
        *,
        method: str = "GET",
        body: bytes | Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            fields = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, fields, answer.read())
        finally:
            connection.close()

    def query(self, query: str, *, timeout: float | None = None, accept: str = "*/*") -> Reply:
        """A query by GET."""
        parameters = {"query": query} | ({"timeout": str(timeout)} if timeout else {})
        return self.send(f"/sparql?{urlencode(parameters)}", headers={"Accept": accept})

    def post(
        self, body: bytes | Iterator[bytes], media_type: str | None, path: str = "/sparql"
    ) -> Reply:
        """A body by POST, with this Content-Type or none."""
        headers = {"Content-Type": media_type} if media_type else {}
        return self.send(path, method="POST", body=body, headers=headers)

    def children(self) -> list[int]:
        """The ids of every process below the first one."""
        return _descendants(self.process.pid)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """The exit code after this signal."""
        self.process.send_signal(number)
        return self.process.wait(timeout=20)


@contextmanager
def running(folder: Path, log: Path, **settings: float | str) -> Iterator[Server]:
    """A server of the store in `folder` on a free port, ended on leaving."""
    process = start(folder, 0, log, **settings)
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        assert url, log.read_text()
        yield Server(url, process)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


def start(folder: Path, port: int, log: Path, **settings: float | str) -> subprocess.Popen[str]:
    """The process of a server, started; its standard error goes to `log`."""
    with log.open("w") as errors:
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(folder), str(port), json.dumps(settings)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment(),
        )


def environment() -> dict[str, str]:
    """That of this process, with its path of modules."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _descendants(pid: int) -> list[int]:
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    direct = [int(child) for thread in threads for child in thread.read_text().split()]
    return direct + [below for child in direct for below in _descendants(child)]
