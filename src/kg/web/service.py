"""The service's description of itself (SPARQL 1.1 Service Description)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from flask import Request
from werkzeug.wrappers import Response

from kg.media import (
    CSV,
    GRAPH_FORMATS,
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
from kg.store.graphs import DEFAULT_GRAPH
from kg.store.rewriting import rewritten
from kg.web.conditions import has
from kg.web.graph_store import BODIES
from kg.web.uploads import address_of

_PREFIXES: Final = {
    "formats": "http://www.w3.org/ns/formats/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "sd": "http://www.w3.org/ns/sparql-service-description#",
    "void": "http://rdfs.org/ns/void#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_NAMES: Final = {
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
_MOST_GRAPHS: Final = 1000
_SERVICE: Final = "_:service"
_DATASET: Final = "_:dataset"


def describe(
    request: Request,
    release: Release,
    choose: Callable[[Sequence[Format]], Format],
    settings: Settings,
    *,
    writes: bool,
) -> Response:
    """What this endpoint speaks and which graphs it has, in the format that `choose` picks.

    `writes` says whether an update is taken here. Raises NotAcceptable, and BadArgument for a Host
    that makes no IRI.
    """
    format, endpoint = choose(GRAPH_FORMATS), address_of(request)
    lines = sorted(_lines(endpoint, release, settings, writes=writes))
    content = rewritten("".join(lines).encode(), N_TRIPLES, format, _PREFIXES)
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    response = Response(content, content_type=format.content_type)
    if has(request.headers.get("If-None-Match"), tag):
        response = Response(status=304)
    response.headers["ETag"] = tag
    response.headers["KG-Release"] = release.name
    response.headers["Vary"] = "Accept"
    response.headers["Cache-Control"] = "no-cache"
    return response


def _lines(endpoint: str, release: Release, settings: Settings, *, writes: bool) -> Iterator[str]:
    """The description as lines of N-Triples."""
    yield _line(_SERVICE, "rdf:type", "sd:Service")
    yield _line(_SERVICE, "sd:endpoint", f"<{endpoint}>")
    yield _line(_SERVICE, "sd:supportedLanguage", "sd:SPARQL11Query")
    yield _line(_SERVICE, "rdfs:comment", _text(_limits(settings)))
    for format in _NAMES:
        yield _line(_SERVICE, "sd:resultFormat", f"formats:{_NAMES[format]}")
    if writes:
        yield _line(_SERVICE, "sd:supportedLanguage", "sd:SPARQL11Update")
        for format in BODIES:
            yield _line(_SERVICE, "sd:inputFormat", f"formats:{_NAMES[format]}")
    if not settings.plain:
        yield _line(_SERVICE, "sd:feature", "sd:UnionDefaultGraph")
    yield _line(_SERVICE, "sd:defaultDataset", _DATASET)
    yield from _dataset(release)


def _dataset(release: Release) -> Iterator[str]:
    """The default graph and the named ones: the public ones, as the manifest has no other."""
    yield _line(_DATASET, "rdf:type", "sd:Dataset")
    yield _line(_DATASET, "sd:defaultGraph", "_:default")
    yield _line("_:default", "rdf:type", "sd:Graph")
    named = [state for state in release.graphs if state.iri != DEFAULT_GRAPH]
    for number, state in enumerate(named[:_MOST_GRAPHS]):
        yield from _named_graph(f"_:named{number}", f"_:graph{number}", state)
    if len(named) > _MOST_GRAPHS:
        told = f"{_MOST_GRAPHS} of its {len(named)} named graphs are described here."
        yield _line(_DATASET, "rdfs:comment", _text(told))


def _named_graph(node: str, graph: str, state: GraphState) -> Iterator[str]:
    yield _line(_DATASET, "sd:namedGraph", node)
    yield _line(node, "rdf:type", "sd:NamedGraph")
    yield _line(node, "sd:name", f"<{state.iri}>")
    yield _line(node, "sd:graph", graph)
    yield _line(graph, "rdf:type", "sd:Graph")
    yield _line(graph, "void:triples", f'"{state.quads}"^^<{_PREFIXES["xsd"]}integer>')


def _limits(settings: Settings) -> str:
    return (
        f"A query may take {settings.deadline:g} s and have {settings.query_bytes} bytes;"
        f" an answer may have {settings.answer_rows} rows or triples,"
        f" and {settings.answer_bytes} bytes."
    )


def _line(*terms: str) -> str:
    return " ".join(map(_term, terms)) + " .\n"


def _term(text: str) -> str:
    """An IRI for a name with one of our prefixes; anything else as it is."""
    prefix, _, name = text.partition(":")
    return f"<{_PREFIXES[prefix]}{name}>" if prefix in _PREFIXES else text


def _text(text: str) -> str:
    return json.dumps(text)  # the escapes of JSON are among those of N-Triples
