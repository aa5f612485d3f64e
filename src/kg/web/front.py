"""The front: what is kept is answered at once, a plain query by the loop, all else in a thread.

A request holds a thread only while it is answered: its body is read before, and its answer, which
is complete by then, is sent after. So neither a client that sends slowly nor one that reads slowly
keeps others out. A plain query holds none: while a worker evaluates it, the loop goes on.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from kg.errors import BadArgument, BodyTooLarge, KgError, QueueFull
from kg.settings import Settings
from kg.store.embedded import EmbeddedStore
from kg.web.access_log import AccessLog
from kg.web.answers import Reply, reply_soon
from kg.web.bodies import Body, OpenFile, kept, size
from kg.web.cache import Cache, Link
from kg.web.conditions import has
from kg.web.ending import Ending
from kg.web.errors import failure, kind_of, problem, refusal, response
from kg.web.exchange import Came, Exchange
from kg.web.forwarding import HOST, Forwarded, Forwarding, Headers, Scope
from kg.web.headers import Fields, finished, preflight
from kg.web.health import PATHS as HEALTH
from kg.web.health import Health
from kg.web.logs import Ids, RequestIds, current
from kg.web.metrics import PATH as METRICS
from kg.web.metrics import Metrics
from kg.web.negotiation import prefers_page
from kg.web.opened import Opening
from kg.web.pages.status import PATHS as STATUS
from kg.web.protocol import query_of
from kg.web.rates import Rates
from kg.web.readers import COOKIE
from kg.web.running import Running
from kg.web.threads import Threads
from kg.web.uploads import pairs_of, text_of

_log = logging.getLogger(__name__)

_PAGES: Final = 32
"""Threads beyond those of queries that run or wait, so that pages and dumps pass them by."""
_BODIES: Final = 256 * 1024 * 1024
"""Bytes of all bodies that are held at one moment."""
_LINGER_SECONDS: Final = 1.0
"""How long the rest of a body is read that is too large: closed at once, a client would not see
why."""
_TICK_SECONDS: Final = 0.05
_OWN: Final = ("authorization", "kg-query-key", "kg-query-id", "if-match")
"""Fields of a request that nobody else may be answered with."""
_OPERATORS: Final = (METRICS, *STATUS)
_FORM: Final = "application/x-www-form-urlencoded"
_QUERY: Final = "application/sparql-query"
_SHORT: Final = 4096
"""Bytes of a query that is looked at in less than 10 ms, whatever it holds."""
_UNMODIFIED: Final = frozenset(("etag", "cache-control", "vary", "kg-release"))
"""Fields that a 304 repeats (RFC 9110, 15.4.5)."""
_SHARED_ERRORS: Final = frozenset((400, 403, 404, 406, 413, 422, 503))
_KEPT_PATHS: Final = ("/sparql", "/id/", "/r/", "/graphs")
_PLAIN_PATHS: Final = ("/sparql", "/id/")
"""In a plain store the name of a graph may depend on the field Host."""

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Question = tuple[str, ...]


@dataclass(slots=True)
class _Asking:
    """A request that a thread or a worker answers now."""

    protocol: Any
    exchange: Exchange
    watched: bool = False


class Front:
    """The RSGI application in front of a WSGI one, which shares `running` with it."""

    def __init__(
        self,
        app: Application,
        store: EmbeddedStore,
        settings: Settings,
        running: Running,
        health: Health | None = None,
    ) -> None:
        self.cache = Cache(settings.cache_bytes)
        self.metrics = Metrics()
        self._health = health or Health(store)
        self._forwarding = Forwarding.of(settings)
        self._ids = RequestIds()
        self._app = app
        self._store = store
        self._settings = settings
        self._running = running
        self._rates = Rates(settings.client_rate)
        self._access = AccessLog(as_json=settings.log_format == "json")
        self._tells_health = settings.log_level == "debug"
        self._threads: Threads[Reply] = Threads(settings.workers + settings.queue_length + _PAGES)
        self._asking: dict[asyncio.Future[Any], _Asking] = {}
        self._held = 0
        self._kept_paths = _PLAIN_PATHS if settings.plain else _KEPT_PATHS
        self._answering: dict[Question, asyncio.Future[_Shared]] = {}

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Called by granian before the first request."""
        self._loop = loop
        self._opening = Opening(loop)
        loop.call_later(_TICK_SECONDS, self._tick)
        self._ending = Ending(loop, self._health, self._asking.keys, self._access.flush)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Called by granian after the last request."""
        self._access.flush()

    async def __rsgi__(self, scope: Scope, protocol: Any) -> None:
        """Answer one request, whatever happens."""
        started = time.perf_counter()
        exchange: Exchange | None = None
        sent = scope.headers.get("x-request-id")
        request_id = self._ids.id_of(sent)
        try:
            if self._forwarding:
                scope = self._forwarding.seen(scope)
            question = self._question(scope) if scope.method in ("GET", "HEAD") else None
            reply = _refused(scope)
            if reply is None and question:
                reply = self._known(question, scope)
            if reply is None:
                exchange = self._exchange(scope, request_id)
                reply = await self._answer(scope, protocol, exchange, question)
                reply = _timed(reply, exchange, started)
        except Exception:
            exchange = exchange or self._exchange(scope, request_id)
            _log.exception("event=failed path=%r", scope.path)
            reply = _reply_of(failure(scope.headers.get("accept", "")))
            exchange.outcome = "internal-server-error"
        if sent == request_id or reply.status >= 400:
            named = [*reply.fields, ("x-request-id", request_id)]
            reply = Reply(reply.status, named, reply.content)
        self._send(scope, protocol, reply)
        self._tell(scope, reply, exchange, request_id, time.perf_counter() - started)

    def _exchange(self, scope: Scope, request_id: str) -> Exchange:
        """A new one, whose ids are in all that is logged for this request."""
        exchange = Exchange(
            self.cache.find,
            # A request counts once, however much it evaluates.
            cache(lambda: self._rates.admit(_address(scope.client))),
            ids=Ids(request_id),
        )
        current.set(exchange.ids)
        return exchange

    def _tell(
        self,
        scope: Scope,
        reply: Reply,
        exchange: Exchange | None,
        request_id: str,
        seconds: float,
    ) -> None:
        """Log and count what was answered."""
        self.metrics.answered(scope.method, scope.path, reply.status)
        if exchange:
            self.metrics.came_to(exchange, seconds)
        elif reply.status < 400:
            self.metrics.cache_hits += 1
        if self._tells_health or scope.path not in HEALTH:
            self._access.add(
                scope.method,
                scope.path,
                reply.status,
                release=reply.field("kg-release"),
                size=reply.field("content-length"),
                request=request_id,
                query=exchange.ids.query if exchange else "-",
                client=_address(scope.client),
                seconds=seconds,
            )

    # --- what is at hand ------------------------------------------------------------------

    def _known(self, question: Question, scope: Scope) -> Reply | None:
        """What is kept for this question, or 304 in its place."""
        link = self.cache.led(question)
        if link is None:
            return None
        if scope.headers.get("if-match") is not None:
            return None
        condition = _field(scope.headers, "if-none-match")
        if condition and scope.method != "POST" and (condition == "*" or has(condition, link.etag)):
            return Reply(304, link.unmodified, b"")
        answer = self.cache.find(link.etag) if link.fields else None
        return Reply(200, link.fields, answer.content) if answer else None

    def _question(self, scope: Scope, body: bytes = b"") -> Question | None:
        """All that an answer from the cache depends on; None where nothing is kept."""
        if not scope.path.startswith(self._kept_paths) or _says_who(scope.headers):
            return None
        # Below /r/ it is that release, which a tag may name no more, or which may be gone.
        at = scope.path.split("/", 3)[2] if scope.path.startswith("/r/") else None
        try:
            release = self._store.release(at).name
        except KgError:
            return None
        headers = scope.headers
        question = (
            release,
            scope.path,
            scope.query_string,
            ",".join(headers.get_all("accept")),
            ",".join(headers.get_all("accept-encoding")),
        )
        if scope.method != "POST":
            return question
        kind = headers.get("content-type", "")
        return (*question, kind, hashlib.sha256(body).hexdigest())

    # --- the application ------------------------------------------------------------------

    async def _answer(
        self, scope: Scope, protocol: Any, exchange: Exchange, question: Question | None
    ) -> Reply:
        accept = scope.headers.get("accept", "")
        if scope.path == "*":
            return Reply(204, finished([("allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS")]), b"")
        try:
            body = await self._body(scope, protocol)
        except _TooSlow:
            return _closing(_too_slow(accept, self._settings.body_seconds))
        except KgError as error:
            return _closing(refusal(error, accept))
        try:
            if scope.path in HEALTH:
                return self._call(scope, exchange, body)
            if scope.path in _OPERATORS:  # the threads may all be busy with what it tells of
                call = partial(self._call, scope, exchange, body)
                return await self._loop.run_in_executor(None, call)
            question = self._question_of_all(scope, body, question)
            if question is None:
                return await self._asked(scope, protocol, exchange, body)
            return await self._shared(scope, protocol, exchange, body, question)
        finally:
            self._held -= len(body)

    async def _shared(
        self, scope: Scope, protocol: Any, exchange: Exchange, body: bytes, question: Question
    ) -> Reply:
        """The answer to a question; the same one asked at once is evaluated once."""
        while question in self._answering:
            shared = await asyncio.shield(self._answering[question])
            known = self._known(question, scope) or shared.reply
            if known:
                if known.status < 400:
                    exchange.left = (known.field("etag"), None)  # so it counts as kept
                return known
            if not shared.was_left:
                break
        mine = self._loop.create_future()
        first = self._answering.setdefault(question, mine) is mine
        reply: Reply | None = None
        try:
            reply = await self._asked(scope, protocol, exchange, body)
            self._keep(question, reply, exchange)
            return reply
        finally:
            if first:
                del self._answering[question]
                plain = _is_plain_query(scope, body)
                mine.set_result(_Shared.of(reply, exchange, plain=plain))

    def _question_of_all(
        self, scope: Scope, body: bytes, question: Question | None
    ) -> Question | None:
        """The question, unless it is one that only its client may share, or it may write.

        `question` is that of GET and HEAD, whose bodies mean nothing.
        """
        headers = scope.headers
        if any(headers.get(name) is not None for name in _OWN):
            return None
        if scope.method != "POST":
            return question
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if not (kind == _QUERY or (kind == _FORM and b"update" not in body)):
            return None
        return self._question(scope, body)

    async def _asked(self, scope: Scope, protocol: Any, exchange: Exchange, body: bytes) -> Reply:
        if _is_plain_query(scope, body):
            return await self._queried(scope, protocol, exchange, body)
        if self._threads.all_busy:
            return _reply_of(refusal(QueueFull(0), scope.headers.get("accept", "")))
        work = self._threads.run(self._loop, partial(self._call, scope, exchange, body))
        self._asking[work] = _Asking(protocol, exchange)
        try:
            return await work
        finally:
            del self._asking[work]

    async def _queried(self, scope: Scope, protocol: Any, exchange: Exchange, body: bytes) -> Reply:
        """The answer to a plain query, which the application would answer as well."""
        field = partial(_field, scope.headers)
        accept = field("accept")
        answered: asyncio.Future[None] = self._loop.create_future()
        self._asking[answered] = _Asking(protocol, exchange)
        try:
            pairs = pairs_of(scope.query_string.encode())
            if scope.method == "POST":
                pairs.append(("query", text_of(body)))
            asked = query_of(MultiDict(pairs), accept, field("accept-encoding"))
            came = Came.with_fields("GET" if scope.method == "HEAD" else scope.method, field)
            reply = await reply_soon(
                asked, came, exchange, self._store, self._settings, self._running
            )
        except (KgError, HTTPException) as error:
            exchange.outcome = kind_of(error)
            return _reply_of(response(error, accept or ""))
        finally:
            del self._asking[answered]
            answered.set_result(None)
        return Reply(reply.status, finished(reply.fields, status=reply.status), reply.content)

    def _call(self, scope: Scope, exchange: Exchange, body: bytes) -> Reply:
        """Runs in a thread: the WSGI application's answer to this request (PEP 3333)."""
        current.set(exchange.ids)
        environ = _environ(scope, body)
        exchange.into(environ)
        status, fields = 500, [("", "")]

        def start_response(line: str, headers: Fields, _error: Any = None) -> None:
            nonlocal status, fields
            status, fields = int(line[:3]), headers

        body_of = self._app(environ, start_response)
        try:
            content = body_of.content if isinstance(body_of, Body) else kept(b"".join(body_of))
        finally:
            close = getattr(body_of, "close", None)
            if close:
                close()
        fields = finished(fields, status=status)
        if scope.method == "OPTIONS":
            fields = preflight(fields)
        return Reply(status, fields, content)

    def _keep(self, question: Question, reply: Reply, exchange: Exchange) -> None:
        """Keep an answer for the next who asks, unless HEAD moved while it was made."""
        if exchange.left is None or reply.status not in (200, 304):
            return
        if question[0] != reply.field("kg-release"):
            return
        etag, answer = exchange.left
        if answer and self.cache.takes(answer.content):
            self.cache.keep(etag, answer)
        left = (field for field in reply.fields if field[0] in _UNMODIFIED)
        unmodified = finished(left, status=304)
        whole = reply.fields if reply.status == 200 else []
        self.cache.lead(question, Link(etag, whole, unmodified))

    # --- the body of a request ------------------------------------------------------------

    async def _body(self, scope: Scope, protocol: Any) -> bytes:
        """The body, whole. Its length is taken from `_held` by the one who lets go of it.

        Raises BodyTooLarge, BadArgument for one that is cut, QueueFull where too many bodies are
        held, and _TooSlow.
        """
        headers = scope.headers
        length = headers.get("content-length")
        if length is None and headers.get("transfer-encoding") is None:
            return b""
        limit = self._limit(scope)
        arriving, parts = _arriving(protocol), list[bytes]()
        taken = 0
        try:
            async with asyncio.timeout(self._settings.body_seconds):
                if int(length or 0) > limit:
                    raise BodyTooLarge(limit)
                async for part in arriving:
                    taken += len(part)
                    self._held += len(part)
                    parts.append(part)
                    if taken > limit:
                        raise BodyTooLarge(limit)
                    if self._held > _BODIES:
                        raise QueueFull(0)
            if taken < int(length or 0):  # granian ends a body that was cut as if it were whole
                raise BadArgument(
                    "the body is shorter than its Content-Length", remedy="Send it again."
                )
        except BaseException as error:
            self._held -= taken
            if isinstance(error, TimeoutError):
                raise _TooSlow from None
            if isinstance(error, BodyTooLarge):
                await _linger(arriving)
            raise
        return b"".join(parts)

    def _limit(self, scope: Scope) -> int:
        """Only a client that says who it is may send as much as a write may have."""
        settings = self._settings
        if settings.plain or scope.headers.get("authorization") is not None:
            return max(settings.body_bytes, settings.write_bytes)
        return settings.body_bytes

    # --- sending --------------------------------------------------------------------------

    def _send(self, scope: Scope, protocol: Any, reply: Reply) -> None:
        content, fields = reply.content, reply.fields
        if scope.method == "HEAD" or not size(content):
            protocol.response_empty(reply.status, fields)
        elif isinstance(content, bytes):
            self.metrics.memory_bytes += len(content)
            protocol.response_bytes(reply.status, fields, content)
        else:
            if isinstance(content, OpenFile):
                self._opening.keep(content)
            self.metrics.file_bytes += content.size
            end = content.start + content.size
            protocol.response_file_range(reply.status, fields, content.path, content.start, end)

    # --- now and then ---------------------------------------------------------------------

    def _tick(self) -> None:
        """Write the log; watch for the leaving of clients that are waiting now.

        Most requests have come and gone in between, so that few are watched.
        """
        self._access.flush()
        for work, asking in self._asking.items():
            if not asking.watched:
                asking.watched = True
                _watch(asking.protocol, work, asking.exchange)
        self._loop.call_later(_TICK_SECONDS, self._tick)


def _refused(scope: Scope) -> Reply | None:
    """The refusal of a head that no server may take (RFC 9110, 9.1; RFC 9112, 3.2)."""
    headers = scope.headers
    if scope.method != scope.method.upper():
        problem, remedy = f"there is no method {scope.method[:40]}", "Write it in capitals."
    elif scope.http_version == "1.1" and not _names_one_host(headers.get_all("host")):
        problem, remedy = "the request does not name one host", "Send one Host field."
    else:
        return None
    return _closing(refusal(BadArgument(problem, remedy=remedy), headers.get("accept", "")))


def _says_who(headers: Headers) -> bool:
    """Whether the client says who it is, by a token or a session: its pages are its own."""
    if headers.get("authorization") is not None:
        return True
    return any(COOKIE in cookies for cookies in headers.get_all("cookie"))


def _field(headers: Headers, name: str) -> str | None:
    """The value of a field; a field that is given more than once is one list (RFC 9110, 5.3)."""
    values = headers.get_all(name)
    return ",".join(values) if values else None


def _names_one_host(hosts: list[str]) -> bool:
    return len(hosts) == 1 and HOST.fullmatch(hosts[0]) is not None


def _is_plain_query(scope: Scope, body: bytes) -> bool:
    """Whether it is a short query at HEAD for certain; the routes tell apart whatever may be more.

    A long one would hold up the loop while it is looked at. A browser's errors are pages.
    """
    query = scope.query_string
    if prefers_page(scope.headers.get("accept", "")):
        return False
    if scope.path != "/sparql" or "update" in query or len(query) + len(body) > _SHORT:
        return False
    if scope.method in ("GET", "HEAD"):
        return "query=" in query and query.isascii()
    fields = scope.headers
    return (
        scope.method == "POST"
        and fields.get("content-type") == _QUERY
        and fields.get("content-encoding") is None
        and query.isascii()
    )


class _TooSlow(Exception):
    """A body did not arrive in time."""


@dataclass(frozen=True, slots=True)
class _Shared:
    """What came of a question for those who asked the same at the same time.

    Where `was_left`, its client left before there was an answer, and another one asks again;
    else, without a reply, the answer is new each time.
    """

    reply: Reply | None
    was_left: bool = False

    @classmethod
    def of(cls, reply: Reply | None, exchange: Exchange, *, plain: bool) -> _Shared:
        """What is shared of a reply, to a `plain` query or not."""
        if exchange.ticket.cancelled or reply is None:
            return cls(None, was_left=True)
        if reply.status == 200:
            return cls(reply if exchange.left else None)
        # Other paths are refused for what is not part of the question, too, such as a host.
        return cls(reply if plain and reply.status in _SHARED_ERRORS else None)


async def _arriving(protocol: Any) -> AsyncIterator[bytes]:
    """The body in pieces. Granian gives it once; this may be left, and gone on with."""
    async for part in protocol:
        yield part


async def _linger(arriving: AsyncIterator[bytes]) -> None:
    """Read on for a moment and forget it: closed at once, the client might not see the answer."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            async for _ in arriving:
                pass


def _watch(protocol: Any, work: asyncio.Future[Any], exchange: Exchange) -> None:
    """End the query of a client that leaves before it has its answer."""

    async def leaving() -> None:
        await protocol.client_disconnect()
        if not work.done():
            exchange.ticket.cancel()

    if not work.done():
        watching = asyncio.ensure_future(leaving())
        work.add_done_callback(lambda _: watching.cancel())


def _environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """The request as PEP 3333 has it. HEAD comes as GET: `_send` leaves the content out."""
    server, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET" if scope.method == "HEAD" else scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": server.strip("[]"),
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": _address(scope.client),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        # With an underscore it would pass for another field.
        if "_" not in name:
            key = f"HTTP_{name.upper().replace('-', '_')}"
            environ[key] = f"{environ[key]},{value}" if key in environ else value
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    for name in ("HTTP_CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"):  # the body is here, whole
        environ.pop(name, None)
    environ["CONTENT_LENGTH"] = str(len(body))
    if isinstance(scope, Forwarded):
        scope.into(environ)
    return environ


def _address(client: str) -> str:
    """The address without the port."""
    return client.rpartition(":")[0].strip("[]")


def _timed(reply: Reply, exchange: Exchange, started: float) -> Reply:
    """The answer with the id of its query and how long it took, where a query was evaluated."""
    if not exchange.evaluated:
        return reply
    total = (time.perf_counter() - started) * 1000
    timing = (
        f"queue;dur={exchange.queue_ms:.1f}, work;dur={exchange.work_ms:.1f}, total;dur={total:.1f}"
    )
    fields = [*reply.fields, ("kg-query-id", exchange.id), ("server-timing", timing)]
    return Reply(reply.status, fields, reply.content)


def _reply_of(response: Response) -> Reply:
    """An answer that the front makes itself."""
    content = response.get_data()
    response.content_length = len(content)
    return Reply(response.status_code, finished(response.headers.items()), content)


def _closing(response: Response) -> Reply:
    """An answer after which the connection ends: what is left of the body is not read."""
    response.headers["Connection"] = "close"
    return _reply_of(response)


def _too_slow(accept: str, seconds: float) -> Response:
    return problem(
        "request-timeout",
        accept,
        status=408,
        detail=f"the request body did not arrive within {seconds:g} s",
        remedy="Send it faster, or less. An operator can raise KG_BODY_SECONDS.",
        limit=seconds,
    )
