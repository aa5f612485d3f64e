"""The units of a bulk publish: graphs that are derived and checked together, one article's say."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from rdflib import Graph
from rdflib.exceptions import ParserError

from kg.context import Context
from kg.errors import BadArgument, EnginesDisagree, KgError
from kg.namespaces import BASE, FINDINGS, GRAPH
from kg.publishing.derivation import derived
from kg.publishing.gate import placed, validations
from kg.publishing.preparation import Checks
from kg.publishing.sources import Article
from kg.publishing.staging import Reference, Unit, article_unit, is_reference, subjects
from kg.publishing.triples import ENTITIES, description
from kg.publishing.written_graphs import check_segments, derived_graph
from kg.store.base import NamedGraph, Owner
from kg.store.canonical import canonical_lines

_LAYOUT: Final = ("claims", "provenance", "anchors", "works", "derived")
_RESTRICTED: Final = "sensitive"
_NAME: Final = re.compile(r"(\w+)/([^/]+)")
_OURS: Final = "urn:x-kg:"
_ARTICLE: Final = f"<{BASE}a/".encode()
_OF_ARTICLE: Final = "article "
_DERIVED: Final = GRAPH + "derived/"


def unit_of(line: bytes) -> str:
    """The unit that a line of N-Quads belongs to, which names its graph.

    What the graph of entities says of an article belongs to the article.
    """
    graph = line[line.rindex(b"<") + 1 : line.rindex(b">")].decode()
    if graph == ENTITIES and line.startswith(_ARTICLE):
        key = line[len(_ARTICLE) :].split(b">", 1)[0]
        return graph if b"/" in key else _OF_ARTICLE + key.decode()
    return unit_of_graph(graph)


def unit_of_graph(graph: str) -> str:
    """The unit that a graph belongs to: that of an article, or the graph itself."""
    found = _NAME.fullmatch(graph.removeprefix(GRAPH)) if graph.startswith(GRAPH) else None
    return _OF_ARTICLE + found[2] if found and found[1] in _LAYOUT else graph


def graphs_of(unit: str) -> list[str]:
    """The names of the graphs that a unit may have."""
    if not unit.startswith(_OF_ARTICLE):
        return [unit, derived_graph(unit)]
    key = unit.removeprefix(_OF_ARTICLE)
    return [f"{GRAPH}{name}/{key}" for name in (*_LAYOUT, _RESTRICTED)]


def is_derived(graph: str) -> bool:
    """Whether the graph holds what is derived."""
    return graph.startswith((_DERIVED, FINDINGS))


def split(unit: str, lines: Iterable[bytes]) -> dict[str, bytes]:
    """The canonical triples of each graph of a unit, given as N-Quads lines."""
    held: dict[str, list[bytes]] = {}
    for line in lines:
        start = line.rindex(b"<")
        held.setdefault(line[start + 1 : line.rindex(b">")].decode(), []).append(
            line[:start] + b".\n"
        )
    if unit.startswith(_OF_ARTICLE) and ENTITIES in held:
        works = f"{GRAPH}works/{unit.removeprefix(_OF_ARTICLE)}"
        held.setdefault(works, []).extend(held.pop(ENTITIES))
    return {graph: _canonical(b"".join(triples)) for graph, triples in held.items()}


def problem_of(graph: str) -> str:
    """Why nobody may publish a graph of this name; empty where one may."""
    name = graph.removeprefix(GRAPH)
    if graph.startswith(_OURS):
        return f"<{graph}> is a name that kg keeps for itself"
    if name != graph and name.startswith(_RESTRICTED + "/"):
        return f"<{graph}> would be a restricted graph, which only an article's YAML can bring"
    if is_reference(graph):
        return (
            f"<{graph}> is reference data, and not what the store has: build the store with the"
            " project that the dump is from"
        )
    try:
        check_segments(graph)
    except BadArgument as error:
        return error.message
    return ""


def unit_of_graphs(unit: str, graphs: Mapping[str, bytes], *, keep_derived: bool = False) -> Unit:
    """A unit of graphs as they were given; what was derived is left out, unless it is kept."""
    given = tuple(
        NamedGraph(iri, triples, Owner.PUBLISHED)
        for iri, triples in graphs.items()
        if not is_derived(iri) or (keep_derived and not iri.startswith(FINDINGS))
    )
    key = unit.removeprefix(_OF_ARTICLE)
    if key == unit:
        into = derived_graph(unit)
        targets = {"claims": into, "derived": into}
    else:
        targets = {name: f"{GRAPH}{name}/{key}" for name in ("claims", "derived")}
    return Unit(key, given, reference=b"", targets=targets, places={})


def unit_of_article(article: Article, context: Context, reference: Reference) -> Unit:
    """The unit of an article's source, with the description that a build puts into `entities`."""
    work = NamedGraph(f"{GRAPH}works/{article.key}", description(article, context), Owner.PUBLISHED)
    unit = article_unit(article, context, reference, [work])
    return replace(unit, graphs=tuple(_published(graph) for graph in unit.graphs))


def name_of_article(key: str) -> str:
    """The name of the unit of an article, whether it comes from YAML or from a dump."""
    return _OF_ARTICLE + key


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a unit is set aside: what a person reads, and the SHACL report in Turtle, if any."""

    reasons: tuple[str, ...]
    report: bytes = b""


def examined(unit: Unit, checks: Checks, reference: Reference) -> Unit | Refused:
    """The unit with what is derived from it, or why the gate does not let it pass.

    Raises RuleError and ShapesError where the checks cannot be used.
    """
    unit = replace(unit, reference=reference.reached_from(each.triples for each in unit.graphs))
    unit = derived(unit, checks.rules, checks.prefixes, reference.reached_from)
    report, violations = Graph(), set[str]()
    try:
        for validation in validations(unit, checks.shapes):
            found = (placed(each, unit.places) for each in validation.findings if each.violates)
            lines = {finding.text(checks.prefixes) for finding in found}
            report += validation.report if lines else Graph()
            violations |= lines
    except ParserError:
        return Refused(("it holds a triple term or a base direction, which no shape can check",))
    except EnginesDisagree as error:
        return refusal(error)
    if violations:
        turtle = report.serialize(format="turtle", encoding="utf-8")
        return Refused(tuple(sorted(violations)), turtle)
    return replace(unit, graphs=tuple(_published(graph) for graph in unit.graphs))


def refusal(error: KgError) -> Refused:
    """An error as the reason why something is set aside."""
    return Refused((str(error),))


def described(unit: Unit) -> frozenset[str]:
    """The IRIs that the public graphs of a unit describe, apart from what is derived."""
    return subjects(
        graph.triples for graph in unit.graphs if not (graph.restricted or is_derived(graph.iri))
    )


def fingerprint(subject: str) -> int:
    """Eight bytes that stand for an IRI."""
    digest = hashlib.blake2b(subject.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _published(graph: NamedGraph) -> NamedGraph:
    return replace(graph, owner=Owner.PUBLISHED, triples=_canonical(graph.triples))


def _canonical(triples: bytes) -> bytes:
    return b"".join(canonical_lines(triples))
