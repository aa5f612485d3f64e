"""The audit: consistency rules run over all public graphs, and the findings that they make."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rdflib import RDF, URIRef

from kg.errors import Place, RuleError
from kg.files import read_text
from kg.namespaces import FINDINGS, RF
from kg.project import Project
from kg.publishing.derivation import Rule, check_calls, constructed
from kg.store.base import NamedGraph, Owner
from kg.store.memory import MemoryDataset
from kg.validation.conformance import Shapes
from kg.validation.memory import add_triples, read_graph

_WORKING: Final = "urn:x-kg:audit"
_HEADER: Final = re.compile(r"^# ([A-Za-z][A-Za-z0-9]*): (.+)\n")
_INTO_WORKING: Final = "\n# into: working\n"
_MADE: Final = tuple(URIRef(RF + name) for name in ("Finding", "Comparison", "Independence"))


@dataclass(frozen=True, slots=True)
class AuditRule:
    """A CONSTRUCT query of `ontology/audit/`; several may make the findings of one `name`."""

    name: str
    title: str
    rule: Rule

    @property
    def is_working(self) -> bool:
        """Whether it only prepares what the others read: nothing of it is published."""
        return self.rule.target == "working"


def read_audit(project: Project) -> tuple[AuditRule, ...]:
    """The rules of the project's audit in the order of their files; raises RuleError."""
    files = project.audit()
    return tuple(read_audit_rule(file, read_text(file, "it is a rule")) for file in files)


def read_audit_rule(file: Path, query: str) -> AuditRule:
    """The rule of this text; the file is what errors name. Raises RuleError."""
    check_calls(file, query)
    header = _HEADER.match(query)
    if not header:
        raise RuleError(
            "the rule of the audit has no name",
            remedy="Begin it with “# NAME: what it looks for”, such as “# W1: Shares”.",
            place=Place(file, 1),
        )
    target = "working" if _INTO_WORKING in query else "findings"
    return AuditRule(header.group(1), header.group(2), Rule(file, query, target))


def audited(
    graphs: Iterable[NamedGraph], rules: Sequence[AuditRule], prefixes: Mapping[str, str]
) -> tuple[NamedGraph, ...]:
    """One graph of findings for each name of a rule that finds something, sorted by name.

    The rules see the public graphs, and none of each other's findings. Raises RuleError.
    """
    dataset = _public(graphs)
    for rule in rules:
        if rule.is_working:
            dataset.add(_WORKING, constructed(rule.rule, dataset, prefixes))
    found = MemoryDataset()
    for rule in rules:
        if not rule.is_working:
            found.add(FINDINGS + rule.name, constructed(rule.rule, dataset, prefixes))
    return tuple(NamedGraph(iri, found.triples(iri), Owner.DERIVED) for iri in found.graph_names())


def check_findings(
    findings: Sequence[NamedGraph], graphs: Iterable[NamedGraph], shapes: Shapes
) -> None:
    """Raise RuleError where a rule made a finding or a comparison that is none by the shapes.

    They are seen with what the graphs say of the nodes that they name.
    """
    data = read_graph(*(graph.triples for graph in findings))
    focus = {node for kind in _MADE for node in data.subjects(RDF.type, kind)}
    named = {f"<{node}>".encode() for node in data.objects() if isinstance(node, URIRef)}
    add_triples(data, _said_of(named, graphs))
    violations = [each for each in shapes.validated(data, focus).findings if each.violates]
    if violations:
        raise RuleError(
            f"the audit made a finding that is none: {violations[0].text(shapes.prefixes)}",
            remedy="Mend the rule in ontology/audit/ that the finding names.",
        )


def _public(graphs: Iterable[NamedGraph]) -> MemoryDataset:
    dataset = MemoryDataset()
    for graph in graphs:
        if not graph.restricted:
            dataset.add(graph.iri, graph.triples)
    return dataset


def _said_of(subjects: set[bytes], graphs: Iterable[NamedGraph]) -> bytes:
    """The lines of the public graphs about these subjects."""
    lines = (
        line
        for graph in graphs
        if not graph.restricted
        for line in graph.triples.splitlines(keepends=True)
    )
    return b"".join(line for line in lines if line.split(b" ", 1)[0] in subjects)
