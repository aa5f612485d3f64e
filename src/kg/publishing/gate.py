"""The gate: what the shapes find in what is staged, with its place in the sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from rdflib import Graph

from kg.errors import Place
from kg.publishing.staging import Progress, Staged, Unit
from kg.validation.conformance import Shapes, Validation
from kg.validation.report import Finding

Places = Mapping[str, Mapping[str, Place]]


def findings(staged: Staged, shapes: Shapes, progress: Progress) -> list[Finding]:
    """What the shapes find in the reference data and in each article, each finding once.

    The nodes of an article are checked together with all that it refers to; those of its
    restricted graphs together with its public ones, too.
    """
    found = set(shapes.findings(_graph(*staged.reference.graphs.values())))
    for number, unit in enumerate(staged.units, start=1):
        for results in validations(unit, shapes):
            found.update(placed(each, unit.places) for each in results.findings)
        progress("articles checked", number, len(staged.units))
    return sorted(found, key=_order)


def validations(unit: Unit, shapes: Shapes) -> Iterator[Validation]:
    """What the shapes find of the unit's public graphs, and of its restricted ones beside them."""
    public = [graph.triples for graph in unit.graphs if not graph.restricted]
    hidden = [graph.triples for graph in unit.graphs if graph.restricted]
    for checked, besides in ((public, []), (hidden, public)):
        if checked:
            yield validated(checked, [*besides, unit.reference], shapes)


def validated(checked: Sequence[bytes], besides: Sequence[bytes], shapes: Shapes) -> Validation:
    """What the shapes find of the subjects of `checked`, seen together with `besides`."""
    data = _graph(*checked)
    focus = set(data.subjects())
    for triples in besides:
        data.parse(data=triples, format="nt")
    return shapes.validated(data, focus)


def _order(finding: Finding) -> tuple[str, int, int, str]:
    """By file, line and column; what has no place comes first."""
    place = finding.place
    if place is None:
        return "", 0, 0, finding.line({})
    return str(place.file), place.line or 0, place.column or 0, finding.line({})


def _graph(*documents: bytes) -> Graph:
    """The graph of these documents, whose blank nodes stay apart."""
    graph = Graph()
    for triples in documents:
        graph.parse(data=triples, format="nt")
    return graph


def placed(finding: Finding, places: Places) -> Finding:
    """The finding with the place of the property it is about, else of its node."""
    known = places.get(finding.focus_node)
    if known is None:
        return finding
    return replace(finding, place=known.get(finding.path, known[""]))
