"""Validation by pyshacl over an rdflib memory graph: the authority on every verdict."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from pyparsing import ParseException
from pyshacl.errors import ReportableRuntimeError
from pyshacl.graph_abstraction import DataGraph
from pyshacl.shapes_graph import ShapesGraph
from pyshacl.validator import Validator
from rdflib import RDF, SH, BNode, Graph, URIRef, plugin
from rdflib.plugins.sparql.algebra import translateQuery
from rdflib.plugins.sparql.evaluate import evalQuery
from rdflib.plugins.sparql.parser import parseQuery
from rdflib.plugins.sparql.sparql import Query
from rdflib.query import Processor
from rdflib.term import Node

from kg.errors import Place, ShapesError
from kg.rdf import read_turtle
from kg.validation.report import Finding

_EMPTY: Final = Graph()


@dataclass(frozen=True, slots=True)
class Validation:
    """What the shapes find in a graph: the findings, sorted, and the report that has them."""

    findings: list[Finding]
    report: Graph = field(repr=False)


class Shapes:
    """A shapes graph, harvested once and used for many graphs.

    `prefixes` are those of its files, for the lines of findings; `digest` is the SHA-256 of the
    files' bytes, by which a release says what it was checked with.
    """

    def __init__(self, graph: Graph, digest: str = "") -> None:
        _install_processor()
        self.graph = graph
        self.digest = digest
        self.prefixes: Mapping[str, str] = {p: str(iri) for p, iri in graph.namespaces()}
        try:
            self._harvested = ShapesGraph(graph)
            _ = self._harvested.shapes
        except (ReportableRuntimeError, ValueError) as error:
            raise ShapesError(f"the shapes cannot be used: {_first_line(error)}") from error

    @classmethod
    def read(cls, files: Iterable[Path]) -> Shapes:
        """The shapes in these Turtle files, tried out on an empty graph.

        Raises MalformedFile for a file that is not Turtle, ShapesError with the file for one
        that holds a shape or a query that is none.
        """
        union, digest = Graph(), hashlib.sha256()
        origins: dict[Node, Path] = {}
        for file in files:
            graph = read_turtle(file)
            digest.update(file.read_bytes())
            union += graph
            origins |= dict.fromkeys(graph.subjects(), file)
            for prefix, iri in graph.namespaces():
                union.bind(prefix, iri)
        shapes = cls(union, digest.hexdigest())
        shapes._try_constraints(origins)
        return shapes

    def findings(self, data: Graph, focus: Iterable[str] | None = None) -> list[Finding]:
        """The findings of `validated`; `focus` are IRIs."""
        nodes = None if focus is None else {URIRef(iri) for iri in focus}
        return self.validated(data, nodes).findings

    def validated(self, data: Graph, focus: Set[Node] | None = None) -> Validation:
        """What the shapes find in `data`, an rdflib graph in memory (see decisions).

        With `focus` only of these nodes, each by the shapes that target it. Raises ShapesError
        where a shape turns out to be none while it is used.
        """
        graph = DataGraph.from_rdflib(data)
        executor = self._executor(graph)
        results: list[Any] = []
        try:
            for shape in self._harvested.shapes:
                # Not pyshacl's own option for focus nodes: it passes over the nodes that sh:node
                # leads to, and so accepts what it has not looked at.
                nodes = shape.focus_nodes(graph)
                nodes = nodes if focus is None else focus & set(nodes)
                if nodes:
                    results.extend(shape.validate(executor, graph, focus=list(nodes))[1])
        except (ReportableRuntimeError, re.error) as error:
            raise ShapesError(f"the shapes cannot be used: {_first_line(error)}") from error
        report, _ = Validator.create_validation_report(self._harvested, not results, results)
        return Validation(sorted(_findings(report, self.graph)), report)

    def _try_constraints(self, origins: Mapping[Node, Path]) -> None:
        """Use each shape on a node that is nowhere, so that a broken one is met before any data.

        Constraint components read their parameters, and parse their queries, when first used.
        """
        graph = DataGraph.from_rdflib(Graph())
        executor = self._executor(graph)
        nowhere = [URIRef("urn:nowhere")]
        for shape in sorted(self._harvested.shapes, key=lambda each: str(each.node)):
            try:
                shape.validate(executor, graph, focus=nowhere)
            except (ReportableRuntimeError, ValueError, ParseException, re.error) as error:
                culprit = self._culprit(shape.node, error)
                file = origins.get(culprit)
                raise ShapesError(
                    f"{culprit} cannot be used: {_first_line(error)}",
                    remedy="Mend it, or one of the property shapes that it names.",
                    place=Place(file) if file else None,
                ) from error

    def _culprit(self, shape: Node, error: Exception) -> Node:
        """The constraint whose query it was that could not be parsed; else the shape itself."""
        if isinstance(error, ParseException):
            for constraint in self.graph.objects(shape, SH.sparql):
                if str(self.graph.value(constraint, SH.select)) in error.pstr:
                    return constraint
        return shape

    def _executor(self, data: DataGraph) -> Any:
        return Validator(data, shacl_graph=_EMPTY, options={}).make_executor()


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


# --- reports ------------------------------------------------------------------------------


def _findings(report: Graph, shapes: Graph) -> Iterator[Finding]:
    for result in report.objects(None, SH.result):
        focus = report.value(result, SH.focusNode)
        value = report.value(result, SH.value)
        yield Finding(
            severity=str(report.value(result, SH.resultSeverity)).removeprefix(str(SH)),
            focus_node=_name(focus),
            path=_path(report, report.value(result, SH.resultPath)),
            component=_component(report, result),
            message=_message(report, result),
            value="-" if value == focus else _name(value),
        )


def _component(report: Graph, result: Node) -> str:
    constraint = report.value(result, SH.sourceConstraint)
    if isinstance(constraint, URIRef):
        return constraint.rsplit("/", 1)[-1].rsplit("#", 1)[-1]
    component = str(report.value(result, SH.sourceConstraintComponent))
    return component.removeprefix(str(SH)).removesuffix("ConstraintComponent")


def _message(report: Graph, result: Node) -> str:
    messages = sorted(str(message) for message in report.objects(result, SH.resultMessage))
    return messages[0] if messages else ""


def _name(node: Node | None) -> str:
    """An IRI or a literal's text; a blank node has no name that would mean anything."""
    return "-" if node is None else "_" if isinstance(node, BNode) else str(node)


def _path(report: Graph, path: Node | None) -> str:
    """A property path in the notation of SPARQL, as far as SHACL has paths (SHACL 1.0, 2.3.1)."""
    if not isinstance(path, BNode):
        return _name(path)
    if (path, RDF.first, None) in report:
        return _joined(report, path, "/")
    alternatives = report.value(path, SH.alternativePath)
    if alternatives is not None:
        return f"({_joined(report, alternatives, '|')})"
    for predicate, form in _PATHS.items():
        inner = report.value(path, predicate)
        if inner is not None:
            return form.format(_path(report, inner))
    return "_"


def _joined(report: Graph, members: Node, operator: str) -> str:
    return operator.join(_path(report, each) for each in report.items(members))


_PATHS: Final = {
    SH.inversePath: "^{}",
    SH.zeroOrMorePath: "{}*",
    SH.oneOrMorePath: "{}+",
    SH.zeroOrOnePath: "{}?",
}


# --- prepared queries ---------------------------------------------------------------------


def _install_processor() -> None:
    """Let every query on an rdflib graph be parsed once; pyshacl gives no other way in."""
    plugin.register("sparql", Processor, __name__, "PreparingProcessor")


class PreparingProcessor(Processor):
    """An rdflib query processor that keeps what it has parsed.

    pyshacl asks the same query anew for each focus node, and parsing is most of what it does.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def query(  # type: ignore[override]
        self,
        strOrQuery: str | Query,
        initBindings: Mapping[str, Any] | None = None,
        initNs: Mapping[str, Any] | None = None,
        base: str | None = None,
        DEBUG: bool = False,
    ) -> Mapping[str, Any]:
        """As rdflib.query.Processor.query."""
        if isinstance(strOrQuery, str):
            namespaces = tuple((initNs or {}).items())
            strOrQuery = _prepared(strOrQuery, namespaces, base)
        return evalQuery(self.graph, strOrQuery, initBindings or {}, base)


@lru_cache(maxsize=1024)
def _prepared(text: str, namespaces: tuple[tuple[str, Any], ...], base: str | None) -> Query:
    return translateQuery(parseQuery(text), base, dict(namespaces))
