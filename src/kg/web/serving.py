"""The server of a store: one process with granian in front of the workers."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import http.client
import logging
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from flask import Flask
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from kg.errors import BadArgument, KgError, PortInUse
from kg.media import JSON
from kg.query.request import QueryRequest
from kg.query.run import answer
from kg.settings import Settings
from kg.store.embedded import EmbeddedStore
from kg.web.app import create_app

_CHEAP_REQUESTS = 64
"""Threads beyond one a worker, so that pages and dumps pass slow queries by. A request that waits
for a worker takes one of them, and so does a client that is slow to read its answer: as many of
these as there are threads keep all others out."""
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens: a numeric address and a port."""

    ip: str
    port: int

    @property
    def url(self) -> str:
        """The address as a URL with a slash at the end."""
        host = f"[{self.ip}]" if ":" in self.ip else self.ip
        return f"http://{host}:{self.port}/"


def serve(
    folder: Path, settings: Settings, host: str, port: int, on_ready: Callable[[str], None]
) -> None:
    """Answer HTTP from the store in `folder` until SIGTERM or SIGINT; then finish what runs.

    `on_ready` gets the URL once it answers; it is called in the serving process, a child of this
    one. Port 0 takes a free one. Raises PortInUse and BadArgument before anything starts, and the
    KgError for which the serving process could not.
    """
    address = _free_address(host, port)
    with _claimed(address):
        _serve(folder, settings, address, on_ready)


def _serve(
    folder: Path, settings: Settings, address: Address, on_ready: Callable[[str], None]
) -> None:
    failures, report = Pipe(duplex=False)
    server = Granian(
        target="kg.web",
        address=address.ip,
        port=address.port,
        interface=Interfaces.WSGI,
        websockets=False,
        blocking_threads=_CHEAP_REQUESTS + settings.workers,
        workers_kill_timeout=round(settings.deadline + settings.queue_seconds) + 5,
        log_level=LogLevels.critical,
        log_dictconfig=_logging(),
    )
    load = partial(_load, folder, settings, address, on_ready, report)
    try:
        server.serve(target_loader=load, wrap_loader=False)
    except SystemExit as ended:  # granian's way to say that its process ended by itself
        raise _failure(failures) from ended


def _free_address(host: str, port: int) -> Address:
    """Binds alone for a moment: granian would share the port of another server without a word."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
            ip, bound = probe.getsockname()[:2]
    except OSError as error:
        raise _unusable(host, port, error) from error
    return Address(ip, bound)


def _unusable(host: str, port: int, error: OSError) -> KgError:
    reason = error.strerror or str(error)
    if error.errno == errno.EADDRINUSE:
        return PortInUse(host, port, reason)
    remedy = "Name an address of this machine with --host, and a port that you may take."
    return BadArgument(f"{host}:{port} cannot be listened on: {reason}", remedy=remedy)


@contextmanager
def _claimed(address: Address) -> Iterator[None]:
    """Holds the address until the block ends: two servers may find it free at one moment.

    Only servers of one user can share a port (socket(7), SO_REUSEPORT), so each user has a file.
    """
    name = f"kg-{os.getuid()}-{address.ip.replace(':', '_')}-{address.port}.lock"
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(Path(tempfile.gettempdir()) / name, flags, 0o600)
    except OSError as error:
        raise _unusable(address.ip, address.port, error) from error
    with open(descriptor) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise PortInUse(address.ip, address.port, os.strerror(errno.EADDRINUSE)) from error
        yield


def _failure(failures: Connection) -> KgError:
    if failures.poll():
        error: KgError = failures.recv()
        return error
    return KgError("the serving process ended by itself", remedy="Its log says more.")


def _load(
    folder: Path,
    settings: Settings,
    address: Address,
    on_ready: Callable[[str], None],
    report: Connection,
) -> Flask:
    """The application, made in the serving process with its store open and its workers warm.

    Nothing closes the store: the process serves until it ends, and its workers end with it.
    """
    _end_with_parent()
    logging.getLogger("_granian").setLevel(logging.ERROR)
    try:
        store = _warm_store(folder, settings)
    except KgError as error:
        report.send(error)
        raise SystemExit(error.exit_code) from error
    threading.Thread(target=_announce, args=(address, on_ready), daemon=True).start()
    return create_app(store, settings)


def _end_with_parent() -> None:
    """No orphan keeps the port; until granian handles the signals, they end the process."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


def _warm_store(folder: Path, settings: Settings) -> EmbeddedStore:
    """The store, after a worker has answered from HEAD: so a damaged release shows now."""
    store = EmbeddedStore(folder, settings)
    try:
        store.warm()
        question = QueryRequest(query="ASK {}", choose=lambda _: JSON)
        answer(question, store, settings).spool.close()
    except KgError:
        store.close()
        raise
    return store


def _announce(address: Address, on_ready: Callable[[str], None]) -> None:
    while not _answers(address):
        time.sleep(0.02)
    on_ready(address.url)


def _answers(address: Address) -> bool:
    connection = http.client.HTTPConnection(address.ip, address.port, timeout=5)
    try:
        connection.request("HEAD", "/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _logging() -> dict[str, Any]:
    """Everything to standard error, one line an event; standard output is the command's."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "time=%(asctime)s level=%(levelname)s %(message)s"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "loggers": {
            "_granian": {"handlers": ["stderr"], "propagate": False},
            "kg": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        },
    }
