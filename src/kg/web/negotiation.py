"""The choice of a format from what a client accepts (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Request
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from kg.errors import NotAcceptable
from kg.media import Format

PROBLEM = "application/problem+json"


def chooser(accept: str | None, name: str | None) -> Callable[[Sequence[Format]], Format]:
    """A function that picks one of the formats offered, or raises NotAcceptable.

    A name (`?format=`) wins over the Accept field; without either the first offered is taken.
    """

    def choose(offered: Sequence[Format]) -> Format:
        if name is not None:
            return _named(name, offered)
        return _accepted(accept, offered) if accept else offered[0]

    return choose


def prefers_html(request: Request) -> bool:
    """Whether the client would rather have a page than a machine's answer: a browser."""
    accept = _media_ranges(request.headers.get("Accept", ""))
    return accept.quality("text/html") > accept.quality(PROBLEM)


def prefers_text(request: Request) -> bool:
    """Whether an error should be text for a person: text or HTML is preferred to JSON."""
    accept = _media_ranges(request.headers.get("Accept", ""))
    text = max(accept.quality("text/plain"), accept.quality("text/html"))
    return text > max(accept.quality(PROBLEM), accept.quality("application/json"))


def _named(name: str, offered: Sequence[Format]) -> Format:
    for format in offered:
        if format.name == name:
            return format
    raise NotAcceptable(f"format {name!r}", [format.name for format in offered])


def _accepted(accept: str, offered: Sequence[Format]) -> Format:
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


def _media_ranges(accept: str) -> MIMEAccept:
    """The ranges without parameters: `text/csv;charset=utf-8` asks for text/csv as much."""
    parsed = parse_accept_header(accept, MIMEAccept)
    return MIMEAccept([(value.partition(";")[0].strip(), quality) for value, quality in parsed])
