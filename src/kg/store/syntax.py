"""What the engine says of a query that it cannot parse or evaluate, as a person can read it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from kg.errors import EvaluationFailed, KgError, QuerySyntax, UnknownFunction

_FUNCTION: Final = re.compile(r"The custom function (<.*>) is not supported", re.DOTALL)
_MESSAGE: Final = re.compile(r"error at (\d+):(\d+): expected (?:one of )?(.*)", re.DOTALL)
_EXPECTED: Final = re.compile(
    r'"(?:[^"\\]|\\.)*"'  # a token as it is written
    r"|\[(?:'(?:[^'\\]|\\[^']+|\\')'|[^\[\]'])*\]"  # a set of characters
    r"|[^,\s\[][^,]*"  # a keyword, or a sentence about the query
)
_PREFIXED_NAME: Final = re.compile(r"(?:^|[^\w.:<-])([\w.-]*):[\w.-]*$")
_SHOWN: Final = 5


def syntax_error(message: str, query: str, prefixes: Iterable[str]) -> QuerySyntax:
    """The error of a query, from the engine's "error at LINE:COLUMN: expected …".

    `prefixes` are those that the query need not declare.
    """
    match = _MESSAGE.fullmatch(message)
    if not match:
        return QuerySyntax(message.partition("\n")[0])
    line, column = int(match[1]), int(match[2])
    name = _undeclared(query, line, column, prefixes)
    if name:
        return QuerySyntax(f"the prefix {name[1]}: is not declared", line, name.start(1) + 1)
    return QuerySyntax(_problem(_EXPECTED.findall(match[3])), line, column)


def engine_error(message: str) -> KgError:
    """What the engine says when it cannot evaluate a query that it could parse."""
    function = _FUNCTION.search(message)
    return UnknownFunction(function[1]) if function else EvaluationFailed(message)


def _undeclared(
    query: str, line: int, column: int, prefixes: Iterable[str]
) -> re.Match[str] | None:
    """The name before the place, where its prefix, the first group, is not declared.

    The engine then lists what else might have stood behind it, and seldom names the prefix.
    """
    before = query.split("\n")[line - 1][: column - 1].rstrip()
    name = _PREFIXED_NAME.search(before)
    if not name or name[1] in prefixes:
        return None
    declared = re.search(rf"\bprefix\s+{re.escape(name[1])}:", query, re.IGNORECASE)
    return None if declared else name


def _problem(expected: list[str]) -> str:
    """The engine's own sentence where it gives one, else the first tokens that could stand here."""
    items = [item.strip() for item in expected if not item.startswith("[")]
    sentences = [item for item in items if " " in item and not item.startswith('"')]
    if sentences:
        return sentences[0]
    if not items:
        return "nothing that may stand here does"
    return "expected " + ", ".join(items[:_SHOWN]) + (", …" if items[_SHOWN:] else "")
