"""A process that answers one message after another, on both of its sides, and may be killed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from kg.closing import Closing
from kg.errors import StoreError
from kg.settings import Settings
from kg.store.base import Ticket
from kg.store.confinement import confine
from kg.store.wire import Message, receive, send
from kg.store.workers import WorkerPool


class OwnProcess(Closing):
    """The side that asks: the process is started by the first message, and anew where it ended.

    All methods may be called from any thread. Close it, or use it in a `with` block.
    """

    def __init__(self, program: str, settings: Settings, *, queue_seconds: float) -> None:
        self._program = program
        self._settings = settings
        self._queue_seconds = queue_seconds
        self._pool: WorkerPool | None = None
        self._closed = False
        self._starting = threading.Lock()

    def call(self, message: Message, deadline: float, ticket: Ticket | None = None) -> Message:
        """The answer; raises what `WorkerPool.call` does."""
        return self._workers().call(message, deadline, ticket)

    def close(self) -> None:
        """End the process; what is under way is lost whole."""
        with self._starting:
            self._closed = True
            if self._pool:
                self._pool.close()
                self._pool = None

    def _workers(self) -> WorkerPool:
        with self._starting:
            if self._closed:
                raise StoreError("the store was closed", remedy="Open it anew.")
            if self._pool is None:
                self._pool = WorkerPool(
                    1,
                    memory=self._settings.writer_memory,
                    queue_seconds=self._queue_seconds,
                    queue_length=self._settings.queue_length,
                    program=self._program,
                    spares=0,
                )
            return self._pool


def answer_all(
    descriptor: int, memory: int, parent: int, answer: Callable[[Message], Message]
) -> None:
    """The side that answers: each message from the socket, until the other side closes it."""
    connection = socket.socket(fileno=descriptor)
    send(connection, Message({"network": confine(memory=memory, parent=parent)}))
    while True:
        try:
            message = receive(connection)
        except (EOFError, ConnectionError):
            return
        send(connection, answer(message))
