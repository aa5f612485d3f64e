"""One line of the log for each request, written some at a time."""

from __future__ import annotations

import logging
import time
from typing import Final
from urllib.parse import quote

_log: Final = logging.getLogger("kg.access")

_MOST: Final = 500
"""Lines that are held before they are written; else they are written when `flush` is called."""


class AccessLog:
    """Collects method, path, status, release and time of each request; never the query's text.

    A record of its own for each line would cost more than the rest of a request that is answered
    from what is kept. So many lines are one record, each with the time at which its request ended.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._second = 0
        self._stamp = ""

    def add(
        self,
        method: str,
        path: str,
        status: int,
        *,
        release: str,
        size: str,
        query: str,
        seconds: float,
    ) -> None:
        """Take one request down."""
        self._lines.append(
            f"time={self._now()} level=INFO event=request method={quote(method)}"
            f" path={quote(path)}"  # a line feed in it would forge a second line
            f" status={status} release={release} bytes={size} query={query}"
            f" ms={seconds * 1000:.1f}"
        )
        if len(self._lines) >= _MOST:
            self.flush()

    def flush(self) -> None:
        """Write what was taken down."""
        if self._lines:
            lines, self._lines = self._lines, []
            _log.info("%s", "\n".join(lines))

    def _now(self) -> str:
        now = time.time()
        if int(now) != self._second:
            self._second = int(now)
            self._stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
        return f"{self._stamp},{int(now % 1 * 1000):03d}"
