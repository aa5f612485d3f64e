"""The dataset that a query describes itself, where the engine would read it wrongly.

The engine answers from several FROM graphs without removing duplicates: a triple of two of them
gives two solutions. A dataset that is handed to the worker apart is merged as a set (SPARQL 1.1
Query, 13.2.1: the default graph is the RDF merge of the FROM graphs).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urljoin

from kg.errors import QuerySyntax
from kg.query.lexer import Kind, Token, tokens
from kg.store.base import Dataset


def described_dataset(query: str, prefixes: Mapping[str, str]) -> Dataset:
    """The dataset of the FROM clauses where there are several without NAMED; else an empty one.

    An empty dataset leaves the clauses to the engine. Raises QuerySyntax for a prefix that is not
    declared.
    """
    if query.upper().count("FROM") < 2:
        return Dataset()
    head = list(_outermost(query))
    names = _Names(head, prefixes)
    default, named = [], []
    for position, token in enumerate(head[:-1]):
        if _is(token, "FROM"):
            following = head[position + 1]
            if _is(following, "NAMED"):
                named.append(names.iri(head[position + 2]))
            else:
                default.append(names.iri(following))
    if len(default) < 2:
        return Dataset()
    return Dataset(tuple(default), tuple(named))


def _outermost(query: str) -> Iterator[Token]:
    """The tokens outside of all braces, comments left out."""
    depth = 0
    for token in tokens(query):
        depth -= token.text == "}"
        if depth == 0 and token.kind is not Kind.COMMENT:
            yield token
        depth += token.text == "{"


def _is(token: Token, word: str) -> bool:
    return token.kind is Kind.WORD and token.text.upper() == word


class _Names:
    """What the IRIs and prefixed names of a query stand for, by its prologue."""

    def __init__(self, head: list[Token], prefixes: Mapping[str, str]) -> None:
        self._base = ""
        self._prefixes = dict(prefixes)
        for token, name, iri in zip(head, head[1:], head[2:], strict=False):
            if _is(token, "BASE"):
                self._base = urljoin(self._base, name.text[1:-1])
            elif _is(token, "PREFIX"):
                self._prefixes[name.text[:-1]] = urljoin(self._base, iri.text[1:-1])

    def iri(self, token: Token) -> str:
        if token.kind is Kind.IRIREF:
            return urljoin(self._base, token.text[1:-1])
        prefix, _, local = token.text.partition(":")
        if prefix not in self._prefixes:
            raise QuerySyntax(f"the prefix {prefix}: is not declared", token.line, token.column)
        return self._prefixes[prefix] + re.sub(r"\\(.)", r"\1", local)
