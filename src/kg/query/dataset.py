"""The dataset that a query describes itself, where the engine would read it wrongly.

The engine answers from several FROM graphs without removing duplicates: a triple of two of them
gives two solutions. A dataset that is handed to the worker apart is merged as a set (SPARQL 1.1
Query, 13.2.1: the default graph is the RDF merge of the FROM graphs).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Final

from kg.errors import QuerySyntax
from kg.query.lexer import Kind, Token, tokens
from kg.store.base import Dataset
from kg.store.iris import named_iris

_BEFORE_A_NAME: Final = ("FROM", "NAMED", "PREFIX")


def described_dataset(query: str, prefixes: Mapping[str, str]) -> Dataset:
    """The dataset of the FROM clauses where there are several without NAMED; else an empty one.

    An empty dataset leaves the clauses to the engine. Raises QuerySyntax for a name that gives no
    IRI, and for FROM or PREFIX with a name right after it.
    """
    if query.upper().count("FROM") < 2:
        return Dataset()
    head = list(_outermost(query))
    _refuse_glued(head)
    default, named = _clauses(head)
    if len(default) < 2:
        return Dataset()
    prologue = _prologue(head, prefixes)
    return Dataset(_iris(default, prologue), _iris(named, prologue))


def _outermost(query: str) -> Iterator[Token]:
    """The tokens outside of all brackets, the outermost brackets with them, no comments."""
    depth = 0
    for token in tokens(query):
        depth -= token.text in ("}", ")", "]")
        if depth == 0 and token.kind is not Kind.COMMENT:
            yield token
        depth += token.text in ("{", "(", "[")


def _refuse_glued(head: list[Token]) -> None:
    """The engine needs no space after a keyword: it reads `FROMex:a` as a clause or as a name."""
    for before, token in pairwise(head):
        word = token.text.upper()
        name = token.kind is Kind.PREFIXED_NAME and not _is(before, *_BEFORE_A_NAME)
        if (name or token.kind is Kind.WORD) and word.startswith("FROM") and word != "FROM":
            raise _glued("FROM", token)
        if name and word.startswith("PREFIX"):
            raise _glued("PREFIX", token)
    if head and head[0].kind is Kind.PREFIXED_NAME:
        raise _glued("PREFIX", head[0])


def _glued(keyword: str, token: Token) -> QuerySyntax:
    return QuerySyntax(
        f"“{token.text[:40]}” can be read in two ways here; put a space after {keyword}, or give"
        " the prefix another name",
        token.line,
        token.column,
    )


def _clauses(head: list[Token]) -> tuple[list[Token], list[Token]]:
    """The names after FROM, and those after FROM NAMED."""
    default, named = [], []
    for token, following, after in zip(head, head[1:], [*head[2:], head[-1]], strict=False):
        if _is(token, "FROM") and _is(following, "NAMED"):
            named.append(after)
        elif _is(token, "FROM"):
            default.append(following)
    return default, named


def _is(token: Token, *words: str) -> bool:
    return token.kind is Kind.WORD and token.text.upper() in words


def _prologue(head: list[Token], prefixes: Mapping[str, str]) -> str:
    lines = [f"PREFIX {prefix}: <{iri}>" for prefix, iri in prefixes.items()]
    for token, name, iri in zip(head, head[1:], head[2:], strict=False):
        if _is(token, "BASE"):
            lines.append(f"BASE {name.text}")
        elif _is(token, "PREFIX"):
            lines.append(f"PREFIX {name.text} {iri.text}")
    return "\n".join(lines)


def _iris(names: list[Token], prologue: str) -> tuple[str, ...]:
    found = named_iris((token.text for token in names), prologue)
    return tuple(_next(found, token) for token in names)


def _next(found: Iterator[str], token: Token) -> str:
    try:
        return next(found)
    except ValueError as error:
        raise QuerySyntax(str(error), token.line, token.column) from error
