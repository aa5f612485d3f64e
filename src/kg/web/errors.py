"""Errors as HTTP: one table of statuses, written as problem details (RFC 9457) or as text."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from flask import Flask, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from kg.errors import (
    AnswerTooLarge,
    BadArgument,
    BodyTooLarge,
    DeadlineExceeded,
    KgError,
    MemoryExceeded,
    NotAcceptable,
    QueryError,
    QueryTooLarge,
    QueueFull,
    RemoteRefused,
    UnknownResource,
    UnsupportedBody,
    UpdateRefused,
    WorkerDied,
)
from kg.namespaces import BASE
from kg.web.negotiation import PROBLEM, prefers_text

STATUS: Mapping[type[KgError], int] = {
    BadArgument: 400,
    QueryError: 400,
    RemoteRefused: 403,
    UpdateRefused: 403,
    UnknownResource: 404,
    NotAcceptable: 406,
    BodyTooLarge: 413,
    QueryTooLarge: 413,
    UnsupportedBody: 415,
    AnswerTooLarge: 422,
    QueueFull: 503,
    # The same query would end the same way, so these three carry no Retry-After. They are 503,
    # not 4xx: the limits are this server's, and another day or operator may answer the query.
    DeadlineExceeded: 503,
    MemoryExceeded: 503,
    WorkerDied: 503,
}
"""A class stands for its subclasses. What is not here is the operator's matter: 500, no detail."""

_RETRY_AFTER = {QueueFull: "5"}
_MEMBERS = ("line", "column", "limit", "offered")
_KEPT = ("Allow", "Content-Range")
"""Fields of a library's error that belong to its status (RFC 9110, 15.5.6 and 15.5.17)."""
_OPERATORS = "The server could not answer; the cause is in its log."

_log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Make the app answer every error as a problem; an unexpected one is logged by Flask."""
    app.register_error_handler(KgError, _refusal)
    app.register_error_handler(HTTPException, _http_problem)


def _refusal(error: KgError) -> Response:
    known = next((kind for kind in type(error).__mro__ if kind in STATUS), None)
    if known is None:
        _log.error("event=failed kind=%s message=%r", error.kind, error.message)
        return _problem(error.kind, status=500, detail=_OPERATORS)
    response = _problem(
        error.kind, status=STATUS[known], detail=error.message, remedy=error.remedy, **_extra(error)
    )
    if known in _RETRY_AFTER:
        response.headers["Retry-After"] = _RETRY_AFTER[known]
    return response


def _extra(error: KgError) -> dict[str, Any]:
    values = {name: getattr(error, name, None) for name in _MEMBERS}
    return {name: value for name, value in values.items() if value is not None}


def _http_problem(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        return error.get_response()
    detail = _OPERATORS if status >= 500 else error.description or error.name
    response = _problem(error.name.lower().replace(" ", "-"), status=status, detail=detail)
    for name, value in error.get_headers():
        if name in _KEPT:
            response.headers[name] = value
    return response


def _problem(kind: str, *, status: int, detail: str, remedy: str = "", **members: Any) -> Response:
    if prefers_text(request):
        text = f"{detail}\n{remedy}".rstrip() + "\n"
        response = Response(text, status=status, content_type="text/plain; charset=utf-8")
    else:
        problem = {
            "type": f"{BASE}problem/{kind}",
            "title": kind.replace("-", " ").capitalize(),
            "status": status,
            "detail": detail,
            **({"remedy": remedy} if remedy else {}),
            **members,
        }
        text = json.dumps(problem, ensure_ascii=False)
        response = Response(text, status=status, content_type=PROBLEM)
    response.vary.add("Accept")
    return response
