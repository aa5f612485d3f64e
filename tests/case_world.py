"""What every case of a shape is read with: the ontology, and one conforming node of each class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from rdflib import Graph, URIRef
from rdflib.term import Node

from kg.project import Project
from kg.rdf import read_turtle
from kg.validation.conformance import Shapes

PROJECT = Project.at(Path(__file__).parents[1])
CASES = sorted((PROJECT.ontology / "cases").glob("*/*.ttl"))
EX = "https://example.org/"

Triple = tuple[Node, Node, Node]


@lru_cache(maxsize=1)
def shapes() -> Shapes:
    return Shapes.read(PROJECT.shapes())


@lru_cache(maxsize=1)
def world() -> Graph:
    """The nodes of the cases, the ontology and the concepts; changed by `changed` alone."""
    graph = read_turtle(PROJECT.ontology / "cases" / "base.ttl")
    for file in (*PROJECT.terms(), *PROJECT.concepts()):
        graph += read_turtle(file)
    return graph


@contextmanager
def changed(without: Iterable[Triple], plus: Iterable[Triple]) -> Iterator[Graph]:
    """The world without these triples and with those, for as long as the context lasts."""
    graph, wanted = world(), set(plus)
    lost = set(without) - wanted
    gained = {triple for triple in wanted if triple not in graph}
    _exchange(graph, lost, gained)
    try:
        yield graph
    finally:
        _exchange(graph, gained, lost)


def _exchange(graph: Graph, lost: Iterable[Triple], gained: Iterable[Triple]) -> None:
    for triple in lost:
        graph.remove(triple)
    for triple in gained:
        graph.add(triple)


def names(nodes: Iterable[Node]) -> set[str]:
    """The IRIs among these nodes."""
    return {str(node) for node in nodes if isinstance(node, URIRef)}


def concerned(graph: Graph, nodes: Iterable[Node]) -> set[str]:
    """The IRIs of these nodes, and of all that refer to them, directly or through others."""
    found, waiting = set(nodes), list(nodes)
    while waiting:
        new = set(graph.subjects(None, waiting.pop())) - found
        found |= new
        waiting += new
    return names(found)
