"""What came back of a query, as far as the query page shows it: part of a table, or of a graph."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kg.namespaces import XSD
from kg.query.views.look import Row, Term
from kg.store.base import Spool

MOST_COUNTED: Final = 10_000
"""Solutions to which the page counts; more are for the formats to download."""

_LITERAL: Final = re.compile(r'"(.*)"(?:@([A-Za-z0-9-]+)|\^\^<(.*)>)?', re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)")
_MOST_ENCODED: Final = 4
"""Bytes that a character may take in UTF-8."""
_ESCAPED: Final = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f"}


@dataclass(frozen=True, slots=True)
class Table:
    """Some solutions of SELECT: `first` counts from 1; `total` is how many there are.

    With `more` there are more than `total`, which nobody counted.
    """

    variables: tuple[str, ...]
    rows: tuple[Row, ...]
    first: int
    total: int
    more: bool


@dataclass(frozen=True, slots=True)
class Extract:
    """The beginning of a graph in Turtle; with `more` it is not the whole."""

    text: str
    more: bool


def table(spool: Spool, first: int, most: int) -> Table:
    """The solutions from `first` on, at most so many; the spool holds TSV."""
    lines = _lines(spool)
    variables = tuple(name[1:] for name in next(lines, "").split("\t") if name)
    wanted = range(first, first + most)
    total, rows = 0, list[Row]()
    for total, line in enumerate(lines, 1):
        if total in wanted:
            terms = zip(variables, line.split("\t"), strict=False)
            rows.append({name: term(text) for name, text in terms if text})
    return Table(variables, tuple(rows), first, total, spool.cut)


def boolean(spool: Spool) -> bool:
    """The answer to ASK; the spool holds JSON."""
    return bool(json.loads(spool.read())["boolean"])


def extract(spool: Spool, most: int) -> Extract:
    """The first characters of a graph, up to the end of a line; the spool holds Turtle."""
    text, whole = _beginning(spool, most)
    if whole and len(text) <= most:
        return Extract(text, spool.cut)
    return Extract(text[:most].rpartition("\n")[0] or text[:most], more=True)


def term(text: str) -> Term:
    """The term that stands in a TSV document (SPARQL 1.1 Query Results CSV and TSV, section 4)."""
    if text.startswith("<<"):
        return Term("triple", text)
    if text.startswith("<"):
        return Term("uri", text[1:-1])
    if text.startswith("_:"):
        return Term("bnode", text[2:])
    literal = _LITERAL.fullmatch(text)
    if literal is None:
        return Term("literal", text, datatype=_bare(text))
    value, language, datatype = literal.groups()
    return Term("literal", _ESCAPE.sub(_unescaped, value), language or "", datatype or "")


def _bare(text: str) -> str:
    """The datatype of what stands without quotes."""
    if text in ("true", "false"):
        return XSD + "boolean"
    if "e" in text.lower():
        return XSD + "double"
    return XSD + ("decimal" if "." in text else "integer")


def _unescaped(found: re.Match[str]) -> str:
    after = found[1]
    if len(after) > 1:
        return chr(int(after[1:], 16))
    return _ESCAPED.get(after, after)


def _beginning(spool: Spool, most: int) -> tuple[str, bool]:
    """More than so many characters of it, or the whole, which the second tells."""
    read = bytearray()
    for chunk in spool.chunks():
        if len(read) > most * _MOST_ENCODED:
            return read.decode(errors="ignore"), False
        read += chunk
    return read.decode(), True


def _lines(spool: Spool) -> Iterator[str]:
    """Its lines; of one that comes in many chunks each byte is copied once."""
    unfinished = list[bytes]()
    for chunk in spool.chunks():
        first, *others = chunk.split(b"\n")
        unfinished.append(first)
        if others:
            yield b"".join(unfinished).decode()
            yield from (line.decode() for line in others[:-1])
            unfinished = [others[-1]]
    if rest := b"".join(unfinished):
        yield rest.decode()
