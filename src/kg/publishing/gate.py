"""The gate: what the shapes find in what is staged, with its place in the sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rdflib import Graph

from kg.errors import Place
from kg.publishing.staging import Progress, Staged
from kg.validation.conformance import Shapes
from kg.validation.report import Finding

Places = Mapping[str, Mapping[str, Place]]


def findings(staged: Staged, shapes: Shapes, progress: Progress) -> list[Finding]:
    """What the shapes find in the reference data and in each article, each finding once.

    An article is checked together with all that it refers to; restricted graphs are checked
    with the public ones of their article, too.
    """
    found = set(shapes.findings(_graph(*staged.reference.graphs.values())))
    for number, unit in enumerate(staged.units, start=1):
        restricted = b"".join(graph.triples for graph in unit.graphs if graph.restricted)
        for triples in {unit.public(), unit.public() + restricted}:
            found.update(_placed(each, unit.places) for each in shapes.findings(_graph(triples)))
        progress("articles checked", number, len(staged.units))
    return sorted(found, key=lambda finding: (str(finding.place), finding.line({})))


def _graph(*triples: bytes) -> Graph:
    return Graph().parse(data=b"".join(triples), format="nt")


def _placed(finding: Finding, places: Places) -> Finding:
    """The finding with the place of the property it is about, else of its node."""
    known = places.get(finding.focus_node)
    if known is None:
        return finding
    return replace(finding, place=known.get(finding.path, known[""]))
