"""The pool of workers: a task goes to a free one, and one that is lost is replaced at once."""

from __future__ import annotations

import asyncio
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
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from kg.closing import Closing
from kg.errors import (
    AnswerTooLarge,
    DeadlineExceeded,
    KgError,
    MemoryExceeded,
    NotAcceptable,
    QueryCancelled,
    QueueFull,
    StoreDamaged,
    StoreError,
    TooManyRows,
    WorkerDied,
)
from kg.media import FORMATS, Format
from kg.store.base import Differing, Dump, Spool, Task, Ticket
from kg.store.confinement import Isolation
from kg.store.removals import missing_at
from kg.store.syntax import engine_error, syntax_error
from kg.store.wire import Message, encoded, receive, send, spooled

_log = logging.getLogger(__name__)

_START_SECONDS: Final = 30.0
_MESSAGE_SECONDS: Final = 1.0
"""How long a message may take from its first byte to its last."""
_RETRY_SECONDS: Final = 0.5
_LOOK_SECONDS: Final = 1.0
"""How often it is seen whether a worker ended idle."""
_END_SECONDS: Final = 5.0
_LAST_WORDS: Final = 64 * 1024
_LAST_LINES: Final = 3
_OUT_OF_MEMORY: Final = re.compile(
    rb"^memory allocation of \d+ bytes failed"  # Rust
    rb"|^  what\(\):  std::bad_alloc"  # C++
    rb"|Resource temporarily unavailable"  # no room for the stack of a thread
    rb"|^MemoryError",
    re.MULTILINE,
)


class Cause(StrEnum):
    """Why a worker ended before its pool did."""

    DEADLINE = "deadline"
    MEMORY = "memory"
    CANCELLED = "cancelled"
    IDLE = "idle"
    """It ended while it had no task."""
    CRASH = "crash"
    """It ended by itself in the middle of a task, or did not keep to the messages."""


@dataclass(frozen=True, slots=True)
class PoolState:
    """The workers of a pool at one moment, the tasks that wait, and the deaths since its start."""

    busy: int = 0
    ready: int = 0
    starting: int = 0
    waiting: int = 0
    deaths: Mapping[Cause, int] = field(default_factory=dict)


class WorkerPool(Closing):
    """`size` tasks at a time, each in a process of at most `memory` bytes of address space.

    `spares` more processes are kept, so that none waits for one to start. At most `queue_length`
    tasks wait for their turn, `queue_seconds` each. The processes run `program`, a module that
    takes SOCKET MEMORY PARENT. All methods may be called from any thread.
    """

    def __init__(
        self,
        size: int,
        *,
        memory: int,
        queue_seconds: float,
        queue_length: int = 64,
        program: str = "kg.store.worker",
        spares: int = 1,
    ) -> None:
        self._size = size
        self._memory = memory
        self._queue_seconds = queue_seconds
        self._queue_length = queue_length
        self._program = program
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._ready: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._lost: list[_Worker] = []
        self._waiting: deque[_Turn] = deque()
        self._missing = size + spares
        self._closed = False
        self._network: str | None = None
        self._deaths: Counter[Cause] = Counter({cause: 0 for cause in Cause})
        # A worker is killed when the thread that started it ends, so one thread starts them all.
        self._keeper = threading.Thread(target=self._keep, daemon=True, name="workers")
        self._keeper.start()

    def run(self, task: Task | Dump | Differing, ticket: Ticket | None = None) -> Spool:
        """The answer to a task, complete.

        Raises QueueFull where no worker gets free in time or too many tasks wait, QueryCancelled,
        DeadlineExceeded, MemoryExceeded, WorkerDied, AnswerTooLarge, TooManyRows, QuerySyntax,
        NotAcceptable, EvaluationFailed, and StoreError.
        """
        begun = time.monotonic()
        with self._turn(ticket) as worker:
            taken = time.monotonic()
            spool = worker.run(task)
        spool.queue_ms = (taken - begun) * 1000
        spool.work_ms = (time.monotonic() - taken) * 1000
        return spool

    async def run_soon(self, task: Task, ticket: Ticket | None = None) -> Spool:
        """As `run`, for an event loop, which it does not hold up: no thread waits for the answer.

        It raises what `run` raises.
        """
        turn, begun = _Turn(), time.monotonic()
        with ticket.ended_by(lambda: self._end(turn)) if ticket else nullcontext():
            try:
                worker = await self._taken_soon(turn)
                taken = time.monotonic()
                spool = await worker.run_soon(task)
            except KgError:
                if turn.cancelled:
                    raise QueryCancelled from None
                raise
            finally:
                self._give_back(turn)
        spool.queue_ms = (taken - begun) * 1000
        spool.work_ms = (time.monotonic() - taken) * 1000
        return spool

    def call(self, message: Message, deadline: float, ticket: Ticket | None = None) -> Message:
        """The reply of the program to a message, after at most `deadline` seconds.

        Raises QueueFull, QueryCancelled, DeadlineExceeded, MemoryExceeded and WorkerDied.
        """
        with self._turn(ticket) as worker:
            return worker.ask(message, time.monotonic() + deadline, deadline)

    def state(self) -> PoolState:
        """What the workers do at this moment; it waits for nothing."""
        with self._lock:
            up = sum(worker.is_up() for worker in self._ready)
            return PoolState(
                busy=len(self._busy),
                ready=up,
                starting=len(self._ready) - up + self._missing,
                waiting=len(self._waiting),
                deaths=dict(self._deaths),
            )

    def close(self) -> None:
        """End every worker; tasks that still run raise WorkerDied."""
        with self._lock:
            self._closed = True
            idle, busy, waiting = self._ready, set(self._busy), list(self._waiting)
            self._ready = []
            self._waiting.clear()
            self._work.notify_all()
        for turn in waiting:
            turn.wake()
        for worker in idle:
            worker.end()
        for worker in busy:  # the thread that runs its task closes the rest
            worker.kill()
            worker.wait()
        self._keeper.join()

    # --- turns: who may use which worker ------------------------------------------------------

    @contextmanager
    def _turn(self, ticket: Ticket | None) -> Iterator[_Worker]:
        """A worker that has started, for one task; raises QueryCancelled at the ticket's word."""
        turn = _Turn()
        with ticket.ended_by(lambda: self._end(turn)) if ticket else nullcontext():
            try:
                worker = self._taken(turn)
                self._note(worker.greeted())
                yield worker
            except KgError:
                if turn.cancelled:
                    raise QueryCancelled from None
                raise
            finally:
                self._give_back(turn)

    async def _taken_soon(self, turn: _Turn) -> _Worker:
        """As `_taken`, for an event loop; the worker has started."""
        loop = asyncio.get_running_loop()
        woken = _Woken(loop)
        worker = self._taken_at_once(turn, woken)
        if worker is None:
            await woken.wait(self._queue_seconds)
            worker = self._taken_late(turn)
        if not worker.has_started:
            await loop.run_in_executor(None, worker.greeted)
        self._note(worker.greeted())
        return worker

    def _taken(self, turn: _Turn) -> _Worker:
        """The worker whose turn it is, the first come the first served."""
        woken = threading.Event()
        worker = self._taken_at_once(turn, woken)
        if worker:
            return worker
        woken.wait(self._queue_seconds)
        return self._taken_late(turn)

    def _taken_at_once(self, turn: _Turn, woken: threading.Event | _Woken) -> _Worker | None:
        """A worker that is free; else the turn waits, to be woken."""
        with self._lock:
            self._check_wanted(turn)
            if not self._waiting and (worker := self._next()):
                turn.worker = worker
                return worker
            starting = self._size - len(self._busy)  # that many wait for a process, not for others
            if len(self._waiting) >= self._queue_length + starting:
                raise QueueFull(0)
            turn.woken = woken
            self._waiting.append(turn)
            return None

    def _taken_late(self, turn: _Turn) -> _Worker:
        """The worker that a turn got, which was woken or has waited long enough."""
        with self._lock:
            # First: a turn that was cancelled while it waited may have got a worker since.
            self._check_wanted(turn)
            if turn.worker:
                return turn.worker
            raise QueueFull(self._queue_seconds)

    def _check_wanted(self, turn: _Turn) -> None:
        if self._closed:
            raise WorkerDied("the store was closed")
        if turn.cancelled:
            raise QueryCancelled

    def _next(self) -> _Worker | None:
        """A worker for one more task, unless `size` are at work or none has started."""
        while self._ready and len(self._busy) < self._size:
            worker = self._ready.pop()
            if worker.is_fit():
                self._busy.add(worker)
                return worker
            self._replace(worker)
        return None

    def _give_back(self, turn: _Turn) -> None:
        """End the turn, whether it got a worker or not."""
        with self._lock:
            worker, turn.worker = turn.worker, None
            if worker is None:
                with suppress(ValueError):
                    self._waiting.remove(turn)
                return
            self._busy.remove(worker)
            if worker.owes_nothing and not self._closed:
                self._ready.append(worker)
            else:
                self._replace(worker)
            self._serve_waiting()
        if self._closed:
            worker.end()

    def _serve_waiting(self) -> None:
        while self._waiting and (worker := self._next()):
            turn = self._waiting.popleft()
            turn.worker = worker
            turn.wake()

    def _end(self, turn: _Turn) -> None:
        """Cancel it: the worker is killed, whatever it does."""
        with self._lock:
            turn.cancelled = True
            if turn.worker:
                turn.worker.kill(Cause.CANCELLED)
            turn.wake()

    def _note(self, network: str) -> None:
        """Log, of the first worker, what keeps it from the network."""
        if self._network is None:
            self._network = network
            reached = network == Isolation.NONE
            level = logging.WARNING if reached else logging.INFO
            _log.log(level, "event=worker network=%s means=%s", str(reached).lower(), network)

    # --- keeping: lost workers are replaced ---------------------------------------------------

    def _replace(self, worker: _Worker) -> None:
        self._deaths[worker.cause or (Cause.IDLE if worker.owes_nothing else Cause.CRASH)] += 1
        worker.kill()
        self._lost.append(worker)
        self._missing += 1
        self._work.notify_all()

    def _keep(self) -> None:
        closed = False
        while not closed:
            with self._lock:
                self._work.wait_for(self._has_work, _LOOK_SECONDS)
                closed = self._closed
                self._replace_dead()
                lost, missing = self._lost, 0 if closed else self._missing
                self._lost, self._missing = [], 0
            for left in range(missing, 0, -1):
                if not self._start_one():
                    self._retry_later(left)
                    break
            for worker in lost:
                worker.end()

    def _has_work(self) -> bool:
        return bool(self._missing or self._lost or self._closed)

    def _replace_dead(self) -> None:
        """Replace those that ended idle; one that never started is the next task's to report."""
        for worker in [each for each in self._ready if each.has_greeted and not each.is_fit()]:
            self._ready.remove(worker)
            self._replace(worker)

    def _start_one(self) -> bool:
        try:
            worker = _Worker(self._program, self._memory)
        except OSError:  # no process or descriptor to be had now
            return False
        with self._lock:
            if self._closed:
                self._lost.append(worker)
            else:  # new ones are taken last, when they had time to start
                self._ready.insert(0, worker)
                self._serve_waiting()
        return True

    def _retry_later(self, missing: int) -> None:
        time.sleep(_RETRY_SECONDS)
        with self._lock:
            self._missing += missing


@dataclass(slots=True, eq=False)
class _Turn:
    """One task's turn: what it waits for, the worker that it has, and whether it was cancelled."""

    worker: _Worker | None = None
    woken: threading.Event | _Woken | None = None
    cancelled: bool = False

    def wake(self) -> None:
        """Let it look again, where it waits."""
        if self.woken:
            self.woken.set()


class _Woken:
    """What wakes a task of an event loop, from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._woken: asyncio.Future[bool] = loop.create_future()

    def set(self) -> None:
        """Wake it."""
        self._loop.call_soon_threadsafe(_settle, self._woken, True)

    async def wait(self, seconds: float) -> None:
        """Wait to be woken, or so long."""
        late = self._loop.call_later(seconds, _settle, self._woken, False)
        await self._woken
        late.cancel()


class _Worker:
    """One process, the socket to it and the file that takes its last words."""

    def __init__(self, program: str, memory: int) -> None:
        self.owes_nothing = True
        self.cause: Cause | None = None
        self._killed = False
        self._memory = memory
        self._network: str | None = None
        self._prefixes: Mapping[str, str] = {}
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - `end` closes it
        self._connection, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 - our own program, no word of a client
                    _command(program, theirs.fileno(), memory),
                    pass_fds=[theirs.fileno()],
                    env=_environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=self._stderr,
                    start_new_session=True,  # an interrupt at the terminal is the parent's
                )
        except OSError:
            self._close()
            raise

    @property
    def has_started(self) -> bool:
        """Whether it greeted."""
        return self._network is not None

    @property
    def has_greeted(self) -> bool:
        """Whether it has started, although its greeting may wait to be read."""
        return self.has_started or _has_come(self._connection)

    def is_up(self) -> bool:
        """Whether it runs and has greeted."""
        return self._process.poll() is None and self.has_greeted

    def is_fit(self) -> bool:
        """Whether it runs and owes no answer."""
        return self.owes_nothing and self._process.poll() is None

    def run(self, task: Task | Dump | Differing) -> Spool:
        """The answer to a task; the process is ended where it does not give one in time."""
        until = time.monotonic() + task.deadline
        message = encoded(task, known=self._prefixes)
        return self._spool(self.ask(message, until, task.deadline), task)

    async def run_soon(self, task: Task) -> Spool:
        """As `run`, for an event loop."""
        return self._spool(await self._ask_soon(encoded(task, known=self._prefixes), task), task)

    def _spool(self, reply: Message, task: Task | Dump | Differing) -> Spool:
        if task.prefixes != self._prefixes:
            self._prefixes = dict(task.prefixes)
        if "failure" in reply.head:
            raise _error(reply.head["failure"], reply.head["detail"], task)
        return spooled(reply)

    def ask(self, message: Message, until: float, deadline: float) -> Message:
        """The reply to a message; the process is ended where it does not give one in time."""
        self.owes_nothing = False
        try:
            send(self._connection, message, until)
            reply = receive(self._connection, until)
        except TimeoutError:
            self.kill(Cause.DEADLINE)
            raise DeadlineExceeded(deadline) from None
        except (EOFError, ConnectionError):
            raise self._death() from None
        self.owes_nothing = not self._killed
        return reply

    async def _ask_soon(self, message: Message, task: Task) -> Message:
        """As `ask`. Whoever has begun to read or to write a message ends it at once."""
        self.owes_nothing = False
        try:
            send(self._connection, message, time.monotonic() + _MESSAGE_SECONDS)
            if not await _is_readable(self._connection, task.deadline):
                self.kill(Cause.DEADLINE)
                raise DeadlineExceeded(task.deadline)
            reply = receive(self._connection, time.monotonic() + _MESSAGE_SECONDS)
        except TimeoutError:
            self.kill(Cause.CRASH)
            raise WorkerDied("it stopped in the middle of a message") from None
        except (EOFError, ConnectionError):
            # Not run_in_executor: what it logs has the ids of this task.
            raise await asyncio.to_thread(self._death) from None
        self.owes_nothing = not self._killed
        return reply

    def kill(self, cause: Cause | None = None) -> None:
        """End the process, whatever it does; the first cause that is given is why."""
        self.cause = self.cause or cause
        self._killed, self.owes_nothing = True, False
        self._process.kill()

    def wait(self) -> None:
        """Wait until a process that was killed is gone."""
        self._process.wait()

    def end(self) -> None:
        """End the process and give back what belongs to it."""
        self.kill()
        self.wait()
        self._close()

    def _close(self) -> None:
        self._connection.close()
        self._stderr.close()

    def greeted(self) -> str:
        """What keeps it from the network, once it has started; raises WorkerDied."""
        if self._network is None:
            self._network = self._greeting()
        return self._network

    def _greeting(self) -> str:
        self.owes_nothing = False
        try:
            greeting = receive(self._connection, time.monotonic() + _START_SECONDS)
        except TimeoutError:
            self.kill()
            raise WorkerDied(f"it did not start within {_START_SECONDS:g} s") from None
        except (EOFError, ConnectionError):
            if self._killed:
                raise WorkerDied("it was ended as it started") from None
            _log.error("event=worker_did_not_start said=%r", self._last_line())
            raise WorkerDied("it did not start") from None
        self.owes_nothing = not self._killed
        return str(greeting.head["network"])

    def _death(self) -> MemoryExceeded | WorkerDied:
        """Why the process is gone, from its last words and how it ended."""
        try:
            status = self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:  # it hung up, and does not end
            self.kill()
            status = self._process.wait()
        if is_out_of_memory(self._last_words()):
            self.cause = self.cause or Cause.MEMORY
            return MemoryExceeded(self._memory)
        self.cause = self.cause or Cause.CRASH
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


def _has_come(connection: socket.socket) -> bool:
    """Whether there is something to read now; the end of a connection is nothing."""
    with suppress(OSError):
        return bool(connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    return False


async def _is_readable(connection: socket.socket, seconds: float) -> bool:
    """Whether there is something to read within so long."""
    loop = asyncio.get_running_loop()
    there: asyncio.Future[bool] = loop.create_future()
    loop.add_reader(connection.fileno(), _settle, there, True)
    late = loop.call_later(seconds, _settle, there, False)
    try:
        return await there
    finally:
        late.cancel()
        loop.remove_reader(connection.fileno())


def _settle(future: asyncio.Future[bool], value: bool) -> None:
    if not future.done():
        future.set_result(value)


def is_out_of_memory(words: bytes) -> bool:
    """Whether this is how a process ends that got no memory; text of a query may stand before."""
    return bool(_OUT_OF_MEMORY.search(b"\n".join(words.splitlines()[-_LAST_LINES:])))


def _error(kind: str, detail: str, task: Task | Dump | Differing) -> KgError:
    """What a worker reports, as the error for the client."""
    match kind, task:
        case "syntax", Task():
            return syntax_error(detail, task.query, task.prefixes)
        case "size", Task() | Differing():
            return AnswerTooLarge(task.answer_bytes)
        case "rows", Task():
            return TooManyRows(task.answer_rows)
        case "format", Task():
            return NotAcceptable(f"{task.format.name}: {detail}", _others(task.format))
        case "machine", _:
            remedy = "Check the space and the permissions of the store and of temporary files."
            return StoreError(f"an answer could not be read or written: {detail}", remedy=remedy)
        case "gone", _:
            return missing_at(task.release)
        case "damaged", _:
            remedy = "Ask an older release, or build a new store: kg build --store OTHER."
            return StoreDamaged(detail, remedy=remedy)
        case _:
            return engine_error(detail)


def _others(format: Format) -> list[str]:
    """The formats that carry what this one does."""
    return [
        other.name
        for other in FORMATS.values()
        if other.carries_graph == format.carries_graph and other != format
    ]


def _command(program: str, descriptor: int, memory: int) -> list[str]:
    # -P: the folder that the parent runs in is no place to import from.
    arguments = (descriptor, memory, os.getpid())
    return [sys.executable, "-P", "-m", program, *map(str, arguments)]


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
