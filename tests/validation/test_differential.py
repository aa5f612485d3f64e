"""Our validation finds what pyshacl finds as it comes: on all cases, and on articles made faulty.

pyshacl is slow, seconds for each: without KG_DIFFERENTIAL=all, a few of them are compared.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from rdflib import Graph
from rdflib.term import Node

from case_world import CASES, changed, concerned, shapes, world
from generated_articles import FAULTS, broken
from generated_unit import generated
from kg.publishing.staging import Unit
from kg.rdf import read_turtle
from kg.validation.memory import read_graph
from plain_pyshacl import plain_results, results

ALL = os.environ.get("KG_DIFFERENTIAL") == "all"
COMPARED = CASES if ALL else CASES[::60]
COMPARED_FAULTS = sorted(FAULTS) if ALL else ["a gap in a chain", "article text"]


def agree(data: Graph) -> bool:
    ours = results(shapes().validated(data).report)
    assert ours == plain_results(data, shapes().graph)
    return bool(ours)


def part_of(graph: Graph, nodes: Iterable[Node]) -> Graph:
    """What a graph says of these nodes, and of all that they lead to."""
    part, waiting, seen = Graph(), list(nodes), set[Node]()
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            for triple in graph.triples((node, None, None)):
                part.add(triple)
                waiting += triple[1:]
    return part


@pytest.mark.parametrize("case", COMPARED, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_a_case_has_the_results_that_pyshacl_gives(case: Path) -> None:
    stated = read_turtle(case)
    nodes = set(stated.subjects())
    replaced = [triple for node in nodes for triple in world().triples((node, None, None))]
    with changed(without=replaced, plus=stated) as graph:
        around = [node for node in graph.subjects() if str(node) in concerned(graph, nodes)]
        part = part_of(graph, [*nodes, *around])
    agree(part)


def graph_of(unit: Unit) -> Graph:
    return read_graph(*(graph.triples for graph in unit.graphs), unit.reference)


def test_a_generated_article_conforms_to_both() -> None:
    assert not agree(graph_of(generated()))


@pytest.mark.parametrize("fault", COMPARED_FAULTS)
def test_a_fault_of_an_article_has_the_results_that_pyshacl_gives(fault: str) -> None:
    assert agree(graph_of(broken(generated(), FAULTS[fault])))
