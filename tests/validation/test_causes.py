"""The causes of a finding: which branch failed, and why; messages with their variables filled."""

from __future__ import annotations

import pytest
from rdflib import SDO, Graph, Literal, URIRef

from case_world import EX, changed, concerned, shapes, world
from kg.validation.conformance import Shapes
from kg.validation.report import Finding

SHAPES = """
@prefix ex: <http://ex/> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
ex:Shape sh:targetNode ex:node .
"""
DATA = "@prefix ex: <http://ex/> .\nex:node a ex:Thing ; ex:p 1 , 2 ; ex:q ex:other .\n"


def _found(constraint: str, more: str = "", data: str = DATA) -> Finding:
    text = f"{SHAPES}ex:Shape {constraint} .\n{more}"
    graph = Graph().parse(data=data, format="turtle")
    (finding,) = Shapes(Graph().parse(data=text, format="turtle")).findings(graph)
    return finding


def _causes(finding: Finding) -> list[tuple[str, str, str]]:
    return [(cause.branch, cause.component, cause.path) for cause in finding.causes]


def test_of_sh_or_each_branch_says_why_it_fails() -> None:
    finding = _found("sh:or ( [ sh:class ex:A ] [ sh:property [ sh:path ex:r ; sh:minCount 1 ] ] )")
    assert _causes(finding) == [
        ("1 of 2: sh:class ex:A", "Class", "-"),
        ("2 of 2: sh:property ex:r", "MinCount", "http://ex/r"),
    ]


def test_of_sh_and_only_what_fails_is_told() -> None:
    finding = _found("sh:and ( [ sh:class ex:Thing ] [ sh:nodeKind sh:Literal ] )")
    assert _causes(finding) == [("2 of 2: sh:nodeKind sh:Literal", "NodeKind", "-")]


def test_of_sh_xone_the_branches_that_both_conform_are_told() -> None:
    finding = _found("sh:xone ( [ sh:class ex:Thing ] [ sh:nodeKind sh:IRI ] )")
    assert [cause.message for cause in finding.causes] == [
        "It conforms to 1 of 2: sh:class ex:Thing, which it must not.",
        "It conforms to 2 of 2: sh:nodeKind sh:IRI, which it must not.",
    ]


def test_of_sh_xone_without_any_branch_each_says_why() -> None:
    finding = _found("sh:xone ( [ sh:class ex:A ] [ sh:class ex:B ] )")
    assert [branch for branch, _, _ in _causes(finding)] == [
        "1 of 2: sh:class ex:A",
        "2 of 2: sh:class ex:B",
    ]


def test_of_sh_not_the_shape_is_named_that_it_conforms_to() -> None:
    finding = _found("sh:not [ sh:class ex:Thing ]")
    assert _causes(finding) == [("sh:class ex:Thing", "Not", "-")]


def test_of_sh_node_the_shape_says_why_at_any_depth() -> None:
    more = """
    ex:Inner a sh:NodeShape ; sh:property [ sh:path ex:r ; sh:node ex:Last ; sh:minCount 1 ] .
    ex:Last a sh:NodeShape ; sh:or ( [ sh:class ex:A ] [ sh:class ex:B ] ) .
    """
    data = DATA + "ex:other ex:r ex:last ."
    finding = _found("sh:property [ sh:path ex:q ; sh:node ex:Inner ]", more, data)
    (inner,) = finding.causes
    (last,) = inner.causes
    assert (inner.focus_node, inner.path) == ("http://ex/other", "http://ex/r")
    assert (last.focus_node, last.component) == ("http://ex/last", "Or")
    assert [cause.branch for cause in last.causes] == [
        "1 of 2: sh:class ex:A",
        "2 of 2: sh:class ex:B",
    ]


def test_of_a_qualified_shape_each_value_says_why_it_does_not_count() -> None:
    finding = _found(
        "sh:property [ sh:path ex:p ; sh:qualifiedMinCount 1 ;"
        " sh:qualifiedValueShape [ sh:datatype xsd:string ] ]"
    )
    told = [(cause.focus_node, cause.component) for cause in finding.causes]
    assert told == [("1", "Datatype"), ("2", "Datatype")]


def test_of_too_many_qualified_values_those_that_count_are_told() -> None:
    finding = _found(
        "sh:property [ sh:path ex:p ; sh:qualifiedMaxCount 1 ;"
        " sh:qualifiedValueShape [ sh:datatype xsd:integer ] ]"
    )
    assert [cause.focus_node for cause in finding.causes] == ["1", "2"]


def test_shapes_that_lead_to_one_another_end() -> None:
    more = "ex:A a sh:NodeShape ; sh:or ( ex:B ex:B ) .\nex:B a sh:NodeShape ; sh:or ( ex:A ex:A )"
    finding = _found("sh:or ( [ sh:class ex:A ] [ sh:class ex:B ] )", more + " .")
    assert len(finding.causes) == 2


def test_our_own_sh_or_says_what_a_date_may_be() -> None:
    article, published = URIRef(EX + "article"), SDO.datePublished
    before = list(world().triples((article, published, None)))
    with changed(before, [(article, published, Literal("last spring"))]) as graph:
        found = shapes().findings(graph, concerned(graph, [article]))
    (finding,) = [each for each in found if each.component == "Or"]
    assert [(cause.branch, cause.component) for cause in finding.causes] == [
        ("1 of 2: sh:datatype xsd:date", "Datatype"),
        ("2 of 2: sh:datatype xsd:gYearMonth", "Datatype"),
    ]


# --- messages -----------------------------------------------------------------------------


@pytest.mark.parametrize("variable", ["$this", "?this"])
def test_a_message_names_the_node(variable: str) -> None:
    finding = _found(f'sh:class ex:A ; sh:message "{{{variable}}} is none"')
    assert finding.message == "http://ex/node is none"


def test_a_message_names_value_path_and_parameter() -> None:
    finding = _found(
        "sh:property [ sh:path ex:q ; sh:class ex:A ;"
        ' sh:message "{?value} of {$PATH} is no {$class}, {$unknown}" ]'
    )
    assert finding.message == "http://ex/other of http://ex/q is no http://ex/A, {$unknown}"


@pytest.mark.parametrize("value", ["C:\\\\dir", "\\\\1", "\\\\g<0>", "{$this}"])
def test_a_value_is_no_pattern_whatever_it_holds(value: str) -> None:
    """pyshacl would take a backslash in a value for an escape of a regular expression."""
    more = (
        'ex:Query sh:targetNode ex:node ; sh:sparql [ sh:message "bad {?value} of {$this}" ;'
        ' sh:select "SELECT $this ?value { $this <http://ex/s> ?value }" ] .'
    )
    finding = _found("sh:nodeKind sh:IRI", more, f'{DATA}ex:node ex:s "{value}" .')
    plain = value.replace("\\\\", "\\")
    assert (finding.message, finding.value) == (f"bad {plain} of http://ex/node", plain)


def test_a_value_keeps_its_type_and_its_control_characters() -> None:
    data = DATA + 'ex:node ex:t "a\\u001bb"@en .'
    finding = _found("sh:property [ sh:path ex:t ; sh:nodeKind sh:IRI ]", "", data)
    assert (finding.value, finding.value_term) == ("a\x1bb", '"a\\u001Bb"@en')
