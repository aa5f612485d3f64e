"""Graphs that are written from outside: which may be, what is derived, and what the gate finds."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from rdflib import Graph
from rdflib.exceptions import ParserError

from kg.errors import BadArgument, ForeignGraph, Rejected
from kg.namespaces import GRAPH
from kg.publishing.derivation import Reached, derived
from kg.publishing.gate import validated
from kg.publishing.preparation import Checks
from kg.publishing.staging import Unit, reached, subjects
from kg.store.base import NamedGraph, Owner

_SOURCES: Final = {
    "ontology": "ontology/*.ttl",
    "codes": "ontology/concepts/*.ttl",
    "entities": "data/reference/*.ttl or the article's article.yaml",
    "alignments/": "data/reference/alignments/",
    "claims/": "data/articles/*/article.yaml",
    "provenance/": "data/articles/*/article.yaml",
    "anchors/": "data/articles/*/article.yaml",
    "works/": "what was given to kg publish",
    "sensitive/": "data/articles/*/article.yaml",
    "derived/": "ontology/rules/*.rq, or the graph that it is derived from",
    "findings/": "ontology/audit/*.rq, or the graphs that are audited",
}
"""What the graphs of a project are made from, by their names, or the start of those.

No client writes one, there or not: it would keep the article that comes to have the name from
being built; and whether a restricted graph is there must not be told.
"""
_DERIVED: Final = ("derived/", "findings/")
_OURS: Final = "urn:x-kg:"
_WRITTEN: Final = "api-"
_DOTS: Final = re.compile(r"[^?#]*/\.{1,2}(?:[/?#]|$)")


def check_free(graph: str, owner: Owner | None) -> None:
    """Raise ForeignGraph where a graph, of this owner if it is there, is no client's to write.

    BadArgument where others may take its IRI for that of another graph (RFC 3986, 6.2.2.3).
    """
    name = graph.removeprefix(GRAPH)
    source = _source(name) if name != graph else ""
    if source or graph.startswith(_OURS):
        owner = Owner.DERIVED if name.startswith(_DERIVED) else Owner.DATA
    if owner not in (None, Owner.API):
        raise ForeignGraph(graph, owner.value, Owner.API.value, source)
    check_segments(graph)


def check_segments(graph: str) -> None:
    """Raise BadArgument where others may take the IRI for that of another graph."""
    if _DOTS.match(graph):
        raise BadArgument(
            f"<{graph}> has a segment of dots, which many programs resolve",
            remedy="Name the graph without one.",
        )


def _source(name: str) -> str:
    folder = name.partition("/")[0] + "/"
    return _SOURCES.get(name, "") or (_SOURCES.get(folder, "") if "/" in name else "")


def derived_graph(graph: str) -> str:
    """The graph that what is derived from a written one goes into."""
    return f"{GRAPH}derived/{_key(graph)}"


def is_derived_of_written(graph: str) -> bool:
    """Whether a graph is one that `derived_graph` gives, by its name alone."""
    return graph.startswith(f"{GRAPH}derived/{_WRITTEN}")


def _key(graph: str) -> str:
    """No article has such a key: theirs are digits and letters only."""
    return f"{_WRITTEN}{hashlib.sha256(graph.encode()).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True)
class Statement:
    """A line of N-Triples, with the public graph that holds it and its owner."""

    line: bytes
    graph: str
    owner: Owner


Elsewhere = Callable[[str], Iterable[Statement]]
"""What other public graphs say of an IRI."""


class Said:
    """What public graphs say of each subject."""

    def __init__(self, graphs: Iterable[NamedGraph]) -> None:
        self._statements: dict[bytes, list[Statement]] = {}
        for graph in graphs:
            if not graph.restricted:
                self.add(graph)

    def add(self, graph: NamedGraph) -> None:
        """Add what a graph says."""
        for line in graph.triples.splitlines(keepends=True):
            subject = line.split(b" ", 1)[0]
            statement = Statement(line, graph.iri, graph.owner)
            self._statements.setdefault(subject, []).append(statement)

    def elsewhere(self, graph: str, subject: str) -> list[Statement]:
        """What other graphs say of an IRI."""
        statements = self._statements.get(f"<{subject}>".encode(), ())
        return [each for each in statements if each.graph != graph]


@dataclass(frozen=True, slots=True)
class Checked:
    """One written graph with what is derived from it, and what the gate found in both."""

    graphs: tuple[NamedGraph, ...]
    violations: list[str]
    report: Graph = field(repr=False)


def checked(
    graph: str, triples: bytes, checks: Checks, reached_from: Reached, elsewhere: Elsewhere
) -> Checked:
    """The graph derived and checked, together with the reference data that it leads to.

    What is built from files is described there alone, and what other written graphs say of the
    same things, and of what that leads to, is seen as well: graphs that the shapes let pass one by
    one might break them together. Raises RuleError and ShapesError where the checks cannot be used.
    """
    others = [each for subject in sorted(subjects([triples])) for each in elsewhere(subject)]
    foreign = {each.line.split(b" ", 1)[0]: each for each in others if each.owner != Owner.API}
    if foreign:
        return Checked((), [_foreign(graph, each) for each in foreign.values()], Graph())
    beside = b"".join(each.line for each in others)
    beside += reached([beside], partial(_written, elsewhere=elsewhere))

    def reached_from_all(documents: Iterable[bytes]) -> bytes:
        return beside + reached_from([*documents, beside])

    unit = _unit(graph, triples, reached_from_all)
    unit = derived(unit, checks.rules, checks.prefixes, reached_from_all)
    try:
        found = validated([each.triples for each in unit.graphs], [unit.reference], checks.shapes)
    except ParserError:
        problem = "it holds a triple term or a base direction, which the shapes cannot check"
        return Checked((), [f"<{graph}>: Violation: {problem}"], Graph())
    violations = [
        f"<{graph}>: {finding.text(checks.prefixes)}"
        for finding in found.findings
        if finding.violates
    ]
    return Checked(unit.graphs, violations, found.report if violations else Graph())


def _written(name: bytes, *, elsewhere: Elsewhere) -> list[bytes]:
    """The lines that other written graphs have of a name, as N-Triples writes it."""
    if not name.startswith(b"<") or name.startswith(b"<<"):
        return []
    said = elsewhere(name[1:-1].decode())
    return [each.line.rstrip(b"\n") for each in said if each.owner is Owner.API]


def _foreign(graph: str, statement: Statement) -> str:
    subject = statement.line.split(b" ", 1)[0].decode()
    return (
        f"<{graph}>: Violation: {subject} is described in <{statement.graph}>, which belongs to"
        f" {statement.owner.value}; say what you have to say of an IRI of your own"
    )


def _unit(graph: str, triples: bytes, reached_from: Reached) -> Unit:
    into = derived_graph(graph)
    return Unit(
        key=_key(graph),
        graphs=(NamedGraph(graph, triples, Owner.API),),
        reference=reached_from([triples]),
        targets={"claims": into, "derived": into},
        places={},
    )


def check_conforms(results: Iterable[Checked], *, remedy: str) -> None:
    """Raise Rejected with all violations, and all reports as one Turtle document."""
    violations, report = list[str](), Graph()
    for result in results:
        violations += result.violations
        report += result.report
    if violations:
        turtle = report.serialize(format="turtle", encoding="utf-8") if report else b""
        raise Rejected(violations, turtle, remedy=remedy)
