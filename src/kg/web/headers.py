"""The fields that every answer has, whatever it answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

Fields = list[tuple[str, str]]

_EXPOSED: Final = (
    "Accept-Ranges, Allow, Content-Length, Content-Range, ETag, KG-Digest, KG-Graph-Digest,"
    " KG-Conforms, KG-Query-Id, KG-Release, KG-Truncated, Link, Location, Repr-Digest, Retry-After,"
    " Server-Timing, WWW-Authenticate, X-Request-Id"
)
_ALLOWED: Final = (
    "Accept, Accept-Encoding, Authorization, Content-Type, If-Match, If-None-Match, If-Range,"
    " KG-Query-Id, KG-Query-Key, Range, X-Request-Id"
)
_COMMON: Final = [
    ("server", "kg"),
    # Reads are open, and writes need a token that no browser adds by itself: any page may ask.
    ("access-control-allow-origin", "*"),
    ("access-control-expose-headers", _EXPOSED),
    # Answers carry text that others wrote: no browser may guess that it is HTML.
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
]
_PAGE: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# A browser shows RDF/XML and SPARQL XML as documents, and would run a script in one.
_DATA: Final = "default-src 'none'; frame-ancestors 'none'; sandbox"
_PREFLIGHT_SECONDS: Final = 86_400


def finished(fields: Iterable[tuple[str, str]], *, status: int = 200) -> Fields:
    """The fields of an answer with those that all answers have, names in lower case.

    A 304 has no policy: a browser would put it in the place of that which the page came with.
    Raises ValueError for a value that could begin a new line or a new field.
    """
    own = [(name.lower(), value) for name, value in fields]
    for name, value in own:
        if not (value.isascii() and value.isprintable()):
            raise ValueError(f"the field {name} has the value {value!r}")
    given = {name for name, _ in own}
    page = any(name == "content-type" and value.startswith("text/html") for name, value in own)
    policy = [("content-security-policy", _PAGE if page else _DATA)] if status != 304 else []
    return own + [field for field in (*_COMMON, *policy) if field[0] not in given]


def preflight(fields: Fields) -> Fields:
    """The fields of an answer to OPTIONS, with those that a browser asks for (Fetch, 3.2.3)."""
    allow = next((value for name, value in fields if name == "allow"), "")
    return [
        *fields,
        ("access-control-allow-methods", allow),
        ("access-control-allow-headers", _ALLOWED),
        ("access-control-max-age", str(_PREFLIGHT_SECONDS)),
    ]
