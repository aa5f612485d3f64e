"""Queries on rdflib graphs, parsed once: rdflib's plug-in point for query processors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from rdflib import Graph, Variable, plugin
from rdflib.plugins.sparql.algebra import translateQuery
from rdflib.plugins.sparql.evaluate import evalQuery
from rdflib.plugins.sparql.parser import parseQuery
from rdflib.plugins.sparql.sparql import Query
from rdflib.query import Processor
from rdflib.term import Node

from kg.validation.compiled import Compiled, Row, compiled


def install() -> None:
    """Let every query on an rdflib graph be parsed once; pyshacl gives no other way in."""
    plugin.register("sparql", Processor, __name__, "PreparingProcessor")


class PreparingProcessor(Processor):
    """An rdflib query processor that keeps what it has parsed, and compiles what it can.

    pyshacl asks the same query anew for each focus node, and parsing is most of what it does.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def query(  # type: ignore[override]
        self,
        strOrQuery: str | Query,
        initBindings: Mapping[str, Any] | None = None,
        initNs: Mapping[str, Any] | None = None,
        base: str | None = None,
        DEBUG: bool = False,
    ) -> Mapping[str, Any]:
        """As rdflib.query.Processor.query."""
        bindings = initBindings or {}
        if not isinstance(strOrQuery, str):
            return evalQuery(self.graph, strOrQuery, bindings, base)
        namespaces = tuple((initNs or {}).items())
        query, run = _prepared(strOrQuery, namespaces, base, frozenset(bindings))
        if run is None:
            return evalQuery(self.graph, query, bindings, base)
        rows = run(self.graph, _as_variables(bindings))
        return {"type_": "SELECT", "bindings": rows, "vars_": query.algebra.PV}


def solutions(graph: Graph, text: str, bindings: Mapping[str, Node]) -> list[Row] | None:
    """The solutions of a SELECT query that writes out its prefixes; None where it is not compiled.

    So a caller of many queries that mostly have none is spared rdflib's result objects.
    """
    try:
        _, run = _prepared(text, (), None, frozenset(bindings))
    except Exception:  # rdflib has no narrower one for a prefix that the text does not write out
        return None
    return None if run is None else run(graph, _as_variables(bindings))


def _as_variables(bindings: Mapping[str, Node]) -> dict[Variable, Node]:
    return {Variable(name): value for name, value in bindings.items()}


@lru_cache(maxsize=1024)
def _prepared(
    text: str, namespaces: tuple[tuple[str, Any], ...], base: str | None, bound: frozenset[str]
) -> tuple[Query, Compiled | None]:
    query = translateQuery(parseQuery(text), base, dict(namespaces))
    return query, compiled(query, bound)
