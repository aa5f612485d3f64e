"""The pool of workers: a task goes to a free one, and one that is lost is replaced at once."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Final

from kg.errors import (
    AnswerTooLarge,
    DeadlineExceeded,
    EvaluationFailed,
    KgError,
    MemoryExceeded,
    NotAcceptable,
    QueueFull,
    StoreDamaged,
    StoreError,
    WorkerDied,
)
from kg.media import FORMATS, Format
from kg.store.base import Dump, Spool, Task
from kg.store.syntax import syntax_error
from kg.store.wire import Message, encoded, receive, send

_log = logging.getLogger(__name__)

_START_SECONDS: Final = 30.0
_RETRY_SECONDS: Final = 0.5
_LAST_WORDS: Final = 64 * 1024
_LAST_LINES: Final = 3
_OUT_OF_MEMORY: Final = re.compile(
    rb"^memory allocation of \d+ bytes failed"  # Rust
    rb"|^  what\(\):  std::bad_alloc"  # C++
    rb"|Resource temporarily unavailable"  # no room for the stack of a thread
    rb"|^MemoryError",
    re.MULTILINE,
)


class WorkerPool:
    """`size` tasks at a time, each in a process of at most `memory` bytes of address space.

    One worker more than `size` is kept, so that none waits for a process to start. All methods
    may be called from any thread.
    """

    def __init__(self, size: int, *, memory: int, queue_seconds: float) -> None:
        self._size = size
        self._memory = memory
        self._queue_seconds = queue_seconds
        self._changed = threading.Condition()
        self._ready: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._missing = size + 1
        self._closed = False
        self._network: bool | None = None
        # A worker is killed when the thread that started it ends, so one thread starts them all.
        self._starter = threading.Thread(target=self._start_missing, daemon=True, name="workers")
        self._starter.start()

    def run(self, task: Task | Dump) -> Spool:
        """The answer to a task, complete.

        Raises QueueFull where no worker gets free in time, DeadlineExceeded, MemoryExceeded,
        WorkerDied, AnswerTooLarge, QuerySyntax, NotAcceptable, EvaluationFailed, and StoreError.
        """
        worker = self._take()
        try:
            self._note(worker.greeted())
            return worker.run(task)
        finally:
            self._give_back(worker)

    def close(self) -> None:
        """End every worker; tasks that still run raise WorkerDied."""
        with self._changed:
            self._closed = True
            idle, busy = self._ready, set(self._busy)
            self._ready = []
            self._changed.notify_all()
        for worker in idle:
            worker.end()
        for worker in busy:  # the thread that runs its task closes the rest
            worker.kill()
        self._starter.join()

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _take(self) -> _Worker:
        until = time.monotonic() + self._queue_seconds
        with self._changed:
            while True:
                left = until - time.monotonic()
                if not self._changed.wait_for(self._has_turn, max(left, 0)):
                    raise QueueFull(self._queue_seconds)
                if self._closed:
                    raise WorkerDied("the store was closed")
                worker = self._ready.pop()
                if worker.is_fit:
                    self._busy.add(worker)
                    return worker
                self._replace(worker)

    def _note(self, network: bool) -> None:
        """Log, of the first worker, whether the kernel left it the network."""
        if self._network is None:
            self._network = network
            _log.info("event=worker network=%s", str(network).lower())

    def _has_turn(self) -> bool:
        return self._closed or (bool(self._ready) and len(self._busy) < self._size)

    def _give_back(self, worker: _Worker) -> None:
        with self._changed:
            self._busy.remove(worker)
            if worker.is_fit and not self._closed:
                self._ready.append(worker)
            else:
                self._replace(worker)
            self._changed.notify_all()

    def _replace(self, worker: _Worker) -> None:
        worker.end()
        self._missing += 1
        self._changed.notify_all()

    def _start_missing(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._missing or self._closed)
                if self._closed:
                    return
                self._missing -= 1
            self._start_one()

    def _start_one(self) -> None:
        try:
            worker = _Worker(self._memory)
        except OSError:  # no process or descriptor to be had now
            time.sleep(_RETRY_SECONDS)
            with self._changed:
                self._missing += 1
            return
        with self._changed:
            if self._closed:
                worker.end()
            else:  # new ones are taken last, when they had time to start
                self._ready.insert(0, worker)
            self._changed.notify_all()


class _Worker:
    """One process, the socket to it and the file that takes its last words."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._network: bool | None = None
        self._settled = True
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - `end` closes it
        self._connection, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own program, no word of a client
                _command(theirs.fileno(), memory),
                pass_fds=[theirs.fileno()],
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._stderr,
                start_new_session=True,  # an interrupt at the terminal is the parent's to handle
            )

    @property
    def is_fit(self) -> bool:
        """Whether it runs and owes no answer."""
        return self._settled and self._process.poll() is None

    def run(self, task: Task | Dump) -> Spool:
        """The answer to a task; it is ended where it does not give one in time."""
        self._settled = False
        until = time.monotonic() + task.deadline
        try:
            send(self._connection, encoded(task), until)
            reply = receive(self._connection, until)
        except TimeoutError:
            self.kill()
            raise DeadlineExceeded(task.deadline) from None
        except (EOFError, ConnectionError):
            raise self._death() from None
        self._settled = True
        if "failure" in reply.head:
            raise _error(reply.head["failure"], reply.head["detail"], task)
        return _spool(reply)

    def kill(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """End the process and give back what belongs to it."""
        self.kill()
        self._connection.close()
        self._stderr.close()

    def greeted(self) -> bool:
        """Whether it has the network, once it has started; raises WorkerDied."""
        if self._network is None:
            self._network = self._greeting()
        return self._network

    def _greeting(self) -> bool:
        self._settled = False
        try:
            greeting = receive(self._connection, time.monotonic() + _START_SECONDS)
        except TimeoutError:
            self.kill()
            raise WorkerDied(f"it did not start within {_START_SECONDS:g} s") from None
        except (EOFError, ConnectionError):
            _log.error("event=worker_did_not_start said=%r", self._last_line())
            raise WorkerDied("it did not start") from None
        self._settled = True
        return bool(greeting.head["network"])

    def _death(self) -> MemoryExceeded | WorkerDied:
        """Why the process is gone, from its last words and how it ended."""
        status = self._process.wait()
        if is_out_of_memory(self._last_words()):
            return MemoryExceeded(self._memory)
        if status < 0:
            return WorkerDied(f"signal {signal.Signals(-status).name}")
        # Its last words are the operator's: they may name paths of this machine.
        _log.error("event=worker_died status=%s said=%r", status, self._last_line())
        return WorkerDied(f"exit status {status}")

    def _last_words(self) -> bytes:
        size = os.fstat(self._stderr.fileno()).st_size
        return os.pread(self._stderr.fileno(), _LAST_WORDS, max(size - _LAST_WORDS, 0))

    def _last_line(self) -> str:
        lines = self._last_words().decode(errors="replace").splitlines()
        return lines[-1] if lines else "it said nothing"


def is_out_of_memory(words: bytes) -> bool:
    """Whether this is how a process ends that got no memory; text of a query may stand before."""
    return bool(_OUT_OF_MEMORY.search(b"\n".join(words.splitlines()[-_LAST_LINES:])))


def _spool(reply: Message) -> Spool:
    if reply.descriptor is None:
        return Spool.of(reply.body)
    return Spool(os.fdopen(reply.descriptor, "rb"), os.fstat(reply.descriptor).st_size)


def _error(kind: str, detail: str, task: Task | Dump) -> KgError:
    """What a worker reports, as the error for the client."""
    match kind, task:
        case "syntax", Task():
            return syntax_error(detail, task.query, task.prefixes)
        case "size", Task():
            return AnswerTooLarge(task.answer_bytes)
        case "format", Task():
            return NotAcceptable(f"{task.format.name}: {detail}", _others(task.format))
        case "machine", _:
            remedy = "Check the space and the permissions of the store and of temporary files."
            return StoreError(f"an answer could not be read or written: {detail}", remedy=remedy)
        case "damaged", _:
            remedy = "Ask an older release, or build a new store: kg build --store OTHER."
            return StoreDamaged(detail, remedy=remedy)
        case _:
            return EvaluationFailed(detail)


def _others(format: Format) -> list[str]:
    """The formats that carry what this one does."""
    return [
        other.name
        for other in FORMATS.values()
        if other.carries_graph == format.carries_graph and other != format
    ]


def _command(descriptor: int, memory: int) -> list[str]:
    # -P: the folder that the parent runs in is no place to import from.
    arguments = (descriptor, memory, os.getpid())
    return [sys.executable, "-P", "-m", "kg.store.worker", *map(str, arguments)]


def _environment() -> dict[str, str]:
    """The parent's, without settings and proxies, and with the place that `kg` comes from."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("KG_") and not name.lower().endswith("_proxy")
    }
    source = str(Path(__file__).resolve().parents[2])
    known = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([source, known] if known else [source])
    # One arena: each further one takes 64 MiB of the address space that a worker has.
    return kept | {"PYTHONPATH": path, "RUST_BACKTRACE": "0", "MALLOC_ARENA_MAX": "1"}
