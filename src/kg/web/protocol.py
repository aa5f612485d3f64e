"""The query operation of SPARQL 1.1 Protocol, section 2.1, read from an HTTP request."""

from __future__ import annotations

from urllib.parse import parse_qsl

from flask import Request
from werkzeug.datastructures import MultiDict
from werkzeug.wsgi import LimitedStream

from kg.errors import BadArgument, BodyTooLarge, UnsupportedBody, UpdateRefused
from kg.query.request import QueryRequest
from kg.store.base import Dataset
from kg.store.iris import absolute_iri
from kg.web.negotiation import chooser

FORM = "application/x-www-form-urlencoded"
DIRECT = "application/sparql-query"
UPDATE = "application/sparql-update"
_MOST_PARAMETERS = 1000


def query_request(request: Request, *, body_bytes: int) -> QueryRequest:
    """What the request asks, by GET (2.1.1), POST of a form (2.1.2) or POST direct (2.1.3).

    Raises BadArgument for parameters that are missing, repeated or malformed, UnsupportedBody
    for another media type, BodyTooLarge for more than `body_bytes`, UpdateRefused for an update.
    """
    parameters = _parameters(request, body_bytes)
    _refuse_update(request, parameters)
    return QueryRequest(
        query=_one(parameters, "query"),
        choose=chooser(request.headers.get("Accept"), _at_most_one(parameters, "format")),
        dataset=_dataset(parameters),
        deadline=_timeout(parameters),
    )


def asked_format(request: Request) -> str | None:
    """The value of `format` in the query string; None where it is absent."""
    return _at_most_one(MultiDict(_pairs(request.query_string)), "format")


def _parameters(request: Request, body_bytes: int) -> MultiDict[str, str]:
    pairs = _pairs(request.query_string)
    if request.method == "POST":
        pairs += _body(request, body_bytes)
    return MultiDict(pairs)


def _body(request: Request, limit: int) -> list[tuple[str, str]]:
    _refuse_encoded(request)
    charset = request.mimetype_params.get("charset", "utf-8")
    if charset.lower() not in ("utf-8", "utf8"):
        raise UnsupportedBody(f"{request.mimetype}; charset={charset}", (FORM, DIRECT))
    if request.mimetype == FORM:
        return _pairs(_data(request, limit))
    if request.mimetype == DIRECT:
        return [("query", _text(_data(request, limit)))]
    if request.mimetype == UPDATE:
        raise UpdateRefused(f"a body of type {UPDATE}")
    raise UnsupportedBody(request.mimetype, (FORM, DIRECT))


def _refuse_encoded(request: Request) -> None:
    # RFC 9110, section 8.4: a coding that is not taken is answered as a type that is not.
    coding = request.headers.get("Content-Encoding", "identity")
    if coding.strip().lower() != "identity":
        raise UnsupportedBody(f"{request.mimetype} in Content-Encoding {coding}", (FORM, DIRECT))


def _data(request: Request, limit: int) -> bytes:
    # One byte more than allowed: werkzeug's own limit cuts a chunked body without a word.
    data = LimitedStream(request.stream, limit + 1, is_max=True).readall()
    if len(data) > limit:
        raise BodyTooLarge(limit)
    if len(data) < (request.content_length or 0):  # granian ends such a body as if it were whole
        raise BadArgument("the body is shorter than its Content-Length", remedy="Send it again.")
    return data


def _pairs(data: bytes) -> list[tuple[str, str]]:
    text = _text(data)
    try:
        return parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS
        )
    except UnicodeDecodeError as error:
        raise _not_utf8() from error
    except ValueError as error:
        raise BadArgument(f"there are more than {_MOST_PARAMETERS} parameters") from error


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise _not_utf8() from error


def _not_utf8() -> BadArgument:
    return BadArgument("the request is not UTF-8", remedy="Encode the query as UTF-8.")


def _refuse_update(request: Request, parameters: MultiDict[str, str]) -> None:
    if "update" not in parameters:
        return
    if request.method != "POST":
        raise BadArgument(
            "an update came by GET", remedy="GET takes the parameter query, which only reads."
        )
    raise UpdateRefused("the value of the parameter update")


def _one(parameters: MultiDict[str, str], name: str) -> str:
    value = _at_most_one(parameters, name)
    if value is None:
        raise BadArgument(
            f"the parameter {name} is missing",
            remedy=f"Send it as GET ?{name}=…, as a form field, or as a body of type {DIRECT}.",
        )
    return value


def _at_most_one(parameters: MultiDict[str, str], name: str) -> str | None:
    values = parameters.getlist(name)
    if len(values) > 1:
        raise BadArgument(
            f"the parameter {name} is given {len(values)} times", remedy="Give it once."
        )
    return values[0] if values else None


def _dataset(parameters: MultiDict[str, str]) -> Dataset:
    return Dataset(
        default_graphs=_iris(parameters, "default-graph-uri"),
        named_graphs=_iris(parameters, "named-graph-uri"),
    )


def _iris(parameters: MultiDict[str, str], name: str) -> tuple[str, ...]:
    values = parameters.getlist(name)
    for value in values:
        if not absolute_iri(value):
            raise BadArgument(f"{name} is {value!r}", remedy="It takes an absolute IRI.")
    return tuple(values)


def _timeout(parameters: MultiDict[str, str]) -> float | None:
    text = _at_most_one(parameters, "timeout")
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not seconds > 0:
        raise BadArgument(f"timeout is {text!r}", remedy="It takes seconds, above zero.")
    return seconds
