"""Validation by pyshacl as it comes, with rdflib's own evaluation of queries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pyshacl
from rdflib import RDF, SH, BNode, Graph, plugin
from rdflib.query import Processor
from rdflib.term import Node

from kg.validation import prepared

Results = frozenset[tuple[Node | None, ...]]

_TELLS: Final = (
    SH.focusNode,
    SH.resultSeverity,
    SH.sourceConstraint,
    SH.sourceConstraintComponent,
    SH.sourceShape,
    SH.value,
)


def plain_results(data: Graph, shapes: Graph) -> Results:
    """What `pyshacl.validate` finds."""
    with _rdflib_evaluates():
        _, report, _ = pyshacl.validate(data, shacl_graph=shapes)
    assert isinstance(report, Graph)
    return results(report)


def results(report: Graph) -> Results:
    """The results of a report, without wording and details; blank nodes have no names."""
    roots = report.subjects(RDF.type, SH.ValidationReport)
    return frozenset(
        tuple(_named(report.value(each, predicate)) for predicate in _TELLS)
        for root in roots
        for each in report.objects(root, SH.result)
    )


def _named(node: Node | None) -> Node | None:
    return None if isinstance(node, BNode) else node


@contextmanager
def _rdflib_evaluates() -> Iterator[None]:
    """For as long as the context lasts, rdflib's own processor is the one plugged in."""
    plugin.register("sparql", Processor, "rdflib.plugins.sparql.processor", "SPARQLProcessor")
    try:
        yield
    finally:
        prepared.install()
