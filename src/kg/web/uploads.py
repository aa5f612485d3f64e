"""What a request carries: its body within limits, its parameters, its charset and its coding."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.datastructures import MultiDict
from werkzeug.wsgi import LimitedStream

from kg.errors import BadArgument, BodyTooLarge, UnsupportedBody
from kg.store.iris import absolute_iri

_MOST_PARAMETERS: Final = 1000
_READ: Final = "kg.body"


def body_of(request: Request, limit: int) -> bytes:
    """The body, which may be asked for more than once.

    Raises BodyTooLarge, and BadArgument where less came than was announced.
    """
    if _READ not in request.environ:
        # One byte more than allowed: werkzeug's own limit cuts a chunked body without a word.
        request.environ[_READ] = LimitedStream(request.stream, limit + 1, is_max=True).readall()
    data: bytes = request.environ[_READ]
    if len(data) > limit:
        raise BodyTooLarge(limit)
    if len(data) < (request.content_length or 0):  # granian ends such a body as if it were whole
        raise BadArgument("the body is shorter than its Content-Length", remedy="Send it again.")
    return data


def check_encoding(request: Request, taken: Iterable[str]) -> None:
    """Raises UnsupportedBody for a body that is packed, or in another charset than UTF-8.

    RFC 9110, section 8.4: a coding that is not taken is answered as a type that is not.
    """
    coding = request.headers.get("Content-Encoding", "identity")
    if coding.strip().lower() != "identity":
        raise UnsupportedBody(f"{request.mimetype} in Content-Encoding {coding}", taken)
    check_charset(request.mimetype, request.mimetype_params.get("charset"), taken)


def check_charset(media_type: str, charset: str | None, taken: Iterable[str]) -> None:
    """Raises UnsupportedBody for a charset that is given and is not UTF-8."""
    if charset is not None and charset.lower() not in ("utf-8", "utf8"):
        raise UnsupportedBody(f"{media_type}; charset={charset}", taken)


def pairs_of(data: bytes) -> list[tuple[str, str]]:
    """The parameters of a query string or of a form; raises BadArgument."""
    text = text_of(data)
    try:
        return parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS
        )
    except UnicodeDecodeError as error:
        raise _not_utf8() from error
    except ValueError as error:
        raise BadArgument(f"there are more than {_MOST_PARAMETERS} parameters") from error


def text_of(data: bytes) -> str:
    """The bytes as text; raises BadArgument where they are not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise _not_utf8() from error


def address_of(request: Request) -> str:
    """The absolute URL of the request without parameters; raises BadArgument for a Host of none."""
    if not (request.host and absolute_iri(request.base_url)):
        raise BadArgument("the field Host names no host", remedy="Send the name of this one.")
    return request.base_url


def at_most_one(parameters: MultiDict[str, str], name: str) -> str | None:
    """The value of a parameter; raises BadArgument where it is given more than once."""
    values = parameters.getlist(name)
    if len(values) > 1:
        raise BadArgument(
            f"the parameter {name} is given {len(values)} times", remedy="Give it once."
        )
    return values[0] if values else None


def iris_of(parameters: MultiDict[str, str], name: str) -> tuple[str, ...]:
    """The values of a parameter that takes absolute IRIs; raises BadArgument."""
    values = parameters.getlist(name)
    for value in values:
        if not absolute_iri(value):
            raise BadArgument(f"{name} is {value!r}", remedy="It takes an absolute IRI.")
    return tuple(values)


def _not_utf8() -> BadArgument:
    return BadArgument("the request is not UTF-8", remedy="Encode it as UTF-8.")
