"""The query operation of SPARQL 1.1 Protocol, section 2.1, read from an HTTP request."""

from __future__ import annotations

from typing import Final

from flask import Request
from werkzeug.datastructures import MultiDict

from kg.errors import BadArgument, UnsupportedBody, UpdateRefused
from kg.query.request import QueryRequest
from kg.store.base import Dataset
from kg.web.negotiation import chooser, coding
from kg.web.uploads import at_most_one, body_of, check_encoding, iris_of, pairs_of, text_of

FORM: Final = "application/x-www-form-urlencoded"
DIRECT: Final = "application/sparql-query"
UPDATE: Final = "application/sparql-update"
_MOST_DIGITS: Final = 15


def query_request(request: Request, *, body_bytes: int, release: str | None = None) -> QueryRequest:
    """What the request asks, by GET (2.1.1), POST of a form (2.1.2) or POST direct (2.1.3).

    Raises BadArgument for parameters that are missing, repeated or malformed, UnsupportedBody
    for another media type, BodyTooLarge for more than `body_bytes`, UpdateRefused for an update,
    and NotAcceptable for a coding that cannot be had.
    """
    parameters = query_parameters(request, body_bytes)
    fields = request.headers
    return query_of(parameters, fields.get("Accept"), fields.get("Accept-Encoding"), release)


def query_parameters(request: Request, body_bytes: int) -> MultiDict[str, str]:
    """The parameters of the request and of its body; raises as `query_request` does."""
    parameters = _parameters(request, body_bytes)
    _refuse_update(request, parameters)
    return parameters


def query_of(
    parameters: MultiDict[str, str],
    accept: str | None,
    accept_encoding: str | None,
    release: str | None = None,
) -> QueryRequest:
    """What these parameters and fields ask; raises BadArgument and NotAcceptable."""
    if "update" in parameters:
        raise BadArgument(
            "a query and an update came together", remedy="Send one, and an update by POST."
        )
    return QueryRequest(
        query=_one(parameters, "query"),
        choose=chooser(accept, at_most_one(parameters, "format")),
        dataset=_dataset(parameters),
        release=release,
        deadline=_timeout(parameters),
        rows=_rows(parameters),
        coding=coding(accept_encoding),
    )


def asked_format(request: Request) -> str | None:
    """The value of `format` in the query string; None where it is absent."""
    return at_most_one(MultiDict(pairs_of(request.query_string)), "format")


def _parameters(request: Request, body_bytes: int) -> MultiDict[str, str]:
    pairs = pairs_of(request.query_string)
    if request.method == "POST":
        pairs += _body(request, body_bytes)
    return MultiDict(pairs)


def _body(request: Request, limit: int) -> list[tuple[str, str]]:
    check_encoding(request, (FORM, DIRECT))
    if request.mimetype == FORM:
        return pairs_of(body_of(request, limit))
    if request.mimetype == DIRECT:
        return [("query", text_of(body_of(request, limit)))]
    if request.mimetype == UPDATE:
        raise UpdateRefused(f"a body of type {UPDATE}")
    raise UnsupportedBody(request.mimetype, (FORM, DIRECT))


def _refuse_update(request: Request, parameters: MultiDict[str, str]) -> None:
    if "update" not in parameters:
        return
    if request.method != "POST":
        raise BadArgument(
            "an update came by GET", remedy="GET takes the parameter query, which only reads."
        )
    raise UpdateRefused("the value of the parameter update")


def _one(parameters: MultiDict[str, str], name: str) -> str:
    value = at_most_one(parameters, name)
    if value is None:
        raise BadArgument(
            f"the parameter {name} is missing",
            remedy=f"Send it as GET ?{name}=…, as a form field, or as a body of type {DIRECT}.",
        )
    return value


def _dataset(parameters: MultiDict[str, str]) -> Dataset:
    return Dataset(
        default_graphs=iris_of(parameters, "default-graph-uri"),
        named_graphs=iris_of(parameters, "named-graph-uri"),
    )


def _timeout(parameters: MultiDict[str, str]) -> float | None:
    text = at_most_one(parameters, "timeout")
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not seconds > 0:
        raise BadArgument(f"timeout is {text[:40]!r}", remedy="It takes seconds, above zero.")
    return seconds


def _rows(parameters: MultiDict[str, str]) -> int | None:
    text = at_most_one(parameters, "rows")
    if text is None:
        return None
    digits = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    if not (digits and int(text) > 0):
        raise BadArgument(f"rows is {text[:40]!r}", remedy="It takes a whole number above zero.")
    return int(text)
