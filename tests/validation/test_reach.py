"""The scope of a check is read from the shapes, and gives the verdicts that everything gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from rdflib import RDF, RDFS, Graph, URIRef

from case_world import CASES, changed, concerned, shapes, world
from generated_articles import FAULTS, broken
from generated_unit import generated
from kg.publishing.gate import validated
from kg.publishing.staging import Reference
from kg.rdf import read_turtle
from kg.validation.reach import UNLIMITED, reach
from kg.validation.report import Finding

PREFIXES = """
    @prefix : <urn:> .
    @prefix sh: <http://www.w3.org/ns/shacl#> .
    @prefix rfsh: <https://w3id.org/reported-figures/shapes/> .
"""


def reach_of(shape: str) -> int:
    turtle = f"{PREFIXES} :s a sh:NodeShape ; sh:targetClass :C ; {shape}"
    return reach(Graph().parse(data=turtle, format="turtle"))


@pytest.mark.parametrize(
    ("shape", "steps"),
    [
        ("sh:property [ sh:path :p ; sh:minCount 1 ] .", 0),
        ("sh:property [ sh:path :p ; sh:class :D ] .", 1),
        ("sh:property [ sh:path ( :p :q ) ; sh:minCount 1 ] .", 1),
        ("sh:property [ sh:path ( :p :q :r ) ; sh:class :D ] .", 3),
        ("sh:property [ sh:path [ sh:zeroOrOnePath :p ] ; sh:class :D ] .", 1),
        ("sh:property [ sh:path [ sh:alternativePath ( :p ( :q :r ) ) ] ] .", 1),
        ("sh:property [ sh:path [ sh:zeroOrMorePath :p ] ; sh:minCount 1 ] .", UNLIMITED),
        ("sh:property [ sh:path [ sh:inversePath :p ] ; sh:minCount 1 ] .", UNLIMITED),
        ("sh:property [ sh:path :p ; sh:node [ sh:property [ sh:path :q ] ] ] .", 1),
        ("sh:property [ sh:path :p ; sh:node [ sh:property [ sh:path :q ; sh:class :D ] ] ] .", 2),
        ("sh:property [ sh:path :p ; sh:or ( [ sh:class :D ] [ sh:class :E ] ) ] .", 1),
        ("sh:property [ sh:path :p ; sh:node :s ] .", UNLIMITED),
        ('sh:sparql [ sh:select "SELECT $this { $this <urn:p> ?x }" ] .', 0),
        ('sh:sparql [ sh:select "SELECT $this { $this <urn:p> ?x . ?x <urn:q> ?y }" ] .', 1),
        (
            'sh:sparql [ sh:select "SELECT $this { $this <urn:p> ?x'
            ' FILTER NOT EXISTS { ?x <urn:q> ?y . ?y <urn:q> ?z } }" ] .',
            2,
        ),
        (
            'sh:sparql [ sh:select "SELECT $this { ?b <urn:p> ?c . ?c <urn:p> ?d'
            ' { $this <urn:p> ?a . ?a <urn:q> ?b } UNION { $this <urn:r> ?b } }" ] .',
            3,
        ),
        ('sh:sparql [ sh:select "SELECT $this { ?x <urn:p> $this }" ] .', UNLIMITED),
        ('sh:sparql [ sh:select "SELECT $this { $this <urn:p>+ ?x }" ] .', UNLIMITED),
        ('sh:sparql [ rfsh:reach 2 ; sh:select "SELECT $this { ?x <urn:p> $this }" ] .', 2),
    ],
)  # fmt: skip
def test_the_reach_of_a_shape_follows_its_paths(shape: str, steps: int) -> None:
    assert reach_of(shape) == steps


def told(findings: list[Finding]) -> list[tuple[str, str]]:
    """What is found, without wording: the processor's own has the prefixes of the graph in it."""
    return sorted((each.line({}), each.value) for each in findings)


def test_our_shapes_look_three_steps_far() -> None:
    """From a claim to its block, the block's anchor, and that anchor's position."""
    assert shapes().reach == 3


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_a_case_has_the_findings_within_reach_that_it_has_in_the_world(case: Path) -> None:
    stated = read_turtle(case)
    nodes = set(stated.subjects())
    replaced = [triple for node in nodes for triple in world().triples((node, None, None))]
    with changed(without=replaced, plus=stated) as graph:
        names = concerned(graph, nodes)
        expected = shapes().findings(graph, names)
        reference = Reference({"world": graph.serialize(format="nt", encoding="utf-8")})
        unit = Graph()
        for name in names:
            for triple in graph.triples((URIRef(name), None, None)):
                unit.add(triple)
    document = unit.serialize(format="nt", encoding="utf-8")
    scope = reference.within([document], shapes().reach)
    assert told(validated([document], [scope], shapes()).findings) == told(expected)


@pytest.mark.parametrize("fault", ["", *sorted(FAULTS)])
def test_an_article_has_the_findings_within_reach_that_it_has_with_everything(fault: str) -> None:
    unit = broken(generated(), FAULTS[fault]) if fault else generated()
    graphs = [graph.triples for graph in unit.graphs]
    scope = Reference({"": unit.reference}).within(graphs, shapes().reach)
    found = validated(graphs, [scope], shapes()).findings
    assert found == validated(graphs, [unit.reference], shapes()).findings
    assert bool(found) == bool(fault)


def test_classes_are_at_hand_at_any_depth() -> None:
    lines = [f"<urn:c{n}> <{RDFS.subClassOf}> <urn:c{n + 1}> ." for n in range(9)]
    lines += [f"<urn:x> <{RDF.type}> <urn:c0> ."]
    lines += ["<urn:x> <urn:p> <urn:y> .", "<urn:y> <urn:p> <urn:z> ."]
    reference = Reference({"": "\n".join(lines).encode()})
    found = reference.within([b"<urn:a> <urn:p> <urn:x> .\n"], 1).decode().splitlines()
    assert sorted(found) == sorted(set(lines) - {"<urn:y> <urn:p> <urn:z> ."})
