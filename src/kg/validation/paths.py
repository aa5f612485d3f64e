"""Property paths of SHACL (SHACL 1.0, 2.3.1) as SPARQL writes them, and back as Turtle.

A path that is one IRI is that IRI; in any other each IRI stands in angle brackets.
"""

from __future__ import annotations

import re
from typing import Final

from rdflib import RDF, SH, BNode, Graph
from rdflib.term import Node

from kg.validation.report import NONE

_DEPTH: Final = 32
_PATHS: Final = {
    SH.inversePath: "^{}",
    SH.zeroOrMorePath: "{}*",
    SH.oneOrMorePath: "{}+",
    SH.zeroOrOnePath: "{}?",
}
_SUFFIXES: Final = {"*": "zeroOrMorePath", "+": "oneOrMorePath", "?": "zeroOrOnePath"}
_TOKENS: Final = re.compile(r"<[^<>]*>|[()^|/*+?]")


def path_text(graph: Graph, path: Node | None) -> str:
    """The path of a shape as text; `-` for none, `_` for one that is malformed."""
    if path is None:
        return NONE
    if not isinstance(path, BNode):
        return str(path)
    return _written(graph, path, 0)


def _written(graph: Graph, path: Node, depth: int) -> str:
    if not isinstance(path, BNode):
        return f"<{path}>"
    if depth > _DEPTH:
        return "_"
    if (path, RDF.first, None) in graph:
        return f"({_joined(graph, path, '/', depth)})"
    alternatives = graph.value(path, SH.alternativePath)
    if alternatives is not None:
        return f"({_joined(graph, alternatives, '|', depth)})"
    for predicate, form in _PATHS.items():
        inner = graph.value(path, predicate)
        if inner is not None:
            return _grouped(form, _written(graph, inner, depth + 1))
    return "_"


def _grouped(form: str, inner: str) -> str:
    """`^` and `*` bind to one element (SPARQL 1.1, 9.1), so that `(^<p>)*` needs its brackets."""
    simple = inner.startswith("<") and inner.endswith(">")
    bracketed = inner.startswith("(") and inner.endswith(")")
    return form.format(inner if simple or bracketed else f"({inner})")


def _joined(graph: Graph, members: Node, operator: str, depth: int) -> str:
    return operator.join(_written(graph, each, depth + 1) for each in graph.items(members))


def path_turtle(text: str) -> str | None:
    """A path that `path_text` wrote as Turtle, with IRIs in full; None for one that is none."""
    if text in (NONE, "_") or "<" not in text:
        return None if text in (NONE, "_") else f"<{text}>"
    tokens = _TOKENS.findall(text)
    if "".join(tokens) != text:
        return None
    try:
        path = _alternatives(tokens)
    except IndexError:
        return None
    return None if tokens else path


def _alternatives(tokens: list[str]) -> str:
    """Takes what it reads off the front of the tokens."""
    members = [_sequence(tokens)]
    while tokens and tokens[0] == "|":
        tokens.pop(0)
        members.append(_sequence(tokens))
    return members[0] if len(members) == 1 else f"[ sh:alternativePath ( {' '.join(members)} ) ]"


def _sequence(tokens: list[str]) -> str:
    members = [_element(tokens)]
    while tokens and tokens[0] == "/":
        tokens.pop(0)
        members.append(_element(tokens))
    return members[0] if len(members) == 1 else f"( {' '.join(members)} )"


def _element(tokens: list[str]) -> str:
    if tokens[0] == "^":
        tokens.pop(0)
        return f"[ sh:inversePath {_element(tokens)} ]"
    token = tokens.pop(0)
    if token == "(":  # noqa: S105 - a bracket
        path = _alternatives(tokens)
        tokens.pop(0)
    else:
        path = token
    while tokens and tokens[0] in _SUFFIXES:
        path = f"[ sh:{_SUFFIXES[tokens.pop(0)]} {path} ]"
    return path
