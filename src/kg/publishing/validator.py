"""The program of the validator: it checks one submission after another, and writes nothing.

Run as `python -m kg.publishing.validator SOCKET MEMORY PARENT`. It may be killed at any time.
"""

from __future__ import annotations

import sys
from functools import partial

from kg.errors import KgError
from kg.publishing.judging import judge
from kg.publishing.messages import encoded_error
from kg.publishing.own_process import answer_all
from kg.publishing.preparation import Preparer
from kg.publishing.submissions import decoded_submission, encoded_verdict
from kg.store.wire import Message


def main(descriptor: int, memory: int, parent: int) -> None:
    """Check submissions from the socket until the other side closes it."""
    answer_all(descriptor, memory, parent, partial(_reply, Preparer()))


def _reply(preparer: Preparer, message: Message) -> Message:
    folder, _, submission = decoded_submission(message)
    try:
        return encoded_verdict(judge(submission, folder, preparer))
    except KgError as error:
        return encoded_error(error)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
