"""The program of a worker: it evaluates one task after another on a release, in one thread.

Run as `python -m kg.store.worker SOCKET MEMORY PARENT`. It may be killed at any time. It imports
little, since a spare is started for each worker that is.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from pyoxigraph import Store

from kg.store.base import Dump
from kg.store.confinement import confine
from kg.store.evaluation import Failure, dumped, evaluated
from kg.store.output import Output
from kg.store.wire import Message, decoded, described, receive, send


def main(descriptor: int, memory: int, parent: int) -> None:
    """Answer tasks from the socket until the other side closes it."""
    connection = socket.socket(fileno=descriptor)
    network = confine(memory=memory, parent=parent)
    send(connection, Message({"network": network}))
    reader = _Reader()
    while True:
        try:
            message = receive(connection)
        except (EOFError, ConnectionError):
            return
        _answer(connection, reader, message)


class _Reader:
    """The one release that is open, and the prefixes of the last task."""

    def __init__(self) -> None:
        self.prefixes: Mapping[str, str] = {}
        self._folder: Path | None = None
        self._store = Store()

    def at(self, release: Path) -> Store:
        """The public graphs of this release, opened unless they are open already."""
        if release != self._folder:
            try:
                self._store = Store.read_only(str(release / "public"))
            except (OSError, RuntimeError, ValueError) as error:
                raise Failure("damaged", f"{release} cannot be opened: {error}") from error
            self._folder = release
        return self._store


def _answer(connection: socket.socket, reader: _Reader, message: Message) -> None:
    task = decoded(message, known=reader.prefixes)
    reader.prefixes = task.prefixes
    try:
        store = reader.at(task.release)
        with dumped(store, task) if isinstance(task, Dump) else evaluated(store, task) as output:
            _send_output(connection, output)
    except Failure as failure:
        send(connection, Message({"failure": failure.kind, "detail": failure.detail}))


def _send_output(connection: socket.socket, output: Output) -> None:
    head = described(output.coding, cut=output.cut)
    if output.is_small:
        send(connection, Message(head, output.content()))
    else:
        send(connection, Message(head, descriptor=output.rewound()))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
