"""Validation by pyshacl over an rdflib memory graph: the authority on every verdict."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pyparsing import ParseException
from pyshacl.errors import ReportableRuntimeError
from pyshacl.graph_abstraction import DataGraph
from pyshacl.validator import Validator
from rdflib import SH, Graph, URIRef
from rdflib.term import Node

from kg.errors import Place, ShapesError
from kg.rdf import read_turtle
from kg.validation.accelerated import Accelerated
from kg.validation.harvested import HarvestedShapes, Run
from kg.validation.prepared import install
from kg.validation.reach import reach
from kg.validation.report import Finding
from kg.validation.results import Explainer


@dataclass(frozen=True, slots=True)
class Validation:
    """What the shapes find in a graph: the findings, sorted, and the report that has them."""

    findings: list[Finding]
    report: Graph = field(repr=False)

    @classmethod
    def of_nothing(cls) -> Validation:
        """What a faster engine found conforming has: no finding and no report."""
        return cls([], Graph())


@dataclass(frozen=True, slots=True)
class ShapesSource:
    """All that shapes are made from, for another process to make the same."""

    triples: bytes
    digest: str
    prefixes: Mapping[str, str]
    sample: float | None
    """The part of what the fast engine accepts that pyshacl checks as well; None without it."""


class Shapes:
    """A shapes graph, harvested once and used for many graphs.

    `prefixes` are those of its files, for the lines of findings; `digest` is the SHA-256 of the
    files' bytes, by which a release says what it was checked with.
    """

    def __init__(self, graph: Graph, digest: str = "") -> None:
        install()
        self.graph = graph
        self.digest = digest
        self.accelerated: Accelerated | None = None
        self._sample: float | None = None
        self.prefixes: Mapping[str, str] = {p: str(iri) for p, iri in graph.namespaces()}
        try:
            self._harvested = HarvestedShapes(graph)
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

    @classmethod
    def of(cls, source: ShapesSource) -> Shapes:
        """The shapes that another process described as `source`."""
        shapes = cls(Graph().parse(data=source.triples, format="nt"), source.digest)
        shapes.prefixes = source.prefixes
        if source.sample is not None:
            shapes.accelerate(source.sample)
        return shapes

    @property
    def source(self) -> ShapesSource:
        """What another process makes the same shapes from."""
        triples = self.graph.serialize(format="nt", encoding="utf-8")
        return ShapesSource(triples, self.digest, self.prefixes, self._sample)

    @cached_property
    def reach(self) -> int:
        """The steps from a focus node that a verdict on it may rest on: `kg.validation.reach`."""
        return reach(self.graph)

    def accelerate(self, sample: float) -> None:
        """Let a fast engine accept on behalf of these shapes, but for a sample of what it accepts.

        Raises EngineRefused.
        """
        self.accelerated = Accelerated(self.graph, sample=sample)
        self._sample = sample

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
        run = Run()
        results: list[Any] = []
        try:
            # Not by pyshacl's own option for focus nodes: it passes over the nodes that sh:node
            # leads to, and so accepts what it has not looked at.
            for shape, nodes in self._harvested.targeting(graph, focus):
                results.extend(shape.validate(run, graph, nodes)[1])
        except (ReportableRuntimeError, re.error) as error:
            raise ShapesError(f"the shapes cannot be used: {_first_line(error)}") from error
        report, _ = Validator.create_validation_report(self._harvested, not results, results)
        return Validation(self._explainer(graph, run).findings(results), report)

    def _explainer(self, data: DataGraph, run: Run) -> Explainer:
        def validate(shape: Node, node: Node) -> tuple[bool, list[Any]]:
            return self._harvested.lookup_shape_from_node(shape).validate(run, data, node)

        def values(shape: Node, focus: Node) -> Iterable[Node]:
            found = self._harvested.lookup_shape_from_node(shape).value_nodes(data, [focus])
            return [node for nodes in found.values() for node in nodes]

        return Explainer(self.graph, validate, values)

    def _try_constraints(self, origins: Mapping[Node, Path]) -> None:
        """Use each shape on a node that is nowhere, so that a broken one is met before any data.

        Constraint components read their parameters, and parse their queries, when first used.
        """
        graph = DataGraph.from_rdflib(Graph())
        nowhere = [URIRef("urn:nowhere")]
        for shape in sorted(self._harvested.shapes, key=lambda each: str(each.node)):
            try:
                shape.validate(Run(), graph, nowhere)
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


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
