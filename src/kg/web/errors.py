"""Errors as HTTP: one table of statuses, written as problem details (RFC 9457) or as text."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, g, request
from werkzeug.exceptions import HTTPException, PreconditionFailed
from werkzeug.wrappers import Response

from kg.errors import (
    AnswerTooLarge,
    BadArgument,
    BodyTooLarge,
    CitationsFull,
    DeadlineExceeded,
    DefaultGraphRefused,
    Forbidden,
    ForeignGraph,
    GraphChanged,
    KgError,
    MalformedData,
    MemoryExceeded,
    NoSearchIndex,
    NotAcceptable,
    NotCitable,
    QueryCancelled,
    QueryError,
    QueryTooLarge,
    QueueFull,
    Rejected,
    ReleaseRemoved,
    RemoteRefused,
    StoreBusy,
    TooManyRequests,
    TooManyRows,
    Unauthorized,
    UnknownResource,
    UnsupportedBody,
    UpdateRefused,
    WorkerDied,
)
from kg.namespaces import BASE
from kg.web.error_pages import as_page
from kg.web.exchange import Exchange
from kg.web.negotiation import PROBLEM, prefers_page, prefers_text

STATUS: Mapping[type[KgError], int] = {
    BadArgument: 400,
    MalformedData: 400,
    QueryError: 400,
    Unauthorized: 401,
    Forbidden: 403,
    ForeignGraph: 403,
    RemoteRefused: 403,
    UpdateRefused: 403,
    NoSearchIndex: 404,
    UnknownResource: 404,
    NotAcceptable: 406,
    ReleaseRemoved: 410,
    GraphChanged: 412,
    BodyTooLarge: 413,
    QueryTooLarge: 413,
    UnsupportedBody: 415,
    AnswerTooLarge: 422,
    DefaultGraphRefused: 422,
    NotCitable: 422,
    Rejected: 422,
    TooManyRows: 422,
    TooManyRequests: 429,
    QueueFull: 503,
    StoreBusy: 503,
    QueryCancelled: 503,
    # The same query would end the same way, so these three carry no Retry-After. They are 503,
    # not 4xx: the limits are this server's, and another day or operator may answer the query.
    DeadlineExceeded: 503,
    MemoryExceeded: 503,
    WorkerDied: 503,
    CitationsFull: 507,
}
"""A class stands for its subclasses. What is not here is the operator's matter: 500, no detail."""

_RETRY_AFTER = {QueueFull: "5", StoreBusy: "5"}
_MEMBERS = ("line", "column", "limit", "offered")
_KEPT = ("Allow", "Content-Range")
"""Fields of a library's error that belong to its status (RFC 9110, 15.5.6 and 15.5.17)."""
_OPERATORS = "The server could not answer; the cause is in its log."

_log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Make the app answer every error as a problem; an unexpected one is logged by Flask."""
    for kind in (KgError, HTTPException):
        app.register_error_handler(kind, _answered)

    @app.after_request
    def led_on(response: Response) -> Response:
        """A redirect, which the library sends without asking the handlers of errors."""
        if response.status_code != 308:
            return response
        return _redirect(308, response.headers["Location"])

    @app.after_request
    def told(response: Response) -> Response:
        """A failed condition as a problem: the library says 412, and sends the page with it."""
        if response.status_code != 412 or response.mimetype in (PROBLEM, "text/plain"):
            return response
        return response if "problem" in g else _answered(PreconditionFailed())


def kind_of(error: KgError | HTTPException) -> str:
    """The stable name of an error, the last segment of its problem type."""
    if isinstance(error, KgError):
        return error.kind
    return error.name.lower().replace(" ", "-")


def _answered(error: KgError | HTTPException) -> Response:
    Exchange.of(request).outcome = kind_of(error)
    if prefers_page(_accept()):
        g.problem = True
        return as_page(response(error, PROBLEM), error)
    return response(error, _accept())


def response(error: KgError | HTTPException, accept: str) -> Response:
    """An error as a problem, in the form that the Accept field prefers."""
    if isinstance(error, KgError):
        return refusal(error, accept)
    return _http_problem(error, accept)


def refusal(error: KgError, accept: str) -> Response:
    """An error of ours as a problem, in the form that the Accept field prefers."""
    known = next((kind for kind in type(error).__mro__ if kind in STATUS), None)
    if known is None:
        _log.error("event=failed kind=%s message=%r", error.kind, error.message)
        return problem(error.kind, accept, status=500, detail=_OPERATORS)
    members = {name: getattr(error, name, None) for name in _MEMBERS}
    response = problem(
        error.kind,
        accept,
        status=STATUS[known],
        detail=error.message,
        remedy=error.remedy,
        **{name: value for name, value in members.items() if value is not None},
    )
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(error.seconds)
    elif known in _RETRY_AFTER:
        response.headers["Retry-After"] = _RETRY_AFTER[known]
    if isinstance(error, Unauthorized):
        response.headers["WWW-Authenticate"] = error.challenge
    return response


def failure(accept: str) -> Response:
    """What a client is told of an error that nobody expected."""
    return problem("internal-server-error", accept, status=500, detail=_OPERATORS)


def problem(
    kind: str, accept: str, *, status: int, detail: str, remedy: str = "", **members: Any
) -> Response:
    """A problem as JSON, or as text for a person."""
    if prefers_text(accept):
        text = f"{detail}\n{remedy}".rstrip() + "\n"
        response = Response(text, status=status, content_type="text/plain; charset=utf-8")
    else:
        described = {
            "type": f"{BASE}problem/{kind}",
            "title": kind.replace("-", " ").capitalize(),
            "status": status,
            "detail": detail,
            **({"remedy": remedy} if remedy else {}),
            **members,
        }
        text = json.dumps(described, ensure_ascii=False)
        response = Response(text, status=status, content_type=PROBLEM)
    response.headers["Vary"] = "Accept"
    response.headers["Cache-Control"] = "no-store"
    return response


def _http_problem(error: HTTPException, accept: str) -> Response:
    status = error.code or 500
    detail = _OPERATORS if status >= 500 else error.description or error.name
    answer = problem(kind_of(error), accept, status=status, detail=detail)
    for name, value in error.get_headers():
        if name in _KEPT:
            answer.headers[name] = value
    return answer


def _redirect(status: int, location: str) -> Response:
    """A redirect within this server: the host that the library names is what the client sent."""
    url = urlsplit(location)
    path = "/" + url.path.lstrip("/")  # two slashes would begin the name of a host
    response = Response(status=status)
    response.headers["Location"] = urlunsplit(("", "", path, url.query, ""))
    response.headers["Cache-Control"] = "no-cache"
    del response.headers["Content-Type"]
    return response


def _accept() -> str:
    return request.headers.get("Accept", "")
