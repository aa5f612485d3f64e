"""Validation for those who do not write, each in a process that may be killed."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from kg.closing import Closing
from kg.errors import DeadlineExceeded, MemoryExceeded, StoreError, WorkerDied
from kg.publishing.submissions import (
    Submission,
    Verdict,
    encoded_submission,
    verdict_or_error,
)
from kg.settings import Settings
from kg.store.base import Ticket
from kg.store.workers import WorkerPool

__all__ = ["Submission", "Validator", "Verdict"]

_log = logging.getLogger(__name__)


class Validator(Closing):
    """Checks submissions with the shapes of HEAD, one after another, and holds no lock.

    The process is started by the first one. All methods may be called from any thread. Close it,
    or use it in a `with` block.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder = folder
        self._settings = settings
        self._pool: WorkerPool | None = None
        self._closed = False
        self._starting = threading.Lock()

    def verdict(self, submission: Submission, ticket: Ticket | None = None) -> Verdict:
        """The verdict on a submission; whoever has the ticket may end it.

        Raises MalformedData with line and column, EvaluationError, and StoreError.
        """
        message = encoded_submission(self._folder, self._settings, submission)
        try:
            return verdict_or_error(self._workers().call(message, self._settings.deadline, ticket))
        except DeadlineExceeded as error:
            raise DeadlineExceeded.of_validation(error.limit) from None
        except MemoryExceeded as error:
            raise MemoryExceeded.of_validation(error.limit) from None
        except WorkerDied as error:
            _log.error("event=validator_died message=%r", error.message)
            raise WorkerDied.of_validation(error.message) from None

    def close(self) -> None:
        """End the process."""
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
                    queue_seconds=self._settings.queue_seconds,
                    queue_length=self._settings.queue_length,
                    program="kg.publishing.validator",
                    spares=0,
                )
            return self._pool
