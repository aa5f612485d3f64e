"""One line of the log for each request, written some at a time."""

from __future__ import annotations

import json
import logging
import time
from typing import Final
from urllib.parse import quote

from kg.web.logs import utc

_log: Final = logging.getLogger("kg.access")

_MOST: Final = 500
"""Lines that are held before they are written; else they are written when `flush` is called."""


class AccessLog:
    """Collects what is told of each request; never the query's text, nor what follows a `?`.

    A record of its own for each line would cost more than the rest of a request that is answered
    from what is kept. So many lines are one record, each with the time at which its request ended.
    `as_json` makes each line one JSON object.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self._lines: list[str] = []
        self._second = 0
        self._stamp = ""
        self._as_json = as_json
        self._told = _log.isEnabledFor(logging.INFO)

    def add(
        self,
        method: str,
        path: str,
        status: int,
        *,
        release: str,
        size: str,
        request: str,
        query: str,
        client: str,
        seconds: float,
    ) -> None:
        """Take one request down."""
        if not self._told:
            return
        if self._as_json:
            members = {
                "time": self._now(),
                "level": "INFO",
                "logger": _log.name,
                "event": "request",
                "method": method,
                "path": path,
                "status": status,
                "release": release,
                "bytes": int(size) if size.isdecimal() else 0,
                "request": request,
                "query": query,
                "client": client,
                "ms": round(seconds * 1000, 1),
            }
            line = json.dumps(members)
        else:
            line = (
                f"time={self._now()} level=INFO event=request method={quote(method)}"
                f" path={quote(path)}"  # a line feed in it would forge a second line
                f" status={status} release={release} bytes={size} request={request}"
                f" query={query} client={client} ms={seconds * 1000:.1f}"
            )
        self._lines.append(line)
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
            self._stamp = utc(now)[:20]  # up to the full stop
        return f"{self._stamp}{int(now % 1 * 1000):03d}Z"
