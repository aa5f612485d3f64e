"""An answer as an HTTP response: from what is kept, or evaluated, or 304 without either."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from flask import request
from werkzeug.exceptions import PreconditionFailed
from werkzeug.wrappers import Response

from kg.query.request import QueryRequest
from kg.query.run import Answer, Plan, evaluated, evaluated_soon, planned
from kg.query.volatility import is_volatile
from kg.settings import Settings
from kg.store.base import Coding
from kg.store.embedded import EmbeddedStore
from kg.store.packing import packed_bytes
from kg.web.bodies import Body, Content, content_of, size
from kg.web.conditions import etag, has, holds
from kg.web.exchange import Came, Doing, Exchange, Kept
from kg.web.headers import Fields
from kg.web.negotiation import coding, needs_packing
from kg.web.running import Running

_log: Final = logging.getLogger(__name__)
_VARY: Final = "Accept, Accept-Encoding"
_FRESH: Final = "no-cache"
"""HEAD may move at any moment: keep the answer, and ask whether it still holds."""
_UNCHANGING: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Pending:
    """A query that may run and has not been evaluated: what its answer will be known by."""

    plan: Plan
    came: Came
    exchange: Exchange
    tag: str | None
    """Its ETag; None where another evaluation might give another answer."""
    immutable: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer."""

    status: int
    fields: Fields
    content: Content

    def field(self, name: str, default: str = "-") -> str:
        """The value of a field, whose name is in lower case."""
        return next((value for known, value in self.fields if known == name), default)

    def response(self) -> Response:
        """The same for Flask."""
        # Passed through as it is: the front takes the content out of it.
        return Response(
            Body(self.content), self.status, headers=self.fields, direct_passthrough=True
        )


def reply(
    asked: QueryRequest,
    store: EmbeddedStore,
    settings: Settings,
    running: Running,
    *,
    immutable: bool = False,
    validator: Callable[[Plan], str] = etag,
    check: Callable[[Plan], None] = lambda plan: None,
) -> Response:
    """The response to a query; `immutable` where its address names the release in full.

    `validator` gives the ETag. `check` is called before the query is evaluated, if it is; what it
    lets pass has ETags of its own. Raises what that raises, what `planned` and `evaluated` raise,
    TooManyRequests, and what `Running` does.
    """
    exchange = Exchange.of(request)
    exchange.doing = Doing.QUERY
    plan = planned(asked, store, settings)
    pending = pending_of(plan, Came.of(request), exchange, immutable=immutable, validator=validator)
    known = at_hand(pending)
    if known:
        return known.response()
    with listed(pending, running):
        check(plan)
        answer = evaluated(plan, store, exchange.ticket)
    return replied(pending, answer).response()


async def reply_soon(
    asked: QueryRequest,
    came: Came,
    exchange: Exchange,
    store: EmbeddedStore,
    settings: Settings,
    running: Running,
) -> Reply:
    """The answer to a query at HEAD, for an event loop, which it does not hold up.

    Raises as `reply` does.
    """
    exchange.doing = Doing.QUERY
    pending = pending_of(planned(asked, store, settings), came, exchange)
    known = at_hand(pending)
    if known:
        return known
    with listed(pending, running):
        answer = await evaluated_soon(pending.plan, store, exchange.ticket)
    return replied(pending, answer)


def pending_of(
    plan: Plan,
    came: Came,
    exchange: Exchange,
    *,
    immutable: bool = False,
    validator: Callable[[Plan], str] = etag,
) -> Pending:
    """The query with what its answer will be known by."""
    tag = None if is_volatile(plan.task.query) else _tag(validator(plan), came)
    return Pending(plan, came, exchange, tag, immutable)


def at_hand(pending: Pending) -> Reply | None:
    """304, or an answer that is kept; None where the query must be evaluated.

    Raises PreconditionFailed.
    """
    tag, exchange = pending.tag, pending.exchange
    expected = pending.came.if_match
    if expected and pending.came.method != "POST" and not holds(expected, tag):
        raise PreconditionFailed
    if tag is None:
        return None
    condition = _condition(pending)
    if condition and has(condition, tag):
        exchange.left = (tag, None)
        return Reply(304, _described(pending), b"")
    found = exchange.find(tag)
    return _reply(pending, found) if found else None


@contextmanager
def listed(pending: Pending, running: Running) -> Iterator[None]:
    """While the block runs the query can be cancelled; raises TooManyRequests."""
    exchange, came = pending.exchange, pending.came
    exchange.id = came.query_id or exchange.id
    with running.listed(exchange.id, came.query_key, exchange.ticket):
        exchange.admit()
        exchange.evaluates()
        _log.debug("event=query text=%r", pending.plan.task.query)
        yield


def replied(pending: Pending, answer: Answer) -> Reply:
    """The answer as it is sent."""
    exchange, spool = pending.exchange, answer.spool
    exchange.queue_ms, exchange.work_ms = spool.queue_ms, spool.work_ms
    return _reply(pending, _kept(answer, pending.came, rows=pending.plan.task.rows))


def _condition(pending: Pending) -> str | None:
    return pending.came.if_none_match if pending.came.method != "POST" else None


def _tag(etag: str, came: Came) -> str:
    """Another ETag where a small answer is packed as well: other bytes of the same coding."""
    return f'{etag[:-1]}p"' if needs_packing(came.accept_encoding) else etag


def _reply(pending: Pending, answer: Kept) -> Reply:
    if pending.tag:
        pending.exchange.left = (pending.tag, answer)
        if _condition(pending) == "*":
            return Reply(304, _described(pending), b"")
    fields = [*answer.fields.items(), _length(answer), *_described(pending)]
    return Reply(200, fields, answer.content)


def _length(answer: Kept) -> tuple[str, str]:
    """So that an answer that is cut on the way is visibly short."""
    return "content-length", str(size(answer.content))


def _kept(answer: Answer, came: Came, *, rows: int | None = None) -> Kept:
    spool = answer.spool
    fields = {"content-type": answer.format.content_type}
    if spool.cut:
        fields["kg-truncated"] = f"rows={rows}"
    packing, content = spool.coding, content_of(spool)
    accepted = came.accept_encoding
    unpacked = packing is Coding.IDENTITY and needs_packing(accepted)
    if unpacked and isinstance(content, bytes):
        # A worker leaves it as it is, and this client refuses it so.
        packing = coding(accepted)
        content = packed_bytes(content, packing)
    if packing is not Coding.IDENTITY:
        fields["content-encoding"] = packing.value
    return Kept(content, fields)


def _described(pending: Pending) -> Fields:
    fields = [("kg-release", pending.plan.release.name), ("vary", _VARY)]
    if pending.tag is None:
        return [*fields, ("cache-control", "no-store")]
    fresh = _UNCHANGING if pending.immutable else _FRESH
    return [*fields, ("etag", pending.tag), ("cache-control", fresh)]
