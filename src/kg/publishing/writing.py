"""Writes from outside, each made in a process that may be killed."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from kg.closing import Closing
from kg.errors import DeadlineExceeded, MemoryExceeded, StoreBusy, WorkerDied
from kg.publishing.messages import encoded_write, written_or_error
from kg.publishing.own_process import OwnProcess
from kg.publishing.writes import Document, Method, Write, Written
from kg.settings import Settings

__all__ = ["Document", "Method", "Write", "Writer", "Written"]

_QUEUE_SECONDS: Final = 10.0
"""Seconds a write waits for the one before it."""

_log = logging.getLogger(__name__)


class Writer(Closing):
    """Makes writes, one after another, each in a process that may be killed.

    The process is started by the first write. All methods may be called from any thread. Close
    it, or use it in a `with` block.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder = folder
        self._settings = settings
        self._process = OwnProcess("kg.publishing.writer", settings, queue_seconds=_QUEUE_SECONDS)

    def write(self, write: Write) -> Written:
        """What the write came to: it has landed whole, or an error says why nothing has.

        Raises MalformedData with line and column, Rejected with the SHACL report, ForeignGraph,
        DefaultGraphRefused, GraphChanged, UnknownResource where a graph to be deleted is not
        there, QueryError for an update that may not run, Forbidden for one that would change
        another graph than `only` lets it, BadArgument, EvaluationError, StoreBusy and other
        StoreErrors. After DeadlineExceeded it may have landed at the last moment.
        """
        limit = self._settings.write_seconds
        message = encoded_write(self._folder, self._settings, write)
        try:
            written = written_or_error(self._process.call(message, limit))
        except DeadlineExceeded as error:
            raise DeadlineExceeded.of_write(error.limit) from None
        except MemoryExceeded as error:
            raise MemoryExceeded.of_write(error.limit) from None
        except WorkerDied as error:
            _log.error("event=writer_died message=%r", error.message)
            raise WorkerDied.of_write(error.message) from None
        except StoreBusy:
            raise StoreBusy.of_write() from None
        for level, line in written.events:
            _log.log(level, line)
        return written

    def close(self) -> None:
        """End the process; a write that is under way is lost whole."""
        self._process.close()
