"""Graphs in memory: the same as rdflib's own, from the same N-Triples."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib import BNode, Graph, Literal, URIRef
from rdflib.compare import isomorphic
from rdflib.exceptions import ParserError

from case_world import world
from kg.validation.conformance import Shapes
from kg.validation.memory import IndexedStore, read_graph

TERMS = [URIRef("urn:a"), URIRef("urn:b"), BNode("c"), Literal("a"), Literal(1)]
triples = st.lists(
    st.tuples(st.sampled_from(TERMS[:3]), st.sampled_from(TERMS[:2]), st.sampled_from(TERMS))
)


@given(added=triples, removed=triples)
def test_every_pattern_matches_what_it_matches_in_rdflibs_own_store(
    added: list[Any], removed: list[Any]
) -> None:
    ours, theirs = Graph(store=IndexedStore()), Graph()
    for graph in (ours, theirs):
        for triple in added:
            graph.add(triple)
        for triple in removed:
            graph.remove(triple)
    for pattern in product([None, *TERMS[:3]], [None, *TERMS[:2]], [None, *TERMS]):
        assert sorted(ours.triples(pattern)) == sorted(theirs.triples(pattern))
    assert len(ours) == len(theirs)


def test_n_triples_give_the_graph_that_rdflib_reads() -> None:
    document = world().serialize(format="nt", encoding="utf-8")
    assert isomorphic(read_graph(document), Graph().parse(data=document, format="nt"))


@pytest.mark.parametrize(
    "line",
    [
        '<urn:a> <urn:b> "x\\n\\"y\\"\\\\ \\u00e9 . <urn:c>" .',
        '<urn:a> <urn:b> "01"^^<http://www.w3.org/2001/XMLSchema#integer> .',
        '<urn:a> <urn:b> "x"@en-GB .',
        "<urn:a>  <urn:b>\t<urn:c>.  # a comment",
        "<urn:\\u00e9> <urn:b> _:c .",
        "",
    ],
)
def test_a_line_is_read_as_rdflib_reads_it(line: str) -> None:
    document = f"_:c <urn:b> <urn:d> .\n{line}\n".encode()
    assert isomorphic(read_graph(document), Graph().parse(data=document, format="nt"))


def test_blank_nodes_of_two_documents_stay_apart() -> None:
    document = b'_:c <urn:b> "x" .\n'
    assert len(read_graph(document, document)) == 2


@pytest.mark.parametrize("line", [b"no triple", b'<urn:a> <urn:b> "x" <urn:c> .'])
def test_what_is_no_triple_is_refused(line: bytes) -> None:
    with pytest.raises(ParserError):
        read_graph(line)


def test_a_blank_node_that_breaks_a_closed_shape_is_told() -> None:
    """pyshacl describes it by the graph that it is in, and failed where there was none."""
    turtle = """
        @prefix sh: <http://www.w3.org/ns/shacl#> .
        <urn:s> a sh:NodeShape ; sh:targetSubjectsOf <urn:p> ; sh:closed true .
    """
    closed = Shapes(Graph().parse(data=turtle, format="turtle"))
    data = read_graph(b'_:a <urn:p> _:b .\n_:b <urn:q> "x" .\n')
    assert [each.component for each in closed.findings(data)] == ["Closed"]
