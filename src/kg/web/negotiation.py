"""The choice of a format and a coding from what a client accepts (RFC 9110, 12.5.1, 12.5.3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from flask import Request
from werkzeug.datastructures import Accept, MIMEAccept
from werkzeug.http import parse_accept_header

from kg.errors import NotAcceptable
from kg.media import Format
from kg.store.base import Coding

PROBLEM: Final = "application/problem+json"
_LONGEST: Final = 1024
"""Characters of a field that are read: a browser sends 150. More would be work, and memory."""
_REMEMBERED: Final = 256
_PACKED: Final = (Coding.ZSTD, Coding.GZIP)
"""The codings that are offered, the better of equals first."""


def chooser(accept: str | None, name: str | None) -> Callable[[Sequence[Format]], Format]:
    """A function that picks one of the formats offered, or raises NotAcceptable.

    A name (`?format=`) wins over the Accept field; without either the first offered is taken.
    """

    def choose(offered: Sequence[Format]) -> Format:
        if name is not None:
            return _named(name, offered)
        ranges = _within(accept or "")
        return _accepted(ranges, tuple(offered)) if ranges.strip(" ,") else offered[0]

    return choose


def coding(accept_encoding: str | None) -> Coding:
    """The coding of an answer: one that the field names, and that it likes best.

    `*` alone means none in particular, so it gets identity. Raises NotAcceptable where identity is
    refused and no offered coding is taken.
    """
    return Coding.IDENTITY if accept_encoding is None else _coding(_within(accept_encoding))


@lru_cache(maxsize=_REMEMBERED)
def _coding(accept_encoding: str) -> Coding:
    accept = parse_accept_header(accept_encoding)
    best = max(_PACKED, key=lambda packed: _named_quality(packed.value, accept))
    identity = _identity_quality(accept)
    if _named_quality(best.value, accept) > 0 and accept.quality(best.value) >= identity:
        return best
    if identity > 0:
        return Coding.IDENTITY
    if accept.quality(Coding.GZIP.value) > 0:  # named by `*` alone
        return Coding.GZIP
    raise NotAcceptable(
        f"Accept-Encoding {accept_encoding}",
        [packed.value for packed in (*_PACKED, Coding.IDENTITY)],
    )


def needs_packing(accept_encoding: str | None) -> bool:
    """Whether the client refuses an answer that is not packed, however small."""
    if accept_encoding is None:
        return False
    return _identity_quality(parse_accept_header(_within(accept_encoding))) == 0


def _named_quality(name: str, accept: Accept) -> float:
    return max((q for value, q in accept if value.lower() == name), default=0)


def _identity_quality(accept: Accept) -> float:
    """Its q; it is acceptable unless it is named with 0, or by `*` with 0 (12.5.3)."""
    named = [q for value, q in accept if value.lower() == "identity"]
    wild = [q for value, q in accept if value == "*"]
    if named:
        return named[0]
    return 0.0 if wild and wild[0] == 0 else 0.001


def prefers_html(request: Request) -> bool:
    """Whether the client would rather have a page than a machine's answer: a browser."""
    accept = _media_ranges(_within(request.headers.get("Accept", "")))
    return accept.quality("text/html") > accept.quality(PROBLEM)


def prefers_text(accept_field: str) -> bool:
    """Whether an error should be text for a person: text or HTML is preferred to JSON."""
    return _prefers_text(_within(accept_field))


def prefers_page(accept_field: str) -> bool:
    """Whether an error should be a page: HTML is named, and nothing else is liked more."""
    return _prefers_page(_within(accept_field))


@lru_cache(maxsize=_REMEMBERED)
def _prefers_page(accept_field: str) -> bool:
    accept = _media_ranges(accept_field)
    others = (PROBLEM, "application/json", "text/plain")
    named = any(value.lower() == "text/html" for value, _ in accept)
    html = accept.quality("text/html")
    # Text comes with a wildcard; JSON must be liked less, as it is by every browser.
    return named and html > 0 and all(html >= accept.quality(other) for other in others)


@lru_cache(maxsize=_REMEMBERED)
def _prefers_text(accept_field: str) -> bool:
    accept = _media_ranges(accept_field)
    text = max(accept.quality("text/plain"), accept.quality("text/html"))
    return text > max(accept.quality(PROBLEM), accept.quality("application/json"))


def _named(name: str, offered: Sequence[Format]) -> Format:
    for format in offered:
        if format.name == name:
            return format
    raise NotAcceptable(f"format {name!r}", [format.name for format in offered])


def _within(field: str) -> str:
    """The whole field, or the members of the list at its beginning."""
    return field if len(field) <= _LONGEST else field[:_LONGEST].rpartition(",")[0]


@lru_cache(maxsize=_REMEMBERED)
def _accepted(accept: str, offered: tuple[Format, ...]) -> Format:
    ranges = _media_ranges(accept)
    best = max(offered, key=lambda format: _quality(format, ranges))  # the first of equals
    if not _quality(best, ranges) > 0:
        raise NotAcceptable(accept, [format.media_type for format in offered])
    return best


def _quality(format: Format, ranges: MIMEAccept) -> float:
    """The greatest q of its names: each takes the q of the most specific range that covers it.

    An alias counts only where it is asked for by name: the answer's type is never the alias, so a
    wildcard that covers the alias alone does not accept the answer.
    """
    asked = {value.lower() for value, _ in ranges}
    aliases = (alias for alias in format.aliases if alias in asked)
    return max(ranges.quality(name) for name in (format.media_type, *aliases))


@lru_cache(maxsize=_REMEMBERED)
def _media_ranges(accept: str) -> MIMEAccept:
    """The ranges without parameters: `text/csv;charset=utf-8` asks for text/csv as much.

    `*` is what some old clients send for `*/*`.
    """
    parsed = parse_accept_header(accept, MIMEAccept)
    ranges = ((value.partition(";")[0].strip(), quality) for value, quality in parsed)
    return MIMEAccept([("*/*" if name == "*" else name, quality) for name, quality in ranges])
