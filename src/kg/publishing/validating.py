"""Validation for those who do not write, each in a process that may be killed."""

from __future__ import annotations

import logging
from pathlib import Path

from kg.closing import Closing
from kg.errors import DeadlineExceeded, MemoryExceeded, WorkerDied
from kg.publishing.own_process import OwnProcess
from kg.publishing.submissions import (
    Submission,
    Verdict,
    encoded_submission,
    verdict_or_error,
)
from kg.settings import Settings
from kg.store.base import Ticket

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
        self._process = OwnProcess(
            "kg.publishing.validator", settings, queue_seconds=settings.queue_seconds
        )

    def verdict(self, submission: Submission, ticket: Ticket | None = None) -> Verdict:
        """The verdict on a submission; whoever has the ticket may end it.

        Raises MalformedData with line and column, EvaluationError, and StoreError.
        """
        message = encoded_submission(self._folder, self._settings, submission)
        try:
            return verdict_or_error(self._process.call(message, self._settings.deadline, ticket))
        except DeadlineExceeded as error:
            raise DeadlineExceeded.of_validation(error.limit) from None
        except MemoryExceeded as error:
            raise MemoryExceeded.of_validation(error.limit) from None
        except WorkerDied as error:
            _log.error("event=validator_died message=%r", error.message)
            raise WorkerDied.of_validation(error.message) from None

    def close(self) -> None:
        """End the process."""
        self._process.close()
