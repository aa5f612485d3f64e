"""The server of a store: one process with granian in front of the workers."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import gc
import http.client
import logging
import os
import resource
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from kg.errors import BadArgument, KgError, PortInUse
from kg.media import JSON
from kg.query.request import QueryRequest
from kg.query.run import answer
from kg.settings import Settings
from kg.store.embedded import EmbeddedStore
from kg.web.app import create_app
from kg.web.front import Front
from kg.web.health import Health
from kg.web.health import register as health_paths
from kg.web.logs import configuration
from kg.web.metrics import Disk
from kg.web.metrics import register as metrics_path
from kg.web.notifying import notify
from kg.web.pages.status import Operated
from kg.web.pages.status import register as status_page
from kg.web.running import Running

_CONNECTIONS = 4096
"""Connections that are open at one moment; more wait to be accepted."""
_BUFFER = 128 * 1024
"""What the head of a request may take, and what is held of an answer that its client does not
read."""
_FILE_THREADS = 16
"""Threads that read the files of answers: a piece at a time, so that a slow client holds none."""
_PR_SET_PDEATHSIG = 1
_TCP_USER_TIMEOUT = 18


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
    server = _Server(
        target="kg.web",
        address=address.ip,
        port=address.port,
        interface=Interfaces.RSGI,
        # asyncio's own: it lets the front watch a descriptor, and 1.1 has no streams to hold back.
        loop=Loops.asyncio,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=round(settings.body_seconds * 1000), max_buffer_size=_BUFFER
        ),
        runtime_blocking_threads=_FILE_THREADS,
        websockets=False,
        backlog=_CONNECTIONS,
        backpressure=_CONNECTIONS,
        workers_kill_timeout=round(settings.deadline + settings.queue_seconds) + 5,
        log_level=LogLevels.critical,
        log_dictconfig=configuration(settings),
    )
    load = partial(_load, folder, settings, address, on_ready, report)
    try:
        server.serve(target_loader=load, wrap_loader=False)
    except SystemExit as ended:  # granian's way to say that its process ended by itself
        raise _failure(failures) from ended


class _Server(MPServer):
    """Granian, which ends at once when it is told a second time."""

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """The first SIGTERM or SIGINT lets what runs end, the next one kills the process of it."""
        if self.interrupt_signal:
            for worker in self.wrks:
                worker.kill()  # type: ignore[no-untyped-call]
        super().signal_handler_interrupt(*args, **kwargs)  # type: ignore[no-untyped-call]


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
        folder = Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        raise KgError(
            "there is no folder for temporary files",
            remedy="Make /tmp writable, or name a folder that is: TMPDIR.",
        ) from error
    try:
        descriptor = os.open(folder / name, flags, 0o600)
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
) -> Any:  # granian asks for a function, and takes an RSGI object
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
    _take_all_descriptors()
    announced = (address, settings.send_seconds, on_ready)
    threading.Thread(target=_announce, args=announced, daemon=True).start()
    running, health = Running(), Health(store)
    app = create_app(store, settings, running)
    front = Front(app, store, settings, running, health)
    health_paths(app, health)
    disk = Disk(store.folder)
    status_page(app, Operated(store, running, health, front.metrics, front.cache, disk))
    metrics_path(app, settings, store, front.metrics, front.cache, disk)
    # What lives as long as the process is not looked at again, and the rest less often: requests
    # leave no cycles behind, and looking for them took 4 % of the time.
    gc.freeze()
    gc.set_threshold(20_000)
    return front


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


def _take_all_descriptors() -> None:
    """A client that reads slowly holds two: one of its connection and one of its answer."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _announce(address: Address, send_seconds: float, on_ready: Callable[[str], None]) -> None:
    while not _answers(address):
        time.sleep(0.02)
    _end_those_who_do_not_read(address.port, send_seconds)
    on_ready(address.url)
    notify("READY=1")


def _end_those_who_do_not_read(port: int, seconds: float) -> None:
    """Let the kernel end connections whose peer takes nothing (tcp(7), TCP_USER_TIMEOUT).

    Every connection has it from the socket that listens. That one is granian's, which gives no
    hook for it, so it is looked for among the descriptors of this process.
    """
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError), socket.socket(fileno=os.dup(int(name))) as found:
            listens = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            if listens and found.getsockname()[1] == port:
                found.setsockopt(socket.IPPROTO_TCP, _TCP_USER_TIMEOUT, round(seconds * 1000))


def _answers(address: Address) -> bool:
    connection = http.client.HTTPConnection(address.ip, address.port, timeout=5)
    try:
        connection.request("HEAD", "/health/live")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
