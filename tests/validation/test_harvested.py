"""Shapes that are read once are applied as pyshacl applies them."""

from __future__ import annotations

import pytest
from pyshacl.errors import ShapeRecursionWarning
from rdflib import Graph

from kg.validation.conformance import Shapes

PREFIXES = "@prefix : <urn:> . @prefix sh: <http://www.w3.org/ns/shacl#> . "


def found(shapes: str, data: str, focus: set[str] | None = None) -> list[str]:
    graph = Graph().parse(data=PREFIXES + data, format="turtle")
    findings = Shapes(Graph().parse(data=PREFIXES + shapes, format="turtle")).findings(graph, focus)
    return [each.line({}) for each in findings]


HELPED = """
    :S a sh:NodeShape ; sh:targetClass :C ; sh:property [ sh:path :p ; sh:node :helper ] .
    :helper a sh:NodeShape ; sh:property [ sh:path :q ; sh:minCount 1 ] .
"""


def test_a_value_that_two_nodes_share_is_found_at_both() -> None:
    data = ":a a :C ; :p :x . :b a :C ; :p :x . :c a :C ; :p :y . :d a :C ; :p :y . :y :q 1 ."
    assert found(HELPED, data) == ["Violation urn:a urn:p Node", "Violation urn:b urn:p Node"]


def test_what_conformed_in_one_graph_is_looked_at_anew_in_the_next() -> None:
    shapes = Shapes(Graph().parse(data=PREFIXES + HELPED, format="turtle"))
    good = Graph().parse(data=PREFIXES + ":a a :C ; :p :x . :x :q 1 .", format="turtle")
    bad = Graph().parse(data=PREFIXES + ":a a :C ; :p :x .", format="turtle")
    assert [len(shapes.findings(each)) for each in (good, bad, good)] == [0, 1, 0]


@pytest.mark.parametrize(
    ("target", "data"),
    [
        ("sh:targetNode :a", ":a :r 1 ."),
        ("sh:targetClass :C", ":a a :D . :D rdfs:subClassOf :E . :E rdfs:subClassOf :C ."),
        ("sh:targetSubjectsOf :r", ":a :r 1 ."),
        ("sh:targetObjectsOf :r", ":z :r :a ."),
        ("a rdfs:Class", ":a a :S ."),
    ],
)
def test_each_kind_of_target_is_found_for_the_nodes_that_are_asked_for(
    target: str, data: str
) -> None:
    prefix = "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . "
    shapes = f"{prefix} :S a sh:NodeShape ; {target} ; sh:property [ sh:path :p ; sh:minCount 1 ] ."
    other = ":other a :C , :S ; :r :other2 ."
    every = found(shapes, f"{prefix} {data} {other}")
    assert found(shapes, f"{prefix} {data} {other}", {"urn:a"}) == [
        "Violation urn:a urn:p MinCount"
    ]
    assert set(every) > {"Violation urn:a urn:p MinCount"} or target == "sh:targetNode :a"


def test_a_value_of_two_nodes_is_told_for_each_property_shape_that_leads_to_it() -> None:
    shapes = """
        :S a sh:NodeShape ; sh:targetClass :C ; sh:property :outer .
        :outer sh:path :p ; sh:property [ sh:path :q ; sh:minCount 1 ] .
    """
    data = ":a a :C ; :p :x . :b a :C ; :p :x ."
    assert found(shapes, data) == ["Violation urn:x urn:q MinCount"] * 2


def test_shapes_that_lead_back_to_themselves_come_to_an_end() -> None:
    shapes = """
        :S a sh:NodeShape ; sh:targetClass :C ; sh:node :S2 .
        :S2 a sh:NodeShape ; sh:property [ sh:path :p ; sh:node :S2 ] .
    """
    chain = " ".join(f":n{n} :p :n{n + 1} ." for n in range(20))
    with pytest.warns(ShapeRecursionWarning):
        assert found(shapes, f":n0 a :C . {chain}") == []
