"""A query as people send it from a shell, and from Python without further packages."""

from __future__ import annotations

import shlex

from kg.media import Format


def curl(endpoint: str, query: str, format: Format, *, short: bool) -> str:
    """A command for a POSIX shell; one that is not short is read from a file."""
    asked = shlex.quote(f"query={query}") if short else "query@query.rq"
    return (
        f"curl --fail-with-body --header 'Accept: {format.media_type}' \\\n"
        f"  --data-urlencode {asked} \\\n"
        f"  {shlex.quote(endpoint)}"
    )


def python(endpoint: str, query: str, format: Format, *, short: bool) -> str:
    """A program that prints the answer; a query that is not short is read from a file."""
    asked = _quoted(query) if short else 'open("query.rq", encoding="utf-8").read()'
    return (
        "from urllib.parse import urlencode\n"
        "from urllib.request import Request, urlopen\n\n"
        f"query = {asked}\n"
        f'form = urlencode({{"query": query}}).encode()\n'
        f"request = Request({endpoint!r}, form, {{'Accept': {format.media_type!r}}})\n"
        "with urlopen(request) as answer:\n"
        '    print(answer.read().decode("utf-8"))'
    )


def _quoted(text: str) -> str:
    """A literal of Python, on lines of its own where that says the same."""
    if "\n" in text and not any(mark in text for mark in ("\\", '"""', "\r", "\0")):
        closed = f'"""{text}"""'
        return closed if not text.endswith('"') else repr(text)
    return repr(text)
