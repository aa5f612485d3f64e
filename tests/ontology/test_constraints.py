"""Every constraint of the shapes has a failing case: written by hand, or made from the world.

A property shape's constraints are broken one by one: the values that it asks for are replaced
in a node that conforms. Constraints that are queries have case files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import pytest
from rdflib import RDF, RDFS, SH, SKOS, BNode, Graph, Literal, URIRef
from rdflib.term import Node

from case_world import CASES, EX, PROJECT, changed, shapes, world
from kg.rdf import read_turtle
from kg.validation.report import Finding

NOTHING = URIRef(EX + "nothing")
MEMBER = BNode()


@dataclass(frozen=True, slots=True)
class Constraint:
    """One parameter of one shape; `helper` is the shape that sh:node leads to, if any."""

    shape: Node
    parameter: Node
    value: Node
    helper: Node | None = None

    @property
    def component(self) -> str:
        """As in a finding: that of sh:node, wherever the helper finds something."""
        parameter = SH.node if self.helper else self.parameter
        name = str(parameter).removeprefix(str(SH))
        return name[0].upper() + name[1:]

    @property
    def name(self) -> str:
        shape = str(self.shape).rsplit("/", 1)[-1]
        helper = f" {str(self.helper).rsplit('/', 1)[-1]}" if self.helper else ""
        return f"{shape}{helper} {str(self.parameter).removeprefix(str(SH))}"


# --- what replaces the values of a property -----------------------------------------------

Values = Sequence[Node]
Breaking = Callable[[Constraint, Node, Values], Values]


def _words(length: int, like: Values) -> Literal:
    first = like[0] if like else None
    language = first.language if isinstance(first, Literal) else None
    return Literal("x" * length, lang=language)


def _one_below(limit: Node) -> Literal:
    assert isinstance(limit, Literal)
    return Literal(limit.toPython() - 1, datatype=limit.datatype)


def _other(focus: Node, path: Node, beyond: int) -> Values:
    """The other property's value and `beyond`: too much for one that is to be below it."""
    value = world().value(focus, path)
    assert isinstance(value, Literal)
    if beyond:
        return [Literal(Decimal(value.toPython()) + beyond, datatype=value.datatype)]
    return [value]


def _foreign(constraint: Constraint, *_: object) -> Values:
    """A concept of no scheme, or a node that is in the scheme and has no IRI."""
    return [MEMBER] if constraint.parameter == SH.nodeKind else [NOTHING]


BREAKING: dict[Node, Breaking] = {
    SH.minCount: lambda constraint, focus, values: [],
    SH.maxCount: lambda constraint, focus, values: [
        *values,
        *(Literal(f"more {n}") for n in range(int(str(constraint.value)) + 1)),
    ],
    SH.datatype: lambda constraint, focus, values: [Literal("x", datatype=NOTHING)],
    SH["class"]: lambda constraint, focus, values: [NOTHING],
    SH.nodeKind: lambda constraint, focus, values: [Literal("x")],
    SH.pattern: lambda constraint, focus, values: [Literal("")],
    SH.maxLength: lambda constraint, focus, values: [
        _words(int(str(constraint.value)) + 1, values)
    ],
    SH.minInclusive: lambda constraint, focus, values: [_one_below(constraint.value)],
    SH.lessThan: lambda constraint, focus, values: _other(focus, constraint.value, 0),
    SH.lessThanOrEquals: lambda constraint, focus, values: _other(focus, constraint.value, 1),
    SH["in"]: lambda constraint, focus, values: [NOTHING],
    SH.hasValue: lambda constraint, focus, values: [
        value for value in values if value != constraint.value
    ],
    SH.uniqueLang: lambda constraint, focus, values: [
        Literal(word, lang="en") for word in ("one", "two")
    ],
    SH["or"]: lambda constraint, focus, values: [Literal("x")],
}
PARAMETERS = {*BREAKING, SH.node, SH.closed, SH.sparql}
"""What can be found wrong; the shapes use no other parameter, and a test holds that."""
SILENT = {
    RDF.type, SH.path, SH.property, SH.message, SH.targetClass, SH.targetObjectsOf,
    SH.ignoredProperties,
    SH.prefixes, SH.select, SH.declare, SH.prefix, SH.namespace, RDF.first, RDF.rest,
    RDFS.subClassOf, URIRef("https://w3id.org/reported-figures/shapes/reach"),
}  # fmt: skip
"""What says nothing about data; the processor adds the classes of the shapes' own vocabulary."""


# --- the constraints of the shapes --------------------------------------------------------


@lru_cache(maxsize=1)
def constraints() -> tuple[Constraint, ...]:
    """Those of node shapes with a target and of their property shapes; sh:node opened."""
    return tuple(sorted(_constraints(shapes().graph), key=lambda constraint: constraint.name))


def _constraints(graph: Graph) -> Iterator[Constraint]:
    for target in set(graph.subjects(SH.targetClass)):
        for shape in (target, *graph.objects(target, SH.property)):
            for parameter, value in graph.predicate_objects(shape):
                if parameter == SH.node:
                    yield from _opened(graph, shape, value)
                elif parameter in PARAMETERS:
                    yield Constraint(shape, parameter, value)


def _opened(graph: Graph, shape: Node, helper: Node) -> Iterator[Constraint]:
    for inner in (helper, *graph.objects(helper, SH.property)):
        for parameter, value in graph.predicate_objects(inner):
            if parameter in PARAMETERS:
                yield Constraint(shape, parameter, value, helper)


def is_generated(constraint: Constraint) -> bool:
    """Whether data that breaks it can be made: it has a path, or closes its shape."""
    path = shapes().graph.value(constraint.shape, SH.path)
    return constraint.parameter == SH.closed or path is not None


GENERATED = [constraint for constraint in constraints() if is_generated(constraint)]


# --- breaking one -------------------------------------------------------------------------


def focus_of(constraint: Constraint, path: Node | None) -> Node:
    """A node that the shape targets, and has a value to be replaced if any node has."""
    graph = shapes().graph
    owner = graph.value(None, SH.property, constraint.shape) or constraint.shape
    nodes = {
        node
        for target in graph.objects(owner, SH.targetClass)
        for node in world().subjects(RDF.type, target)
    }
    other = constraint.value if constraint.component.startswith("LessThan") else path
    wanted = [each for each in (path, other) if each is not None]
    return min(nodes, key=lambda node: (-sum((node, p, None) in world() for p in wanted), node))


def broken(constraint: Constraint, focus: Node, path: Node) -> AbstractContextManager[Graph]:
    """The world with other values at the path."""
    before = list(world().objects(focus, path))
    breaking = _foreign if constraint.helper else BREAKING.get(constraint.parameter, _unheard)
    values = breaking(constraint, focus, before)
    member = (MEMBER, SKOS.inScheme, _scheme(constraint.helper))
    without = [(focus, path, value) for value in before]
    return changed(without, plus=[member, *((focus, path, value) for value in values)])


def _unheard(*_: object) -> Values:
    return [Literal("x")]


def _scheme(helper: Node | None) -> Node:
    """The scheme that a helper asks for."""
    inner = shapes().graph.value(helper, SH.property) if helper else None
    scheme = shapes().graph.value(inner, SH.hasValue) if inner else None
    return scheme or NOTHING


def tells_of(constraint: Constraint, finding: Finding, path: Node) -> bool:
    """Messages tell two shapes of one path apart; of a closed shape it is the processor's own."""
    message = str(shapes().graph.value(constraint.shape, SH.message))
    same = finding.path == str(path) and finding.component == constraint.component
    return same and (constraint.parameter == SH.closed or finding.message == message)


def compared_with(path: Node) -> set[str]:
    """The path, and those whose values are to be below its values."""
    graph = shapes().graph
    below = {s for p in (SH.lessThan, SH.lessThanOrEquals) for s in graph.subjects(p, path)}
    return {str(path), *(str(graph.value(shape, SH.path)) for shape in below)}


@pytest.mark.parametrize("constraint", GENERATED, ids=lambda constraint: constraint.name)
def test_data_that_breaks_a_constraint_is_found_by_it(constraint: Constraint) -> None:
    """By it and, queries apart, by nothing else. The world conforms: nothing was found before."""
    path = shapes().graph.value(constraint.shape, SH.path)
    focus = focus_of(constraint, path)
    broken_path = path or URIRef(EX + "unheard-of")
    with broken(constraint, focus, broken_path) as graph:
        found = shapes().findings(graph, {str(focus)})
    assert any(tells_of(constraint, finding, broken_path) for finding in found), found
    assert {finding.path for finding in found} <= {"-", *compared_with(broken_path)}


def test_breaking_leaves_the_world_as_it_was() -> None:
    assert shapes().findings(world()) == []


# --- none is without ----------------------------------------------------------------------


def written(constraint: Constraint) -> bool:
    """Whether a case file of the shape's own folder expects a finding of it."""
    query = constraint.parameter == SH.sparql
    component = str(constraint.value).rsplit("/", 1)[-1] if query else constraint.component
    return ("-", component) in expected()[_file_of(constraint.shape)]


@lru_cache(maxsize=1)
def expected() -> dict[str, set[tuple[str, str]]]:
    """Path and component of what the case files expect, by folder."""
    found: dict[str, set[tuple[str, str]]] = {file.stem: set() for file in PROJECT.shapes()}
    for case in CASES:
        lines = case.with_suffix(".expected")
        for line in lines.read_text().splitlines() if lines.exists() else ():
            _, _, path, component = line.split(" ")
            found[case.parent.name].add((path, component))
    return found


@lru_cache(maxsize=1)
def _files() -> dict[Node, str]:
    return {shape: file.stem for file in PROJECT.shapes() for shape in read_turtle(file).subjects()}


def _file_of(shape: Node) -> str:
    return _files()[shape]


def test_no_constraint_is_without_a_failing_case(capsys: pytest.CaptureFixture[str]) -> None:
    every = constraints()
    without = [each.name for each in every if not (is_generated(each) or written(each))]
    with capsys.disabled():
        print(f"{len(every)} constraints, {len(every) - len(without)} with a failing case")  # noqa: T201 - the count is asked for
    assert without == []


def test_every_query_has_a_failing_case_written_by_hand() -> None:
    queries = [each for each in constraints() if each.parameter == SH.sparql]
    without = [(each.name, str(each.value)) for each in queries if not written(each)]
    assert without == []


def test_the_shapes_use_no_parameter_that_is_not_looked_at() -> None:
    used = set(shapes().graph.predicates())
    assert used - PARAMETERS - SILENT == set()


def test_every_shape_is_used() -> None:
    """Each property shape and query belongs to a node shape, each helper to a property shape."""
    graph = shapes().graph
    used = {o for p in (SH.property, SH.sparql, SH.node) for o in graph.objects(None, p)}
    declared = {s for s in graph.subjects(RDF.type) if (s, SH.targetClass, None) not in graph}
    assert declared - used == set()
