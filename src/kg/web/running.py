"""The queries that run now, by the ids with which their clients may cancel them."""

from __future__ import annotations

import hmac
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from werkzeug.exceptions import Conflict

from kg.errors import BadArgument, UnknownResource
from kg.store.base import Ticket

_ID: Final = re.compile("[A-Za-z0-9_-]{8,64}")
_LONGEST_KEY: Final = 256


@dataclass(frozen=True, slots=True)
class _Listed:
    key: bytes
    ticket: Ticket
    since: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class RunningQuery:
    """A query that runs now, or waits for a worker, and for how many seconds it has."""

    id: str
    seconds: float


class Running:
    """Tickets of running queries by id, each with the key that cancels it; for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tickets: dict[str, _Listed] = {}

    @contextmanager
    def listed(self, id: str, key: str | None, ticket: Ticket) -> Iterator[None]:
        """Lists a query while the block runs; without a key nobody can cancel it.

        Raises BadArgument for an id or a key that is malformed, and Conflict (409) for an id that
        a running query has.
        """
        _check(id, key)
        with self._lock:
            if id in self._tickets:
                raise Conflict(f"A query with the id {id} is running; choose another.")
            self._tickets[id] = _Listed((key or "").encode(), ticket)
        try:
            yield
        finally:
            with self._lock:
                del self._tickets[id]

    def cancel(self, id: str, key: str | None) -> None:
        """End the query. Raises UnknownResource for an unknown id and for a wrong key alike."""
        with self._lock:
            found = self._tickets.get(id)
        wanted = found.key if found else b""
        good = hmac.compare_digest(wanted, (key or "").encode())
        if not (good and wanted and found):
            raise UnknownResource(
                "no query with this id and this key is running",
                remedy="Send the KG-Query-Key that the query was sent with.",
            )
        found.ticket.cancel()

    def now(self) -> list[RunningQuery]:
        """Every query that is listed, the longest first."""
        now = time.monotonic()
        with self._lock:
            listed = [RunningQuery(id, now - each.since) for id, each in self._tickets.items()]
        return sorted(listed, key=lambda each: -each.seconds)

    def end(self, id: str) -> None:
        """End a query for an operator, who needs no key; raises UnknownResource."""
        with self._lock:
            found = self._tickets.get(id)
        if found is None:
            raise UnknownResource(
                "no query with this id is running", remedy="It may have ended meanwhile."
            )
        found.ticket.cancel()


def _check(id: str, key: str | None) -> None:
    if not _ID.fullmatch(id):
        raise BadArgument(
            "KG-Query-Id is malformed", remedy="It takes 8 to 64 letters, digits, _ and -."
        )
    if key is not None and not 0 < len(key) <= _LONGEST_KEY:
        raise BadArgument(
            "KG-Query-Key is malformed", remedy=f"It takes 1 to {_LONGEST_KEY} characters."
        )
