"""How the log is written: one line an event, or one JSON object, each with the ids it is about."""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from kg.settings import Settings

_TAKEN: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PAIR: Final = re.compile(
    r"""([a-z_]+)=("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s"'][^\s]*|)(?:\s+|$)""", re.DOTALL
)


@dataclass(slots=True)
class Ids:
    """Of which request and which query a thread or a task is at work; `-` where of none."""

    request: str = "-"
    query: str = "-"


current: Final[ContextVar[Ids | None]] = ContextVar("kg_log_ids", default=None)
"""What is logged while it is set has these ids. Timers keep it, so it leads to no answer."""


class RequestIds:
    """Ids of requests: those that clients send, or our own, which no other process has."""

    def __init__(self) -> None:
        self._prefix = secrets.token_hex(4)
        self._numbers = count(1)

    def id_of(self, sent: str | None) -> str:
        """The id of a request with this field X-Request-Id."""
        if sent is not None and _TAKEN.fullmatch(sent):
            return sent
        return f"{self._prefix}-{next(self._numbers):x}"


class LineFormatter(logging.Formatter):
    """`time=… level=… event=…`, with the ids at the end; a traceback has lines of its own."""

    def __init__(self) -> None:
        super().__init__("time=%(asctime)s level=%(levelname)s %(message)s%(ids)s")

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        ids = current.get()
        record.ids = f" request={ids.request} query={ids.query}" if ids else ""
        return super().format(record)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """The time of the record in UTC."""
        return utc(record.created)


class JsonFormatter(logging.Formatter):
    """One JSON object on one line, a traceback within it; `key=value` becomes a member."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        members: dict[str, Any] = {
            "time": utc(record.created),
            "level": record.levelname,
            "logger": record.name,
            **_members(record.getMessage()),
        }
        if ids := current.get():
            members |= {"request": ids.request, "query": ids.query}
        if record.exc_info:
            members["traceback"] = self.formatException(record.exc_info)
        return json.dumps(members, ensure_ascii=False)


def utc(seconds: float) -> str:
    """A time of the clock in RFC 3339, with milliseconds."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03d}Z"


def configuration(settings: Settings) -> dict[str, Any]:
    """Everything to standard error (logging.config); standard output is the command's."""
    level = settings.log_level.upper()
    formatter = JsonFormatter if settings.log_format == "json" else LineFormatter
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "event": {"()": formatter},
            "lines": {"format": "%(message)s"},  # each with the time of its own request
        },
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "event"},
            "access": {"class": "logging.StreamHandler", "formatter": "lines"},
        },
        "loggers": {
            "_granian": {"handlers": ["stderr"], "propagate": False},
            "kg": {"handlers": ["stderr"], "level": level, "propagate": False},
            "kg.access": {"handlers": ["access"], "level": level, "propagate": False},
        },
    }


def _members(message: str) -> dict[str, Any]:
    """The pairs of an event; the message itself where it is none."""
    pairs, place = dict[str, Any](), 0
    while found := _PAIR.match(message, place):
        value = found[2]
        quoted = value[:1] in ("'", '"')
        pairs[found[1]] = value[1:-1] if quoted else value
        place = found.end()
    if place < len(message) or not pairs:
        return {"message": message}
    return pairs
