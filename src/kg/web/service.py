"""The service's description of itself (SPARQL 1.1 Service Description)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from flask import Request
from werkzeug.wrappers import Response

from kg.media import (
    CSV,
    JSON,
    JSON_LD,
    N_QUADS,
    N_TRIPLES,
    RDF_XML,
    TRIG,
    TSV,
    TURTLE,
    XML,
    Format,
)
from kg.settings import Settings
from kg.store.base import GraphState, Release
from kg.store.functions import function_iris
from kg.store.graphs import DEFAULT_GRAPH
from kg.store.statistics import read_statistics
from kg.web.functions import FUNCTIONS
from kg.web.graph_store import BODIES
from kg.web.statements import iri, number, root_url, stated, statement, text

FORMAT_NAMES: Final = {
    JSON: "SPARQL_Results_JSON",
    XML: "SPARQL_Results_XML",
    CSV: "SPARQL_Results_CSV",
    TSV: "SPARQL_Results_TSV",
    TURTLE: "Turtle",
    N_TRIPLES: "N-Triples",
    N_QUADS: "N-Quads",
    TRIG: "TriG",
    RDF_XML: "RDF_XML",
    JSON_LD: "JSON-LD",
}
"""Their last segments in https://www.w3.org/ns/formats/."""
MOST_GRAPHS: Final = 1000
"""Named graphs that a description tells of."""
_SERVICE: Final = "_:service"
_DATASET: Final = "_:dataset"
_DEFAULT: Final = "_:default"
_SIMPLE: Final = "http://www.w3.org/ns/entailment/Simple"
_UNION: Final = (
    "The default graph is the set union of all public named graphs: a triple that several of them"
    " hold is there once. It is not written itself."
)
_LANGUAGE: Final = (
    "SPARQL 1.1, and of 1.2 what the engine has: triple terms, reifiers and annotations, base"
    " directions of strings, VERSION; besides LATERAL, ADJUST, and arithmetic on dates and"
    " durations. There are no property functions. SERVICE and LOAD are refused."
)


def describe(
    request: Request,
    release: Release,
    at: str | None,
    choose: Callable[[Sequence[Format]], Format],
    settings: Settings,
    *,
    writes: bool,
) -> Response:
    """What this endpoint speaks and which graphs it has, in the format that `choose` picks.

    `at` is the name of the release where the endpoint is below `/r/`. `writes` says whether an
    update is taken here. Raises NotAcceptable, and BadArgument for a Host that makes no IRI.
    """
    root = root_url(request, at)
    lines = _lines(root, release, settings, writes=writes)
    return stated(request, lines, release, choose)


def _lines(root: str, release: Release, settings: Settings, *, writes: bool) -> Iterator[str]:
    yield statement(_SERVICE, "rdf:type", "sd:Service")
    yield statement(_SERVICE, "sd:endpoint", iri(f"{root}sparql"))
    yield statement(_SERVICE, "sd:supportedLanguage", "sd:SPARQL11Query")
    yield statement(_SERVICE, "sd:defaultEntailmentRegime", iri(_SIMPLE))
    yield statement(_SERVICE, "rdfs:comment", text(_LANGUAGE))
    yield from _limits(settings, writes=writes)
    for format in FORMAT_NAMES:
        yield statement(_SERVICE, "sd:resultFormat", f"formats:{FORMAT_NAMES[format]}")
    if writes:
        yield statement(_SERVICE, "sd:supportedLanguage", "sd:SPARQL11Update")
        for format in BODIES:
            yield statement(_SERVICE, "sd:inputFormat", f"formats:{FORMAT_NAMES[format]}")
    for function in (*FUNCTIONS, *function_iris()):
        yield statement(_SERVICE, "sd:extensionFunction", iri(function))
        yield statement(iri(function), "rdf:type", "sd:Function")
    if not settings.plain:
        yield statement(_SERVICE, "sd:feature", "sd:UnionDefaultGraph")
        yield statement(_DEFAULT, "rdfs:comment", text(_UNION))
    if not settings.plain:
        yield from _validation(iri(f"{root}validate"))
    for description in (".well-known/void", "catalog"):
        yield statement(_DATASET, "rdfs:seeAlso", iri(root + description))
    yield statement(_SERVICE, "sd:defaultDataset", _DATASET)
    yield from _dataset(release)


def _validation(address: str) -> Iterator[str]:
    """Where data is checked with the shapes; no vocabulary has a name for such a service."""
    yield statement(_SERVICE, "rdfs:seeAlso", address)
    told = "POST to it checks RDF, or the source of an article, with our SHACL shapes."
    yield statement(address, "rdfs:label", text(told))


def _dataset(release: Release) -> Iterator[str]:
    """The default graph and the named ones: the public ones, as the manifest has no other."""
    yield statement(_DATASET, "rdf:type", "sd:Dataset")
    yield statement(_DATASET, "sd:defaultGraph", _DEFAULT)
    yield statement(_DEFAULT, "rdf:type", "sd:Graph")
    statistics = read_statistics(release.folder)
    if statistics:
        yield statement(_DEFAULT, "void:triples", number(statistics.triples))
    named = [state for state in release.graphs if state.iri != DEFAULT_GRAPH]
    for place, state in enumerate(named[:MOST_GRAPHS]):
        yield from _named_graph(f"_:named{place}", f"_:graph{place}", state)
    if len(named) > MOST_GRAPHS:
        told = f"{MOST_GRAPHS} of its {len(named)} named graphs are described here."
        yield statement(_DATASET, "rdfs:comment", text(told))


def _named_graph(node: str, graph: str, state: GraphState) -> Iterator[str]:
    yield statement(_DATASET, "sd:namedGraph", node)
    yield statement(node, "rdf:type", "sd:NamedGraph")
    yield statement(node, "sd:name", iri(state.iri))
    yield statement(node, "sd:graph", graph)
    yield statement(graph, "rdf:type", "sd:Graph")
    yield statement(graph, "void:triples", number(state.quads))


def _limits(settings: Settings, *, writes: bool) -> Iterator[str]:
    """In words, and as values that a program reads; see docs/descriptions.md."""
    yield statement(_SERVICE, "rdfs:comment", text(_limits_in_words(settings)))
    limits: dict[str, int] = {
        "queryBytes": settings.query_bytes,
        "queryNesting": settings.nesting,
        "answerRows": settings.answer_rows,
        "answerBytes": settings.answer_bytes,
        "queriesPerMinute": settings.client_rate,
    }
    if writes:
        limits["writeBytes"] = settings.write_bytes
    yield statement(_SERVICE, "service:deadlineSeconds", number(settings.deadline, "double"))
    for name, value in limits.items():
        yield statement(_SERVICE, f"service:{name}", number(value))


def _limits_in_words(settings: Settings) -> str:
    return (
        f"A query may take {settings.deadline:g} s, have {settings.query_bytes} bytes, and nest"
        f" {settings.nesting} levels; an answer may have {settings.answer_rows} rows or triples,"
        f" and {settings.answer_bytes} bytes. One address may have {settings.client_rate} queries"
        " evaluated in a minute."
    )
