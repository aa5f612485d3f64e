"""An answer as an HTTP response: from what is kept, or evaluated, or 304 without either."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable
from typing import Final

from flask import Request, request
from werkzeug.wrappers import Response

from kg.query.request import QueryRequest
from kg.query.run import Answer, Plan, evaluated, planned
from kg.query.volatility import is_volatile
from kg.settings import Settings
from kg.store.base import Coding, Release
from kg.store.embedded import EmbeddedStore
from kg.web.bodies import Body, Content, content_of, size
from kg.web.conditions import etag, has
from kg.web.exchange import Exchange, Kept
from kg.web.negotiation import coding, needs_packing
from kg.web.running import Running

_VARY: Final = "Accept, Accept-Encoding"
_FRESH: Final = "no-cache"
"""HEAD may move at any moment: keep the answer, and ask whether it still holds."""
_UNCHANGING: Final = "public, max-age=31536000, immutable"


def reply(
    asked: QueryRequest,
    store: EmbeddedStore,
    settings: Settings,
    running: Running,
    *,
    immutable: bool = False,
    came: Request | None = None,
    validator: Callable[[Plan], str] = etag,
    check: Callable[[Plan], None] = lambda plan: None,
) -> Response:
    """The response to a query; `immutable` where its address names the release in full.

    `came` is the request, that of the context without it. `validator` gives the ETag. `check` is
    called before the query is evaluated, if it is; what it lets pass has ETags of its own. Raises
    what that raises, what `planned` and `evaluated` raise, TooManyRequests, and what `Running`
    does.
    """
    came = came or request
    plan, exchange = planned(asked, store, settings), Exchange.of(came)
    tag = None if is_volatile(plan.task.query) else _tag(validator(plan), came)
    condition = came.headers.get("If-None-Match") if tag and came.method != "POST" else None
    if tag and has(condition, tag):
        exchange.left = (tag, None)
        return _described(Response(status=304), plan.release, tag, immutable=immutable)
    found = exchange.find(tag) if tag else None
    answer = found or _evaluated(plan, store, running, came, check)
    if tag:
        exchange.left = (tag, answer)
    response = Response(status=304) if condition == "*" else _response(answer)
    return _described(response, plan.release, tag, immutable=immutable)


def _tag(etag: str, came: Request) -> str:
    """Another ETag where a small answer is packed as well: other bytes of the same coding."""
    packed = needs_packing(came.headers.get("Accept-Encoding"))
    return f'{etag[:-1]}p"' if packed else etag


def respond(answer: Answer, tag: str | None = None, *, immutable: bool = False) -> Response:
    """The complete answer with its length, so that one cut on the way is visibly short.

    Without a `tag`, its ETag, nobody may keep it.
    """
    return _described(_response(_kept(answer, request)), answer.release, tag, immutable=immutable)


def _evaluated(
    plan: Plan,
    store: EmbeddedStore,
    running: Running,
    came: Request,
    check: Callable[[Plan], None],
) -> Kept:
    exchange = Exchange.of(came)
    exchange.id = came.headers.get("KG-Query-Id", exchange.id)
    with running.listed(exchange.id, came.headers.get("KG-Query-Key"), exchange.ticket):
        exchange.admit()
        exchange.evaluated = True
        check(plan)
        answer = evaluated(plan, store, exchange.ticket)
    exchange.queue_ms, exchange.work_ms = answer.spool.queue_ms, answer.spool.work_ms
    return _kept(answer, came, rows=plan.task.rows)


def _kept(answer: Answer, came: Request, *, rows: int | None = None) -> Kept:
    spool = answer.spool
    fields = {"Content-Type": answer.format.content_type}
    if spool.cut:
        fields["KG-Truncated"] = f"rows={rows}"
    packing, content = spool.coding, content_of(spool)
    accepted = came.headers.get("Accept-Encoding")
    if packing is Coding.IDENTITY and isinstance(content, bytes) and needs_packing(accepted):
        packing, content = _packed(content, accepted)
    if packing is not Coding.IDENTITY:
        fields["Content-Encoding"] = packing.value
    return Kept(content, fields)


def _packed(content: bytes, accepted: str | None) -> tuple[Coding, Content]:
    """A small answer, which a worker leaves as it is, for a client that refuses it so."""
    if coding(accepted) is Coding.GZIP:
        return Coding.GZIP, gzip.compress(content, mtime=0)
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return Coding.ZSTD, zstd.compress(content)


def _response(answer: Kept) -> Response:
    # Passed through as it is: the front takes the content out of it.
    response = Response(Body(answer.content), headers=answer.fields, direct_passthrough=True)
    response.content_length = size(answer.content)
    return response


def _described(
    response: Response, release: Release, tag: str | None, *, immutable: bool
) -> Response:
    headers = response.headers
    headers["KG-Release"] = release.name
    headers["Vary"] = _VARY
    if tag is None:
        headers["Cache-Control"] = "no-store"
    else:
        headers["ETag"] = tag
        headers["Cache-Control"] = _UNCHANGING if immutable else _FRESH
    return response
