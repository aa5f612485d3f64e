"""The program of the writer: it makes one write after another, in one thread.

Run as `python -m kg.publishing.writer SOCKET MEMORY PARENT`. It may be killed at any time: the
lock of the store goes with it, and the next write sweeps what it leaves.
"""

from __future__ import annotations

import datetime
import sys
from functools import partial

from kg.errors import KgError
from kg.publishing.landing import land
from kg.publishing.messages import decoded_write, encoded_error, encoded_written
from kg.publishing.own_process import answer_all
from kg.publishing.preparation import Preparer
from kg.store.wire import Message


def main(descriptor: int, memory: int, parent: int) -> None:
    """Make writes from the socket until the other side closes it."""
    answer_all(descriptor, memory, parent, partial(_reply, Preparer()))


def _reply(preparer: Preparer, message: Message) -> Message:
    folder, settings, write = decoded_write(message)
    try:
        now = datetime.datetime.now(datetime.UTC)
        return encoded_written(land(write, folder, settings, preparer, now=now))
    except KgError as error:
        return encoded_error(error)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
