"""How far from a node the shapes look: the hops of description that a verdict on it may rest on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from rdflib import RDF, SH, BNode, Graph
from rdflib.paths import Path
from rdflib.plugins.sparql.algebra import translateQuery
from rdflib.plugins.sparql.parser import parseQuery
from rdflib.plugins.sparql.parserutils import CompValue
from rdflib.term import Literal, Node, URIRef, Variable

from kg.namespaces import SHAPES, USUAL_PREFIXES

UNLIMITED: Final = 1_000_000
"""The reach of what follows a chain of any length, or cannot be told."""
_ANNOTATION: Final = URIRef(SHAPES + "reach")


def reach(shapes: Graph) -> int:
    """The greatest number of steps from a focus node to a node whose statements are looked at.

    0 where only those of the focus node itself are; UNLIMITED where no number can be told. What a
    query reaches is read from its patterns, or from the property `rfsh:reach` of its constraint,
    which is the author's word. Classes count for nothing: theirs are at hand at any depth.
    """
    if (None, SH.validator, None) in shapes or (None, SH.parameter, None) in shapes:
        return UNLIMITED  # a component of someone's own
    targets = {
        each
        for predicate in (SH.targetClass, SH.targetNode, SH.targetObjectsOf, SH.targetSubjectsOf)
        for each in shapes.subjects(predicate)
    }
    targets |= set(shapes.subjects(RDF.type, SH.NodeShape))
    return min(UNLIMITED, max((_of_shape(shapes, each, ()) for each in targets), default=0))


def _of_shape(shapes: Graph, shape: Node, above: tuple[Node, ...]) -> int:
    """From a node that the shape is applied to."""
    if shape in above:
        return UNLIMITED  # it leads back to itself
    inner = (*above, shape)
    steps = _of_path(shapes, shapes.value(shape, SH.path))
    values = [steps + _of_shape(shapes, each, inner) for each in _parts(shapes, shape)]
    if (shape, SH["class"], None) in shapes:
        values.append(steps)  # the types of a value are its own statements
    queries = [_of_query(shapes, each) for each in shapes.objects(shape, SH.sparql)]
    # The last step of a path needs the statements of the node before it only.
    own = steps if steps >= UNLIMITED else max(steps - 1, 0)
    return max([own, *values, *queries])


def _parts(shapes: Graph, shape: Node) -> Iterator[Node]:
    """The shapes that a shape applies to the values of its path."""
    for predicate in (SH.node, SH.property, SH["not"], SH.qualifiedValueShape):
        yield from shapes.objects(shape, predicate)
    for predicate in (SH["and"], SH["or"], SH.xone):
        for members in shapes.objects(shape, predicate):
            yield from shapes.items(members)


def _of_path(shapes: Graph, path: Node | None) -> int:
    """The steps of a path; UNLIMITED for one that repeats, or goes against the arrows."""
    if path is None:
        return 0
    if not isinstance(path, BNode):
        return 1
    if (path, RDF.first, None) in shapes:
        return min(UNLIMITED, sum(_of_path(shapes, each) for each in shapes.items(path)))
    alternatives = shapes.value(path, SH.alternativePath)
    if alternatives is not None:
        return max(_of_path(shapes, each) for each in shapes.items(alternatives))
    optional = shapes.value(path, SH.zeroOrOnePath)
    return UNLIMITED if optional is None else _of_path(shapes, optional)


# --- queries ------------------------------------------------------------------------------


def _of_query(shapes: Graph, constraint: Node) -> int:
    annotated = shapes.value(constraint, _ANNOTATION)
    if isinstance(annotated, Literal):
        return int(annotated.toPython())
    prefixes = USUAL_PREFIXES | {
        str(shapes.value(each, SH.prefix)): str(shapes.value(each, SH.namespace))
        for where in shapes.objects(constraint, SH.prefixes)
        for each in shapes.objects(where, SH.declare)
    }
    query = translateQuery(parseQuery(str(shapes.value(constraint, SH.select))), None, prefixes)
    return _of_patterns(list(_triples(query.algebra)))


def _of_patterns(patterns: Iterable[tuple[Any, Any, Any]]) -> int:
    """Steps from $this along the patterns; UNLIMITED where one starts elsewhere, or is a path."""
    this = Variable("this")
    distance: dict[Any, int] = {this: 0}
    patterns = list(patterns)
    if any(isinstance(predicate, Path) for _, predicate, _ in patterns):
        return UNLIMITED
    # The longest way counts, since another may be an alternative to it (UNION, OPTIONAL); none
    # has more steps than there are patterns.
    for _ in patterns:
        for subject, _, obj in patterns:
            if subject in distance and isinstance(obj, Variable | BNode) and obj != this:
                steps = min(distance[subject] + 1, len(patterns))
                distance[obj] = max(distance.get(obj, 0), steps)
    return max((distance.get(subject, UNLIMITED) for subject, _, _ in patterns), default=0)


def _triples(part: Any) -> Iterator[tuple[Any, Any, Any]]:
    """The triple patterns of a piece of algebra, EXISTS and sub-selects with them."""
    if isinstance(part, CompValue):
        if part.name == "BGP":
            yield from part.triples
        elif part.name in ("Builtin_EXISTS", "Builtin_NOTEXISTS"):
            yield from _triples(part.graph)  # an attribute; the item of the name is unread
        else:
            for each in part.values():
                yield from _triples(each)
    elif isinstance(part, list):
        for each in part:
            yield from _triples(each)
