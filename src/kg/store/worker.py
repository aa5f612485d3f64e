"""The program of a worker: it evaluates one task after another on a release, in one thread.

Run as `python -m kg.store.worker SOCKET MEMORY PARENT`. It may be killed at any time. It imports
little, since a spare is started for each worker that is.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from select import POLLIN, poll
from typing import Final

from pyoxigraph import Store

from kg.store.base import Differing, Dump, Task
from kg.store.confinement import confine
from kg.store.evaluation import Failure, differed, dumped, evaluated
from kg.store.holding import hold
from kg.store.output import Output
from kg.store.wire import Message, decoded, described, receive, send

_IDLE_SECONDS: Final = 2.0
"""How long a worker has nothing to do before it looks whether it may let its release go."""


def main(descriptor: int, memory: int, parent: int) -> None:
    """Answer tasks from the socket until the other side closes it."""
    connection = socket.socket(fileno=descriptor)
    network = confine(memory=memory, parent=parent)
    send(connection, Message({"network": network}))
    reader = _Reader()
    waiting = poll()
    waiting.register(connection, POLLIN)
    while True:
        try:
            while not waiting.poll(_IDLE_SECONDS * 1000):
                reader.let_go_of_old()
            message = receive(connection)
        except (EOFError, ConnectionError):
            return
        _answer(connection, reader, message)


class _Reader:
    """The one release that is open, and the prefixes of the last task.

    The release is held as long as it is open, so that nobody takes it away.
    """

    def __init__(self) -> None:
        self.prefixes: Mapping[str, str] = {}
        self._folder: Path | None = None
        self._held: int | None = None
        self._store = Store()

    def at(self, release: Path) -> Store:
        """The public graphs of this release, opened unless they are open already."""
        if release != self._folder:
            self._let_go()
            try:
                self._held = hold(release)
            except FileNotFoundError as error:
                raise Failure("gone", str(release)) from error
            try:
                self._store = Store.read_only(str(release / "public"))
            except (OSError, RuntimeError, ValueError) as error:
                raise Failure("damaged", f"{release} cannot be opened: {error}") from error
            self._folder = release
        return self._store

    def let_go_of_old(self) -> None:
        """Close the release that is open where HEAD names another, so that it may go."""
        if self._folder and not _is_head(self._folder):
            self._let_go()

    def _let_go(self) -> None:
        self._folder, self._store = None, Store()
        if self._held is not None:
            os.close(self._held)
            self._held = None


def _is_head(release: Path) -> bool:
    """Whether HEAD names this release, as far as it can be read."""
    try:
        return (release.parent.parent / "HEAD").read_bytes().strip() == release.name.encode()
    except OSError:
        return True


def _answer(connection: socket.socket, reader: _Reader, message: Message) -> None:
    task = decoded(message, known=reader.prefixes)
    reader.prefixes = task.prefixes
    try:
        store = reader.at(task.release)
        with _output(store, task) as output:
            _send_output(connection, output)
    except Failure as failure:
        send(connection, Message({"failure": failure.kind, "detail": failure.detail}))


def _output(store: Store, task: Task | Dump | Differing) -> Output:
    if isinstance(task, Dump):
        return dumped(store, task)
    return differed(store, task) if isinstance(task, Differing) else evaluated(store, task)


def _send_output(connection: socket.socket, output: Output) -> None:
    head = described(output.coding, cut=output.cut)
    if output.is_small:
        send(connection, Message(head, output.content()))
    else:
        send(connection, Message(head, descriptor=output.rewound()))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
