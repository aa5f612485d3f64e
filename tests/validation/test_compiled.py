"""Compiled queries have the solutions that rdflib's own evaluation has."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib import SH, Graph, Literal, URIRef, Variable
from rdflib.plugins.sparql.algebra import translateQuery
from rdflib.plugins.sparql.evaluate import evalQuery
from rdflib.plugins.sparql.parser import parseQuery
from rdflib.plugins.sparql.sparql import Query
from rdflib.term import Node

from case_world import shapes
from kg.validation.compiled import compiled
from kg.validation.memory import IndexedStore

PREFIX = "PREFIX : <urn:>\n"
NODES = [URIRef(f"urn:{name}") for name in "abc"]
VALUES = [*NODES, Literal(0), Literal(1), Literal("0"), Literal("x", lang="en"), Literal(True)]

COVERED = [
    "SELECT $this ?o WHERE { $this :p ?o }",
    "SELECT $this WHERE { ?s :p $this ; :q ?o . ?o :p ?s }",
    "SELECT $this WHERE { ?s :p ?s }",
    "SELECT DISTINCT $this WHERE { $this ?p ?o }",
    "SELECT $this ?o WHERE { $this :p ?o FILTER(?o > 0) }",
    "SELECT $this ?o WHERE { $this :p ?o FILTER(?o != :a && ?o = ?o) }",
    "SELECT $this ?o WHERE { $this :p ?o FILTER(!(?o < 1) || ?o = :b) }",
    "SELECT $this ?o WHERE { $this :p ?o FILTER(?o IN (:a, 1)) }",
    "SELECT $this ?x WHERE { $this :p ?o OPTIONAL { ?o :q ?x FILTER(?x != ?o) } }",
    "SELECT $this WHERE { $this :p ?o OPTIONAL { $this :q ?x } FILTER(!BOUND(?x) && ?o = 1) }",
    "SELECT $this WHERE { $this :p ?o OPTIONAL { $this :q ?x } FILTER(?x || ?o = 1) }",
    "SELECT $this WHERE { $this :p ?o OPTIONAL { $this :q ?x } FILTER(!(?o = 1 && ?x)) }",
    "SELECT $this ?x WHERE { { $this :p ?x } UNION { $this :q ?x FILTER(?x = 0) } }",
    "SELECT $this WHERE { FILTER NOT EXISTS { $this :p ?o } }",
    "SELECT $this WHERE { $this :p ?o FILTER EXISTS { ?o :q ?x FILTER(?x != ?o) } }",
    "SELECT $this WHERE { BIND(EXISTS { $this :p ?o } AS ?e) FILTER(?e = true) }",
    "SELECT $this ?n WHERE { $this :p ?o BIND(?o + 1 AS ?n) }",
    "SELECT $this ?n WHERE { $this :p ?o BIND(STRLEN(STR(?o)) AS ?n) FILTER(isLiteral(?o)) }",
    "SELECT $this ?n WHERE { $this :p ?o BIND(COALESCE(?no, ?o) AS ?n) }",
]
UNCOVERED = [
    "SELECT $this WHERE { $this :p/:q ?o }",
    "SELECT $this (COUNT(?o) AS ?n) WHERE { $this :p ?o } GROUP BY $this",
    "SELECT $this WHERE { $this :p ?o MINUS { $this :q ?o } }",
    "SELECT $this WHERE { $this :p ?o } LIMIT 1",
    "SELECT $this WHERE { $this :p ?o { $this :q ?x FILTER(?x = ?o) } }",
    "ASK { $this :p ?o }",
]

triples = st.lists(
    st.tuples(
        st.sampled_from(NODES),
        st.sampled_from([URIRef("urn:p"), URIRef("urn:q")]),
        st.sampled_from(VALUES),
    ),
    max_size=8,
)


def parsed(text: str) -> Query:
    return translateQuery(parseQuery(text))


def by_rdflib(graph: Graph, query: Query, this: Node) -> Counter[Any]:
    bindings: Any = {"this": this}
    rows = evalQuery(graph, query, bindings)["bindings"]
    return Counter(frozenset(row.items()) for row in rows)


def by_us(graph: Graph, query: Query, this: Node) -> Counter[Any]:
    run = compiled(query, {"this"})
    assert run is not None
    return Counter(frozenset(row.items()) for row in run(graph, {Variable("this"): this}))


@pytest.mark.parametrize("text", COVERED)
@given(content=triples)
def test_a_covered_query_has_the_solutions_of_rdflib(text: str, content: list[Any]) -> None:
    graph, query = Graph(store=IndexedStore()), parsed(PREFIX + text)
    for triple in content:
        graph.add(triple)
    for this in NODES:
        assert by_us(graph, query, this) == by_rdflib(graph, query, this)


@pytest.mark.parametrize("text", UNCOVERED)
def test_a_query_that_is_not_covered_is_left_to_rdflib(text: str) -> None:
    assert compiled(parsed(PREFIX + text), {"this"}) is None


def test_every_query_of_our_shapes_is_covered() -> None:
    graph = shapes().graph
    prefixes = "".join(
        f"PREFIX {graph.value(each, SH.prefix)}: <{graph.value(each, SH.namespace)}>\n"
        for each in graph.objects(None, SH.declare)
    )
    queries = {str(each): str(graph.value(each, SH.select)) for each in graph.subjects(SH.select)}
    not_covered = [
        name
        for name, text in queries.items()
        if compiled(parsed(prefixes + text), {"this"}) is None
    ]
    assert not_covered == []
