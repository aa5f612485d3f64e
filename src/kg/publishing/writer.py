"""The program of the writer: it makes one write after another, in one thread.

Run as `python -m kg.publishing.writer SOCKET MEMORY PARENT`. It may be killed at any time: the
lock of the store goes with it, and the next write sweeps what it leaves.
"""

from __future__ import annotations

import datetime
import socket
import sys

from kg.errors import KgError
from kg.publishing.landing import land
from kg.publishing.messages import decoded_write, encoded_error, encoded_written
from kg.publishing.preparation import Preparer
from kg.store.confinement import confine
from kg.store.wire import Message, receive, send


def main(descriptor: int, memory: int, parent: int) -> None:
    """Make writes from the socket until the other side closes it."""
    connection = socket.socket(fileno=descriptor)
    send(connection, Message({"network": confine(memory=memory, parent=parent)}))
    preparer = Preparer()
    while True:
        try:
            message = receive(connection)
        except (EOFError, ConnectionError):
            return
        send(connection, _reply(message, preparer))


def _reply(message: Message, preparer: Preparer) -> Message:
    folder, settings, write = decoded_write(message)
    try:
        now = datetime.datetime.now(datetime.UTC)
        return encoded_written(land(write, folder, settings, preparer, now=now))
    except KgError as error:
        return encoded_error(error)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
