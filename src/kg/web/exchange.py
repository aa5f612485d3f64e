"""One request between the front and the application: what each tells the other of it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from flask import Request

from kg.store.base import Ticket
from kg.web.bodies import Content
from kg.web.logs import Ids

_ENVIRON: Final = "kg.exchange"


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that is kept: its content, and the fields that describe it."""

    content: Content
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Came:
    """What of a request's head decides how a query is answered, beside the query."""

    method: str
    accept_encoding: str | None
    if_match: str | None
    if_none_match: str | None
    query_id: str | None
    query_key: str | None

    @classmethod
    def of(cls, request: Request) -> Came:
        """That of a request of Flask's."""
        return cls.with_fields(request.method, request.headers.get)

    @classmethod
    def with_fields(cls, method: str, field: Callable[[str], str | None]) -> Came:
        """That of this method and these fields, which are asked for in lower case."""
        return cls(
            method=method,
            accept_encoding=field("accept-encoding"),
            if_match=field("if-match"),
            if_none_match=field("if-none-match"),
            query_id=field("kg-query-id"),
            query_key=field("kg-query-key"),
        )


class Doing(Enum):
    """What a request turned out to be, for those who count."""

    OTHER = "other"
    QUERY = "query"
    WRITE = "write"


@dataclass(slots=True)
class Exchange:
    """What the application gets with a request, and leaves behind with its answer.

    `find` gives an answer that is kept under an ETag. `admit` counts an evaluation, once a request,
    and raises TooManyRequests. `left` is the ETag, and the answer that may be kept, where there is
    one. `outcome` is `ok`, or the kind of the error that the answer tells of.
    """

    find: Callable[[str], Kept | None] = lambda etag: None
    admit: Callable[[], None] = lambda: None
    ticket: Ticket = field(default_factory=Ticket)
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    evaluated: bool = False
    queue_ms: float = 0.0
    work_ms: float = 0.0
    left: tuple[str, Kept | None] | None = None
    doing: Doing = Doing.OTHER
    outcome: str = "ok"
    ids: Ids = field(default_factory=Ids)

    def evaluates(self) -> None:
        """Note that its query is evaluated, and under which id."""
        self.evaluated, self.ids.query = True, self.id

    def into(self, environ: dict[str, object]) -> None:
        """Send it with a request."""
        environ[_ENVIRON] = self

    @classmethod
    def of(cls, request: Request) -> Exchange:
        """That of a request; one of its own where there is no front."""
        found = request.environ.get(_ENVIRON)
        if not isinstance(found, cls):
            found = request.environ[_ENVIRON] = cls()
        return found
