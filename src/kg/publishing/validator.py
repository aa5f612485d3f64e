"""The program of the validator: it checks one submission after another, and writes nothing.

Run as `python -m kg.publishing.validator SOCKET MEMORY PARENT`. It may be killed at any time.
"""

from __future__ import annotations

import socket
import sys

from kg.errors import KgError
from kg.publishing.judging import judge
from kg.publishing.messages import encoded_error
from kg.publishing.preparation import Preparer
from kg.publishing.submissions import decoded_submission, encoded_verdict
from kg.store.confinement import confine
from kg.store.wire import Message, receive, send


def main(descriptor: int, memory: int, parent: int) -> None:
    """Check submissions from the socket until the other side closes it."""
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
    folder, _, submission = decoded_submission(message)
    try:
        return encoded_verdict(judge(submission, folder, preparer))
    except KgError as error:
        return encoded_error(error)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
